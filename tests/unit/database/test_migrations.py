"""A database of every schema that was ever released comes up to the present one, with its rows."""

from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from haikei.database import HEAD, metadata, open_database
from haikei.database.connection import MIGRATIONS
from haikei.ledger import append, verify
from support.databases import postgres_url

REVISIONS = [
    one.revision for one in ScriptDirectory(str(MIGRATIONS)).walk_revisions() if one.revision
]


def config() -> Config:
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    return made


def sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'haikei.db'}"


def postgresql(_: Path) -> str:
    return postgres_url()


def test_the_newest_migration_is_the_schema_that_is_asked_for() -> None:
    assert REVISIONS[0] == HEAD
    assert len(REVISIONS) == len(set(REVISIONS))


@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.parametrize("where", [sqlite, postgresql], ids=["sqlite", "postgresql"])
def test_a_database_of_that_schema_keeps_its_rows_on_the_way_up(
    where: Callable[[Path], str], revision: str, tmp_path: Path
) -> None:
    url = where(tmp_path)
    engine = create_engine(url)
    with engine.begin() as connection:
        made = config()
        made.attributes["connection"] = connection
        command.upgrade(made, revision)
        for number in range(3):
            append(connection, key=f"old-{number}", payload=f'{{"old":{number}}}')
        connection.execute(
            text(
                "INSERT INTO events (key, kind, source, payload, received_at) "
                "VALUES ('e1', 'layout_published', 'watch', '{}', '2026-01-01T00:00:00+00:00')"
            )
        )
    engine.dispose()

    database = open_database(url)
    with database.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []
        assert verify(connection) == 3
        assert connection.execute(text("SELECT key FROM events")).scalars().all() == ["e1"]
        append(connection, key="new", payload='{"new":1}')
        assert verify(connection) == 4
    database.dispose()
