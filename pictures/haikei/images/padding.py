"""Change a picture's size: by padding that can be undone, or by resampling."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import OpenImageIO as oiio

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


def resize(picture: Picture, width: int, height: int) -> Picture:
    """
    Return the picture at width x height pixels, filtered with Lanczos 3 in sRGB-encoded values.

    Encoded values keep drawn lines as dark as they look; the filter's overshoot is clipped.
    """
    if width < 1 or height < 1:
        message = f"a picture cannot be {width} x {height} pixels"
        raise ValueError(message)
    if (width, height) == (picture.width, picture.height):
        return picture
    source = oiio.ImageBuf(np.ascontiguousarray(picture.pixels))
    made = oiio.ImageBufAlgo.resize(
        source, filtername="lanczos3", roi=oiio.ROI(0, width, 0, height, 0, 1, 0, 3), nthreads=1
    )
    pixels = made.get_pixels("float")
    if pixels is None:
        message = f"resizing to {width} x {height} failed: {made.geterror()}"
        raise MemoryError(message)
    return Picture(pixels=np.clip(pixels, 0.0, 1.0).astype(np.float32, copy=False))


def shrink(picture: Picture, width: int, height: int) -> Picture:
    """
    Return a small form of the picture to look at, of the mean of what each pixel covers.

    From twice the size on it looks as `resize` has it in a fraction of the time; nearer
    than that, `resize` keeps drawn lines sharper and is taken.
    """
    if picture.width < 2 * width or picture.height < 2 * height:
        return resize(picture, width, height)
    import cv2

    pixels = cv2.resize(picture.pixels, (width, height), interpolation=cv2.INTER_AREA)
    return Picture(pixels=np.clip(pixels, 0.0, 1.0).astype(np.float32, copy=False))


def fit_within(width: int, height: int, longest: int) -> tuple[int, int]:
    """Return the size, in pixels, that fits into a square of `longest`, never larger."""
    scale = min(1.0, longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))
