"""
Dispatch: make jobs of events, submit jobs as tasks, and reconcile jobs with the engine.

The jobs' table is the truth. Waiting jobs are handed to the engine again and again until they run,
which costs nothing, as a task's id is its identity; so no crash between the two loses one.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Row, RowMapping, delete, func, select, update
from sqlalchemy import Engine as Database

from haikei.credits import records
from haikei.database import backgrounds, jobs, reading, utc_now
from haikei.events import Event, LayoutPublished, TouchUpPublished
from haikei.generators import variant_seed
from haikei.jobs.background.tasks import LEGS, first_task, task_id
from haikei.jobs.engine.port import Engine, Task, TaskState
from haikei.jobs.healing import Predecessors, begins_anew, jobs_of, supersede
from haikei.jobs.inbox import add_job, event_of, mark_dispatched, undispatched
from haikei.jobs.job import JobKind, JobOrder, JobState, Step
from haikei.jobs.lanes import Lane, LaneKeeper
from haikei.jobs.table import end_published, job_row, order_of, order_text, run_again
from haikei.jobs.touchup.taking_in import add_touch_up
from haikei.settings import Route, Settings, Variant

log = structlog.get_logger()

#: Events that become jobs in one transaction.
_EVENTS = 200
#: Seconds without an update after which a job that waits or runs is looked up in the engine.
_SILENT = 10.0
_LOOK_UP = 200
#: Jobs that came later by less than this may go before one, where their recipe is at work.
_OVERTAKEN = 30
#: How often a job is taken up again whose tasks end without doing it.
MOST_TAKEN_UP = 20
_LOOKED_AT = tuple(
    jobs.c[name]
    for name in ("key", "run", "state", "step", "updated_at", "attempts", "cancel_asked")
)
_Row = Row[Any, Any, Any, Any, Any, Any, Any]
_OPEN = {TaskState.QUEUED, TaskState.RUNNING}


class Dispatcher:
    """
    Feeds the engine from the tables.

    Args:
        ahead: jobs that may be in the engine at once; all others wait in the table, where a more
            urgent one overtakes them and where they are collected only when their turn comes.
    """

    def __init__(
        self, settings: Settings, database: Database, engine: Engine, *, ahead: int
    ) -> None:
        self._settings = settings
        self._database = database
        self._engine = engine
        self._ahead = ahead
        self._submitted: set[str] = set()
        #: By show, the recipe of the job that was submitted last: its models are in memory.
        self._recipes: dict[str, str] = {}
        self._lanes = LaneKeeper(database, settings.engine.backoff)

    def tick(self) -> int:
        """Take events, submit jobs and apply cancellations; return how many there were."""
        return self.take_events() + self.feed() + self.apply_cancellations()

    def take_events(self) -> int:
        """Make jobs of events and mark the events as dispatched, in one transaction."""
        with reading(self._database) as connection:
            if not undispatched(connection, 1):
                return 0
        with self._database.begin() as connection:
            events = undispatched(connection, _EVENTS)
            if not events:
                return 0
            layouts = [event for event in events if isinstance(event, LayoutPublished)]
            before = Predecessors(connection, layouts)
            done = [event.key for event in events if self._dispatched(connection, event, before)]
            mark_dispatched(connection, done)
        return len(done)

    def feed(self) -> int:
        """
        Submit waiting jobs to the engine, the most urgent first, as far as there is room.

        Among equally urgent ones shows take turns, the one with the fewest jobs at work first. Of
        one show's, those of the recipe that was submitted last come before others of about the same
        age, so that a device loads its models seldom.
        """
        if not self._lanes.takes_jobs(Lane.STEPS):
            return 0
        with reading(self._database) as connection:
            rows = _next_waiting(connection, self._ahead, self._recipes, self._submitted)
        tasks = {_first_task(row): row for row in rows}
        fresh = [task for task in tasks if task.id not in self._submitted]
        again = {
            task: row.key
            for task, row in tasks.items()
            if task in fresh and row.run > 1 and row.kind == JobKind.BACKGROUND.value
        }
        if again:
            with self._database.begin() as connection:
                gone = [task for task, key in again.items() if not self._refreshed(connection, key)]
            fresh = [task for task in fresh if task not in gone]
        else:
            gone = []
        fresh, ended = self._without_published(fresh, {one: row.key for one, row in tasks.items()})
        gone += ended
        self._engine.submit(fresh)
        self._submitted = {task.id for task in tasks}
        self._recipes |= {
            row.project: row.recipe for task, row in tasks.items() if task in fresh and row.recipe
        }
        return len(fresh) + len(gone)

    def _without_published(
        self, fresh: Sequence[Task], keys: Mapping[Task, str]
    ) -> tuple[list[Task], list[Task]]:
        """Return which tasks are to be done, and which are of jobs whose Versions stand by now."""
        if not fresh:
            return [], []
        with reading(self._database) as connection:
            known = backgrounds.c.key.in_([keys[task] for task in fresh])
            query = select(backgrounds.c.key).where(known, backgrounds.c.tracker_id.is_not(None))
            found = set(connection.execute(query).scalars())
        if not found:
            return list(fresh), []
        with self._database.begin() as connection:
            ended = end_published(connection, found)
        done = [task for task in fresh if keys[task] in ended]
        return [task for task in fresh if task not in done], done

    def apply_cancellations(self) -> int:
        """Cancel running jobs that a person stopped and whose next task has not begun."""
        with reading(self._database) as connection:
            rows = connection.execute(
                select(jobs.c.key, jobs.c.run).where(
                    jobs.c.state == JobState.RUNNING.value, jobs.c.cancel_asked == 1
                )
            ).all()
        count = 0
        for row in rows:
            ids = [task_id(row.key, row.run, leg) for leg in LEGS]
            standing = self._engine.standing(ids)
            queued = [id_ for id_, state in standing.items() if state is TaskState.QUEUED]
            if queued and TaskState.RUNNING not in standing.values():
                self._engine.withdraw(queued)
                self._end(row.key, row.run, JobState.CANCELLED)
                count += 1
        return count

    def reconcile_with_engine(self) -> int:
        """
        Look up silent jobs that wait or run; end or take up again what the engine let go.

        What the engine has ended although the row says that there is work left was lost on the
        way: to another studio's worker on the same engine database, or with that database.

        Returns:
            how many there were.
        """
        before = utc_now() - timedelta(seconds=_SILENT)
        found: list[RowMapping] = []
        with reading(self._database) as connection:
            # Those that wait and were never submitted are unknown to the engine, and come last.
            for state, order in (
                (JobState.RUNNING, (jobs.c.updated_at,)),
                (JobState.WAITING, (jobs.c.priority, jobs.c.id)),
            ):
                silent = jobs.c.state == state.value, jobs.c.updated_at < before
                query = select(*_LOOKED_AT).where(*silent).order_by(*order)
                limited = query.limit(max(_LOOK_UP, self._ahead))
                found += connection.execute(limited).mappings().all()
        ids = {row["key"]: [task_id(row["key"], row["run"], leg) for leg in LEGS] for row in found}
        standing = self._engine.standing([id_ for those in ids.values() for id_ in those])
        return sum(
            self._reconcile(row, {id_: standing[id_] for id_ in ids[row["key"]] if id_ in standing})
            for row in found
        )

    def _reconcile(self, row: RowMapping, standing: Mapping[str, TaskState]) -> bool:
        states = set(standing.values())
        if states & _OPEN:
            return False
        if not states and row["state"] == JobState.WAITING.value:
            # It was not submitted yet; or it was, and the engine's database was lost since.
            self._submitted -= {task_id(row["key"], row["run"], leg) for leg in LEGS}
            return False
        changed = self._change(row, **_outcome(row, states))
        if changed:
            found = sorted(state.value for state in states) or ["unknown"]
            log.warning("job_reconciled", job=row["key"], step=row["step"], found=found)
        return changed

    def _dispatched(self, connection: Connection, event: Event, before: Predecessors) -> bool:
        """Make an event's jobs; return False when they can only be made later."""
        if isinstance(event, TouchUpPublished):
            return add_touch_up(connection, event, utc_now())
        if before.make_way(event):
            before.joined(event, self._make_jobs(connection, event))
        return True

    def _make_jobs(self, connection: Connection, event: LayoutPublished) -> Sequence[str]:
        """Return the keys of an event's jobs; those that can go on now are begun anew."""
        now = utc_now()
        place = event.place
        route = self._settings.route(
            project=place.project, sequence=place.sequence, shot=place.shot, may_be_of_any=True
        )
        if route is None:
            add_job(connection, _refused(event, now))
            return [event.key]
        dead = jobs.c.state == JobState.DEAD.value
        connection.execute(delete(jobs).where(jobs.c.key == event.key, dead))
        found = connection.execute(select(jobs).where(jobs_of(event.key))).mappings()
        known = {row["key"]: row for row in found}
        orders = orders_of(event, route)
        for order in orders:
            row = known.get(order.key)
            if row is None:
                add_job(connection, job_row(order, now))
            else:
                moved = row["layout"] != str(order.layout)
                if begins_anew(row["state"], row["step"], row["error_kind"], moved=moved):
                    _replace_order(connection, row, order, **run_again(row["run"]))
        return [order.key for order in orders]

    def _refreshed(self, connection: Connection, key: str) -> bool:
        """
        Read a job's order anew before its next run, from its event and the settings.

        Returns:
            False when the settings want another job in its place, or none.
        """
        row = connection.execute(select(jobs).where(jobs.c.key == key)).mappings().one()
        event = event_of(connection, row["event_key"])
        published = records.background(connection, key) is not None
        if event is None or not key.startswith(event.key) or published:
            return True
        place = event.place
        route = self._settings.route(
            project=place.project, sequence=place.sequence, shot=place.shot
        )
        if route is None:
            refused = _refused(event, utc_now())
            names = ("state", "error", "error_kind", "finished_at", "updated_at")
            refusal = {name: refused[name] for name in names}
            connection.execute(update(jobs).where(jobs.c.key == key).values(**refusal))
            return False
        old = order_of(row["order_json"])
        order = next(
            (one for one in orders_of(event, route) if one.stream == old.stream),
            replace(old, layout=event.layout, published_file=event.published_file),
        )
        if order.key == key:
            _replace_order(connection, row, order, updated_at=utc_now())
            return True
        self._make_jobs(connection, event)
        supersede(connection, [key], f"The settings ask for {order.recipe} now: {order.key}.")
        return False

    def _end(self, key: str, run: int, state: JobState) -> None:
        with self._database.begin() as connection:
            connection.execute(
                update(jobs)
                .where(jobs.c.key == key, jobs.c.run == run, jobs.c.state == JobState.RUNNING.value)
                .values(state=state.value, finished_at=utc_now(), updated_at=utc_now())
            )

    def _change(self, row: RowMapping, **values: object) -> bool:
        """Change a row, unless it was changed since it was read."""
        same = (jobs.c[name] == row[name] for name in ("key", "run", "state", "updated_at"))
        with self._database.begin() as connection:
            changed = connection.execute(
                update(jobs).where(*same).values(**values, updated_at=utc_now())
            )
        return changed.rowcount == 1


