"""The words of a show that paths, trackers and pages share: places, seasons, rows, files."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from haikei.names import same_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a show a layout belongs, in the tracker's names."""

    project: str
    sequence: str  #: empty when the show counts shots only
    shot: str  #: in anime, the cut
    episode: str = ""  #: empty when neither the path nor the tracker gives one

    @property
    def name(self) -> str:
        """The place in one line: `show/episode/sequence/cut`, without what it has not."""
        return "/".join(filter(None, (self.project, self.episode, self.sequence, self.shot)))

    def may_be(self, other: "Place") -> bool:
        """
        Tell whether another place may be this one, as far as both are known.

        Codes of sequences and shots may repeat: what one of the two does not say decides nothing.
        """
        sure = ((self.project, other.project), (self.shot, other.shot))
        known = ((self.episode, other.episode), (self.sequence, other.sequence))
        return all(same_name(one, two) for one, two in sure) and all(
            not one or not two or same_name(one, two) for one, two in known
        )


def part_name(episode: str, sequence: str) -> str:
    """Return a sequence as people read it, behind its episode where it has one."""
    return " / ".join(filter(None, (episode, sequence)))


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
class CutFacts:
    """How a cut is to look, in the words of those who say so; what nobody says is empty."""

    season: str = ""
    time: str = ""
    weather: str = ""
    location: str = ""  #: of the story: cuts that share it are to look alike
    notes: str = ""  #: what the storyboard notes of the background
    colours: str = ""  #: what the colour script asks for


#: Of a cut that is described nowhere.
NO_CUT_FACTS = CutFacts()


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
