"""Bring a picture to a size that a model takes, and the result back, without resampling."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from haikei.images.picture import Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Padding:
    """Pixels repeated at the right and the bottom edge so that both sides divide evenly."""

    width: int  #: of the picture without padding
    height: int
    right: int
    bottom: int

    @classmethod
    def to_multiple(cls, picture: Picture, multiple: int) -> Self:
        """Return the padding that makes both sides multiples of `multiple` pixels."""
        return cls(
            width=picture.width,
            height=picture.height,
            right=-picture.width % multiple,
            bottom=-picture.height % multiple,
        )

    def pad(self, picture: Picture) -> Picture:
        """Return the picture with its edge pixels repeated."""
        if not (self.right or self.bottom):
            return picture
        widths = ((0, self.bottom), (0, self.right), (0, 0))
        return Picture(pixels=np.pad(picture.pixels, widths, mode="edge"))

    def crop(self, picture: Picture) -> Picture:
        """Return the picture without what `pad` added."""
        if (picture.width, picture.height) == (self.width, self.height):
            return picture
        pixels = picture.pixels[: self.height, : self.width]
        return Picture(pixels=np.ascontiguousarray(pixels))
