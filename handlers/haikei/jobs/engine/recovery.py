"""Locks that die with their process, and what a dead worker held goes to the living."""

import fcntl
import os
import threading
import time
import zlib
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import structlog
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool
from typing_extensions import override

from haikei.database import KEEPALIVES
from haikei.errors import StateError
from haikei.jobs.engine.port import Recovery

#: The first half of an advisory lock's key, so that no other program's numbers meet ours.
_ADVISORY_CLASS = 7741


class Locks(Protocol):
    """Named locks, each held by one living process at most."""

    def hold(self, name: str) -> bool:
        """Take a lock for as long as this process lives; False when another has it."""
        ...

    def held(self, name: str) -> bool:
        """Tell whether a lock taken with `hold` is still ours."""
        ...

    @contextmanager
    def borrowed(self, name: str) -> Generator[bool]:
        """Hold a lock for a moment; gives False when another has it."""
        ...

    def take_from(self, name: str) -> bool:
        """End the session of a process that is cut off and still holds this lock, if we can."""
        ...

    def release(self) -> None:
        """Let go of all locks."""
        ...


class FileLocks(Locks):
    """Locks by `flock`, for workers on one machine; the folder must be on a local disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, int] = {}

    @override
    def hold(self, name: str) -> bool:
        descriptor = self._try(name)
        if descriptor is None:
            return False
        self._files[name] = descriptor
        return True

    @override
    def held(self, name: str) -> bool:
        descriptor = self._files.get(name)
        if descriptor is None:
            return False
        try:
            ours, there = os.fstat(descriptor), self._path(name).stat()
        except OSError:
            return False
        return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)

    @override
    @contextmanager
    def borrowed(self, name: str) -> Generator[bool]:
        descriptor = self._try(name)
        try:
            yield descriptor is not None
        finally:
            if descriptor is not None:
                os.close(descriptor)

    @override
    def take_from(self, name: str) -> bool:
        return False  # here the kernel knows better: who holds a file is alive on this machine

    @override
    def release(self) -> None:
        while self._files:
            os.close(self._files.popitem()[1])

    def _path(self, name: str) -> Path:
        return self._folder / f"{name.replace('/', '_').replace(':', '_')}.lock"

    def _try(self, name: str) -> int | None:
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path(name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor


class PostgresLocks(Locks):
    """Session advisory locks, for workers on many hosts; the server frees a dead session's."""

    def __init__(self, url: str) -> None:
        address = make_url(url)
        if address.drivername == "postgresql":
            address = address.set(drivername="postgresql+psycopg")
        engine = create_engine(
            address,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args=dict(KEEPALIVES),
        )
        self._connection = engine.connect()
        #: One thread watches while another takes.
        self._turn = threading.RLock()
        self._held: set[str] = set()

    @override
    def hold(self, name: str) -> bool:
        # A session may take its own lock twice, so what we hold is remembered here.
        if name in self._held or not self._call("pg_try_advisory_lock", name):
            return False
        self._held.add(name)
        return True

    @override
    def held(self, name: str) -> bool:
        if name not in self._held:
            return False
        try:
            with self._turn:
                return bool(self._connection.execute(text("SELECT 1")).scalar())
        except SQLAlchemyError:
            return False

    @override
    @contextmanager
    def borrowed(self, name: str) -> Generator[bool]:
        got = self.hold(name)
        try:
            yield got
        finally:
            if got:
                self._held.discard(name)
                self._call("pg_advisory_unlock", name)

    @override
    def take_from(self, name: str) -> bool:
        query = text(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND classid = :space AND objid = CAST(:number AS bigint)"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND pid <> pg_backend_pid()"
        )
        with self._turn:
            unsigned = _number(name) % 2**32
            found = self._connection.execute(
                query, {"space": _ADVISORY_CLASS, "number": unsigned}
            ).scalars()
            return any(found)

    @override
    def release(self) -> None:
        self._held.clear()
        self._connection.close()

    def _call(self, function: str, name: str) -> bool:
        query = text(f"SELECT {function}(:space, CAST(:number AS int))")
        values = {"space": _ADVISORY_CLASS, "number": _number(name)}
        with self._turn:
            return bool(self._connection.execute(query, values).scalar())


def _number(name: str) -> int:
    return zlib.crc32(name.encode()) - 2**31


def open_locks(url: str, folder: Path) -> Locks:
    """
    Return the locks that fit the database of the studio's state.

    Raises:
        StateError: the database gives no answer.
    """
    if make_url(url).get_backend_name() == "sqlite":
        return FileLocks(folder)
    try:
        return PostgresLocks(url)
    except SQLAlchemyError as error:
        where = make_url(url).render_as_string(hide_password=True)
        raise StateError(
            f"The database {where} cannot be used: {error}.",
            advice="Check that the server runs and lets this host in.",
        ) from error


log = structlog.get_logger()

_SLOTS = 64
#: A sweeper may hold a free id's lock for an instant.
_PATIENCE = 3.0


def claim_holder(locks: Locks, stem: str) -> str:
    """
    Return an id of the form `stem-0`, `stem-1` … that is this process's as long as it lives.

    A worker that is restarted gets the id it had, unless another took it meanwhile.

    Raises:
        StateError: all ids are taken.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        for slot in range(_SLOTS):
            if locks.hold(holder := f"{stem}-{slot}"):
                return holder
        if time.monotonic() >= deadline:
            raise StateError(
                f"{_SLOTS} workers named {stem} are running already.",
                advice="Stop some of them.",
            )
        time.sleep(0.05)


class DeadWorkerRecovery:
    """
    Watches this worker's own lock, and takes over from workers that died.

    Args:
        locks: this thread's own.
        recovery: the engine's.
        own: this worker's id.
        silent: returns the ids of workers that give no sign of life. One that is cut off or
            frozen may still hold its lock; it loses it, and ends when it notices.
    """

    def __init__(
        self,
        locks: Locks,
        recovery: Recovery,
        *,
        own: str,
        silent: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._locks = locks
        self._recovery = recovery
        self._own = own
        self._silent = silent
        self.alone = False  #: whether the last sweep met no other worker's tasks

    def safe(self) -> bool:
        """Tell whether this worker's id is still its own; if not, it must end at once."""
        return self._locks.held(self._own)

    def sweep(self) -> int:
        """Put the running tasks of dead workers back into their queues; return how many."""
        count = 0
        holders = [holder for holder in self._recovery.holders() if holder != self._own]
        self.alone = not holders
        if not holders:
            return 0
        silent = self._silent()
        for holder in holders:
            if holder in silent and self._locks.take_from(holder):
                log.warning("silent_worker_cut_off", worker=holder)
            with self._locks.borrowed(holder) as dead:
                if dead:
                    found = self._recovery.recover(holder)
                    count += found
                    log.warning("dead_worker_recovered", worker=holder, tasks=found)
        return count