def _next_waiting(
    connection: Connection, ahead: int, recipes: Mapping[str, str], submitted: Collection[str]
) -> Sequence[_Row]:
    """Return the jobs that are next, as many as may be at work beside those that are."""
    running = connection.execute(
        select(jobs.c.project, func.count().label("jobs"))
        .where(jobs.c.state == JobState.RUNNING.value)
        .group_by(jobs.c.project)
    )
    at_work = {row.project: row.jobs for row in running}
    room = ahead - sum(at_work.values())
    if room <= 0:
        return ()
    turns: list[tuple[int, int, int, _Row]] = []
    for project in _waiting_shows(connection):
        query = (
            select(
                jobs.c.id, jobs.c.key, jobs.c.run, jobs.c.priority, jobs.c.kind,
                jobs.c.project, jobs.c.recipe,
            )
            .where(jobs.c.state == JobState.WAITING.value, jobs.c.project == project)
            .order_by(jobs.c.priority, jobs.c.id)
            .limit(room + _OVERTAKEN)
        )  # fmt: skip
        behind = at_work.get(project, 0)
        rows = connection.execute(query).all()
        # What the engine has by now stays there: nothing takes its place.
        found = [row for row in rows if _first_task(row).id in submitted]
        rest = [row for row in rows if _first_task(row).id not in submitted]
        found += _by_recipe(rest, recipes.get(project, ""))
        for turn, row in enumerate(found[:room], behind):
            turns.append((row.priority, turn, row.id, row))
    turns.sort(key=lambda one: one[:3])
    return [row for *_, row in turns[:room]]


