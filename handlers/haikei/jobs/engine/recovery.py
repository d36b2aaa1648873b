"""Locks that die with their process, and what a dead worker held goes to the living."""

import fcntl
import os
import time
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import structlog
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool
from typing_extensions import override

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
            connect_args={"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3},
        )
        self._connection = engine.connect()
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
    def release(self) -> None:
        self._held.clear()
        self._connection.close()

    def _call(self, function: str, name: str) -> bool:
        number = zlib.crc32(name.encode()) - 2**31
        query = text(f"SELECT {function}(:space, CAST(:number AS int))")
        found = self._connection.execute(query, {"space": _ADVISORY_CLASS, "number": number})
        return bool(found.scalar())


def open_locks(url: str, folder: Path) -> Locks:
    """Return the locks that fit the job engine's database."""
    if make_url(url).get_backend_name() == "sqlite":
        return FileLocks(folder)
    return PostgresLocks(url)


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
    """Watches this worker's own lock, and takes over from workers that died."""

    def __init__(self, locks: Locks, recovery: Recovery, *, own: str) -> None:
        self._locks = locks
        self._recovery = recovery
        self._own = own

    def safe(self) -> bool:
        """Tell whether this worker's id is still its own; if not, it must end at once."""
        return self._locks.held(self._own)

    def sweep(self) -> int:
        """Put the running tasks of dead workers back into their queues; return how many."""
        count = 0
        for holder in self._recovery.holders():
            if holder == self._own:
                continue
            with self._locks.borrowed(holder) as dead:
                if dead:
                    found = self._recovery.recover(holder)
                    count += found
                    log.warning("dead_worker_recovered", worker=holder, tasks=found)
        return count
