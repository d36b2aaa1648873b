"""
The seam between a job and the studio's tracker.

Everything here is idempotent by the job's key: each row that is created carries it, and it is
looked for before anything is created again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from haikei.checkup import Finding
from haikei.credits import Person
from haikei.names import plain_name
from haikei.printable import printable
from haikei.settings import CutFields
from haikei.show import NO_CUT_FACTS, CutFacts, Place, Row, StoredFile
from haikei.trackers.contract.credits import (
    CheckpointBoard,
    CreditDesk,
    DirectoryReader,
    StatedCredits,
)
from haikei.trackers.contract.feed import Doorbell, MenuReader, TrackerFeed, WebhookReader
from haikei.trackers.contract.review import PlaylistDesk, ReviewDesk
from haikei.trackers.contract.visitors import PasswordCheck, SelectionDesk

T = TypeVar("T")
_NO_AI = frozenset({"yes", "true", "no-ai", "no ai", "noai"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextRequest:
    """What the collect step knows of a layout."""

    place: Place
    layout: StoredFile
    published_file: int | None  #: the layout's row, when an event named it
    stream: str  #: versions are numbered within one shot and stream, such as `summer_day`
    painted_over: str = ""  #: the key under which a version was published that was painted over


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutContext:
    """What the tracker knows of a layout."""

    project: Row
    sequence: Row | None
    shot: Row
    task: Row | None  #: the one that receives the background
    layout_file: Row | None  #: the layout's PublishedFile
    artists: tuple[Person, ...]  #: who drew the layout; empty where nobody is known to have
    artist_logins: tuple[str, ...]  #: logins and names of artists and candidates, for consent
    latest_version: int  #: the highest version number of this stream in the tracker, 0 for none
    artist_source: str = ""  #: where the artists are known from, such as `Task:14 assignee`
    parent_file: Row | None = None  #: the file of the version that was painted over
    project_names: tuple[str, ...] = ()  #: other names of the project, the one in paths first
    episode: str = ""  #: empty when the tracker has none
    candidates: tuple[Person, ...] = ()  #: one of whom drew it, where the tracker leaves it open
    no_ai: str = ""  #: what in the tracker keeps it from trained models, such as a shot's field
    cut: CutFacts = NO_CUT_FACTS  #: what the fields of `tracker.cut_fields` say, as it stands there

    def completed(self, place: Place) -> Place:
        """Return a place as the tracker spells it, with what a path did not say of it."""
        return Place(
            project=next(iter(self.project_names), self.project.name),
            episode=self.episode or place.episode,
            sequence=(self.sequence.name if self.sequence else "") or place.sequence,
            shot=self.shot.name,
        )


def cut_facts(fields: CutFields, text_in: Callable[[str], str]) -> CutFacts:
    """
    Return how a cut is to look: of each fact, the first of its fields that is filled.

    Args:
        fields: those that the settings name for each fact.
        text_in: returns the text in a field of the tracker; empty for none.
    """
    return CutFacts(**{name: next(filter(None, map(text_in, named)), "") for name, named in fields})


def is_no_ai(text: str) -> bool:
    """Tell whether a text in `tracker.no_ai_field` keeps a shot from trained models."""
    return plain_name(text) in _NO_AI


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnBy(Generic[T]):
    """Who drew a layout as far as a tracker's rows tell, and where they tell it."""

    artists: tuple[T, ...] = ()
    candidates: tuple[T, ...] = ()  #: where several may have, and nobody is known to have
    source: str = ""


