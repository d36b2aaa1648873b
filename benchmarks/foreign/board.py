"""
The board of a stranger who draws layouts: shapes that hide each other, an eye, and many hands.

Nothing here comes from `haikei.scenes` or from what a reader is trained on: other helpers, other
proportions, so that a reader or a painter is tried on drawings that its makers did not draw.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.reading import Kind

Points = NDArray[np.float64]  #: (n, 2), right and down, in heights of the picture
Solid = tuple[float, float, float]  #: metres: right, up, away
FINE = 2  #: how much larger than asked for it is drawn, before it is reduced
CLOSEST = 0.25  #: metres


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """How somebody draws lines."""

    name: str
    weight: float = 1.0
    wobble: float = 0.0  #: in thousandths of the height
    gaps: float = 0.0  #: part of a stroke left out
    double: bool = False
    pressure: bool = False  #: from thick to thin
    grain: float = 0.0
    ink: tuple[float, float, float] = (0.08, 0.08, 0.09)
    paper: tuple[float, float, float] = (1.0, 1.0, 1.0)
    hatch: bool = False


HANDS = (
    Hand(name="clean"),
    Hand(name="pencil", weight=0.9, wobble=0.7, grain=0.6, ink=(0.28, 0.28, 0.3)),
    Hand(name="wobble", weight=1.2, wobble=3.0),
    Hand(name="gaps", weight=1.1, wobble=0.6, gaps=0.05),
    Hand(name="hatching", weight=0.8, wobble=0.5, hatch=True),
    Hand(name="thick-thin", weight=1.5, wobble=0.8, pressure=True),
    Hand(name="white-on-black", ink=(0.95, 0.95, 0.93), paper=(0.05, 0.05, 0.07)),
    Hand(name="coloured-line", weight=1.1, wobble=0.4, ink=(0.42, 0.22, 0.16)),
    Hand(name="double", weight=0.7, wobble=1.6, double=True, ink=(0.2, 0.2, 0.22)),
    Hand(
        name="scan",
        weight=1.0,
        wobble=0.8,
        grain=0.8,
        ink=(0.3, 0.29, 0.3),
        paper=(0.95, 0.92, 0.84),
    ),
)


@dataclass(slots=True, kw_only=True)
class Eye:
    """Where a room or a street is seen from."""

    height: float = 1.5
    level: float = 0.5  #: where the horizon lies, from the top
    middle: float = 0.89  #: where it looks, from the left
    focal: float = 0.8
    turn: float = 0.0  #: radians to the right

    def see(self, points: Sequence[Solid]) -> Points:
        """Return a flat face as seen, cut off where it passes the eye."""
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        space = np.array(
            [(x * cos - z * sin, y - self.height, x * sin + z * cos) for x, y, z in points]
        )
        kept: list[NDArray[np.float64]] = []
        for here, there in zip(space, np.roll(space, -1, axis=0), strict=True):
            if here[2] >= CLOSEST:
                kept.append(here)
            if (here[2] - CLOSEST) * (there[2] - CLOSEST) < 0:
                part = (here[2] - CLOSEST) / (here[2] - there[2])
                kept.append(here + (there - here) * part)
        if len(kept) < 2:
            return np.zeros((0, 2))
        seen = np.array(kept)
        return np.stack(
            [
                self.middle + self.focal * seen[:, 0] / seen[:, 2],
                self.level - self.focal * seen[:, 1] / seen[:, 2],
            ],
            axis=1,
        )


@dataclass(slots=True, kw_only=True)
class Board:
    """What is drawn on: ink, and the true kind of each pixel."""

    width: int
    height: int
    hand: Hand
    random: np.random.Generator
    eye: Eye = field(default_factory=Eye)
    ink: NDArray[np.uint8] = field(init=False)
    kinds: NDArray[np.int32] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with an empty sheet, which is sky until something is drawn."""
        size = (self.height * FINE, self.width * FINE)
        self.ink = np.zeros(size, np.uint8)
        self.kinds = np.full(size, int(Kind.SKY), np.int32)

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.width / self.height

    def shape(
        self,
        points: Points | Sequence[tuple[float, float]],
        kind: Kind,
        weight: float = 1.0,
        *,
        shade: bool = False,
        outline: bool = True,
    ) -> None:
        """Draw a closed shape, which hides what lies behind it."""
        path = np.asarray(points, np.float64)
        if len(path) < 3:
            return
        whole = self._pixels(path)
        cv2.fillPoly(self.ink, [whole], (0,))
        cv2.fillPoly(self.kinds, [whole], (int(kind),))
        if shade and self.hand.hatch:
            self._hatch(whole)
        if outline:
            self.stroke(np.concatenate([path, path[:1]]), weight)

    def face(
        self, points: Sequence[Solid], kind: Kind, weight: float = 1.0, *, shade: bool = False
    ) -> None:
        """Draw a flat face of something solid."""
        self.shape(self.eye.see(points), kind, weight, shade=shade)

    def block(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        z: tuple[float, float],
        kind: Kind,
        top: Kind | None = None,
    ) -> None:
        """Draw an upright block: its far sides never, its near ones as the eye sees them."""
        (x0, x1), (y0, y1), (z0, z1) = x, y, z
        left = self.eye.see([(x0, y0, z0), (x0, y0, z1)])
        if y1 < self.eye.height:
            self.face(
                [(x0, y1, z0), (x1, y1, z0), (x1, y1, z1), (x0, y1, z1)],
                kind if top is None else top,
            )
        if y0 > self.eye.height:
            self.face([(x0, y0, z0), (x1, y0, z0), (x1, y0, z1), (x0, y0, z1)], kind, shade=True)
        if len(left) == 2 and left[1, 0] < left[0, 0]:
            self.face([(x0, y0, z0), (x0, y0, z1), (x0, y1, z1), (x0, y1, z0)], kind, shade=True)
        right = self.eye.see([(x1, y0, z0), (x1, y0, z1)])
        if len(right) == 2 and right[1, 0] > right[0, 0]:
            self.face([(x1, y0, z0), (x1, y0, z1), (x1, y1, z1), (x1, y1, z0)], kind, shade=True)
        self.face([(x0, y0, z0), (x1, y0, z0), (x1, y1, z0), (x0, y1, z0)], kind)

    def line(self, points: Sequence[Solid], weight: float = 0.6) -> None:
        """Draw a line in space that hides nothing."""
        for here, there in pairwise(points):
            self.stroke(self.eye.see([here, there])[:2], weight)

    def stroke(
        self,
        points: Points | Sequence[tuple[float, float]],
        weight: float = 1.0,
        kind: Kind | None = None,
    ) -> None:
        """Draw a line; with a kind it is something thin, such as a wire."""
        path = np.asarray(points, np.float64)
        if len(path) < 2:
            return
        if kind is not None:
            cv2.polylines(
                self.kinds,
                [self._pixels(path)],
                isClosed=False,
                color=(int(kind),),
                thickness=2 * FINE,
            )
        hand = self.hand
        for _ in range(2 if hand.double else 1):
            for part in self._broken(self._wander(_finer(path))):
                self._ink(part, weight * hand.weight)

    def _ink(self, path: Points, weight: float) -> None:
        base = weight * self.height * FINE / 420
        if not self.hand.pressure:
            pixels = self._pixels(path, 16)
            cv2.polylines(
                self.ink,
                [pixels],
                isClosed=False,
                color=(255,),
                thickness=max(1, round(base)),
                lineType=cv2.LINE_AA,
                shift=4,
            )
            return
        swell = 0.45 + 1.1 * np.abs(np.sin(np.linspace(0.2, 2.9, len(path))))
        for index in range(0, len(path) - 1, 3):
            piece = self._pixels(path[index : index + 4], 16)
            thick = max(1, round(base * float(swell[index])))
            cv2.polylines(
                self.ink,
                [piece],
                isClosed=False,
                color=(255,),
                thickness=thick,
                lineType=cv2.LINE_AA,
                shift=4,
            )

    def _wander(self, path: Points) -> Points:
        if not self.hand.wobble:
            return path
        count = len(path)
        knots = max(3, count // 9)
        drift = self.random.standard_normal((knots, 2)) * self.hand.wobble / 1000
        at = np.linspace(0, knots - 1, count)
        along = np.arange(knots)
        return path + np.stack([np.interp(at, along, drift[:, axis]) for axis in (0, 1)], axis=1)

    def _broken(self, path: Points) -> list[Points]:
        if not self.hand.gaps or len(path) < 12:
            return [path]
        parts: list[Points] = []
        start = 0
        while start < len(path) - 2:
            run = int(self.random.integers(14, 60))
            parts.append(path[start : start + run])
            start += run + max(1, int(self.hand.gaps * run * self.random.uniform(0.5, 2)))
        return parts

    def _hatch(self, whole: NDArray[np.int32]) -> None:
        mask = np.zeros_like(self.ink)
        cv2.fillPoly(mask, [whole], (255,))
        lines = np.zeros_like(self.ink)
        height, width = lines.shape
        for start in range(-height, width, round(height / 50)):
            cv2.line(lines, (start, height), (start + height, 0), (150,), max(1, FINE - 1))
        np.maximum(self.ink, np.minimum(lines, mask), out=self.ink)

    def _pixels(self, path: Points, part: int = 1) -> NDArray[np.int32]:
        scaled = np.clip(path, -40, 40) * self.height * FINE * part
        return np.round(scaled).astype(np.int32)


def _finer(path: Points) -> Points:
    """Return a path with a point every hundredth of the height."""
    parts = [path[:1]]
    for here, there in pairwise(path):
        length = float(np.hypot(*(there - here)))
        steps = int(np.clip(length * 100, 1, 800))
        along = np.linspace(0, 1, steps + 1)[1:, None]
        parts.append(here + (there - here) * along)
    return np.concatenate(parts)


def rectangle(left: float, top: float, right: float, bottom: float) -> Points:
    """Return an upright rectangle."""
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def oval(x: float, y: float, wide: float, high: float) -> Points:
    """Return an ellipse by its centre and half axes."""
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return np.stack([x + wide * np.cos(turn), y + high * np.sin(turn)], axis=1)


def lobes(
    random: np.random.Generator, x: float, y: float, wide: float, high: float, count: int
) -> Points:
    """Return the outline of leaves or vapour: half-round lobes about an ellipse."""
    bounds = np.sort(random.uniform(0, 2 * np.pi, count)) + random.uniform(0, 1)
    bounds = 0.4 * bounds + 0.6 * np.linspace(0, 2 * np.pi, count, endpoint=False)
    parts: list[Points] = []
    for here, there in zip(bounds, np.append(bounds[1:], bounds[0] + 2 * np.pi), strict=True):
        turn = np.linspace(here, there, 9)
        swell = 1 + random.uniform(0.12, 0.24) * np.sin((turn - here) / (there - here) * np.pi)
        parts.append(
            np.stack([x + wide * np.cos(turn) * swell, y + high * np.sin(turn) * swell], axis=1)
        )
    return np.concatenate(parts)


def ragged(
    random: np.random.Generator,
    left: float,
    right: float,
    level: float,
    rough: float,
    steps: int = 40,
) -> Points:
    """Return an uneven line from left to right, for ridges and banks."""
    along = np.linspace(0, 1, steps)
    rise = np.zeros(steps)
    for wave in (1, 2, 4, 9):
        rise += np.sin(along * wave * 3.1 + random.uniform(0, 6)) * rough / wave
    return np.stack([left + (right - left) * along, level - rise], axis=1)


def down_to(path: Points, bottom: float) -> Points:
    """Close a line to an area that reaches down to a level."""
    ends = [(float(path[-1, 0]), bottom), (float(path[0, 0]), bottom)]
    return np.concatenate([path, np.array(ends)])
