"""What an image file holds besides its pixels, and how stretches of files are copied."""

from dataclasses import dataclass
from typing import BinaryIO

from haikei.errors import MarksUnreadable

#: Bytes of one piece of metadata; a workflow of ComfyUI has some hundred thousand.
LARGEST_PIECE = 16 * 1024 * 1024
#: Chunks, segments, tags or attributes of one file.
MOST_PIECES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPiece:
    """A named text in a file."""

    where: str  #: such as `PNG text` or `EXIF`
    name: str  #: its key, such as `workflow` or `Software`
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """A file's XMP packet and its texts."""

    xmp: bytes | None
    texts: tuple[TextPiece, ...]


_BLOCK = 1024 * 1024


def copy_range(source: BinaryIO, target: BinaryIO, start: int, end: int) -> None:
    """
    Append the bytes from `start` up to `end` to the target.

    Raises:
        MarksUnreadable: the source ends before them.
    """
    source.seek(start)
    left = end - start
    while left > 0:
        block = source.read(min(left, _BLOCK))
        if not block:
            raise MarksUnreadable("The file became shorter while it was read.")
        target.write(block)
        left -= len(block)
