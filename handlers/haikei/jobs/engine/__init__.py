"""The job engine: durable tasks, workers, recovery. An entry point names what runs the tasks."""

from typing import TYPE_CHECKING

from haikei.doors import on_demand
from haikei.jobs.engine.port import (
    Durable,
    Engine,
    EngineKind,
    Forgotten,
    Handler,
    QueueSettings,
    Recovery,
    Task,
    TaskState,
    WorkerEngine,
    load_engine,
)

if TYPE_CHECKING:
    from haikei.jobs.engine.dispatch import Dispatcher
    from haikei.jobs.engine.recovery import (
        DeadWorkerRecovery,
        FileLocks,
        Locks,
        claim_holder,
        open_locks,
    )
    from haikei.jobs.engine.retries import Gate
    from haikei.jobs.engine.worker import WorkerRole, run_worker

__all__ = [
    "DeadWorkerRecovery",
    "Dispatcher",
    "Durable",
    "Engine",
    "EngineKind",
    "FileLocks",
    "Forgotten",
    "Gate",
    "Handler",
    "Locks",
    "QueueSettings",
    "Recovery",
    "Task",
    "TaskState",
    "WorkerEngine",
    "WorkerRole",
    "claim_holder",
    "load_engine",
    "open_locks",
    "run_worker",
]

# A worker loads every step of every job: who only takes a lock or a port's type does not.
__getattr__ = on_demand(
    __name__,
    {
        "haikei.jobs.engine.dispatch": ("Dispatcher",),
        "haikei.jobs.engine.recovery": (
            "DeadWorkerRecovery",
            "FileLocks",
            "Locks",
            "claim_holder",
            "open_locks",
        ),
        "haikei.jobs.engine.retries": ("Gate",),
        "haikei.jobs.engine.worker": ("WorkerRole", "run_worker"),
    },
)
