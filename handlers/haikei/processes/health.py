"""
Health: trouble of the whole studio is told once, and monitors may ask for it.

What is told has the name of its episode, such as the moment since which nothing moves, so that it
is told once however many processes look and however often they are started anew.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from haikei.database import utc_now
from haikei.notify import Notice, NoticeKind, note
from haikei.processes.status import StudioStatus, studio_status
from haikei.settings import Settings

log = structlog.get_logger()

#: Between two looks of one process.
LOOK = timedelta(seconds=15)
#: After a start, in which all that stood still meanwhile begins to move.
GRACE = timedelta(minutes=2)
#: Seconds for which what was measured serves, and for which a measurement is waited for.
FRESH, PATIENCE = 5.0, 3.0


class HealthWatch:
    """
    Notes what is wrong with the whole studio, once an episode.

    Args:
        settings: the studio's.
        database: the studio's own.
        started: when this process began to look.
    """

    def __init__(self, settings: Settings, database: Engine, *, started: datetime) -> None:
        self._settings = settings
        self._database = database
        self._started = started
        self._look_at = started + GRACE
        self._known: frozenset[str] = frozenset()

    def tick(self, now: datetime) -> int:
        """Note what is wrong, when it is time to look; return how much is."""
        if now < self._look_at:
            return 0
        self._look_at = now + LOOK
        status = studio_status(self._settings, None, self._database, started=self._started, now=now)
        found = {one.episode: one for one in status.found() if one.episode}
        for episode in found.keys() - self._known:
            log.error("studio_in_trouble", trouble=found[episode].text)
        if new := found.keys() - self._known:
            with self._database.begin() as connection:
                for episode in sorted(new):
                    told = Notice(key=episode, kind=NoticeKind.TROUBLE, text=found[episode].text)
                    note(connection, told, at=now)
        for _ in self._known - found.keys():
            log.info("studio_trouble_over")
        self._known = frozenset(found)
        return len(found)


class Condition(StrEnum):
    """How the studio is, in one word."""

    OK = "ok"
    DEGRADED = "degraded"  #: pages can be served, and somebody should look
    UNAVAILABLE = "unavailable"  #: nothing can be served


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What a monitor is told: words of a closed list, with no name and no path."""

    condition: Condition
    checks: Mapping[str, str]


class Readying:
    """
    Measures whether the studio's pages can be served and its work goes on, not too often.

    Args:
        settings: the studio's.
        database: the studio's own.
    """

    def __init__(self, settings: Settings, database: Engine) -> None:
        self._settings = settings
        self._database = database
        self._started = utc_now()
        self._lock = threading.Lock()
        self._measured: tuple[datetime, Readiness] | None = None

    def ask(self) -> Readiness:
        """Return how the studio is; what was measured a moment ago serves."""
        # A mount that hangs holds one request, and not every thread of the server.
        if not self._lock.acquire(timeout=PATIENCE):
            return Readiness(condition=Condition.UNAVAILABLE, checks={"storage": "hangs"})
        try:
            now = utc_now()
            if self._measured is None or now - self._measured[0] > timedelta(seconds=FRESH):
                self._measured = now, self._measure(now)
            return self._measured[1]
        finally:
            self._lock.release()

    def _measure(self, now: datetime) -> Readiness:
        try:
            status = studio_status(
                self._settings, None, self._database, started=self._started, now=now
            )
        except SQLAlchemyError as error:
            log.warning("database_away", error=str(error))
            return Readiness(condition=Condition.UNAVAILABLE, checks={"database": "away"})
        return _readiness(status)


def _readiness(status: StudioStatus) -> Readiness:
    away = any(disk.free is None for disk in status.disks)
    checks = {
        "database": "ok",
        "storage": "away" if away else "ok",
        "queue": "standstill" if status.queue.stands_still else "ok",
        "lanes": "failing" if any(lane.fails for lane in status.lanes) else "ok",
        "sources": "lagging" if any(one.lags for one in status.sources.heard) else "ok",
    }
    if away:
        condition = Condition.UNAVAILABLE
    else:
        condition = Condition.OK if set(checks.values()) == {"ok"} else Condition.DEGRADED
    return Readiness(condition=condition, checks=checks)
