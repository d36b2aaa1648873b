"""What people do with jobs: look at them, try them again, stop them. Needs no job engine."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine, RowMapping, delete, func, select, update

from haikei.credits import ReviewState, records
from haikei.database import events, files, jobs, reading, utc_now
from haikei.errors import JobError
from haikei.jobs.job import Job, JobState, Step
from haikei.jobs.rows import job_of

#: From these a job can be tried again.
ENDED_BADLY = (JobState.DEAD, JobState.CANCELLED, JobState.SKIPPED)
_AMBIGUOUS = 2


class JobStore:
    """
    All jobs of a studio, for commands and pages.

    What is decided here is written to the table; a worker that runs the steps notices it there.
    """

    def __init__(self, database: Engine) -> None:
        self._database = database

    def list(
        self, *, states: Sequence[JobState] = (), project: str | None = None, limit: int = 100
    ) -> list[Job]:
        """Return the newest jobs first; no states means all."""
        query = select(jobs).order_by(jobs.c.id.desc()).limit(limit)
        if states:
            query = query.where(jobs.c.state.in_([state.value for state in states]))
        if project is not None:
            query = query.where(jobs.c.project == project)
        with reading(self._database) as connection:
            return [job_of(row) for row in connection.execute(query).mappings()]

    def get(self, key: str) -> Job:
        """
        Return the job whose key is `key` or alone begins with it.

        Raises:
            JobError: there is none, or more than one.
        """
        with reading(self._database) as connection:
            return job_of(_find(connection, key))

    def counts(self) -> Mapping[JobState, int]:
        """Return how many jobs stand in each state."""
        query = select(jobs.c.state, func.count()).group_by(jobs.c.state)
        with reading(self._database) as connection:
            found = {JobState(state): int(count) for state, count in connection.execute(query)}
        return {state: found.get(state, 0) for state in JobState}

    def changes(self, since: datetime | None, *, limit: int = 1000) -> Sequence[Job]:
        """Return jobs that changed at or after `since`, the oldest change first."""
        query = select(jobs).order_by(jobs.c.updated_at, jobs.c.id).limit(limit)
        if since is not None:
            query = query.where(jobs.c.updated_at >= since)
        with reading(self._database) as connection:
            return [job_of(row) for row in connection.execute(query).mappings()]

    def retry(self, key: str) -> Job:
        """
        Let a job that ended without a Version run again; what it had made already is used.

        A refused file is looked at again by the watcher: its dead letter goes, and a new one comes
        if it is still as bad.

        Raises:
            JobError: there is no such job, or it is not in a state for this.
        """
        with self._database.begin() as connection:
            row = _find(connection, key)
            _require(row, ENDED_BADLY, "tried again")
            if row["step"] == Step.DETECT.value:
                # Watcher or dispatcher decide anew: a file is looked at, an event is routed again.
                connection.execute(delete(files).where(files.c.path == row["layout"]))
                connection.execute(
                    update(events)
                    .where(events.c.key == row["event_key"])
                    .values(dispatched_at=None)
                )
                connection.execute(delete(jobs).where(jobs.c.key == row["key"]))
                return job_of({**row, "state": JobState.WAITING.value, "error": ""})
            return _change(
                connection,
                row,
                state=JobState.WAITING.value,
                step="",
                run=row["run"] + 1,
                progress=0.0,
                note="",
                error="",
                error_kind="",
                attempts=0,
                crashes=0,
                cancel_asked=0,
                finished_at=None,
            )

    def skip(self, key: str, note: str) -> Job:
        """
        Note that a job is not needed.

        Raises:
            JobError: there is no such job, or it is running or done.
        """
        with self._database.begin() as connection:
            row = _find(connection, key)
            _require(row, (JobState.WAITING, *ENDED_BADLY), "skipped")
            if records.background(connection, row["key"]) is not None:
                records.decide(connection, row["key"], ReviewState.OMITTED)
            return _change(
                connection, row, state=JobState.SKIPPED.value, note=note, finished_at=utc_now()
            )

    def cancel(self, key: str) -> Job:
        """
        Stop a job; one that runs stops at its next chance.

        Raises:
            JobError: there is no such job, or it has ended.
        """
        with self._database.begin() as connection:
            row = _find(connection, key)
            _require(row, (JobState.WAITING, JobState.RUNNING), "cancelled")
            if row["state"] == JobState.WAITING.value:
                return _change(
                    connection, row, state=JobState.CANCELLED.value, finished_at=utc_now()
                )
            return _change(connection, row, cancel_asked=1)


def _find(connection: Connection, key: str) -> RowMapping:
    rows = connection.execute(
        select(jobs)
        .where(jobs.c.key.startswith(key, autoescape=True))
        .order_by(func.length(jobs.c.key))
        .limit(_AMBIGUOUS)
    ).mappings()
    found = rows.all()
    if not key or not found:
        raise JobError(f"There is no job {key!r}.", advice="See `haikei jobs list`.")
    if len(found) == _AMBIGUOUS and found[0]["key"] != key:
        raise JobError(f"More than one job begins with {key!r}.", advice="Give more of its key.")
    return found[0]


def _require(row: RowMapping, states: Sequence[JobState], what: str) -> None:
    if JobState(row["state"]) not in states:
        allowed = ", ".join(state.value for state in states)
        raise JobError(
            f"The job {row['key']} is {row['state']} and cannot be {what}.",
            advice=f"That can be done with jobs that are {allowed}.",
        )


def _change(connection: Connection, row: RowMapping, **values: object) -> Job:
    connection.execute(
        update(jobs).where(jobs.c.key == row["key"]).values(**values, updated_at=utc_now())
    )
    return job_of({**row, **values, "updated_at": utc_now()})
