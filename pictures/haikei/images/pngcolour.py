"""
What a PNG says of its colours, in the order in which its standard has programs believe it.

Source: PNG (W3C Recommendation, third edition), 4.3 and 11.3.2; ITU-T H.273 for `cICP`.
"""

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from haikei.errors import ImageUnreadable
from haikei.images.icc import (
    Curve,
    IccProfile,
    MatrixProfile,
    decode_rec709,
    decode_srgb,
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
