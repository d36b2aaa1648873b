"""
A job: one background to be made or one paint-over to be taken in, how far it is, and
what people ask of it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from haikei.credits import Grade, Person
from haikei.presets import Quality, RegionChange
from haikei.show import NO_CUT_FACTS, CutFacts, Place
from haikei.texts import Bilingual

#: What a person does about a paint-over whose parent is unknown.
PARENT_ADVICE = (
    "Link the published file to the version's file (upstream), or name the version in the file's "
    "name; it is looked at again then."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchUpOrder:
    """One file that an artist painted, on top of a version of ours."""

    file: Path  #: the artist's own; it is never changed
    of: str  #: the version that was painted over: its code, or the SHA-256 of its file
    artists: tuple[Person | str, ...]  #: who painted; names and logins are looked up
    minutes: int | None = None  #: time that it took, as the artist declares
    tool: str = ""  #: such as `Adobe Photoshop 27.0`
    used_generative_fill: bool = False  #: the tool made pixels by a trained model as well
    by_hand: str = ""  #: who declares that it was made by hand, without such a model; else empty
    found_by: str = "named by whoever handed it in"  #: how it is known what was painted over
    known_by: str = "named by whoever handed it in"  #: how it is known who painted
    grade: Grade = Grade.DECLARED  #: the same, as a grade; who painted is never measured
    reason: str = ""  #: why it counts where no change is measured, or another was named before


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One quality turned up or down."""

    quality: Quality
    amount: int  #: -100 to 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Instructions:
    """A retake's wishes. What was not understood is in `text`, which models read as it is."""

    text: str = ""  #: every note as it was written, the oldest first, a line each
    season: str = ""  #: another season; empty keeps it
    time: str = ""  #: another time of day; empty keeps it
    keep_seed: bool = False  #: asked for in words; else it is kept as well
    new_seed: bool = False  #: another composition of strokes and chances
    turns: tuple[Turn, ...] = ()  #: each quality at most once
    changes: tuple[RegionChange, ...] = ()  #: of parts of the picture, in order
    unwanted: tuple[str, ...] = ()  #: what must not be seen
    understood: tuple[str, ...] = ()  #: what is done, in plain words, in both languages
    asked: tuple[Bilingual, ...] = ()  #: the same, each language by itself
    handed: tuple[Bilingual, ...] = ()  #: what a model is given as text, and may heed
    cannot: tuple[Bilingual, ...] = ()  #: what no generator of the recipe can do, or was not read
    beyond: bool = False  #: whether something was read that cannot be done

    @property
    def alters(self) -> bool:
        """Whether a next version would differ for it."""
        return bool(self.asked or self.handed)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetakeOrder:
    """Why a job is made again, and what is different about it."""

    parent: str  #: the key of the version that it goes on from
    parent_version_code: str
    asked_by: tuple[Person, ...]  #: as the tracker names them; empty when nobody is known
    notes: tuple[str, ...]  #: ids of what was taken: Notes, Replies, the decision itself
    instructions: Instructions  #: what these notes ask for
    turns: tuple[Turn, ...] = ()  #: of this retake and those before it, added up
    changes: tuple[RegionChange, ...] = ()  #: the same of parts of the picture
    words: tuple[str, ...] = ()  #: for a model's prompt, the oldest first, without line breaks
    unwanted: tuple[str, ...] = ()  #: for its negative prompt


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
    """
    What a job has to do.

    `collect` completes its place, and how the cut is to look, from the tracker.
    """

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
    layout_version: int | None = None  #: the layout's own number, as its path or row says
    published_by: str = ""  #: the id of the person who created the layout's row, if known
    published_before_by: str = ""  #: somebody else, of the same drawing for the cut: it is asked
    cut: CutFacts = NO_CUT_FACTS  #: as the tracker has it

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
