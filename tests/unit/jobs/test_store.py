"""People look at jobs, try them again, skip and cancel them, through the table alone."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select, update

from haikei.database import files, jobs
from haikei.errors import JobError
from haikei.events import Source
from haikei.jobs import (
    JobState,
    JobStore,
    Refusal,
    Step,
    refuse,
)
from haikei.jobs.engine import Dispatcher
from support.jobs import MemoryEngine, announce, put_layout, studio_database, studio_settings


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    settings = studio_settings(tmp_path)
    database = studio_database(settings)
    announce(database, *(put_layout(settings, f"c00{number}") for number in range(3)))
    Dispatcher(settings, database, MemoryEngine(), ahead=9).tick()
    yield database
    database.dispose()


@pytest.fixture
def store(database: Engine) -> JobStore:
    return JobStore(database)


def put(database: Engine, key: str, **values: object) -> None:
    with database.begin() as connection:
        connection.execute(update(jobs).where(jobs.c.key == key).values(**values))


def test_jobs_are_listed_newest_first_and_filtered(database: Engine, store: JobStore) -> None:
    found = store.list()
    assert [job.place.shot for job in found] == ["c002", "c001", "c000"]
    put(database, found[0].key, state="dead")

    assert [job.place.shot for job in store.list(states=(JobState.DEAD,))] == ["c002"]
    assert [job.place.shot for job in store.list(limit=1)] == ["c002"]
    assert store.list(project="OTHER") == []
    assert store.counts()[JobState.WAITING] == 2
    assert store.counts()[JobState.DONE] == 0


def test_a_job_is_found_by_the_beginning_of_its_key(store: JobStore) -> None:
    key = store.list()[0].key

    assert store.get(key[:20]).key == key
    with pytest.raises(JobError, match="More than one"):
        store.get("layout-")
    with pytest.raises(JobError, match="no job"):
        store.get("nonsense")
    with pytest.raises(JobError, match="no job"):
        store.get("")


def test_a_wildcard_in_a_key_is_a_letter_like_others(store: JobStore) -> None:
    with pytest.raises(JobError, match="no job"):
        store.get("%")


def test_changes_since_a_moment_are_told_in_order(store: JobStore) -> None:
    first = store.changes(None)
    assert len(first) == 3
    store.cancel(first[0].key)

    changed = store.changes(max(job.updated_at for job in first))

    assert changed[-1].key == first[0].key
    assert changed[-1].state is JobState.CANCELLED


def test_only_what_ended_badly_can_be_tried_again(database: Engine, store: JobStore) -> None:
    key = store.list()[0].key
    with pytest.raises(JobError, match="waiting and cannot be tried again"):
        store.retry(key)
    put(database, key, state="dead", error="no", error_kind="X", attempts=6, crashes=4)

    job = store.retry(key)

    assert (job.state, job.run, job.error, job.attempts) == (JobState.WAITING, 2, "", 0)
    assert store.get(key).run == 2


def test_a_skipped_job_keeps_why(store: JobStore) -> None:
    key = store.list()[0].key

    store.skip(key, "cut from the film")

    assert (store.get(key).state, store.get(key).note) == (JobState.SKIPPED, "cut from the film")
    with pytest.raises(JobError, match="cannot be cancelled"):
        store.cancel(key)


def test_a_running_job_is_asked_to_stop(database: Engine, store: JobStore) -> None:
    key = store.list()[0].key
    put(database, key, state="running")

    assert store.cancel(key).state is JobState.RUNNING
    with database.connect() as connection:
        asked = connection.execute(select(jobs.c.cancel_asked).where(jobs.c.key == key)).scalar()
    assert asked == 1
    with pytest.raises(JobError, match="cannot be skipped"):
        store.skip(key, "")


def test_a_refused_file_that_is_tried_again_is_looked_at_anew(
    database: Engine, store: JobStore
) -> None:
    refusal = Refusal(
        key="refused-1", layout=Path("/l/x.png"), source=Source.WATCH, reason="cut", kind="K"
    )
    with database.begin() as connection:
        assert refuse(connection, refusal)
        assert not refuse(connection, refusal)
        connection.execute(
            insert(files).values(
                path="/l/x.png",
                size=1,
                mtime_ns=1,
                inode=1,
                state="refused",
                seen_at=datetime.now(UTC),
            )
        )
    assert store.get("refused-1").step is Step.DETECT

    store.retry("refused-1")

    with database.begin() as connection:
        assert connection.execute(select(files)).all() == []
        assert refuse(connection, refusal)


def test_commands_and_pages_load_no_job_engine() -> None:
    code = (
        "import sys, haikei.jobs.table, haikei.jobs.inbox; "
        "bad = {'dbos', 'torch', 'cv2', 'OpenImageIO', 'shotgun_api3'} & set(sys.modules); "
        "sys.exit(f'loaded {bad}' if bad else 0)"
    )

    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "module", ["haikei.sources.watch", "haikei.sources.eventlog", "haikei.review"]
)
def test_who_makes_no_pictures_loads_nothing_that_decodes_them(module: str) -> None:
    code = (
        f"import sys, {module}; "
        "bad = {'numpy', 'cv2', 'scipy', 'PIL', 'OpenImageIO', 'alembic'} & set(sys.modules); "
        "sys.exit(f'loaded {bad}' if bad else 0)"
    )

    subprocess.run([sys.executable, "-c", code], check=True)
