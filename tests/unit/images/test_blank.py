"""Blank paper is told from a drawing, however dirty the one and however faint the other."""

import io

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from haikei.images import Picture
from haikei.images.picture import is_blank
from support.imagefiles import drawing

Sheet = NDArray[np.float32]
SIZE = (1920, 1080)


def picture(sheet: Sheet) -> Picture:
    pixels = np.clip(np.rint(sheet), 0, 255).astype(np.float32) / np.float32(255)
    return Picture(pixels=np.ascontiguousarray(pixels))


def white() -> Sheet:
    return np.full((SIZE[1], SIZE[0], 3), 255, np.float32)


def scan(*, grain: float = 2.0, dust: int = 60, shade: float = 10.0, seed: int = 3) -> Sheet:
    """Return cream paper as a scanner sees it: grain, dust, darker towards its corners."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]].astype(np.float32)
    sheet = np.full((SIZE[1], SIZE[0], 3), (244, 238, 222), np.float32)
    sheet -= 2 * shade * ((x / SIZE[0] - 0.5) ** 2 + (y / SIZE[1] - 0.5) ** 2)[..., None]
    sheet += random.normal(0, grain, (SIZE[1], SIZE[0], 1)).astype(np.float32)
    for _ in range(dust):
        place = (int(random.integers(SIZE[0])), int(random.integers(SIZE[1])))
        cv2.circle(sheet, place, int(random.integers(1, 4)), (90, 85, 80), -1)
    return sheet


def lined(sheet: Sheet, darker: float, thickness: int) -> Sheet:
    lines = np.zeros((SIZE[1], SIZE[0]), np.float32)
    cv2.line(lines, (0, 540), (SIZE[0], 560), 1, thickness)
    cv2.rectangle(lines, (480, 270), (960, 540), 1, thickness)
    return (sheet - lines[..., None] * darker).astype(np.float32)


def as_jpeg(sheet: Sheet) -> Sheet:
    memory = io.BytesIO()
    Image.fromarray(np.clip(sheet, 0, 255).astype(np.uint8)).save(memory, "JPEG", quality=60)
    return np.asarray(Image.open(memory)).astype(np.float32)


def edged() -> Sheet:
    sheet = scan()
    sheet[:, :12] -= 60
    return sheet


@pytest.mark.parametrize(
    "sheet",
    [
        white(),
        white() * 0.5,
        white() * 0,
        scan(),
        scan(grain=5, dust=300),
        scan(shade=80, grain=1),
        as_jpeg(scan()),
        edged(),
        np.full((2, 2, 3), 255, np.float32),
        np.full((270, 480, 3), 250, np.float32),
    ],
    ids=[
        "white", "grey", "black", "scan", "dirty scan", "shaded scan", "JPEG of a scan",
        "dark edge", "tiny", "small",
    ],
)  # fmt: skip
def test_paper_with_grain_dust_and_shade_is_blank(sheet: Sheet) -> None:
    assert is_blank(picture(sheet))


@pytest.mark.parametrize(
    "sheet",
    [
        drawing().astype(np.float32),
        lined(white(), 8, 1),
        lined(scan(), 12, 1),
        lined(scan(), 8, 2),
        lined(scan(grain=4), 12, 2),
        lined(as_jpeg(scan()), 20, 1),
    ],
    ids=[
        "drawing", "faint and thin", "faint on a scan", "fainter and wider", "in coarse grain",
        "on a JPEG",
    ],
)  # fmt: skip
def test_faint_pencil_is_a_drawing(sheet: Sheet) -> None:
    assert not is_blank(picture(sheet))


def test_what_covers_the_whole_sheet_is_a_drawing() -> None:
    blocks = np.random.default_rng(7).uniform(51, 255, (20, 30, 3)).astype(np.float32)

    assert not is_blank(picture(blocks.repeat(8, axis=0).repeat(8, axis=1)))


def test_pale_colours_are_a_drawing() -> None:
    sheet = white()
    cv2.circle(sheet, (900, 500), 40, (255, 250, 200), 1)

    assert not is_blank(picture(sheet))
