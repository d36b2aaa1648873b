"""
The site's one SQLite file: connections, transactions, ids, and the tables that a schema needs.

Each entity type has a table with one column a field, so that filters, joins and indexes are plain
SQL; `records` names every row of every type, `links` holds the links of multi-entity fields. Ids
come from one sequence, as on the real site: two rows of different types never share one. Events
have a sequence of their own, far above, so that the log has no gaps but those of lost writes.
Field definitions are kept there as well: custom fields and changed ones.
"""

import json
import sqlite3
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias, cast

from haikei.errors import StateError
from haikei.sgserver.schema.entities import DataType, EntityType, Field, Links, Schema
from haikei.sgserver.values import Json, bad_request, fold, searched

SqlValue: TypeAlias = "int | float | str | None"

_TEXTS = {
    DataType.TEXT,
    DataType.LIST,
    DataType.STATUS_LIST,
    DataType.COLOR,
    DataType.FOOTAGE,
    DataType.UUID,
}
_REALS = {DataType.FLOAT, DataType.CURRENCY}
_WHOLES = {
    DataType.NUMBER,
    DataType.PERCENT,
    DataType.DURATION,
    DataType.TIMECODE,
    DataType.CHECKBOX,
    DataType.ENTITY,
}
#: Text fields that people look rows up by; custom text fields are indexed as well.
_LOOKED_UP = {"code", "name", "login", "firstname", "content", "tank_name", "event_type"}

#: What SQLite says when a query is larger than it takes.
_LIMITS = ("parser stack overflow", "tables in a join", "Expression tree is too large")

_TABLES = """
CREATE TABLE IF NOT EXISTS ids (next INTEGER NOT NULL, next_event INTEGER NOT NULL);
INSERT INTO ids SELECT 1, 1000000001 WHERE NOT EXISTS (SELECT 1 FROM ids);
CREATE TABLE IF NOT EXISTS records (
    id INTEGER PRIMARY KEY, type TEXT NOT NULL, name TEXT COLLATE NOCASE, project INTEGER,
    retired INTEGER NOT NULL DEFAULT 0, cause INTEGER
);
CREATE INDEX IF NOT EXISTS records_cause ON records (cause) WHERE cause IS NOT NULL;
CREATE TABLE IF NOT EXISTS links (
    owner INTEGER NOT NULL, field TEXT NOT NULL, target INTEGER NOT NULL,
    PRIMARY KEY (owner, field, target)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS links_target ON links (target, field, owner);
CREATE TABLE IF NOT EXISTS fields (
    entity_type TEXT NOT NULL, name TEXT NOT NULL, definition TEXT,
    PRIMARY KEY (entity_type, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS secrets (user INTEGER PRIMARY KEY, salt BLOB, digest BLOB);
CREATE TABLE IF NOT EXISTS follows (
    user INTEGER NOT NULL, entity INTEGER NOT NULL, PRIMARY KEY (user, entity)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS work_days (
    whose INTEGER NOT NULL, day TEXT NOT NULL, working INTEGER NOT NULL, description TEXT,
    PRIMARY KEY (whose, day)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subscriptions (user INTEGER PRIMARY KEY, subscription TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS webhooks (id TEXT PRIMARY KEY, definition TEXT NOT NULL) WITHOUT ROWID;
"""


