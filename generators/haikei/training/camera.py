"""A world of flat faces seen through a camera that may look up, down and askew."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haikei.reading import Facing, Kind
from haikei.training.canvas import Canvas, Points

Vector = NDArray[np.float64]  #: metres: right, up, away
NEAR = 0.25
UP: Vector = np.array([0.0, 1.0, 0.0])


def vector(x: float, y: float, z: float) -> Vector:
    """Return a place or a direction."""
    return np.array([x, y, z], np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Face:
    """A rectangle in space: from `origin`, `right` and `up` lead along its sides."""

    origin: Vector
    right: Vector
    up: Vector

    def at(self, across: float, upwards: float) -> Vector:
        """Return a point by parts of both sides."""
        return self.origin + self.right * across + self.up * upwards

    def part(self, left: float, bottom: float, right: float, top: float) -> "Face":
        """Return a rectangle on this one, by parts of both sides."""
        return Face(
            origin=self.at(left, bottom),
            right=self.right * (right - left),
            up=self.up * (top - bottom),
        )

    @property
    def width(self) -> float:
        """In metres."""
        return float(np.linalg.norm(self.right))

    @property
    def height(self) -> float:
        """In metres."""
        return float(np.linalg.norm(self.up))

    def corners(self) -> Vector:
        """Return the four corners, from the origin along `right` first."""
        return np.stack([self.at(0, 0), self.at(1, 0), self.at(1, 1), self.at(0, 1)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """Where the world is seen from."""

    eye: float = 1.5
    yaw: float = 0.0  #: degrees
    pitch: float = 0.0  #: degrees, upwards
    focal: float = 1.0  #: in heights
    shift: float = 0.0  #: of the axis from the picture's middle, downwards


class World:
    """Collects things by their distance, and draws them from back to front."""

    def __init__(self, canvas: Canvas, lens: Lens) -> None:
        self.canvas, self.lens, self.rng = canvas, lens, canvas.rng
        yaw, pitch = np.radians(lens.yaw), np.radians(lens.pitch)
        turn = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
        tip = np.array(
            [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
        )
        self.axes = tip @ turn
        self.eye = vector(0, lens.eye, 0)
        self.things: list[tuple[float, int, Callable[[], object]]] = []

    def uniform(self, low: float, high: float) -> float:
        """Return a number in between, whichever end is higher."""
        return float(self.rng.uniform(min(low, high), max(low, high)))

    def chance(self, part: float) -> bool:
        """Return true for a part of all calls."""
        return bool(self.rng.random() < part)

    def seen(self, points: Vector) -> Points:
        """Return where a polygon is seen, cut at the near plane; empty when it is behind."""
        space = (points - self.eye) @ self.axes.T
        after = np.roll(space, -1, axis=0)
        kept: list[Vector] = []
        for here, there in zip(space, after, strict=True):
            ahead, beyond = here[2] - NEAR, there[2] - NEAR
            if ahead >= 0:
                kept.append(here)
            if ahead * beyond < 0:
                kept.append(here + (there - here) * (ahead / (ahead - beyond)))
        return self._flat(np.array(kept)) if len(kept) > 2 else np.empty((0, 2))

    def trail(self, points: Vector) -> Points:
        """Return where an open line is seen; empty when part of it is behind."""
        space = (points - self.eye) @ self.axes.T
        return self._flat(space) if space[:, 2].min() > NEAR else np.empty((0, 2))

    def _flat(self, space: Vector) -> Points:
        across = self.canvas.aspect / 2 + self.lens.focal * space[:, 0] / space[:, 2]
        down = 0.5 + self.lens.shift - self.lens.focal * space[:, 1] / space[:, 2]
        return np.clip(np.stack([across, down], axis=1), -12, 12)

    @property
    def horizon(self) -> float:
        """From the top, where the ground ends; beyond the picture when the camera looks away."""
        return float(0.5 + self.lens.shift + self.lens.focal * np.tan(np.radians(self.lens.pitch)))

    def distance(self, points: Vector) -> float:
        """Return how far away the middle of some points is."""
        return float(np.linalg.norm(points.reshape(-1, 3).mean(axis=0) - self.eye))

    def facing(self, normal: Vector) -> Facing:
        """Return which way a surface faces, as seen."""
        normal = normal / max(float(np.linalg.norm(normal)), 1e-9)
        if abs(normal[1]) > 0.85:
            return Facing.UP if normal[1] > 0 else Facing.DOWN
        if normal[1] > 0.2:
            return Facing.ROOF
        across = float((self.axes @ normal)[0])
        if abs(across) < 0.5:
            return Facing.FRONT
        return Facing.RIGHT if across > 0 else Facing.LEFT

    def polygon(
        self,
        points: Vector | Sequence[Vector],
        kind: Kind,
        *,
        facing: Facing | None = None,
        line: bool = True,
        weight: float = 1.0,
    ) -> Points:
        """Draw a flat polygon whichever way it faces; return where it is seen."""
        corners = np.asarray(points, np.float64)
        outline = self.seen(corners)
        if len(outline):
            if facing is None:
                normal = np.cross(corners[1] - corners[0], corners[2] - corners[1])
                if float(np.dot(normal, self.eye - corners[0])) < 0:
                    normal = -normal
                facing = self.facing(normal)
            self.canvas.fill(
                outline, kind, depth=self.depth(corners), facing=facing, line=line, weight=weight
            )
        return outline

    def depth(self, points: Vector) -> float:
        """Return the distance of points as 0, nearest, to 1, farthest."""
        far = self.distance(points)
        return far / (far + 12.0)

    def face(self, face: Face, kind: Kind, *, line: bool = True, weight: float = 1.0) -> Points:
        """Draw a rectangle."""
        return self.polygon(face.corners(), kind, line=line, weight=weight)

    def fronts(self, face: Face) -> bool:
        """Tell whether we look at the side from which `right` and `up` go anticlockwise."""
        normal = np.cross(face.right, face.up)
        return bool(np.dot(normal, self.eye - face.origin) < 0)

    def line(self, points: Vector | Sequence[Vector], weight: float = 0.7) -> None:
        """Draw an open line in space."""
        self.canvas.stroke(self.trail(np.asarray(points, np.float64)), weight=weight)

    def rule(self, face: Face, across: int, upwards: int, weight: float = 0.55) -> None:
        """Divide a rectangle by lines: tiles, boards, panes."""
        for index in range(1, across):
            part = index / across
            self.line([face.at(part, 0), face.at(part, 1)], weight)
        for index in range(1, upwards):
            part = index / upwards
            self.line([face.at(0, part), face.at(1, part)], weight)

    def add(self, where: Vector, draw: Callable[[], object], *, nearer: float = 0.0) -> None:
        """Remember something to be drawn when its distance comes."""
        far = float(np.hypot(where[0], where[2])) - nearer
        self.things.append((-far, len(self.things), draw))

    def show(self) -> None:
        """Draw all that was remembered, the farthest first."""
        for _, _, draw in sorted(self.things, key=lambda thing: thing[:2]):
            draw()
        self.things.clear()


def sides(middle: Vector, size: tuple[float, float, float], degrees: float) -> list[Face]:
    """
    Return the upright faces of a box, each seen from outside with `right` to the right.

    `middle` is the middle of its foot; `size` is width, height and length.
    """
    turn = np.radians(degrees)
    along = vector(np.cos(turn), 0, np.sin(turn))
    away = vector(-np.sin(turn), 0, np.cos(turn))
    half, deep = along * size[0] / 2, away * size[2] / 2
    up = UP * size[1]
    return [
        Face(origin=middle - half - deep, right=half * 2, up=up),
        Face(origin=middle + half - deep, right=deep * 2, up=up),
        Face(origin=middle + half + deep, right=half * -2, up=up),
        Face(origin=middle - half + deep, right=deep * -2, up=up),
    ]
