"""Where in a picture something changed: rectangles around spots that lie together."""

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.credits import Region

Mask = NDArray[np.bool_]


def without_specks(mask: Mask, *, smallest: int) -> Mask:
    """Return the mask without connected spots of fewer pixels than `smallest`."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    kept = stats[:, cv2.CC_STAT_AREA] >= smallest
    kept[0] = False
    return np.asarray(kept[np.asarray(labels, np.int32)], np.bool_)


def regions_of(mask: Mask, *, together: int, most: int) -> tuple[tuple[Region, ...], int]:
    """
    Return the rectangles around changed pixels, those with most pixels first, and how many more.

    Args:
        mask: (height, width), true where something changed.
        together: spots not farther apart than this many pixels are one region.
        most: rectangles that are returned.
    """
    side = max(1, together | 1)
    joined = cv2.dilate(
        mask.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_RECT, (side, side))
    )
    count, labels = cv2.connectedComponents(joined, connectivity=8)
    rows, columns = np.nonzero(mask)
    owners = np.asarray(labels, np.int32)[rows, columns]
    left, top = np.full(count, mask.shape[1]), np.full(count, mask.shape[0])
    right, bottom = np.full(count, -1), np.full(count, -1)
    np.minimum.at(left, owners, columns)
    np.maximum.at(right, owners, columns)
    np.minimum.at(top, owners, rows)
    np.maximum.at(bottom, owners, rows)
    pixels = np.bincount(owners, minlength=count)
    found = [
        Region(
            x=int(left[n]),
            y=int(top[n]),
            width=int(right[n] - left[n] + 1),
            height=int(bottom[n] - top[n] + 1),
            pixels=int(pixels[n]),
        )
        for n in range(1, count)
    ]
    found.sort(key=lambda region: (-region.pixels, region.y, region.x))
    return tuple(found[:most]), max(0, len(found) - most)
