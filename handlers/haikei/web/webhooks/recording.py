"""
Note deliveries: each once, those that wait together, and soon although others write
as well.
"""

import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Generator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.exc import OperationalError

from haikei.database import inserting, utc_now, web_deliveries
from haikei.trackers import Delivery
from haikei.web.webhooks.webhook_dispatch import AffectedRows, Waking, affected_by

_columns = web_deliveries.c


def take_once(connection: Connection, keys: Collection[str], now: datetime) -> set[str]:
    """Note that these are taken, in the caller's transaction; return those that are new."""
    wanted = set(keys)
    if not wanted:
        return set()
    known = set(connection.execute(select(_columns.key).where(_columns.key.in_(wanted))).scalars())
    new = sorted(wanted - known)
    if not new:
        return set()
    # On databases with several writers, two requests may have found the same key to be new.
    statement = inserting(connection, web_deliveries).on_conflict_do_nothing(index_elements=["key"])
    taken = connection.execute(
        statement.returning(_columns.key), [{"key": key, "taken_at": now} for key in new]
    )
    return set(taken.scalars())


def forget_before(connection: Connection, moment: datetime) -> int:
    """Forget what is too old to be sent again; return how many."""
    return connection.execute(delete(web_deliveries).where(_columns.taken_at < moment)).rowcount


class Pruning:
    """Says now and then up to when deliveries are forgotten."""

    def __init__(self, keep: timedelta, *, every: timedelta = timedelta(minutes=5)) -> None:
        self._keep = keep
        self._every = every
        self._last: datetime | None = None

    def due(self, now: datetime) -> datetime | None:
        """Return the moment before which all is forgotten; None when it is not time yet."""
        if self._last is not None and now - self._last < self._every:
            return None
        self._last = now
        return now - self._keep


log = structlog.get_logger()

#: Requests that may wait at once, and that one transaction notes.
WAITING, TOGETHER = 200, 50
#: Milliseconds in which SQLite looks for the writer's place by itself: at 0, 1, 3, 8 and 18.
_LOOKS_MS = 20
#: Seconds after which the writer's place is given up.
PATIENCE = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    items: Sequence[Delivery]
    answer: "Future[int | None]"


class Recorder:
    """
    One thread that writes, so that requests never compete with each other.

    Args:
        database: the studio's own.
        waking: whom new deliveries wake, in the same transaction.
        pruning: says when old deliveries are forgotten.
        on_new: called in this thread with what new deliveries tell, once that is noted.
    """

    def __init__(
        self,
        database: Engine,
        waking: Waking,
        pruning: Pruning,
        *,
        on_new: Callable[[AffectedRows], None],
    ) -> None:
        self._database = database
        self._waking = waking
        self._pruning = pruning
        self._on_new = on_new
        self._queue: queue.Queue[_Request | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, when what waits is noted."""
        self._queue.put(None)
        self._thread.join()

    def note(self, items: Sequence[Delivery]) -> "Future[int | None] | None":
        """
        Have deliveries noted.

        Returns:
            How many of them were new, once that is known, and None if they could not be noted.
            Instead of all that None at once, when too many wait already.
        """
        answer: Future[int | None] = Future()
        try:
            self._queue.put_nowait(_Request(items=items, answer=answer))
        except queue.Full:
            return None
        return answer

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            waiting = [first]
            ends = False
            while len(waiting) < TOGETHER and not ends:
                try:
                    another = self._queue.get_nowait()
                except queue.Empty:
                    break
                if another is None:
                    ends = True
                else:
                    waiting.append(another)
            self._answer(waiting)
            if ends:
                return

    def _answer(self, requests: Sequence[_Request]) -> None:
        by_key = {item.key: item for one in requests for item in one.items}
        try:
            with self._writing() as connection:
                new = take_once(connection, by_key.keys(), now := utc_now())
                affected = affected_by(by_key[key] for key in sorted(new))
                self._waking.act(connection, affected)
                if (moment := self._pruning.due(now)) is not None:
                    forget_before(connection, moment)
        except Exception:  # whatever it is, the next requests are to be noted
            for one in requests:
                one.answer.set_result(None)
            log.exception("deliveries_not_noted", requests=len(requests))
            return
        for one in requests:
            mine = {item.key for item in one.items} & new
            new -= mine
            one.answer.set_result(len(mine))
        self._on_new(affected)

    @contextmanager
    def _writing(self) -> Generator[Connection]:
        with self._database.connect() as connection, _trying_often(connection):
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    transaction = connection.begin()
                    break
                except OperationalError:
                    if time.monotonic() > deadline:
                        raise
            with transaction:
                yield connection


@contextmanager
def _trying_often(connection: Connection) -> Generator[None]:
    """
    Let a connection say soon that another one writes, so that it can be tried again.

    SQLite's own waiting sleeps longer and longer, up to a tenth of a second between two looks, in
    which others take the writer's place time and again; a request would wait for seconds.
    """
    raw = connection.connection.driver_connection
    if not isinstance(raw, sqlite3.Connection):
        yield
        return
    (before,) = raw.execute("PRAGMA busy_timeout").fetchone()
    raw.execute(f"PRAGMA busy_timeout = {_LOOKS_MS}")
    try:
        yield
    finally:
        raw.execute(f"PRAGMA busy_timeout = {int(before)}")
