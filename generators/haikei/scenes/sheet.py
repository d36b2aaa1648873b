"""
The board a layout is drawn on, seen through a camera: what is nearer hides what is behind.

Shapes are drawn from back to front. Each first wipes its own area on all sheets and then gets its
outline, so hidden lines vanish without any geometry: the painter's algorithm, on line art. It is
saved as an artist's tool would: flat, or layered with Japanese names.
"""

import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.errors import StorageUnavailable
from haikei.formats import PNG, PSD, TIFF, format_of
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


PAPER_JA = "用紙"


def save_layout(drawing: LayoutDrawing, path: Path) -> None:
    """
    Write the layout to `path`: .png (8 bits), .tif (16 bits) or .psd (layers, 8 bits).

    The file appears under its name only when it is whole.

    Raises:
        ValueError: the suffix is none of these.
        StorageUnavailable: the file cannot be written.
    """
    known = format_of(path)
    write = {PNG: _write_flat, TIFF: _write_flat, PSD: _write_psd}.get(known) if known else None
    if write is None:
        message = f"a layout is saved as .png, .tif or .psd, not {path.suffix!r}"
        raise ValueError(message)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:8]}.tmp{path.suffix}")
    try:
        write(drawing, part)
        part.replace(path)
    except OSError as error:
        raise StorageUnavailable(
            f"The layout {path} cannot be written: {error.strerror or error}.",
            advice="Make room on the disk, or choose another folder.",
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _write_flat(drawing: LayoutDrawing, path: Path) -> None:
    from haikei.images import write_picture

    flat: Picture = drawing.picture()
    write_picture(flat, path, bits=8 if format_of(path) is PNG else 16)


def _write_psd(drawing: LayoutDrawing, path: Path) -> None:
    """
    Write layers and, as the flattened image, our own composite.

    Names are set after the layer is made: psd-tools then stores them as Unicode (`luni`) beside a
    plain legacy name. The record is written as it stands, because saving through the document
    would replace our composite by its own.
    """
    from PIL import Image
    from psd_tools import PSDImage
    from psd_tools.constants import ColorMode, Compression
    from psd_tools.psd import PSD
    from psd_tools.psd.color_mode_data import ColorModeData
    from psd_tools.psd.header import FileHeader
    from psd_tools.psd.image_data import ImageData
    from psd_tools.psd.image_resources import ImageResources

    flat = drawing.flattened()
    opaque = np.full((*flat.shape[:2], 1), 255, np.uint8)
    planes = np.concatenate([flat, opaque], axis=2)
    header = FileHeader(
        version=1,
        width=flat.shape[1],
        height=flat.shape[0],
        depth=8,
        channels=4,
        color_mode=ColorMode.RGB,
    )
    image_data = ImageData(compression=Compression.RLE)
    image_data.set_data([_plane(planes, index) for index in range(4)], header)
    record = PSD(
        header=header,
        color_mode_data=ColorModeData(b""),
        image_resources=ImageResources.new(),
        image_data=image_data,
    )
    document = PSDImage(record)
    sheets = [(PAPER_JA, True, np.full_like(planes, 255))]
    sheets += [(layer.name_ja, layer.visible, layer.rgba()) for layer in drawing.layers]
    for name_ja, visible, rgba in sheets:
        left, top, right, bottom = _used(rgba[..., 3])
        layer = document.create_pixel_layer(
            Image.fromarray(rgba[top:bottom, left:right]), name="layer", top=top, left=left
        )
        layer.name = name_ja
        layer.visible = visible
    with path.open("wb") as file:
        record.write(file)
        file.flush()
        os.fsync(file.fileno())


def _plane(planes: NDArray[np.uint8], index: int) -> bytes:
    return np.ascontiguousarray(planes[..., index]).tobytes()


def _used(cover: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(cover.any(axis=1)), np.flatnonzero(cover.any(axis=0))
    if not len(rows):
        return 0, 0, 1, 1
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
