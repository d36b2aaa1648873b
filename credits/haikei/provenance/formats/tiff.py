"""
XMP in and out of TIFF files (TIFF 6.0, BigTIFF; XMP in tag 700 by ISO 16684-3), and EXIF's texts.

To write, the packet and a copy of the first directory are appended; every byte that stood in the
file stays where it is, but for the header's pointer to that directory.
"""

import io
import struct
from dataclasses import dataclass
from typing import BinaryIO

from haikei.errors import MarksUnreadable
from haikei.formats import TIFF
from haikei.provenance.formats.metadata import LARGEST_PIECE, Metadata, TextPiece, copy_range

_XMP = 700
_EXIF_DIRECTORY = 34665
#: Tags that point to directories of their own, or to a maker's notes: they cannot be moved.
_DIRECTORIES = frozenset({330, _EXIF_DIRECTORY, 34853, 37500, 40965, 50341})
_MOST_TAGS = 4096
_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,  # directories, and BigTIFF's
}
_TEXT_TAGS = {
    270: "ImageDescription",
    271: "Make",
    272: "Model",
    305: "Software",
    315: "Artist",
    37510: "UserComment",
    40092: "XPComment",
}
_CLASSIC_END = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tag:
    number: int
    kind: int
    count: int
    raw: bytes  #: the entry as it stands
    value: int  #: where its value stands in the file


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    order: str  #: `<` or `>`
    big: bool
    first: int  #: where the first directory stands

    @property
    def pointer(self) -> str:
        return self.order + ("Q" if self.big else "I")

    @property
    def counter(self) -> str:
        return self.order + ("Q" if self.big else "H")

    @property
    def entry(self) -> str:
        return self.order + ("HHQ" if self.big else "HHI")

    @property
    def inline(self) -> int:
        return 8 if self.big else 4


def read_metadata(file: BinaryIO) -> Metadata:
    """
    Return the file's XMP packet and texts.

    Raises:
        MarksUnreadable: the first directory is malformed.
    """
    header = _header(file)
    tags, _ = _directory(file, header, header.first)
    packet = next((_value(file, tag) for tag in tags if tag.number == _XMP), None)
    return Metadata(xmp=packet, texts=tuple(_texts(file, header, tags, "TIFF")))


def exif_texts(data: bytes) -> list[TextPiece]:
    """Return the texts of an EXIF block, which is a TIFF file without pixels; none if broken."""
    file = io.BytesIO(data)
    try:
        header = _header(file)
        tags, _ = _directory(file, header, header.first)
        return _texts(file, header, tags, "EXIF")
    except MarksUnreadable:
        # Cameras and editors leave broken EXIF behind; it says nothing then.
        return []


def ordered_exif(data: bytes) -> bytes:
    """
    Return an EXIF block with the entries of its one directory in order and values at even places.

    TIFF 6.0 wants both, and image libraries write neither. A block that holds more than one
    directory, or is broken, is returned as it is.
    """
    file = io.BytesIO(data)
    try:
        header = _header(file)
        tags, following = _directory(file, header, header.first)
        numbers = {tag.number for tag in tags}
        if header.big or following or numbers & _DIRECTORIES or len(numbers) != len(tags):
            return data
        values = {tag.number: _value(file, tag) for tag in tags}
    except MarksUnreadable:
        return data
    ordered = sorted(tags, key=lambda tag: tag.number)
    entries, heap = b"", b""
    for tag in ordered:
        value = values[tag.number]
        inside = value.ljust(4, b"\0")
        if len(value) > header.inline:
            inside = struct.pack(header.pointer, 8 + len(heap))
            heap += value + b"\0" * (len(value) % 2)
        entries += tag.raw[:8] + inside
    # Values come first: exiftool takes a directory at 8 for one that it has seen in the C2PA marks.
    directory = struct.pack(header.counter, len(ordered)) + entries + struct.pack(header.pointer, 0)
    return data[:4] + struct.pack(header.pointer, 8 + len(heap)) + heap + directory


