"""
The narrow port to the job engine: durable tasks by name, each made of durable steps.

A task's id is its identity for ever: submitted again, it is not run again. A step's result is kept;
a task that is resumed after a crash gets it back instead of running the step again. A step that
was cut before its result was kept runs again, so it must look for its own effect first.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something to be done once."""

    id: str
    name: str  #: of the handler that does it
    queue: str
    payload: str  #: keys and paths as JSON, never pixels
    priority: int  #: 1 and up; smaller numbers go first


class TaskState(StrEnum):
    """Where a task stands in the engine."""

    QUEUED = "queued"
    RUNNING = "running"
    ENDED = "ended"
    FAILED = "failed"  #: its handler raised what it must not
    POISON = "poison"  #: its worker died too often
    CANCELLED = "cancelled"


class Durable(Protocol):
    """What a handler does its work with."""

    def step(self, name: str, work: Callable[[], str]) -> str:
        """Return the kept result of this step, or run `work` and keep what it returns."""
        ...

    def submit(self, task: Task) -> None:
        """Submit a task that follows this one."""
        ...


#: Does a task; what it raises ends the task as failed. An error that is no `Exception` leaves it
#: unfinished, to be resumed by the next worker.
Handler = Callable[[Durable, str], None]


class Engine(Protocol):
    """The job engine, as the rest of a worker needs it."""

    def submit(self, tasks: Iterable[Task]) -> None:
        """Put tasks into their queues; those that are known already are left alone."""
        ...

    def standing(self, ids: Sequence[str]) -> Mapping[str, TaskState]:
        """Return where the tasks stand; those that are not known are left out."""
        ...

    def withdraw(self, ids: Sequence[str]) -> None:
        """Take tasks out of their queues; one that runs ends at its next step."""
        ...

    def forget(self, before: datetime) -> int:
        """Delete tasks that ended before then and return how many."""
        ...


class Recovery(Protocol):
    """What the guard needs to hand a dead worker's tasks to the living."""

    def holders(self) -> Sequence[str]:
        """Return the ids of the workers that hold running tasks."""
        ...

    def recover(self, holder: str) -> int:
        """Put a dead worker's running tasks back into their queues and return how many."""
        ...
