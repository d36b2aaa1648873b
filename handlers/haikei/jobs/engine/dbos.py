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
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import structlog
from dbos import DBOS, DBOSConfig, EnqueueOptions, Queue
from sqlalchemy import (
    Connection,
    bindparam,
    column,
    create_engine,
    delete,
    event,
    inspect,
    select,
    table,
)
from sqlalchemy import Engine as Database
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry
from typing_extensions import override

from haikei.database import drop_deleted
from haikei.errors import StateError
from haikei.jobs.engine.doorbell import ANYTHING, Doorbell
from haikei.jobs.engine.port import (
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
#: Seconds between looks into a queue from which more can be taken; DBOS wants a number above 0.
_AT_ONCE = 0.001
#: A ring may be lost with the process that wanted to ring.
_LONGEST_NAP = 5.0
_LOST_AFTER = 10.0
_SELDOM = 60.0

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
        self._bell = Doorbell(url)
        self._pace = _Pace(queues, self._bell)

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
            engine = DBOS(config=config)
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
            if self._queues:
                self._bell.open()
                self._pace.install(engine)
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
        self.drain(self._grace)
        if self._database is not None:
            self._database.dispose()

    @override
    def drain(self, seconds: int) -> None:
        self._pace.end()
        self._bell.close()
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=seconds)

    #: As the port's `EngineKind` has it.
    forget_names = staticmethod(forget_names)

    @override
    def submit(self, tasks: Iterable[Task]) -> None:
        queues: set[str] = set()
        for task in tasks:
            _enqueue(task)
            queues.add(task.queue)
        for queue in queues:
            self._bell.tell(queue)

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
        found = _recover_pending(holder)
        self._bell.tell(ANYTHING)
        return found

    def _register(self) -> None:
        handlers, pace, durable = self._handlers, self._pace, _DbosDurable(self._bell)

        @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=MAX_RECOVERIES)
        def perform(name: str, payload: str) -> None:
            try:
                handlers[name](durable, payload)
            except Exception:
                # The engine keeps the error without logging it.
                log.exception("task_failed", task=DBOS.workflow_id, name=name)
                raise
            finally:
                pace.ended(DBOS.workflow_id)

        # DBOS keeps the function by its name; it is not called here.
        del perform


class _DbosDurable:
    def __init__(self, bell: Doorbell) -> None:
        self._bell = bell

    def step(self, name: str, work: Callable[[], str]) -> str:
        return DBOS.run_step({"name": name}, work)

    def submit(self, task: Task) -> None:
        _enqueue(task)
        self._bell.tell(task.queue)


