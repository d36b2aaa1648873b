"""Refusals that heal by themselves, and jobs that a newer save of their layout replaces."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import ColumnElement, Connection, Engine, select, update

from haikei.credits import records
from haikei.database import backgrounds, events, files, inserting, jobs, reading, utc_now
from haikei.decisions import ReviewState
from haikei.errors import (
    JobError,
    LayoutChanged,
    LayoutDisputed,
    PathRefused,
    PlaceUnknown,
    SettingsError,
)
from haikei.events import LayoutPublished
from haikei.files import write_whole
from haikei.jobs.job import JobKind, JobState, Step
from haikei.jobs.table import JobStore
from haikei.settings import Settings
from haikei.show import Place

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
    """Return those events none of whose jobs made anything, or was taken away by somebody."""
    query = select(jobs.c.state, jobs.c.step, jobs.c.error_kind)
    found: set[str] = set()
    for key in event_keys:
        rows = connection.execute(query.where(jobs_of(key))).all()
        if not any(_is_settled(row.state, row.step, row.error_kind) for row in rows):
            found.add(key)
    return found


def _is_settled(state: str, step: str, error_kind: str) -> bool:
    """Tell whether other settings leave a job as it is: what a person skipped stays skipped."""
    match JobState(state):
        case JobState.DONE | JobState.CANCELLED:
            return True
        case JobState.SKIPPED:
            return error_kind != SUPERSEDED
        case JobState.RUNNING:
            return step not in EARLY
        case _:
            return False


#: The kind of the answer to a file that holds a drawing which was taken already.
SAME_DRAWING = "SameDrawing"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    key: str
    event_key: str
    layout: str
    sha256: str  #: empty for what was refused before it was read
    early: bool
    misplaced: bool
    from_tracker: bool
    asks: bool  #: somebody else had published the drawing before
    place: Place
    row: int | None  #: of the tracker, that announced it


class Predecessors:
    """
    The jobs and dead letters to which the files of some events led before.

    Args:
        connection: in the transaction in which these events become jobs.
        published: the events.
    """

    def __init__(self, connection: Connection, published: Sequence[LayoutPublished]) -> None:
        self._connection = connection
        paths = {str(event.layout) for event in published}
        contents = {event.sha256 for event in published}
        self._at: dict[str, list[_Standing]] = {}
        self._misplaced: dict[str, list[_Standing]] = {}
        here = jobs.c.layout.in_(paths)
        misplaced = (jobs.c.state == JobState.DEAD.value) & (
            jobs.c.error_kind.in_(MISPLACED) | (jobs.c.step == Step.DETECT.value)
        )
        query = (
            select(jobs, events.c.payload)
            .outerjoin(events, events.c.key == jobs.c.event_key)
            .where(
                jobs.c.state.in_(LIVE),
                jobs.c.kind == JobKind.BACKGROUND.value,
                here | misplaced,
            )
        )
        for row in connection.execute(query):
            if row.error_kind == LayoutDisputed.__name__:
                continue  # people are asked about it, wherever its file lies
            if not row.key.startswith(row.event_key):
                continue  # a retake is about a version, and not about what its layout was saved as
            payload = json.loads(row.payload) if row.payload else {}
            one = _Standing(
                key=row.key,
                event_key=row.event_key,
                layout=row.layout,
                sha256=payload.get("sha256", ""),
                early=row.state != JobState.RUNNING.value or row.step in EARLY,
                misplaced=row.state == JobState.DEAD.value
                and (row.error_kind in MISPLACED or row.step == Step.DETECT.value),
                from_tracker=payload.get("published_file") is not None,
                asks=bool(payload.get("published_before_by")),
                place=_place_in(payload),
                row=payload.get("published_file"),
            )
            if row.layout in paths:
                self._at.setdefault(row.layout, []).append(one)
            if one.misplaced and one.sha256 in contents:
                self._misplaced.setdefault(one.sha256, []).append(one)

    def make_way(self, event: LayoutPublished) -> bool:
        """
        Supersede what this event replaces; return False where its file is a job already.

        A newer save replaces the jobs of the file's earlier contents, and a file that was moved
        the dead letter of its former place. What two sources tell of one file is one job: the
        tracker's link outranks a path.
        """
        path = str(event.layout)
        older: list[str] = []
        for one in self._at.get(path, ()):
            if one.event_key == event.key or _is_another_shots(event, one.place, one.row):
                continue
            if one.sha256 == event.sha256 and (one.asks or event.published_before_by):
                continue  # by another person, the same drawing is a question of its own
            outranked = one.misplaced or event.published_file is not None or not one.from_tracker
            if one.sha256 == event.sha256 and not (one.early and outranked):
                log.info("file_is_a_job_already", file=path, job=one.key)
                return False
            older.append(one.key)
        if not event.published_before_by and self._is_version(event):
            log.info("file_is_a_version_already", file=path)
            return False
        supersede(
            self._connection, older, f"{event.layout.name} was announced anew, and is another job."
        )
        moved = [
            one.key
            for one in self._misplaced.get(event.sha256, ())
            if one.event_key != event.key and one.layout != path and is_gone(Path(one.layout))
        ]
        supersede(self._connection, moved, f"The file was moved to {path}, and is another job.")
        return True

    def _is_version(self, event: LayoutPublished) -> bool:
        """Tell whether any source handed this very file over, and it is a version by then."""
        before = (
            select(events.c.payload)
            .join(jobs, jobs.c.event_key == events.c.key)
            .where(
                jobs.c.layout == str(event.layout),
                jobs.c.state == JobState.DONE.value,
                jobs.c.kind == JobKind.BACKGROUND.value,
                events.c.key != event.key,
            )
        )
        for text in self._connection.execute(before).scalars():
            payload = json.loads(text)
            other = _is_another_shots(event, _place_in(payload), payload.get("published_file"))
            if payload.get("sha256") == event.sha256 and not other:
                return True
        watched = self._connection.execute(
            select(events.c.key, events.c.payload)
            .join(files, files.c.event_key == events.c.key)
            .where(files.c.path == str(event.layout), events.c.key != event.key)
        ).first()
        if watched is None or json.loads(watched.payload).get("sha256") != event.sha256:
            return False
        done = select(jobs.c.key).where(jobs_of(watched.key), jobs.c.state == JobState.DONE.value)
        return self._connection.execute(done.limit(1)).first() is not None

    def joined(self, event: LayoutPublished, keys: Collection[str]) -> None:
        """Note the jobs that an event of this batch became, for those that come after it."""
        self._at.setdefault(str(event.layout), []).extend(
            _Standing(
                key=key,
                event_key=event.key,
                layout=str(event.layout),
                sha256=event.sha256,
                early=True,
                misplaced=False,
                from_tracker=event.published_file is not None,
                asks=bool(event.published_before_by),
                place=event.place,
                row=event.published_file,
            )
            for key in keys
        )


def _place_in(payload: Mapping[str, str]) -> Place:
    """Return the place in an event's payload; what was refused before it was read has none."""
    names = ("project", "episode", "sequence", "shot")
    project, episode, sequence, shot = (payload.get(name, "") for name in names)
    return Place(project=project, episode=episode, sequence=sequence, shot=shot)