def drawn_by(
    own: Sequence[tuple[T, str]], publishers: Sequence[tuple[T, str]], step: Sequence[tuple[T, str]]
) -> DrawnBy[T]:
    """
    Return who drew a layout: one rule for all adapters; several people are never credited for one.

    Whoever alone is assigned to the row's own task drew it; of several, whoever published the row.
    Without such a task it is whoever published the row, else whoever alone is assigned to the step.

    Args:
        own: who is assigned to the task that the layout's row names, each with where that stands.
        publishers: whom the row names besides, the best first.
        step: who is assigned to any task of the layout's step.
    """
    for assigned in (own, () if publishers else step):
        people = dict(assigned)
        by = next(((who, where) for who, where in publishers if who in people), None)
        if len(people) == 1:
            ((who, where),) = people.items()
            return DrawnBy(artists=(who,), source=where)
        if by is not None:
            return DrawnBy(artists=(by[0],), source=f"{people[by[0]]}, {by[1]}")
        if people:
            source = ", ".join(dict.fromkeys(where for _, where in assigned))
            return DrawnBy(candidates=tuple(people), source=source)
    if publishers:
        return DrawnBy(artists=(publishers[0][0],), source=publishers[0][1])
    return DrawnBy()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedImage:
    """One file to register."""

    file: StoredFile
    type: str  #: PublishedFileType code
    name: str  #: the stream's name, without a version number
    description: str

    def __post_init__(self) -> None:
        """Leave no sign in a text that hides or reorders others, whoever typed a name in it."""
        for name in ("description",):
            object.__setattr__(self, name, printable(getattr(self, name)))


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishRequest(StatedCredits):
    """One background, ready for review."""

    key: str  #: the job's; on the site it is on one Version only
    context: LayoutContext
    layout: StoredFile
    code: str  #: the Version's name
    version_number: int
    description: str
    status: str
    review_image: Path  #: what reviewers look at: sRGB, 8 bit
    thumbnail: Path
    images: tuple[PublishedImage, ...]  #: the result first, then each stage
    record_sha256: str  #: of the image record that the ledger seals
    parent_file: Row | None = None  #: the file that was painted over; it becomes upstream
    artist: Person | None = None  #: whose Version it is; None: those who drew the layout
    layout_version: int | None = None  #: the layout's own number, where it is known
    unread: float | None = None  #: part of the layout that was not read, 0 to 1

    def __post_init__(self) -> None:
        """Leave no sign in a text that hides or reorders others, whoever typed a name in it."""
        for name in ("description",):
            object.__setattr__(self, name, printable(getattr(self, name)))


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishResult:
    """The rows that stand for a background."""

    version: Row
    files: tuple[Row, ...]
    layout_file: Row
    url: str  #: where a person can look at the Version
    created: bool  #: False when the rows stood there already


class PublishingDesk(Protocol):
    """What a job's steps need of the tracker. One object belongs to one thread."""

    def context(self, request: ContextRequest) -> LayoutContext:
        """
        Return what the tracker knows of a layout.

        Raises:
            PlaceUnknown: the project or shot is not in the tracker.
            TrackerError: the tracker does not answer, or refuses.
        """
        ...

    def publish(self, request: PublishRequest) -> PublishResult:
        """
        Make the rows of a background complete: Version, media, files, links and credits.

        Called again with the same key it finishes what is missing and creates nothing twice.

        Raises:
            TrackerError: the tracker does not answer, or refuses.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerParts:
    """
    What a tracker offers besides publishing; None where it has no such thing.

    All parts speak over the adapter's own connection and belong to its thread.
    """

    feed: TrackerFeed | None = None
    review: ReviewDesk | None = None
    credits: CreditDesk | None = None
    playlists: PlaylistDesk | None = None
    checkpoints: CheckpointBoard | None = None
    selection: SelectionDesk | None = None
    sign_in: PasswordCheck | None = None
    webhooks: WebhookReader | None = None
    menu: MenuReader | None = None
    directory: DirectoryReader | None = None
    doorbell: Doorbell | None = None


class Tracker(PublishingDesk, Protocol):
    """
    The studio's tracker: an adapter with its optional parts. One object belongs to one thread.

    An entry point in `haikei.trackers` names a callable that takes the studio's `Settings` and
    returns such an object without talking to the site.
    """

    @property
    def name(self) -> str:
        """What people call the product; shown on pages and in messages."""
        ...

    @property
    def parts(self) -> TrackerParts:
        """The same parts each time, made without talking to the site."""
        ...

    def address(self, row: Row) -> str:
        """Return the URL at which a person can look at a row."""
        ...

    def setup(self, *, dry_run: bool) -> tuple[Finding, ...]:
        """
        Create the fields, types and storages Haikei needs; what stands already is left alone.

        A dry run makes nothing, and its findings are `planned` where something would be made.

        Raises:
            TrackerError: the tracker does not answer, or refuses.
        """
        ...

    def check(self) -> tuple[Finding, ...]:
        """Return one finding for each thing that must be right, also when the site is away."""
        ...

    def close(self) -> None:
        """Close this thread's connection; the next call opens one again."""
        ...
