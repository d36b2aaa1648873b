"""
How far a feed has been followed, which ids it skipped, and what is counted on the way.

A site takes an event's id when a transaction begins and shows the row when it commits: of the
newest thousand ids almost a third may be missing for a while, some for ever. Below the frontier
every id has either been read or is in a gap, so the gaps are also what tells new events from known.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from prometheus_client import Counter, Gauge
from sqlalchemy import Connection, delete, insert, select, update

from haikei.database import feed_cursors, feed_gaps, utc_now
from haikei.trackers import FeedEvent, TrackerFeed


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Consecutive ids that have not been seen, both ends included."""

    first: int
    last: int
    deadline: float  #: on the feed's clock; given up when it has passed


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """A range of ids to read again, both ends included."""

    first: int
    last: int


def skipped(
    frontier: int, events: Iterable[FeedEvent], *, since: datetime, deadline: float
) -> list[Gap]:
    """
    Return the gaps that events leave above `frontier`.

    Args:
        frontier: the newest id read before.
        events: in order of id.
        since: what is missing before an event that is older than this will never appear.
        deadline: of the gaps.
    """
    gaps: list[Gap] = []
    for event in events:
        if event.id > frontier + 1 and event.created_at >= since:
            gaps.append(Gap(first=frontier + 1, last=event.id - 1, deadline=deadline))
        frontier = event.id
    return gaps


def without(gaps: Iterable[Gap], ids: Iterable[int]) -> list[Gap]:
    """Return what is left of the gaps when `ids` have appeared."""
    appeared = sorted(ids)
    left: list[Gap] = []
    for gap in gaps:
        first = gap.first
        start, end = bisect_left(appeared, gap.first), bisect_right(appeared, gap.last)
        for found in appeared[start:end]:
            if found > first:
                left.append(replace(gap, first=first, last=found - 1))
            first = found + 1
        if first <= gap.last:
            left.append(replace(gap, first=first))
    return left


def reaches(gaps: Iterable[Gap], size: int) -> list[Reach]:
    """Return ranges that hold all gaps, in order; gaps within `size` ids share a range."""
    found: list[Reach] = []
    for gap in sorted(gaps, key=lambda gap: gap.first):
        if found and gap.last - found[-1].first < size:
            found[-1] = Reach(first=found[-1].first, last=gap.last)
        else:
            found.append(Reach(first=gap.first, last=gap.last))
    return found


