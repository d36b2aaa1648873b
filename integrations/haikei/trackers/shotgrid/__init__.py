"""The ShotGrid adapter: the studio's site through the official client."""

from haikei.trackers.shotgrid.feed import ShotGridFeed
from haikei.trackers.shotgrid.visiting import ShotGridSelection

__all__ = [
    "ShotGridFeed",
    "ShotGridSelection",
]
