"""A database of PostgreSQL is dumped and put back by its own programs, its password unseen."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from haikei.backup import check_backup, make_backup, put_back
from haikei.backup.dumping import require_empty
from haikei.errors import BackupUnusable, StateError
from support.databases import postgres_url
from support.jobs import JobStudio, OpenJobStudio, job_studios

PATIENT = pytest.mark.timeout(120)


@pytest.fixture
def open_studio(tmp_path: Path) -> Iterator[OpenJobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)


def on_postgresql(open_studio: OpenJobStudio, url: str) -> JobStudio:
    return open_studio(engine={"url": url})


@PATIENT
def test_the_engines_database_on_a_server_goes_along_and_comes_back(
    open_studio: OpenJobStudio, tmp_path: Path
) -> None:
    first, second = postgres_url(), postgres_url()
    here = create_engine(first)
    with here.begin() as connection:
        connection.execute(text("CREATE TABLE kept (id integer)"))
        connection.execute(text("INSERT INTO kept VALUES (7)"))
    here.dispose()
    studio = on_postgresql(open_studio, first)
    made = make_backup(studio.settings, studio.database, None, tmp_path / "copy.tar")
    assert made.left_out == ()
    studio.database.dispose()
    shutil.rmtree(studio.settings.studio.state)

    with pytest.raises(StateError, match="nothing is restored over them"):
        put_back(made.path, studio.settings, studio.settings.studio.state)
    moved = studio.settings.model_copy(
        update={"engine": studio.settings.engine.model_copy(update={"url": second})}
    )
    put_back(made.path, moved, moved.studio.state)

    there = create_engine(second)
    with there.connect() as connection:
        assert connection.execute(text("SELECT id FROM kept")).scalar_one() == 7
    there.dispose()


@PATIENT
def test_without_its_programs_a_database_is_named_as_left_out(
    open_studio: OpenJobStudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = on_postgresql(open_studio, "postgresql+psycopg://someone:secret@127.0.0.1:9/none")
    monkeypatch.setenv("PATH", str(tmp_path))

    made = make_backup(studio.settings, studio.database, None, tmp_path / "copy")

    (left_out,) = made.left_out
    assert left_out.startswith("the database engine: pg_dump is not installed here")
    assert check_backup(made.path).manifest.databases[1].path == ""
    with pytest.raises(StateError, match="cannot be reached") as refused:
        require_empty(studio.settings.engine_url)
    assert "secret" not in str(refused.value)


def test_a_backup_of_files_is_not_put_onto_a_server(
    open_studio: OpenJobStudio, tmp_path: Path
) -> None:
    studio = open_studio()
    engine = create_engine(f"sqlite:///{studio.settings.studio.state / 'engine.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE kept (id integer)"))
    engine.dispose()
    made = make_backup(studio.settings, studio.database, None, tmp_path / "copy")
    target = tmp_path / "other"
    moved = studio.settings.model_copy(
        update={
            "engine": studio.settings.engine.model_copy(update={"url": "postgresql://x@h/d"}),
            "studio": studio.settings.studio.model_copy(update={"state": target}),
        }
    )

    with pytest.raises(StateError, match="of sqlite, and the settings name a PostgreSQL database"):
        put_back(made.path, moved, target)


def test_a_damaged_page_of_a_database_is_found(open_studio: OpenJobStudio, tmp_path: Path) -> None:
    from haikei.backup.dumping import check_dump, check_sqlite

    studio = open_studio()
    studio.publish("c001")
    made = make_backup(studio.settings, studio.database, None, tmp_path / "copy")
    path = made.path / "databases" / "haikei.db"
    content = bytearray(path.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    path.write_bytes(bytes(content))

    with pytest.raises(BackupUnusable, match="damaged"):
        check_sqlite(path)
    path.write_bytes(b"no dump")
    if shutil.which("pg_restore"):
        with pytest.raises(BackupUnusable, match="cannot be read"):
            check_dump(path)
