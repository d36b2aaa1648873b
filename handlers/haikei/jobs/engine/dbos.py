"""
The job engine on DBOS Transact: durable tasks on SQLite, or on PostgreSQL for many hosts.

The only module that imports DBOS. Its settings answer what DBOS leaves open: a constant
application version (a changed line of code strands nothing), an executor id that one living
process holds, concurrency a worker and never a global one (a dead worker's rows would block the
queue), a priority on each task (none means first), and WAL on SQLite.

Tasks are kept without names (`haikei.jobs.engine.pseudonyms`). A text may still hold one that
nobody had registered when the task ran, or a task may be from before. The engine keeps values
as base64 of what Python pickles, in which texts stand as UTF-8; they are searched and never
unpickled.
"""

import base64
import binascii
import logging
import sqlite3
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog
from dbos import DBOS, DBOSConfig, EnqueueOptions
from sqlalchemy import Connection, column, create_engine, delete, event, inspect, select, table
from sqlalchemy import Engine as Database
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry
from typing_extensions import override

from haikei.database import drop_deleted
from haikei.errors import StateError
from haikei.jobs.engine.port import (
    Durable,
    Forgotten,
    Handler,
    QueueSettings,
    Task,
    TaskState,
    WorkerEngine,
)

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
        event.listen(database, "connect", _delete_securely)
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


def _delete_securely(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


log = structlog.get_logger()

APPLICATION = "haikei"
#: Tasks of one version are resumed by another only when it has the same; code changes keep it.
APPLICATION_VERSION = "1"
WORKFLOW = "haikei_task"
#: A backstop far above `MOST_CRASHES`, by which jobs find a poison among its neighbours.
MAX_RECOVERIES = 25
_OLDEST_SQLITE = (3, 35, 0)
_OLDEST_SQLITE_FOR_312 = (3, 42, 0)
_FORGET_BATCH = 500

_STATES: Mapping[str, TaskState] = {
    "DELAYED": TaskState.QUEUED,
    "ENQUEUED": TaskState.QUEUED,
    "PENDING": TaskState.RUNNING,
    "SUCCESS": TaskState.ENDED,
    "ERROR": TaskState.FAILED,
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": TaskState.POISON,
    "CANCELLED": TaskState.CANCELLED,
}


class DbosEngine(WorkerEngine):
    """
    DBOS in this process, of which there can be one only; a context manager.

    Args:
        url: of the engine's database; SQLite must be on a local disk.
        holder: this worker's id, which no other living process has.
        queues: what this worker takes tasks from; none means that it submits only.
        handlers: what does the tasks, by name.
        grace: seconds that running tasks have to end when the engine is closed.

    Raises:
        StateError: the database cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        holder: str,
        queues: Sequence[QueueSettings],
        handlers: Mapping[str, Handler],
        grace: int = 0,
    ) -> None:
        self._url = url
        self._holder = holder
        self._queues = queues
        self._handlers = handlers
        self._grace = grace
        self._database: Database | None = None

    @override
    def __enter__(self) -> Self:
        _quiet_log()
        threads = sum(queue.slots for queue in self._queues) + 8
        self._database = _sqlite(self._url, threads)
        config = DBOSConfig(
            name=APPLICATION,
            application_version=APPLICATION_VERSION,
            executor_id=self._holder,
            system_database_url=self._url,
            system_database_engine=self._database,
            sys_db_pool_size=threads,
            max_executor_threads=threads,
            notification_listener_polling_interval_sec=1.0,
            log_level="WARNING",
        )
        try:
            DBOS(config=config)
            self._register()
            DBOS.listen_queues([queue.name for queue in self._queues])
            DBOS.launch()
            for queue in self._queues:
                DBOS.register_queue(
                    queue.name,
                    worker_concurrency=queue.slots,
                    polling_interval_sec=queue.poll,
                    on_conflict="always_update",
                )
        except SQLAlchemyError as error:
            self.close()
            raise StateError(
                f"The job engine's database cannot be used: {error}.",
                advice="Check that its folder exists, is writable and has free space.",
            ) from error
        return self

    @override
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop taking tasks; running ones get their time, and are resumed later if it is short."""
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=self._grace)
        if self._database is not None:
            self._database.dispose()

    @override
    def drain(self, seconds: int) -> None:
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=seconds)

    #: As the port's `EngineKind` has it.
    forget_names = staticmethod(forget_names)

    @override
    def submit(self, tasks: Iterable[Task]) -> None:
        for task in tasks:
            _enqueue(task)

    @override
    def standing(self, ids: Sequence[str]) -> Mapping[str, TaskState]:
        if not ids:
            return {}
        found = DBOS.list_workflows(workflow_ids=list(ids), load_input=False, load_output=False)
        return {one.workflow_id: _STATES[one.status] for one in found}

    @override
    def withdraw(self, ids: Sequence[str]) -> None:
        DBOS.cancel_workflows(list(ids))

    @override
    def forget(self, before: datetime) -> int:
        found = DBOS.list_workflows(
            completed_before=before.isoformat(),
            status=["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"],
            limit=_FORGET_BATCH,
            load_input=False,
            load_output=False,
        )
        ids = [one.workflow_id for one in found]
        if ids:
            DBOS.delete_workflows(ids)
        return len(ids)

    @override
    def holders(self) -> Sequence[str]:
        running = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        return sorted({one.executor_id for one in running if one.executor_id})

    @override
    def recover(self, holder: str) -> int:
        return _recover_pending(holder)

    def _register(self) -> None:
        handlers = self._handlers

        @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=MAX_RECOVERIES)
        def perform(name: str, payload: str) -> None:
            try:
                handlers[name](_DURABLE, payload)
            except Exception:
                # The engine keeps the error without logging it.
                log.exception("task_failed", task=DBOS.workflow_id, name=name)
                raise

        # DBOS keeps the function by its name; it is not called here.
        del perform


