"""A tracker in memory: rows, reviews, playlists, and an event log that a test writes."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from typing_extensions import override

from haikei.checkup import Finding
from haikei.credits import Person
from haikei.database import utc_now
from haikei.errors import PlaceUnknown, TrackerRejected
from haikei.images import read_picture
from haikei.show import Row
from haikei.trackers import (
    ContextRequest,
    FeedEvent,
    LayoutContext,
    NoteWrite,
    PlaylistDesk,
    PlaylistRequest,
    PublishedLayout,
    PublishRequest,
    PublishResult,
    ReplyWrite,
    ReviewDesk,
    ReviewWrite,
    SeenNote,
    SeenVersion,
    StatusWrite,
    TrackerAdapter,
)
from haikei.trackers.contract.feed import PaintOver

AOI = Person(id="HumanUser:7", name="Aoi Sato", name_ja="佐藤葵")


@dataclass(slots=True)
class MemoryTracker(TrackerAdapter):
    """
    One show in which every shot exists but those in `unknown_shots`.

    What stands in `failures` is raised, one after the other, before anything else is done.
    """

    artists: tuple[Person, ...] = (AOI,)
    logins: tuple[str, ...] = ("aoi",)
    unknown_shots: frozenset[str] = frozenset()
    latest_version: int = 0
    failures: list[Exception] = field(default_factory=list[Exception])
    published: dict[str, PublishRequest] = field(default_factory=dict[str, PublishRequest])
    calls: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @override
    def context(self, request: ContextRequest) -> LayoutContext:
        self._called()
        if request.place.shot in self.unknown_shots:
            raise PlaceUnknown(f"There is no shot {request.place.shot}.")
        return LayoutContext(
            project=Row(type="Project", id=1, name=request.place.project),
            sequence=Row(type="Sequence", id=2, name=request.place.sequence),
            shot=Row(type="Shot", id=3, name=request.place.shot),
            task=Row(type="Task", id=4, name="bg"),
            layout_file=None,
            artists=self.artists,
            artist_logins=self.logins,
            latest_version=self.latest_version,
        )

    @override
    def publish(self, request: PublishRequest) -> PublishResult:
        self._called()
        with self._lock:
            created = request.key not in self.published
            known = self.published.setdefault(request.key, request)
            number = list(self.published).index(request.key) + 1
        return PublishResult(
            version=Row(type="Version", id=number, name=known.code),
            files=tuple(
                Row(type="PublishedFile", id=number * 10 + index, name=image.name)
                for index, image in enumerate(known.images)
            ),
            layout_file=Row(type="PublishedFile", id=number * 10 + 9, name="layout"),
            url=f"https://tracker.test/detail/Version/{number}",
            created=created,
        )

    @override
    def setup(self, *, dry_run: bool) -> tuple[Finding, ...]:
        return ()

    @override
    def check(self) -> tuple[Finding, ...]:
        return ()

    def _called(self) -> None:
        with self._lock:
            self.calls += 1
            if self.failures:
                raise self.failures.pop(0)


MORI = Person(id="HumanUser:14", name="K. Mori", name_ja="森健")
KATO = Person(id="HumanUser:15", name="N. Kato", name_ja="加藤望")
PROJECT = Row(type="Project", id=1, name="akane")
TASK = Row(type="Task", id=4, name="bg")
BEGINNING = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


def _nothing() -> None: ...


@dataclass(slots=True)
class MemoryReview(ReviewDesk):
    """
    Versions, Notes and statuses as a tracker keeps them, with a clock of its own.

    Args:
        failures: raised, one after the other, before anything else is done.
        after_look: called when the rows are read and not given back yet; it may raise.
        after_write: called when a change stands and nobody knows; it may raise.
        hides_authors: the tracker cannot tell who set a status.
        refused_statuses: nobody may set these through us.
    """

    versions: dict[int, SeenVersion] = field(default_factory=dict[int, SeenVersion])
    task_status: dict[int, str] = field(default_factory=dict[int, str])
    written: dict[str, Row] = field(default_factory=dict[str, Row])
    replies: list[ReplyWrite] = field(default_factory=list[ReplyWrite])
    questions: list[NoteWrite] = field(default_factory=list[NoteWrite])
    failures: list[Exception] = field(default_factory=list[Exception])
    after_look: Callable[[], None] = _nothing
    after_write: Callable[[], None] = _nothing
    hides_authors: bool = False
    version_statuses: tuple[str, ...] = ("rev", "apr", "fin", "rtk", "hld", "omt")
    task_statuses: tuple[str, ...] = ("wtg", "ip", "fin")
    refused_statuses: tuple[str, ...] = ()
    looks: int = 0
    closed: bool = False
    now: datetime = BEGINNING
    _next: int = 100

    def show(self, version: int, key: str, code: str) -> None:
        """Put a version of ours into the tracker, in review."""
        self.versions[version] = SeenVersion(
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

    def set_status(self, version: int, status: str, by: Person | None = MORI) -> None:
        """Set a version's status as a person does in the tracker."""
        seen = self.versions[version]
        self.now += timedelta(seconds=1)
        if seen.status != status:
            self.versions[version] = replace(
                seen,
                status=status,
                status_by=None if self.hides_authors else by,
                status_at=None if self.hides_authors else self.now,
            )

    def note(
        self,
        version: int,
        text: str,
        by: Person | None = MORI,
        *,
        reply_to: int | None = None,
        by_us: bool = False,
    ) -> int:
        """Write a Note, or a Reply, as a person does in the tracker; return its id."""
        self._next += 1
        self.now += timedelta(seconds=1)
        seen = self.versions[version]
        one = SeenNote(
            id=self._next,
            reply_to=reply_to,
            author=by,
            by_us=by_us,
            text=text,
            created_at=self.now,
        )
        self.versions[version] = replace(seen, notes=(*seen.notes, one))
        return one.id

    def delete_note(self, version: int, note: int) -> None:
        """Delete a Note."""
        seen = self.versions[version]
        left = tuple(one for one in seen.notes if one.id != note)
        self.versions[version] = replace(seen, notes=left)

    @override
    def look(self, versions: Sequence[int]) -> tuple[SeenVersion, ...]:
        self._fail()
        self.looks += 1
        found = tuple(self.versions[one] for one in versions if one in self.versions)
        self.after_look()
        return found

    @override
    def changed(self, since: datetime) -> tuple[int, ...]:
        self._fail()
        return tuple(sorted(self.versions))

    @override
    def write(self, change: ReviewWrite) -> Row:
        self._fail()
        row = self._write(change)
        self.after_write()
        return row

    @override
    def statuses(self, entity_type: str) -> tuple[str, ...]:
        self._fail()
        return self.version_statuses if entity_type == "Version" else self.task_statuses

    @override
    def close(self) -> None:
        self.closed = True

    def _write(self, change: ReviewWrite) -> Row:
        if isinstance(change, StatusWrite):
            if change.status in self.refused_statuses:
                raise TrackerRejected(f"{change.status} cannot be set.")
            if change.row.type == "Version":
                person = KATO if change.by else None
                self.set_status(change.row.id, change.status, by=person)
            else:
                self.task_status[change.row.id] = change.status
            return change.row
        if change.key in self.written:
            return self.written[change.key]
        if isinstance(change, NoteWrite):
            (link, *_) = change.links
            by_us = not change.by
            author = KATO if change.by else None
            row = Row(
                type="Note",
                id=self.note(link.id, change.text, author, by_us=by_us),
                name=change.subject,
            )
            if not change.key.startswith("page/"):
                self.questions.append(change)
        else:
            self.replies.append(change)
            version = next(
                one.version.id
                for one in self.versions.values()
                if any(note.id == change.note for note in one.notes)
            )
            id_ = self.note(version, change.text, None, reply_to=change.note, by_us=True)
            row = Row(type="Reply", id=id_, name="")
        self.written[change.key] = row
        return row

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


