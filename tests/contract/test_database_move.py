"""A studio is carried from SQLite to PostgreSQL and back, whole, and one state is left."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import select

from haikei.database import jobs, metadata, open_database, processes, reading
from haikei.errors import SettingsError, StateError
from haikei.jobs import JobState, JobStore
from haikei.jobs.engine.presence import Presence
from haikei.jobs.lanes import Lane, LaneOrder, order_lane
from haikei.jobs.state import open_state
from haikei.ledger import verify
from haikei.processes.moving import move_state
from haikei.settings import Database, Settings, load
from support.databases import KIND, postgres_url
from support.jobs import JobStudio, announce, job_studios, put_layout

pytestmark = pytest.mark.skipif(KIND != "sqlite", reason="it begins on SQLite")


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[JobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)()


def at(settings: Settings, url: str) -> Settings:
    return settings.model_copy(
        update={
            "database": Database(url=url),
            "studio": settings.studio.model_copy(update={"work": None}),
        }
    )


def contents(settings: Settings) -> dict[str, list[dict[str, object]]]:
    database = open_database(settings.database_url)
    with reading(database) as connection:
        found = {
            table.name: [
                dict(row)
                for row in connection.execute(
                    select(table).order_by(*table.primary_key.columns)
                ).mappings()
            ]
            for table in metadata.sorted_tables
            if table is not processes
        }
    database.dispose()
    return found


def test_a_studio_goes_to_postgresql_and_back_and_goes_on(
    studio: JobStudio, tmp_path: Path
) -> None:
    studio.publish("c001")
    announce(studio.database, put_layout(studio.settings, "c002"))
    studio.dispatcher.take_events()
    with studio.database.begin() as connection:
        order_lane(connection, Lane.GENERATE, LaneOrder.PAUSED, by="森")
        connection.execute(
            jobs.update().where(jobs.c.state == "waiting").values(state="running", step="validate")
        )
    open_state(studio.settings).dispose()
    (studio.settings.work_folder / "keys").mkdir(exist_ok=True)
    (studio.settings.work_folder / "keys" / "one.key").write_text("secret")
    before = contents(studio.settings)
    big = at(studio.settings, postgres_url())

    dry = move_state(studio.settings, big, dry_run=True)
    assert contents(studio.settings) == before
    moved = move_state(studio.settings, big)

    assert dry.rows == moved.rows == {name: len(rows) for name, rows in before.items()}
    assert (moved.entries, moved.begin_anew) == (len(before["ledger"]), 1)
    assert (big.work_folder / "keys" / "one.key").read_text() == "secret"
    after = contents(big)
    assert {**after, "jobs": 0} == {**before, "jobs": 0}
    database = open_state(big)
    states = {job.key: (job.state, job.run) for job in JobStore(database).list()}
    assert sorted(states.values()) == [(JobState.DONE, 1), (JobState.WAITING, 2)]
    # The database numbers on where the other had stopped.
    announce(database, put_layout(studio.settings, "c003"))
    database.dispose()
    with pytest.raises(StateError, match="was carried from"):
        open_state(studio.settings)
    with pytest.raises(StateError, match="before"):
        move_state(studio.settings, at(studio.settings, postgres_url()))

    home = at(studio.settings, f"sqlite:///{tmp_path / 'home.db'}")
    with_one_more = contents(big)
    move_state(big, home)
    assert contents(home) == with_one_more
    database = open_state(home)
    with reading(database) as connection:
        assert verify(connection) == len(before["ledger"])
    database.dispose()


def test_nothing_is_moved_while_a_process_works_or_onto_another_state(
    studio: JobStudio, tmp_path: Path
) -> None:
    open_state(studio.settings).dispose()
    target = at(studio.settings, f"sqlite:///{tmp_path / 'new.db'}")
    with (
        Presence(studio.database, holder="host-steps-0", role="steps"),
        pytest.raises(StateError, match="steps on"),
    ):
        move_state(studio.settings, target)
    move_state(studio.settings, target)

    other = studio.settings.model_copy(
        update={"database": Database(url=f"sqlite:///{tmp_path}/3.db")}
    )
    open_database(other.database_url).dispose()
    with pytest.raises(StateError, match="holds a state already"):
        move_state(other, target)
    with pytest.raises(StateError, match="already"):
        move_state(target, target)


@pytest.mark.parametrize(
    "url", ["mysql://a/b", "postgresql://u:geheim@host", "nonsense", "sqlite://"]
)
def test_an_address_that_is_none_is_refused_and_shows_no_password(url: str, tmp_path: Path) -> None:
    (tmp_path / "haikei.toml").write_text(
        f'[studio]\nstate = "state"\n[storage]\nroots = [{{ name = "p", path = "p" }}]\n'
        f'[database]\nurl = "{url}"\n'
    )

    with pytest.raises(SettingsError, match=r"database\.url: found .*; must") as refused:
        load(tmp_path / "haikei.toml", {})

    assert "geheim" not in str(refused.value)
