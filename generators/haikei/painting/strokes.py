"""Strokes of a loaded brush, and the palette that they are mixed from."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.reading import NATURAL, Kind, Plane, Reading
from haikei.sheets import Area

Colour = NDArray[np.float32]  #: (3,), sRGB, 0 to 1


def rgb(code: str) -> Colour:
    """Return a colour written as `#rrggbb`."""
    return np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / np.float32(255)


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """What a time of day does to colours."""

    sky: tuple[str, str, str, str]  #: from the zenith to the horizon
    cloud: tuple[str, str]  #: lit and shaded
    haze: str  #: what distance fades into
    key: tuple[float, float, float]  #: factor on what the light meets
    shade: tuple[float, float, float]  #: factor on what it does not
    glow: str  #: of the sun or moon in the sky
    lit: float  #: part of the windows that are lit
    stars: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """What a season makes of materials."""

    leaves: tuple[str, ...]
    hill: tuple[str, str]  #: far and near
    forest: tuple[str, ...]
    grass: tuple[str, ...]
    paving: str
    earth: str
    roofs: tuple[str, ...]
    snow: bool = False


LIGHTS: Mapping[str, Light] = {
    "morning": Light(
        sky=("#8fb9dd", "#bcd7e6", "#e6e6dc", "#f8e6c9"),
        cloud=("#fff8ec", "#c9d3df"),
        haze="#e9e6dc",
        key=(1.04, 0.99, 0.92),
        shade=(0.70, 0.76, 0.88),
        glow="#fff0cc",
        lit=0.12,
    ),
    "day": Light(
        sky=("#4389cb", "#6cabdf", "#a3d0ec", "#dcedf2"),
        cloud=("#ffffff", "#b9cfe4"),
        haze="#cfe3ef",
        key=(1.05, 1.04, 1.0),
        shade=(0.60, 0.66, 0.80),
        glow="#ffffff",
        lit=0.0,
    ),
    "sunset": Light(
        sky=("#52619f", "#a87a9d", "#ee9a72", "#ffd693"),
        cloud=("#ffc79a", "#9a7799"),
        haze="#e6b09a",
        key=(1.02, 0.83, 0.73),
        shade=(0.50, 0.47, 0.66),
        glow="#ffe0a0",
        lit=0.4,
    ),
    "night": Light(
        sky=("#0d1838", "#172a57", "#27427a", "#46659b"),
        cloud=("#5a719f", "#2a3f70"),
        haze="#3a5484",
        key=(0.40, 0.48, 0.70),
        shade=(0.22, 0.28, 0.50),
        glow="#dfe8f5",
        lit=0.75,
        stars=True,
    ),
}

ROOFS = ("#5c6b7a", "#8a4f42", "#4f5560", "#73584a", "#4d6a68", "#7d6654")
SNOWY = ("#e6edf4", "#dfe8f1", "#eaf0f5")

SEASONS: Mapping[str, Season] = {
    "spring": Season(
        leaves=("#8fb768", "#f2c3cf", "#a2c272", "#f5d0d6", "#7dab62"),
        hill=("#8db09a", "#7faa70"),
        forest=("#7ba76a", "#8ab070", "#9ab57d"),
        grass=("#adc87a", "#9fc070", "#b4cd83"),
        paving="#c6c0b4",
        earth="#c8b08a",
        roofs=ROOFS,
    ),
    "summer": Season(
        leaves=("#4c8f46", "#3f8343", "#5a9a49", "#37763f"),
        hill=("#6f9d93", "#4f8c5c"),
        forest=("#3d7c48", "#47864c", "#33703f"),
        grass=("#8db06a", "#81a661", "#95b773"),
        paving="#c2bdb2",
        earth="#bda27a",
        roofs=ROOFS,
    ),
    "autumn": Season(
        leaves=("#cf7a35", "#dba441", "#b4512f", "#c89a44", "#a8742f"),
        hill=("#a39a8c", "#b08654"),
        forest=("#b9783c", "#a8622f", "#c2933f"),
        grass=("#c0a95c", "#b39f55", "#c9b166"),
        paving="#c4b9a8",
        earth="#b3946a",
        roofs=ROOFS,
    ),
    "winter": Season(
        leaves=("#7f9a92", "#95aaa6", "#a9b9b8", "#8aa19b"),
        hill=("#ccd8e3", "#c3d2dd"),
        forest=("#93aab0", "#a3b7bc"),
        grass=("#dee7f0", "#d8e2ec", "#e2eaf2"),
        paving="#d9e1ea",
        earth="#cfcac4",
        roofs=SNOWY,
        snow=True,
    ),
}

LAMPLIGHT = ("#ffdc8c", "#ffd27a", "#ffe6a8")
WATERS: Mapping[str, tuple[str, str]] = {
    "morning": ("#a9c4cc", "#6f9aae"),
    "day": ("#7fb6d2", "#2f78a8"),
    "sunset": ("#dfa48c", "#7a6a8c"),
    "night": ("#3a5688", "#12213f"),
}
SHADOW_TINT = rgb("#4a5a86")


Colours = NDArray[np.float32]  #: (height, width, 3), sRGB


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Receding:
    """Where each pixel would lie on level ground; lengths are heights of the eye above it."""

    across: Plane
    away: Plane
    clear: Plane  #: 0 at the horizon, where everything runs together, to 1 near to us


def receding(reading: Reading) -> Receding:
    """Return the level ground of a picture, seen from its eye."""
    height, width = reading.shape
    horizon = float(np.clip(reading.horizon, 0.05, 0.92))
    vanishing = reading.shapes.vanishing
    middle = 0.5 * width if vanishing is None else vanishing[0] * height
    down = np.arange(height, dtype=np.float32)[:, None] / np.float32(height) - np.float32(horizon)
    drop = np.maximum(np.abs(down), np.float32(0.012))
    across = (np.arange(width, dtype=np.float32)[None, :] - np.float32(middle)) / np.float32(height)
    away = np.broadcast_to(np.float32(1) / drop, (height, width))
    clear = np.broadcast_to(np.clip((drop - 0.02) / 0.1, 0, 1), (height, width))
    return Receding(
        across=(across / drop).astype(np.float32),
        away=away.astype(np.float32),
        clear=clear.astype(np.float32),
    )


TILE = 1024
DAB_COUNT = 9000


class Brush:
    """A source of marks for one picture of (height, width) pixels."""

    def __init__(self, shape: tuple[int, int], seed: int) -> None:
        self.shape = shape
        self._seed = seed
        self.random = np.random.default_rng(seed)

    def of(self, purpose: str) -> "Brush":
        """
        Return a brush for one purpose, whose marks are the same whatever else is painted.

        So a retake that changes one thing leaves the strokes of all others where they were.
        """
        return Brush(self.shape, zlib.crc32(f"{purpose}:{self._seed}".encode()))

    def noise(self, grain: float, *, octaves: int = 3, stretch: float = 1.0) -> Plane:
        """
        Return smooth noise of mean 0 and deviation about 1.

        Args:
            grain: size of its largest features, in pixels.
            octaves: how many finer copies, each half as large and 0.55 as strong.
            stretch: how many times wider than high its features are.
        """
        height, width = self.shape
        # What has no fine features is made small and enlarged once.
        coarse = int(np.clip(grain / 2 ** (octaves - 1) / 3.5, 1, 8))
        size = (max(2, width // coarse), max(2, height // coarse))
        total = np.zeros(size[::-1], np.float32)
        strength, power = 1.0, 0.0
        for _ in range(octaves):
            rows = int(np.clip(height / grain, 2, height)) + 2
            columns = int(np.clip(width / (grain * stretch), 2, width)) + 2
            lattice = self.random.standard_normal((rows, columns)).astype(np.float32) * strength
            total += cv2.resize(lattice, size, interpolation=cv2.INTER_CUBIC)
            power += strength**2
            strength *= 0.55
            grain /= 2
        # Interpolation between lattice points takes about a third of the deviation away.
        total *= np.float32(1.45 / power**0.5)
        if coarse > 1:
            total = np.asarray(
                cv2.resize(total, (width, height), interpolation=cv2.INTER_CUBIC), np.float32
            )
        return total

    def dabs(self, size: float, *, stretch: float = 1.0) -> Plane:
        """Return a field of overlapping dabs, each of one value between -1 and 1."""
        height, width = self.shape
        scale = size / 18.0
        rows = int(np.clip(height / scale, 16, TILE))
        columns = int(np.clip(width / (scale * stretch), 16, TILE))
        top = int(self.random.integers(0, TILE - rows + 1))
        left = int(self.random.integers(0, TILE - columns + 1))
        part = _dab_tile()[top : top + rows, left : left + columns]
        drawn = cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR)
        return drawn.astype(np.float32) * np.float32(1 / 127.5) - np.float32(1.0)

    def receding(self, ground: Receding, size: float) -> Plane:
        """Return dabs that lie on level ground: large at our feet, fine in the distance."""
        scale = np.float32(20.0 / size)
        top, left = (float(value) for value in self.random.integers(0, TILE, 2))
        part = ground.across * scale + np.float32(left)
        deep = ground.away * np.float32(0.8) * scale + np.float32(top)
        drawn = cv2.remap(_dab_tile(), part, deep, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        flat = drawn.astype(np.float32) * np.float32(1 / 127.5) - np.float32(1.0)
        return flat * ground.clear

    def grain(self) -> Plane:
        """Return the tooth of watercolour paper, mean 0 and deviation about 1."""
        height, width = self.shape
        tile = _paper_tile()
        top, left = (int(self.random.integers(0, TILE)) for _ in range(2))
        rows = (np.arange(height) + top) % TILE
        columns = (np.arange(width) + left) % TILE
        return tile[rows[:, None], columns[None, :]]


@lru_cache(maxsize=1)
def _dab_tile() -> NDArray[np.uint8]:
    random = np.random.default_rng(20260211)
    tile = np.full((TILE, TILE), 128, np.uint8)
    centres = random.integers(-10, TILE + 10, (DAB_COUNT, 2))
    sizes = random.integers(6, 16, (DAB_COUNT, 2))
    angles = random.integers(0, 180, DAB_COUNT)
    values = random.integers(0, 256, DAB_COUNT)
    for centre, size, angle, value in zip(centres, sizes, angles, values, strict=True):
        cv2.ellipse(
            tile,
            (int(centre[0]), int(centre[1])),
            (int(size[0]), max(4, int(size[1] * 0.6))),
            float(angle),
            0,
            360,
            (int(value),),
            -1,
            cv2.LINE_AA,
        )
    return tile


@lru_cache(maxsize=1)
def _paper_tile() -> Plane:
    random = np.random.default_rng(20260212)
    fine = random.standard_normal((TILE, TILE)).astype(np.float32)
    tooth = cv2.GaussianBlur(fine, (0, 0), 0.9) * 2.2
    cockle = cv2.GaussianBlur(fine[::-1], (0, 0), 3.0) * 5.0
    paper = tooth + 0.6 * cockle
    return np.asarray((paper - paper.mean()) / paper.std(), np.float32)


def mix(under: Colours, over: Colours | NDArray[np.float32], amount: Plane) -> Colours:
    """Return one picture laid over another, `amount` being 0 to 1 at each pixel."""
    return np.asarray(under + (over - under) * amount[..., None], np.float32)


PAPER: Colour = rgb("#f7f3ea")
INK: Colour = rgb("#2b2530")
#: How strongly the drawn line shows through the paint of each kind of region.
LINE = {
    Kind.SKY: 0.22,
    Kind.CLOUD: 0.06,
    Kind.HILL: 0.22,
    Kind.FOREST: 0.3,
    Kind.WATER: 0.34,
    Kind.GRASS: 0.5,
    Kind.PAVING: 0.55,
    Kind.EARTH: 0.5,
    Kind.TREE: 0.42,
    Kind.SAND: 0.4,
    Kind.SNOW: 0.4,
    Kind.FLOOR: 0.5,
    Kind.ROOM_WALL: 0.55,
    Kind.CEILING: 0.5,
    Kind.UNKNOWN: 0.6,
}
BUILT = 0.72


def bleed(picture: Colours, reading: Reading, brush: Brush) -> Colours:
    """Return the paint with edges that wander a little, soft, and darkest where it dried last."""
    height, width = reading.shape
    settled = np.isin(reading.kinds, (Kind.SKY, Kind.CLOUD, Kind.FIGURE))
    grown = np.isin(reading.kinds, (*NATURAL, Kind.WATER, Kind.SAND, Kind.SNOW, Kind.ROCK))
    # Paint stays within the line of what is built, or each edge would be seen twice.
    reach = reading.spread(np.where(settled, 0.0, np.where(grown, height / 640, height / 1500)))
    drift_x, drift_y = (brush.noise(height / 40, octaves=2) for _ in range(2))
    x = np.arange(width, dtype=np.float32)[None, :] + drift_x * reach
    y = np.arange(height, dtype=np.float32)[:, None] + drift_y * reach
    moved = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    edge = np.zeros(reading.shape, np.float32)
    edge[:, 1:] += reading.labels[:, 1:] != reading.labels[:, :-1]
    edge[1:] += reading.labels[1:] != reading.labels[:-1]
    np.minimum(edge, 1, out=edge)
    band = np.clip(cv2.blur(edge, (3, 3)) * 6, 0, 1)[..., None]
    soft = np.asarray(cv2.GaussianBlur(moved, (0, 0), max(0.7, height / 820)), np.float32)
    moved = np.asarray(moved + (soft - moved) * band, np.float32)
    edge *= reading.spread(np.where(settled, 0.0, 1.0))
    wet = cv2.GaussianBlur(edge, (0, 0), max(0.8, height / 330))
    dried = (1 - np.float32(0.2) * np.clip(wet * 1.5, 0, 1))[..., None]
    return np.asarray(moved * dried, np.float32)


def add_grain(picture: Colours, brush: Brush, strength: float) -> None:
    """Let pigment settle in the tooth of the paper, more where there is more of it, in place."""
    dark = np.float32(1.15) - picture[..., 1]
    picture *= (1 - brush.grain() * dark * np.float32(strength))[..., None]


def add_line(
    picture: Colours, reading: Reading, strength: float, line: Plane, shape: tuple[int, int]
) -> None:
    """Lay the drawing over the paint, in place: ink in the colour of what it bounds."""
    height = shape[0]
    by_kind = np.array([LINE.get(Kind(kind), BUILT) for kind in reading.kinds], np.float64)
    share = cv2.GaussianBlur(reading.spread(by_kind), (0, 0), max(1.0, reading.shape[0] / 240))
    if share.shape != shape:
        share = cv2.resize(share, shape[::-1], interpolation=cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(line, (0, 0), max(0.5, height / 1300))
    amount = np.clip(soft * share * np.float32(strength), 0, 0.92)
    ink = picture * np.float32(0.3) + INK * np.float32(0.18)
    picture += (ink - picture) * amount[..., None].astype(np.float32)


def leave_margin(picture: Colours, frame: Area | None) -> None:
    """Leave bare paper around the frame, in place."""
    if frame is None:
        return
    inside = picture[frame.top : frame.bottom, frame.left : frame.right].copy()
    picture[:] = PAPER
    picture[frame.top : frame.bottom, frame.left : frame.right] = inside
