"""Follow a tracker's event log: layouts and touch-ups to the inbox, decisions to the reviewer."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from haikei.database import reading, utc_now
from haikei.errors import HaikeiError
from haikei.events import Source, TouchUpFolders
from haikei.images import Inspector, Limits
from haikei.review.deciding import wake
from haikei.settings import Settings
from haikei.sources.eventlog import cursor
from haikei.sources.eventlog import cursor as metrics
from haikei.sources.eventlog.arrivals import Arrivals, BackfillEntry, backfill
from haikei.sources.eventlog.cursor import Gap, Progress, begin, skipped
from haikei.sources.eventlog.feed_rows import FeedRows, talk_in
from haikei.sources.eventlog.row_reader import NOTHING, GapReader, ReadRows, RowReader
from haikei.storage import Storage
from haikei.trackers import Doorbell, EventKind, FeedEvent, TrackerFeed

log = structlog.get_logger()

#: A late change can make a row a complete layout or touch-up.
_OF_FILES = frozenset({EventKind.FILE_PUBLISHED, EventKind.FILE_CHANGED})

_PAGE = 500  # what a site gives in one answer
_LONGEST_PAUSE = 60.0
_LONGEST_SILENCE = 30.0
#: A gap beside an event this much older than its deadline will not be filled any more. The clocks
#: of the site and of this machine may differ by as much.
_SKEW = timedelta(hours=1)
#: Seconds between a ring of the doorbell and the look it leads to: events come in swarms, and a
#: tracker may ring before what it rings for can be read. A second look follows for the same reason.
_SETTLE, _SECOND_LOOK = 0.3, 0.7
#: Seconds after which a stop that rings no bell is noticed.
_NOTICE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class PollResult:
    """What one look at the event log gave."""

    events: int  #: rows read for the first time
    layouts: int  #: layouts that nobody had announced before
    refused: int  #: rows put among the dead letters
    gaps: int  #: ranges of ids that have not appeared
    more: bool  #: True when there is more to do at once


class Follower:
    """
    Follows one feed, with all that it must not forget in the database.

    The cursor moves in the transaction that notes which rows its events were about, and which
    Versions are to be looked at; a row leaves that list in the transaction that puts its layout
    into the inbox. So whatever is cut where, a new follower on the same database neither misses a
    layout or a decision nor announces a layout twice.

    Args:
        settings: the studio's; `events` and the limits of `watch` are used.
        database: the studio's own.
        feed: the tracker's event log. It is used in the calling thread only.
        storage: where layouts may be.
        doorbell: lets looks at the event log begin early; None where the tracker has none.
        inspector: opens the files; one of its own by default.
        monotonic: seconds that only ever grow.
    """

    def __init__(
        self,
        settings: Settings,
        database: Engine,
        feed: TrackerFeed,
        storage: Storage,
        *,
        doorbell: Doorbell | None = None,
        inspector: Inspector | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings.events
        self._database = database
        self._feed = feed
        self._doorbell = doorbell if settings.events.live else None
        self._rung = threading.Event()
        self._looks_again = False
        self._monotonic = monotonic
        patience = max(self._settings.overlap, self._settings.gap_deadline)
        self._patience = patience
        self._inspector = inspector or Inspector(Limits.from_settings(settings.watch))
        self._arrivals = Arrivals(
            feed.name,
            storage,
            self._inspector,
            TouchUpFolders(settings.watch.touch_ups, settings.folder_names),
        )
        self._rows = FeedRows(feed.name, patience)
        self._reader = RowReader(
            database,
            feed,
            self._rows,
            self._arrivals,
            self._inspector,
            patience=patience,
            pause=self._settings.poll,
        )
        # The frontier's own row is read again each time; it is the proof of the stream.
        self._limit = min(_PAGE, self._settings.batch + 1)
        self._gaps = GapReader(feed, self._limit)
        self._answered_at: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process that opens image files, if there is one; it starts again when needed."""
        self._inspector.close()

    def run(self, stop: threading.Event) -> None:
        """Follow until `stop` is set; a site or database that is away is waited for."""
        failures = 0
        bell = self._doorbell
        with self, bell.listen(self._rung.set) if bell is not None else nullcontext():
            while not stop.is_set():
                try:
                    more = self.poll_once().more
                    if not more and self._reconciliation_due():
                        more = self.reconcile() > 0
                except (HaikeiError, SQLAlchemyError) as error:
                    pause = self._pause(error, failures)
                    failures += 1
                    log.warning(
                        "event_log_not_followed",
                        feed=self._feed.name,
                        error=str(error),
                        kind=type(error).__name__,
                        failures=failures,
                        next_try_in=pause,
                    )
                    stop.wait(pause)
                    continue
                if failures:
                    log.info("event_log_followed_again", feed=self._feed.name, failures=failures)
                    failures = 0
                if not more:
                    self._rest(stop)

    def _rest(self, stop: threading.Event) -> None:
        """Wait until the next look at the event log: for the doorbell, or as long as is set."""
        longest = self._settings.poll
        if self._doorbell is None:
            stop.wait(longest)
            return
        if self._looks_again:
            longest = min(longest, _SECOND_LOOK)
        deadline = time.monotonic() + longest
        while not stop.is_set() and (left := deadline - time.monotonic()) > 0:
            if self._rung.wait(min(left, _NOTICE)):
                stop.wait(_SETTLE)
                break
        self._looks_again = self._rung.is_set()
        self._rung.clear()

    def poll_once(self) -> PollResult:
        """
        Read one batch of events, what is due of earlier ones, and the rows they are about.

        Raises:
            TrackerError: the site does not answer, or refuses; nothing is lost by it.
        """
        try:
            return self._poll()
        except HaikeiError:
            # Deadlines must not pass while nobody could have kept them.
            self._answered_at = None
            raise

    def reconcile(self) -> int:
        """
        Ask for all layouts of the last days; the next polls read those that no event announced.

        Layouts from before the follower's first start are left to a backfill.

        Returns:
            How many rows were unknown.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        progress = self._load()
        if progress is None:
            return 0
        now = utc_now()
        reach = now - timedelta(days=self._settings.reconcile_days)
        layouts = self._feed.layouts_between(max(progress.since, reach), now + _SKEW)
        ids = {layout.id for layout in layouts}
        with self._database.begin() as connection:
            new = self._rows.expect_unknown(connection, ids, progress.clock, Source.RECONCILIATION)
            self._rows.forget_before(connection, reach - timedelta(days=1))
            cursor.note_reconciliation(connection, self._feed.name, now)
        if new:
            log.info("reconciliation_found_layouts", feed=self._feed.name, rows=new)
        return new

    def backfill(self, start: datetime, end: datetime, *, dry_run: bool) -> Iterator[BackfillEntry]:
        """
        Hand the layouts to the inbox whose rows were created in that time, oldest first.

        They are hashed and announced while the result is iterated over. A dry run writes nothing.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        layouts = self._feed.layouts_between(start, end)
        return backfill(self._database, self._rows, self._arrivals, layouts, dry_run=dry_run)

    def backfill_rows(self, ids: Sequence[int]) -> Iterator[BackfillEntry]:
        """
        Hand the layouts with these ids to the inbox, because somebody asks for them.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        layouts = self._feed.layouts(ids)
        return backfill(self._database, self._rows, self._arrivals, layouts, dry_run=False)

    def _poll(self) -> PollResult:
        before = self._load()
        if before is None:
            return self._move_to(None, begin(self._feed, overlap=self._overlap))
        events = self._feed.events(after=max(before.frontier - 1, 0), until=None, limit=self._limit)
        clock = before.clock + self._since_last_answer()
        after = replace(before, clock=clock)
        if before.frontier and not _continues(before, events):
            newest = self._feed.newest()
            if newest < before.frontier or events[0].id == before.frontier:
                return self._start_over(before, newest)
            log.warning("event_history_shortened", feed=self._feed.name, from_id=before.frontier)
            after = replace(after, reconciled_at=None)
        at_head = len(events) < self._limit
        fresh = [event for event in events if event.id > before.frontier]
        late: Sequence[FeedEvent] = ()
        gaps: Sequence[Gap] = before.gaps
        if gaps and (at_head or any(gap.deadline <= clock for gap in gaps)):
            late, gaps = self._gaps.read(gaps, clock)
        new_gaps = skipped(
            before.frontier, fresh, since=self._stale(), deadline=clock + self._patience
        )
        after = replace(after, gaps=(*gaps, *new_gaps))
        if fresh:
            after = replace(after, frontier=fresh[-1].id, frontier_at=fresh[-1].created_at)
        rows = {
            event.row
            for event in (*late, *fresh)
            if event.row is not None and _may_be_of_layout(event, after.since)
        }
        # What is read here is read again when the cursor could not be moved.
        talk = talk_in((*late, *fresh), since=after.since)
        versions = {*talk.versions, *talk.about(self._feed)}
        with self._database.begin() as connection:
            if not cursor.store(connection, self._feed.name, before, after):
                log.warning("feed_followed_by_another", feed=self._feed.name)
                return self._result(before, 0, NOTHING, more=False)
            self._rows.expect(connection, rows, clock)
            wake(connection, versions, source=Source.EVENT_LOG)
            if at_head:
                self._rows.look_again(connection, clock)
        metrics.EVENTS.labels(self._feed.name).inc(len(late) + len(fresh))
        read = self._reader.read(clock, few=at_head)
        return self._result(after, len(late) + len(fresh), read, more=read.more or not at_head)

    def _start_over(self, before: Progress, newest: int) -> PollResult:
        log.error(
            "event_stream_went_back",
            feed=self._feed.name,
            known_up_to=before.frontier,
            newest=newest,
            advice="Was the site restored from a backup? Layouts since then are asked for anew.",
        )
        start = begin(self._feed, overlap=self._overlap)
        after = replace(start, clock=before.clock, since=min(before.since, start.since))
        return self._move_to(before, after)

    def _move_to(self, before: Progress | None, after: Progress) -> PollResult:
        with self._database.begin() as connection:
            cursor.store(connection, self._feed.name, before, after)
        log.info("following_event_log", feed=self._feed.name, from_id=after.frontier)
        return self._result(after, 0, NOTHING, more=True)

    def _result(self, progress: Progress, events: int, read: ReadRows, *, more: bool) -> PollResult:
        metrics.GAPS.labels(self._feed.name).set(len(progress.gaps))
        return PollResult(
            events=events,
            layouts=sum(one.new and one.verdict.event is not None for one in read.delivered),
            refused=sum(one.new and one.verdict.refusal is not None for one in read.delivered),
            gaps=len(progress.gaps),
            more=more,
        )

    def _since_last_answer(self) -> float:
        now, before = self._monotonic(), self._answered_at
        self._answered_at = now
        longest = max(_LONGEST_SILENCE, 2 * self._settings.poll)
        return 0.0 if before is None else min(now - before, longest)

    def _stale(self) -> datetime:
        return utc_now() - timedelta(seconds=self._patience) - _SKEW

    def _reconciliation_due(self) -> bool:
        progress = self._load()
        if progress is None:
            return False
        if progress.reconciled_at is None:
            return True
        every = timedelta(seconds=self._settings.reconcile_every)
        return utc_now() - progress.reconciled_at >= every

    def _pause(self, error: Exception, failures: int) -> float:
        asked = error.retry_after if isinstance(error, HaikeiError) else None
        return min(asked or self._settings.poll * 2 ** min(failures, 10), _LONGEST_PAUSE)

    @property
    def _overlap(self) -> timedelta:
        return timedelta(seconds=self._settings.overlap)

    def _load(self) -> Progress | None:
        with reading(self._database) as connection:
            return cursor.load(connection, self._feed.name)


def _continues(before: Progress, events: Sequence[FeedEvent]) -> bool:
    """Tell whether the first event is the frontier's own: ids alone may have been given anew."""
    if not events or events[0].id != before.frontier:
        return False
    return before.frontier_at is None or events[0].created_at == before.frontier_at


def _may_be_of_layout(event: FeedEvent, since: datetime) -> bool:
    heeded = not event.by_us and not event.elsewhere and event.created_at >= since
    return heeded and event.kind in _OF_FILES