def _first_task(row: _Row) -> Task:
    return first_task(row.key, row.run, row.priority, JobKind(row.kind))


def _by_recipe(rows: Sequence[_Row], recipe: str) -> list[_Row]:
    """
    Return the waiting jobs of a show with those of one recipe together, that of `recipe` first.

    No job is overtaken by one that came so many after it, so that each gets its turn.
    """
    found: list[_Row] = []
    left = list(rows)
    while left:
        first = left[0]
        near = (
            row for row in left if row.priority == first.priority and row.id < first.id + _OVERTAKEN
        )
        chosen = next((row for row in near if row.recipe == recipe), first)
        left.remove(chosen)
        found.append(chosen)
        recipe = chosen.recipe
    return found


def _waiting_shows(connection: Connection) -> Iterator[str]:
    # One look-up in the index a show, however many jobs it has waiting.
    first = select(func.min(jobs.c.project)).where(jobs.c.state == JobState.WAITING.value)
    project: str | None = connection.execute(first).scalar()
    while project is not None:
        yield project
        project = connection.execute(first.where(jobs.c.project > project)).scalar()


def _outcome(row: RowMapping, states: Collection[TaskState]) -> dict[str, object]:
    """Return what becomes of a job whose tasks have all ended, or are not there."""
    if TaskState.POISON in states:
        error = "The worker died again and again while it did this job."
        return _ended(JobState.DEAD, error=error, error_kind="Poison")
    if TaskState.FAILED in states:
        error = "The job's task ended with an unforeseen error; see the worker's log."
        return _ended(JobState.DEAD, error=error, error_kind="TaskFailed")
    if TaskState.CANCELLED in states:
        note = "" if row["cancel_asked"] else "Its task was cancelled in the job engine."
        return _ended(JobState.CANCELLED, note=note)
    if row["cancel_asked"]:
        return _ended(JobState.CANCELLED)
    times = row["attempts"] + 1
    if times > MOST_TAKEN_UP:
        error = (
            f"Its task ended {times} times without doing the job. See the log of the workers, "
            "then retry the job."
        )
        return _ended(JobState.DEAD, error=error, error_kind="TaskLost", attempts=times)
    # Begin anew. What was made is found again by its key.
    return {
        "state": JobState.WAITING.value,
        "run": row["run"] + 1,
        "step": "",
        "crashes": 0,
        "attempts": times,
        "note": "Taken up again: its task had ended without doing the job.",
    }


