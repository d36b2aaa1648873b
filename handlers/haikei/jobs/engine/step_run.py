"""
One step of a job's task: its result, or why there is none, is kept by the engine.

Every task of every kind of job runs its steps this way: admitted by the gate, tried again after
transient errors, and ended in the job's row.
"""

import errno
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

import structlog
from prometheus_client import Histogram
from structlog.contextvars import bound_contextvars

from haikei import tracing
from haikei.database import utc_now
from haikei.errors import GenerationCancelled, HaikeiError, LayoutReplaced, StorageUnavailable
from haikei.jobs.engine.port import Durable
from haikei.jobs.engine.pseudonyms import Pseudonyms, engine_type
from haikei.jobs.engine.retries import Gate, TriedEnough, with_retries
from haikei.jobs.job import Step
from haikei.jobs.lanes import MOST_TRIPS
from haikei.jobs.progress import JobProgress, JobUnknown, Withdrawn, WorkerStopping
from haikei.jobs.tools import Tools
from haikei.show import Place

log = structlog.get_logger()

SECONDS = Histogram(
    "haikei_step_seconds",
    "Seconds that a step took, with its retries",
    ["step", "end"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200),
)

T = TypeVar("T")

#: Error numbers of a disk that fills up, goes away, or comes back without a folder being made.
_OF_STORAGE = frozenset(
    {
        errno.ENOENT,
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EIO,
        errno.ESTALE,
        errno.ENODEV,
        errno.ENOTCONN,
        errno.EHOSTDOWN,
        errno.ETIMEDOUT,
    }
)


class _End(StrEnum):
    FAILED = "failed"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a step has no result."""

    end: _End
    reason: str = ""
    kind: str = ""
    attempts: int = 0


class TaskEnded(Exception):
    """The task ends here; the job's row is up to date."""


_FAILURE = engine_type(Failure)


class Placed(Protocol):
    """What a job has to do, somewhere in a show."""

    @property
    def place(self) -> Place:
        """Where."""
        ...


OrderT = TypeVar("OrderT", bound=Placed)


class StepResultCodec(Generic[T]):
    """How one step's result is kept: as JSON of a registered type, or of its failure."""

    def __init__(self, kind: type[T]) -> None:
        self._adapter = engine_type(kind)

    def success(self, value: T) -> str:
        """Return a result as text."""
        return '{"value":' + self._adapter.dump_json(value).decode() + "}"

    def read(self, text: str) -> T | Failure:
        """Return what a step gave."""
        data = json.loads(text)
        if "failure" in data:
            return _FAILURE.validate_python(data["failure"])
        return self._adapter.validate_json(text[len('{"value":') : -1])


