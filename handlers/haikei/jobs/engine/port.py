"""
The narrow port to the job engine: durable tasks by name, each made of durable steps.

A task's id is its identity for ever: submitted again, it is not run again. A step's result is kept;
a task that is resumed after a crash gets it back instead of running the step again. A step that
was cut before its result was kept runs again, so it must look for its own effect first.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from importlib.metadata import entry_points
from typing import Protocol, cast

from haikei.errors import SettingsError


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


class WorkerEngine(Engine, Recovery, AbstractContextManager["WorkerEngine"], Protocol):
    """An engine in a worker's process; as a context manager it takes tasks while it is open."""

    def drain(self, seconds: int) -> None:
        """Take no more tasks, and return when those that run have ended or the time is up."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSettings:
    """A queue that a worker takes tasks from."""

    name: str
    slots: int  #: tasks that run at once in this worker
    poll: float  #: seconds between looks


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What became of a name in the engine's database."""

    deleted: int  #: ended tasks that held it
    running: tuple[str, ...]  #: keys of jobs whose tasks wait or run and hold it
    dropped: bool  #: False while its files may still hold what was deleted


class EngineKind(Protocol):
    """
    A kind of job engine, such as the class `DbosEngine`.

    An entry point in `haikei.engines` names one; `engine.kind` in the settings chooses it.
    """

    def __call__(
        self,
        url: str,
        *,
        holder: str,
        queues: Sequence[QueueSettings],
        handlers: Mapping[str, Handler],
        grace: int = 0,
    ) -> WorkerEngine:
        """
        Return an engine for this process, not yet open.

        Args:
            url: of the engine's database.
            holder: this worker's id, which no other living process has.
            queues: what this worker takes tasks from; none means that it submits only.
            handlers: what does the tasks, by name.
            grace: seconds that running tasks have to end when the engine is closed.
        """
        ...

    def forget_names(self, url: str, names: Sequence[str]) -> Forgotten:
        """
        Delete ended tasks that hold one of the names, and return which others hold one.

        Raises:
            StateError: the database cannot be used.
        """
        ...


GROUP = "haikei.engines"


def load_engine(kind: str) -> EngineKind:
    """
    Return the job engine of an entry point's name.

    Raises:
        SettingsError: there is no such engine, or it needs a package that is not installed.
    """
    found = {point.name: point for point in entry_points(group=GROUP)}
    if kind not in found:
        known = ", ".join(sorted(found)) or "none"
        raise SettingsError(
            f"There is no job engine {kind!r}.",
            advice=f"Set engine.kind to an installed one: {known}.",
        )
    try:
        return cast("EngineKind", found[kind].load())
    except ImportError as error:
        raise SettingsError(
            f"The job engine {kind!r} needs a package that is not installed: {error}.",
            advice="Install it, or set engine.kind to another engine.",
        ) from error
