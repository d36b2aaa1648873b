"""
What stands on a layout sheet: ink, coloured guide lines, the frame and its margin.

Paper is flattened against its own local white (a grey-scale dilation, the usual estimate of a
document's background), strongly coloured strokes are guides and go, and what lies outside a drawn
camera frame is margin when next to nothing is drawn there.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

COLOURED = 0.2  #: distance between a pixel's largest and smallest channel that makes it a guide
MOSTLY = 0.3  #: part of the sheet that may be coloured before it is no line art any more
PALEST, DARKEST = 0.80, 0.42  #: paper-relative grey where ink begins, and where it is full
FRAME_ZONE = 0.16  #: how far inside the sheet, per side, a camera frame is looked for
FRAME_RUN = 0.7  #: part of a side that a frame's line must cover


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """An upright rectangle in pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CleanLine:
    """What is left of a layout: `ink` is (height, width), float32, 0 paper to 1 full line."""

    ink: NDArray[np.float32]
    frame: Area | None  #: what is to be painted, when a margin lies around it


def clean(pixels: NDArray[np.float32]) -> CleanLine:
    """Return the ink of a layout, (height, width, 3), sRGB, 0 to 1."""
    red, green, blue = cv2.split(pixels)
    brightest = np.asarray(cv2.max(cv2.max(red, green), blue), np.float32)
    spread = brightest - cv2.min(cv2.min(red, green), blue)
    coloured = spread > COLOURED
    grey = brightest
    if coloured.mean() > MOSTLY:
        grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.float32)
    elif coloured.any():
        wide = cv2.dilate(coloured.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        grey = np.where(wide & (spread > COLOURED / 3), np.float32(1.0), brightest)
    grey = _upright(grey)
    flat = grey / _paper(grey)
    ink = np.clip((PALEST - flat) / (PALEST - DARKEST), 0.0, 1.0).astype(np.float32)
    frame = _frame(ink)
    if frame is not None:
        inside = np.zeros_like(ink)
        inner = (slice(frame.top, frame.bottom), slice(frame.left, frame.right))
        inside[inner] = ink[inner]
        ink = inside
    return CleanLine(ink=ink, frame=frame)


def _upright(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn white lines on dark ground into dark lines on white."""
    sample = grey[::4, ::4]
    return np.float32(1.0) - grey if float(np.median(sample)) < 0.3 else grey


def _paper(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = grey.shape
    small = cv2.resize(
        grey, (max(8, width // 8), max(8, height // 8)), interpolation=cv2.INTER_AREA
    )
    light = cv2.GaussianBlur(cv2.dilate(small, np.ones((5, 5), np.uint8)), (0, 0), 3)
    paper = cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.maximum(paper, 0.35), np.float32)


def _frame(ink: NDArray[np.float32]) -> Area | None:
    """Find four long straight lines around the picture with an almost empty margin outside."""
    height, width = ink.shape
    dark = ink > 0.4
    rows, columns = dark.mean(axis=1), dark.mean(axis=0)
    # A ruled line may lean by a pixel or two over its length.
    rows = np.convolve(rows, np.ones(3), "same")
    columns = np.convolve(columns, np.ones(3), "same")
    sides: list[int] = []
    for profile, extent in ((rows, height), (columns, width)):
        zone = max(2, int(extent * FRAME_ZONE))
        first = np.flatnonzero(profile[1:zone] > FRAME_RUN) + 1
        last = np.flatnonzero(profile[extent - zone : extent - 1] > FRAME_RUN) + extent - zone
        if not len(first) or not len(last):
            return None
        sides += [int(first[-1]), int(last[0])]
    top, bottom, left, right = sides
    margin = max(3, round(height / 240))
    inner = Area(
        left=left + margin, top=top + margin, right=right - margin + 1, bottom=bottom - margin + 1
    )
    if inner.right - inner.left < width // 2 or inner.bottom - inner.top < height // 2:
        return None
    inside = dark[inner.top : inner.bottom, inner.left : inner.right]
    outer = dark[: max(0, top - margin)].sum() + dark[bottom + margin :].sum()
    outer += dark[:, : max(0, left - margin)].sum() + dark[:, right + margin :].sum()
    spread = max(1, height * width - inside.size)
    return inner if outer / spread < max(0.25 * float(inside.mean()), 0.01) else None


__all__ = [
    "Area",
]
