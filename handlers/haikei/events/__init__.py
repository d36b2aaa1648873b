"""What happened: the events that every source gives alike."""

from haikei.events.layout import LayoutPublished, Source

__all__ = ["LayoutPublished", "Source"]
