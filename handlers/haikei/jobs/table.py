"""The table of jobs: a job's row and what it stands for, and what people do with jobs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine, RowMapping, delete, func, select, update

from haikei.credits import records
from haikei.database import (
    backgrounds,
    begins_with,
    events,
    feed_rows,
    files,
    jobs,
    reading,
    utc_now,
)
from haikei.decisions import ReviewState
from haikei.errors import JobError
from haikei.events import TouchUpPublished
from haikei.jobs.job import Job, JobKind, JobOrder, JobState, Step
from haikei.names import plain_name, same_name
from haikei.presets import RegionChanged
from haikei.show import Place, Row
from haikei.trackers import PublishResult

_ORDER = TypeAdapter(JobOrder)
_TOUCH_UP = TypeAdapter(TouchUpPublished)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult(PublishResult):
    """What a job made: the Version, and what of a retake acted on which part of the picture."""

    changed: tuple[RegionChanged, ...] = ()


_RESULT = TypeAdapter(JobResult)


def job_of(row: RowMapping | Mapping[str, Any]) -> Job:
    """Return the job that a row of `jobs` holds."""
    result = result_of(row["result_json"])
    return Job(
        key=row["key"],
        kind=JobKind(row["kind"]),
        state=JobState(row["state"]),
        step=Step(row["step"]) if row["step"] else None,
        run=row["run"],
        priority=row["priority"],
        place=Place(
            project=row["project"],
            episode=row["episode"],
            sequence=row["sequence"],
            shot=row["shot"],
        ),
        season=row["season"],
        time=row["time"],
        recipe=row["recipe"],
        layout=row["layout"],
        progress=row["progress"],
        note=row["note"],
        error=row["error"],
        error_kind=row["error_kind"],
        attempts=row["attempts"],
        version_url=result.url if result else "",
        version_code=result.version.name if result else "",
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        updated_at=row["updated_at"],
    )


def order_of(text: str) -> JobOrder:
    """Return the order that `order_json` holds."""
    return _ORDER.validate_json(text)


def order_text(order: JobOrder) -> str:
    """Return an order as `order_json` holds it."""
    return _ORDER.dump_json(order).decode()


def job_row(order: JobOrder, now: datetime) -> dict[str, object]:
    """Return the row of `jobs` with which an order begins to wait."""
    return {
        **_waiting(order.key, order.event_key, order.place, order.priority, now),
        "season": order.season,
        "time": order.time,
        "recipe": order.recipe,
        "layout": str(order.layout),
        "order_json": order_text(order),
    }


def touch_up_of(text: str) -> TouchUpPublished:
    """Return the touch-up that `order_json` of its job, or its event, holds."""
    return _TOUCH_UP.validate_json(text)


def touch_up_text(event: TouchUpPublished) -> str:
    """Return a touch-up as `order_json` of its job holds it."""
    return _TOUCH_UP.dump_json(event).decode()


def touch_up_row(event: TouchUpPublished, priority: int, now: datetime) -> dict[str, object]:
    """Return the row of `jobs` with which a touch-up begins to wait."""
    return {
        **_waiting(event.key, event.key, event.place, priority, now),
        "kind": JobKind.TOUCH_UP.value,
        "season": event.season,
        "time": event.time,
        "layout": str(event.file),
        "order_json": touch_up_text(event),
    }


def _waiting(
    key: str, event_key: str, place: Place, priority: int, now: datetime
) -> dict[str, object]:
    return {
        "key": key,
        "event_key": event_key,
        "state": JobState.WAITING.value,
        "step": "",
        "priority": priority,
        "project": place.project,
        "episode": place.episode,
        "sequence": place.sequence,
        "shot": place.shot,
        "created_at": now,
        "updated_at": now,
    }


def result_of(text: str) -> JobResult | None:
    """Return what `result_json` holds, None before a Version stands."""
    return _RESULT.validate_json(text) if text else None


def result_text(result: PublishResult, changed: tuple[RegionChanged, ...] = ()) -> str:
    """Return a result as `result_json` holds it."""
    known = {one.name: getattr(result, one.name) for one in fields(PublishResult)}
    return _RESULT.dump_json(JobResult(**known, changed=changed)).decode()


def end_published(connection: Connection, keys: Collection[str]) -> Collection[str]:
    """
    End open jobs whose Versions stand recorded and in the tracker; return their keys.

    A job notes both in one transaction when it ends. Its row is open all the same where the
    database was restored from a back-up and the Version adopted from storage and tracker.
    """
    row, ended = backgrounds.c, set[str]()
    ordered = sorted(keys)
    for start in range(0, len(ordered), _LOOKED_UP):
        several = ordered[start : start + _LOOKED_UP]
        query = select(row.key, row.code, row.tracker_id, row.url)
        known = query.where(row.key.in_(several), row.tracker_id.is_not(None))
        for one in connection.execute(known).all():
            version = Row(type="Version", id=one.tracker_id, name=one.code)
            result = PublishResult(
                version=version, files=(), layout_file=version, url=one.url, created=False
            )
            is_open = jobs.c.state.in_((JobState.WAITING.value, JobState.RUNNING.value))
            done = update(jobs).where(jobs.c.key == one.key, is_open)
            changed = connection.execute(
                done.values(
                    state=JobState.DONE.value,
                    result_json=result_text(result),
                    progress=1.0,
                    note="Published before the database was restored.",
                    error="",
                    error_kind="",
                    finished_at=utc_now(),
                    updated_at=utc_now(),
                )
            )
            if changed.rowcount:
                ended.add(one.key)
    return ended


def begin_anew(connection: Connection) -> int:
    """Let every running job wait for another run; return how many there were."""
    query = select(jobs.c.key, jobs.c.run).where(jobs.c.state == JobState.RUNNING.value)
    rows = connection.execute(query).all()
    for row in rows:
        again = update(jobs).where(jobs.c.key == row.key)
        connection.execute(again.values(**run_again(row.run)))
    return len(rows)


def run_again(run: int) -> dict[str, object]:
    """Return what a job's row holds when its next run waits to begin."""
    return {
        "state": JobState.WAITING.value,
        "step": "",
        "run": run + 1,
        "progress": 0.0,
        "note": "",
        "error": "",
        "error_kind": "",
        "attempts": 0,
        "crashes": 0,
        "cancel_asked": 0,
        "finished_at": None,
        "updated_at": utc_now(),
    }


