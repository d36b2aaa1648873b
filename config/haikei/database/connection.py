"""
Open the studio's database with the settings it needs, and bring its schema up to date.

Points in time are aware, in UTC, and stored so that every database sorts them alike.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Dialect, Engine, String, Table, create_engine, event, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator
from typing_extensions import override

from haikei.errors import StateError


def inserting(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an insert that can say what happens when the row is there already."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


MIGRATIONS = Path(__file__).parent / "migrations"
#: The newest revision in `migrations/versions`.
HEAD = "0004"
_READS = "haikei_reads"


def open_database(url: str) -> Engine:
    """
    Return an engine on `url` whose schema is the present one.

    SQLite is opened in WAL mode, so that readers never wait for the writer. A transaction begins
    as a writer at once (`BEGIN IMMEDIATE`): two processes queue for the lock instead of failing
    when a reader wants to become a writer.

    Raises:
        StateError: the database cannot be opened, or belongs to a newer Haikei.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url, connect_args={"timeout": 30})
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)
    else:
        engine = create_engine(url, pool_pre_ping=True)
    try:
        _upgrade(engine)
    except SQLAlchemyError as error:
        raise StateError(
            f"The database {parsed.render_as_string(hide_password=True)} cannot be used: {error}.",
            advice="Check that its folder exists, is writable and has free space.",
        ) from error
    return engine


@contextmanager
def reading(database: Engine) -> Generator[Connection]:
    """Yield a connection that only reads: it waits for no writer, and no writer waits for it."""
    with database.connect().execution_options(**{_READS: True}) as connection:
        yield connection


def drop_deleted(database: Engine) -> bool:
    """
    Let no file of the database keep what was deleted, and tell whether that was possible now.

    Rows that were changed or deleted earlier lie in SQLite's free pages until it is vacuumed, and
    its write-ahead log still holds the pages as they were before. It can be emptied only while
    nobody reads them. Other databases do this in their own time.
    """
    if database.dialect.name != "sqlite":
        return True
    raw = database.raw_connection()
    try:
        # Neither is possible inside of a transaction, such as a connection begins with.
        driver = raw.dbapi_connection
        if driver is None:
            return False
        before, driver.isolation_level = driver.isolation_level, None
        cursor = raw.cursor()
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        row = cursor.fetchone()
        cursor.close()
        driver.isolation_level = before
    except sqlite3.OperationalError:
        return False
    finally:
        raw.close()
    return row is not None and not row[0]


def _sqlite_begin(connection: Connection) -> None:
    reads = connection.get_execution_options().get(_READS, False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _sqlite_connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # pysqlite's own BEGIN is deferred and comes late; isolation_level None leaves it to us.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "busy_timeout=30000",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def version_of(connection: Connection) -> str | None:
    """Return the schema revision of a database, None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if version is None else str(version)


def _upgrade(engine: Engine) -> None:
    with engine.connect() as connection:
        if version_of(connection) == HEAD:
            return

    upgrade(engine)


def upgrade(engine: Engine) -> None:
    """
    Run every migration that the database lacks, in one transaction.

    Raises:
        StateError: the database was made by a newer Haikei.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        # Another process may have upgraded while we waited for the lock.
        version = version_of(connection)
        if version == HEAD:
            return
        if version is not None and version > HEAD:
            raise StateError(
                f"The database is of schema {version}, but this Haikei knows only {HEAD}.",
                advice="Install the Haikei version that last used it, or a newer one.",
            )
        config.attributes["connection"] = connection
        command.upgrade(config, HEAD)


def utc_now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


class Moment(TypeDecorator[datetime]):
    """An aware datetime, stored as ISO 8601 text in UTC with microseconds."""

    impl = String(32)
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"{value!r} has no time zone"
            raise ValueError(message)
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    @override
    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)
