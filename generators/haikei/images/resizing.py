"""Change a picture's size."""

import numpy as np
import OpenImageIO as oiio

from haikei.images.picture import Picture


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


def fit_within(width: int, height: int, longest: int) -> tuple[int, int]:
    """Return the size, in pixels, that fits into a square of `longest`, never larger."""
    scale = min(1.0, longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))
