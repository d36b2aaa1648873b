"""The playlist in which supervisors see what is new, a day at a time."""

from haikei.dailies.collecting import Dailies

__all__ = ["Dailies"]
