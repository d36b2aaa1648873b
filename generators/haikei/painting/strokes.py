"""
Random marks of a brush and the sheet they dry on: noise, dabs, bleeding, tooth, ink
line; one seed, any size.
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.painting.palette import Colour, rgb
from haikei.reading import Kind, Plane, Reading
from haikei.sheets import Area

Colours = NDArray[np.float32]  #: (height, width, 3), sRGB


TILE = 1024
DAB_COUNT = 9000


class Brush:
    """A source of marks for one picture of (height, width) pixels."""

    def __init__(self, shape: tuple[int, int], seed: int) -> None:
        self.shape = shape
        self.random = np.random.default_rng(seed)

    def noise(self, grain: float, *, octaves: int = 3, stretch: float = 1.0) -> Plane:
        """
        Return smooth noise of mean 0 and deviation about 1.

        Args:
            grain: size of its largest features, in pixels.
            octaves: how many finer copies, each half as large and 0.55 as strong.
            stretch: how many times wider than high its features are.
        """
        height, width = self.shape
        total = np.zeros(self.shape, np.float32)
        strength, power = 1.0, 0.0
        for _ in range(octaves):
            rows = int(np.clip(height / grain, 2, height)) + 2
            columns = int(np.clip(width / (grain * stretch), 2, width)) + 2
            lattice = self.random.standard_normal((rows, columns)).astype(np.float32) * strength
            total += cv2.resize(lattice, (width, height), interpolation=cv2.INTER_CUBIC)
            power += strength**2
            strength *= 0.55
            grain /= 2
        # Interpolation between lattice points takes about a third of the deviation away.
        total *= np.float32(1.45 / power**0.5)
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
    Kind.TREE: 0.5,
}
BUILT = 0.72


def bleed(picture: Colours, reading: Reading, brush: Brush) -> Colours:
    """Return the paint with edges that wander a little and are darkest where it dried last."""
    height, width = reading.shape
    settled = np.isin(reading.kinds, (Kind.SKY, Kind.CLOUD))[reading.labels]
    reach = np.where(settled, np.float32(0), np.float32(height / 520))
    x = np.arange(width, dtype=np.float32)[None, :] + brush.noise(height / 40, octaves=2) * reach
    y = np.arange(height, dtype=np.float32)[:, None] + brush.noise(height / 40, octaves=2) * reach
    moved = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    edge = np.zeros(reading.shape, np.float32)
    differ = reading.labels[:, 1:] != reading.labels[:, :-1]
    edge[:, 1:] += differ
    edge[1:] += reading.labels[1:] != reading.labels[:-1]
    edge[settled] = 0
    wet = cv2.GaussianBlur(np.minimum(edge, 1), (0, 0), max(0.8, height / 330))
    moved *= (1 - np.float32(0.3) * np.clip(wet * 1.5, 0, 1))[..., None]
    return np.asarray(moved, np.float32)


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
