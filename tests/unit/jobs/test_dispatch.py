"""Events become jobs once, and what the engine lost, ended or holds too long is noticed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Engine, update
from structlog.testing import capture_logs

from haikei.database import jobs
from haikei.jobs import JobState, JobStore
from haikei.jobs.background import first_task, task_id
from haikei.jobs.engine import Dispatcher, TaskState
from haikei.settings import Settings
from support.jobs import (
    MemoryEngine,
    announce,
    job_studios,
    put_layout,
    studio_database,
    studio_settings,
)

LONG_AGO = datetime.now(UTC) - timedelta(hours=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return studio_settings(tmp_path)


@pytest.fixture
def database(settings: Settings) -> Iterator[Engine]:
    database = studio_database(settings)
    yield database
    database.dispose()


def running(database: Engine, key: str, **values: object) -> None:
    """Make a job one that runs and has been silent."""
    with database.begin() as connection:
        connection.execute(
            update(jobs)
            .where(jobs.c.key == key)
            .values(**{"state": "running", "step": "generate", "updated_at": LONG_AGO, **values})
        )


def test_a_layout_seen_twice_makes_one_job(settings: Settings, database: Engine) -> None:
    engine = MemoryEngine()
    dispatcher = Dispatcher(settings, database, engine, ahead=10)
    event = put_layout(settings)
    announce(database, event)
    dispatcher.tick()

    announce(database, event)
    dispatcher.tick()

    assert len(JobStore(database).list()) == 1
    assert len(engine.queue) == 1


def test_a_crash_between_the_tables_and_the_engine_loses_nothing(
    settings: Settings, database: Engine
) -> None:
    announce(database, put_layout(settings))
    Dispatcher(settings, database, MemoryEngine(), ahead=10).take_events()
    engine = MemoryEngine()

    Dispatcher(settings, database, engine, ahead=10).tick()

    assert len(engine.queue) == 1


def test_no_more_jobs_are_handed_over_than_there_is_room(
    settings: Settings, database: Engine
) -> None:
    engine = MemoryEngine()
    announce(database, *(put_layout(settings, f"c00{number}") for number in range(5)))
    dispatcher = Dispatcher(settings, database, engine, ahead=3)

    dispatcher.tick()
    assert len(engine.queue) == 3
    running(database, engine.queue[0].id.removesuffix(".1.prepare"))
    dispatcher.tick()

    assert len(engine.queue) == 3


def test_shows_take_turns_however_many_jobs_one_of_them_brings(tmp_path: Path) -> None:
    routes = [{"project": "PORT", "recipe": "flat"}, {"recipe": "flat"}]
    settings = studio_settings(tmp_path, routes=routes)
    database = studio_database(settings)
    engine = MemoryEngine()
    events = [put_layout(settings, f"c{number:03}") for number in range(12)]
    later = [
        replace(one, place=replace(one.place, project="HILL"), sha256=f"{number:064}")
        for number, one in enumerate(events[:3])
    ]
    announce(database, *events, *later)
    dispatcher = Dispatcher(settings, database, engine, ahead=4)
    dispatcher.tick()
    shows = {job.key: job.place.project for job in JobStore(database).list()}

    def of(task: str) -> str:
        return shows[task.removesuffix(".1.prepare")]

    assert sorted(of(task.id) for task in engine.queue) == ["HILL", "HILL", "PORT", "PORT"]
    for task in engine.queue:
        if of(task.id) == "PORT":
            running(database, task.id.removesuffix(".1.prepare"))
    engine.queue.clear()
    dispatcher.tick()
    assert [of(one.id) for one in engine.queue] == []
    database.dispose()


def test_the_most_urgent_job_is_handed_over_first(tmp_path: Path) -> None:
    routes = [{"shot": "c009", "recipe": "flat", "priority": 1}, {"recipe": "flat"}]
    settings = studio_settings(tmp_path, routes=routes)
    database = studio_database(settings)
    engine = MemoryEngine()
    announce(database, *(put_layout(settings, f"c00{number}") for number in (1, 2, 9)))

    Dispatcher(settings, database, engine, ahead=1).tick()

    assert [JobStore(database).get(task.id.split(".")[0]).place.shot for task in engine.queue] == [
        "c009"
    ]
    database.dispose()


def test_jobs_of_one_recipe_go_together_and_none_is_overtaken_for_long(tmp_path: Path) -> None:
    routes = [{"shot": "c*[02468]", "recipe": "even"}, {"recipe": "flat"}]
    recipe = {"stages": [{"name": "gen1", "generator": "flat", "options": {"level": 0.25}}]}
    settings = studio_settings(tmp_path, routes=routes, recipes={"flat": recipe, "even": recipe})
    database = studio_database(settings)
    engine = MemoryEngine()
    announce(database, *(put_layout(settings, f"c{number:03}") for number in range(100)))
    dispatcher = Dispatcher(settings, database, engine, ahead=3)
    order: list[int] = []
    recipes: list[str] = []
    while dispatcher.tick():
        assert len(engine.queue) <= 3
        for task in engine.queue:
            job = JobStore(database).get(task.id.split(".")[0])
            order.append(int(job.place.shot[1:]))
            recipes.append(job.recipe)
            running(database, job.key, state="done")
        engine.queue.clear()

    assert sorted(order) == list(range(100))
    changes = sum(one != other for one, other in pairwise(recipes))
    assert changes <= 100 // 15
    # Each goes at most as many places later as there may be jobs that overtake it.
    assert max(order.index(number) - number for number in order) <= 30
    database.dispose()


@pytest.mark.parametrize(
    ("found", "state", "kind"),
    [
        (TaskState.POISON, JobState.DEAD, "Poison"),
        (TaskState.FAILED, JobState.DEAD, "TaskFailed"),
        (TaskState.CANCELLED, JobState.CANCELLED, ""),
        (TaskState.RUNNING, JobState.RUNNING, ""),
        (TaskState.QUEUED, JobState.RUNNING, ""),
    ],
)
def test_a_silent_job_ends_as_its_task_did(
    settings: Settings, database: Engine, found: TaskState, state: JobState, kind: str
) -> None:
    engine = MemoryEngine()
    dispatcher = Dispatcher(settings, database, engine, ahead=10)
    announce(database, put_layout(settings))
    dispatcher.tick()
    key = JobStore(database).list()[0].key
    running(database, key)
    engine.states = {
        task_id(key, 1, "prepare"): TaskState.ENDED,
        task_id(key, 1, "generate"): found,
    }

    dispatcher.reconcile_with_engine()

    job = JobStore(database).get(key)
    assert (job.state, job.error_kind) == (state, kind)


def test_a_running_job_that_the_engine_lost_begins_anew(
    settings: Settings, database: Engine
) -> None:
    announce(database, put_layout(settings))
    Dispatcher(settings, database, MemoryEngine(), ahead=10).tick()
    key = JobStore(database).list()[0].key
    running(database, key)
    engine = MemoryEngine()
    dispatcher = Dispatcher(settings, database, engine, ahead=10)

    assert dispatcher.reconcile_with_engine() == 1
    dispatcher.tick()

    assert [task.id for task in engine.queue] == [task_id(key, 2, "prepare")]


def test_a_job_whose_tasks_always_end_without_doing_it_is_a_dead_letter_at_last(
    settings: Settings, database: Engine
) -> None:
    announce(database, put_layout(settings))
    engine = MemoryEngine()
    dispatcher = Dispatcher(settings, database, engine, ahead=10)
    dispatcher.tick()
    key = JobStore(database).list()[0].key
    rounds = 0
    while JobStore(database).get(key).state is JobState.WAITING:
        rounds += 1
        dispatcher.feed()
        engine.states = dict.fromkeys(engine.states, TaskState.ENDED)  # another studio's worker
        running(database, key, state="waiting", step="")
        assert dispatcher.reconcile_with_engine() == 1

    job = JobStore(database).get(key)
    assert (job.state, job.error_kind) == (JobState.DEAD, "TaskLost")
    assert "log of the workers" in job.error
    assert rounds == job.attempts > 10


def test_a_waiting_job_that_a_living_dispatcher_submitted_is_submitted_again_when_it_is_lost(
    settings: Settings, database: Engine
) -> None:
    engine = MemoryEngine()
    announce(database, put_layout(settings))
    dispatcher = Dispatcher(settings, database, engine, ahead=10)
    dispatcher.tick()
    (task,) = engine.queue
    running(database, JobStore(database).list()[0].key, state="waiting", step="")
    engine.queue.clear()
    engine.states.clear()

    dispatcher.tick()
    assert engine.queue == []
    dispatcher.reconcile_with_engine()
    dispatcher.tick()

    assert engine.queue == [task]


def test_a_job_that_changes_while_it_is_looked_up_is_left_alone(
    settings: Settings, database: Engine
) -> None:
    class Racing(MemoryEngine):
        def standing(self, ids: Sequence[str]) -> Mapping[str, TaskState]:
            running(database, key, state="done", updated_at=datetime.now(UTC))
            return dict.fromkeys(ids, TaskState.ENDED)

    announce(database, put_layout(settings))
    dispatcher = Dispatcher(settings, database, Racing(), ahead=10)
    dispatcher.tick()
    key = JobStore(database).list()[0].key
    running(database, key)

    assert dispatcher.reconcile_with_engine() == 0
    assert JobStore(database).get(key).state is JobState.DONE


def test_a_task_of_another_studios_job_is_said_and_not_passed_over(tmp_path: Path) -> None:
    with ExitStack() as stack:
        ours = job_studios(stack, tmp_path)()
        ours.engine.submit([first_task("layout-theirs", 1, 100)])

        with capture_logs() as logs:
            ours.engine.run()

    said = [line for line in logs if line["event"] == "job_unknown"]
    assert [(line["job"], "database.url" in line["advice"]) for line in said] == [
        ("layout-theirs", True)
    ]


def test_a_job_that_waits_for_its_pictures_is_cancelled_at_once(
    settings: Settings, database: Engine
) -> None:
    engine = MemoryEngine()
    dispatcher = Dispatcher(settings, database, engine, ahead=10)
    announce(database, put_layout(settings))
    dispatcher.tick()
    key = JobStore(database).list()[0].key
    running(database, key)
    engine.states[task_id(key, 1, "prepare")] = TaskState.ENDED
    engine.states[task_id(key, 1, "generate")] = TaskState.QUEUED

    JobStore(database).cancel(key)
    dispatcher.tick()

    assert JobStore(database).get(key).state is JobState.CANCELLED
    assert engine.states[task_id(key, 1, "generate")] is TaskState.CANCELLED
