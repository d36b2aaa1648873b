"""
Open an image file with OpenImageIO inside limits, and say what is wrong with it.

Of a JPEG file, the picture that every viewer shows is cut out of what else stands in the file.
Phones append a gain map, for brighter screens, and name it in segments of their own: the library
would apply it. Other programs leave padding between segments, which the library complains of as
it does of damage. So the segments of the picture itself are copied, and nothing else.
Source: JPEG (ISO/IEC 10918-1) annex B, CIPA DC-007 (MPF), ISO 21496-1 (gain maps).
"""

import re
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import OpenImageIO as oiio
from numpy.typing import NDArray

from haikei.errors import ImageUnreadable
from haikei.formats import (
    EXR,
    JPEG,
    PSD,
    READABLE_ENDINGS,
    TIFF,
    ImageFormat,
    format_by_content,
    format_of,
)
from haikei.images import photoshop
from haikei.images.limits import Limits

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
        raise _cannot_open(path, JPEG, "it is no JPEG file")
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


#: Where files say that they hold inks. The library makes RGB of them without any profile, which
#: no press and no paint program would show.
_SAYS_INKS = ("jpeg:ColorSpace", "tiff:ColorSpace")
_INKS = frozenset({"cmyk", "ycbcrk", "color separated"})
#: Photometric interpretations of TIFF that are no light as the library hands it over.
#: Source: TIFF 6.0, section 8; TIFF Technical Notes for ICCLab, ITULab, CFA, LogL and LogLuv.
_NOT_LIGHT: Mapping[int, str] = MappingProxyType(
    {
        5: "CMYK",
        8: "Lab",
        9: "Lab",
        10: "Lab",
        4: "mask",
        32803: "camera raw",
        32844: "LogL",
        32845: "LogLuv",
        34892: "camera raw",
    }
)
#: Bits of TIFF's NewSubfileType: a reduced picture of another page, or a mask for one.
_NO_PAGE = 0b101
#: EXR's methods of compression that are newer than the reader, by their number.
_NEW_EXR: Mapping[int, str] = MappingProxyType({10: "HTJ2K", 11: "HTJ2K", 12: "ZSTD"})
_EXR_COMPRESSION = re.compile(rb"compression\0compression\0\x01\0\0\0(.)", re.DOTALL)
_REASON_PHOTOMETRIC = re.compile(r"PhotometricInterpretation=(\d+)")
_REASON_SIZE = re.compile(r"dimensions? (\d+)x(\d+)\b.* exceeds")
MAX_SIDE = 65536
MAX_CHANNELS = 64
#: The library checks what a header claims against the file too; ours comes first and says more.
_LIBRARY_MIB = 1 << 20
_LONGEST_REASON = 160

# Jobs are the unit of parallelism, so the library gets one thread. A file is opened only by the
# reader its ending names: a guess by content would widen what a hostile file can reach.
oiio.attribute("threads", 1)
oiio.attribute("exr_threads", 1)
oiio.attribute("try_all_readers", 0)
oiio.attribute("limits:resolution", MAX_SIDE)
oiio.attribute("limits:channels", MAX_CHANNELS)
oiio.attribute("limits:imagesize_MB", _LIBRARY_MIB)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenImage:
    """An image file whose header is read and within the limits; its pixels are not read yet."""

    path: Path
    format: ImageFormat
    input: oiio.ImageInput
    spec: oiio.ImageSpec  #: of the page that is read
    page: int
    pages: int  #: full pages that the file holds
    photoshop: photoshop.PhotoshopFile | None

    @property
    def note(self) -> str:
        """What should be known of how the file is read; empty when there is nothing to know."""
        if self.pages < 2:
            return ""
        return f"{self.path.name} holds {self.pages} pages; page {self.page + 1} is read."


