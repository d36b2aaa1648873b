"""The demonstration studio: layouts land, and credited backgrounds are in review minutes later."""

from enum import StrEnum


class DemoTracker(StrEnum):
    """A tracker that it can start by itself, as it is named on the command line."""

    EMBEDDED = "embedded"  #: speaks ShotGrid's protocol
    KITSU = "kitsu"


__all__ = ["DemoTracker"]
