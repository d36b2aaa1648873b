"""A picture of what was found on a sheet, over the sheet itself."""

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.sheets.sheet import (
    Area,
    FrameUse,
    NoteKind,
    SheetReading,
    TraceColour,
)

Colour = tuple[float, float, float]

CAMERA: Colour = (0.86, 0.0, 0.75)
SAFETY: Colour = (0.95, 0.6, 0.1)
PEGS: Colour = (0.0, 0.55, 0.45)
NOTES: dict[NoteKind, Colour] = {
    NoteKind.TEXT: (0.0, 0.5, 0.1),
    NoteKind.ARROW: (0.45, 0.65, 0.0),
    NoteKind.RULED: (0.5, 0.5, 0.5),
}
TRACES: dict[TraceColour, Colour] = {
    TraceColour.RED: (1.0, 0.1, 0.1),
    TraceColour.BLUE: (0.1, 0.3, 1.0),
    TraceColour.GREEN: (0.0, 0.75, 0.25),
    TraceColour.BROWN: (0.6, 0.35, 0.1),
}
VEILED = 0.45  #: how strongly what is not painted is dimmed


def draw_overlay(pixels: NDArray[np.float32], reading: SheetReading) -> NDArray[np.float32]:
    """
    Return the sheet with frames, pegs, notes and trace lines marked, its margin dimmed.

    Args:
        pixels: the sheet, (height, width, 3), sRGB, 0 to 1.
        reading: what `read_sheet` found on it.
    """
    shown = pixels.astype(np.float32, copy=True)
    height, width = reading.size
    thick = max(2, round(max(height, width) / 640))
    if reading.area is not None:
        veil = np.ones((height, width), np.bool_)
        area = reading.area
        veil[area.top : area.bottom, area.left : area.right] = False
        if reading.inside is not None:
            veil |= ~reading.inside
        shown[veil] *= np.float32(1 - VEILED)
    for trace in reading.traces:
        wide = cv2.dilate(trace.mask.astype(np.uint8), np.ones((thick + 1,) * 2, np.uint8)) > 0
        shown[wide] = TRACES[trace.colour]
    for note in reading.notes:
        _outline(shown, note.box, NOTES[note.kind], thick - 1 or 1)
    for peg in reading.pegs:
        _outline(shown, peg.box, PEGS, thick)
    for frame in reading.frames:
        points = np.array([[(one.x * 16, one.y * 16) for one in frame.corners]])
        colour = CAMERA if frame.use is FrameUse.CAMERA else SAFETY
        cv2.polylines(
            shown,
            [points.round().astype(np.int32)],
            isClosed=True,
            color=colour,
            thickness=thick,
            lineType=cv2.LINE_AA,
            shift=4,
        )
    return np.clip(shown, 0.0, 1.0)


def _outline(shown: NDArray[np.float32], box: Area, colour: Colour, thick: int) -> None:
    cv2.rectangle(
        shown, (box.left - 1, box.top - 1), (box.right, box.bottom), color=colour, thickness=thick
    )
