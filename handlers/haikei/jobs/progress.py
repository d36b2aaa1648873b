"""How far a job is: its worker writes that to its row, and reads there whether to stop."""

import threading
import time
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, Engine, select, update

from haikei.credits import records
from haikei.database import jobs, reading, utc_now, writing_one_row
from haikei.decisions import ReviewState
from haikei.errors import GenerationCancelled, JobError
from haikei.jobs.healing import supersede
from haikei.jobs.job import JobState, Step
from haikei.jobs.table import result_text
from haikei.presets import RegionChanged
from haikei.trackers import PublishResult

#: A step that killed its worker this often is not begun again.
MOST_CRASHES = 3
#: Seconds between two writes of one job's progress.
_INTERVAL = 0.2
#: What part of a job is behind when a step begins; generation is nearly all of it.
_BEFORE: Mapping[Step, float] = {
    Step.DETECT: 0.0,
    Step.COLLECT: 0.01,
    Step.VALIDATE: 0.03,
    Step.GENERATE: 0.05,
    Step.EXTRACT: 0.85,
    Step.RECORD: 0.92,
    Step.INTEGRATE: 0.93,
    Step.TAKE_IN: 0.05,
}
_LIVE = (JobState.WAITING.value, JobState.RUNNING.value)


class WorkerStopping(BaseException):
    """This worker was asked to stop; what it leaves unfinished is resumed by the next one."""


class Withdrawn(Exception):
    """The job is no longer this run's: it was cancelled, skipped, finished or begun anew."""


class JobUnknown(Withdrawn):
    """The studio's database has no such job: the task is another studio's."""


