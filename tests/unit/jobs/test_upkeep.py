"""What jobs leave behind goes when nobody needs it any more, and no sooner."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, update
from typing_extensions import override

from haikei.database import jobs
from haikei.jobs import JobStore
from haikei.jobs.engine import Dispatcher
from haikei.jobs.engine.worker import REMEMBER_DAYS, Upkeep
from haikei.jobs.tools import Tools
from haikei.settings import Settings
from support.jobs import MemoryEngine, announce, put_layout, studio_database, studio_settings


@dataclass(slots=True)
class ForgetfulEngine(MemoryEngine):
    """Remembers what it was asked to forget."""

    asked: list[datetime] = field(default_factory=list[datetime])

    @override
    def forget(self, before: datetime) -> int:
        self.asked.append(before)
        return 0


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return studio_settings(tmp_path)


@pytest.fixture
def database(settings: Settings) -> Iterator[Engine]:
    database = studio_database(settings)
    yield database
    database.dispose()


@pytest.fixture
def tools(settings: Settings, database: Engine) -> Iterator[Tools]:
    tools = Tools(settings, database, threading.Event())
    yield tools
    tools.close()


def test_only_settled_jobs_lose_their_folders(
    settings: Settings, database: Engine, tools: Tools
) -> None:
    engine = MemoryEngine()
    states = ("waiting", "running", "done", "dead", "cancelled", "skipped")
    announce(database, *(put_layout(settings, f"c00{number}") for number in range(len(states))))
    Dispatcher(settings, database, engine, ahead=0).tick()
    kept: dict[str, str] = {}
    for job, state in zip(JobStore(database).list(), states, strict=True):
        with database.begin() as connection:
            connection.execute(update(jobs).where(jobs.c.key == job.key).values(state=state))
        tools.folder(job.key).mkdir(parents=True)
        kept[job.key] = state
    (tools.folders / "not-a-job").mkdir()

    assert Upkeep(tools, database, engine).clear_folders() == 2

    left = {path.name for path in tools.folders.iterdir()}
    assert {kept.get(name, "other") for name in left} == {
        *("waiting", "running", "dead", "cancelled"),
        "other",
    }


def test_the_engine_forgets_what_ended_long_ago(database: Engine, tools: Tools) -> None:
    engine = ForgetfulEngine()

    Upkeep(tools, database, engine).run()

    (before,) = engine.asked
    assert (datetime.now(UTC) - before).days == REMEMBER_DAYS


def test_a_mount_that_is_away_does_not_stop_the_upkeep(
    settings: Settings, database: Engine, tools: Tools
) -> None:
    engine = ForgetfulEngine()
    settings.storage.roots[0].path.rmdir()

    Upkeep(tools, database, engine).run()

    assert len(engine.asked) == 1
