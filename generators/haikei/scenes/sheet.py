"""
The board a layout is drawn on: ink on stacked sheets, what is nearer hides what is behind.

Shapes are drawn from back to front. Each first wipes its own area on all sheets and then gets its
outline, so hidden lines vanish without any geometry: the painter's algorithm, on line art.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.scenes.camera import GUIDE, INK, Layer, Line2

SUPERSAMPLING = 2
SHIFT = 4  #: binary places of the fractions of a pixel that OpenCV draws with
LAYERS = {"clouds": "雲", "line": "原図", "book": "BOOK"}


class Sheet:
    """Draws in fractions of the picture's height; strokes are measured in a 720-line picture."""

    def __init__(self, width: int, height: int, random: np.random.Generator) -> None:
        self.aspect = width / height
        self.random = random
        self.layer = "line"
        self._size = (width, height)
        self._unit = height * SUPERSAMPLING
        shape = (height * SUPERSAMPLING, width * SUPERSAMPLING)
        self._inks = {name: np.zeros(shape, np.uint8) for name in LAYERS}

    def fill(self, line: Line2) -> None:
        """Wipe what lies behind a closed shape."""
        if len(line) > 2:
            for ink in self._inks.values():
                cv2.fillPoly(ink, [self._fixed(line)], (0,), cv2.LINE_AA, SHIFT)

    def stroke(self, line: Line2, weight: float = 1.0, *, closed: bool = False) -> None:
        """Draw along a line; weight 1 is a little under two pixels on a 720-line picture."""
        if len(line) > 1:
            cv2.polylines(
                self._inks[self.layer],
                [self._fixed(line)],
                closed,
                (255,),
                self._thickness(weight),
                cv2.LINE_AA,
                SHIFT,
            )

    def shape(self, line: Line2, weight: float = 1.0) -> None:
        """Draw a closed shape that hides what is behind it."""
        self.fill(line)
        self.stroke(line, weight, closed=True)

    def layers(self) -> tuple[Layer, ...]:
        """Return the finished sheets with a slight tremor of the hand, and a hidden frame."""
        width, height = self._size
        across, down = self._tremor()
        sheets: list[Layer] = []
        for name, name_ja in LAYERS.items():
            small = cv2.resize(self._inks[name], (width, height), interpolation=cv2.INTER_AREA)
            drawn = cv2.remap(small, across, down, cv2.INTER_LINEAR)
            sheets.append(
                Layer(
                    name=name,
                    name_ja=name_ja,
                    colour=INK,
                    visible=True,
                    ink=np.asarray(drawn, np.uint8),
                )
            )
        sheets.append(
            Layer(name="frame", name_ja="フレーム", colour=GUIDE, visible=False, ink=self._frame())
        )
        return tuple(sheets)

    def _fixed(self, line: Line2) -> NDArray[np.int32]:
        limited = np.clip(line * self._unit, -8 * self._unit, 8 * self._unit)
        return np.rint(limited * (1 << SHIFT)).astype(np.int32)

    def _thickness(self, weight: float) -> int:
        # Outlines stay closed on small sheets; only wires and hints may fade there.
        finest = 1 if weight < 0.55 else SUPERSAMPLING
        return max(finest, round(1.75 * weight * self._unit / 720))

    def _tremor(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        width, height = self._size
        reach = height / 720 * 0.6
        coarse = (max(2, height // 40), max(2, width // 40))
        down, across = np.mgrid[0:height, 0:width].astype(np.float32)
        wobbles = [
            cv2.resize(
                self.random.standard_normal(coarse).astype(np.float32) * np.float32(reach),
                (width, height),
                interpolation=cv2.INTER_CUBIC,
            )
            for _ in range(2)
        ]
        return across + wobbles[0], down + wobbles[1]

    def _frame(self) -> NDArray[np.uint8]:
        width, height = self._size
        ink = np.zeros((height, width), np.uint8)
        inset = round(height * 0.035)
        cv2.rectangle(
            ink,
            (inset, inset),
            (width - 1 - inset, height - 1 - inset),
            (255,),
            max(1, height // 360),
        )
        return ink


def arc(
    x: float, y: float, width: float, height: float, start: float, end: float, *, points: int = 14
) -> Line2:
    """Return part of an ellipse; angles in degrees, clockwise from the right."""
    angle = np.radians(np.linspace(start, end, points))
    return np.stack([x + width * np.cos(angle), y + height * np.sin(angle)], axis=1)


def box(x: float, y: float, width: float, height: float) -> Line2:
    """Return an upright rectangle by its upper left corner."""
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])


def band(line: Line2, width: float, *, taper: float = 1.0) -> Line2:
    """Return the outline of a strip along a line, `taper` times as wide at its end."""
    step = np.gradient(line, axis=0)
    normal = np.stack([-step[:, 1], step[:, 0]], axis=1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    half = (width / 2 * np.linspace(1.0, taper, len(line)))[:, None]
    return np.concatenate([line + normal * half, (line - normal * half)[::-1]])
