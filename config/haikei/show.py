"""The words of a show that paths, trackers and pages share: places, seasons, rows, files."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a show a layout belongs, in the tracker's names."""

    project: str
    sequence: str  #: empty when the show counts shots only
    shot: str  #: in anime, the cut
    episode: str = ""  #: empty when neither the path nor the tracker gives one


class Season(StrEnum):
    """The seasons a layout can be painted in."""

    SPRING = "spring"
    SUMMER = "summer"
    AUTUMN = "autumn"
    WINTER = "winter"


class TimeOfDay(StrEnum):
    """The times of day a layout can be painted at."""

    MORNING = "morning"
    DAY = "day"
    SUNSET = "sunset"
    NIGHT = "night"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the tracker."""

    type: str  #: such as `Shot`
    id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file below a storage root that the tracker knows by its code."""

    root: str  #: the LocalStorage's code
    relative: str  #: below the root, with `/`
    path: Path  #: on this machine
    sha256: str
