"""Watercolour from line art, by geometry alone: no model, no training data."""

from haikei.painting.adjusting import AS_IT_IS, Adjusting
from haikei.painting.region_changes import RegionChanges, light_of
from haikei.painting.work import notes_of, paint_full, paint_wash
from haikei.reading import Reading, read_layout

__all__ = [
    "AS_IT_IS",
    "Adjusting",
    "Reading",
    "RegionChanges",
    "light_of",
    "notes_of",
    "paint_full",
    "paint_wash",
    "read_layout",
]