@dataclass(slots=True)
class MemoryPlaylists(PlaylistDesk):
    """
    Playlists as a tracker keeps them.

    Args:
        before: called before each change; it may raise.
        after: called when a change stands and nobody knows; it may raise.
    """

    requests: dict[str, PlaylistRequest] = field(default_factory=dict[str, PlaylistRequest])
    rows: dict[str, Row] = field(default_factory=dict[str, Row])
    attached: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    sizes: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    before: Callable[[], None] = _nothing
    after: Callable[[], None] = _nothing

    @property
    def shown(self) -> dict[str, tuple[int, ...]]:
        """The versions of each playlist by its name, in order."""
        return {request.name: request.versions for request in self.requests.values()}

    @override
    def collect(self, request: PlaylistRequest) -> Row:
        self.before()
        row = Row(type="Playlist", id=len(self.rows) + 500, name=request.name)
        row = self.rows.setdefault(request.key, row)
        self.requests[request.key] = request
        self.after()
        return row

    @override
    def attach(self, row: Row, file: Path, name: str) -> None:
        self.before()
        if (row.id, name) not in self.attached:
            picture = read_picture(file)
            self.sizes.append((picture.width, picture.height))
            self.attached.append((row.id, name))
        self.after()

    @override
    def close(self) -> None:
        """Nothing is open."""


@dataclass(slots=True)
class MemoryNotes(MemoryReview):
    """A desk that keeps Notes on playlists apart from those on versions."""

    notes: dict[str, NoteWrite] = field(default_factory=dict[str, NoteWrite])

    @override
    def write(self, change: ReviewWrite) -> Row:
        if isinstance(change, NoteWrite) and change.links[0].type == "Playlist":
            self._fail()
            self.notes.setdefault(change.key, change)
            return Row(type="Note", id=900, name=change.subject)
        return MemoryReview.write(self, change)


NEW = "Shotgun_PublishedFile_New"
CHANGE = "Shotgun_PublishedFile_Change"


