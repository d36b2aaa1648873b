"""Of many processes one leads; who dies, is cut off or freezes is followed by another."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from haikei.database import open_database, processes, reading, utc_now
from haikei.jobs.engine.presence import (
    DEAD_AFTER,
    HostProcess,
    Presence,
    ProcessState,
    attending,
    present,
)
from haikei.jobs.engine.recovery import DeadWorkerRecovery, open_locks
from haikei.settings import Settings
from support.clocks import PATIENCE, eventually
from support.databases import postgres_url
from support.jobs import studio_settings


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'haikei.db'}" if request.param == "sqlite" else postgres_url()


@pytest.fixture
def database(url: str) -> Iterator[Engine]:
    opened = open_database(url)
    yield opened
    opened.dispose()


def here(database: Engine) -> dict[str, HostProcess]:
    with reading(database) as connection:
        return {one.role: one for one in present(connection)}


def test_a_process_is_seen_while_it_works_and_silent_when_it_gives_no_sign(
    database: Engine,
) -> None:
    with Presence(database, holder="host-steps-0", role="steps", lanes=("jobs",)) as presence:
        seen = here(database)["steps"]
        presence.now(ProcessState.DRAINS)
        drains = here(database)["steps"]
        long_ago = utc_now() - DEAD_AFTER - timedelta(seconds=1)
        with database.begin() as connection:
            connection.execute(update(processes).values(seen_at=long_ago))
        silent = here(database)["steps"]

    assert (seen.state, seen.lanes) == (ProcessState.WORKS, ("jobs",))
    assert drains.state is ProcessState.DRAINS
    assert silent.state is ProcessState.SILENT
    assert here(database) == {}


class Tasks:
    """What a dead worker had begun."""

    def __init__(self, holder: str) -> None:
        self.holder = holder
        self.recovered: list[str] = []

    def holders(self) -> Sequence[str]:
        return [self.holder]

    def recover(self, holder: str) -> int:
        self.recovered.append(holder)
        return 1


def test_a_worker_that_is_frozen_loses_its_lock_and_its_tasks_go_on(tmp_path: Path) -> None:
    url = postgres_url()
    frozen, living = open_locks(url, tmp_path), open_locks(url, tmp_path)
    assert frozen.hold("host-steps-0")
    tasks = Tasks("host-steps-0")
    silent: set[str] = set()
    guard = DeadWorkerRecovery(living, tasks, own="host-steps-1", silent=lambda: silent)

    assert guard.sweep() == 0
    assert frozen.held("host-steps-0")
    silent.add("host-steps-0")
    eventually(lambda: bool(guard.sweep()) or bool(tasks.recovered), "the recovery")

    assert set(tasks.recovered) == {"host-steps-0"}
    assert not frozen.held("host-steps-0")
    living.release()


def test_one_leads_and_the_next_takes_over_when_it_ends(
    url: str, database: Engine, tmp_path: Path
) -> None:
    settings = _settings(tmp_path, url)
    led: list[str] = []
    stops = {name: threading.Event() for name in ("first", "second")}

    def work(name: str) -> None:
        with attending(settings, database, name, stops[name], alone="events") as ours:
            if ours:
                led.append(name)
                stops[name].wait(PATIENCE)

    threads = [threading.Thread(target=work, args=(name,)) for name in stops]
    threads[0].start()
    eventually(lambda: led == ["first"], "the first")
    threads[1].start()
    eventually(
        lambda: (
            "second" in here(database) and here(database)["second"].state is ProcessState.STANDS_BY
        ),
        "the second",
    )
    stops["first"].set()
    eventually(lambda: led == ["first", "second"], "the takeover")
    eventually(lambda: here(database)["second"].state is ProcessState.WORKS, "the second's state")
    stops["second"].set()
    for thread in threads:
        thread.join(PATIENCE)


def test_who_stands_by_and_is_stopped_never_led(url: str, database: Engine, tmp_path: Path) -> None:
    settings = _settings(tmp_path, url)
    stop = threading.Event()
    with ExitStack() as stack:
        assert stack.enter_context(
            attending(settings, database, "first", threading.Event(), alone="review")
        )
        stop.set()
        with attending(settings, database, "second", stop, alone="review") as ours:
            assert not ours


def _settings(folder: Path, url: str) -> Settings:
    return studio_settings(folder, database={"url": url})
