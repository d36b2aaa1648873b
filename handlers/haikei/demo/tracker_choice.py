"""The trackers that the demonstration can start by itself."""

from enum import StrEnum


class DemoTracker(StrEnum):
    """One of them, as it is named on the command line."""

    EMBEDDED = "embedded"  #: speaks ShotGrid's protocol
    KITSU = "kitsu"
