"""
How far a feed has been followed, where to begin in one that never was, and what is
counted on the way.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client import Counter, Gauge
from sqlalchemy import Connection, delete, insert, select, update

from haikei.database import feed_cursors, feed_gaps, utc_now
from haikei.sources.eventlog.gaps import Gap
from haikei.trackers import TrackerFeed


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
GAPS = Gauge("haikei_eventlog_open_gaps", "Ranges of event ids still waited for", ["feed"])
WAITING = Gauge("haikei_eventlog_waiting_rows", "Layout rows not ready yet", ["feed"])
