"""Peg holes: one round hole between two oblong ones, at the sheet's upper or lower edge."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.sheets.sheet import Area, Ink, Mask, PegHole, PegShape

SEARCHED = 800  #: pixels of the longer side where holes are looked for
EDGE = 0.2  #: of the sheet's height, how far from its edge they lie


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A solid spot, in pixels of the small picture."""

    x: float
    y: float
    width: int
    height: int
    dark: bool

    @property
    def round(self) -> bool:
        """Whether it is about as wide as high."""
        return 0.75 < self.width / self.height < 1.34

    @property
    def oblong(self) -> bool:
        """Whether it lies on its side."""
        return 1.5 < self.width / self.height < 8


def peg_holes(ink: Ink, bright: Mask | None) -> tuple[PegHole, ...]:
    """
    Return the holes of a sheet; none where there are not three in a row.

    Args:
        ink: all ink of the sheet.
        bright: where it is lighter than its paper: holes on a white lid.
    """
    height, width = ink.shape
    part = min(1.0, SEARCHED / max(height, width))
    shape = (max(1, round(width * part)), max(1, round(height * part)))
    small = cv2.resize(ink, shape, interpolation=cv2.INTER_AREA)
    dark = (small > 0.35).astype(np.uint8)
    # Writing may run into a hole.
    thick = np.ones((max(3, round(0.005 * shape[0])),) * 2, np.uint8)
    solid = np.asarray(cv2.morphologyEx(dark, cv2.MORPH_OPEN, thick), np.uint8)
    blobs = [*_spots(solid, dark=True), *_spots(_enclosed(dark), dark=False)]
    if bright is not None and bright.any():
        light = cv2.resize(bright.astype(np.float32), shape, interpolation=cv2.INTER_AREA)
        blobs += _spots((light > 0.5).astype(np.uint8), dark=False)
    best = _best_row(blobs, shape[0], shape[1])
    return tuple(
        PegHole(
            shape=PegShape.ROUND if index == 1 else PegShape.OBLONG,
            box=Area(
                left=max(0, int((one.x - one.width / 2) / part) - 2),
                top=max(0, int((one.y - one.height / 2) / part) - 2),
                right=min(width, int((one.x + one.width / 2) / part) + 3),
                bottom=min(height, int((one.y + one.height / 2) / part) + 3),
            ),
            dark=one.dark,
        )
        for index, one in enumerate(best)
    )


def _enclosed(dark: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return what closed outlines hold."""
    return 1 - dark


def _spots(plane: NDArray[np.uint8], *, dark: bool) -> list[Blob]:
    height, width = plane.shape
    zone = int(EDGE * height)
    found: list[Blob] = []
    if zone < 1 or width < 1:
        # OpenCV crashes on a plane without rows.
        return found
    for top in (0, height - zone):
        _, _, stats, centres = cv2.connectedComponentsWithStats(
            plane[top : top + zone], connectivity=4
        )
        for (_, _, wide, high, area), (x, y) in zip(stats[1:], centres[1:], strict=True):
            if not 0.006 * width <= high <= 0.06 * width or wide > 0.12 * width:
                continue
            if area < 0.7 * wide * high:
                continue
            found.append(
                Blob(x=float(x), y=float(y) + top, width=int(wide), height=int(high), dark=dark)
            )
    return found


def _best_row(blobs: Sequence[Blob], width: int, height: int) -> tuple[Blob, ...]:
    best: tuple[Blob, ...] = ()
    worst = 0.15
    oblong = [one for one in blobs if one.oblong]
    for left, right in combinations(sorted(oblong, key=lambda one: one.x), 2):
        apart = right.x - left.x
        if left.dark != right.dark or not 0.12 * width < apart < 0.95 * width:
            continue
        if abs(left.width / right.width - 1) > 0.25 or abs(left.height / right.height - 1) > 0.3:
            continue
        if abs(right.y - left.y) > 0.16 * apart:
            continue
        for middle in blobs:
            if not middle.round or middle.dark != left.dark:
                continue
            if not 0.5 < middle.height / left.height < 2.6:
                continue
            away = abs(middle.x - (left.x + right.x) / 2) / apart
            away += 2 * abs(middle.y - (left.y + right.y) / 2) / apart
            if away < worst:
                best, worst = (left, middle, right), away
    return best if max((one.y for one in best), default=0) <= height else ()
