"""
What a painter needs to know about one layout: its regions by trapped-ball
segmentation, read once for all stages.
"""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from haikei.reading.classes import classify, depths, facings, find_horizon, place_word
from haikei.reading.features import features, hinted, marks_of
from haikei.reading.kinds import Facing, Kind
from haikei.reading.network import NAME, VERSION, Named, shipped_network
from haikei.reading.shapes import Cancelling, Labels, Numbers, Plane, Shapes, measure
from haikei.sheets import Area, SheetReading, TraceRoles, read_sheet

INKED = 0.25  #: how dark a pixel must be to stop a ball
CLEAR = 0.12  #: how dark a pixel may be to be paper
PALEST, PALE = 0.06, 0.45  #: what is no line at all, and how dark usual lines are made at least
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
    def doubtful(self) -> NDArray[np.bool_]:
        """Which regions are not read: of no known kind, or of one that is not at all sure."""
        unknown = np.isin(self.kinds, (Kind.UNKNOWN, Kind.OTHER))
        return np.asarray(unknown | (self.sure < DOUBTFUL), np.bool_)

    @property
    def unread(self) -> float:
        """The part of the picture, 0 to 1, whose kind is not known or not at all sure."""
        area = self.shapes.area
        return float(area[self.doubtful].sum() / max(float(area.sum()), 1e-9))

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


class Reader(StrEnum):
    """What names the regions of a layout."""

    NETWORK = "network"  #: trained on drawings that our own code makes
    GEOMETRIC = "geometric"  #: rules, without a trained model


def read_layout(
    pixels: NDArray[np.float32],
    place: str,
    pause: Cancelling,
    *,
    roles: TraceRoles = DEFAULT_ROLES,
    reader: Reader = Reader.NETWORK,
) -> Reading:
    """
    Return the reading of a layout, (height, width, 3); the last ones are kept.

    Args:
        pixels: sRGB, 0 to 1.
        place: what kind of place it is, in any words; may be empty.
        pause: called between steps; it raises to stop.
        roles: what trace lines of each colour mean.
        reader: what names the regions.

    Raises:
        ModelUnusable: the network's weights are missing or damaged.
    """
    hint = _Hint(word=place_word(place), place=hinted(place))
    key = hashlib.blake2b((pixels * np.float32(255)).astype(np.uint8).tobytes(), digest_size=16)
    key.update(f"{pixels.shape}:{hint}:{reader}:{roles}".encode())
    found = _SHELF.take(key.digest())
    if found is None:
        letters = None if reader is Reader.GEOMETRIC else shipped_network().letters
        found = _read(read_sheet(pixels, roles=roles, letters=letters), hint, reader, pause)
        _SHELF.put(key.digest(), found)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hint:
    """What kind of place it is, in the words of the rules and of the network."""

    word: str
    place: int


def _read(sheet: SheetReading, hint: _Hint, reader: Reader, pause: Cancelling) -> Reading:
    height, width = sheet.ink.shape
    pause()
    scale = min(1.0, SEGMENTED / height, 1.2 * SEGMENTED * 16 / 9 / width)
    small = _resized(sheet.ink, (max(16, round(height * scale)), max(16, round(width * scale))))
    inside = _inside(sheet.area, scale, small.shape)
    small = _deepened(small, inside)
    regions = _extended(segment(small[inside]), inside, small.shape)
    pause()
    shapes = measure(regions, small)
    named = (
        _by_rules(shapes, hint)
        if reader is Reader.GEOMETRIC
        else _by_network(_Drawn(labels=regions, ink=small, shapes=shapes), inside, hint)
    )
    pause()
    part = min(1.0, (PAINTED / (height * width)) ** 0.5)
    painted = (max(16, round(height * part)), max(16, round(width * part)))
    return Reading(
        size=(height, width),
        line=sheet.ink,
        labels=_snapped(at_size(regions, painted), _resized(sheet.ink, painted)),
        kinds=named.kinds,
        sure=named.sure,
        depth=named.depth,
        facing=named.facing,
        groups=_groups(named.kinds, shapes),
        shapes=shapes,
        horizon=find_horizon(shapes, hint.word),
        frame=sheet.area,
        sheet=sheet,
        place=hint.word,
        reader=Reader.GEOMETRIC.value if reader is Reader.GEOMETRIC else f"{NAME} {VERSION}",
    )


