"""The job engine keeps the promises of its port, over the real DBOS on SQLite and PostgreSQL."""

import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import update

from haikei.database import jobs
from haikei.errors import SettingsError, StateError
from haikei.jobs import JobState, JobStore
from haikei.jobs.background import task_id
from haikei.jobs.engine import (
    Dispatcher,
    Durable,
    Handler,
    QueueSettings,
    Task,
    TaskState,
    load_engine,
)
from haikei.jobs.engine.dbos import DbosEngine
from support.clocks import PATIENCE, eventually
from support.databases import postgres_url
from support.jobs import announce, put_layout, studio_database, studio_settings, work_until_killed


class OpenEngine(Protocol):
    def __call__(self, holder: str = "one", slots: int = 2, **handlers: Handler) -> DbosEngine: ...


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'engine.db'}" if request.param == "sqlite" else postgres_url()


@pytest.fixture
def open_engine(url: str) -> Iterator[OpenEngine]:
    with ExitStack() as stack:

        def make(holder: str = "one", slots: int = 2, **handlers: Handler) -> DbosEngine:
            queue = QueueSettings(name="jobs", slots=slots, poll=0.02)
            engine = DbosEngine(url, holder=holder, queues=(queue,), handlers=handlers)
            stack.enter_context(engine)
            return engine

        yield make


def task(name: str, *, id_: str = "t1", priority: int = 10, payload: str = "{}") -> Task:
    return Task(id=id_, name=name, queue="jobs", payload=payload, priority=priority)


def noted(done: list[str], what: str) -> str:
    done.append(what)
    return what


def test_a_task_submitted_twice_runs_once(open_engine: OpenEngine) -> None:
    seen: list[str] = []
    engine = open_engine(note=lambda _, payload: seen.append(payload))

    engine.submit([task("note", payload='{"a":1}'), task("note", payload='{"a":1}')])
    eventually(lambda: engine.standing(["t1"]).get("t1") is TaskState.ENDED)
    engine.submit([task("note", payload='{"a":1}'), task("note", id_="t2", payload="2")])
    eventually(lambda: engine.standing(["t2"]).get("t2") is TaskState.ENDED)

    assert seen == ['{"a":1}', "2"]


def test_more_urgent_tasks_go_first(open_engine: OpenEngine) -> None:
    order: list[str] = []
    hold = threading.Event()

    def wait(durable: Durable, payload: str) -> None:
        hold.wait(PATIENCE)

    engine = open_engine(slots=1, wait=wait, note=lambda _, payload: order.append(payload))
    engine.submit([task("wait", id_="first")])
    eventually(lambda: engine.standing(["first"]).get("first") is TaskState.RUNNING)
    engine.submit(
        task("note", id_=f"p{number}", priority=number, payload=str(number))
        for number in (300, 20, 1000)
    )
    hold.set()

    eventually(lambda: len(order) == 3)
    assert order == ["20", "300", "1000"]


def test_no_more_tasks_run_at_once_than_there_are_slots(open_engine: OpenEngine) -> None:
    running: list[int] = [0, 0]
    lock = threading.Lock()
    pairs = threading.Barrier(2)  # a task ends when another runs beside it

    def count(durable: Durable, payload: str) -> None:
        with lock:
            running[0] += 1
            running[1] = max(running[1], running[0])
        pairs.wait(PATIENCE)
        with lock:
            running[0] -= 1

    engine = open_engine(slots=2, count=count)
    ids = [f"t{number}" for number in range(8)]
    engine.submit(task("count", id_=id_) for id_ in ids)

    eventually(lambda: set(engine.standing(ids).values()) == {TaskState.ENDED})
    assert running[1] == 2


def test_a_task_hands_over_to_the_next(open_engine: OpenEngine) -> None:
    seen: list[str] = []

    def first(durable: Durable, payload: str) -> None:
        durable.submit(task("second", id_="t2", payload=durable.step("a", lambda: "made")))

    engine = open_engine(first=first, second=lambda _, payload: seen.append(payload))
    engine.submit([task("first")])

    eventually(lambda: seen == ["made"])


def test_a_task_that_raises_has_failed(open_engine: OpenEngine) -> None:
    def fail(durable: Durable, payload: str) -> None:
        raise ZeroDivisionError

    engine = open_engine(fail=fail)
    engine.submit([task("fail")])

    eventually(lambda: engine.standing(["t1"]).get("t1") is TaskState.FAILED)


def test_what_is_withdrawn_while_it_waits_never_runs(open_engine: OpenEngine) -> None:
    hold = threading.Event()
    seen: list[str] = []

    def wait(durable: Durable, payload: str) -> None:
        hold.wait(PATIENCE)

    engine = open_engine(slots=1, wait=wait, note=lambda _, payload: seen.append(payload))
    engine.submit([task("wait", id_="first")])
    eventually(lambda: engine.standing(["first"]).get("first") is TaskState.RUNNING)
    engine.submit([task("note", id_="gone", payload="gone"), task("note", id_="kept")])
    engine.withdraw(["gone"])
    hold.set()

    eventually(lambda: engine.standing(["kept"]).get("kept") is TaskState.ENDED)
    assert engine.standing(["gone"]) == {"gone": TaskState.CANCELLED}
    assert seen == ["{}"]


