"""
A worker: a process that runs the tasks of jobs, in one of two roles, and removes what they leave.
"""

import os
import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from enum import StrEnum

import structlog
from sqlalchemy import Engine as Database
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from haikei import tracing
from haikei.database import is_newer, jobs, reading, utc_now
from haikei.errors import SettingsError, StorageError
from haikei.jobs.background.tasks import STEPS_QUEUE, BackgroundHandlers
from haikei.jobs.checkpointing import Checkpointing
from haikei.jobs.engine.dispatch import Dispatcher
from haikei.jobs.engine.doorbell import Doorbell
from haikei.jobs.engine.port import Engine, QueueSettings, WorkerEngine, load_engine
from haikei.jobs.engine.presence import Presence, ProcessState, present
from haikei.jobs.engine.recovery import DeadWorkerRecovery, claim_holder, open_locks
from haikei.jobs.engine.retries import Gate
from haikei.jobs.healing import heal
from haikei.jobs.job import JobState
from haikei.jobs.lanes import generate_queue
from haikei.jobs.state import open_state
from haikei.jobs.tools import Tools
from haikei.jobs.touchup.handle import OnVersion, TouchUpHandlers, ignore_version
from haikei.settings import Device, Settings

log = structlog.get_logger()

#: Days for which the engine remembers ended tasks; the jobs' table remembers for ever.
REMEMBER_DAYS = 14
#: Folders of jobs in these states hold nothing that is used again.
_SETTLED = (JobState.DONE.value, JobState.SKIPPED.value)
_BATCH = 500


class Upkeep:
    """Removes temporary files of killed publishers, folders of settled jobs and ended tasks."""

    def __init__(self, tools: Tools, database: Database, engine: Engine) -> None:
        self._tools = tools
        self._database = database
        self._engine = engine

    def run(self) -> None:
        """Do all of it once; a mount that is away is left for the next time."""
        self.clear_storage()
        self.clear_folders()
        self._engine.forget(utc_now() - timedelta(days=REMEMBER_DAYS))

    def clear_storage(self) -> None:
        """Remove temporary files that killed publishers left below the storage root."""
        try:
            removed = self._tools.storage.sweep()
        except StorageError as error:
            log.warning("storage_not_swept", error=str(error))
            return
        if removed:
            log.info("temporary_files_removed", count=len(removed))

    def clear_folders(self) -> int:
        """
        Remove the folders of jobs that are done or skipped; return how many.

        Dead and cancelled jobs keep theirs: a retry uses the pictures in it.
        """
        if not self._tools.folders.is_dir():
            return 0
        names = sorted(path.name for path in self._tools.folders.iterdir() if path.is_dir())
        settled: list[str] = []
        for start in range(0, len(names), _BATCH):
            settled += self._settled(names[start : start + _BATCH])
        for key in settled:
            shutil.rmtree(self._tools.folder(key), ignore_errors=True)
        return len(settled)

    def _settled(self, keys: Sequence[str]) -> Sequence[str]:
        query = select(jobs.c.key).where(jobs.c.key.in_(keys), jobs.c.state.in_(_SETTLED))
        with reading(self._database) as connection:
            return list(connection.execute(query).scalars())


#: Seconds that running steps have to end when the worker is stopped.
GRACE = 8
#: Seconds that they have when the worker leaves so that another takes its place.
DRAIN = 900
_GUARD_EVERY = 1.0
_RECONCILE_EVERY = 5.0
_UPKEEP_EVERY = 60.0
_SCHEMA_EVERY = 5.0
#: Seconds after which work is looked for although nothing has rung.
_QUIET = 5.0
#: Tasks fetched beyond those that can run at once, so that the device never waits for a poll.
_PREFETCH = 2
_LOCK_LOST = 3
#: Seconds after which a thread of a generation worker lets another one run Python.
_SWITCH = 0.0005


class WorkerRole(StrEnum):
    """What a worker does."""

    STEPS = "steps"  #: everything but pictures: tracker, files, records, dispatch
    GENERATE = "generate"  #: pictures, on one device