def quoted(name: str) -> str:
    """Return a table's or column's name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


class Session:
    """One connection inside a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._committed: list[Callable[[], None]] = []

    def when_committed(self, action: Callable[[], None]) -> None:
        """Do that once the transaction has happened, before the next writer begins."""
        self._committed.append(action)

    def committed(self) -> None:
        """Do what waited for the commit."""
        for action in self._committed:
            action()

    def rows(self, sql: str, parameters: Sequence[SqlValue] = ()) -> list[tuple[SqlValue, ...]]:
        """
        Return every row of a query.

        Raises:
            Fault: SQLite cannot take it: too deeply nested, or over too many links at once.
        """
        return self._run(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[SqlValue] = ()) -> tuple[SqlValue, ...] | None:
        """Return the first row of a query, None for none."""
        found: tuple[SqlValue, ...] | None = self._run(sql, parameters).fetchone()
        return found

    def numbers(self, sql: str, parameters: Sequence[SqlValue] = ()) -> list[int]:
        """Return the first column of every row as whole numbers."""
        return [int(row[0]) for row in self.rows(sql, parameters) if row[0] is not None]

    def execute(self, sql: str, parameters: Sequence[SqlValue] = ()) -> int:
        """Run a statement; return how many rows it changed."""
        return self._run(sql, parameters).rowcount

    def _run(self, sql: str, parameters: Sequence[SqlValue]) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, parameters)
        except sqlite3.OperationalError as error:
            if any(limit in str(error) for limit in _LIMITS):
                raise bad_request(f"API read() 'filters' are too complex: {error}") from error
            raise
        except OverflowError:
            raise bad_request("A number has more than 64 bits: integer out of range.") from None
        except UnicodeEncodeError as error:
            raise bad_request(f"A text is no valid Unicode: {error.reason}.") from None

    def secret(self, user: int) -> tuple[bytes, bytes] | None:
        """Return the salt and digest of that user's key or password."""
        sql = "SELECT salt, digest FROM secrets WHERE user = ?"
        found: tuple[bytes, bytes] | None = self._connection.execute(sql, (user,)).fetchone()
        return found

    def keep_secret(self, user: int, salt: bytes, digest: bytes) -> None:
        """Let a user sign in with the secret of this digest from now on."""
        sql = "INSERT OR REPLACE INTO secrets (user, salt, digest) VALUES (?, ?, ?)"
        self._connection.execute(sql, (user, salt, digest))

    def next_id(self) -> int:
        """Return the site's next id."""
        sql = "UPDATE ids SET next = next + 1 RETURNING next - 1"
        return int(self._connection.execute(sql).fetchone()[0])

    def next_event_id(self) -> int:
        """Return the event log's next id."""
        sql = "UPDATE ids SET next_event = next_event + 1 RETURNING next_event - 1"
        return int(self._connection.execute(sql).fetchone()[0])


class Store:
    """
    The site's SQLite file. Every thread has a connection of its own; writers queue.

    Args:
        path: the file, made when it is not there.

    Raises:
        StateError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._writer = threading.Lock()
        self._guard = threading.Lock()
        self._opened: list[sqlite3.Connection] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection().executescript(_TABLES)
        except (OSError, sqlite3.Error) as error:
            raise StateError(
                f"The site's database {path} cannot be opened: {error}.",
                advice="Check that its folder is writable and on a local disk.",
            ) from error

    def close(self) -> None:
        """Close every thread's connection."""
        with self._guard:
            for connection in self._opened:
                connection.close()
            self._opened.clear()

    @contextmanager
    def reading(self) -> Generator[Session, None, None]:
        """Run queries that all see the site as it is now, whatever is written meanwhile."""
        connection = self._connection()
        connection.execute("BEGIN")
        try:
            yield Session(connection)
        finally:
            connection.execute("COMMIT")

    @contextmanager
    def writing(self) -> Generator[Session, None, None]:
        """Run statements that all happen, or none when an error leaves the block."""
        connection = self._connection()
        with self._writer:
            connection.execute("BEGIN IMMEDIATE")
            session = Session(connection)
            try:
                yield session
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
            session.committed()

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            # Only its own thread uses a connection; `close` alone reaches over from another.
            found = sqlite3.connect(
                self._path, isolation_level=None, timeout=30, check_same_thread=False
            )
            found.create_function("fold", 1, _fold, deterministic=True)
            found.create_function("searched", 1, _searched, deterministic=True)
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-32768"):
                found.execute(f"PRAGMA {pragma}")
            self._local.connection = found
            with self._guard:
                self._opened.append(found)
        return found


def _fold(value: SqlValue) -> SqlValue:
    return fold(value) if isinstance(value, str) else value


def _searched(value: SqlValue) -> SqlValue:
    return searched(value) if isinstance(value, str) else value


