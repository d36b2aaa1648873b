"""The ShotGrid adapter: the studio's site through the official client."""

from haikei.trackers.shotgrid.tracker import ShotGridTracker, open_site

__all__ = ["ShotGridTracker", "open_site"]
