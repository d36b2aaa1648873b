"""
A scene, the pin-hole camera that looks at it, and the ink on named layers that
drawing it gives.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from haikei.images import Picture

Point = tuple[float, float, float]  #: metres: right of the camera's axis, up, away from it
Line2 = NDArray[np.float64]  #: (n, 2) picture points: right and down, in fractions of the height

NEAR = 0.55  #: metres; what is nearer than this is cut off


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """Lengths on the picture are in fractions of its height, so that any size looks the same."""

    aspect: float  #: width over height
    eye: float  #: metres above the ground
    horizon: float  #: where the horizon lies, from the top
    centre: float  #: where the axis lies, from the left, in heights too
    focal: float  #: focal length

    def project(self, points: Sequence[Point] | NDArray[np.float64]) -> Line2:
        """Return where points in front of the camera are seen."""
        space = np.asarray(points, np.float64)
        depth = np.maximum(space[:, 2], NEAR)
        across = self.centre + self.focal * space[:, 0] / depth
        down = self.horizon - self.focal * (space[:, 1] - self.eye) / depth
        return np.stack([across, down], axis=1)

    def face(self, points: Sequence[Point]) -> Line2:
        """Return a flat face as seen, cut at the near plane; empty when all of it is behind."""
        kept: list[Point] = []
        for index, here in enumerate(points):
            there = points[(index + 1) % len(points)]
            ahead, beyond = here[2] - NEAR, there[2] - NEAR
            if ahead >= 0:
                kept.append(here)
            if ahead * beyond < 0:
                part = ahead / (ahead - beyond)
                kept.append(
                    (
                        here[0] + (there[0] - here[0]) * part,
                        here[1] + (there[1] - here[1]) * part,
                        NEAR,
                    )
                )
        return self.project(kept) if len(kept) > 2 else np.empty((0, 2))

    def faces_us(self, points: Sequence[Point]) -> bool:
        """Tell whether we see the outside of a face whose corners go round anticlockwise."""
        first, second, third = (np.asarray(point) for point in points[:3])
        normal = np.cross(second - first, third - first)
        return bool(np.dot(normal, np.asarray((0.0, self.eye, 0.0)) - first) < 0)

    def scale(self, depth: float) -> float:
        """Return how long a metre is on the picture at that depth."""
        return self.focal / max(depth, NEAR)


INK = (34, 32, 38)  #: 8-bit sRGB of a soft pencil, a little cooler than neutral
GUIDE = (214, 52, 46)  #: 8-bit sRGB of the red pencil that marks frames


class SceneKind(StrEnum):
    """Places that can be drawn."""

    PORT = "port"
    STATION = "station"
    VILLAGE = "village"
    HILLS = "hills"
    STREET = "street"
    LAKE = "lake"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One place, seen once: the same values always give the same lines."""

    kind: SceneKind
    width: int = 1280  #: pixels
    height: int = 720
    seed: int = 0

    def __post_init__(self) -> None:
        if not (64 <= self.width <= 8192 and 64 <= self.height <= 8192):
            message = f"a layout is 64 to 8192 pixels a side, not {self.width}x{self.height}"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """Ink on one transparent sheet: `ink` is (height, width), uint8, 255 where it covers."""

    name: str  #: English
    name_ja: str  #: as the artist sees it in the layered file
    colour: tuple[int, int, int]  #: 8-bit sRGB
    visible: bool
    ink: NDArray[np.uint8]

    def rgba(self) -> NDArray[np.uint8]:
        """Return the sheet as (height, width, 4), uint8, alpha not premultiplied."""
        sheet = np.empty((*self.ink.shape, 4), np.uint8)
        sheet[..., :3] = self.colour
        sheet[..., 3] = self.ink
        return sheet


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayoutDrawing:
    """A layout: sheets over white paper, the lowest first."""

    scene: Scene
    layers: tuple[Layer, ...]

    def flattened(self) -> NDArray[np.uint8]:
        """Return all visible sheets over white paper: (height, width, 3), uint8, sRGB."""
        flat = np.full((self.scene.height, self.scene.width, 3), 255.0, np.float32)
        for layer in self.layers:
            if layer.visible:
                cover = layer.ink[..., None].astype(np.float32) / 255.0
                flat += (np.asarray(layer.colour, np.float32) - flat) * cover
        return np.rint(flat).astype(np.uint8)

    def picture(self) -> Picture:
        """Return the flattened layout as generators take it."""
        return Picture(pixels=self.flattened().astype(np.float32) / np.float32(255.0))
