"""The tree of processes that `haikei run` keeps alive."""

from haikei.processes.supervisor import Child, Supervisor, studio_processes

__all__ = ["Child", "Supervisor", "studio_processes"]
