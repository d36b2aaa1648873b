"""Measure regions: where they lie, how straight, how scalloped, who their neighbours are."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Numbers = NDArray[np.float64]
Plane = NDArray[np.float32]  #: (height, width)
Labels = NDArray[np.int32]  #: (height, width), 0 … n-1, every pixel in one region
#: Called between steps; raises to stop.
Cancelling = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shapes:
    """
    One row a region; lengths in fractions of the picture's height, areas of the whole picture.

    `beside[i, j]` is the part of region i's outline that it shares with region j, and
    `above[i, j]` the part where i lies directly on top of j.
    """

    area: Numbers
    left: Numbers
    right: Numbers
    top: Numbers
    bottom: Numbers
    x: Numbers  #: centre of mass
    y: Numbers
    solidity: Numbers  #: area over that of the convex hull
    straight: Numbers  #: part of the outline in long straight edges
    upright: Numbers  #: part of the outline in upright edges, away from the picture's border
    level: Numbers  #: part of the outline in level edges, away from the picture's border
    corners: Numbers
    scallops: Numbers  #: re-entrant cusps between bulges, as in crowns and cumulus
    slimness: Numbers  #: long side over short side of the tightest rectangle
    slant: Numbers  #: degrees of its long side from upright, 0 to 90
    breadth: Numbers  #: short side of the tightest rectangle
    touches: NDArray[np.bool_]  #: (n, 4): left, top, right, bottom border
    beside: Numbers
    above: Numbers
    faint: Numbers  #: (n, n): like `beside`, only where the line between them is a thin one
    vanishing: tuple[float, float] | None  #: where many slanted edges meet
    flat: float | None  #: the uppermost long level line in the middle of the picture
    aspect: float  #: the picture's width over its height

    def __len__(self) -> int:
        return len(self.area)

    @property
    def width(self) -> Numbers:
        """From the leftmost to the rightmost pixel."""
        return self.right - self.left

    @property
    def height(self) -> Numbers:
        """From the uppermost to the lowest pixel."""
        return self.bottom - self.top


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outline:
    solidity: float = 1.0
    straight: float = 0.0
    upright: float = 0.0
    level: float = 0.0
    corners: float = 0.0
    scallops: float = 0.0
    slimness: float = 1.0
    slant: float = 0.0
    breadth: float = 0.0
    runs: tuple[tuple[float, float, float, float], ...] = ()  #: long slanted edges


def measure(labels: Labels, ink: NDArray[np.float32]) -> Shapes:
    """Return the shapes of all regions of a segmentation, and how strong the lines between are."""
    height, width = labels.shape
    count = int(labels.max()) + 1
    areas = np.bincount(labels.ravel(), minlength=count).astype(np.float64)
    down, across = np.indices(labels.shape, np.float64)
    x = np.bincount(labels.ravel(), across.ravel(), count) / areas
    y = np.bincount(labels.ravel(), down.ravel(), count) / areas
    found = ndimage.find_objects(labels + 1)
    boxes = np.array(
        [(spot[1].start, spot[1].stop, spot[0].start, spot[0].stop) for spot in found], np.float64
    )
    outlines = [
        _outline(labels[spot], index, (spot[0].start, spot[1].start), labels.shape)
        for index, spot in enumerate(found)
    ]
    beside, above, faint = _neighbours(labels, ink, count)
    runs = [run for outline in outlines for run in outline.runs]
    return Shapes(
        area=areas / labels.size,
        left=boxes[:, 0] / height,
        right=boxes[:, 1] / height,
        top=boxes[:, 2] / height,
        bottom=boxes[:, 3] / height,
        x=x / height,
        y=y / height,
        solidity=np.array([outline.solidity for outline in outlines]),
        straight=np.array([outline.straight for outline in outlines]),
        upright=np.array([outline.upright for outline in outlines]),
        level=np.array([outline.level for outline in outlines]),
        corners=np.array([outline.corners for outline in outlines]),
        scallops=np.array([outline.scallops for outline in outlines]),
        slimness=np.array([outline.slimness for outline in outlines]),
        slant=np.array([outline.slant for outline in outlines]),
        breadth=np.array([outline.breadth for outline in outlines]) / height,
        touches=np.stack(
            [
                boxes[:, 0] <= 1,
                boxes[:, 2] <= 1,
                boxes[:, 1] >= width - 1,
                boxes[:, 3] >= height - 1,
            ],
            axis=1,
        ),
        beside=beside,
        above=above,
        faint=faint,
        flat=_flat(labels),
        vanishing=_vanishing(np.array(runs).reshape(-1, 4) / height, width / height),
        aspect=width / height,
    )


def _outline(
    view: NDArray[np.int32], index: int, corner: tuple[int, int], size: tuple[int, ...]
) -> _Outline:
    mask = np.pad((view == index).astype(np.uint8), 1)
    found, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    longest = np.asarray(max(found, key=len), np.int32)
    if len(longest) < 4:
        return _Outline()
    area = max(cv2.contourArea(longest), 1.0)
    hull = max(cv2.contourArea(cv2.convexHull(longest)), 1.0)
    _, sides, _ = cv2.minAreaRect(longest)
    long, short = max(sides), max(min(sides), 1.0)
    slant = _slant(longest)
    coarse = float(np.clip(size[0] / 385, 0.75, 1.4))
    tolerance = float(np.clip(0.018 * len(longest), min(0.8, coarse), coarse))
    polygon = cv2.approxPolyDP(longest, tolerance, closed=True)[:, 0, :].astype(np.float64)
    if len(polygon) < 3:
        return _Outline(slimness=long / short, slant=slant, breadth=short)
    edges = np.roll(polygon, -1, axis=0) - polygon
    lengths = np.maximum(np.linalg.norm(edges, axis=1), 1e-9)
    perimeter = float(lengths.sum())
    middle = polygon + edges / 2 + (corner[1] - 1, corner[0] - 1)
    inner = (middle > 2).all(axis=1) & (middle[:, 0] < size[1] - 3) & (middle[:, 1] < size[0] - 3)
    tilt = np.abs(np.degrees(np.arctan2(edges[:, 1], edges[:, 0])))
    long_edges = lengths > max(min(0.11 * perimeter, 0.075 * size[0]), 5.0)
    # Short edges are known to a pixel only, so that their direction is less sure.
    sure = np.clip(90.0 / lengths, 8.0, 16.0)
    upright = (np.abs(tilt - 90) < sure) & inner & (lengths > 2.5)
    level = (np.minimum(tilt, 180 - tilt) < sure) & inner & (lengths > 2.5)
    slanted = inner & (lengths > 0.06 * size[0]) & (np.abs(tilt - 90) > 12)
    slanted &= np.minimum(tilt, 180 - tilt) > 5
    slanted &= float(lengths[long_edges].sum()) > 0.7 * perimeter
    start = polygon[slanted] + (corner[1] - 1, corner[0] - 1)
    runs = np.concatenate([start, start + edges[slanted]], axis=1)
    return _Outline(
        solidity=area / hull,
        straight=float(lengths[long_edges].sum()) / perimeter,
        upright=float(lengths[upright].sum()) / perimeter,
        level=float(lengths[level].sum()) / perimeter,
        corners=float(len(polygon)),
        scallops=_scallops(edges, lengths, perimeter),
        slimness=long / short,
        slant=slant,
        breadth=short,
        runs=tuple((run[0], run[1], run[2], run[3]) for run in runs.tolist()),
    )


def _scallops(edges: Numbers, lengths: Numbers, perimeter: float) -> float:
    before = np.roll(edges, 1, axis=0)
    turn = np.degrees(
        np.arctan2(
            before[:, 0] * edges[:, 1] - before[:, 1] * edges[:, 0], (before * edges).sum(axis=1)
        )
    )
    # The sum of all turns is one full circle, whose sign tells the way round.
    inwards = turn * (1 if turn.sum() < 0 else -1)
    # A cusp turns in sharply between two bulges; a dent made by a neighbour's bulge does not.
    bulging = (np.roll(inwards, 1) < 12) & (np.roll(inwards, -1) < 12)
    inward = (inwards > 38) & bulging
    short = (lengths < 0.16 * perimeter) & (np.roll(lengths, 1) < 0.16 * perimeter)
    return float((inward & short).sum())


def _slant(outline: NDArray[np.int32]) -> float:
    """Return the angle between upright and the direction in which an outline is longest."""
    moments = cv2.moments(outline)
    spread = (moments["mu20"], moments["mu02"])
    angle = 0.5 * np.degrees(np.arctan2(2 * moments["mu11"], spread[0] - spread[1]))
    return abs(90.0 - abs(float(angle)))


def _flat(labels: Labels) -> float | None:
    height = labels.shape[0]
    aloft = np.zeros(int(labels.max()) + 1, np.bool_)
    aloft[labels[0]] = True
    step = (labels[:-1] != labels[1:]) & ~aloft[labels[1:]]
    step[:-1] |= step[1:]
    rows = step.mean(axis=1)
    zone = slice(int(0.4 * height), int(0.72 * height))
    long = np.flatnonzero(rows[zone] > 0.2)
    return float(long[0] + zone.start + 1) / height if len(long) else None


def _vanishing(runs: Numbers, aspect: float) -> tuple[float, float] | None:
    """Return the point in the picture's middle that most of the long slanted edges aim at."""
    lengths = np.hypot(runs[:, 2] - runs[:, 0], runs[:, 3] - runs[:, 1])
    runs = runs[np.argsort(-lengths, kind="stable")[:90]]
    if len(runs) < 6:
        return None
    a = runs[:, 3] - runs[:, 1]
    b = runs[:, 0] - runs[:, 2]
    lengths = np.hypot(a, b)
    a, b = a / lengths, b / lengths
    c = a * runs[:, 0] + b * runs[:, 1]
    first, second = np.triu_indices(min(len(runs), 40), 1)
    cross = a[first] * b[second] - a[second] * b[first]
    use = np.abs(cross) > 0.12
    first, second, cross = first[use], second[use], cross[use]
    x = (c[first] * b[second] - c[second] * b[first]) / cross
    y = (a[first] * c[second] - a[second] * c[first]) / cross
    inside = (x > 0.05 * aspect) & (x < 0.95 * aspect) & (y > 0.25) & (y < 0.8)
    x, y = x[inside], y[inside]
    if not len(x):
        return None
    off = np.abs(a[:, None] * x + b[:, None] * y - c[:, None])
    votes = ((off < 0.02) * lengths[:, None]).sum(axis=0)
    best = int(votes.argmax())
    aiming = off[:, best] < 0.02
    if votes[best] < 1.1 or aiming.sum() < 6 or votes[best] < 0.3 * lengths.sum():
        return None
    near = np.hypot(x - x[best], y - y[best]) < 0.03
    return float(np.median(x[near])), float(np.median(y[near]))