def _ended(state: JobState, **values: object) -> dict[str, object]:
    return {"state": state.value, "finished_at": utc_now(), **values}


def _replace_order(
    connection: Connection, row: RowMapping, order: JobOrder, **values: object
) -> None:
    changed = {
        "layout": str(order.layout),
        "priority": order.priority,
        "order_json": order_text(order),
        **values,
    }
    connection.execute(update(jobs).where(jobs.c.key == row["key"]).values(**changed))


def orders_of(event: LayoutPublished, route: Route) -> Sequence[JobOrder]:
    """Return the orders that an event makes: one for each variant of its route."""
    return [_order(event, route, variant) for variant in route.variants]


def _order(event: LayoutPublished, route: Route, variant: Variant) -> JobOrder:
    return JobOrder(
        key=f"{event.key}-{route.recipe}-{variant.season}-{variant.time}",
        event_key=event.key,
        place=event.place,
        layout=event.layout,
        layout_sha256=event.sha256,
        layout_name=event.name,
        layout_version=event.version,
        published_file=event.published_file,
        recipe=route.recipe,
        season=variant.season,
        time=variant.time,
        place_hint=route.place,
        priority=route.priority,
        seed=variant_seed(route, event.sha256, variant),
        published_by=event.published_by,
        published_before_by=event.published_before_by,
    )


def _refused(event: LayoutPublished, now: datetime) -> dict[str, object]:
    names = (event.place.project, event.place.episode, event.place.sequence, event.place.shot)
    place = "/".join(filter(None, names))
    return {
        "key": event.key,
        "event_key": event.key,
        "state": JobState.DEAD.value,
        "step": Step.DETECT.value,
        "project": event.place.project,
        "episode": event.place.episode,
        "sequence": event.place.sequence,
        "shot": event.place.shot,
        "layout": str(event.layout),
        "error": f"No route in the settings takes {place}. Add one, then retry the job.",
        "error_kind": "PolicyRefusal",
        "created_at": now,
        "finished_at": now,
        "updated_at": now,
    }
