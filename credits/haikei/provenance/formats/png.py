"""
XMP in and out of PNG files (W3C PNG, third edition; XMP in `iTXt` by ISO 16684-3).

Chunks are copied: no pixel is decoded.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import BinaryIO

from haikei.errors import MarksUnreadable
from haikei.formats import PNG
from haikei.provenance.formats.metadata import (
    LARGEST_PIECE,
    MOST_PIECES,
    Metadata,
    TextPiece,
    copy_range,
)
from haikei.provenance.formats.tiff import exif_texts, ordered_exif

(SIGNATURE,) = PNG.signatures
_XMP_KEY = b"XML:com.adobe.xmp"
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_PIXELS = b"IDAT"
#: So many pixel chunks, smaller than this on the whole, become chunks of about the large size.
_MANY, _SMALL, _LARGE = 8, 64 * 1024, 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    kind: bytes
    start: int  #: of the chunk's length field
    size: int  #: of its data

    @property
    def end(self) -> int:
        return self.start + 12 + self.size


def read_metadata(file: BinaryIO) -> Metadata:
    """
    Return the file's XMP packet and texts.

    Raises:
        MarksUnreadable: the chunks are malformed.
    """
    packet: bytes | None = None
    texts: list[TextPiece] = []
    for chunk in _chunks(file):
        if chunk.kind not in _TEXTS and chunk.kind != b"eXIf":
            continue
        data = _data(file, chunk)
        if chunk.kind == b"eXIf":
            texts += exif_texts(data)
            continue
        key, value = _text(chunk.kind, data)
        if chunk.kind == b"iTXt" and key == _XMP_KEY:
            packet = packet or value
            continue
        encoding = "utf-8" if chunk.kind == b"iTXt" else "latin-1"
        texts.append(
            TextPiece(
                where="PNG text",
                name=key.decode("latin-1"),
                text=value.decode(encoding, errors="replace"),
            )
        )
    return Metadata(xmp=packet, texts=tuple(texts))


def write_xmp(source: BinaryIO, target: BinaryIO, packet: bytes) -> None:
    """
    Copy a file with this packet in the place of its own, right behind the header.

    EXIF entries that a library wrote out of order are put in order. Pixels stay the bytes that they
    are, in fewer chunks where there are hundreds of them: whoever hashes or signs the file later
    goes from chunk to chunk. All else is copied as it is.

    Raises:
        MarksUnreadable: the chunks are malformed.
    """
    chunks = list(_chunks(source))
    header = chunks[0]
    # Keyword, no compression, neither language nor translated keyword.
    copy_range(source, target, 0, header.end)
    target.write(_written(b"iTXt", _XMP_KEY + b"\0\0\0\0\0" + packet))
    start = header.end
    pixels = [chunk for chunk in chunks if chunk.kind == _PIXELS]
    merged = len(pixels) > _MANY and len(pixels) * _SMALL > sum(one.size for one in pixels)
    for chunk in chunks[1:]:
        if merged and chunk.kind == _PIXELS:
            if chunk is pixels[0]:
                copy_range(source, target, start, chunk.start)
                start = _merge(source, target, chunks[chunks.index(chunk) :])
            continue
        if _is_xmp(source, chunk):
            instead = b""
        elif chunk.kind == b"eXIf":
            instead = _written(b"eXIf", ordered_exif(_data(source, chunk)))
        else:
            continue
        copy_range(source, target, start, chunk.start)
        target.write(instead)
        start = chunk.end
    source.seek(0, 2)
    copy_range(source, target, start, source.tell())


def _merge(source: BinaryIO, target: BinaryIO, chunks: Sequence[_Chunk]) -> int:
    """Write the pixels with which these chunks begin; return where what follows them starts."""
    source.seek(chunks[0].start)
    pieces: list[bytes] = []
    size, end = 0, chunks[0].start
    for chunk in takewhile(lambda one: one.kind == _PIXELS, chunks):
        body = source.read(12 + chunk.size)[4:]
        if struct.pack(">I", zlib.crc32(body[:-4])) != body[-4:]:
            # What is damaged stays so: a new checksum would hide it.
            target.write(_written(_PIXELS, b"".join(pieces)) if pieces else b"")
            pieces, size = [], 0
            target.write(struct.pack(">I", chunk.size) + body)
        else:
            pieces.append(body[4:-4])
            size += chunk.size
        if size >= _LARGE:
            target.write(_written(_PIXELS, b"".join(pieces)))
            pieces, size = [], 0
        end = chunk.end
    target.write(_written(_PIXELS, b"".join(pieces)) if pieces else b"")
    return end


def _written(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def _chunks(file: BinaryIO) -> Iterator[_Chunk]:
    file.seek(0, 2)
    length = file.tell()
    file.seek(0)
    if file.read(8) != SIGNATURE:
        raise MarksUnreadable("The file is no PNG.")
    start = 8
    for index in range(MOST_PIECES):
        file.seek(start)
        head = file.read(8)
        if len(head) < 8:
            raise MarksUnreadable("The PNG file ends in the middle of a chunk.")
        size, kind = struct.unpack(">I4s", head)
        chunk = _Chunk(kind=kind, start=start, size=size)
        if index == 0 and (kind != b"IHDR" or size != 13):
            raise MarksUnreadable("The PNG file does not begin with its header.")
        if chunk.end > length:
            raise MarksUnreadable(f"The PNG file is shorter than its {kind!r} chunk says.")
        yield chunk
        if kind == b"IEND":
            return
        start = chunk.end
    raise MarksUnreadable(f"The PNG file has more than {MOST_PIECES} chunks.")


def _data(file: BinaryIO, chunk: _Chunk) -> bytes:
    if chunk.size > LARGEST_PIECE:
        raise MarksUnreadable(f"A PNG {chunk.kind!r} chunk has {chunk.size} bytes: too many.")
    # A wrong checksum is no reason not to read: what is signed is covered by the signature.
    file.seek(chunk.start + 8)
    return file.read(chunk.size)


def _is_xmp(file: BinaryIO, chunk: _Chunk) -> bool:
    if chunk.kind != b"iTXt":
        return False
    file.seek(chunk.start + 8)
    return file.read(len(_XMP_KEY) + 1) == _XMP_KEY + b"\0"


def _text(kind: bytes, data: bytes) -> tuple[bytes, bytes]:
    key, _, rest = data.partition(b"\0")
    if kind == b"tEXt":
        return key, rest
    if kind == b"zTXt":
        return key, _inflate(rest[1:])
    if len(rest) < 2:
        raise MarksUnreadable("A PNG text chunk is too short.")
    compressed, rest = rest[0] == 1, rest[2:]
    _, _, rest = rest.partition(b"\0")  # the language
    _, _, value = rest.partition(b"\0")  # the keyword in that language
    return key, _inflate(value) if compressed else value


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        value = inflater.decompress(data, LARGEST_PIECE)
    except zlib.error as error:
        raise MarksUnreadable(f"A compressed PNG text is damaged: {error}.") from error
    if inflater.unconsumed_tail:
        raise MarksUnreadable(f"A compressed PNG text has more than {LARGEST_PIECE} bytes.")
    return value
