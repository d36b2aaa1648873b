"""Watercolour from line art, by geometry alone: no model, no training data."""

from haikei.painting.adjusting import AS_IT_IS, Adjusting
from haikei.painting.reading import Reading, read_layout
from haikei.painting.strokes import Cancelling
from haikei.painting.work import paint_full, paint_wash

__all__ = [
    "AS_IT_IS",
    "Adjusting",
    "Cancelling",
    "Reading",
    "paint_full",
    "paint_wash",
    "read_layout",
]