@contextmanager
def open_image(path: Path, *, limits: Limits) -> Generator[OpenImage]:
    """
    Open the header of `path`; pixels stay unread, alpha stays as the file has it.

    Of several pages, the largest one is opened that is no thumbnail of another.

    Args:
        path: an image file.
        limits: what it may take.

    Raises:
        ImageUnreadable: it is no image, damaged at its head, in printing inks, or larger than the
            limits.
    """
    known = _format(path)
    document = None
    if known is PSD:
        photoshop.require_light(path)
    with _source(path, known) as source:
        config = oiio.ImageSpec()
        # The library would multiply colour by alpha in encoded values and drop hidden paint.
        config.attribute("oiio:UnassociatedAlpha", 1)
        image = oiio.ImageInput.open(source, config)
        if image is None:
            raise _cannot_open(path, known, library_error())
        try:
            page, pages = _full_page(image, path) if known in {TIFF, EXR} else (0, 1)
            image.seek_subimage(page, 0)
            spec = image.spec()
            _check(path, spec, limits)
            if known is PSD:
                document = photoshop.examine(path)
            yield OpenImage(
                path=path,
                format=known,
                input=image,
                spec=spec,
                page=page,
                pages=pages,
                photoshop=document,
            )
        finally:
            image.close()


def read_pixels(image: OpenImage, kind: str) -> NDArray[Any]:
    """
    Decode all pixels of the opened page as (height, width, channels) of the type `kind`.

    Raises:
        ImageUnreadable: the pixels are damaged or not all there.
    """
    spec = image.spec
    pixels = image.input.read_image(image.page, 0, 0, spec.nchannels, kind)
    # A truncated JPEG comes back whole, its rest grey, with only the message to tell.
    reason = library_error(image.input)
    if pixels is None or reason:
        if image.format is TIFF and "not configured" in reason:
            raise ImageUnreadable(
                f"{image.path.name} is compressed with "
                f"{spec.get_string_attribute('compression') or 'an unknown method'}, "
                "which is not read.",
                advice="Save it with LZW or ZIP compression, or without any.",
            )
        raise ImageUnreadable(
            f"{image.path.name} is damaged or incomplete: "
            f"{reason or 'its pixels cannot be decoded'}.",
            advice="Publish the file again, or save it again from the program it was drawn in.",
        )
    return pixels.reshape(spec.height, spec.width, spec.nchannels)


def library_error(source: oiio.ImageInput | oiio.ImageOutput | oiio.ImageBuf | None = None) -> str:
    """Return and clear what OpenImageIO last complained of: its first line, cut to be read."""
    try:
        text = oiio.geterror() if source is None else source.geterror()
    except UnicodeDecodeError:
        # Bytes of the damaged file are quoted in the message.
        return "the file is damaged"
    lines = (line.strip().rstrip(".") for line in text.splitlines())
    first = next((line for line in lines if line), "")
    if len(first) > _LONGEST_REASON:
        first = f"{first[:_LONGEST_REASON].rstrip()}…"
    return first


def _format(path: Path) -> ImageFormat:
    known = format_of(path)
    if known is None or not known.is_read:
        raise ImageUnreadable(
            f"{path.name} is not an image format that layouts come in.",
            advice=f"Save it as one of {', '.join(READABLE_ENDINGS)}.",
        )
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise ImageUnreadable(
            f"The name {path.name!a} is not valid UTF-8.", advice="Rename the file."
        ) from error
    return known


@contextmanager
def _source(path: Path, known: ImageFormat) -> Generator[str]:
    """Yield the path that the library opens: of a JPEG, its picture alone."""
    if known is not JPEG:
        yield str(path)
        return
    try:
        picture = picture_only(path)
    except OSError as error:
        raise _cannot_open(path, known, error.strerror or str(error)) from error
    # The library knows its readers by the ending.
    with tempfile.NamedTemporaryFile(prefix="haikei-", suffix=".jpg") as file:
        file.write(picture)
        file.flush()
        yield file.name


