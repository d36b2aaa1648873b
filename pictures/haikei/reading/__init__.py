"""What is drawn on a layout: its regions, what each of them is likely to be, and how they lie."""

from haikei.reading.book_layers import BookParts, LayerRole, role_of, take_apart
from haikei.reading.kinds import AIR, GROUND, INDOORS, NATURAL, STANDING, Facing, Kind
from haikei.reading.layout_reading import Reader, Reading, read_layout
from haikei.reading.shapes import Cancelling, Numbers, Plane
from haikei.reading.wires import find_wires

__all__ = [
    "AIR",
    "GROUND",
    "INDOORS",
    "NATURAL",
    "STANDING",
    "BookParts",
    "Cancelling",
    "Facing",
    "Kind",
    "LayerRole",
    "Numbers",
    "Plane",
    "Reader",
    "Reading",
    "find_wires",
    "read_layout",
    "role_of",
    "take_apart",
]
