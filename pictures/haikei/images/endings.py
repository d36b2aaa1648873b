"""
Tell whether a file of an image was written to its end.

Of files that end too early the headers are sound, so only their ends tell.
"""

import os
import struct
from collections.abc import Callable

from haikei.formats import JPEG, PNG, PSD

_TAIL = 64 * 1024
#: A PNG holds few chunks; a list longer than this is no drawing.
_MOST_CHUNKS = 1_000_000
_CUT = "ends too early: it is incomplete"


def cut_short(file: int, kind: str) -> str:
    """
    Return why a file of this format is incomplete, empty when nothing speaks for it.

    A few reads at known places instead of decoding: PNG must reach its IEND chunk, JPEG its
    end-of-image marker, PSD the length that its headers announce. Damage within the pixels is
    left to whoever decodes them.

    Args:
        file: its descriptor.
        kind: the format's name as OpenImageIO gives it.

    Source: PNG (ISO/IEC 15948) 5.3, JPEG (ISO/IEC 10918-1) B.1.1.3, Adobe Photoshop File Formats
    Specification.
    """
    check = _CHECKS.get(kind)
    if check is None:
        return ""
    try:
        return "" if check(file, os.fstat(file).st_size) else _CUT
    except (OSError, OverflowError, MemoryError, struct.error):
        return _CUT


def _png(file: int, size: int) -> bool:
    if _at(file, max(0, size - 12), 12)[4:8] == b"IEND":
        return True
    place = 8
    for _ in range(_MOST_CHUNKS):
        length, kind = struct.unpack(">I4s", _at(file, place, 8))
        place += 12 + length
        if place > size:
            return False
        if kind == b"IEND":
            return True
    return False


def _jpeg(file: int, size: int) -> bool:
    start = max(0, size - _TAIL)
    return b"\xff\xd9" in _at(file, start, size - start)


def _psd(file: int, size: int) -> bool:
    version, channels, height, width, depth = struct.unpack(">4xH6xHIIH2x", _at(file, 0, 26))
    large = version == 2
    place = 26
    for wide in (False, False, large):
        shape = ">Q" if wide else ">I"
        (length,) = struct.unpack(shape, _at(file, place, struct.calcsize(shape)))
        place += struct.calcsize(shape) + length
    (compression,) = struct.unpack(">H", _at(file, place, 2))
    place += 2
    rows = channels * height
    if compression == 0:
        return size >= int(place + rows * ((width * depth + 7) // 8))
    if compression == 1:
        counts = _at(file, place, rows * (4 if large else 2))
        packed = struct.unpack(f">{rows}{'I' if large else 'H'}", counts)
        return size >= int(place + len(counts) + sum(packed))
    return size > int(place)


def _at(file: int, place: int, length: int) -> bytes:
    return os.pread(file, length, place)


_CHECKS: dict[str, Callable[[int, int], bool]] = {
    PNG.oiio: _png,
    JPEG.oiio: _jpeg,
    PSD.oiio: _psd,
}
