"""What heals by itself: refusals whose file moved or whose setting changed, and replaced jobs."""

import hashlib
from collections.abc import Collection
from pathlib import Path

import structlog
from sqlalchemy import ColumnElement, Connection, Engine, select, update

from haikei.credits import ReviewState, records
from haikei.database import (
    events,
    jobs,
    reading,
    utc_now,
)
from haikei.errors import JobError, LayoutChanged, PathRefused, PlaceUnknown, SettingsError
from haikei.files import write_whole
from haikei.jobs.job import JobState, Step
from haikei.jobs.table import JobStore
from haikei.settings import Settings

log = structlog.get_logger()

#: The kind of what gave way to a newer save, or to the same file in its right place.
SUPERSEDED = "Superseded"
#: Refusals for place, name or template: a file that moves heals them.
MISPLACED = (PlaceUnknown.__name__, PathRefused.__name__, LayoutChanged.__name__)
#: Refusals that another setting can heal.
UNSETTLED = (PlaceUnknown.__name__, PathRefused.__name__, SettingsError.__name__)
#: Until then a job has published nothing: it can be stopped without a trace.
EARLY = ("", Step.COLLECT.value, Step.VALIDATE.value, Step.GENERATE.value)
LIVE = (JobState.WAITING.value, JobState.RUNNING.value, JobState.DEAD.value)


def is_gone(path: Path) -> bool:
    """Tell whether nothing stands at a path any more; what cannot be looked at may be there."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def jobs_of(event_key: str) -> ColumnElement[bool]:
    """Return the condition that a row of `jobs` is of this event; its keys' index finds them."""
    return (jobs.c.key >= event_key) & (jobs.c.key < f"{event_key}~")


def supersede(
    connection: Connection,
    keys: Collection[str],
    note: str,
    *,
    mine: ColumnElement[bool] | None = None,
) -> None:
    """
    Take jobs out of the way of what replaces them; one that already publishes goes on.

    Args:
        connection: the caller's transaction.
        keys: the jobs.
        note: what replaces them.
        mine: stands for that condition, where a job's own run says it.
    """
    if not keys:
        return
    early = (jobs.c.state == JobState.RUNNING.value) & jobs.c.step.in_(EARLY)
    ended = jobs.c.state.in_((JobState.WAITING.value, JobState.DEAD.value))
    now = utc_now()
    connection.execute(
        update(jobs)
        .where(jobs.c.key.in_(list(keys)), early | ended if mine is None else mine)
        .values(
            state=JobState.SKIPPED.value,
            note=note,
            error="",
            error_kind=SUPERSEDED,
            finished_at=now,
            updated_at=now,
        )
    )
    for key in keys:
        if records.background(connection, key) is not None:
            records.decide(connection, key, ReviewState.OMITTED)


def was_superseded(connection: Connection, event_key: str) -> bool:
    """Tell whether a job of this event gave way to another."""
    query = select(jobs.c.key).where(jobs_of(event_key), jobs.c.error_kind == SUPERSEDED)
    return connection.execute(query.limit(1)).first() is not None


def begins_anew(state: str, step: str, error_kind: str, *, moved: bool) -> bool:
    """
    Tell whether a job is begun anew when its event is announced again.

    Args:
        state: the job's, as its row has it.
        step: likewise.
        error_kind: likewise.
        moved: the file stands elsewhere now.
    """
    match JobState(state):
        case JobState.SKIPPED:
            return error_kind == SUPERSEDED
        case JobState.DEAD:
            return error_kind in MISPLACED
        case JobState.WAITING:
            return moved
        case JobState.RUNNING:
            return moved and step in EARLY
        case _:
            return False


def settings_changed(settings: Settings, reader: str) -> bool:
    """Tell whether the settings are others than when `reader` last asked, and remember them."""
    digest = hashlib.sha256(settings.model_dump_json().encode()).hexdigest()
    kept = settings.studio.state / f"settings-{reader}.sha256"
    try:
        before = kept.read_text(encoding="ascii")
    except (OSError, ValueError):
        before = ""
    if before != digest:
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_whole(kept, digest.encode())
    return bool(before) and before != digest


def heal(settings: Settings, database: Engine) -> int:
    """
    Try again what was refused for its place, name or template, if the settings changed since.

    Returns:
        How many jobs and files that were.
    """
    if not settings_changed(settings, "jobs"):
        return 0
    query = select(jobs.c.key).where(
        jobs.c.state == JobState.DEAD.value,
        jobs.c.error_kind.in_(UNSETTLED)
        | ((jobs.c.step == Step.DETECT.value) & jobs.c.event_key.in_(select(events.c.key))),
    )
    with reading(database) as connection:
        keys = list(connection.execute(query).scalars())
    store = JobStore(database)
    healed = 0
    for key in keys:
        try:
            store.retry(key)
            healed += 1
        except JobError:
            continue  # somebody decided about it meanwhile
    if healed:
        log.info("settings_changed", tried_again=healed)
    return healed


def unplaced(connection: Connection, event_keys: Collection[str]) -> set[str]:
    """Return those events none of whose jobs has made anything, or is about to."""
    found: set[str] = set()
    for key in event_keys:
        rows = connection.execute(select(jobs.c.state, jobs.c.step).where(jobs_of(key))).all()
        if not any(
            row.state == JobState.DONE.value
            or (row.state == JobState.RUNNING.value and row.step not in EARLY)
            for row in rows
        ):
            found.add(key)
    return found
