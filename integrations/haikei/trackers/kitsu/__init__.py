"""Kitsu, the open tracker, behind the contract."""

from haikei.trackers.kitsu.tracker import KitsuTracker, open_kitsu

__all__ = ["KitsuTracker", "open_kitsu"]