def test_ended_tasks_are_forgotten_after_their_time_only(open_engine: OpenEngine) -> None:
    engine = open_engine(note=lambda _durable, _payload: None)
    engine.submit([task("note")])
    eventually(lambda: engine.standing(["t1"]).get("t1") is TaskState.ENDED)

    assert engine.forget(datetime.now(UTC) - timedelta(days=1)) == 0
    assert engine.forget(datetime.now(UTC) + timedelta(seconds=5)) == 1
    assert engine.standing(["t1"]) == {}


def test_a_step_that_was_done_is_not_done_again_after_a_stop(
    url: str, open_engine: OpenEngine
) -> None:
    done: list[str] = []
    stopped = threading.Event()

    class Stopping(BaseException):
        pass

    def work(durable: Durable, payload: str) -> None:
        durable.step("a", lambda: noted(done, "a"))
        if not stopped.is_set():
            stopped.set()
            raise Stopping
        durable.step("b", lambda: noted(done, "b"))

    queue = QueueSettings(name="jobs", slots=2, poll=0.02)
    with DbosEngine(url, holder="one", queues=(queue,), handlers={"work": work}) as engine:
        engine.submit([task("work")])
        assert stopped.wait(PATIENCE)
    again = open_engine(work=work)

    eventually(lambda: again.standing(["t1"]).get("t1") is TaskState.ENDED)
    assert done == ["a", "b"]


def test_a_dead_workers_task_is_recovered_by_another_and_goes_on_where_it_was(
    url: str, tmp_path: Path, open_engine: OpenEngine
) -> None:
    log = tmp_path / "log"
    log.touch()
    process = multiprocessing.get_context("spawn").Process(
        target=work_until_killed, args=(url, str(log), "dead")
    )
    process.start()
    try:
        eventually(lambda: '"b"' in log.read_text())
    finally:
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
    process.close()
    done: list[str] = []

    def work(durable: Durable, payload: str) -> None:
        durable.step("a", lambda: noted(done, "a"))
        durable.step("b", lambda: noted(done, "b"))

    engine = open_engine(holder="living", work=work)
    assert engine.holders() == ["dead"]

    # Contract with DBOS's private recovery: it takes an executor id, and gives a handle a task.
    assert engine.recover("dead") == 1

    eventually(lambda: engine.standing(["t1"]).get("t1") is TaskState.ENDED)
    assert done == ["b"]
    assert engine.recover("dead") == 0


#: What the engine calls a task whose job the table believes to be waiting or running, and what
#: reconciliation makes of it. "Not there" is what a lost database leaves.
_ENDINGS = {
    TaskState.ENDED: (JobState.DONE, ""),
    TaskState.FAILED: (JobState.DEAD, "unforeseen error"),
    TaskState.CANCELLED: (JobState.CANCELLED, "cancelled in the job engine"),
    None: (JobState.DONE, ""),
}


@pytest.mark.parametrize("believed", [JobState.WAITING, JobState.RUNNING])
@pytest.mark.parametrize("ended", _ENDINGS)
def test_what_the_engine_ended_and_the_table_has_open_is_taken_up_or_ended_with_a_reason(
    tmp_path: Path, open_engine: OpenEngine, believed: JobState, ended: TaskState | None
) -> None:
    settings = studio_settings(tmp_path)
    database = studio_database(settings)
    store = JobStore(database)
    hold = threading.Event()

    def prepare(durable: Durable, payload: str) -> None:
        run = json.loads(payload)["run"]
        if run > 1 or ended is None:
            with database.begin() as connection:
                connection.execute(update(jobs).values(state="done"))
        elif ended is TaskState.FAILED:
            raise ZeroDivisionError
        elif ended is TaskState.CANCELLED:
            hold.wait(PATIENCE)
            durable.step("a", lambda: "never")

    engine = open_engine(prepare=prepare)
    dispatcher = Dispatcher(settings, database, engine, ahead=10)
    announce(database, put_layout(settings))
    dispatcher.take_events()
    key = store.list()[0].key
    id_ = task_id(key, 1, "prepare")
    if ended is not None:
        dispatcher.feed()
        if ended is TaskState.CANCELLED:
            eventually(lambda: engine.standing([id_]).get(id_) is TaskState.RUNNING)
            engine.withdraw([id_])
            hold.set()
        eventually(lambda: engine.standing([id_]).get(id_) is ended)
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    with database.begin() as connection:
        connection.execute(update(jobs).values(state=believed.value, updated_at=long_ago))

    dispatcher.reconcile_with_engine()
    dispatcher.feed()

    state, reason = _ENDINGS[ended]
    eventually(lambda: store.get(key).state is state)
    job = store.get(key)
    assert reason in job.error + job.note
    database.dispose()


def test_a_database_that_cannot_be_opened_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "engine.db").mkdir()
    engine = DbosEngine(f"sqlite:///{tmp_path / 'engine.db'}", holder="one", queues=(), handlers={})

    with pytest.raises(StateError, match="cannot be used"):
        engine.__enter__()


def test_the_engine_is_chosen_by_its_name_among_the_installed_ones() -> None:
    assert load_engine("dbos") is DbosEngine


def test_an_engine_that_is_not_installed_is_named_with_those_that_are() -> None:
    with pytest.raises(SettingsError, match="no job engine 'celery'") as raised:
        load_engine("celery")

    assert "dbos" in (raised.value.advice or "")
