"""What a scene is, and what drawing it gives: ink on named layers."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from haikei.images import Picture

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
