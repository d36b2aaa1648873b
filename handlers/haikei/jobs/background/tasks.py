"""
The job as durable tasks: prepare, generate, deliver, each handing over to the next.

`prepare` collects and validates, `generate` runs in a generation worker, `deliver` extracts,
records and integrates. No task waits for another, so none holds a slot while pictures are made.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import structlog
from pydantic import TypeAdapter

from haikei.credits import records
from haikei.jobs.background.collect import Collected, collect
from haikei.jobs.background.extract import Extracted, extract
from haikei.jobs.background.generate import Generated, generate
from haikei.jobs.background.integrate import integrate
from haikei.jobs.background.record import Recorded, record
from haikei.jobs.background.validate import Validated, validate
from haikei.jobs.engine.port import Durable, Handler, Task
from haikei.jobs.engine.pseudonyms import nameless
from haikei.jobs.engine.retries import Gate
from haikei.jobs.engine.step_run import StepResultCodec, StepRun, TaskEnded
from haikei.jobs.job import JobKind, JobOrder, Step
from haikei.jobs.progress import JobProgress
from haikei.jobs.table import order_of
from haikei.jobs.tools import Tools
from haikei.trackers import PublishResult

log = structlog.get_logger()

T = TypeVar("T")

STEPS_QUEUE = "jobs"
GENERATE_QUEUE = "generate"
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


_HANDED = TypeAdapter(TaskPayload)


def task_id(key: str, run: int, leg: str) -> str:
    """Return the id of one task of a job's run."""
    return f"{key}.{run}.{leg}"


def first_task(key: str, run: int, priority: int, kind: JobKind = JobKind.BACKGROUND) -> Task:
    """Return the task with which a run of a job begins."""
    leg = TOUCH_UP if kind is JobKind.TOUCH_UP else PREPARE
    return _task(leg, STEPS_QUEUE, TaskPayload(key=key, run=run, priority=priority))


def handed_over(payload: str) -> TaskPayload:
    """Return what a task was handed."""
    return _HANDED.validate_json(payload)


_COLLECTED = StepResultCodec(Collected)
_VALIDATED = StepResultCodec(Validated)
_GENERATED = StepResultCodec(Generated)
_EXTRACTED = StepResultCodec(Extracted)
_PUBLISHED = StepResultCodec(PublishResult)
_RECORDED = StepResultCodec(Recorded)


class BackgroundHandlers:
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
        return nameless(
            self._tools.database,
            {PREPARE: self.prepare, GENERATE: self.generate, DELIVER: self.deliver},
        )

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
        except TaskEnded:
            return
        after = TaskPayload(
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
        except TaskEnded:
            return
        after = TaskPayload(
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
        except TaskEnded:
            return
        log.info("job_done", job=hand.key, version=published.version.name, url=published.url)

    def _record(self, order: JobOrder, extracted: Extracted) -> Recorded:
        with self._tools.database.begin() as connection:
            return record(connection, order, extracted)

    def _integrate(
        self,
        run: StepRun[JobOrder],
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

    def _begin(self, durable: Durable, payload: str) -> tuple[TaskPayload, StepRun[JobOrder]]:
        hand = handed_over(payload)
        progress = JobProgress(
            self._tools.database, key=hand.key, run=hand.run, stop=self._tools.stop
        )
        return hand, StepRun(durable, progress, self._tools, self._gate, order_of)


def _task(leg: str, queue: str, hand: TaskPayload) -> Task:
    return Task(
        id=task_id(hand.key, hand.run, leg),
        name=leg,
        queue=queue,
        payload=_HANDED.dump_json(hand).decode(),
        priority=hand.priority + (_LATER if leg == PREPARE else 0),
    )
