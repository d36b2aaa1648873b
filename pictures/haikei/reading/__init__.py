"""What is drawn on a layout: its regions, what each of them is likely to be, and how they lie."""

from haikei.reading.classes import NATURAL, STANDING, Kind
from haikei.reading.layout_reading import Reading, read_layout
from haikei.reading.shapes import Cancelling, Numbers, Plane

__all__ = [
    "NATURAL",
    "STANDING",
    "Cancelling",
    "Kind",
    "Numbers",
    "Plane",
    "Reading",
    "read_layout",
]
