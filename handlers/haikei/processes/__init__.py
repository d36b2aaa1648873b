"""The tree of processes that `haikei run` keeps alive."""

from haikei.processes.studio import studio_processes
from haikei.processes.supervisor import Child, Supervisor

__all__ = ["Child", "Supervisor", "studio_processes"]
