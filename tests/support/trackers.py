"""A tracker in memory: rows, reviews, playlists, and an event log that a test writes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from typing_extensions import override

from haikei.credits import Person
from haikei.errors import PlaceUnknown, TrackerRejected
from haikei.images import read_picture
from haikei.show import Place, Row
from haikei.trackers import (
    ContextRequest,
    FeedEvent,
    LayoutContext,
    PlaylistRequest,
    PublishedLayout,
    PublishRequest,
    PublishResult,
    TrackerParts,
)
from haikei.trackers.contract.feed import PaintOver
from haikei.trackers.contract.review import (
    NoteWrite,
    ReplyWrite,
    ReviewWrite,
    SeenVersion,
    StatusWrite,
)
from haikei.trackers.memory import MemoryFeed, MemoryPlaylistDesk, MemoryReviewDesk, MemoryTracker

AOI = Person(id="HumanUser:7", name="Aoi Sato", name_ja="佐藤葵")


class FailingTracker(MemoryTracker):
    """
    One show in which every shot exists but those in `unknown_shots`.

    What stands in `failures` is raised, one after the other, before anything else is done.
    """

    def __init__(self) -> None:
        super().__init__()
        self.artists: tuple[Person, ...] = (AOI,)
        self.candidates: tuple[Person, ...] = ()
        self.logins: tuple[str, ...] = ("aoi",)
        self.unknown_shots: frozenset[str] = frozenset()
        self.failures: list[Exception] = []
        self.calls = 0

    @override
    def context(self, request: ContextRequest) -> LayoutContext:
        with self._lock:
            self._called()
            if request.place.shot not in self.unknown_shots:
                try:
                    self._shot(request.place)
                except PlaceUnknown:
                    self.add_shot(request.place)
            return replace(
                super().context(request),
                artists=self.artists,
                candidates=self.candidates,
                artist_logins=self.logins,
            )

    @override
    def publish(self, request: PublishRequest) -> PublishResult:
        with self._lock:
            self._called()
            return super().publish(request)

    def _called(self) -> None:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)


MORI = Person(id="HumanUser:14", name="K. Mori", name_ja="森健")
KATO = Person(id="HumanUser:15", name="N. Kato", name_ja="加藤望")
PROJECT = Row(type="Project", id=1, name="akane")
TASK = Row(type="Task", id=4, name="bg")
BEGINNING = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


def _nothing() -> None: ...


@dataclass(slots=True, kw_only=True)
class MemoryReview(MemoryReviewDesk):
    """
    The desk in memory with a clock of its own, which fails, or lets others in, when a test wants.

    Args:
        failures: raised, one after the other, before anything else is done.
        after_look: called when the rows are read and not given back yet; it may raise.
        after_write: called when a change stands and nobody knows; it may raise.
        hides_authors: the tracker cannot tell who set a status.
        refused_statuses: nobody may set these through us.
    """

    people: dict[str, Person] = field(default_factory=lambda: {"mori": MORI, "kato": KATO})
    replies: list[ReplyWrite] = field(default_factory=list[ReplyWrite])
    questions: list[NoteWrite] = field(default_factory=list[NoteWrite])
    failures: list[Exception] = field(default_factory=list[Exception])
    after_look: Callable[[], None] = _nothing
    after_write: Callable[[], None] = _nothing
    hides_authors: bool = False
    refused_statuses: tuple[str, ...] = ()
    looks: int = 0
    closed: bool = False
    now: datetime = BEGINNING

    def __post_init__(self) -> None:
        self.clock = self._tick

    def show(self, version: int, key: str, code: str) -> None:
        """Put a version of ours into the tracker, in review."""
        self.add(
            SeenVersion(
                version=Row(type="Version", id=version, name=code),
                key=key,
                project=PROJECT,
                shot=None,
                task=TASK,
                status="rev",
                status_by=None,
                status_at=None,
                notes=(),
                url=f"https://tracker.test/detail/Version/{version}",
            )
        )

    @override
    def set_status(self, version: int, status: str, by: Person | None = MORI) -> None:
        before = self.versions[version]
        MemoryReviewDesk.set_status(self, version, status, by)
        if self.hides_authors and before.status != status:
            seen = self.versions[version]
            self.versions[version] = replace(seen, status_by=None, status_at=None)

    @override
    def note(
        self,
        version: int,
        text: str,
        by: Person | None = MORI,
        *,
        reply_to: int | None = None,
        by_us: bool = False,
    ) -> int:
        return MemoryReviewDesk.note(self, version, text, by, reply_to=reply_to, by_us=by_us)

    @override
    def look(self, versions: Sequence[int]) -> tuple[SeenVersion, ...]:
        self._fail()
        self.looks += 1
        found = MemoryReviewDesk.look(self, versions)
        self.after_look()
        return found

    @override
    def changed(self, since: datetime) -> tuple[int, ...]:
        self._fail()
        return MemoryReviewDesk.changed(self, min(since, BEGINNING))

    @override
    def write(self, change: ReviewWrite) -> Row:
        self._fail()
        if not isinstance(change, ReplyWrite) and change.by and change.by not in self.people:
            # Whoever signs in to the pages is somebody in the tracker.
            change = replace(change, by="kato")
        if isinstance(change, StatusWrite):
            if change.status in self.refused_statuses:
                raise TrackerRejected(f"{change.status} cannot be set.")
        elif change.key not in self.written:
            if isinstance(change, ReplyWrite):
                self.replies.append(change)
            elif not change.key.startswith("page/"):
                self.questions.append(change)
        row = MemoryReviewDesk.write(self, change)
        self.after_write()
        return row

    @override
    def statuses(self, entity_type: str) -> tuple[str, ...]:
        self._fail()
        return MemoryReviewDesk.statuses(self, entity_type)

    @override
    def close(self) -> None:
        self.closed = True

    def _tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


@dataclass(slots=True, kw_only=True)
class MemoryPlaylists(MemoryPlaylistDesk):
    """
    The playlists in memory, which fail or are cut when a test wants it.

    Args:
        before: called before each change; it may raise.
        after: called when a change stands and nobody knows; it may raise.
    """

    sizes: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    before: Callable[[], None] = _nothing
    after: Callable[[], None] = _nothing

    @property
    def shown(self) -> dict[str, tuple[int, ...]]:
        """The versions of each playlist by its name, in order."""
        return {one.row.name: tuple(one.versions) for one in self.playlists.values()}

    @property
    def sheets(self) -> list[tuple[int, str]]:
        """The files of each playlist, by its id."""
        return [(row, name) for (_, row), names in self.attached.items() for name in names]

    @override
    def collect(self, request: PlaylistRequest) -> Row:
        self.before()
        row = MemoryPlaylistDesk.collect(self, request)
        # Nobody adds anything here; what is not asked for was deleted in the tracker.
        self.playlists[row.id].versions = list(request.versions)
        self.after()
        return row

    @override
    def attach(self, row: Row, file: Path, name: str) -> None:
        self.before()
        if (row.id, name) not in self.sheets:
            picture = read_picture(file)
            self.sizes.append((picture.width, picture.height))
        MemoryPlaylistDesk.attach(self, row, file, name)
        self.after()


@dataclass(slots=True, kw_only=True)
class MemoryNotes(MemoryReview):
    """A desk that keeps Notes on playlists apart from those on versions."""

    @property
    def notes(self) -> dict[str, NoteWrite]:
        """The Notes on playlists, by key."""
        return {
            key: note for key, note in self.addressed.items() if note.links[0].type == "Playlist"
        }


class PartsTracker(MemoryTracker):
    """The tracker in memory with the parts that a test gives it, and no others."""

    def __init__(self, parts: TrackerParts) -> None:
        super().__init__()
        self._parts = parts

    @override
    def close(self) -> None:
        for part in (self._parts.feed, self._parts.review, self._parts.selection):
            if part is not None:
                part.close()


@dataclass(slots=True, kw_only=True)
class ScriptedFeed(MemoryFeed):
    """
    Rows that a test adds, hides and shows.

    Like a site it gives ids when a row is written and shows the row when it is visible.
    """

    before_each_call: Callable[[str], None] = lambda _: None  #: may raise what a call would raise
    calls: list[str] = field(default_factory=list[str])
    _hidden: set[int] = field(default_factory=set[int])

    def hide(self, event: int) -> int:
        """Let an event be not visible yet; it may never be. Return its id."""
        self._hidden.add(event)
        return event

    def of_shot(
        self,
        path: str,
        *,
        at: datetime | None = None,
        shot: str = "",
        typed: bool = True,
        silent: bool = False,
        hidden: bool = False,
        by_us: bool = False,
        painted: PaintOver | None = None,
    ) -> int:
        """Publish a layout of a shot of PORT, or of no shot; return the row's id."""
        place = Place(project="PORT", sequence="s01", shot=shot) if shot else None
        row = self.publish(
            path, place=place, at=at, typed=typed, silent=silent, by_us=by_us, painted=painted
        )
        if hidden:
            self.hide(self.next_id - 1)
        return row

    def show(self, event: int) -> None:
        """Let a hidden event appear."""
        self._hidden.discard(event)

    @property
    def hidden(self) -> Sequence[int]:
        """The events that were written and are not visible."""
        return sorted(self._hidden)

    def forget_events(self, *, up_to: int) -> None:
        """Drop old events, as a site that keeps them for a while only does."""
        for event in [event for event in self.log if event <= up_to]:
            del self.log[event]

    def restore(self, *, up_to: int) -> None:
        """Go back to a backup: later events never happened and their ids are given anew."""
        for event in [event for event in self.log if event > up_to]:
            del self.log[event]
        self.next_id = up_to + 1

    @override
    def visible(self) -> Sequence[FeedEvent]:
        return [event for event in self.log.values() if event.id not in self._hidden]

    @override
    def newest(self) -> int:
        self._call("newest")
        return MemoryFeed.newest(self)

    @override
    def events(self, *, after: int, until: int | None, limit: int) -> Sequence[FeedEvent]:
        self._call("events")
        return MemoryFeed.events(self, after=after, until=until, limit=limit)

    @override
    def layouts(self, ids: Sequence[int]) -> Sequence[PublishedLayout]:
        self._call("layouts")
        return MemoryFeed.layouts(self, ids)

    @override
    def layouts_between(self, start: datetime, end: datetime) -> Sequence[PublishedLayout]:
        self._call("layouts_between")
        return MemoryFeed.layouts_between(self, start, end)

    @override
    def projects(self) -> frozenset[int] | None:
        self._call("projects")
        return MemoryFeed.projects(self)

    @override
    def discussed(self, *, notes: Sequence[int], replies: Sequence[int]) -> Sequence[int]:
        self._call("discussed")
        return MemoryFeed.discussed(self, notes=notes, replies=replies)

    def _call(self, name: str) -> None:
        self.calls.append(name)
        self.before_each_call(name)
