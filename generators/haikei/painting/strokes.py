"""Random marks of a brush: soft noise, dabs, paper; all from one seed, at any size."""

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]  #: (height, width)
Colours = NDArray[np.float32]  #: (height, width, 3), sRGB

#: Called between steps; raises to stop.
Cancelling = Callable[[], None]

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