class StepRun(Generic[OrderT]):
    """
    The steps of one task.

    Args:
        durable: keeps their results.
        progress: the job's.
        tools: the studio's.
        gate: limits how many work at once.
        read: returns the order that the job's row holds.
    """

    def __init__(
        self,
        durable: Durable,
        progress: JobProgress,
        tools: Tools,
        gate: Gate,
        read: Callable[[str], OrderT],
    ) -> None:
        self.progress = progress
        self._durable = durable
        self._tools = tools
        self._gate = gate
        self._read = read
        self._pseudonyms = Pseudonyms(tools.database)

    def step(
        self, step: Step, kept: StepResultCodec[T], work: Callable[[OrderT, datetime], T]
    ) -> T:
        """
        Return the step's kept result, or do it.

        Raises:
            TaskEnded: it failed for good, or the job was stopped.
        """
        text = self._durable.step(step.value, lambda: self._attempt(step, kept, work))
        found = self._pseudonyms.restore(kept.read(text))
        if not isinstance(found, Failure):
            return found
        # The row is written outside the durable step: a kill between the two repeats only this.
        match found.end:
            case _End.FAILED:
                self.progress.dead(reason=found.reason, kind=found.kind, attempts=found.attempts)
            case _End.CANCELLED:
                self.progress.cancelled(omit=step is Step.INTEGRATE)
            case _End.SUPERSEDED:
                self.progress.superseded(found.reason)
            case _End.WITHDRAWN:
                pass
        raise TaskEnded

    def _attempt(
        self, step: Step, kept: StepResultCodec[T], work: Callable[[OrderT, datetime], T]
    ) -> str:
        # Whatever is logged on the way names the job, whoever logs it.
        with (
            bound_contextvars(job=self.progress.key, step=step.value),
            tracing.span(f"step {step.value}", job=self.progress.key, step=step.value),
        ):
            return self._attempt_named(step, kept, work)

    def _attempt_named(
        self, step: Step, kept: StepResultCodec[T], work: Callable[[OrderT, datetime], T]
    ) -> str:
        bound = log.bind(job=self.progress.key, step=step.value)
        started = time.monotonic()
        attempts = 0
        try:
            alone = self.progress.suspect(step)
            with self._gate.through(alone=alone, check=self.progress.check):
                started = time.monotonic()
                text, ordered_at = self.progress.begin(step)
                order = self._read(text)
                bound = bound.bind(shot=order.place.shot)
                value = self._through_lane(step, lambda: work(order, ordered_at))
                value = self._pseudonyms.pseudonymise(value)
        except WorkerStopping:
            self.progress.mark_interrupted()
            raise
        except TriedEnough as tried:
            error: Exception = tried.error
            attempts = tried.attempts
        except (Withdrawn, HaikeiError) as raised:
            error = raised
        else:
            seconds = round(time.monotonic() - started, 3)
            SECONDS.labels(step=step.value, end="done").observe(seconds)
            tracing.ended("done")
            bound.info("step_done", seconds=seconds)
            return kept.success(value)
        failure = _failure(error, attempts)
        seconds = round(time.monotonic() - started, 3)
        SECONDS.labels(step=step.value, end=failure.end.value).observe(seconds)
        tracing.ended(failure.end.value, failed=failure.kind)
        if failure.end is _End.FAILED:
            unforeseen = None if isinstance(error, HaikeiError) else error
            bound.error(
                "step_failed",
                seconds=seconds,
                error=failure.reason,
                kind=failure.kind,
                attempts=attempts,
                exc_info=unforeseen,
            )
        elif isinstance(error, JobUnknown):
            advice = "The engine holds a task that the jobs' table does not know: see database.url."
            bound.error("job_unknown", error="No such job is in our database.", advice=advice)
        else:
            bound.info(f"step_{failure.end.value}", seconds=seconds)
        nameless = self._pseudonyms.pseudonymise(failure)
        return json.dumps({"failure": _FAILURE.dump_python(nameless, mode="json")})

    def _through_lane(self, step: Step, work: Callable[[], T]) -> T:
        """Return what the step gives, however long a fault of the whole site keeps it waiting."""
        lanes, retries = self._tools.lanes, self._tools.retries
        trips = 0
        while True:
            probing = lanes.admit(step, self.progress)
            try:
                found = with_retries(lambda: self._on_storage(work), retries, self.progress.wait)
            except TriedEnough as tried:
                error = tried.error
                if not isinstance(error, HaikeiError) or not error.site_wide:
                    raise
                # What fails again and again while others pass is this job's own.
                trips += not probing
                if trips > (retries.attempts if error.transient else MOST_TRIPS):
                    raise
                lanes.hold(step, error, probing=probing)
                self._tools.reopen()
            else:
                if probing:
                    lanes.open(step)
                return found

    def _on_storage(self, work: Callable[[], T]) -> T:
        self._tools.require_storage()
        begun = utc_now()
        try:
            return work()
        except HaikeiError as error:
            if error.transient or error.site_wide:
                raise
            # On a share that has gone away every file looks as if it were removed.
            self._tools.require_storage()
            if not _of_storage(error) and not self._tools.lanes.changed_since(begun):
                raise
            # It was away, and is back by now: what it broke off is done once more.
            return work()
        except OSError as error:
            self._tools.require_storage()
            if error.errno not in _OF_STORAGE:
                raise
            raise StorageUnavailable(f"{error.filename or 'A file'}: {error.strerror}.") from error


def _of_storage(error: BaseException) -> bool:
    """Tell whether the system has lost a file, as it does on a share that is away for a moment."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _OF_STORAGE:
            return True
        cause = cause.__cause__
    return False


def _failure(error: Exception, attempts: int) -> Failure:
    match error:
        case Withdrawn():
            return Failure(end=_End.WITHDRAWN)
        case GenerationCancelled():
            return Failure(end=_End.CANCELLED)
        case LayoutReplaced():
            return Failure(end=_End.SUPERSEDED, reason=error.message)
        case HaikeiError():
            reason = str(error)
        case _:
            reason = f"Unforeseen: {str(error) or type(error).__name__}. See the worker's log."
    return Failure(end=_End.FAILED, reason=reason, kind=type(error).__name__, attempts=attempts)
