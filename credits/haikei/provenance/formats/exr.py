"""The texts in an OpenEXR file's header (OpenEXR File Layout); they are read, never written."""

from typing import BinaryIO

from haikei.errors import MarksUnreadable
from haikei.formats import EXR
from haikei.provenance.formats.metadata import LARGEST_PIECE, Metadata, TextPiece

(SIGNATURE,) = EXR.signatures
_MOST_ATTRIBUTES = 4096
_LONGEST_NAME = 256


def read_metadata(file: BinaryIO) -> Metadata:
    """
    Return the texts of the first part's header; an attribute `xmp` or `XMP` is its packet.

    Raises:
        MarksUnreadable: the header is malformed.
    """
    file.seek(0)
    if file.read(4) != SIGNATURE:
        raise MarksUnreadable("The file is no OpenEXR.")
    file.seek(8)
    packet: bytes | None = None
    texts: list[TextPiece] = []
    for _ in range(_MOST_ATTRIBUTES):
        name = _name(file)
        if not name:
            return Metadata(xmp=packet, texts=tuple(texts))
        kind = _name(file)
        size = int.from_bytes(file.read(4), "little")
        if size > LARGEST_PIECE:
            raise MarksUnreadable(f"The OpenEXR attribute {name!r} has {size} bytes: too many.")
        value = file.read(size)
        if len(value) < size:
            raise MarksUnreadable("The OpenEXR file ends within its header.")
        if kind != "string":
            continue
        if name.lower() == "xmp":
            packet = packet or value
        else:
            text = value.decode("utf-8", errors="replace")
            texts.append(TextPiece(where="OpenEXR attribute", name=name, text=text))
    raise MarksUnreadable(f"The OpenEXR header has more than {_MOST_ATTRIBUTES} attributes.")


def _name(file: BinaryIO) -> str:
    found = bytearray()
    while len(found) <= _LONGEST_NAME:
        byte = file.read(1)
        if not byte:
            raise MarksUnreadable("The OpenEXR file ends within its header.")
        if byte == b"\0":
            return found.decode("utf-8", errors="replace")
        found += byte
    raise MarksUnreadable("A name in the OpenEXR header is too long.")
