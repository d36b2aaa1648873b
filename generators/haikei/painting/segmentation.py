"""
Trapped-ball segmentation: the closed shapes of a drawing, even where its lines have gaps.

After Zhang, Chen, Zhu, Hu, "Vectorizing cartoon animations" (2009): a large ball that cannot slip
through small gaps marks the shapes it fits in, smaller balls then reach into their corners and
find the shapes that are too narrow for the larger ones. Done here on the distance to the nearest
line, one threshold a ball.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int32]  #: (height, width), 0 … n-1, every pixel in one region

INKED = 0.25  #: how dark a pixel must be to stop a ball
SMALLEST = 5  #: pixels that a region must have inside its lines
MOST = 1600  #: regions kept, the largest; the rest joins its neighbours


def segment(ink: NDArray[np.float32]) -> Labels:
    """Return the regions of line art, (height, width), 0 paper to 1 line."""
    free = (ink < INKED).astype(np.uint8)
    if free.all() or not free.any():
        return np.zeros(ink.shape, np.int32)
    distance = cv2.distanceTransform(free, cv2.DIST_L2, 5)
    labels = np.zeros(ink.shape, np.int32)
    count = 0
    ball = max(2.0, ink.shape[0] / 110)
    for radius in (ball, ball * 0.6, 1.2, 0.6):
        count = _roll(distance > radius, labels, count)
    if count == 0:
        return np.zeros(ink.shape, np.int32)
    labels = _largest(labels, count)
    return _nearest(labels)


def _roll(reach: NDArray[np.bool_], labels: Labels, count: int) -> int:
    """Let a ball fill what it can reach: name new shapes, complete those that it meets alone."""
    parts, found, stats, _ = cv2.connectedComponentsWithStats(
        reach.astype(np.uint8), connectivity=4
    )
    part = np.asarray(found, np.int32)
    named = labels > 0
    named &= part > 0
    lowest = np.full(parts, np.iinfo(np.int32).max, np.int32)
    highest = np.zeros(parts, np.int32)
    np.minimum.at(lowest, part[named], labels[named])
    np.maximum.at(highest, part[named], labels[named])
    fill = np.where(lowest == highest, highest, 0).astype(np.int32)
    fresh = np.flatnonzero((highest == 0) & (stats[:, cv2.CC_STAT_AREA] >= SMALLEST))
    fresh = fresh[fresh > 0]
    fill[fresh] = np.arange(count + 1, count + 1 + len(fresh), dtype=np.int32)
    fill[0] = 0
    np.copyto(labels, fill[part], where=labels == 0)
    return count + len(fresh)


def _largest(labels: Labels, count: int) -> Labels:
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    areas[0] = 0
    kept = np.argsort(-areas, kind="stable")[: min(MOST, count)]
    kept = np.sort(kept[areas[kept] > 0])
    renamed = np.zeros(count + 1, np.int32)
    renamed[kept] = np.arange(1, len(kept) + 1, dtype=np.int32)
    return renamed[labels]


def _nearest(labels: Labels) -> Labels:
    """Give every unnamed pixel, ink above all, to the nearest region; count from 0."""
    unnamed = (labels == 0).astype(np.uint8)
    if not unnamed.any():
        return labels - 1
    _, found = cv2.distanceTransformWithLabels(
        unnamed, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    source = np.asarray(found, np.int32)
    name_of = np.zeros(int(source.max()) + 1, np.int32)
    known = unnamed == 0
    name_of[source[known]] = labels[known]
    return (name_of[source] - 1).astype(np.int32)
