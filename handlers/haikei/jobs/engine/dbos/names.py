"""
Names in the job engine's database: there should be none, and what is there is taken away.

Tasks are kept without names (`haikei.jobs.engine.pseudonyms`). A text may still hold one that
nobody had registered when the task ran, or a task may be from before. The engine keeps values
as base64 of what Python pickles, in which texts stand as UTF-8; they are searched and never
unpickled.
"""

import base64
import binascii
from collections.abc import Iterable, Sequence
from pathlib import Path

from sqlalchemy import Connection, column, create_engine, delete, event, inspect, select, table
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from haikei.database import drop_deleted
from haikei.errors import StateError
from haikei.jobs.engine.port import Forgotten

#: Of each of the engine's tables that hold what we gave it, the columns.
_VALUES = {
    "workflow_status": ("inputs", "output", "error"),
    "workflow_input": ("inputs",),
    "workflow_output": ("output", "error"),
    "operation_outputs": ("output", "error"),
}
_ID = "workflow_uuid"
_ENDED = frozenset({"SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"})
#: Where DBOS keeps its tables in PostgreSQL.
_SCHEMA = "dbos"


def forget_names(url: str, names: Sequence[str]) -> Forgotten:
    """
    Delete ended tasks that hold one of the names, and return which others hold one.

    Args:
        url: of the engine's database; one that does not exist is left so.
        names: what is looked for.

    Raises:
        StateError: the database cannot be used.
    """
    parsed = make_url(url)
    is_file = parsed.get_backend_name() == "sqlite"
    if not names or (is_file and not Path(parsed.database or "").is_file()):
        return Forgotten(deleted=0, running=(), dropped=True)
    database = create_engine(url)
    if is_file:
        event.listen(database, "connect", _on_connect)
    wanted = [name.encode() for name in names]
    try:
        with database.begin() as connection:
            schema = None if is_file else _SCHEMA
            known = set(inspect(connection).get_table_names(schema))
            tables = [name for name in _VALUES if name in known]
            holding = {id_ for name in tables for id_ in _holding(connection, name, schema, wanted)}
            ended = _ended(connection, schema, holding) if holding else set[str]()
            for name in reversed(tables):
                rows = table(name, column(_ID), schema=schema)
                if ended:
                    connection.execute(delete(rows).where(rows.c[_ID].in_(ended)))
        dropped = drop_deleted(database)
    except SQLAlchemyError as error:
        raise StateError(
            f"The job engine's database cannot be searched: {error}.",
            advice="The name is erased elsewhere. Stop Haikei and erase once more with --name.",
        ) from error
    finally:
        database.dispose()
    # A task is called by its job's key, the run and the leg.
    running = {id_.rsplit(".", 2)[0] for id_ in holding - ended}
    return Forgotten(deleted=len(ended), running=tuple(sorted(running)), dropped=dropped)


def _holding(
    connection: Connection, name: str, schema: str | None, wanted: Sequence[bytes]
) -> Iterable[str]:
    there = {one["name"] for one in inspect(connection).get_columns(name, schema)}
    columns = [one for one in _VALUES[name] if one in there]
    rows = table(name, column(_ID), *(column(one) for one in columns), schema=schema)
    for row in connection.execute(select(rows)):
        for value in row[1:]:
            plain = _plain(value) if value else b""
            if any(one in plain for one in wanted):
                yield str(row[0])


def _plain(value: str) -> bytes:
    text = value.encode()
    try:
        return text + base64.b64decode(text, validate=True)
    except binascii.Error:
        return text


def _ended(connection: Connection, schema: str | None, ids: set[str]) -> set[str]:
    rows = table("workflow_status", column(_ID), column("status"), schema=schema)
    query = select(rows.c[_ID]).where(rows.c[_ID].in_(ids), rows.c.status.in_(_ENDED))
    # What is kept of a task that itself is forgotten has ended too.
    known = set(connection.execute(select(rows.c[_ID]).where(rows.c[_ID].in_(ids))).scalars())
    return set(connection.execute(query).scalars()) | (ids - known)


def _on_connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()
