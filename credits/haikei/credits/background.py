"""One version of a background: its place in the show and the images that led to it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from haikei.credits.record import ImageRecord


class ReviewState(StrEnum):
    """What was decided about a version."""

    IN_REVIEW = "in_review"
    APPROVED = "approved"
    RETAKE = "retake"  #: another version was asked for
    ON_HOLD = "on_hold"
    OMITTED = "omitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundVersion:
    """A version of a cut's background, with everything that it was made from."""

    key: str  #: ours: the job's, or the touch-up's
    project: str
    sequence: str
    shot: str
    season: str
    time: str
    version: int
    code: str  #: the Version's name in the tracker
    tracker_id: int | None  #: of the Version's row; None until it is known
    url: str  #: where a person can look at it; empty until it is known
    state: ReviewState
    images: tuple[ImageRecord, ...]  #: the layout first, this version's own image last
    ledger: tuple[int, ...]  #: the ledger's entry of each image, in the same order
    created_at: datetime

    @property
    def final(self) -> ImageRecord:
        """The image that this version is."""
        return self.images[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A part of a show."""

    project: str
    sequence: str = ""  #: empty: all of them
    shot: str = ""  #: empty: all of them
    latest: bool = True  #: of each shot, season and time only the highest version

    @property
    def name(self) -> str:
        """The part of a show as people read it, such as `porto / sq010`."""
        return " / ".join(filter(None, (self.project, self.sequence, self.shot)))