def run_worker(
    settings: Settings,
    *,
    role: WorkerRole,
    device: str | None = None,
    stop: threading.Event,
    leave: threading.Event | None = None,
    on_version: OnVersion = ignore_version,
) -> None:
    """
    Carry jobs out until `stop` is set; what is unfinished then is resumed by the next worker.

    Args:
        role: what this worker does.
        device: the name of a device in the settings, for GENERATE; the first one by default.
        stop: set when the worker shall stop.
        leave: set when it shall end what it is at, and then stop.
        on_version: called, in its transaction, with the id of each Version that a touch-up became.

    Raises:
        SettingsError: there is no such device, or something needed is not set.
        StateError: a database or the state folder cannot be used.
    """
    database = open_state(settings)
    locks = open_locks(settings.database_url, settings.studio.state / "locks")
    chosen = _device(settings, device) if role is WorkerRole.GENERATE else None
    if chosen is not None:
        # The thread that feeds the device asks for Python's lock at each of its thousands of calls.
        sys.setswitchinterval(_SWITCH)
    tools = Tools(settings, database, stop, device=chosen.name if chosen else "cpu")
    name = f"{role.value}-{chosen.name}" if chosen else role.value
    holder = claim_holder(locks, f"{socket.gethostname()}-{name}")
    gate, queues = _shape(settings, chosen)
    engine = load_engine(settings.engine.kind)(
        settings.database_url,
        holder=holder,
        queues=queues,
        handlers={
            **BackgroundHandlers(tools, gate).handlers(),
            **TouchUpHandlers(tools, gate, on_version).handlers(),
        },
        grace=GRACE,
    )
    try:
        with (
            _traces(settings, name),
            engine,
            Presence(
                database, holder=holder, role=name, lanes=[one.name for one in queues]
            ) as presence,
            Doorbell(settings.database_url) as bell,
        ):
            log.info("worker_ready", role=role.value, worker=holder, slots=queues[0].slots)
            guard = DeadWorkerRecovery(locks, engine, own=holder, silent=lambda: _silent(database))
            watching = threading.Thread(
                target=_watch_lock, args=(guard, stop), name="lock-watch", daemon=True
            )
            watching.start()
            if role is WorkerRole.STEPS:
                heal(settings, database)
            leave = leave or threading.Event()
            rounds = _rounds(settings, database, engine, tools, guard, role, bell)
            rounds.append(_Round("schema", _SCHEMA_EVERY, lambda: _leave_to_newer(database, leave)))
            with _checkpoints(settings, database, role, stop):
                _go_round(rounds, stop, leave)
                if not stop.is_set():
                    log.info("worker_drains", role=role.value, worker=holder)
                    presence.now(ProcessState.DRAINS)
                    engine.drain(DRAIN)
                    stop.set()
        log.info("worker_stopped", role=role.value, worker=holder)
    finally:
        tools.close()
        locks.release()
        database.dispose()


def _traces(settings: Settings, name: str) -> AbstractContextManager[None]:
    url = settings.log.traces
    if url is None:
        return nullcontext()
    return tracing.sent_to(tracing.collector(str(url)), service=f"haikei {name}")


def _silent(database: Database) -> set[str]:
    with reading(database) as connection:
        found = present(connection)
    return {one.holder for one in found if one.state is ProcessState.SILENT}


def _leave_to_newer(database: Database, leave: threading.Event) -> None:
    if is_newer(database):
        log.warning(
            "newer_haikei",
            advice="Another host was upgraded: this worker ends what it is at. Upgrade this one.",
        )
        leave.set()


class _Round:
    """Something that is done every so many seconds."""

    def __init__(
        self,
        name: str,
        every: float,
        work: Callable[[], object],
        *,
        news: Callable[[], bool] = lambda: True,
    ) -> None:
        self.name = name
        self.every = every
        self.work = work
        self.news = news  #: whether there can be anything to do
        self.due = 0.0


class _News:
    """
    Reports a change of the state since the last call; after some seconds it reports one anyway.

    Args:
        bell: rings when it has.
        also: whether there is something to look at that nobody rings for.
    """

    def __init__(self, bell: Doorbell, also: Callable[[], bool] = lambda: False) -> None:
        self._bell = bell
        self._also = also
        self._heard = -1
        self._asked = 0.0

    def __call__(self) -> bool:
        rings, now = self._bell.rings(), time.monotonic()
        if rings == self._heard and now < self._asked + _QUIET and not self._also():
            return False
        self._heard, self._asked = rings, now
        return True


