"""Colour spaces of linear files: from what a header says to linear Rec.709, and back to write."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from haikei.errors import ImageUnreadable
from haikei.images.icc import MatrixProfile, gamma, profile_of_primaries
from haikei.images.pngcolour import REC709

#: The configuration that colour space names are taken from: built into OpenColorIO, by version,
#: so that an update of the library does not change what a name means.
CONFIG = "ocio://cg-config-v4.0.0_aces-v2.0_ocio-v2.5"
SRGB_SPACE = "srgb_rec709_scene"
LINEAR_SPACE = "lin_rec709_scene"

#: Primaries and white as OpenEXR stores them, and the linear space that they stand for.
#: Source: SMPTE ST 2065-1 and ST 2065-4 (AP0), ACES S-2014-004 (AP1).
_CHROMATICITIES: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        LINEAR_SPACE: REC709,
        "lin_ap0_scene": (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767),
        "lin_ap1_scene": (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767),
    }
)


def linear_space_of(spec: oiio.ImageSpec, *, name: str) -> str | MatrixProfile:
    """
    Return the colour space of a file of linear light, as its header says it.

    A file that says nothing is Rec.709, as OpenEXR defines it.

    Args:
        spec: of the page that is read.
        name: of the file, for the message.

    Raises:
        ImageUnreadable: the header's primaries are no colours.
    """
    primaries = spec.getattribute("chromaticities")
    said = spec.get_string_attribute("oiio:ColorSpace")
    if said and not (said == LINEAR_SPACE and primaries is not None):
        return said
    if primaries is None:
        return LINEAR_SPACE
    for space, values in _CHROMATICITIES.items():
        if np.allclose(primaries, values, atol=1e-3):
            return space
    try:
        return profile_of_primaries(tuple(float(value) for value in primaries), gamma(1.0))
    except ValueError as error:
        raise ImageUnreadable(
            f"{name} names primaries that no colour can be mixed of: {error}.",
            advice="Save it in ACEScg or linear Rec.709.",
        ) from error


def to_linear(
    pixels: NDArray[np.float32], *, space: str | MatrixProfile, name: str
) -> NDArray[np.float32]:
    """
    Return linear Rec.709, (height, width, 3) float32, unbounded.

    Args:
        pixels: as `space` encodes them.
        space: what `linear_space_of` gives.
        name: of the file, for the message.

    Raises:
        ImageUnreadable: there is no such colour space.
    """
    if isinstance(space, MatrixProfile):
        return space.to_linear(pixels)
    return convert(pixels, source=space, target=LINEAR_SPACE, name=name)


def convert(
    pixels: NDArray[np.float32], *, source: str, target: str, name: str
) -> NDArray[np.float32]:
    """
    Return `pixels`, (height, width, 3) float32, taken from one colour space to another.

    Args:
        pixels: values as `source` encodes them.
        source: a colour space by its name, interop id or alias in `CONFIG`.
        target: likewise.
        name: of the file, for the message.

    Raises:
        ImageUnreadable: there is no such colour space.
    """
    if source == target:
        return pixels
    # Contiguous, because the buffer is borrowed and not copied.
    buffer = oiio.ImageBuf(np.ascontiguousarray(pixels))
    result = oiio.ImageBufAlgo.colorconvert(
        buffer, source, target, unpremult=False, colorconfig=CONFIG, nthreads=1
    )
    converted = None if result.has_error else result.get_pixels("float")
    if converted is None:
        raise ImageUnreadable(
            f"{name} says that its colours are {source[:80]!r}, which is no colour space that "
            "is known.",
            advice="Save it as sRGB, or as OpenEXR in ACEScg or linear Rec.709.",
        )
    return converted.astype(np.float32, copy=False)