def _neighbours(
    labels: Labels, ink: NDArray[np.float32], count: int
) -> tuple[Numbers, Numbers, Numbers]:
    sums = np.zeros((3, count, count))
    beside, above, strength = sums
    for one, other, dark, stacked in (
        (labels[:, :-1], labels[:, 1:], np.maximum(ink[:, :-1], ink[:, 1:]), False),
        (labels[:-1], labels[1:], np.maximum(ink[:-1], ink[1:]), True),
    ):
        differ = one != other
        pairs = one[differ].astype(np.int64) * count + other[differ]
        keys, place, times = np.unique(pairs, return_inverse=True, return_counts=True)
        weights = np.bincount(place, dark[differ], len(keys))
        first, second = keys // count, keys % count
        for rows, columns in ((first, second), (second, first)):
            np.add.at(beside, (rows, columns), times)
            np.add.at(strength, (rows, columns), weights)
        if stacked:
            np.add.at(above, (first, second), times)
    mean = strength / np.maximum(beside, 1.0)
    usual = float(np.median(mean[beside > 12])) if (beside > 12).any() else 1.0
    whole = np.maximum(beside.sum(axis=1, keepdims=True), 1.0)
    faint = np.where((mean < 0.58 * usual) & (beside > 3), beside, 0.0)
    return beside / whole, above / whole, faint / whole
