"""A job: one background to be made, or one paint-over to be taken in, and how far it is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from haikei.jobs.retake import RetakeOrder
from haikei.trackers import Place


class JobKind(StrEnum):
    """What a job brings about."""

    BACKGROUND = "background"  #: a background is made from a layout
    TOUCH_UP = "touch_up"  #: an artist's paint-over becomes a version


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"  #: accepted, not yet begun
    RUNNING = "running"
    DONE = "done"  #: its Version is in review
    DEAD = "dead"  #: it will not go on by itself; see its error
    CANCELLED = "cancelled"  #: a person stopped it
    SKIPPED = "skipped"  #: a person decided that it is not needed


class Step(StrEnum):
    """The steps of a job, in order; `detect` stands for what is refused before there is one."""

    DETECT = "detect"
    COLLECT = "collect"
    VALIDATE = "validate"
    GENERATE = "generate"
    EXTRACT = "extract"
    RECORD = "record"
    INTEGRATE = "integrate"
    TAKE_IN = "take_in"  #: of a touch-up, after `collect`: all that makes it a version


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOrder:
    """What a job has to do; it never changes once the job exists."""

    key: str  #: the event's key, the recipe and the variant; a retake has one of its own
    event_key: str
    place: Place
    layout: Path
    layout_sha256: str
    layout_name: str
    published_file: int | None
    recipe: str
    season: str
    time: str
    place_hint: str
    priority: int
    seed: int
    retake: RetakeOrder | None = None  #: why it is made again; None the first time

    @property
    def stream(self) -> str:
        """Versions are numbered within one shot and stream."""
        return f"{self.season}_{self.time}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as lists and pages show it."""

    key: str
    kind: JobKind
    state: JobState
    step: Step | None
    run: int  #: 1, and one more for each retry by a person
    priority: int
    place: Place
    season: str
    time: str
    recipe: str
    layout: str
    progress: float  #: 0 to 1, over the whole job
    note: str
    error: str
    error_kind: str
    attempts: int
    version_url: str
    version_code: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime
