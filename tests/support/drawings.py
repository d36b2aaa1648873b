"""Pictures that are quickly drawn and unlike each other, and what is done to copies of them."""

import cv2
import numpy as np

from haikei.images import Picture

SIZE = (320, 180)


def a_drawing(number: int) -> Picture:
    """Return shapes in random places and colours on a gradient; every number gives another."""
    random = np.random.default_rng(1000 + number)
    width, height = SIZE
    ends = random.random((2, 3)).astype(np.float32)
    share = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    pixels = np.ascontiguousarray(
        np.broadcast_to(ends[0] * (1 - share) + ends[1] * share, (height, width, 3))
    )
    for _ in range(14):
        at = random.uniform((0, 0), SIZE)
        corners = (at + random.normal(0, 0.15 * width, (5, 2))).astype(np.int32)
        cv2.fillPoly(pixels, [corners], random.random(3).tolist(), cv2.LINE_AA)
    return Picture(pixels=pixels)


def recoloured(picture: Picture) -> Picture:
    """Return the same drawing with reds and blues exchanged and as much light."""
    luma = np.array([0.299, 0.587, 0.114], np.float32)
    other = picture.pixels[..., ::-1]
    lift = (picture.pixels @ luma - other @ luma)[..., None]
    return Picture(pixels=np.clip(other + lift, 0, 1).astype(np.float32))


def cropped(picture: Picture, left: float, right: float, top: float, bottom: float) -> Picture:
    """Return the picture without these shares of its width and height."""
    height, width = picture.height, picture.width
    rows = slice(round(top * height), height - round(bottom * height))
    columns = slice(round(left * width), width - round(right * width))
    return Picture(pixels=np.ascontiguousarray(picture.pixels[rows, columns]))