def _cannot_open(path: Path, known: ImageFormat, reason: str) -> ImageUnreadable:
    if known is EXR and (method := _new_compression(path)):
        return ImageUnreadable(
            f"{path.name} is compressed with {method}, which is not read.",
            advice="Save it with ZIP or PIZ compression.",
        )
    if known is TIFF and (found := _REASON_PHOTOMETRIC.search(reason)):
        return _not_light(path, _NOT_LIGHT.get(int(found[1]), f"a rare (number {found[1]})"))
    if found := _REASON_SIZE.search(reason):
        return ImageUnreadable(
            f"{path.name} is {found[1]} x {found[2]} pixels, more than {MAX_SIDE:,} on a side.",
            advice="Publish it smaller.",
        )
    if another := _another(path, known):
        return ImageUnreadable(
            f"{path.name} holds {another.name}, and not {known.name} as its name says.",
            advice=f"Save it as {known.name}"
            + (f", or give it the ending .{another.endings[0]}." if another.is_read else "."),
        )
    return ImageUnreadable(
        f"{path.name} cannot be opened: {reason or 'it is no such image'}.",
        advice="Save it again from the program it was drawn in.",
    )


def _another(path: Path, known: ImageFormat) -> ImageFormat | None:
    """Return the format that a file's bytes are of, where it is not the one of its name."""
    try:
        with path.open("rb") as file:
            found = format_by_content(file.read(32))
    except OSError:
        return None
    return None if found is known else found


def _not_light(path: Path, mode: str) -> ImageUnreadable:
    return ImageUnreadable(
        f"{path.name} is in {mode} mode; only RGB, indexed colour and grey are read.",
        advice="Convert it to RGB in the program it was drawn in, and save it again.",
    )


def _new_compression(path: Path) -> str:
    try:
        with path.open("rb") as file:
            found = _EXR_COMPRESSION.search(file.read(65536))
    except OSError:
        return ""
    return _NEW_EXR.get(found[1][0], "") if found else ""


def _full_page(image: oiio.ImageInput, path: Path) -> tuple[int, int]:
    """
    Return the page to read, and how many full pages there are.

    Raises:
        ImageUnreadable: all of them are reduced pictures of a page that the library does not find.
    """
    sizes: dict[int, int] = {}
    number = reduced = 0
    while image.seek_subimage(number, 0):
        spec = image.spec()
        reduced += spec.get_int_attribute("tiff:subfiletype") & 1
        if not spec.get_int_attribute("tiff:subfiletype") & _NO_PAGE and _shows_colour(spec):
            sizes[number] = spec.width * spec.height
        number += 1
    library_error(image)
    if not sizes and reduced:
        raise ImageUnreadable(
            f"{path.name} holds nothing but a thumbnail where its picture should be.",
            advice="Save it as a plain TIFF of one page.",
        )
    if not sizes:
        return 0, 1
    largest = max(sizes.values())
    return next(one for one, size in sizes.items() if size == largest), len(sizes)


def _shows_colour(spec: oiio.ImageSpec) -> bool:
    """Tell whether a part holds a picture, and not depth, masks or motion."""
    if not spec.get_string_attribute("oiio:subimagename"):
        return True
    names = {name.lower().rpartition(".")[2] for name in spec.channelnames}
    return bool({"r", "g", "b"} <= names or "y" in names)


def _check(path: Path, spec: oiio.ImageSpec, limits: Limits) -> None:
    if spec.deep or spec.depth > 1:
        raise ImageUnreadable(
            f"{path.name} holds deep or volume data.", advice="Save it as a flat image."
        )
    inks = any(spec.get_string_attribute(name).lower() in _INKS for name in _SAYS_INKS)
    mode = (
        "CMYK"
        if inks
        else _NOT_LIGHT.get(spec.get_int_attribute("tiff:PhotometricInterpretation", 2))
    )
    if mode is not None:
        raise _not_light(path, mode)
    if str(spec.format).startswith("int"):
        raise ImageUnreadable(
            f"{path.name} stores numbers below 0 ({spec.format}); what is white in it is not said.",
            advice="Save it with 8 or 16 bits a channel, or in floating point.",
        )
    limits.require(
        path.name,
        width=max(spec.width, spec.full_width),
        height=max(spec.height, spec.full_height),
        sample_bytes=spec.pixel_bytes(native=True),
    )