def write_xmp(source: BinaryIO, target: BinaryIO, packet: bytes) -> None:
    """
    Copy a file with this packet in the place of its own.

    Raises:
        MarksUnreadable: the first directory is malformed, or the file grows beyond TIFF's 4 GiB.
    """
    header = _header(source)
    tags, following = _directory(source, header, header.first)
    source.seek(0, 2)
    length = source.tell()
    packet_at = length + length % 2
    directory_at = packet_at + len(packet) + len(packet) % 2
    end = directory_at + 20 * (len(tags) + 2)
    if not header.big and end > _CLASSIC_END:
        raise MarksUnreadable(
            "The TIFF file has no room for XMP: it would grow beyond 4 GiB.",
            advice="Write it as BigTIFF.",
        )
    entry = struct.pack(header.entry, _XMP, 1, len(packet))
    if len(packet) <= header.inline:
        raise MarksUnreadable("The XMP packet is empty.")
    entry += struct.pack(header.pointer, packet_at)
    entries = {tag.number: tag.raw for tag in tags} | {_XMP: entry}
    copy_range(source, target, 0, length)
    target.write(b"\0" * (packet_at - length) + packet + b"\0" * (len(packet) % 2))
    target.write(struct.pack(header.counter, len(entries)))
    target.writelines(entries[number] for number in sorted(entries))
    target.write(struct.pack(header.pointer, following))
    target.seek(8 if header.big else 4)
    target.write(struct.pack(header.pointer, directory_at))
    target.seek(0, 2)


def _header(file: BinaryIO) -> _Header:
    file.seek(0)
    head = file.read(16)
    if head[:4] not in TIFF.signatures:
        raise MarksUnreadable("The file is no TIFF.")
    order = "<" if head[:2] == b"II" else ">"
    big = head[:4] in {b"II+\0", b"MM\0+"}
    try:
        if big:
            width, zero, first = struct.unpack(order + "HHQ", head[4:16])
            if (width, zero) != (8, 0):
                raise MarksUnreadable("The BigTIFF file's header is malformed.")
        else:
            (first,) = struct.unpack(order + "I", head[4:8])
    except struct.error as error:
        raise MarksUnreadable("The TIFF file ends within its header.") from error
    return _Header(order=order, big=big, first=first)


def _directory(file: BinaryIO, header: _Header, at: int) -> tuple[list[_Tag], int]:
    counter = struct.calcsize(header.counter)
    size = struct.calcsize(header.entry) + header.inline
    file.seek(0, 2)
    length = file.tell()
    if not 8 <= at <= length:
        raise MarksUnreadable("A TIFF directory stands outside the file.")
    file.seek(at)
    try:
        (count,) = struct.unpack(header.counter, file.read(counter))
        if not 0 < count <= _MOST_TAGS:
            raise MarksUnreadable(f"A TIFF directory says that it has {count} tags.")
        block = file.read(count * size)
        (following,) = struct.unpack(header.pointer, file.read(header.inline))
    except struct.error as error:
        raise MarksUnreadable("The TIFF file ends within a directory.") from error
    tags: list[_Tag] = []
    for index in range(count):
        raw = block[index * size : (index + 1) * size]
        try:
            number, kind, many = struct.unpack(header.entry, raw[: -header.inline])
        except struct.error as error:
            raise MarksUnreadable("The TIFF file ends within a directory.") from error
        (pointed,) = struct.unpack(header.pointer, raw[-header.inline :])
        bytes_needed = _SIZES.get(kind, 1) * many
        inside = at + counter + (index + 1) * size - header.inline
        value = inside if bytes_needed <= header.inline else pointed
        tags.append(_Tag(number=number, kind=kind, count=many, raw=raw, value=value))
    return tags, following


def _value(file: BinaryIO, tag: _Tag) -> bytes:
    size = _SIZES.get(tag.kind, 1) * tag.count
    if size > LARGEST_PIECE:
        raise MarksUnreadable(f"The TIFF tag {tag.number} has {size} bytes: too many.")
    file.seek(tag.value)
    value = file.read(size)
    if len(value) < size:
        raise MarksUnreadable(f"The value of the TIFF tag {tag.number} stands outside the file.")
    return value


def _texts(file: BinaryIO, header: _Header, tags: list[_Tag], where: str) -> list[TextPiece]:
    found: list[TextPiece] = []
    for tag in tags:
        if tag.number in _TEXT_TAGS:
            text = _decoded(tag.number, _value(file, tag), header.order)
            found.append(TextPiece(where=where, name=_TEXT_TAGS[tag.number], text=text))
        elif tag.number == _EXIF_DIRECTORY and where != "EXIF directory":
            at = int.from_bytes(_value(file, tag)[:8], "little" if header.order == "<" else "big")
            below, _ = _directory(file, header, at)
            found += _texts(file, header, below, "EXIF directory")
    return found


def _decoded(number: int, value: bytes, order: str) -> str:
    wide = "utf-16-le" if order == "<" else "utf-16-be"
    if number == 40092:
        return value.decode("utf-16-le", errors="replace").rstrip("\0")
    if number == 37510:
        # EXIF 2.32, 4.6.5: eight bytes name the character code.
        code, value = value[:8], value[8:]
        if code == b"UNICODE\0":
            return value.decode(wide, errors="replace").rstrip("\0")
    return value.decode("utf-8", errors="replace").rstrip("\0 ")
