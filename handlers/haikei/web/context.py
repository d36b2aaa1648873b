"""
What every page and endpoint works with, and server-sent events.

One look at the database serves every page that is open.

An event's id is the moment, in microseconds since 1970, up to which everything was sent. A browser
that was cut off sends the last one back and receives what it missed.
"""

import asyncio
import json
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from haikei.database import ChangeStamp, reading, reviews, utc_now
from haikei.errors import HaikeiError
from haikei.jobs.job import Job
from haikei.jobs.table import JobStore
from haikei.printable import printable_value
from haikei.settings import Settings
from haikei.storage import Storage
from haikei.trackers import Part, ReviewDesk, Tracker, needed
from haikei.web.security.requests import RateLimit
from haikei.web.security.sessions import Sessions

log = structlog.get_logger()

#: Browsers that are served at once, and events that one of them may be behind.
CLIENTS, BEHIND = 200, 256
#: Changes that are sent one by one; of more, a page is better loaded anew.
MOST = 1000
#: Seconds between two looks, and after which silence is broken.
POLL, HEARTBEAT = 0.5, 15.0
#: A change may become visible this much later than the moment it bears.
_OVERLAP = timedelta(seconds=5)
#: How far back a browser receives what it missed.
_REACH = timedelta(hours=1)
_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_BEAT = b": \n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One job or one review as it is now."""

    kind: str  #: `job` or `review`
    key: str
    at: datetime
    data: str  #: JSON

    def wire(self) -> bytes:
        """Return it as `text/event-stream` has it (HTML Standard, 9.2)."""
        return _message(self.kind, self.data, self.at)


class Broadcaster:
    """
    Tells every browser what changes. It belongs to one event loop; `stop` is any thread's.

    Args:
        database: the studio's own.
        poll: seconds between two looks.
        clients: browsers that are served at once.
        heartbeat: seconds after which silence is broken, so that proxies keep the line open.
    """

    def __init__(
        self,
        database: Engine,
        *,
        poll: float = POLL,
        clients: int = CLIENTS,
        heartbeat: float = HEARTBEAT,
    ) -> None:
        self._database = database
        self._poll = poll
        self._most = clients
        self._heartbeat = heartbeat
        self._stopped = threading.Event()
        self._queues: set[asyncio.Queue[bytes | None]] = set()
        self._told: dict[tuple[str, str], datetime] = {}
        self._since: datetime | None = None

    @property
    def is_full(self) -> bool:
        """Whether no more browsers are served."""
        return len(self._queues) >= self._most

    @property
    def clients(self) -> int:
        """How many browsers are served."""
        return len(self._queues)

    def stop(self) -> None:
        """End every stream soon."""
        self._stopped.set()

    async def run(self) -> None:
        """Look for changes while somebody listens, until stopped."""
        failed = False
        try:
            while not self._stopped.is_set():
                await asyncio.sleep(self._poll)
                if not self._queues:
                    self._since = None
                    continue
                try:
                    await self._look()
                    failed = False
                except SQLAlchemyError as error:
                    if not failed:
                        log.warning("changes_not_read", error=str(error))
                    failed = True
        finally:
            for queue in list(self._queues):
                self._put(queue, None)

    async def stream(self, last: str) -> AsyncGenerator[bytes]:
        """
        Yield what a browser is sent, until it goes or the server stops.

        Args:
            last: the id that it was sent last; empty when it is new.
        """
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(BEHIND)
        with self._listening(queue):
            yield b"retry: 2000\n\n"
            for message in await asyncio.to_thread(self._missed, last):
                yield message
            while not self._stopped.is_set():
                try:
                    async with asyncio.timeout(self._heartbeat):
                        change = await queue.get()
                except TimeoutError:
                    yield _BEAT
                    continue
                if change is None:
                    return
                yield change

    @contextmanager
    def _listening(self, queue: "asyncio.Queue[bytes | None]") -> Generator[None]:
        # However late the next look is, it tells what has changed since somebody listens.
        self._since = self._since or utc_now()
        self._queues.add(queue)
        try:
            yield
        finally:
            self._queues.discard(queue)

    async def _look(self) -> None:
        since = self._since or utc_now()
        changes = await asyncio.to_thread(changes_since, self._database, since - _OVERLAP)
        fresh = [one for one in changes if self._told.get((one.kind, one.key)) != one.at]
        for change in fresh:
            self._told[change.kind, change.key] = change.at
            for queue in list(self._queues):
                self._put(queue, change.wire())
        self._since = max((since, *(change.at for change in changes)))
        horizon = self._since - 2 * _OVERLAP
        self._told = {key: at for key, at in self._told.items() if at >= horizon}

    def _put(self, queue: "asyncio.Queue[bytes | None]", message: bytes | None) -> None:
        try:
            queue.put_nowait(message)
        except asyncio.QueueFull:
            # It reads too slowly. It is cut off, comes again, and receives what it missed.
            self._queues.discard(queue)
            while not queue.empty():
                queue.get_nowait()
            queue.put_nowait(None)

    def _missed(self, last: str) -> Sequence[bytes]:
        if not last.isascii() or not last.isdecimal() or len(last) > 18:
            return ()
        now = utc_now()
        since = _EPOCH + timedelta(microseconds=int(last))
        if since < now - _REACH:
            return (_message("reload", "{}", now),)
        try:
            changes = changes_since(self._database, since - _OVERLAP)
        except SQLAlchemyError as error:
            log.warning("changes_not_read", error=str(error))
            return ()
        if len(changes) >= MOST:
            return (_message("reload", "{}", now),)
        return [change.wire() for change in changes]


