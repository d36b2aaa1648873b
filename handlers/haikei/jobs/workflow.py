"""
The job as durable tasks: prepare, generate, deliver, each handing over to the next.

`prepare` collects and validates, `generate` runs in a generation worker, `deliver` extracts,
records and integrates. No task waits for another, so none holds a slot while pictures are made.
"""

import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

import structlog
from pydantic import TypeAdapter

from haikei.credits import records
from haikei.errors import GenerationCancelled, HaikeiError
from haikei.jobs.collect import Collected, collect
from haikei.jobs.extract import Extracted, extract
from haikei.jobs.gate import Gate
from haikei.jobs.generate import Generated, generate
from haikei.jobs.integrate import integrate
from haikei.jobs.job import JobOrder, Step
from haikei.jobs.port import Durable, Handler, Task
from haikei.jobs.progress import JobProgress, Withdrawn, WorkerStopping
from haikei.jobs.record import Recorded, record
from haikei.jobs.retries import TriedEnough, with_retries
from haikei.jobs.tools import Tools
from haikei.jobs.validate import Validated, validate
from haikei.trackers import PublishResult

log = structlog.get_logger()

T = TypeVar("T")

STEPS_QUEUE = "jobs"
GENERATE_QUEUE = "generate"
PREPARE, GENERATE, DELIVER = "prepare", "generate", "deliver"
LEGS = (PREPARE, GENERATE, DELIVER)
#: Jobs that are nearly done go before jobs that have not begun.
_LATER = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What one task hands to the next."""

    key: str
    run: int
    priority: int
    collected: Collected | None = None
    validated: Validated | None = None
    generated: Generated | None = None


class _End(StrEnum):
    FAILED = "failed"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    end: _End
    reason: str = ""
    kind: str = ""
    attempts: int = 0


class _Over(Exception):
    """The task ends here; what the job's row has to say is written."""


_HANDED = TypeAdapter(Handed)
_FAILURE = TypeAdapter(_Failure)


def task_id(key: str, run: int, leg: str) -> str:
    """Return the id of one task of a job's run."""
    return f"{key}.{run}.{leg}"


def first_task(key: str, run: int, priority: int) -> Task:
    """Return the task with which a run of a job begins."""
    return _task(PREPARE, STEPS_QUEUE, Handed(key=key, run=run, priority=priority))


class Kept(Generic[T]):
    """How one step's result is kept: as the JSON of a frozen dataclass, or its failure."""

    def __init__(self, kind: type[T]) -> None:
        self._adapter: TypeAdapter[T] = TypeAdapter(kind)

    def success(self, value: T) -> str:
        """Return a result as text."""
        return '{"value":' + self._adapter.dump_json(value).decode() + "}"

    def read(self, text: str) -> T | _Failure:
        """Return what a step gave."""
        data = json.loads(text)
        if "failure" in data:
            return _FAILURE.validate_python(data["failure"])
        return self._adapter.validate_json(text[len('{"value":') : -1])


_COLLECTED = Kept(Collected)
_VALIDATED = Kept(Validated)
_GENERATED = Kept(Generated)
_EXTRACTED = Kept(Extracted)
_PUBLISHED = Kept(PublishResult)
_RECORDED = Kept(Recorded)


