"""The contact sheet: layout, generations and touch-ups of each cut, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from haikei.images import Picture, read_picture, resize, write_picture

CELL_WIDTH = 480
MARGIN = 16
CAPTION = 44
PAPER = 0.96


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRow:
    """One cut of the sheet."""

    title: str
    caption: str
    pictures: tuple[Path, ...]  #: in the order of the lineage


def write_sheet(rows: Sequence[SheetRow], path: Path) -> None:
    """
    Write the sheet as an 8-bit sRGB PNG.

    Raises:
        ImageUnreadable: a picture of a row cannot be read.
    """
    strips = [_strip(row) for row in rows]
    width = max(strip.shape[1] for strip in strips)
    padded = [
        np.pad(
            strip, ((0, 0), (0, width - strip.shape[1]), (0, 0)), constant_values=np.float32(PAPER)
        )
        for strip in strips
    ]
    foot = np.full((MARGIN, width, 3), PAPER, np.float32)
    sheet = np.ascontiguousarray(np.concatenate([*padded, foot]), dtype=np.float32)
    write_picture(Picture(pixels=sheet), path, bits=8)


def _strip(row: SheetRow) -> NDArray[np.float32]:
    cells = []
    for file in row.pictures:
        picture = read_picture(file)
        height = max(1, round(picture.height * CELL_WIDTH / picture.width))
        cells.append(resize(picture, CELL_WIDTH, height).pixels)
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


def _write(
    pixels: NDArray[np.float32], text: str, *, x: int, y: int, size: int, grey: float
) -> None:
    import OpenImageIO as oiio

    image = oiio.ImageBuf(oiio.ImageSpec(pixels.shape[1], pixels.shape[0], 3, "float"))
    image.set_pixels(oiio.ROI(), pixels)
    oiio.ImageBufAlgo.render_text(image, x, y, text, size, "", (grey, grey, grey))
    pixels[:] = image.get_pixels(oiio.FLOAT)
