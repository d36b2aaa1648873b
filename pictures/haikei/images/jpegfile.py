"""
The picture of a JPEG file as every viewer shows it, cut out of what else stands in the file.

Phones append a gain map, for brighter screens, and name it in segments of their own: the library
would apply it. Other programs leave padding between segments, which the library complains of as
it does of damage. So the segments of the picture itself are copied, and nothing else.
Source: JPEG (ISO/IEC 10918-1) annex B, CIPA DC-007 (MPF), ISO 21496-1 (gain maps).
"""

import re
from pathlib import Path

from haikei.errors import ImageUnreadable

_SOI, _EOI, _SOS, _DNL = 0xD8, 0xD9, 0xDA, 0xDC
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
#: Frames that are decoded: baseline, extended and progressive, with either kind of coding.
_DECODED = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
#: What tells how the picture looks: its density, its orientation, its profile, its colour model.
_KEPT = {0xE0: b"", 0xE1: b"Exif\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
#: In compressed data a 0xFF that is no marker is stuffed, restarts, or fill before a marker.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def picture_only(path: Path) -> bytes:
    """
    Return the file's first picture: its own segments up to its end marker.

    Raises:
        ImageUnreadable: it ends too early, is no JPEG, or is coded in a way that is not read.
        OSError: it cannot be read.
    """
    data = path.read_bytes()
    if data[:2] != b"\xff\xd8":
        raise ImageUnreadable(
            f"{path.name} is no JPEG file.",
            advice="Save it again from the program it was drawn in.",
        )
    parts = [data[:2]]
    place, frame = 2, False
    while True:
        place, marker = _next_marker(path, data, place)
        if marker == _EOI:
            parts.append(b"\xff\xd9")
            return b"".join(parts)
        if marker in _ALONE or marker == _SOI:
            place += 2
            continue
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        if end > len(data) or end < place + 4:
            raise _cut_short(path)
        if marker in _FRAMES:
            frame = True
            _require_decoded(path, marker, bits=data[place + 4])
        if marker == _SOS:
            if not frame:
                raise _cut_short(path)
            found = _MARKER.search(data, end)
            if found is None:
                raise _cut_short(path)
            end = found.start()
        if _is_kept(marker, data[place + 4 : place + 16]):
            parts.append(data[place:end])
        place = end


def _next_marker(path: Path, data: bytes, place: int) -> tuple[int, int]:
    """Return where the next marker stands and what it is; padding before it is passed over."""
    while True:
        place = data.find(b"\xff", place)
        if place < 0 or place + 4 > len(data):
            if place >= 0 and data[place : place + 2] == b"\xff\xd9":
                return place, _EOI
            raise _cut_short(path)
        marker = data[place + 1]
        if marker not in {0x00, 0xFF}:
            return place, marker
        place += 1


def _is_kept(marker: int, head: bytes) -> bool:
    if marker in _KEPT:
        return head.startswith(_KEPT[marker])
    return not 0xE0 <= marker <= 0xEF and marker != 0xFE


def _require_decoded(path: Path, marker: int, *, bits: int) -> None:
    if marker not in _DECODED or bits != 8:
        kind = f"with {bits} bits a sample" if marker in _DECODED else "lossless or hierarchical"
        raise ImageUnreadable(
            f"{path.name} is a JPEG coded {kind}, which is not read.",
            advice="Save it as an ordinary JPEG, or as PNG.",
        )


def _cut_short(path: Path) -> ImageUnreadable:
    return ImageUnreadable(
        f"{path.name} is damaged or incomplete: the picture has no end.",
        advice="Publish the file again, or save it again from the program it was drawn in.",
    )