class Course:
    """
    Does the tasks of jobs in this process.

    Args:
        gate: lets in as many as may work at once.
    """

    def __init__(self, tools: Tools, gate: Gate) -> None:
        self._tools = tools
        self._gate = gate

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handlers of all tasks, by name."""
        return {PREPARE: self.prepare, GENERATE: self.generate, DELIVER: self.deliver}

    def prepare(self, durable: Durable, payload: str) -> None:
        """Collect and validate."""
        tools = self._tools
        hand, run = self._begin(durable, payload)
        try:
            collected = run.step(
                Step.COLLECT,
                _COLLECTED,
                lambda order, _: collect(order, tracker=tools.tracker(), storage=tools.storage),
            )
            validated = run.step(
                Step.VALIDATE,
                _VALIDATED,
                lambda order, _: validate(
                    order,
                    collected,
                    settings=tools.settings,
                    inspector=tools.inspector,
                    production=tools.production,
                    trust_pem=tools.marks().trust_pem,
                ),
            )
        except _Over:
            return
        after = Handed(
            key=hand.key,
            run=hand.run,
            priority=hand.priority,
            collected=collected,
            validated=validated,
        )
        durable.submit(_task(GENERATE, GENERATE_QUEUE, after))

    def generate(self, durable: Durable, payload: str) -> None:
        """Make the pictures, in a generation worker."""
        tools = self._tools
        hand, run = self._begin(durable, payload)
        try:
            generated = run.step(
                Step.GENERATE,
                _GENERATED,
                lambda order, _: generate(
                    order,
                    settings=tools.settings,
                    production=tools.production,
                    folder=tools.folder(hand.key),
                    tell=run.progress.tell,
                ),
            )
        except _Over:
            return
        after = Handed(
            key=hand.key,
            run=hand.run,
            priority=hand.priority,
            collected=hand.collected,
            validated=hand.validated,
            generated=generated,
        )
        durable.submit(_task(DELIVER, STEPS_QUEUE, after))

    def deliver(self, durable: Durable, payload: str) -> None:
        """Publish the files, record what they are, and make the Version."""
        tools = self._tools
        hand, run = self._begin(durable, payload)
        collected, validated, generated = hand.collected, hand.validated, hand.generated
        if collected is None or validated is None or generated is None:
            message = f"the task {hand.key} was handed over incomplete"
            raise ValueError(message)
        try:
            extracted = run.step(
                Step.EXTRACT,
                _EXTRACTED,
                lambda order, ordered_at: extract(
                    order,
                    collected,
                    validated,
                    generated,
                    settings=tools.settings,
                    storage=tools.storage,
                    signer=tools.signer,
                    marks=tools.marks(),
                    folder=tools.folder(hand.key),
                    ordered_at=ordered_at,
                ),
            )
            recorded = run.step(
                Step.RECORD, _RECORDED, lambda order, _: self._record(order, extracted)
            )
            published = run.step(
                Step.INTEGRATE,
                _PUBLISHED,
                lambda order, _: self._integrate(run, order, collected, extracted, recorded),
            )
        except _Over:
            return
        log.info("job_done", job=hand.key, version=published.version.name, url=published.url)

    def _record(self, order: JobOrder, extracted: Extracted) -> Recorded:
        with self._tools.database.begin() as connection:
            return record(connection, order, extracted)

    def _integrate(
        self,
        run: "_Run",
        order: JobOrder,
        collected: Collected,
        extracted: Extracted,
        recorded: Recorded,
    ) -> PublishResult:
        tools = self._tools
        published = integrate(
            order, collected, extracted, recorded, settings=tools.settings, tracker=tools.tracker()
        )
        with tools.database.begin() as connection:
            records.published(
                connection, order.key, tracker_id=published.version.id, url=published.url
            )
            run.progress.done(connection, published)
        # All of it stands in storage now, and the lineage knows it by content.
        shutil.rmtree(tools.folder(order.key), ignore_errors=True)
        return published

    def _begin(self, durable: Durable, payload: str) -> tuple[Handed, "_Run"]:
        hand = _HANDED.validate_json(payload)
        progress = JobProgress(
            self._tools.database, key=hand.key, run=hand.run, stop=self._tools.stop
        )
        return hand, _Run(durable, progress, self._tools, self._gate)


class _Run:
    def __init__(self, durable: Durable, progress: JobProgress, tools: Tools, gate: Gate) -> None:
        self.progress = progress
        self._durable = durable
        self._tools = tools
        self._gate = gate

    def step(self, step: Step, kept: Kept[T], work: Callable[[JobOrder, datetime], T]) -> T:
        """
        Return the step's kept result, or do it.

        Raises:
            _Over: it failed for good, or the job was stopped.
        """
        found = kept.read(self._durable.step(step.value, lambda: self._attempt(step, kept, work)))
        if not isinstance(found, _Failure):
            return found
        # The row is written outside the durable step: a kill between the two repeats only this.
        match found.end:
            case _End.FAILED:
                self.progress.dead(reason=found.reason, kind=found.kind, attempts=found.attempts)
            case _End.CANCELLED:
                self.progress.cancelled(omit=step is Step.INTEGRATE)
            case _End.WITHDRAWN:
                pass
        raise _Over

    def _attempt(self, step: Step, kept: Kept[T], work: Callable[[JobOrder, datetime], T]) -> str:
        bound = log.bind(job=self.progress.key, step=step.value)
        started = time.monotonic()
        attempts = 0
        try:
            alone = self.progress.suspect(step)
            with self._gate.through(alone=alone, check=self.progress.check):
                started = time.monotonic()
                order, ordered_at = self.progress.begin(step)
                bound = bound.bind(shot=order.place.shot)
                value = with_retries(
                    lambda: work(order, ordered_at), self._tools.retries, self.progress.wait
                )
        except WorkerStopping:
            self.progress.excuse()
            raise
        except TriedEnough as tried:
            error: Exception = tried.error
            attempts = tried.attempts
        except (Withdrawn, HaikeiError) as raised:
            error = raised
        else:
            bound.info("step_done", seconds=round(time.monotonic() - started, 3))
            return kept.success(value)
        failure = _failure(error, attempts)
        seconds = round(time.monotonic() - started, 3)
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
        else:
            bound.info(f"step_{failure.end.value}", seconds=seconds)
        return json.dumps({"failure": _FAILURE.dump_python(failure, mode="json")})


def _failure(error: Exception, attempts: int) -> _Failure:
    match error:
        case Withdrawn():
            return _Failure(end=_End.WITHDRAWN)
        case GenerationCancelled():
            return _Failure(end=_End.CANCELLED)
        case HaikeiError():
            reason = str(error)
        case _:
            reason = f"Unforeseen: {str(error) or type(error).__name__}. See the worker's log."
    return _Failure(end=_End.FAILED, reason=reason, kind=type(error).__name__, attempts=attempts)


def _task(leg: str, queue: str, hand: Handed) -> Task:
    return Task(
        id=task_id(hand.key, hand.run, leg),
        name=leg,
        queue=queue,
        payload=_HANDED.dump_json(hand).decode(),
        priority=hand.priority + (_LATER if leg == PREPARE else 0),
    )
