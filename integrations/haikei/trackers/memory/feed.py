"""An event log in memory, and the files that people publish into it."""

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from haikei.credits import Person
from haikei.show import Place
from haikei.trackers.contract.feed import EventKind, FeedEvent, PaintOver, PublishedLayout

#: Ids of files that people publish, apart from those of our own.
FIRST_FILE = 7001


def _now() -> datetime:
    return datetime.now(UTC)


def _all_projects(_project: str) -> bool:
    return True


class MemoryDoorbell:
    """Implements `Doorbell`: it rings for each event that is written."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rings: list[Callable[[], None]] = []

    @contextmanager
    def listen(self, ring: Callable[[], None]) -> Generator[None]:
        """Call `ring` for each event that is written while the block runs."""
        with self._lock:
            self._rings.append(ring)
        try:
            yield
        finally:
            with self._lock:
                self._rings.remove(ring)

    def press(self) -> None:
        """Ring for all who listen."""
        with self._lock:
            rings = list(self._rings)
        for ring in rings:
            ring()


@dataclass(slots=True, kw_only=True)
class MemoryFeed:
    """
    Implements `TrackerFeed`; moments have whole seconds, as trackers keep them.

    Args:
        name: the tracker's address.
        project: where events are written that name no place.
        heeds: tells whether a project is one of `tracker.projects`.
        ours: the ids of the heeded projects; None for all.
        discussions: the versions that a Note or Reply, by type and id, is about.
        assigned: who is assigned to the task that a row names, by the row.
        publishers: who published a row, by the row.
    """

    name: str = "http://tracker.test"
    project: str = "show"
    heeds: Callable[[str], bool] = _all_projects
    ours: frozenset[int] | None = None
    discussions: dict[tuple[str, int], tuple[int, ...]] = field(
        default_factory=dict[tuple[str, int], tuple[int, ...]]
    )
    assigned: dict[int, tuple[Person, ...]] = field(default_factory=dict[int, tuple[Person, ...]])
    publishers: dict[int, Person] = field(default_factory=dict[int, Person])
    next_id: int = 1
    log: dict[int, FeedEvent] = field(default_factory=dict[int, FeedEvent])
    rows: dict[int, PublishedLayout] = field(default_factory=dict[int, PublishedLayout])
    doorbell: MemoryDoorbell = field(default_factory=MemoryDoorbell)

    def write(
        self,
        kind: EventKind = EventKind.OTHER,
        *,
        row: int | None = None,
        project: str = "",
        at: datetime | None = None,
        by_us: bool = False,
        elsewhere: bool = False,
    ) -> int:
        """Write an event; return its id."""
        where = project or self.project
        written = self.next_id
        self.next_id += 1
        self.log[written] = FeedEvent(
            id=written,
            kind=kind,
            row=row,
            project=where,
            by_us=by_us,
            created_at=(at or _now()).replace(microsecond=0),
            elsewhere=elsewhere,
        )
        self.doorbell.press()
        return written

    def publish(
        self,
        path: str,
        *,
        place: Place | None = None,
        name: str = "bg",
        version: int = 3,
        at: datetime | None = None,
        typed: bool = True,
        silent: bool = False,
        by_us: bool = False,
        painted: PaintOver | None = None,
        by: Person | None = None,
        assigned: tuple[Person, ...] = (),
    ) -> int:
        """
        Publish a layout, or a touch-up, as a person does; return its row's id.

        Args:
            path: on this machine; empty where the file is in no local storage.
            place: the shot that it is linked to; None for none.
            name: of its stream.
            version: its number.
            at: when; by default now.
            typed: whether it has the type of a layout already.
            silent: write no event, as a log that lost one.
            by_us: Haikei published it.
            painted: what it says besides, when it is a touch-up.
            by: who publishes it; None for a script.
            assigned: who is assigned to the task that it is published for; empty for none.
        """
        row = len(self.rows) + FIRST_FILE
        self.rows[row] = PublishedLayout(
            id=row,
            project=place.project if place else "",
            episode=place.episode if place else "",
            sequence=place.sequence if place else "",
            shot=place.shot if place else "",
            name=name,
            version=version,
            path=path,
            ready=bool(path and place and typed),
            created_at=(at or _now()).replace(microsecond=0),
            typed=typed,
            painted=painted,
        )
        self.assigned[row] = assigned
        if by is not None:
            self.publishers[row] = by
        if not silent:
            project = place.project if place else ""
            self.write(EventKind.FILE_PUBLISHED, row=row, project=project, at=at, by_us=by_us)
        return row

    def complete(self, row: int, *, path: str | None = None, typed: bool = True) -> None:
        """Fill what a row lacks, without an event."""
        known = self.rows[row]
        self.rows[row] = replace(
            known, path=known.path if path is None else path, typed=typed, ready=True
        )

    def retire(self, row: int) -> None:
        """Delete a row; its events stay."""
        del self.rows[row]

    def newest(self) -> int:
        """Return the newest id, 0 for none."""
        return max((event.id for event in self.visible()), default=0)

    def events(self, *, after: int, until: int | None, limit: int) -> Sequence[FeedEvent]:
        """Return events with `after < id <= until` in order of id, at most `limit`."""
        last = self.next_id if until is None else until
        found = [event for event in self.visible() if after < event.id <= last][:limit]
        return [
            replace(event, elsewhere=event.elsewhere or not self.heeds(event.project))
            for event in found
        ]

    def layouts(self, ids: Sequence[int]) -> Sequence[PublishedLayout]:
        """Return those rows that there are, in heeded projects."""
        found = (self.rows[row] for row in ids if row in self.rows)
        return [row for row in found if self._heeded(row)]

    def layouts_between(self, start: datetime, end: datetime) -> Sequence[PublishedLayout]:
        """Return the typed rows that were created in that time, oldest first."""
        first = start - timedelta(microseconds=start.microsecond)
        return [
            row
            for row in self.rows.values()
            if first <= row.created_at <= end and row.typed and self._heeded(row)
        ]

    def discussed(self, *, notes: Sequence[int], replies: Sequence[int]) -> Sequence[int]:
        """Return the versions that these are about, each once."""
        kinds = (("Note", notes), ("Reply", replies))
        found = (self.discussions.get((kind, row), ()) for kind, rows in kinds for row in rows)
        return sorted({version for versions in found for version in versions})

    def projects(self) -> frozenset[int] | None:
        """Return the ids of the heeded projects; None for all."""
        return self.ours

    def close(self) -> None:
        """Nothing is open."""

    def visible(self) -> Sequence[FeedEvent]:
        """Return the events that can be read now, in order of id."""
        return list(self.log.values())

    def _heeded(self, row: PublishedLayout) -> bool:
        return not row.project or self.heeds(row.project)
