"""Layout sheets drawn for tests: a picture in a frame, and whatever else stands on one."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.scenes import Scene, SceneKind, draw

Pixels = NDArray[np.float32]
Box = tuple[int, int, int, int]  #: left, top, right, bottom

WIDTH, HEIGHT = 900, 640
FRAME: Box = (110, 150, 790, 532)  #: 16 : 9
BLACK = (0.12, 0.12, 0.12)


@cache
def _drawing(kind: SceneKind, width: int, height: int) -> Pixels:
    return draw(Scene(kind=kind, width=width, height=height)).picture().pixels


def blank(width: int = WIDTH, height: int = HEIGHT) -> Pixels:
    """Return an empty sheet."""
    return np.ones((height, width, 3), np.float32)


def put_drawing(sheet: Pixels, box: Box = FRAME, kind: SceneKind = SceneKind.VILLAGE) -> Pixels:
    """Draw a place into a box; return its ink on a plane of the sheet's size."""
    left, top, right, bottom = box
    picture = _drawing(kind, right - left, bottom - top)
    np.minimum(sheet[top:bottom, left:right], picture, out=sheet[top:bottom, left:right])
    ink = np.zeros(sheet.shape[:2], np.float32)
    ink[top:bottom, left:right] = 1 - picture.min(axis=2)
    return ink


def put_frame(
    sheet: Pixels, box: Box = FRAME, colour: tuple[float, float, float] = BLACK, thick: int = 2
) -> None:
    """Rule a frame."""
    cv2.rectangle(sheet, box[:2], box[2:], color=colour, thickness=thick)


def put_pegs(sheet: Pixels, y: int = 40, *, white: bool = False) -> None:
    """Draw the holes: two oblong ones, and a round one between them."""
    thick = 1 if white else -1
    middle = sheet.shape[1] // 2
    cv2.circle(sheet, (middle, y), 11, color=BLACK, thickness=thick)
    for x in (middle - 230, middle + 230):
        cv2.rectangle(sheet, (x - 24, y - 6), (x + 24, y + 6), color=BLACK, thickness=thick)


def put_text(sheet: Pixels, text: str, at: tuple[int, int], size: int = 26) -> NDArray[np.bool_]:
    """Write Latin or Japanese text, as printed; return where its ink is."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(size)
    plane = Image.new("L", (sheet.shape[1], sheet.shape[0]), 0)
    ImageDraw.Draw(plane).text(at, text, fill=255, font=font)
    cover = np.asarray(plane, np.float32)[..., None] / 255
    sheet *= 1 - cover * np.float32(0.88)
    return cover[..., 0] > 0.5


def turned(sheet: Pixels, degrees: float) -> Pixels:
    """Return a sheet that lies askew in its scanner."""
    height, width = sheet.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return np.asarray(
        cv2.warpAffine(sheet, matrix, (width, height), borderValue=(1.0, 1.0, 1.0)), np.float32
    )


def turned_point(x: float, y: float, degrees: float) -> tuple[float, float]:
    """Return where a point of an upright sheet lies on a turned one."""
    matrix = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), degrees, 1.0)
    moved = matrix @ np.array([x, y, 1.0])
    return float(moved[0]), float(moved[1])