#: From these a job can be tried again.
ENDED_BADLY = (JobState.DEAD, JobState.CANCELLED, JobState.SKIPPED)
_AMBIGUOUS = 2
_LOOKED_UP = 500


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
        """Return the newest jobs first, of a project in any spelling; no states means all."""
        query = select(jobs).order_by(jobs.c.id.desc()).limit(limit)
        if states:
            query = query.where(jobs.c.state.in_([state.value for state in states]))
        if project is not None:
            spelt = [one for one in self.projects() if same_name(one, project)]
            query = query.where(jobs.c.project.in_(spelt))
        with reading(self._database) as connection:
            return [job_of(row) for row in connection.execute(query).mappings()]

    def projects(self) -> Sequence[str]:
        """Return the projects that jobs have had, as each was written."""
        with reading(self._database) as connection:
            found = connection.execute(select(jobs.c.project).distinct()).scalars()
            return sorted(filter(None, found))

    def get(self, key: str) -> Job:
        """
        Return the job whose key is `key` or alone begins with it.

        Raises:
            JobError: there is none, or more than one.
        """
        with reading(self._database) as connection:
            return job_of(_find(connection, key))

    def of_event(self, event_key: str) -> Sequence[Job]:
        """Return the jobs that an event brought about, retakes among them, the oldest first."""
        query = select(jobs).where(jobs.c.event_key == event_key).order_by(jobs.c.id)
        with reading(self._database) as connection:
            return [job_of(row) for row in connection.execute(query).mappings()]

    def these(self, keys: Sequence[str]) -> Sequence[Job]:
        """Return the jobs of these keys, in their order; those that are gone by now left out."""
        query = select(jobs).where(jobs.c.key.in_(keys))
        with reading(self._database) as connection:
            found = {row["key"]: job_of(row) for row in connection.execute(query).mappings()}
        return [found[key] for key in keys if key in found]

    def dead(
        self,
        *,
        kinds: Sequence[str] = (),
        since: datetime | None = None,
        project: str | None = None,
    ) -> Sequence[Job]:
        """
        Return dead letters, the oldest first.

        Args:
            kinds: only those of these kinds of error, in any letter case; empty for all.
            since: only those that died at or after this moment.
            project: only those of this project, in whatever spelling.
        """
        query = select(jobs).where(jobs.c.state == JobState.DEAD.value)
        if since is not None:
            query = query.where(jobs.c.finished_at >= since)
        wanted = set(map(plain_name, kinds))
        with reading(self._database) as connection:
            found = [
                job_of(row) for row in connection.execute(query.order_by(jobs.c.id)).mappings()
            ]
        return [
            job
            for job in found
            if (not wanted or plain_name(job.error_kind) in wanted)
            and (project is None or same_name(job.place.project, project))
        ]

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

        Its event is read anew: dispatch asks the settings, the job's steps the tracker and the
        file. A refused file is looked at again by the watcher: its dead letter goes, and a new
        one comes if it is still as bad.

        Raises:
            JobError: there is no such job, or it is not in a state for this.
        """
        with self._database.begin() as connection:
            row = _find(connection, key)
            _require(row, ENDED_BADLY, "tried again")
            # Its row in the tracker is read anew as well: what changed there replaces the job.
            connection.execute(
                update(feed_rows)
                .where(feed_rows.c.key == row["event_key"])
                .values(state="refused", key="")
            )
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
            return _change(connection, row, **run_again(row["run"]))

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
        .where(begins_with(jobs.c.key, key))
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
    changed = {**values, "updated_at": utc_now()}
    connection.execute(update(jobs).where(jobs.c.key == row["key"]).values(**changed))
    return job_of({**row, **changed})
