"""A database of PostgreSQL is dumped and put back by its own programs, its password unseen."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from haikei.backup import check_backup, make_backup, put_back
from haikei.backup.dumping import require_empty
from haikei.errors import BackupUnusable, StateError
from haikei.jobs.state import open_state
from haikei.ledger import append, entry
from support.databases import postgres_url
from support.jobs import OpenJobStudio, job_studios, studio_settings


@pytest.fixture
def open_studio(tmp_path: Path) -> Iterator[OpenJobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)


def test_a_state_on_a_server_goes_along_and_comes_back(tmp_path: Path) -> None:
    first, second = postgres_url(), postgres_url()
    settings = studio_settings(tmp_path, database={"url": first})
    database = open_state(settings)
    with database.begin() as connection:
        append(connection, key="kept", payload='{"kept":1}')
    made = make_backup(settings, database, None, tmp_path / "copy.tar")
    database.dispose()
    assert made.left_out == ()
    assert made.manifest.entries == 1
    shutil.rmtree(settings.studio.state)

    with pytest.raises(StateError, match="nothing is restored over them"):
        put_back(made.path, settings, settings.studio.state)
    moved = settings.model_copy(
        update={"database": settings.database.model_copy(update={"url": second})}
    )
    put_back(made.path, moved, moved.studio.state)

    database = open_state(moved)
    with database.connect() as connection:
        assert entry(connection, 0).key == "kept"
    database.dispose()


def test_without_its_programs_a_database_is_named_as_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = studio_settings(tmp_path, database={"url": postgres_url()})
    database = open_state(settings)
    monkeypatch.setenv("PATH", str(tmp_path))

    made = make_backup(settings, database, None, tmp_path / "copy")
    database.dispose()

    (left_out,) = made.left_out
    assert left_out.startswith("the database haikei: pg_dump is not installed here")
    assert check_backup(made.path).manifest.databases[0].path == ""


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(StateError, match="cannot be reached") as refused:
        require_empty("postgresql+psycopg://someone:secret@127.0.0.1:9/none")
    assert "secret" not in str(refused.value)


def test_a_backup_of_files_is_not_put_onto_a_server(
    open_studio: OpenJobStudio, tmp_path: Path
) -> None:
    studio = open_studio()
    made = make_backup(studio.settings, studio.database, None, tmp_path / "copy")
    target = tmp_path / "other"
    moved = studio_settings(
        tmp_path,
        database={"url": "postgresql+psycopg://x@127.0.0.1:9/d"},
        studio={"name": "Test Studio", "state": str(target)},
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
