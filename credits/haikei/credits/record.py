"""The record of one image: what it is, what it came from, and who had a part in it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from haikei.credits.maker import Person, System


class ImageKind(StrEnum):
    """What an image is in the lineage."""

    LAYOUT = "layout"
    GENERATION = "generation"
    BACKGROUND = "background"
    TOUCH_UP = "touch_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecord:
    """One image in the lineage graph; `parents` and `sha256` are its edges and its name."""

    key: str  #: ours, unique: a job's key and what of it this is
    sha256: str  #: of the file's bytes
    pixels_sha256: str  #: of the decoded pixels, which survive a change of metadata
    kind: ImageKind
    parents: tuple[str, ...]  #: SHA-256 of the files it was made from, the nearest first
    artists: tuple[Person, ...]  #: who drew the layout it stands on
    system: System | None  #: what made these pixels; None when a human did
    operator: Person | None  #: who ran the system; None when the pipeline ran by itself
    request_json: str  #: the generation request as it was, in canonical JSON; empty for layouts
    path: str  #: where it was published, below its storage root
    created_at: datetime
