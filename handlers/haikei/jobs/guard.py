"""
The guard: one worker id, one living process; what a dead worker held goes to the living.

The engine itself resumes a dead worker's tasks only when a process with the same id starts. A lock
that the system frees on death tells which ids are dead, without heartbeats: a worker that is only
busy can never be taken for dead.
"""

import time

import structlog

from haikei.errors import StateError
from haikei.jobs.locks import Locks
from haikei.jobs.port import Recovery

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


class Guard:
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
