"""
Colour spaces: from what a file says of itself to what is computed with, and back to write.

A PNG says more than one thing of its colours; its standard orders which of them is believed.
Source: PNG (W3C Recommendation, third edition), 4.3 and 11.3.2; ITU-T H.273 for `cICP`.
"""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from haikei.errors import ImageUnreadable, SettingsError
from haikei.images.icc import (
    Curve,
    IccProfile,
    MatrixProfile,
    decode_rec709,
    decode_srgb,
    encode_srgb,
    gamma,
    icc_profile,
    profile_of_primaries,
)

REC709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
#: CIE x and y of red, green, blue and white by their number in H.273, table 2.
_PRIMARIES: Mapping[int, tuple[float, ...]] = MappingProxyType(
    {
        1: REC709,
        2: REC709,  # unspecified
        5: (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, 0.3127, 0.3290),
        6: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, 0.3127, 0.3290),
        7: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, 0.3127, 0.3290),
        9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290),
        11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
        12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290),
    }
)
#: Transfer functions by their number in H.273, table 3.
_TRANSFERS: Mapping[int, Curve] = MappingProxyType(
    {
        1: decode_rec709,
        2: decode_srgb,  # unspecified
        4: gamma(2.2),
        5: gamma(2.8),
        6: decode_rec709,
        8: gamma(1.0),
        13: decode_srgb,
        14: decode_rec709,
        15: decode_rec709,
    }
)
#: What writers of sRGB store beside it, or for it: 1/2.2, and the primaries of Rec.709.
_SRGB_GAMMA, _GAMMA_STEP = 0.45455, 0.002
_PRIMARY_STEP = 0.002
_MOST_PROFILE = 16 * 1024 * 1024


def png_profile(path: Path) -> IccProfile | MatrixProfile | None:
    """
    Return what converts a PNG's colours to sRGB, None where they are sRGB already.

    Raises:
        ImageUnreadable: what it says cannot be converted: HDR video, a broken profile.
    """
    chunks = _colour_chunks(path)
    if b"cICP" in chunks:
        return _coded(chunks[b"cICP"], path.name)
    if b"iCCP" in chunks:
        return icc_profile(_unpacked(chunks[b"iCCP"], path.name), path.name)
    if b"sRGB" in chunks or not (chunks.keys() & {b"gAMA", b"cHRM"}):
        return None
    exponent, primaries = _SRGB_GAMMA, REC709
    if len(found := chunks.get(b"gAMA", b"")) == 4:
        exponent = struct.unpack(">I", found)[0] / 100_000
    if len(found := chunks.get(b"cHRM", b"")) == 32:
        white_x, white_y, *colours = struct.unpack(">8I", found)
        primaries = tuple(value / 100_000 for value in (*colours, white_x, white_y))
    usual = abs(exponent - _SRGB_GAMMA) <= _GAMMA_STEP
    same = max(abs(a - b) for a, b in zip(primaries, REC709, strict=True)) <= _PRIMARY_STEP
    if (usual and same) or exponent <= 0:
        return None
    curve = decode_srgb if usual else gamma(1.0 / exponent)
    try:
        return profile_of_primaries(primaries, curve)
    except ValueError as error:
        raise ImageUnreadable(
            f"{path.name} names primaries that no colour can be mixed of: {error}.",
            advice="Save it as sRGB.",
        ) from error


def _coded(data: bytes, name: str) -> MatrixProfile | None:
    primaries = _PRIMARIES.get(data[0]) if len(data) == 4 else None
    curve = _TRANSFERS.get(data[1]) if len(data) == 4 else None
    if primaries is None or curve is None or data[2] or not data[3]:
        raise ImageUnreadable(
            f"{name} says that its colours are those of HDR or of video (cICP {data.hex(' ')}).",
            advice="Save it as an sRGB picture.",
        )
    if primaries == REC709 and curve is decode_srgb:
        return None
    return profile_of_primaries(primaries, curve)


def _unpacked(data: bytes, name: str) -> bytes:
    packed = data.partition(b"\0")[2][1:]
    try:
        return zlib.decompressobj().decompress(packed, _MOST_PROFILE)
    except zlib.error as error:
        raise ImageUnreadable(
            f"The colour profile in {name} is damaged.", advice="Save it again as sRGB."
        ) from error