class JobProgress:
    """
    One run of one job, as its worker sees it.

    Args:
        stop: set when the worker shall stop.
    """

    def __init__(self, database: Engine, *, key: str, run: int, stop: threading.Event) -> None:
        self.key = key
        self.run = run
        self._database = database
        self._stop = stop
        self._step = Step.COLLECT
        self._next_write = 0.0
        self._mine = (jobs.c.key == key) & (jobs.c.run == run) & jobs.c.state.in_(_LIVE)

    def suspect(self, step: Step) -> bool:
        """Tell whether a worker died while it did this step."""
        query = select(jobs.c.step, jobs.c.state).where(self._mine)
        with reading(self._database) as connection:
            row = connection.execute(query).first()
        return row is not None and _was_cut(row.state, row.step, step)

    def begin(self, step: Step) -> tuple[str, datetime]:
        """
        Note that a step begins; return the order, as its row holds it, and when it was given.

        Raises:
            Withdrawn: the job is no longer this run's, or unknown here.
            GenerationCancelled: a person stopped it.
            JobError: the step killed its worker too often.
        """
        with self._database.begin() as connection:
            row = connection.execute(select(jobs).where(self._mine)).mappings().first()
            if row is None:
                raise self._gone(connection)
            if row["cancel_asked"]:
                raise _cancelled(self.key)
            crashes = row["crashes"] + 1 if _was_cut(row["state"], row["step"], step) else 0
            if crashes > MOST_CRASHES:
                raise JobError(
                    f"The worker died {crashes} times while it did this step.",
                    advice="Look at the worker's log and memory, then retry the job.",
                )
            self._write(
                connection,
                state=JobState.RUNNING.value,
                step=step.value,
                crashes=crashes,
                progress=_BEFORE[step],
                note="",
                started_at=row["started_at"] or utc_now(),
            )
        self._step = step
        self._next_write = 0.0
        return row["order_json"], row["created_at"]

    def report(self, fraction: float, note: str) -> None:
        """
        Write how far the present step is, 0 to 1, at most five times a second.

        Raises:
            GenerationCancelled: a person stopped the job.
            Withdrawn: the job is no longer this run's.
            WorkerStopping: this worker shall stop.
        """
        if self._stop.is_set():
            raise WorkerStopping
        now = time.monotonic()
        if now < self._next_write:
            return
        self._next_write = now + _INTERVAL
        before = _BEFORE[self._step]
        later = [part for part in _BEFORE.values() if part > before]
        progress = before + (min(later, default=1.0) - before) * min(max(fraction, 0.0), 1.0)
        with writing_one_row(self._database) as connection:
            self._raise_if_stopped(connection)
            self._write(connection, progress=progress, note=note)

    def check(self) -> None:
        """
        Do nothing unless the job or the worker shall stop.

        Raises:
            GenerationCancelled: a person stopped the job.
            Withdrawn: the job is no longer this run's.
            WorkerStopping: this worker shall stop.
        """
        if self._stop.is_set():
            raise WorkerStopping
        with reading(self._database) as connection:
            self._raise_if_stopped(connection)

    def wait(self, seconds: float, note: str) -> None:
        """Wait, saying why; raises as `check` does when it should not go on."""
        deadline = time.monotonic() + seconds
        self._next_write = 0.0
        self.report(0.0, note)
        while (left := deadline - time.monotonic()) > 0:
            self._stop.wait(min(left, 1.0))
            self.check()

    def done(
        self,
        connection: Connection,
        result: PublishResult,
        changed: tuple[RegionChanged, ...] = (),
    ) -> None:
        """Note, in the caller's transaction, that the Version is in review, and what changed."""
        self._write(
            connection,
            state=JobState.DONE.value,
            result_json=result_text(result, changed),
            progress=1.0,
            note="",
            error="",
            error_kind="",
            finished_at=utc_now(),
        )

    def dead(self, *, reason: str, kind: str, attempts: int) -> None:
        """Put the job among the dead letters, with the reason."""
        with self._database.begin() as connection:
            self._write(
                connection,
                state=JobState.DEAD.value,
                error=reason,
                error_kind=kind,
                attempts=attempts,
                note="",
                finished_at=utc_now(),
            )

    def skipped(self, *, reason: str, kind: str) -> None:
        """Note that there is nothing to make, and why."""
        with self._database.begin() as connection:
            self._write(
                connection,
                state=JobState.SKIPPED.value,
                note=reason,
                error_kind=kind,
                finished_at=utc_now(),
            )

    def superseded(self, note: str) -> None:
        """Note that another job does what this one would have done."""
        with self._database.begin() as connection:
            supersede(connection, [self.key], note, mine=self._mine)

    def cancelled(self, *, omit: bool = False) -> None:
        """
        Note that a person stopped the job.

        Args:
            omit: its background was recorded already; it is not part of the show.
        """
        with self._database.begin() as connection:
            if omit:
                records.decide(connection, self.key, ReviewState.OMITTED)
            self._write(connection, state=JobState.CANCELLED.value, note="", finished_at=utc_now())

    def mark_interrupted(self) -> None:
        """Note that this worker leaves the step unfinished on purpose, so it is no crash."""
        with writing_one_row(self._database) as connection:
            self._write(connection, crashes=-1)

    def mark_resumed(self) -> None:
        """Note that the step is at work again: from now on the worker's death is a crash."""
        with writing_one_row(self._database) as connection:
            self._write(connection, crashes=0, note="")

    def _raise_if_stopped(self, connection: Connection) -> None:
        row = connection.execute(select(jobs.c.cancel_asked).where(self._mine)).first()
        if row is None:
            raise Withdrawn(self.key)
        if row.cancel_asked:
            raise _cancelled(self.key)

    def _gone(self, connection: Connection) -> Withdrawn:
        known = connection.execute(select(jobs.c.id).where(jobs.c.key == self.key)).first()
        return Withdrawn(self.key) if known else JobUnknown(self.key)

    def _write(self, connection: Connection, **values: object) -> None:
        connection.execute(update(jobs).where(self._mine).values(**values, updated_at=utc_now()))


def _was_cut(state: str, begun: str, step: Step) -> bool:
    return state == JobState.RUNNING.value and begun == step.value


def _cancelled(key: str) -> GenerationCancelled:
    return GenerationCancelled(f"The job {key} was cancelled.")
