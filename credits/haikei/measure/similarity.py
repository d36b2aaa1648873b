"""Whether two pictures show the same drawing at all."""

import cv2
import numpy as np
from numpy.typing import NDArray

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
