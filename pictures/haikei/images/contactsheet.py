"""Contact sheets: the pictures of each cut side by side, cut below cut."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from haikei.errors import ImageUnreadable
from haikei.images.padding import resize
from haikei.images.picture import Picture
from haikei.images.sharedreader import read_picture
from haikei.images.writing import write_picture

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
    _write(strip, row.title, x=MARGIN, y=MARGIN + height + 19, size=15, grey=0.1)
    _write(strip, row.caption, x=MARGIN, y=MARGIN + height + 37, size=13, grey=0.35)
    return strip


def _cell(file: Path, width: int) -> NDArray[np.float32]:
    try:
        picture = read_picture(file)
    except ImageUnreadable:
        empty = np.full((round(width * 9 / 16), width, 3), _EMPTY, np.float32)
        _write(empty, f"{file.name} cannot be read", x=MARGIN, y=MARGIN * 2, size=13, grey=0.35)
        return empty
    height = max(1, round(picture.height * width / picture.width))
    return resize(picture, width, height).pixels


def _write(
    pixels: NDArray[np.float32], text: str, *, x: int, y: int, size: int, grey: float
) -> None:
    image = oiio.ImageBuf(oiio.ImageSpec(pixels.shape[1], pixels.shape[0], 3, "float"))
    image.set_pixels(oiio.ROI(), pixels)
    oiio.ImageBufAlgo.render_text(image, x, y, text, size, "", (grey, grey, grey))
    pixels[:] = image.get_pixels(oiio.FLOAT)