def holding(gaps: Sequence[Gap], ids: Iterable[int]) -> set[int]:
    """Return those of `ids` that are in a gap."""
    ordered = sorted(gaps, key=lambda gap: gap.first)
    firsts = [gap.first for gap in ordered]
    held: set[int] = set()
    for found in ids:
        index = bisect_right(firsts, found) - 1
        if index >= 0 and found <= ordered[index].last:
            held.add(found)
    return held


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a follower stands in a feed."""

    frontier: int  #: every id up to this one was read, is in a gap or was given up; 0 for none
    frontier_at: datetime | None  #: when the frontier's event happened; tells streams apart
    clock: float  #: seconds for which the site has answered so far; deadlines are on this clock
    since: datetime  #: what happened before is left to a backfill
    reconciled_at: datetime | None
    gaps: tuple[Gap, ...]


def load(connection: Connection, feed: str) -> Progress | None:
    """Return how far a feed has been followed, None when it never was."""
    row = connection.execute(select(feed_cursors).where(feed_cursors.c.feed == feed)).one_or_none()
    if row is None:
        return None
    gaps = connection.execute(
        select(feed_gaps).where(feed_gaps.c.feed == feed).order_by(feed_gaps.c.first_id)
    )
    return Progress(
        frontier=row.frontier,
        frontier_at=row.frontier_at,
        clock=row.clock,
        since=row.since,
        reconciled_at=row.reconciled_at,
        gaps=tuple(
            Gap(first=gap.first_id, last=gap.last_id, deadline=gap.deadline) for gap in gaps
        ),
    )


def store(connection: Connection, feed: str, before: Progress | None, after: Progress) -> bool:
    """Move the cursor; return False, and change nothing, when it is not where `before` says."""
    values = {
        "frontier": after.frontier,
        "frontier_at": after.frontier_at,
        "clock": after.clock,
        "since": after.since,
        "reconciled_at": after.reconciled_at,
        "updated_at": utc_now(),
    }
    if before is None:
        found = connection.execute(
            select(feed_cursors.c.feed).where(feed_cursors.c.feed == feed)
        ).first()
        if found is not None:
            return False
        connection.execute(insert(feed_cursors).values(feed=feed, **values))
    else:
        moved = connection.execute(
            update(feed_cursors)
            .where(
                feed_cursors.c.feed == feed,
                feed_cursors.c.frontier == before.frontier,
                feed_cursors.c.clock == before.clock,
            )
            .values(**values)
        )
        if moved.rowcount == 0:
            return False
    _store_gaps(connection, feed, () if before is None else before.gaps, after.gaps)
    return True


def _store_gaps(
    connection: Connection, feed: str, before: tuple[Gap, ...], after: tuple[Gap, ...]
) -> None:
    gone, new = set(before) - set(after), set(after) - set(before)
    if gone:
        connection.execute(
            delete(feed_gaps).where(
                feed_gaps.c.feed == feed, feed_gaps.c.first_id.in_([gap.first for gap in gone])
            )
        )
    if new:
        connection.execute(
            insert(feed_gaps),
            [
                {
                    "feed": feed,
                    "first_id": gap.first,
                    "last_id": gap.last,
                    "deadline": gap.deadline,
                }
                for gap in sorted(new, key=lambda gap: gap.first)
            ],
        )


def note_reconciliation(connection: Connection, feed: str, moment: datetime) -> None:
    """Note when all layouts of the last days were asked for."""
    connection.execute(
        update(feed_cursors).where(feed_cursors.c.feed == feed).values(reconciled_at=moment)
    )


_FIRST_STEP = 500
#: A site without events says nothing of its clock.
_SKEW = timedelta(hours=1)


def begin(feed: TrackerFeed, *, overlap: timedelta) -> Progress:
    """
    Return the position from which all events of the last `overlap` before the newest are ahead.

    It is found in a few reads of one row each, every one four times as far back.

    Raises:
        TrackerError: the site does not answer, or refuses.
    """
    newest = feed.newest()
    latest = feed.events(after=newest - 1, until=newest, limit=1) if newest else ()
    if not latest:
        return _at_zero(utc_now() - overlap - _SKEW)
    since = latest[0].created_at - overlap
    step = _FIRST_STEP
    while step < newest:
        found = feed.events(after=newest - step, until=newest, limit=1)
        if found and found[0].created_at < since:
            return Progress(
                frontier=found[0].id,
                frontier_at=found[0].created_at,
                clock=0.0,
                since=since,
                reconciled_at=None,
                gaps=(),
            )
        step *= 4
    return _at_zero(since)


def _at_zero(since: datetime) -> Progress:
    return Progress(
        frontier=0, frontier_at=None, clock=0.0, since=since, reconciled_at=None, gaps=()
    )


EVENTS = Counter("haikei_eventlog_events", "Event log rows read for the first time", ["feed"])
LAYOUTS = Counter("haikei_eventlog_layouts", "Layouts announced for the first time", ["source"])
REFUSED = Counter("haikei_eventlog_refused", "Layout rows put among the dead letters", ["kind"])
GIVEN_UP = Counter("haikei_eventlog_ids_given_up", "Event ids that never appeared", ["feed"])
GAPS = Gauge(
    "haikei_eventlog_open_gaps",
    "Ranges of event ids still waited for",
    ["feed"],
    multiprocess_mode="mostrecent",
)
WAITING = Gauge(
    "haikei_eventlog_waiting_rows",
    "Layout rows not ready yet",
    ["feed"],
    multiprocess_mode="mostrecent",
)