def changes_since(database: Engine, since: datetime) -> Sequence[Change]:
    """Return the jobs and reviews that changed at or after that moment, oldest first."""
    found: list[Change] = [_job(job) for job in JobStore(database).changes(since, limit=MOST)]
    with reading(database) as connection:
        rows = connection.execute(
            select(reviews.c.background_key, reviews.c.decision, reviews.c.updated_at)
            .where(reviews.c.updated_at >= since)
            .order_by(reviews.c.updated_at)
            .limit(MOST)
        )
        found += (
            Change(
                kind="review",
                key=row.background_key,
                at=row.updated_at,
                data=json.dumps({"background": row.background_key, "decision": row.decision}),
            )
            for row in rows
        )
    return sorted(_newest(found), key=lambda change: change.at)[:MOST]


def _newest(changes: Iterable[Change]) -> Iterable[Change]:
    return {(change.kind, change.key): change for change in changes}.values()


def _job(job: Job) -> Change:
    data = {
        "job": job.key,
        "project": job.place.project,
        "episode": job.place.episode,
        "sequence": job.place.sequence,
        "shot": job.place.shot,
        "season": job.season,
        "time": job.time,
        "state": job.state.value,
        "step": job.step.value if job.step else "",
        "progress": round(job.progress, 4),
        "note": job.note,
        "error": job.error,
        "version_url": job.version_url,
        "version_code": job.version_code,
    }
    # The page's script puts these into the document as they come.
    shown = {name: printable_value(value) for name, value in data.items()}
    return Change(kind="job", key=job.key, at=job.updated_at, data=json.dumps(shown))


def _message(kind: str, data: str, at: datetime) -> bytes:
    number = (at - _EPOCH) // timedelta(microseconds=1)
    return f"id: {number}\nevent: {kind}\ndata: {data}\n\n".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class WebContext:
    """One studio's web application."""

    settings: Settings
    database: Engine
    stamp: ChangeStamp  #: of the database; the application closes it when it ends
    storage: Storage
    open_tracker: Callable[[Settings], Tracker]  #: makes what one thread uses
    sessions: Sessions
    requests: RateLimit  #: of one address: sign-in, menu items and decisions
    live: Broadcaster
    address: str  #: where people reach the pages, without a slash at its end

    @contextmanager
    def tracker(self) -> Generator[Tracker]:
        """Yield the studio's tracker; for one thread, closed at the end."""
        tracker = self.open_tracker(self.settings)
        try:
            yield tracker
        finally:
            tracker.close()

    def tracker_name(self) -> str:
        """Return what people call the studio's tracker; empty where it cannot be opened."""
        try:
            with self.tracker() as tracker:
                return tracker.name
        except HaikeiError:
            return ""

    @contextmanager
    def desk(self) -> Generator[ReviewDesk]:
        """Yield what people decide in the tracker; for one thread, closed at the end."""
        with self.tracker() as tracker:
            yield needed(tracker.parts.review, tracker, Part.REVIEW)
