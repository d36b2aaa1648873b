"""How an earlier picture lies on a later one, which may have another size."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.images import Picture, resize
from haikei.measure.ciede2000 import lab_of
from haikei.measure.registration import Shift, moved, register
from haikei.measure.similarity import similarity

#: Share by which the ratio of the sides may differ before the canvas, not the size, was changed.
_RATIO = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """An earlier picture's point (x, y) lies at (x * scale_x + right, y * scale_y + down)."""

    scale_x: float
    scale_y: float
    right: float  #: pixels of the later picture
    down: float

    @property
    def shift(self) -> float:
        """By how many pixels the picture was moved besides being resized."""
        return math.hypot(self.right, self.down)

    @property
    def whole(self) -> bool:
        """Whether it was moved by whole pixels, so that nothing was interpolated."""
        return self.right == round(self.right) and self.down == round(self.down)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """The earlier picture in the later one's frame."""

    before: NDArray[np.float32]  #: CIELAB, (height, width, 3) of the later picture
    uncovered: NDArray[np.bool_]  #: where the later picture has canvas that the earlier one lacks
    placement: Placement


def laid_over(before: Picture, after: Picture) -> Placed:
    """
    Lay the earlier picture over the later one: resized and shifted.

    Where the sides' ratio differs, the canvas may have been cropped or extended instead; what
    makes the drawings more alike is taken.
    """
    scaled = _scaled(before, after)
    ratio = (after.width * before.height) / (after.height * before.width)
    if abs(math.log(ratio)) <= _RATIO:
        return scaled
    light = lab_of(after)[..., 0]
    return max(
        scaled,
        _on_canvas(before, after),
        key=lambda placed: similarity(placed.before[..., 0], light),
    )


def _scaled(before: Picture, after: Picture) -> Placed:
    first = lab_of(resize(before, after.width, after.height))
    shift = _shift(first, lab_of(after))
    return Placed(
        before=moved(first, shift),
        uncovered=np.zeros(first.shape[:2], bool),
        placement=Placement(
            scale_x=after.width / before.width,
            scale_y=after.height / before.height,
            right=shift.right,
            down=shift.down,
        ),
    )


def _on_canvas(before: Picture, after: Picture) -> Placed:
    width, height = max(before.width, after.width), max(before.height, after.height)
    first, second = (_framed(lab_of(picture), width, height) for picture in (before, after))
    shift = _shift(first, second)
    matrix = np.array([[1, 0, shift.right], [0, 1, shift.down]], np.float32)
    covered = np.ones((before.height, before.width), np.uint8)
    there = cv2.warpAffine(covered, matrix, (after.width, after.height), flags=cv2.INTER_NEAREST)
    return Placed(
        before=np.ascontiguousarray(moved(first, shift)[: after.height, : after.width]),
        uncovered=np.asarray(there == 0, np.bool_),
        placement=Placement(scale_x=1.0, scale_y=1.0, right=shift.right, down=shift.down),
    )


def _framed(lab: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    below, beside = height - lab.shape[0], width - lab.shape[1]
    return np.pad(lab, ((0, below), (0, beside), (0, 0)), mode="edge")


def _shift(first: NDArray[np.float32], second: NDArray[np.float32]) -> Shift:
    planes = (np.ascontiguousarray(lab[..., 0]) for lab in (first, second))
    return register(*planes)