def _by_rules(shapes: Shapes, hint: _Hint) -> Named:
    kinds, _ = classify(shapes, hint.word)
    return Named(
        kinds=kinds,
        # Rules know no probability: what a rule named counts as read, what none named does not.
        sure=np.where(kinds == Kind.OTHER, 0.2, 0.8),
        depth=depths(shapes, kinds),
        facing=facings(kinds),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Drawn:
    """Regions and ink at the size at which they are looked for."""

    labels: Labels
    ink: Plane
    shapes: Shapes


def _inside(frame: Area | None, scale: float, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return where on the smaller sheet the camera's frame lies; all of it without a frame."""
    if frame is None:
        return slice(0, shape[0]), slice(0, shape[1])
    rows = slice(round(frame.top * scale), round(frame.bottom * scale))
    return rows, slice(round(frame.left * scale), round(frame.right * scale))


def _extended(labels: Labels, inside: tuple[slice, slice], shape: tuple[int, ...]) -> Labels:
    """
    Let the regions of a frame run on into its margin.

    A margin is empty: looked at together with the drawing, it would join sky and ground.
    """
    rows, columns = inside
    if labels.shape == shape:
        return labels
    sides = (rows.start, shape[0] - rows.stop, columns.start, shape[1] - columns.stop)
    return np.asarray(cv2.copyMakeBorder(labels, *sides, cv2.BORDER_REPLICATE), np.int32)


def _by_network(drawn: _Drawn, inside: tuple[slice, slice], hint: _Hint) -> Named:
    """Name regions by the network; it sees what stands in the camera's frame, and no margin."""
    network = shipped_network()
    if drawn.labels[inside].shape == drawn.labels.shape:
        marks = marks_of(drawn.labels, drawn.ink, len(drawn.shapes))
        shown = features(drawn.labels, drawn.ink, drawn.shapes)
        return network.name(shown, hint.place, marks)
    numbers, labels = np.unique(drawn.labels[inside], return_inverse=True)
    shape = drawn.labels[inside].shape
    cropped: Labels = np.asarray(labels.reshape(shape), np.int32)
    ink = np.ascontiguousarray(drawn.ink[inside])
    marks = marks_of(cropped, ink, len(numbers))
    seen = network.name(features(cropped, ink, measure(cropped, ink)), hint.place, marks)
    count = len(drawn.shapes)
    kinds = np.full(count, Kind.UNKNOWN, np.int32)
    facing = np.full(count, Facing.NONE, np.int32)
    sure, depth = np.zeros(count), np.ones(count)
    kinds[numbers], facing[numbers] = seen.kinds, seen.facing
    sure[numbers], depth[numbers] = seen.sure, seen.depth
    return Named(kinds=kinds, sure=sure, depth=depth, facing=facing)


def _resized(plane: Plane, shape: tuple[int, int]) -> Plane:
    if plane.shape == shape:
        return plane
    return np.asarray(cv2.resize(plane, shape[::-1], interpolation=cv2.INTER_AREA), np.float32)


def _deepened(ink: Plane, inside: tuple[slice, slice]) -> Plane:
    """
    Return ink in which a pale pencil's lines are dark enough to part regions.

    The sheet's own frame, which is printed black, says nothing of how pale they are.
    """
    drawn = ink[inside]
    drawn = drawn[drawn > PALEST]
    if drawn.size < 50:
        return ink
    usual = float(np.percentile(drawn, 80))
    if usual >= PALE:
        return ink
    return np.asarray(np.minimum(ink * np.float32(min(PALE / usual, 3.0)), 1), np.float32)


def at_size(labels: Labels, shape: tuple[int, int]) -> Labels:
    """Return labels at another size, the nearest ones, in whole numbers: no rounding differs."""
    rows = np.arange(shape[0]) * labels.shape[0] // shape[0]
    columns = np.arange(shape[1]) * labels.shape[1] // shape[1]
    return np.ascontiguousarray(labels[rows][:, columns])


def _snapped(labels: Labels, ink: Plane) -> Labels:
    """
    Move the borders of enlarged labels, which have stairs, onto the lines as they are drawn.

    What lies well inside a region keeps its name; from there names spread over clear paper, and
    meet in the middle of the ink.
    """
    stairs = np.zeros(labels.shape, np.uint8)
    stairs[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    stairs[1:] |= labels[1:] != labels[:-1]
    near = cv2.dilate(stairs, np.ones((5, 5), np.uint8)) > 0
    # Posts and wires are all border: what of them carries no ink, or all of them, stays.
    count = int(labels.max()) + 1
    clear = ink < CLEAR
    held = np.bincount(labels[~near], minlength=count) > 0
    light = np.bincount(labels[clear], minlength=count) > 0
    named = ~near | (~held[labels] & (clear | ~light[labels]))
    found = np.where(named, labels + 1, 0)
    for _ in range(4):
        for ahead, behind in (
            (np.s_[1:], np.s_[:-1]),
            (np.s_[:-1], np.s_[1:]),
            (np.s_[:, 1:], np.s_[:, :-1]),
            (np.s_[:, :-1], np.s_[:, 1:]),
        ):
            there = found[ahead]
            reached = (there == 0) & clear[ahead]
            there[reached] = found[behind][reached]
    return _nearest(found)


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
