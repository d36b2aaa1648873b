"""A tracker's event log whose every hour is written by a test."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from haikei.database import utc_now
from haikei.trackers import FeedEvent, PublishedLayout
from haikei.trackers.contract.feed import PaintOver

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
