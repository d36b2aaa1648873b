"""What happened: the events that every source gives alike."""

from haikei.events.published import LayoutPublished, Source, TouchUpPublished, event_key
from haikei.events.touchup_path import NamedPaintOver, TouchUpFolders, named_paint_over

Event = LayoutPublished | TouchUpPublished

__all__ = [
    "Event",
    "LayoutPublished",
    "NamedPaintOver",
    "Source",
    "TouchUpFolders",
    "TouchUpPublished",
    "event_key",
    "named_paint_over",
]