@dataclass(slots=True, kw_only=True)
class ScriptedFeed:
    """
    Implements `TrackerFeed` over rows that a test adds, hides and shows.

    Like the site it gives ids when a row is written and shows the row when it is visible.
    """

    name: str = "http://tracker.test"
    before_each_call: Callable[[str], None] = lambda _: None  #: may raise what a call would raise
    calls: list[str] = field(default_factory=list[str])
    #: Versions that a Note or Reply, by type and id, is about; others are retired.
    ours: frozenset[int] | None = None  #: the projects that are heeded; None for all
    talk: dict[tuple[str, int], tuple[int, ...]] = field(
        default_factory=dict[tuple[str, int], tuple[int, ...]]
    )
    _next_id: int = 1
    _events: dict[int, FeedEvent] = field(default_factory=dict[int, FeedEvent])
    _hidden: set[int] = field(default_factory=set[int])
    _rows: dict[int, PublishedLayout] = field(default_factory=dict[int, PublishedLayout])

    def write(
        self,
        event_type: str = "Shotgun_Version_New",
        *,
        entity: int | None = None,
        at: datetime | None = None,
        by_us: bool = False,
        in_create: bool = False,
        attribute: str = "",
        hidden: bool = False,
        elsewhere: bool = False,
    ) -> int:
        """Write an event and return its id; a hidden one is not visible yet, and may never be."""
        written = self._next_id
        self._next_id += 1
        self._events[written] = FeedEvent(
            id=written,
            type=event_type,
            entity_type=event_type.split("_")[1],
            entity_id=entity,
            project="PORT",
            by_us=by_us,
            in_create=in_create,
            created_at=(at or utc_now()).replace(microsecond=0),
            attribute=attribute,
            elsewhere=elsewhere,
        )
        if hidden:
            self._hidden.add(written)
        return written

    def publish(
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
        """Add a PublishedFile row and, unless `silent`, its `_New` event; return the row's id."""
        row = len(self._rows) + 7001
        self._rows[row] = PublishedLayout(
            id=row,
            project="PORT" if shot else "",
            sequence="s01" if shot else "",
            shot=shot,
            name="bg",
            version=3,
            path=path,
            ready=bool(path and shot and typed),
            created_at=(at or utc_now()).replace(microsecond=0),
            typed=typed,
            painted=painted,
        )
        if not silent:
            self.write(NEW, entity=row, at=at, hidden=hidden, by_us=by_us)
        return row

    def complete(self, row: int, *, path: str | None = None, typed: bool = True) -> None:
        """Fill what a row lacks, without an event."""
        known = self._rows[row]
        self._rows[row] = replace(
            known, path=known.path if path is None else path, typed=typed, ready=True
        )

    def retire(self, row: int) -> None:
        """Take a row away."""
        del self._rows[row]

    def show(self, event: int) -> None:
        """Let a hidden event appear."""
        self._hidden.discard(event)

    @property
    def hidden(self) -> Sequence[int]:
        """The events that were written and are not visible."""
        return sorted(self._hidden)

    def forget_events(self, *, up_to: int) -> None:
        """Drop old events, as a site that keeps them for a while only does."""
        for event in [event for event in self._events if event <= up_to]:
            del self._events[event]

    def restore(self, *, up_to: int) -> None:
        """Go back to a backup: later events never happened and their ids are given anew."""
        for event in [event for event in self._events if event > up_to]:
            del self._events[event]
        self._next_id = up_to + 1

    def newest(self) -> int:
        """Return the newest visible id."""
        self._call("newest")
        return max((event.id for event in self._visible()), default=0)

    def events(self, *, after: int, until: int | None, limit: int) -> Sequence[FeedEvent]:
        """Return visible events in order of id."""
        self._call("events")
        last = self._next_id if until is None else until
        return [event for event in self._visible() if after < event.id <= last][:limit]

    def layouts(self, ids: Sequence[int]) -> Sequence[PublishedLayout]:
        """Return those rows that are there."""
        self._call("layouts")
        return [self._rows[row] for row in ids if row in self._rows]

    def layouts_between(self, start: datetime, end: datetime) -> Sequence[PublishedLayout]:
        """Return the rows of layout types created in that time."""
        self._call("layouts_between")
        first = start - timedelta(microseconds=start.microsecond)
        return [row for row in self._rows.values() if first <= row.created_at <= end and row.typed]

    def projects(self) -> frozenset[int] | None:
        """Return `ours`."""
        self._call("projects")
        return self.ours

    def discussed(self, *, notes: Sequence[int], replies: Sequence[int]) -> Sequence[int]:
        """Return the Versions that `talk` says these are about."""
        self._call("discussed")
        kinds = (("Note", notes), ("Reply", replies))
        found = (self.talk.get((kind, row), ()) for kind, rows in kinds for row in rows)
        return sorted({version for versions in found for version in versions})

    def _visible(self) -> Sequence[FeedEvent]:
        return [event for event in self._events.values() if event.id not in self._hidden]

    def _call(self, name: str) -> None:
        self.calls.append(name)
        self.before_each_call(name)
