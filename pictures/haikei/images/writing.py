"""
Write pictures to files, whole and on the disk before the call returns.

Contact sheets show the pictures of each cut side by side, cut below cut.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from haikei import formats
from haikei.errors import ImageUnreadable, StorageError, StorageUnavailable
from haikei.formats import ImageFormat, format_of
from haikei.images.colour import LINEAR_SPACE, SRGB_SPACE, LightSpace, convert
from haikei.images.imagefile import library_error
from haikei.images.inspector import read_picture
from haikei.images.picture import Picture, fit_within, resize, shrink

_Samples = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]
_NONE: Mapping[str, str] = MappingProxyType({})
#: EXIF 2.32 writes an unknown moment with blanks. Without it the library would store the time of
#: writing, and the same picture would make another file each time.
_NO_MOMENT = "    :  :     :  :  "

#: Each sample is predicted by the mean of its left and upper one; libpng's PNG_FILTER_AVG.
_AVERAGE_FILTER = 0x40


def write_picture(
    picture: Picture,
    path: Path,
    *,
    bits: Literal[8, 16] = 16,
    attributes: Mapping[str, str] = _NONE,
    light: LightSpace | None = None,
) -> None:
    """
    Write a picture to exactly `path`, in the format of its ending, and sync it to the disk.

    PNG and TIFF hold sRGB in 8 or 16 bits; OpenEXR holds half floats of linear light; JPEG holds 8
    bits at quality 95 with full colour resolution. The same picture and attributes make the same
    bytes.

    Args:
        picture: what to write.
        path: ends in .png, .tif, .tiff, .exr, .jpg or .jpeg; its folder must exist.
        bits: per channel, for PNG and TIFF.
        attributes: text to embed; TIFF and JPEG keep only ImageDescription and Software.
        light: the space of OpenEXR files; linear Rec.709 where none is given.

    Raises:
        StorageError: the ending is none of these.
        StorageUnavailable: the disk does not take the file.
    """
    pixels: _Samples
    known = format_of(path)
    if known is None or not known.written:
        endings = ", ".join(f".{one.endings[0]}" for one in formats.FORMATS if one.written)
        raise StorageError(
            f"Pictures are not written as {path.suffix or 'files without an ending'} "
            f"({path.name}).",
            advice=f"Use one of {endings}.",
        )
    match known:
        case formats.PNG:
            spec = _spec(picture, f"uint{bits}", SRGB_SPACE)
            # As small as the library's own choice on paintings, in 40 % of its time.
            spec.attribute("png:compressionLevel", 1)
            spec.attribute("png:filter", _AVERAGE_FILTER)
            pixels = _integers(picture, bits)
        case formats.TIFF:
            spec = _spec(picture, f"uint{bits}", SRGB_SPACE)
            spec.attribute("compression", "zip")
            pixels = _integers(picture, bits)
        case formats.EXR:
            spec = _spec(picture, "half", LINEAR_SPACE)
            spec.attribute("compression", "zip")
            pixels = _light(picture, spec, light, path.name)
        case formats.JPEG:
            spec = _spec(picture, "uint8", SRGB_SPACE)
            spec.attribute("compression", "jpeg:95")
            spec.attribute("jpeg:subsampling", "4:4:4")
            pixels = _integers(picture, 8)
        case _:
            raise AssertionError("unreachable: written, and not here")
    spec.attribute("DateTime", _NO_MOMENT)
    for name, text in attributes.items():
        spec.attribute(name, text)
    _write(path, known, spec, pixels)


def write_review(picture: Picture, path: Path, *, longest: int) -> None:
    """
    Write an 8-bit sRGB picture for review, PNG or JPEG by the ending of `path`, and sync it.

    Args:
        picture: what to show.
        path: where to.
        longest: the longer side in pixels; smaller pictures keep their size.

    Raises:
        StorageError: the ending is neither.
        StorageUnavailable: the disk does not take the file.
    """
    if format_of(path) not in {formats.PNG, formats.JPEG}:
        raise StorageError(f"Pictures for review are .png or .jpg, not {path.name}.")
    width, height = fit_within(picture.width, picture.height, longest)
    write_picture(shrink(picture, width, height), path, bits=8)


def _spec(picture: Picture, kind: str, space: str) -> oiio.ImageSpec:
    spec = oiio.ImageSpec(picture.width, picture.height, 3, kind)
    spec.attribute("oiio:ColorSpace", space)
    return spec


def _light(
    picture: Picture, spec: oiio.ImageSpec, light: LightSpace | None, name: str
) -> NDArray[np.float32]:
    if light is None:
        return convert(picture.pixels, source=SRGB_SPACE, target=LINEAR_SPACE, name=name)
    if light.known:
        spec.attribute("oiio:ColorSpace", light.known)
    else:
        spec.erase_attribute("oiio:ColorSpace")
    spec.attribute("chromaticities", oiio.TypeDesc("float[8]"), light.chromaticities)
    return light.light(picture.pixels, name=name)


def _integers(picture: Picture, bits: Literal[8, 16]) -> _Samples:
    if bits == 16:
        return picture.as_uint16()
    rounded: NDArray[np.uint8] = np.rint(np.clip(picture.pixels, 0.0, 1.0) * 255.0).astype(np.uint8)
    return rounded


def _write(
    path: Path,
    known: ImageFormat,
    spec: oiio.ImageSpec,
    pixels: _Samples,
) -> None:
    encoded = _encode(path, known, spec, pixels)
    try:
        with path.open("wb") as file:
            file.write(encoded)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageUnavailable(
            f"{path} cannot be written: {error.strerror or error}.",
            advice="Check free space, permissions and the mount.",
        ) from error


def _encode(
    path: Path,
    known: ImageFormat,
    spec: oiio.ImageSpec,
    pixels: _Samples,
) -> bytes:
    # Into memory first: on a full disk the JPEG library ends the whole process, and the PNG
    # writer reports success. The system's own writes fail with an exact reason.
    memory = os.memfd_create("picture")
    try:
        output = oiio.ImageOutput.create(known.oiio)
        done = (
            output is not None
            and output.open(f"/proc/self/fd/{memory}", spec)
            and output.write_image(np.ascontiguousarray(pixels))
            and output.close()
        )
        reason = library_error(output)
        if not done or reason:
            raise StorageError(f"{path.name} cannot be encoded: {reason or 'no reason given'}.")
        with os.fdopen(memory, "rb", closefd=False) as file:
            file.seek(0)
            return file.read()
    finally:
        os.close(memory)


MARGIN = 16
CAPTION = 44
PAPER = 0.96
_EMPTY = 0.88


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRow:
    """One cut of the sheet."""

    title: str
    caption: str
    pictures: tuple[Path, ...]  #: in the order of the lineage


def write_sheet(
    rows: Sequence[SheetRow], path: Path, *, columns: int = 1, cell_width: int = 480
) -> None:
    """
    Write the sheet as 8-bit sRGB, PNG or JPEG by the ending of `path`.

    In the place of a picture that cannot be read, the sheet says so.

    Args:
        rows: at least one, in the order in which they are looked at, line by line.
        path: where to.
        columns: cuts beside each other.
        cell_width: of one picture, in pixels; its height follows.

    Raises:
        StorageError: the ending is neither.
        StorageUnavailable: the disk does not take the file.
    """
    strips = [_strip(row, cell_width) for row in rows]
    width = max(strip.shape[1] for strip in strips)
    lines: list[NDArray[np.float32]] = []
    for start in range(0, len(strips), columns):
        line = strips[start : start + columns]
        height = max(strip.shape[0] for strip in line)
        padded = [_padded(strip, height, width) for strip in line]
        lines.append(_padded(np.concatenate(padded, axis=1), height, width * columns))
    foot = np.full((MARGIN, width * columns, 3), PAPER, np.float32)
    sheet = np.ascontiguousarray(np.concatenate([*lines, foot]), dtype=np.float32)
    write_picture(Picture(pixels=sheet), path, bits=8)


def _padded(pixels: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    missing = ((0, height - pixels.shape[0]), (0, width - pixels.shape[1]), (0, 0))
    return np.pad(pixels, missing, constant_values=np.float32(PAPER))


def _strip(row: SheetRow, cell_width: int) -> NDArray[np.float32]:
    cells = [_cell(file, cell_width) for file in row.pictures]
    height = max(cell.shape[0] for cell in cells)
    width = MARGIN + sum(cell.shape[1] + MARGIN for cell in cells)
    strip = np.full((MARGIN + height + CAPTION, width, 3), PAPER, np.float32)
    left = MARGIN
    for cell in cells:
        strip[MARGIN : MARGIN + cell.shape[0], left : left + cell.shape[1]] = cell
        left += cell.shape[1] + MARGIN
    _write_sheet(strip, row.title, x=MARGIN, y=MARGIN + height + 19, size=15, grey=0.1)
    _write_sheet(strip, row.caption, x=MARGIN, y=MARGIN + height + 37, size=13, grey=0.35)
    return strip


def _cell(file: Path, width: int) -> NDArray[np.float32]:
    try:
        picture = read_picture(file)
    except ImageUnreadable:
        empty = np.full((round(width * 9 / 16), width, 3), _EMPTY, np.float32)
        _write_sheet(
            empty, f"{file.name} cannot be read", x=MARGIN, y=MARGIN * 2, size=13, grey=0.35
        )
        return empty
    height = max(1, round(picture.height * width / picture.width))
    return resize(picture, width, height).pixels


def _write_sheet(
    pixels: NDArray[np.float32], text: str, *, x: int, y: int, size: int, grey: float
) -> None:
    image = oiio.ImageBuf(oiio.ImageSpec(pixels.shape[1], pixels.shape[0], 3, "float"))
    image.set_pixels(oiio.ROI(), pixels)
    oiio.ImageBufAlgo.render_text(image, x, y, text, size, "", (grey, grey, grey))
    pixels[:] = image.get_pixels(oiio.FLOAT)