def _rounds(
    settings: Settings,
    database: Database,
    engine: WorkerEngine,
    tools: Tools,
    guard: DeadWorkerRecovery,
    role: WorkerRole,
    bell: Doorbell,
) -> list[_Round]:
    # The death of another worker rings for nobody: it is looked for while one has tasks.
    others = _News(bell, also=lambda: not guard.alone)
    rounds = [_Round("guard", _GUARD_EVERY, guard.sweep, news=others)]
    if role is WorkerRole.STEPS:
        ahead = _ahead(settings)
        dispatcher = Dispatcher(settings, database, engine, ahead=ahead)
        upkeep = Upkeep(tools, database, engine)
        rounds += [
            _Round("dispatch", settings.engine.poll, dispatcher.tick, news=_News(bell)),
            _Round("reconcile", _RECONCILE_EVERY, dispatcher.reconcile_with_engine),
            _Round("upkeep", _UPKEEP_EVERY, upkeep.run),
        ]
    return rounds


@contextmanager
def _checkpoints(
    settings: Settings, database: Database, role: WorkerRole, stop: threading.Event
) -> Generator[None]:
    """Keep the ledger's checkpoints beside the rounds: mail and trackers may take their time."""
    if role is not WorkerRole.STEPS:
        yield
        return
    # A thread of its own wants locks of its own: PostgreSQL's belong to one connection.
    locks = open_locks(settings.database_url, settings.studio.state / "locks")
    keeper = Checkpointing(settings, database, locks)
    thread = threading.Thread(target=keeper.keep, args=(stop,), name="checkpoints", daemon=True)
    thread.start()
    try:
        yield
    finally:
        if stop.is_set():
            thread.join(GRACE)
        locks.release()


def _go_round(rounds: list[_Round], stop: threading.Event, leave: threading.Event) -> None:
    while not (stop.is_set() or leave.is_set()):
        now = time.monotonic()
        for one in rounds:
            if now < one.due or stop.is_set():
                continue
            try:
                if one.news():
                    one.work()
            except SQLAlchemyError as error:
                # A full disk or a restarting server passes; the next round goes on from the tables.
                log.warning("round_failed", round=one.name, error=str(error))
            one.due = time.monotonic() + one.every
        next_due = min(one.due for one in rounds)
        stop.wait(max(0.01, next_due - time.monotonic()))


def _watch_lock(guard: DeadWorkerRecovery, stop: threading.Event) -> None:
    while not stop.wait(_GUARD_EVERY):
        if not guard.safe():
            log.error("worker_lock_lost", advice="Another worker may hold this one's tasks now.")
            # Not a clean stop: from now on every write of ours could be a second one.
            os._exit(_LOCK_LOST)


def _shape(settings: Settings, device: Device | None) -> tuple[Gate, Sequence[QueueSettings]]:
    poll = settings.engine.poll
    if device is None:
        slots = settings.engine.parallel
        return Gate(slots), (QueueSettings(name=STEPS_QUEUE, slots=slots, poll=poll),)
    # While some are computed, others are read and written: the device waits for no file.
    slots = device.in_work
    names = [generate_queue(), *(generate_queue(label) for label in device.labels)]
    # The gate is what limits them all together.
    return Gate(slots), [
        QueueSettings(name=name, slots=slots + _PREFETCH, poll=poll) for name in names
    ]


def _ahead(settings: Settings) -> int:
    pictures = sum(device.in_work + _PREFETCH for device in settings.engine.devices)
    return 2 * (settings.engine.parallel + pictures)


def _device(settings: Settings, name: str | None) -> Device:
    devices = settings.engine.devices
    if name is None:
        return devices[0]
    for device in devices:
        if device.name == name:
            return device
    known = ", ".join(device.name for device in devices)
    raise SettingsError(f"There is no device {name!r}.", advice=f"engine.devices has {known}.")
