"""
Open the studio's database with the settings it needs, and bring its schema up to date.

Points in time are aware, in UTC, and stored so that every database sorts them alike.
"""

import sqlite3
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Engine,
    String,
    Table,
    create_engine,
    event,
    func,
    inspect,
    select,
    text,
)
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


def begins_with(column: ColumnElement[str], beginning: str) -> ColumnElement[bool]:
    """Hold for texts that begin so, letter case and all; an index of the column finds them."""
    # No text that can be stored sorts behind the last character of all.
    return (column >= beginning) & (column < f"{beginning}\U0010ffff")


MIGRATIONS = Path(__file__).parent / "migrations"
#: The newest revision in `migrations/versions`.
HEAD = "0007"
_NO_NUL = "\N{REPLACEMENT CHARACTER}"
_READS, _ONE_ROW = "haikei_reads", "haikei_one_row"
#: The advisory lock for which writers on PostgreSQL queue.
_WRITER = 0x4841494B_4549
#: The channel on which they announce, when they commit, that something may have changed.
BELL = "haikei_bell"
#: A host that is cut off is noticed by both sides within some twenty seconds, not after hours.
KEEPALIVES: Mapping[str, str | int] = {
    "connect_timeout": 10,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "options": (
        "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 "
        "-c tcp_user_timeout=20000"
    ),
}


def open_database(url: str) -> Engine:
    """
    Return an engine on `url` whose schema is the present one.

    SQLite is opened in WAL mode, so that readers never wait for the writer. A transaction begins
    as a writer at once (`BEGIN IMMEDIATE`): two processes queue for the lock instead of failing
    when a reader wants to become a writer. On PostgreSQL writers queue likewise, for an advisory
    lock, so that what a transaction has read still holds when it writes, on every host.

    Raises:
        StateError: the database cannot be opened, or belongs to a newer Haikei.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        engine = create_engine(url, connect_args={"timeout": 30})
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)
    else:
        # A row that stood there already is known by the count alone, which is dropped by default.
        options = {"preserve_rowcount": True}
        engine = create_engine(
            url, pool_pre_ping=True, connect_args=dict(KEEPALIVES), execution_options=options
        )
        event.listen(engine, "begin", _postgresql_begin)
        event.listen(engine, "connect", _without_nul)
    try:
        _upgrade(engine)
    except BaseException as error:
        engine.dispose()
        if not isinstance(error, SQLAlchemyError):
            raise
        raise StateError(
            f"The database {parsed.render_as_string(hide_password=True)} cannot be used: {error}.",
            advice="Check that its folder exists, is writable and has free space.",
        ) from error
    return engine


@contextmanager
def reading(database: Engine) -> Generator[Connection]:
    """
    Yield a connection that only reads: it waits for no writer, and no writer waits for it.

    All that it reads is of one moment.
    """
    options: dict[str, object] = {_READS: True}
    if database.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with database.connect().execution_options(**options) as connection:
        yield connection


@contextmanager
def writing_one_row(database: Engine) -> Generator[Connection]:
    """Yield a transaction that changes a single row by its key: on PostgreSQL it never queues."""
    opened = database.connect().execution_options(**{_ONE_ROW: True})
    with opened as connection, connection.begin():
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


def _postgresql_begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get(_READS) and not options.get(_ONE_ROW):
        turn = func.pg_advisory_xact_lock(_WRITER), func.pg_notify(BELL, "")
        connection.execute(select(*turn))


def _without_nul(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    """Have NUL sent as the replacement character: texts of people and files may hold it."""
    from psycopg.types.string import StrBinaryDumper, StrDumper

    class Text(StrDumper):
        def dump(self, obj: str) -> bytes | bytearray | memoryview | None:
            return super().dump(obj.replace("\0", _NO_NUL))

    class BinaryText(StrBinaryDumper):
        def dump(self, obj: str) -> bytes | bytearray | memoryview | None:
            return super().dump(obj.replace("\0", _NO_NUL))

    for dumper in (Text, BinaryText):
        connection.adapters.register_dumper(str, dumper)


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


def is_newer(database: Engine) -> bool:
    """Tell whether a newer Haikei has brought the schema forward since this one opened it."""
    with reading(database) as connection:
        version = version_of(connection)
    return version is not None and version > HEAD


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
    # It takes a tenth of what a process loads to start, and databases are seldom behind.
    from alembic import command
    from alembic.config import Config

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
        if connection.dialect.name == "postgresql":
            _sort_as_bytes(connection)


def _sort_as_bytes(connection: Connection) -> None:
    """
    Have every text of ours compared byte by byte, as SQLite does, whatever the server's language.

    Keys are looked up by their beginnings and moments compared as texts: in most languages' order
    punctuation counts little or not at all.
    """
    rows = connection.execute(
        text(
            "SELECT table_name, column_name, character_maximum_length AS length"
            " FROM information_schema.columns WHERE table_schema = current_schema()"
            " AND data_type IN ('text', 'character varying')"
            # Its trigger compares them, which forbids a change; nobody looks texts up there.
            " AND table_name <> 'ledger_checkpoints'"
            " AND collation_name IS DISTINCT FROM 'C' ORDER BY table_name, ordinal_position"
        )
    ).all()
    quote = connection.dialect.identifier_preparer.quote
    changes: dict[str, list[str]] = {}
    for row in rows:
        kind = "text" if row.length is None else f"varchar({row.length})"
        change = f'ALTER COLUMN {quote(row.column_name)} TYPE {kind} COLLATE "C"'
        changes.setdefault(row.table_name, []).append(change)
    for table, those in changes.items():
        connection.execute(text(f"ALTER TABLE {quote(table)} {', '.join(those)}"))


class ChangeStamp:
    """
    Finds out cheaply whether anybody has committed anything since it was last asked.

    SQLite counts what others commit for each connection that stays open. PostgreSQL's log grows.
    """

    def __init__(self, database: Engine) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._file: sqlite3.Connection | None = None

    def now(self) -> object:
        """Return what is equal as long as nothing changes; None where that is not known."""
        if self._database.dialect.name == "postgresql":
            with reading(self._database) as connection:
                return str(connection.exec_driver_sql("SELECT pg_current_wal_lsn()").scalar())
        path = self._database.url.database
        if not path or path == ":memory:":
            return None
        with self._lock:
            if self._file is None:
                self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            return self._file.execute("PRAGMA data_version").fetchone()

    def close(self) -> None:
        """Close what was opened."""
        with self._lock:
            if self._file is not None:
                self._file.close()
            self._file = None


def database_now(connection: Connection) -> datetime:
    """Return the present moment as the database has it: clocks of several hosts may differ."""
    if connection.dialect.name == "postgresql":
        found: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return found.astimezone(UTC)
    return utc_now()


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
