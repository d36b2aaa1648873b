"""
Which processes work for the studio, on any host: each renews a row while it lives, and of those
that must be alone one leads while the others stand by.
"""

import hashlib
import os
import socket
import threading
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Self

import structlog
from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.exc import SQLAlchemyError

from haikei.database import database_now, inserting, processes, reading, writing_one_row
from haikei.jobs.engine.recovery import Locks, claim_holder, open_locks
from haikei.settings import Settings

log = structlog.get_logger()

#: Seconds between two signs of life.
BEAT = 10.0
#: Without a sign of life for so long a process counts as dead, whatever it still holds.
DEAD_AFTER = timedelta(seconds=40)
#: How long the row of one that died is kept for people to see.
_KEPT = timedelta(days=1)
_LOOK = 1.0
_LOST = 3


class ProcessState(StrEnum):
    """What a process does."""

    WORKS = "works"
    STANDS_BY = "stands_by"  #: another one leads
    DRAINS = "drains"  #: it ends what it is at, and then itself
    SILENT = "silent"  #: no sign of life; never written, only read


@dataclass(frozen=True, slots=True, kw_only=True)
class HostProcess:
    """One process of the studio."""

    holder: str  #: its id, which no other living process has
    host: str
    pid: int
    role: str
    lanes: Sequence[str]
    version: str
    state: ProcessState
    started_at: datetime
    seen_at: datetime


def present(connection: Connection) -> Sequence[HostProcess]:
    """Return all processes of which a sign of life is known, the silent ones as such."""
    now = database_now(connection)
    found: list[HostProcess] = []
    for row in connection.execute(select(processes).order_by(processes.c.holder)):
        silent = now - row.seen_at > DEAD_AFTER
        found.append(
            HostProcess(
                holder=row.holder,
                host=row.host,
                pid=row.pid,
                role=row.role,
                lanes=tuple(one for one in row.lanes.split(" ") if one),
                version=row.version,
                state=ProcessState.SILENT if silent else ProcessState(row.state),
                started_at=row.started_at,
                seen_at=row.seen_at,
            )
        )
    return found


class Presence:
    """
    The signs of life of this process, from a thread of its own; a context manager.

    Args:
        database: the studio's own.
        holder: this process's id.
        role: what it does, as `haikei run --roles` has it.
        lanes: what it takes tasks from.
    """

    def __init__(
        self, database: Engine, *, holder: str, role: str, lanes: Iterable[str] = ()
    ) -> None:
        self._database = database
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="presence", daemon=True)
        with reading(database) as connection:
            now = database_now(connection)
        self._row = HostProcess(
            holder=holder,
            host=socket.gethostname(),
            pid=os.getpid(),
            role=role,
            lanes=tuple(lanes),
            version=version("haikei"),
            state=ProcessState.WORKS,
            started_at=now,
            seen_at=now,
        )

    def __enter__(self) -> Self:
        self.beat()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(BEAT)
        try:
            with writing_one_row(self._database) as connection:
                connection.execute(delete(processes).where(processes.c.holder == self._row.holder))
        except SQLAlchemyError as error:
            log.warning("presence_not_ended", error=str(error))

    def now(self, state: ProcessState) -> None:
        """Say what this process does from now on."""
        self._row = replace(self._row, state=state)
        self.beat()

    def beat(self) -> None:
        """Give a sign of life."""
        row = self._row
        with writing_one_row(self._database) as connection:
            now = database_now(connection)
            values = {
                "holder": row.holder,
                "host": row.host,
                "pid": row.pid,
                "role": row.role,
                "lanes": " ".join(row.lanes),
                "version": row.version,
                "state": row.state.value,
                "started_at": row.started_at,
                "seen_at": now,
            }
            statement = inserting(connection, processes).values(values)
            connection.execute(
                statement.on_conflict_do_update(index_elements=["holder"], set_=values)
            )
            connection.execute(delete(processes).where(processes.c.seen_at < now - _KEPT))

    def _renew(self) -> None:
        while not self._ended.wait(BEAT):
            try:
                self.beat()
            except SQLAlchemyError as error:
                log.warning("no_sign_of_life", error=str(error))


@contextmanager
def attending(
    settings: Settings, database: Engine, role: str, stop: threading.Event, *, alone: str = ""
) -> Generator[bool]:
    """
    Be one of the studio's processes; yield True once the work is this process's.

    Args:
        settings: the studio's.
        database: the studio's own.
        role: what it does.
        stop: set when it shall end; False is yielded when that came before its turn.
        alone: the name of what only one process may do at a time; empty where many may.
    """
    locks = open_locks(settings.database_url, settings.studio.state / "locks")
    holder = claim_holder(locks, f"{socket.gethostname()}-{role}")
    # What is given back at the end is not lost: the watch ends first, whoever set `stop` or not.
    ended = threading.Event()
    watching: threading.Thread | None = None
    try:
        with Presence(database, holder=holder, role=role) as presence:
            ours = not alone or _lead(locks, f"lead-{alone}", presence, stop)
            if ours:
                mine = (holder, f"lead-{alone}") if alone else (holder,)
                watching = threading.Thread(
                    target=_watch, args=(locks, mine, ended), name="lock-watch", daemon=True
                )
                watching.start()
            yield ours
    finally:
        ended.set()
        if watching is not None:
            watching.join()
        locks.release()


def of_folders(name: str, folders: Iterable[Path]) -> str:
    """Return the name of what only one process may do with these folders at a time."""
    text = "\0".join(sorted(str(folder) for folder in folders))
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _lead(locks: Locks, name: str, presence: Presence, stop: threading.Event) -> bool:
    stands_by = False
    while not stop.is_set():
        if locks.hold(name):
            if stands_by:
                presence.now(ProcessState.WORKS)
                log.info("takes_over", what=name)
            return True
        if not stands_by:
            stands_by = True
            presence.now(ProcessState.STANDS_BY)
            log.info("stands_by", what=name, advice="Another process leads; this one follows it.")
        stop.wait(_LOOK)
    return False


def _watch(locks: Locks, names: Sequence[str], ended: threading.Event) -> None:
    while not ended.wait(_LOOK):
        if not all(locks.held(name) for name in names):
            log.error("lead_lost", names=names, advice="Another process may lead now.")
            # Not a clean stop: what this process would still write is another one's by now.
            os._exit(_LOST)
