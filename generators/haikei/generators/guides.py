"""
Control images: what the reading of a layout gives to a model beside the picture that it redraws.

Each is drawn as the models that follow it were trained, from the layout without its notes, trace
lines and frame.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from haikei.images import Picture
from haikei.reading import Kind, Reading, read_layout

Control = NDArray[np.float32]


class Guide(StrEnum):
    """What can guide a model."""

    LINE = "line"  #: the clean line art, white on black
    REGIONS = "regions"  #: what is where, in the colours of ADE20K
    DEPTH = "depth"  #: how near things are, the nearest white


#: The colours of ADE20K's classes, as segmentation ControlNets were trained with.
#: Source: the palette of the MIT scene parsing benchmark.
COLOURS: Mapping[Kind, tuple[int, int, int]] = {
    Kind.SKY: (6, 230, 230),
    Kind.CLOUD: (6, 230, 230),
    Kind.HILL: (255, 255, 0),  # hill
    Kind.FOREST: (4, 200, 3),  # tree
    Kind.WATER: (61, 230, 250),  # water
    Kind.GRASS: (4, 250, 7),
    Kind.PAVING: (235, 255, 7),  # sidewalk
    Kind.EARTH: (120, 120, 70),
    Kind.TREE: (4, 200, 3),
    Kind.WALL: (180, 120, 120),  # building
    Kind.ROOF: (180, 120, 120),
    Kind.WINDOW: (230, 230, 230),
    Kind.DOOR: (8, 255, 51),
    Kind.POST: (255, 8, 41),  # column
    Kind.HULL: (173, 255, 0),  # ship
    Kind.OTHER: (0, 0, 0),
    Kind.SAND: (160, 150, 20),
    Kind.SNOW: (255, 255, 255),
    Kind.ROCK: (255, 41, 10),
    Kind.TRUNK: (4, 200, 3),
    Kind.WOOD: (255, 184, 6),  # fence
    Kind.RAIL: (255, 61, 6),  # railing
    Kind.WIRE: (0, 0, 0),
    Kind.VEHICLE: (0, 102, 200),  # car
    Kind.ROOM_WALL: (120, 120, 120),
    Kind.FLOOR: (80, 50, 50),
    Kind.CEILING: (120, 120, 80),
    Kind.FURNITURE: (0, 255, 61),  # cabinet, the nearest to any piece
    Kind.LAMP: (224, 255, 8),
    Kind.FIGURE: (150, 5, 61),
    Kind.UNKNOWN: (0, 0, 0),
}


def draw_guides(
    layout: Picture, guides: Sequence[Guide], *, place: str, pause: Callable[[], None]
) -> tuple[Control, ...]:
    """
    Return a control image for each guide: (height, width, 3), 0 to 1, at the layout's size.

    Args:
        layout: as it was drawn, at the size of the picture to make.
        guides: which, in this order; a layout is read once for all.
        place: what kind of place it is, as a hint; may be empty.
        pause: called now and then; it raises to cancel.
    """
    if not guides:
        return ()
    reading = read_layout(layout.pixels, place, pause)
    drawn = {guide: _draw(reading, guide, layout) for guide in set(guides)}
    return tuple(drawn[guide] for guide in guides)


def _draw(reading: Reading, guide: Guide, layout: Picture) -> Control:
    match guide:
        case Guide.LINE:
            plane = reading.line
        case Guide.DEPTH:
            plane = np.float32(1.0) - reading.spread(reading.depth)
        case Guide.REGIONS:
            table = np.zeros((max(Kind) + 1, 3), np.float32)
            for kind, colour in COLOURS.items():
                table[kind] = np.asarray(colour, np.float32) / 255
            return _sized(table[reading.kinds[reading.labels]], layout)
    return _sized(np.repeat(plane[..., None], 3, axis=2).astype(np.float32), layout)


def _sized(control: Control, layout: Picture) -> Control:
    """Return a control image at the layout's size, each pixel the nearest one."""
    height, width = control.shape[:2]
    if (height, width) == (layout.height, layout.width):
        return np.ascontiguousarray(control)
    rows = np.minimum(np.arange(layout.height) * height // layout.height, height - 1)
    columns = np.minimum(np.arange(layout.width) * width // layout.width, width - 1)
    return np.ascontiguousarray(control[rows][:, columns])