class _Pace:
    """
    Lets a queue's thread look when there may be something for it, and not by the clock.

    DBOS looks into each queue again and again, with two transactions each time, and takes what is
    free at that moment: an idle worker costs, and a slot that becomes free stays so until the next
    look. Here a thread sleeps while its slots are full, or while nothing has changed since its
    queue was found empty. What DBOS keeps for a queue is read once: another host's slots are not
    ours. The contract tests fail when its inner parts go.

    Args:
        queues: those of this worker.
        bell: rings when the database has changed.
    """

    def __init__(self, queues: Sequence[QueueSettings], bell: Doorbell) -> None:
        self._queues = {queue.name: queue for queue in queues}
        self._bell = bell
        self._known: dict[str, Queue] = {}
        #: By queue, its number of rings when it was found empty, and when that was.
        self._empty: dict[str, tuple[int, float]] = {}
        #: By queue, when each task was claimed that has not ended: its thread may not have begun.
        self._claimed: dict[str, dict[str, float]] = {name: {} for name in self._queues}
        self._changed = threading.Condition()
        self._ended = False

    def install(self, engine: DBOS) -> None:
        """Begin."""
        system = engine._sys_db  # pyright: ignore[reportPrivateUsage]
        active = engine._active_workflows_set  # pyright: ignore[reportPrivateUsage]
        read, claim = system.get_queue, system.start_queued_workflows
        tasks = system.tables.workflow_status
        waiting = select(tasks.c.workflow_uuid).where(
            tasks.c.queue_name == bindparam("queue"), tasks.c.status == "ENQUEUED"
        )

        def waits(queue: str) -> bool:
            with system.engine.connect() as connection:
                return connection.execute(waiting.limit(1), {"queue": queue}).first() is not None

        def get_queue(name: str, **options: Any) -> Queue | None:
            if threading.current_thread().name != f"queue-worker-{name}":
                return read(name, **options)
            known = self._known.get(name) or read(name, **options)
            if known is not None and name in self._queues:
                known._worker_concurrency = self._queues[name].slots  # pyright: ignore[reportPrivateUsage]
                known._polling_interval_sec = _AT_ONCE  # pyright: ignore[reportPrivateUsage]
                self._known[name] = known
                self._await_turn(name, lambda: set(active.activeList()))
            return known

        def start_queued_workflows(
            queue: Queue, executor: str, version: str, key: str | None, running: int, **rest: Any
        ) -> tuple[list[str], object]:
            rings = self._bell.rings(queue.name)
            if self._ended or self._nap(queue.name, rings) > 0:
                return [], None
            if not waits(queue.name):
                # Most rings are about something else, and a claim costs far more than this look.
                with self._changed:
                    self._empty[queue.name] = rings, time.monotonic()
                return [], None
            claimed = self._claimed.setdefault(queue.name, {})
            running = max(running, len(claimed))
            found, limit = claim(queue, executor, version, key, running, **rest)
            with self._changed:
                claimed.update(dict.fromkeys(found, time.monotonic()))
                if not found and limit is None:
                    self._empty[queue.name] = rings, time.monotonic()
            return found, limit

        vars(system).update(
            get_queue=get_queue,
            start_queued_workflows=start_queued_workflows,
            # We give no task a delay or a deadline, and queues that are known stay as they are.
            transition_delayed_workflows=_seldom(system.transition_delayed_workflows, None),
            cancel_timed_out_workflows=_seldom(system.cancel_timed_out_workflows, []),
            list_queues=_seldom(system.list_queues, None, until=self._all_known),
        )

    def _all_known(self) -> bool:
        return len(self._known) == len(self._queues)

    def ended(self, task: str | None) -> None:
        """Note that a task has given its slot back."""
        with self._changed:
            for claimed in self._claimed.values():
                claimed.pop(task or "", None)
            self._changed.notify_all()

    def end(self) -> None:
        """Take no more tasks."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _await_turn(self, name: str, active: Callable[[], Collection[str]]) -> None:
        slots = self._queues[name].slots
        while not self._ended:
            with self._changed:
                claimed = self._claimed[name]
                if len(claimed) >= slots:
                    self._changed.wait(_LONGEST_NAP)
                    self._drop_lost(claimed, active)
                    continue
            rings = self._bell.rings(name)
            nap = self._nap(name, rings)
            if nap <= 0:
                return
            self._bell.wait(name, rings, nap)

    def _nap(self, name: str, rings: int) -> float:
        """Return for how long a queue need not be looked into, unless it rings."""
        heard, at = self._empty.get(name, (-1, 0.0))
        return at + _LONGEST_NAP - time.monotonic() if heard == rings else 0.0

    def _drop_lost(self, claimed: dict[str, float], active: Callable[[], Collection[str]]) -> None:
        """Forget tasks that DBOS claimed and then did not begin."""
        before = time.monotonic() - _LOST_AFTER
        if any(at < before for at in claimed.values()):
            running = active()
            for task in [one for one, at in claimed.items() if at < before and one not in running]:
                del claimed[task]


def _seldom(
    work: Callable[..., Any], otherwise: object, *, until: Callable[[], bool] = lambda: True
) -> Callable[..., Any]:
    """Return what does the work once a minute; in between it gives the last or something else."""
    last: list[tuple[float, object]] = []

    def instead(*given: object, **named: object) -> object:
        if not last or not until() or time.monotonic() >= last[0][0] + _SELDOM:
            found = work(*given, **named)
            last[:] = [(time.monotonic(), found if otherwise is None else otherwise)]
            return found
        return last[0][1]

    return instead


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
