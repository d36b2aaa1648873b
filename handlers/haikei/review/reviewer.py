"""The reviewer: looks at what it was woken for, acts on it, and answers."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine, select

from haikei.credits import BackgroundVersion, Scope, records
from haikei.database import feed_cursors, inserting, reading, utc_now
from haikei.decisions import Decision
from haikei.errors import HaikeiError
from haikei.events import Source
from haikei.jobs.recomputing import answers_in_tracker, recompute, take_answer
from haikei.review.applying import AppliedDecision, Applying, ReviewOutcome, standing_of
from haikei.review.artist_answers import answers
from haikei.review.deciding import (
    FIRST_PAUSE,
    Wake,
    any_due,
    done,
    look_again,
    put_off,
    take,
    wake,
)
from haikei.review.decisions import check_statuses
from haikei.review.replies import write_answers
from haikei.review.retaking import answer_ended
from haikei.settings import Settings
from haikei.trackers import CreditDesk, Part, ReviewDesk, SeenVersion, Tracker, load_tracker, needed

log = structlog.get_logger()

Ticker = Callable[[datetime], object]  #: something else that is done now and then

#: Versions that are looked at in one request.
BATCH = 50
#: Seconds between two rounds of the loop, and between two reconciliations.
POLL, RECONCILE = 1.0, 120.0
#: Seconds in which tickers end what they are at, once all is to stop.
GRACE = 10.0
#: A reconciliation looks back further than the last one, as clocks differ.
OVERLAP = timedelta(minutes=10)
#: How far the first reconciliation of a studio looks back.
FIRST = timedelta(days=30)
_CURSOR = "review"


class Reviewer:
    """
    One reviewer; several may run at once.

    Args:
        settings: the studio's.
        database: the studio's own.
        open_tracker: makes this thread's adapter; by default that of the studio's tracker.
        clock: gives the present moment.
    """

    def __init__(
        self,
        settings: Settings,
        database: Engine,
        *,
        open_tracker: Callable[[Settings], Tracker] = load_tracker,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings = settings
        self._database = database
        self._open_tracker = open_tracker
        self._clock = clock
        self._desk: ReviewDesk | None = None
        self._credits: CreditDesk | None = None
        self._tracker: Tracker | None = None
        self._applying = Applying(settings)
        self._checked = False

    @property
    def desk(self) -> ReviewDesk:
        """This thread's desk."""
        if self._desk is None:
            tracker = self._tracker = self._open_tracker(self._settings)
            self._desk = needed(tracker.parts.review, tracker, Part.REVIEW)
            self._credits = tracker.parts.credits
        return self._desk

    def tick(self) -> int:
        """Do all that is due once; return how much there was."""
        count = answer_ended(self._database, self._clock())
        count += self._look()
        return count + write_answers(self._database, self.desk, self._clock())

    def run(self, stop: threading.Event, tickers: Sequence[Ticker] = ()) -> None:
        """
        Tick until `stop`; what fails is logged and tried again.

        Args:
            stop: set when this process shall end.
            tickers: called about every second, each in a thread of its own: a slow mail server
                or a large contact sheet keeps no decision waiting.
        """
        threads = [
            threading.Thread(target=self._keep, args=(stop, ticker), name="ticker", daemon=True)
            for ticker in tickers
        ]
        for thread in threads:
            thread.start()
        try:
            self._rounds(stop, self._clock())
        finally:
            for thread in threads:
                thread.join(GRACE)
            if self._desk is not None:
                self._desk.close()

    def _keep(self, stop: threading.Event, ticker: Ticker) -> None:
        while not stop.wait(POLL):
            _call(ticker, self._clock())

    def _rounds(self, stop: threading.Event, reconcile_at: datetime) -> None:
        while not stop.is_set():
            count = 0
            try:
                if not self._checked:
                    self.check()
                if self._clock() >= reconcile_at:
                    reconcile_at = self._clock() + timedelta(seconds=RECONCILE)
                    self.reconcile()
                    self.take_assignments()
                count = self.tick()
            except HaikeiError as error:
                log.warning("review_interrupted", error=str(error))
            except Exception:
                log.exception("review_failed")
            if not count:
                stop.wait(POLL)

    def check(self) -> None:
        """Compare the configured statuses with the site's; what it lacks is logged and left out."""
        findings = check_statuses(self._settings, self.desk)
        for finding in findings:
            if not finding.ok:
                log.error("status_unusable", subject=finding.subject, error=finding.message)
        self._applying = Applying(self._settings, tuple(self.desk.statuses("Task")))
        self._checked = True

    def reconcile(self) -> int:
        """Wake what changed since the last time, whoever did not tell; return how many."""
        begun = self._clock()
        with reading(self._database) as connection:
            since = connection.execute(
                select(feed_cursors.c.since).where(feed_cursors.c.feed == _CURSOR)
            ).scalar()
        changed = self.desk.changed((since or begun - FIRST) - OVERLAP)
        row = {
            "feed": _CURSOR,
            "frontier": 0,
            "clock": 0.0,
            "since": begun,
            "reconciled_at": begun,
            "updated_at": begun,
        }
        with self._database.begin() as connection:
            statement = inserting(connection, feed_cursors)
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["feed"],
                    set_={"since": begun, "reconciled_at": begun, "updated_at": begun},
                ),
                row,
            )
            return wake(connection, changed, source=Source.RECONCILIATION)

    def take_assignments(self) -> int:
        """Name artists who were open among several and are named by the tracker alone by now."""
        if self._tracker is None:
            return 0
        found = tuple(answers_in_tracker(self._database, self._tracker, self._settings))
        for one in found:
            with self._database.begin() as connection:
                take_answer(connection, one, self._settings.people)
            self._recompute(one.version)
        return len(found)

    def _look(self) -> int:
        now = self._clock()
        with reading(self._database) as connection:
            if not any_due(connection, now):
                return 0
        with self._database.begin() as connection:
            wakes = take(connection, now=now, limit=BATCH)
        if not wakes:
            return 0
        # What stands is read before the look: if it changed by the time we write, we saw the old.
        with reading(self._database) as connection:
            standing = {one.version: standing_of(connection, one.version) for one in wakes}
        try:
            found = {one.version.id: one for one in self.desk.look([w.version for w in wakes])}
        except HaikeiError as error:
            log.warning("look_failed", versions=len(wakes), error=str(error))
            for one in wakes:
                self._put_off(one, error)
            return 0
        for one in wakes:
            seen = found.get(one.version)
            if seen is None:
                with self._database.begin() as connection:
                    done(connection, one)
                continue
            try:
                self._apply(one, seen, standing[one.version])
            except HaikeiError as error:
                log.exception("review_not_applied", version=seen.version.name)
                self._put_off(one, error)
            except Exception as error:  # one version that nobody foresaw keeps no other waiting
                log.exception("review_broke", version=seen.version.name)
                self._put_off(one, HaikeiError(f"{type(error).__name__}: {error}"))
        return len(wakes)

    def _apply(self, one: Wake, seen: SeenVersion, before: AppliedDecision | None) -> None:
        now = self._clock()
        with self._database.begin() as connection:
            outcome = self._applying.apply(connection, seen, before, now)
            if isinstance(outcome, datetime):
                look_again(connection, one, outcome)
            elif outcome is ReviewOutcome.OVERTAKEN:
                look_again(connection, one, now)
            else:
                done(connection, one)
            stands = standing_of(connection, seen.version.id)
        if answers(seen) or (stands is not None and stands.decision is Decision.APPROVE):
            with reading(self._database) as connection:
                version = records.background(connection, seen.key)
            if version is not None:
                self._recompute(version)

    def _recompute(self, version: BackgroundVersion) -> None:
        """Bring a cut's credits in line with its records: an artist or who approved may be new."""
        if self._credits is None:
            return
        scope = Scope.of(version)
        try:
            recompute(self._database, self._credits, scope)
        except HaikeiError as error:
            log.warning("credits_not_recomputed", version=version.code, error=str(error))
            seen = () if version.tracker_id is None else (version.tracker_id,)
            with self._database.begin() as connection:
                wake(connection, seen, source=Source.RECONCILIATION, after=FIRST_PAUSE)

    def _put_off(self, one: Wake, error: HaikeiError) -> None:
        with self._database.begin() as connection:
            put_off(
                connection,
                one,
                now=self._clock(),
                error=str(error),
                retry_after=error.retry_after,
            )


def _call(ticker: Ticker, now: datetime) -> None:
    try:
        ticker(now)
    except HaikeiError as error:
        log.warning("ticker_failed", error=str(error))
    except Exception:
        log.exception("ticker_failed")
