"""Paint on pixels: outlines and discs with soft edges, each touching only what it covers."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]  #: (height, width, 3), sRGB-encoded, 0 to 1
Point = tuple[float, float]  #: x and y in pixels; the origin is top left
Colour = tuple[float, float, float]
#: Fractional bits of the coordinates that OpenCV draws at.
_BITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Something that is filled with paint."""

    outline: NDArray[np.float64]  #: (n, 2), x and y of its corners
    soft: float = 0.0  #: standard deviation, in pixels, by which its edge is blurred

    def paint(self, pixels: Pixels, colour: Colour, opacity: float) -> None:
        """Blend the colour over the pixels inside, in place."""
        height, width = pixels.shape[:2]
        margin = 3.0 * self.soft + 2.0
        left, top = np.floor(self.outline.min(axis=0) - margin).astype(int)
        right, bottom = np.ceil(self.outline.max(axis=0) + margin).astype(int)
        left, top = max(int(left), 0), max(int(top), 0)
        right, bottom = min(int(right), width), min(int(bottom), height)
        if left >= right or top >= bottom:
            return
        mask = np.zeros((bottom - top, right - left), np.uint8)
        corners = np.rint((self.outline - (left, top)) * 2**_BITS).astype(np.int32)
        cv2.fillPoly(mask, [corners], 255, cv2.LINE_AA, _BITS)
        cover = np.asarray(mask, np.float32) / np.float32(255)
        if self.soft:
            cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), self.soft), np.float32)
        part = pixels[top:bottom, left:right]
        part += (np.array(colour, np.float32) - part) * (cover * np.float32(opacity))[..., None]


def disc(centre: Point, radius: float, *, soft: float = 0.0) -> Shape:
    """Return a round shape."""
    turn = np.linspace(0.0, 2 * np.pi, 24, endpoint=False)
    outline = np.stack((np.cos(turn), np.sin(turn)), axis=1) * radius + np.array(centre)
    return Shape(outline=outline, soft=soft)


def blade(foot: Point, bend: Point, tip: Point, *, thickness: float) -> Shape:
    """Return a stroke along a quadratic curve that runs out thin."""
    at = np.linspace(0.0, 1.0, 12)[:, None]
    first, middle, last = (np.array(point, np.float64) for point in (foot, bend, tip))
    line = (1 - at) ** 2 * first + 2 * at * (1 - at) * middle + at**2 * last
    along = np.gradient(line, axis=0)
    across = np.stack((-along[:, 1], along[:, 0]), axis=1)
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6)
    half = thickness * 0.5 * (1 - at) ** 0.7 + 0.3
    return Shape(outline=np.concatenate((line + across * half, (line - across * half)[::-1])))
