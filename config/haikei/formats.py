"""
The one table of image formats: what each is called, by whom it is read, and what it can hold.

Whatever depends on a file's format asks here: which files are watched, which reader opens them,
which media type a report names, where marks go, and how an incomplete file is recognised.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath
from types import MappingProxyType


class Marks(StrEnum):
    """Where XMP and C2PA marks of a picture stand."""

    INSIDE = "inside"  #: in the file itself
    BESIDE = "beside"  #: in sidecars: `picture.xmp`, `picture.c2pa`


class Ending(StrEnum):
    """How a file shows that it was written to its end."""

    MARKER = "marker"  #: it closes with a marker of its own, which a short read finds
    LENGTH = "length"  #: its headers announce its length
    DECODING = "decoding"  #: only decoding all of its pixels shows it


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFormat:
    """One format of image files."""

    name: str  #: as people call it
    endings: tuple[str, ...]  #: of file names, lower-case, without the dot; the usual one first
    mime: str
    signatures: tuple[bytes, ...]  #: the first bytes of its files; none where it has no own ones
    oiio: str = ""  #: its name in OpenImageIO; empty where Haikei does not read it
    marks: Marks = Marks.BESIDE
    ending: Ending = Ending.DECODING
    written: bool = False  #: whether Haikei writes it

    @property
    def is_read(self) -> bool:
        """Whether layouts and paint-overs may come in it."""
        return bool(self.oiio)


PNG = ImageFormat(
    name="PNG",
    endings=("png",),
    mime="image/png",
    signatures=(b"\x89PNG\r\n\x1a\n",),
    oiio="png",
    marks=Marks.INSIDE,
    ending=Ending.MARKER,
    written=True,
)
TIFF = ImageFormat(
    name="TIFF",
    endings=("tif", "tiff"),
    mime="image/tiff",
    signatures=(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    oiio="tiff",
    marks=Marks.INSIDE,
    written=True,
)
JPEG = ImageFormat(
    name="JPEG",
    endings=("jpg", "jpeg"),
    mime="image/jpeg",
    signatures=(b"\xff\xd8\xff",),
    oiio="jpeg",
    marks=Marks.INSIDE,
    ending=Ending.MARKER,
    written=True,
)
PSD = ImageFormat(
    name="Photoshop",
    endings=("psd", "psb"),
    mime="image/vnd.adobe.photoshop",
    signatures=(b"8BPS",),
    oiio="psd",
    ending=Ending.LENGTH,
)
EXR = ImageFormat(
    name="OpenEXR",
    endings=("exr",),
    mime="image/x-exr",
    signatures=(b"v/1\x01",),
    oiio="openexr",
    written=True,
)
TGA = ImageFormat(name="Targa", endings=("tga",), mime="image/x-tga", signatures=(), oiio="targa")

FORMATS: tuple[ImageFormat, ...] = (
    PNG,
    TIFF,
    JPEG,
    PSD,
    EXR,
    TGA,
    # Pictures that deliveries hold, recognised and not read.
    ImageFormat(name="WebP", endings=("webp",), mime="image/webp", signatures=()),
    ImageFormat(name="AVIF", endings=("avif",), mime="image/avif", signatures=()),
    ImageFormat(name="HEIF", endings=("heic", "heif"), mime="image/heif", signatures=()),
    ImageFormat(
        name="JPEG XL",
        endings=("jxl",),
        mime="image/jxl",
        signatures=(b"\0\0\0\x0cJXL \r\n\x87\n", b"\xff\x0a"),
    ),
    ImageFormat(
        name="JPEG 2000",
        endings=("jp2",),
        mime="image/jp2",
        signatures=(b"\0\0\0\x0cjP  \r\n\x87\n",),
    ),
    ImageFormat(name="BMP", endings=("bmp",), mime="image/bmp", signatures=()),
    ImageFormat(name="GIF", endings=("gif",), mime="image/gif", signatures=(b"GIF87a", b"GIF89a")),
    ImageFormat(name="DPX", endings=("dpx",), mime="image/x-dpx", signatures=(b"SDPX", b"XPDS")),
)

_BY_ENDING: Mapping[str, ImageFormat] = MappingProxyType(
    {ending: known for known in FORMATS for ending in known.endings}
)
#: What files call themselves that hold pictures as videos do, and the ending they should have.
_BRANDS: Mapping[bytes, str] = MappingProxyType(
    {
        b"avif": "avif",
        b"avis": "avif",
        **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"), "heic"),
    }
)
#: Endings, without the dot, of files that layouts and paint-overs may come in.
READABLE_ENDINGS: tuple[str, ...] = tuple(
    ending for known in FORMATS if known.is_read for ending in known.endings
)


def format_of(path: PurePath | str) -> ImageFormat | None:
    """Return the format that a file's name stands for, None where it is of no image."""
    return _BY_ENDING.get(PurePath(path).suffix.lower().removeprefix("."))


def format_by_content(head: bytes) -> ImageFormat | None:
    """
    Return the format that a file's first bytes stand for, None for any other file.

    Args:
        head: the first 16 bytes of the file, or more.
    """
    for known in FORMATS:
        if known.signatures and head.startswith(known.signatures):
            return known
    # Containers name what they hold behind their length.
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _BY_ENDING["webp"]
    if head[4:8] == b"ftyp":
        return _BY_ENDING.get(_BRANDS.get(head[8:12], ""))
    return None


def is_readable(path: PurePath | str) -> bool:
    """Tell whether a file's name is of a format that layouts and paint-overs may come in."""
    known = format_of(path)
    return known is not None and known.is_read


def markdown() -> str:
    """Return the table of the formats that are read, as the documentation shows it."""
    found = {
        Marks.INSIDE: "in the file",
        Marks.BESIDE: "in sidecars (`.xmp`, `.c2pa`)",
    }
    ends = {
        Ending.MARKER: "no end marker",
        Ending.LENGTH: "shorter than its headers announce",
        Ending.DECODING: "its pixels cannot all be decoded",
    }
    heads = (
        "format",
        "endings",
        "media type",
        "written by Haikei",
        "marks stand",
        "seen as incomplete when",
    )
    lines = [f"| {' | '.join(heads)} |", "|---|---|---|---|---|---|"]
    for known in FORMATS:
        if known.is_read:
            endings = ", ".join(f"`.{ending}`" for ending in known.endings)
            written = "yes" if known.written else "no"
            lines.append(
                f"| {known.name} | {endings} | `{known.mime}` | {written} | {found[known.marks]} "
                f"| {ends[known.ending]} |"
            )
    return "\n".join(lines) + "\n"
