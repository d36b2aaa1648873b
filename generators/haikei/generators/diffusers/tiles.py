"""Tiles in which a picture is made that is larger than what a model was trained for."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

#: Mean difference of two tiles where they overlap, in parts of white, that may be seen as a seam.
SEAM = 0.08


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One tile: where its corner is, and its size."""

    x: int
    y: int
    width: int
    height: int

    @property
    def place(self) -> tuple[slice, slice]:
        """The rows and columns that it covers."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)


def tiles_of(width: int, height: int, side: int, overlap: int) -> Iterator[Tile]:
    """
    Yield tiles that cover a picture, row by row, all of one size, each overlapping the next.

    Args:
        width: of the picture.
        height: of the picture.
        side: of a tile; smaller where the picture is.
        overlap: the least in pixels that neighbours share.
    """
    for y in _starts(height, side, overlap):
        for x in _starts(width, side, overlap):
            yield Tile(x=x, y=y, width=min(side, width), height=min(side, height))


def _starts(length: int, side: int, overlap: int) -> tuple[int, ...]:
    if length <= side:
        return (0,)
    count = -(-(length - overlap) // (side - overlap))
    return tuple(round(number * (length - side) / (count - 1)) for number in range(count))


@dataclass(slots=True, kw_only=True)
class Blend:
    """
    Puts tiles together: where they overlap, each counts less towards its own edge.

    Args:
        width: of the picture.
        height: of the picture.
        overlap: pixels in which a tile's weight rises from its edge.
    """

    width: int
    height: int
    overlap: int
    seam: float = 0.0  #: the greatest mean difference where tiles overlapped
    _sum: NDArray[np.float32] = field(init=False)
    _weight: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        self._sum = np.zeros((self.height, self.width, 3), np.float32)
        self._weight = np.zeros((self.height, self.width, 1), np.float32)

    def add(self, tile: Tile, pixels: NDArray[np.float32]) -> None:
        """Add the pixels of a tile: (height, width, 3)."""
        place = tile.place
        there = self._weight[place]
        shared = there[..., 0] > 0
        if shared.any():
            before = self._sum[place][shared] / there[shared]
            self.seam = max(self.seam, float(np.abs(before - pixels[shared]).mean()))
        weight = np.minimum.outer(
            _ramp(tile.height, tile.y, self.height, self.overlap),
            _ramp(tile.width, tile.x, self.width, self.overlap),
        )[..., None]
        self._sum[place] += pixels * weight
        self._weight[place] += weight

    def picture(self) -> NDArray[np.float32]:
        """Return all of it; every pixel was in a tile."""
        return self._sum / self._weight


def _ramp(length: int, start: int, whole: int, overlap: int) -> NDArray[np.float32]:
    """Return weights along one side, which stay whole at the picture's own edges."""
    rising = (np.arange(length, dtype=np.float32) + 1) / (overlap + 1)
    low = rising if start > 0 else np.ones(length, np.float32)
    high = rising[::-1] if start + length < whole else np.ones(length, np.float32)
    return np.minimum(np.minimum(low, high), 1.0).astype(np.float32)
