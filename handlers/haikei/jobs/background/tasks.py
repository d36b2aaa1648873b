"""
The job as durable tasks: prepare, generate, deliver, each handing over to the next.

`prepare` collects and validates, `generate` runs in a generation worker, `deliver` extracts,
records and integrates. No task waits for another, so none holds a slot while pictures are made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import structlog
from sqlalchemy import select

from haikei.database import jobs, reading
from haikei.jobs.background.collect import Collected, collect
from haikei.jobs.background.extract import extract
from haikei.jobs.background.generate import Generated, generate
from haikei.jobs.background.integrate import integrate
from haikei.jobs.background.record import Recorded, record
from haikei.jobs.background.validate import Validated, validate
from haikei.jobs.engine.port import Durable, Handler, Task
from haikei.jobs.engine.pseudonyms import Pseudonyms, engine_type
from haikei.jobs.engine.retries import Gate
from haikei.jobs.engine.step_run import StepResultCodec, StepRun, TaskEnded
from haikei.jobs.job import JobKind, JobOrder, Step
from haikei.jobs.lanes import generate_queue
from haikei.jobs.progress import JobProgress
from haikei.jobs.publishing import MadeVersion
from haikei.jobs.table import order_of
from haikei.jobs.tools import Tools
from haikei.presets import device_label
from haikei.trackers import PublishResult

log = structlog.get_logger()

T = TypeVar("T")

STEPS_QUEUE = "jobs"
PREPARE, GENERATE, DELIVER = "prepare", "generate", "deliver"
TOUCH_UP = "touch_up"  #: the only task of a touch-up; see `haikei.jobs.touchup.handle`
LEGS = (PREPARE, GENERATE, DELIVER, TOUCH_UP)
#: Jobs that are nearly done go before jobs that have not begun.
_LATER = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPayload:
    """What one task hands to the next."""

    key: str
    run: int
    priority: int
    collected: Collected | None = None
    validated: Validated | None = None
    generated: Generated | None = None


_PAYLOAD = engine_type(TaskPayload)


def task_id(key: str, run: int, leg: str) -> str:
    """Return the id of one task of a job's run."""
    return f"{key}.{run}.{leg}"


def first_task(key: str, run: int, priority: int, kind: JobKind = JobKind.BACKGROUND) -> Task:
    """Return the task with which a run of a job begins."""
    leg = TOUCH_UP if kind is JobKind.TOUCH_UP else PREPARE
    return _task(leg, STEPS_QUEUE, TaskPayload(key=key, run=run, priority=priority))


def task_payload(payload: str) -> TaskPayload:
    """Return the payload that a task carries."""
    return _PAYLOAD.validate_json(payload)


_COLLECTED = StepResultCodec(Collected)
_VALIDATED = StepResultCodec(Validated)
_GENERATED = StepResultCodec(Generated)
_MADE = StepResultCodec(MadeVersion)
_PUBLISHED = StepResultCodec(PublishResult)
_RECORDED = StepResultCodec(Recorded)


class BackgroundHandlers:
    """
    Does the tasks of background jobs in this process.

    Args:
        tools: the studio's.
        gate: limits how many work at once.
    """

    def __init__(self, tools: Tools, gate: Gate) -> None:
        self._tools = tools
        self._gate = gate
        self._pseudonyms = Pseudonyms(tools.database)

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handlers of all tasks, by name."""
        return {PREPARE: self.prepare, GENERATE: self.generate, DELIVER: self.deliver}

    def prepare(self, durable: Durable, payload: str) -> None:
        """Collect and validate."""
        tools = self._tools
        task, run = self._begin(durable, payload)
        try:
            collected = run.step(Step.COLLECT, _COLLECTED, lambda order, _: collect(order, tools))
            validated = run.step(
                Step.VALIDATE,
                _VALIDATED,
                lambda order, ordered_at: validate(order, collected, tools, ordered_at),
            )
        except TaskEnded:
            return
        after = replace(task, collected=collected, validated=validated)
        self._submit(durable, GENERATE, self._device_queue(task.key), after)

    def generate(self, durable: Durable, payload: str) -> None:
        """Make the pictures, in a generation worker."""
        task, run = self._begin(durable, payload)
        copy = _required(task.validated).copy
        try:
            generated = run.step(
                Step.GENERATE,
                _GENERATED,
                lambda order, _: generate(
                    order, copy, tools=self._tools, report=run.progress.report
                ),
            )
        except TaskEnded:
            return
        self._submit(durable, DELIVER, STEPS_QUEUE, replace(task, generated=generated))

    def deliver(self, durable: Durable, payload: str) -> None:
        """Publish the files, record what they are, and make the Version."""
        tools = self._tools
        task, run = self._begin(durable, payload)
        collected = _required(task.collected)
        validated = _required(task.validated)
        generated = _required(task.generated)
        try:
            made = run.step(
                Step.EXTRACT,
                _MADE,
                lambda order, ordered_at: extract(
                    order, collected, validated, generated, tools=tools, ordered_at=ordered_at
                ),
            )
            episode = collected.context.episode
            recorded = run.step(
                Step.RECORD, _RECORDED, lambda order, _: record(order, made, episode, tools)
            )
            published = run.step(
                Step.INTEGRATE,
                _PUBLISHED,
                lambda order, _: integrate(
                    order,
                    collected,
                    made,
                    recorded,
                    tools=tools,
                    progress=run.progress,
                    changed=generated.changed,
                ),
            )
        except TaskEnded:
            return
        log.info("job_done", job=task.key, version=published.version.name, url=published.url)

    def _device_queue(self, key: str) -> str:
        with reading(self._tools.database) as connection:
            name = connection.execute(select(jobs.c.recipe).where(jobs.c.key == key)).scalar()
        return generate_queue(device_label(self._tools.settings, name or ""))

    def _begin(self, durable: Durable, payload: str) -> tuple[TaskPayload, StepRun[JobOrder]]:
        task = self._pseudonyms.restore(task_payload(payload))
        progress = JobProgress(
            self._tools.database, key=task.key, run=task.run, stop=self._tools.stop
        )
        return task, StepRun(durable, progress, self._tools, self._gate, order_of)

    def _submit(self, durable: Durable, leg: str, queue: str, payload: TaskPayload) -> None:
        durable.submit(_task(leg, queue, self._pseudonyms.pseudonymise(payload)))


def _required(result: T | None) -> T:
    if result is None:
        message = "a task was submitted without the results of the steps before it"
        raise ValueError(message)
    return result


def _task(leg: str, queue: str, payload: TaskPayload) -> Task:
    return Task(
        id=task_id(payload.key, payload.run, leg),
        name=leg,
        queue=queue,
        payload=_PAYLOAD.dump_json(payload).decode(),
        priority=payload.priority + (_LATER if leg == PREPARE else 0),
    )
