"""
XMP in and out of JPEG files (ISO 16684-3: APP1 segments; ITU-T T.81 for the segments).

Segments are copied as they are: no pixel is decoded.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from haikei.errors import MarksUnreadable
from haikei.formats import JPEG
from haikei.provenance.formats.metadata import MOST_PIECES, Metadata, TextPiece, copy_range
from haikei.provenance.formats.tiff import exif_texts
from haikei.provenance.xmp import LARGEST

(SIGNATURE,) = JPEG.signatures
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXIF = b"Exif\0\0"
_APP0, _APP1, _APP11, _COM, _SOS, _EOI = 0xE0, 0xE1, 0xEB, 0xFE, 0xDA, 0xD9
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
#: A segment's length counts itself and has 16 bits.
_LARGEST_PACKET = 0xFFFF - 2 - len(_XMP)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    marker: int
    start: int  #: of its 0xFF
    data: bytes

    @property
    def end(self) -> int:
        return self.start + 4 + len(self.data)


def read_metadata(file: BinaryIO) -> Metadata:
    """
    Return the file's XMP packet and texts.

    Of a packet that was divided (extended XMP) only the first segment is read: programs move
    what is large, such as editing histories, to the others. Those stay in the file.

    Raises:
        MarksUnreadable: the segments are malformed.
    """
    packet: bytes | None = None
    texts: list[TextPiece] = []
    for segment in _segments(file):
        if segment.marker == _COM:
            comment = segment.data.decode("utf-8", errors="replace").rstrip("\0")
            texts.append(TextPiece(where="JPEG", name="comment", text=comment))
        elif segment.marker == _APP1 and segment.data.startswith(_XMP):
            packet = packet or segment.data[len(_XMP) :]
        elif segment.marker == _APP1 and segment.data.startswith(_EXIF):
            texts += exif_texts(segment.data[len(_EXIF) :])
    return Metadata(xmp=packet, texts=tuple(texts))


def write_xmp(source: BinaryIO, target: BinaryIO, packet: bytes) -> None:
    """
    Copy a file with this packet in the place of its own.

    Raises:
        MarksUnreadable: the segments are malformed, or the packet is too large for one.
    """
    if len(packet) > _LARGEST_PACKET:
        raise MarksUnreadable(
            f"The XMP packet has {len(packet)} bytes; JPEG holds {_LARGEST_PACKET}.",
            advice="Take the editing history out of the file's XMP, or publish PNG or TIFF.",
        )
    segments = list(_segments(source))
    body = _XMP + packet
    insert_at = 2
    for segment in segments:
        # JFIF and EXIF readers want their segment first.
        exif = segment.marker == _APP1 and segment.data.startswith(_EXIF)
        if segment.marker != _APP0 and not exif:
            break
        insert_at = segment.end
    copy_range(source, target, 0, insert_at)
    target.write(struct.pack(">BBH", 0xFF, _APP1, len(body) + 2) + body)
    start = insert_at
    for segment in segments:
        if segment.marker == _APP1 and segment.data.startswith(_XMP):
            copy_range(source, target, start, segment.start)
            start = segment.end
    source.seek(0, 2)
    copy_range(source, target, start, source.tell())


def store_places(path: Path) -> list[tuple[int, int]]:
    """
    Return where the pieces of a file's JUMBF boxes stand, start and end of each.

    The boxes' own head (length and type) is repeated in every segment and is theirs in the first
    (ISO 19566-5, annex D).

    Raises:
        MarksUnreadable: the segments are malformed.
    """
    places: list[tuple[int, int]] = []
    with path.open("rb") as file:
        for segment in _segments(file):
            if segment.marker == _APP11 and segment.data.startswith(b"JP"):
                start = segment.end - len(segment.data) + 8
                places.append((start + 8 if places else start, segment.end))
    return places


def _segments(file: BinaryIO) -> Iterator[_Segment]:
    # Up to the first scan: all that we look for stands before the pixels.
    file.seek(0)
    if file.read(3) != SIGNATURE:
        raise MarksUnreadable("The file is no JPEG.")
    start = 2
    total = 0
    for _ in range(MOST_PIECES):
        file.seek(start)
        head = file.read(2)
        if len(head) < 2 or head[0] != 0xFF:
            raise MarksUnreadable("The JPEG file is malformed before its first scan.")
        marker = head[1]
        if marker in {_SOS, _EOI}:
            return
        if marker == 0xFF:  # a fill byte
            start += 1
            continue
        if marker in _ALONE:
            start += 2
            continue
        length = file.read(2)
        size = int.from_bytes(length) - 2
        data = file.read(max(size, 0))
        if len(length) < 2 or size < 0 or len(data) < size:
            raise MarksUnreadable("A JPEG segment is shorter than it says.")
        total += size
        if total > LARGEST * 4:
            raise MarksUnreadable("The JPEG file holds too much before its first scan.")
        segment = _Segment(marker=marker, start=start, data=data)
        yield segment
        start = segment.end
    raise MarksUnreadable(f"The JPEG file has more than {MOST_PIECES} segments.")