def prepare(session: Session, types: Iterable[EntityType]) -> None:
    """Make the tables, columns and indexes that these types need and that are not there yet."""
    for kind in types:
        table = quoted(kind.name)
        columns = {
            field.name: f"{quoted(field.name)} {_declared(field)}"
            for field in kind.fields.values()
            if field.stored
        }
        # All at once: each ALTER TABLE makes SQLite read its whole schema again.
        session.execute(
            f"CREATE TABLE IF NOT EXISTS {table} (id INTEGER PRIMARY KEY, "
            f"_retired INTEGER NOT NULL DEFAULT 0, {', '.join(columns.values())})"
        )
        there = {str(row[1]) for row in session.rows(f"PRAGMA table_info({table})")}
        for name, declared in columns.items():
            if name not in there:
                session.execute(f"ALTER TABLE {table} ADD COLUMN {declared}")
        for name, indexed in _indexes(kind):
            session.execute(f"CREATE INDEX IF NOT EXISTS {quoted(name)} ON {table} ({indexed})")


def _declared(field: Field) -> str:
    kind = field.data_type
    if kind in _TEXTS:
        return "TEXT COLLATE NOCASE"
    if kind in _WHOLES:
        return "INTEGER"
    return "REAL" if kind in _REALS else "TEXT"


def _indexes(kind: EntityType) -> Iterable[tuple[str, str]]:
    """Yield (name, columns) of what reads look rows up by: links, names and custom texts."""
    fields = kind.fields
    for field in fields.values():
        looked_up = field.data_type is DataType.TEXT and (field.name in _LOOKED_UP or field.custom)
        linked = field.data_type is DataType.ENTITY and field.name not in {
            "created_by",
            "updated_by",
            "image_source_entity",
        }
        if field.stored and (looked_up or linked):
            yield f"{kind.name}_{field.name}", quoted(field.name)
    if "project" in fields and "sg_status_list" in fields:
        yield f"{kind.name}__status", "project, sg_status_list"
    if "created_at" in fields:
        yield f"{kind.name}__created", "created_at"


def kept_definition(field: Field) -> str:
    """Return a field's definition as it is kept."""
    return json.dumps(
        {
            "label": field.label,
            "data_type": str(field.data_type),
            "valid_types": field.valid_types,
            "valid_values": field.valid_values,
            "hidden_values": field.hidden_values,
            "default": field.default,
            "description": field.description,
            "mandatory": field.mandatory,
            "custom": field.custom,
            "properties": field.properties,
            "hidden_in": field.hidden_in,
        },
        ensure_ascii=False,
    )


def load_definitions(session: Session, schema: Schema) -> Schema:
    """Return the shipped schema with the site's own fields and changes."""
    sql = "SELECT entity_type, name, definition FROM fields WHERE definition IS NOT NULL"
    for entity_type, name, definition in session.rows(sql):
        kind = schema.get(entity_type)
        if kind is not None:
            found = cast("dict[str, Json]", json.loads(str(definition)))
            before = kind.fields.get(str(name))
            field = _loaded(kind.name, str(name), found, before)
            schema = schema.replacing(kind.with_field(field))
    return schema


def _loaded(entity_type: str, name: str, kept: dict[str, Json], before: Field | None) -> Field:
    data_type = DataType(str(kept["data_type"]))
    base = before or Field(name=name, label=name, data_type=data_type)
    relation = base.relation
    if relation is None and data_type is DataType.MULTI_ENTITY:
        relation = Links(key=f"{entity_type}.{name}", outward=True)
    return replace(
        base,
        label=str(kept["label"]),
        valid_types=tuple(cast("list[str]", kept["valid_types"])),
        valid_values=tuple(cast("list[str]", kept["valid_values"])),
        hidden_values=tuple(cast("list[str]", kept["hidden_values"])),
        default=kept["default"],
        description=str(kept["description"]),
        mandatory=bool(kept["mandatory"]),
        custom=bool(kept["custom"]),
        properties=cast("dict[str, Json]", kept["properties"]),
        hidden_in=tuple(cast("list[int]", kept.get("hidden_in", []))),
        relation=relation,
    )
