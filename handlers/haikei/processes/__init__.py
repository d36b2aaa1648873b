"""The tree of processes that `haikei run` keeps alive, and how it stands."""

from typing import TYPE_CHECKING

from haikei.doors import on_demand
from haikei.processes.supervisor import Child, Plan, ReadFiles, Supervisor, studio_processes

if TYPE_CHECKING:
    from haikei.processes.status import (
        Condition,
        HealthWatch,
        Readying,
        StudioStatus,
        studio_status,
        supervisors,
    )

__all__ = [
    "Child",
    "Condition",
    "HealthWatch",
    "Plan",
    "ReadFiles",
    "Readying",
    "StudioStatus",
    "Supervisor",
    "studio_processes",
    "studio_status",
    "supervisors",
]

#: On demand: the supervisor does without jobs and the database.
__getattr__ = on_demand(
    __name__,
    {
        "haikei.processes.status": (
            "Condition",
            "HealthWatch",
            "Readying",
            "StudioStatus",
            "studio_status",
            "supervisors",
        ),
    },
)
