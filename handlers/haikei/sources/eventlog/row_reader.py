"""Read the rows that events name, and read again where ids were missing."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import Engine

from haikei.database import reading
from haikei.events import Event, TouchUpPublished
from haikei.images import Inspector
from haikei.sources.eventlog import cursor
from haikei.sources.eventlog.arrivals import (
    Announced,
    Arrivals,
    DeliveredVerdict,
    RowVerdict,
    count,
    tell,
)
from haikei.sources.eventlog.cursor import Gap, Reach, holding, reaches, without
from haikei.sources.eventlog.feed_rows import FeedRows, WaitingRow
from haikei.trackers import FeedEvent, TrackerFeed

log = structlog.get_logger()

_ROWS = 100
_LONGEST_LOOK = 30.0
_IDLE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRows:
    """What one look at the waiting rows gave."""

    delivered: Sequence[DeliveredVerdict]
    more: bool  #: True when others are due now


NOTHING = ReadRows(delivered=(), more=False)


class RowReader:
    """
    Reads due rows from the tracker, and files from disk, outside of any transaction.

    Args:
        database: the studio's own.
        feed: the tracker.
        rows: what is to be read.
        arrivals: judges what was read.
        inspector: ended when it has long had nothing to do.
        patience: seconds for which a row may be incomplete.
        pause: seconds between looks at one that was incomplete just now.
    """

    def __init__(
        self,
        database: Engine,
        feed: TrackerFeed,
        rows: FeedRows,
        arrivals: Arrivals,
        inspector: Inspector,
        *,
        patience: float,
        pause: float,
    ) -> None:
        self._database = database
        self._feed = feed
        self._rows = rows
        self._arrivals = arrivals
        self._inspector = inspector
        self._patience = patience
        self._pause = pause
        self._used_at = time.monotonic()

    def read(self, clock: float, *, few: bool) -> ReadRows:
        """
        Read rows that are due; without `few` only when they fill a whole request.

        Raises:
            TrackerError: the site does not answer, or refuses; the rows stay due.
        """
        with reading(self._database) as connection:
            due = self._rows.due(connection, clock, _ROWS)
        if not due or not (few or len(due) == _ROWS):
            self._rest()
            return NOTHING
        self._used_at = time.monotonic()
        known = {row.id: row for row in due}
        announced = [
            Announced(layout=layout, source=known[layout.id].source)
            for layout in self._feed.layouts(list(known))
        ]
        verdicts = {verdict.row: verdict for verdict in self._arrivals.judge(announced)}
        waiting = [
            row for row in due if row.id in verdicts and _waits(verdicts[row.id], row, clock)
        ]
        for row in waiting:
            del verdicts[row.id]
        with self._database.begin() as connection:
            delivered = tell(connection, self._rows, list(verdicts.values()))
            gone = known.keys() - verdicts.keys() - {row.id for row in waiting}
            self._rows.forget(connection, gone)
            for row in waiting:
                self._rows.put_off(connection, [row.id], clock + self._until_next_look(row, clock))
        self._log(delivered)
        return ReadRows(delivered=delivered, more=len(due) == _ROWS)

    def _until_next_look(self, row: WaitingRow, clock: float) -> float:
        waited = clock - (row.deadline - self._patience)
        return min(max(self._pause, waited / 4), _LONGEST_LOOK, max(row.deadline - clock, 0.1))

    def _rest(self) -> None:
        if time.monotonic() - self._used_at > _IDLE:
            self._inspector.close()

    def _log(self, delivered: Sequence[DeliveredVerdict]) -> None:
        count(delivered)
        for one in delivered:
            if one.verdict.event is not None:
                event = one.verdict.event
                touch_up = isinstance(event, TouchUpPublished)
                log.info(
                    "touch_up_announced" if touch_up else "layout_announced",
                    published_file=one.verdict.row,
                    file=str(_file(event)),
                    key=event.key,
                    new=one.new,
                )
            elif one.verdict.refusal is not None:
                log.warning(
                    "layout_refused",
                    published_file=one.verdict.row,
                    layout=str(one.verdict.refusal.layout),
                    reason=one.verdict.refusal.reason,
                )


def _waits(verdict: RowVerdict, row: WaitingRow, clock: float) -> bool:
    return verdict.passing and clock < row.deadline


def _file(event: Event) -> Path:
    return event.file if isinstance(event, TouchUpPublished) else event.layout


#: Ranges read again in one poll: many gaps cost each poll a little, and none of them much.
_REACHES = 2


class GapReader:
    """
    Reads open gaps again, a few ranges at a time and in turn.

    Args:
        feed: the event log.
        limit: rows read in one call.
    """

    def __init__(self, feed: TrackerFeed, limit: int) -> None:
        self._feed = feed
        self._limit = limit
        self._next = 0

    def read(self, gaps: Sequence[Gap], clock: float) -> tuple[Sequence[FeedEvent], Sequence[Gap]]:
        """
        Return the events that have appeared in some of the gaps, and the gaps still open.

        A gap is given up when its deadline has passed and it was read once more after that.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        ranges = reaches(gaps, self._limit)
        start = self._next % len(ranges)
        chosen = [*ranges[start:], *ranges[:start]][:_REACHES]
        self._next = start + len(chosen)
        events = [event for reach in chosen for event in self._within(reach)]
        held = holding(gaps, [event.id for event in events])
        appeared = [event for event in events if event.id in held]
        left: list[Gap] = []
        for gap in without(gaps, held):
            looked = any(reach.first <= gap.first <= reach.last for reach in chosen)
            if looked and gap.deadline <= clock:
                log.info("event_ids_given_up", first=gap.first, last=gap.last)
                cursor.GIVEN_UP.labels(self._feed.name).inc(gap.last - gap.first + 1)
            else:
                left.append(gap)
        return appeared, left

    def _within(self, reach: Reach) -> Sequence[FeedEvent]:
        found: list[FeedEvent] = []
        after = reach.first - 1
        while True:
            page = self._feed.events(after=after, until=reach.last, limit=self._limit)
            found += page
            if len(page) < self._limit:
                return found
            after = page[-1].id
