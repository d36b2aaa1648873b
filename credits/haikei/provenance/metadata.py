"""What an image file holds besides its pixels, as far as it tells of their making."""

from dataclasses import dataclass

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
