"""Colour spaces: from what a file says to sRGB, and to scene-linear for EXR."""

from collections.abc import Mapping

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from haikei.errors import ImageUnreadable

#: The configuration that colour space names are taken from: built into OpenColorIO, by version,
#: so that an update of the library does not change what a name means.
CONFIG = "ocio://cg-config-v4.0.0_aces-v2.0_ocio-v2.5"
SRGB_SPACE = "srgb_rec709_scene"
LINEAR_SPACE = "lin_rec709_scene"

#: Spellings that mean sRGB with Rec.709 primaries.
_SRGB_NAMES = frozenset(
    {SRGB_SPACE, "srgb", "srgb_texture", "srgb_tx", "rec709_srgb", "srgb_rec709_display"}
)
#: Words in an ICC profile's description, and the colour space that they stand for. Other profiles
#: are taken as sRGB, since OpenColorIO reads names and not profiles.
_PROFILES: Mapping[str, str] = {
    "display p3": "srgb_p3d65_scene",
    "adobe rgb (1998)": "g22_adobergb_scene",
}
#: Primaries and white as OpenEXR stores them, and the linear space that they stand for.
#: Source: SMPTE ST 2065-1 and ST 2065-4 (AP0), ACES S-2014-004 (AP1).
_CHROMATICITIES: Mapping[str, tuple[float, ...]] = {
    "lin_ap0_scene": (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767),
    "lin_ap1_scene": (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767),
}


def space_of(spec: oiio.ImageSpec, *, format_name: str) -> str:
    """
    Return the colour space of a file's pixels as its header says it.

    A file that says nothing is sRGB when its pixels are integers, and scene-linear Rec.709 when
    they are floating-point numbers, as OpenEXR defines it.
    """
    said = spec.get_string_attribute("oiio:ColorSpace")
    profile = spec.get_string_attribute("ICCProfile:profile_description").lower()
    for words, space in _PROFILES.items():
        if words in profile:
            return space
    if said:
        return SRGB_SPACE if said.lower() in _SRGB_NAMES else said
    primaries = spec.getattribute("chromaticities")
    if primaries is not None:
        for space, values in _CHROMATICITIES.items():
            if np.allclose(primaries, values, atol=1e-3):
                return space
    is_float = str(spec.format) in {"half", "float", "double"}
    return LINEAR_SPACE if format_name == "openexr" or is_float else SRGB_SPACE


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
            f"{name} says that its colours are {source!r}: {result.geterror()}",
            advice="Save it as sRGB, or as OpenEXR in ACEScg or linear Rec.709.",
        )
    return converted.astype(np.float32, copy=False)