class _DbosDurable:
    def step(self, name: str, work: Callable[[], str]) -> str:
        return DBOS.run_step({"name": name}, work)

    def submit(self, task: Task) -> None:
        _enqueue(task)


_DURABLE: Durable = _DbosDurable()


def _enqueue(task: Task) -> None:
    options = EnqueueOptions(
        workflow_name=WORKFLOW,
        queue_name=task.queue,
        workflow_id=task.id,
        priority=task.priority,
        app_version=APPLICATION_VERSION,
    )
    DBOS.enqueue_workflow_with_options(options, task.name, task.payload)


def _recover_pending(holder: str) -> int:
    # Private, and the only recovery of a dead executor that the MIT package has. It is conditional
    # on the executor id and keeps attempt counts; the contract test fails when it goes.
    recover = DBOS._recover_pending_workflows  # pyright: ignore[reportPrivateUsage]
    return len(recover([holder]))


def _sqlite(url: str, connections: int) -> Database | None:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return None
    _require_sqlite(sqlite3.sqlite_version_info, sys.version_info[:2])
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, pool_size=connections, max_overflow=connections)
    event.listen(engine, "connect", _on_connect)
    return engine


def _on_connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = "IMMEDIATE"
    cursor = connection.cursor()
    for pragma in (
        "busy_timeout=30000",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _require_sqlite(found: tuple[int, ...], python: tuple[int, ...]) -> None:
    needed = _OLDEST_SQLITE if python < (3, 12) else _OLDEST_SQLITE_FOR_312
    if found < needed:
        have, want = (".".join(map(str, version)) for version in (found, needed))
        raise StateError(
            f"The job engine needs SQLite {want}, but this Python has {have}.",
            advice="Use a Python that brings its own SQLite, or PostgreSQL in database.url.",
        )


def _quiet_log() -> None:
    # With a handler in place DBOS adds none, and its lines go where the studio's lines go.
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
