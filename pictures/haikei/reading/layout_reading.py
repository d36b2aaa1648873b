"""
What a painter needs to know about one layout: its regions by trapped-ball
segmentation, read once for all stages.
"""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from haikei.reading.classes import classify, depths, facings, place_word
from haikei.reading.kinds import Kind
from haikei.reading.shapes import Cancelling, Labels, Numbers, Plane, Shapes, measure
from haikei.sheets import Area, SheetReading, TraceRoles, read_sheet

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


SEGMENTED = 540  #: lines of the picture on which regions are looked for
DEFAULT_ROLES = TraceRoles()
DOUBTFUL = 0.4  #: a kind that is less sure than this is not read
PAINTED = 2_400_000  #: pixels that are painted at most; larger pictures get ink and paper only


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """A layout taken apart. Planes are (height, width) of the size that is painted."""

    size: tuple[int, int]  #: (height, width) of the layout
    line: Plane  #: ink at the layout's own size
    labels: Labels  #: region of each pixel, at the painted size
    kinds: NDArray[np.int32]  #: `Kind` of each region
    sure: Numbers  #: how sure each kind is, 0 to 1
    depth: Numbers  #: how far away each region is, 0 nearest to 1 farthest
    facing: NDArray[np.int32]  #: `Facing` of each region
    groups: NDArray[np.int32]  #: what belongs together, such as the panes of one window
    shapes: Shapes
    horizon: float  #: from the top, in fractions of the height
    frame: Area | None
    sheet: SheetReading  #: what else stands on the sheet: trace lines, exact frames, doubts
    place: str
    reader: str  #: what named the regions: `geometric`, or the network's name and version

    @property
    def unread(self) -> float:
        """The part of the picture, 0 to 1, whose kind is not known or not at all sure."""
        area = self.shapes.area
        doubtful = np.isin(self.kinds, (Kind.UNKNOWN, Kind.OTHER)) | (self.sure < DOUBTFUL)
        return float(area[doubtful].sum() / max(float(area.sum()), 1e-9))

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of what is painted."""
        height, width = self.labels.shape
        return height, width

    def mask(self, *kinds: Kind) -> NDArray[np.bool_]:
        """Return where regions of these kinds lie."""
        picked: NDArray[np.bool_] = np.isin(self.kinds, kinds)[self.labels]
        return picked

    def spread(self, values: Numbers) -> Plane:
        """Return one value a region as a plane."""
        plane: Plane = values.astype(np.float32)[self.labels]
        return plane

    def within(self) -> tuple[Plane, Plane]:
        """Return how far right and how far down in its region each pixel lies, 0 to 1."""
        height, width = self.shape
        shapes = self.shapes
        down = np.arange(height, dtype=np.float32)[:, None] / np.float32(height)
        across = np.arange(width, dtype=np.float32)[None, :] / np.float32(height)
        u = (across - self.spread(shapes.left)) * self.spread(1 / np.maximum(shapes.width, 1e-3))
        v = (down - self.spread(shapes.top)) * self.spread(1 / np.maximum(shapes.height, 1e-3))
        return u, v


def read_layout(
    pixels: NDArray[np.float32],
    place: str,
    pause: Cancelling,
    *,
    roles: TraceRoles = DEFAULT_ROLES,
) -> Reading:
    """
    Take a layout, (height, width, 3), sRGB, 0 to 1, apart.

    Args:
        pixels: the layout.
        place: a free hint at what kind of place it is.
        pause: called between steps; it may stop the reading.
        roles: what trace lines of each colour mean.
    """
    word = place_word(place)
    key = hashlib.blake2b((pixels * np.float32(255)).astype(np.uint8).tobytes(), digest_size=16)
    key.update(f"{pixels.shape}:{word}:{roles}".encode())
    found = _SHELF.take(key.digest())
    if found is None:
        found = _read(pixels, word, pause, roles)
        _SHELF.put(key.digest(), found)
    return found


def _read(pixels: NDArray[np.float32], word: str, pause: Cancelling, roles: TraceRoles) -> Reading:
    height, width = pixels.shape[:2]
    sheet = read_sheet(pixels, roles=roles)
    pause()
    scale = min(1.0, SEGMENTED / height, 1.2 * SEGMENTED * 16 / 9 / width)
    small = _resized(sheet.ink, (max(16, round(height * scale)), max(16, round(width * scale))))
    regions = segment(small)
    pause()
    shapes = measure(regions, small)
    kinds, horizon = classify(shapes, word)
    pause()
    part = min(1.0, (PAINTED / (height * width)) ** 0.5)
    painted = (max(16, round(height * part)), max(16, round(width * part)))
    return Reading(
        size=(height, width),
        line=sheet.ink,
        labels=_enlarged(regions, painted),
        kinds=kinds,
        # Rules know no probability: what a rule named counts as read, what none named does not.
        sure=np.where(kinds == Kind.OTHER, 0.2, 0.8),
        depth=depths(shapes, kinds),
        facing=facings(kinds),
        groups=_groups(kinds, shapes),
        shapes=shapes,
        horizon=horizon,
        frame=sheet.area,
        sheet=sheet,
        place=word,
        reader="geometric",
    )


def _resized(plane: Plane, shape: tuple[int, int]) -> Plane:
    if plane.shape == shape:
        return plane
    return np.asarray(cv2.resize(plane, shape[::-1], interpolation=cv2.INTER_AREA), np.float32)


def _enlarged(labels: Labels, shape: tuple[int, int]) -> Labels:
    """Enlarge labels by their nearest neighbour, by whole numbers so that no rounding differs."""
    rows = np.arange(shape[0]) * labels.shape[0] // shape[0]
    columns = np.arange(shape[1]) * labels.shape[1] // shape[1]
    return np.ascontiguousarray(labels[rows][:, columns])


def _groups(kinds: NDArray[np.int32], shapes: Shapes) -> NDArray[np.int32]:
    """Join the panes of a window, and the faces of a house with the roof over them."""
    touching = shapes.beside > 0
    panes = kinds == Kind.WINDOW
    joined = touching & panes[:, None] & panes[None, :]
    built = np.isin(kinds, (Kind.WALL, Kind.ROOF))
    long = shapes.beside > 0.14
    joined |= long & built[:, None] & (kinds == Kind.ROOF)[None, :]
    _, groups = connected_components(csr_array(joined), directed=False)
    return np.asarray(groups, np.int32)


class _Shelf:
    """The last few readings: stage two follows stage one on the same layout."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._held: OrderedDict[bytes, Reading] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: bytes) -> Reading | None:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def put(self, key: bytes, reading: Reading) -> None:
        with self._lock:
            self._held[key] = reading
            while len(self._held) > self._room:
                self._held.popitem(last=False)


_SHELF = _Shelf(2)
