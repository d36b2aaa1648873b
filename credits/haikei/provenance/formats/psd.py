"""The XMP packet in a Photoshop file (PSD, PSB: image resource 1060); it is read, never written."""

from typing import BinaryIO

from haikei.errors import MarksUnreadable
from haikei.formats import PSD
from haikei.provenance.formats.metadata import LARGEST_PIECE, Metadata, TextPiece
from haikei.provenance.formats.tiff import exif_texts

(SIGNATURE,) = PSD.signatures
_XMP = 1060
_EXIF = 1058
_MOST_RESOURCES = 16384


def read_metadata(file: BinaryIO) -> Metadata:
    """
    Return the file's XMP packet and EXIF texts.

    Raises:
        MarksUnreadable: the image resources are malformed.
    """
    file.seek(0)
    if file.read(4) != SIGNATURE:
        raise MarksUnreadable("The file is no PSD.")
    file.seek(26)
    file.seek(_number(file, 4), 1)  # the colour mode data
    end = _number(file, 4)
    end += file.tell()
    packet: bytes | None = None
    texts: list[TextPiece] = []
    for _ in range(_MOST_RESOURCES):
        if file.tell() + 12 > end:
            return Metadata(xmp=packet, texts=tuple(texts))
        if file.read(4) not in {b"8BIM", b"MeSa", b"PHUT", b"AgHg", b"DCSR"}:
            raise MarksUnreadable("The PSD file's image resources are malformed.")
        number = _number(file, 2)
        name = _number(file, 1)
        file.seek(name + (name + 1) % 2, 1)
        size = _number(file, 4)
        if file.tell() + size > end:
            raise MarksUnreadable("A PSD image resource is longer than its section.")
        if number in {_XMP, _EXIF} and size <= LARGEST_PIECE:
            data = file.read(size)
            if len(data) < size:
                raise MarksUnreadable("The PSD file ends within its image resources.")
            if number == _XMP:
                packet = packet or data
            else:
                texts += exif_texts(data)
            file.seek(size % 2, 1)
        else:
            file.seek(size + size % 2, 1)
    raise MarksUnreadable(f"The PSD file has more than {_MOST_RESOURCES} image resources.")


def _number(file: BinaryIO, size: int) -> int:
    data = file.read(size)
    if len(data) < size:
        raise MarksUnreadable("The PSD file ends too early.")
    return int.from_bytes(data)