def _colour_chunks(path: Path) -> dict[bytes, bytes]:
    """Return the chunks about colour, which all stand before the pixels."""
    wanted = {b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"}
    found: dict[bytes, bytes] = {}
    with path.open("rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            if kind in {b"IDAT", b"IEND"} or length > _MOST_PROFILE:
                break
            if kind in wanted:
                found.setdefault(kind, file.read(length))
                file.seek(4, 1)
            else:
                file.seek(length + 4, 1)
    return found


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
    declared = spec.get_string_attribute("oiio:ColorSpace")
    if declared and not (declared == LINEAR_SPACE and primaries is not None):
        return declared
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


#: The role by which a configuration of OpenColorIO names ACES2065-1, which all of them share.
_INTERCHANGE = "aces_interchange"
_ACES_SPACE = "lin_ap0_scene"
#: Black, two greys and the three colours: what tells whether a space holds light, and which.
_PROBE = np.array(
    [[[0, 0, 0], [0.18, 0.18, 0.18], [0.36, 0.36, 0.36], [1, 0, 0], [0, 1, 0], [0, 0, 1]]],
    np.float32,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LightSpace:
    """A space of linear light in which OpenEXR files are written."""

    name: str
    matrix: NDArray[np.float32]  #: from ACES2065-1
    chromaticities: tuple[float, ...]  #: CIE x and y of its red, green, blue and white
    known: str  #: what files call it; empty where they say its primaries alone

    def light(self, encoded: NDArray[np.float32], *, name: str) -> NDArray[np.float32]:
        """Return sRGB-encoded pixels, (height, width, 3), as light of this space."""
        aces = convert(encoded, source=SRGB_SPACE, target=_ACES_SPACE, name=name)
        return (aces @ self.matrix.T).astype(np.float32, copy=False)


@cache
def light_space(name: str, config: Path | None = None) -> LightSpace:
    """
    Return a space of linear light by its name in a configuration of OpenColorIO.

    Args:
        name: of the space, or an alias of it.
        config: the studio's own configuration; else the ACES one that is built into OpenColorIO.

    Raises:
        SettingsError: there is no such configuration or space, or it does not hold linear light.
    """
    found = _probed(name, config)
    grey = found[0, 1]
    mixed = found[0, 3:].sum(axis=0) * np.float32(0.18)
    steady = np.allclose(found[0, 2], grey * 2, rtol=1e-3) and np.allclose(mixed, grey, rtol=1e-3)
    if not steady or not np.allclose(found[0, 0], 0.0, atol=1e-6):
        raise SettingsError(
            f"The colour space {name!r} does not hold linear light, which OpenEXR is for.",
            advice="Name a scene-linear one, such as ACEScg, as storage.colour_space.",
        )
    matrix = np.ascontiguousarray(found[0, 3:].T)
    for known, values in _CHROMATICITIES.items():
        if np.allclose(_probed(known, None)[0, 3:].T, matrix, atol=1e-4):
            return LightSpace(name=name, matrix=matrix, chromaticities=values, known=known)
    return LightSpace(name=name, matrix=matrix, chromaticities=_primaries_of(matrix), known="")


def _probed(name: str, config: Path | None) -> NDArray[np.float32]:
    result = oiio.ImageBufAlgo.colorconvert(
        oiio.ImageBuf(_PROBE),
        _ACES_SPACE if config is None else _INTERCHANGE,
        name,
        unpremult=False,
        colorconfig=CONFIG if config is None else str(config),
        nthreads=1,
    )
    found = None if result.has_error else result.get_pixels("float")
    if found is None or not np.isfinite(found).all():
        where = "OpenColorIO's ACES configuration" if config is None else f"{config}"
        raise SettingsError(
            f"The colour space {name!r} is not found by way of ACES2065-1 in {where}: "
            f"{result.geterror() or 'no reason given'}.",
            advice="Correct storage.colour_space and storage.ocio_config; a configuration needs "
            f"the role {_INTERCHANGE}.",
        )
    return np.asarray(found, np.float32)


def _primaries_of(matrix: NDArray[np.float32]) -> tuple[float, ...]:
    """Return the primaries and the white of a space by its matrix from ACES2065-1."""
    values = _CHROMATICITIES[_ACES_SPACE]
    columns = [
        [x / y, 1.0, (1 - x - y) / y] for x, y in zip(values[::2], values[1::2], strict=True)
    ]
    mixing = np.array(columns[:3], np.float64).T
    aces = mixing * np.linalg.solve(mixing, np.array(columns[3], np.float64))
    own = aces @ np.linalg.inv(matrix.astype(np.float64))
    found = [*own.T, own.sum(axis=1)]
    return tuple(float(one[axis] / one.sum()) for one in found for axis in (0, 1))


class View(StrEnum):
    """How light becomes a picture on a screen."""

    PLAIN = "plain"  #: as sRGB encodes it; what is brighter than white is cut off
    ACES = "aces"  #: through the display transform of ACES 2.0, which rolls highlights off


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a picture is looked at: what is read of a file for that, and for nothing else."""

    view: View = View.PLAIN  #: of files of linear light; others were made for a screen already
    stops: int = 0  #: of exposure, before the view

    @property
    def is_plain(self) -> bool:
        """Whether the picture is seen as it is."""
        return self.view is View.PLAIN and not self.stops


#: The picture as it is.
AS_IT_IS = Look()
_DISPLAY, _ACES = "sRGB - Display", "ACES 2.0 - SDR 100 nits (Rec.709)"


def displayed(linear: NDArray[np.float32], look: Look, *, name: str) -> NDArray[np.float32]:
    """
    Return linear Rec.709, (height, width, 3), as a screen shows it: sRGB-encoded, 0 to 1.

    Args:
        linear: light, unbounded.
        look: how it is looked at.
        name: of the file, for the message.

    Raises:
        ImageUnreadable: OpenColorIO does not convert it.
    """
    light = linear * np.float32(2.0**look.stops)
    if look.view is View.PLAIN:
        return encode_srgb(np.clip(light, 0.0, 1.0))
    buffer = oiio.ImageBuf(np.ascontiguousarray(light))
    result = oiio.ImageBufAlgo.ociodisplay(
        buffer, _DISPLAY, _ACES, LINEAR_SPACE, unpremult=False, colorconfig=CONFIG, nthreads=1
    )
    shown = None if result.has_error else result.get_pixels("float")
    if shown is None:
        raise ImageUnreadable(f"{name} cannot be shown: {result.geterror()}")
    return np.asarray(np.clip(shown, 0.0, 1.0), np.float32)


def exposed(encoded: NDArray[np.float32], look: Look) -> NDArray[np.float32]:
    """Return sRGB samples as they look with another exposure."""
    if not look.stops:
        return encoded
    light = decode_srgb(np.clip(encoded, 0.0, 1.0)) * np.float32(2.0**look.stops)
    return encode_srgb(np.clip(light, 0.0, 1.0))
