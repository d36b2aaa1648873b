"""The studio's database opens at its present schema, from many processes at once."""

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, insert, inspect, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from haikei.database import image_records, ledger, metadata, open_database, reading, utc_now
from haikei.database.connection import MIGRATIONS
from haikei.errors import StateError
from support.clocks import PATIENCE


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'state' / 'haikei.db'}"


def test_the_migrations_make_the_schema_that_the_code_knows(tmp_path: Path) -> None:
    database = open_database(_url(tmp_path))

    with database.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []
        names = set(inspect(connection).get_table_names())
    database.dispose()
    assert {table.name for table in metadata.sorted_tables} < names


def test_processes_that_start_together_agree_on_one_schema(tmp_path: Path) -> None:
    code = f"from haikei.database import open_database; open_database({_url(tmp_path)!r}).dispose()"
    processes = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(6)]
    assert [process.wait(PATIENCE) for process in processes] == [0] * 6

    database = open_database(_url(tmp_path))
    with reading(database) as connection:
        versions = connection.execute(text("SELECT count(*) FROM alembic_version")).scalar_one()
    database.dispose()
    assert versions == 1


def test_a_database_of_a_newer_haikei_is_refused(tmp_path: Path) -> None:
    database = open_database(_url(tmp_path))
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.dispose()

    with pytest.raises(StateError, match="9999"):
        open_database(_url(tmp_path))


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "haikei.db").write_text("no database" * 1000)

    with pytest.raises(StateError, match=r"haikei\.db"):
        open_database(_url(tmp_path))


def test_a_reader_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    database = open_database(_url(tmp_path))
    read = threading.Event()

    def look() -> None:
        with reading(database) as connection:
            connection.execute(text("SELECT count(*) FROM jobs"))
        read.set()

    with database.begin() as writer:
        writer.execute(text("DELETE FROM jobs"))
        thread = threading.Thread(target=look)
        thread.start()
        assert read.wait(PATIENCE)
    thread.join()
    database.dispose()


def test_records_from_before_there_were_fingerprints_have_none(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    engine = create_engine(_url(tmp_path))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(
            text(
                "INSERT INTO image_records (ledger_seq, key, sha256, pixels_sha256, kind, "
                "source_type, path, request, created_at) "
                "VALUES (1, 'old', '', '', 'layout', '', '', '', '2026-01-01T00:00:00+00:00')"
            )
        )
    engine.dispose()

    database = open_database(_url(tmp_path))
    with reading(database) as connection:
        found = connection.execute(select(image_records.c.key, image_records.c.fingerprint)).all()
    database.dispose()

    assert [tuple(one) for one in found] == [("old", "")]


def test_moments_come_back_aware_and_sort_as_they_happened(tmp_path: Path) -> None:
    database = open_database(_url(tmp_path))
    tokyo = datetime(2026, 11, 22, 9, 0, tzinfo=timezone(timedelta(hours=9)))
    london = datetime(2026, 11, 22, 0, 0, 0, 1, tzinfo=UTC)
    row = {"sha256": "", "pixels_sha256": "", "kind": "layout", "source_type": "", "path": ""}
    with database.begin() as connection:
        connection.execute(
            insert(image_records), {**row, "ledger_seq": 1, "key": "late", "created_at": london}
        )
        connection.execute(
            insert(image_records), {**row, "ledger_seq": 2, "key": "early", "created_at": tokyo}
        )
        column = image_records.c.created_at
        found = [*connection.execute(select(column).order_by(column)).scalars()]

    assert found == [tokyo, london]
    assert all(moment.tzinfo is not None for moment in found)
    naive = datetime(2026, 11, 22)  # noqa: DTZ001 - a naive moment is what is refused
    values = {**row, "ledger_seq": 3, "key": "naive", "created_at": naive}
    with database.begin() as connection, pytest.raises(StatementError, match="no time zone"):
        connection.execute(insert(image_records), values)
    database.dispose()


@pytest.mark.parametrize(
    "accident",
    [
        "UPDATE ledger SET payload = 'other'",
        "DELETE FROM ledger",
        "INSERT INTO ledger (seq, key, leaf, payload, appended_at) VALUES (7, 'b', '', '', '')",
    ],
)
def test_an_accident_cannot_change_the_ledger(accident: str, tmp_path: Path) -> None:
    database = open_database(_url(tmp_path))
    with database.begin() as connection:
        connection.execute(
            insert(ledger),
            {"seq": 0, "key": "a", "leaf": b"", "payload": "it", "appended_at": utc_now()},
        )

    with database.begin() as connection, pytest.raises(IntegrityError, match="append-only"):
        connection.execute(text(accident))
    with reading(database) as connection:
        assert [*connection.execute(select(ledger.c.payload)).scalars()] == ["it"]
    database.dispose()
