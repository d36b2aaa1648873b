"""
Whether the layout's lines are seen in a picture, and whether two pictures show the
same drawing.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.images import Picture, resize
from haikei.measurements import LineRecall

METHOD = "haikei-line-recall/1"
#: Lines are looked for within this share of the height (3 pixels of 1080), or 2 pixels.
_TOLERANCE = 3 / 1080
_TRIES = 40
_SMOOTHING = 1.2
_CANNY = (40, 110)
#: Code value, of 255, below which a layout's pixel is a line.
_INK = 128
_MOST = 200_000


def line_recall(layout: Picture, image: Picture) -> LineRecall:
    """
    Return which share of the layout's line pixels has an edge of the image near it.

    The chance level comes from the image's edges moved at random (always the same moves): raw
    recall is worthless without it, as noise has edges everywhere. A layout without lines has a
    recall of 0.

    Args:
        layout: the drawing, dark lines on light paper.
        image: what was made from it; another size is resized to the layout's.

    Source of the edges: Canny (1986) on the 8-bit grey picture after a slight blur.
    """
    fitted = resize(image, layout.width, layout.height)
    tolerance = max(2, round(_TOLERANCE * layout.height))
    blurred = cv2.GaussianBlur(_grey(fitted), (0, 0), _SMOOTHING)
    edges = cv2.Canny(blurred, *_CANNY)
    away = cv2.distanceTransform((edges == 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    near = (away <= tolerance) & bool(edges.any())
    rows, columns = np.nonzero(_grey(layout) < _INK)
    if len(rows) > _MOST:
        kept = np.linspace(0, len(rows) - 1, _MOST).astype(np.intp)
        rows, columns = rows[kept], columns[kept]
    chances = _by_chance(near, rows, columns)
    observed = float(near[rows, columns].mean()) if len(rows) else 0.0
    return LineRecall(
        method=METHOD,
        tolerance_px=tolerance,
        observed_ppm=round(observed * 1_000_000),
        chance_ppm=round(float(np.mean(chances)) * 1_000_000),
        chance_sd_ppm=round(float(np.std(chances)) * 1_000_000),
    )


def _by_chance(
    near: NDArray[np.bool_], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> list[float]:
    random = np.random.default_rng(1)
    height, width = near.shape
    found: list[float] = []
    for _ in range(_TRIES):
        # Far enough that a line does not meet its own edge.
        down = int(random.integers(max(1, height // 20), max(2, height - height // 20)))
        right = int(random.integers(max(1, width // 20), max(2, width - width // 20)))
        there = near[(rows + down) % height, (columns + right) % width]
        found.append(float(there.mean()) if len(rows) else 0.0)
    return found


def _grey(picture: Picture) -> NDArray[np.uint8]:
    code = np.rint(np.clip(picture.pixels, 0, 1) * 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(code, cv2.COLOR_RGB2GRAY), np.uint8)


#: Longer side, in pixels, of the pictures that are compared.
_SIDE = 960
_WINDOW = 11
#: Standard deviation of L* below which there is no drawing to compare.
_DETAIL = 1.0
_ALIKE = 0.7


def similarity(before: NDArray[np.float32], after: NDArray[np.float32]) -> float:
    """
    Return the share of the drawn parts that both pictures have alike, 0 to 1.

    Zero-mean normalised cross-correlation in a window around each pixel of L*, so that neither a
    grade nor compression counts; where neither picture has any detail, there is nothing to
    compare, and a picture without any is alike to another such picture of nearly its lightness.

    Args:
        before: L* of the earlier picture, (height, width), laid over the later one.
        after: L* of the later one.
    """
    scale = min(1.0, _SIDE / max(before.shape))
    size = max(1, round(before.shape[1] * scale)), max(1, round(before.shape[0] * scale))
    first, second = (
        np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)
        for plane in (before, after)
    )
    mean1, mean2 = _mean(first), _mean(second)
    spread1 = np.maximum(_mean(first * first) - mean1 * mean1, 0)
    spread2 = np.maximum(_mean(second * second) - mean2 * mean2, 0)
    drawn = np.maximum(spread1, spread2) > _DETAIL**2
    if drawn.mean() < 0.01:
        return 1.0 if abs(float(np.median(mean1 - mean2))) < 5 else 0.0
    together = _mean(first * second) - mean1 * mean2
    alike = together > _ALIKE * np.sqrt(spread1 * spread2 + 1e-6)
    return float(alike[drawn].mean())


def _mean(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.blur(plane, (_WINDOW, _WINDOW)), np.float32)
