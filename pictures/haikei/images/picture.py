"""Pixels in memory, with what they mean."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SRGB = "srgb"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """
    An image as every generator takes and gives it.

    `pixels` is (height, width, 3), float32, sRGB-encoded (display-referred), 0 to 1, read-only.
    """

    pixels: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] != 3 or self.pixels.dtype != np.float32:
            message = f"a picture is (height, width, 3) float32, not {self.pixels.shape}"
            raise ValueError(message)
        self.pixels.setflags(write=False)

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[0])

    def sha256(self) -> str:
        """
        Return the hash of the pixels as 16-bit values, with the size in front.

        Sixteen bits are what a stage is stored with, so the hash survives writing and reading.
        """
        digest = hashlib.sha256(f"{self.width}x{self.height}:rgb16\n".encode())
        digest.update(np.ascontiguousarray(self.as_uint16().astype("<u2")).tobytes())
        return digest.hexdigest()

    def as_uint16(self) -> NDArray[np.uint16]:
        """Return the pixels rounded to 16 bits."""
        rounded: NDArray[np.uint16] = np.rint(np.clip(self.pixels, 0.0, 1.0) * 65535.0).astype(
            np.uint16
        )
        return rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A picture, and what should be known of how its file was read."""

    picture: Picture
    note: str  #: empty when there is nothing to know