def _is_another_shots(event: LayoutPublished, place: Place, row: int | None) -> bool:
    """Tell whether another row of the tracker links the same file to another shot."""
    rows = (event.published_file, row)
    return None not in rows and rows[0] != rows[1] and not event.place.may_be(place)


def is_watched(path: Path, settings: Settings, database: Engine) -> bool:
    """
    Tell whether the watcher has looked at a file and will look again.

    Then it announces what was saved there, once that is whole.
    """
    watch = settings.watch
    tops = [*(one.path for one in watch.folders), *(one.path for one in watch.touch_ups)]
    if not any(path.is_relative_to(top.absolute()) for top in tops):
        return False
    query = select(files.c.path).where(files.c.path == str(path))
    with reading(database) as connection:
        return connection.execute(query).first() is not None


def taken(connection: Connection, path: str) -> tuple[str, str] | None:
    """
    Return by which event a file was handed over, by any source, and its content's hash then.

    It looks at the watcher's table, at jobs, and at events that are no jobs yet.
    """
    watched = connection.execute(
        select(files.c.event_key, files.c.sha256).where(
            files.c.path == path, files.c.state == "published"
        )
    ).first()
    if watched is not None:
        return watched.event_key, watched.sha256
    of_event = select(events.c.key, events.c.payload)
    written = json.dumps(path, ensure_ascii=False)
    for query in (
        of_event.join(jobs, jobs.c.event_key == events.c.key).where(jobs.c.layout == path),
        of_event.where(
            events.c.dispatched_at.is_(None), events.c.payload.contains(written, autoescape=True)
        ),
    ):
        row = connection.execute(query.order_by(events.c.id.desc()).limit(1)).first()
        if row is not None:
            return row.key, json.loads(row.payload)["sha256"]
    return None


def answer(connection: Connection, event: LayoutPublished, first: Path) -> None:
    """
    Say, among the jobs, that a file holds a drawing which was taken from another file before.

    Args:
        connection: the caller's transaction.
        event: what was announced again.
        first: the file from which the drawing was taken.
    """
    codes = connection.execute(
        select(backgrounds.c.code)
        .where(backgrounds.c.key >= event.key, backgrounds.c.key < f"{event.key}~")
        .order_by(backgrounds.c.code)
    ).scalars()
    held = ", ".join(codes)
    if held:
        where = f"which {held} holds. To have it made again, ask for a retake."
    else:
        rows = connection.execute(select(jobs.c.key, jobs.c.state).where(jobs_of(event.key)))
        standing = ", ".join(f"{row.key} ({row.state})" for row in rows)
        where = f"whose job is {standing}." if standing else "which waits for its job."
    note = (
        f"Nothing new is made: {event.layout.name} is the same drawing, byte for byte, as "
        f"{first.name}, {where}"
    )
    key = hashlib.sha256(f"{event.key}\0{event.layout}".encode()).hexdigest()[:32]
    now = utc_now()
    row = {
        "key": f"same-{key}",
        "event_key": f"same-{key}",
        "state": JobState.SKIPPED.value,
        "step": Step.DETECT.value,
        "project": event.place.project,
        "episode": event.place.episode,
        "sequence": event.place.sequence,
        "shot": event.place.shot,
        "layout": str(event.layout),
        "note": note,
        "error_kind": SAME_DRAWING,
        "created_at": now,
        "finished_at": now,
        "updated_at": now,
    }
    statement = inserting(connection, jobs).on_conflict_do_nothing(index_elements=["key"])
    if connection.execute(statement, row).rowcount == 1:
        log.info("drawing_taken_before", file=str(event.layout), first=str(first), note=note)
