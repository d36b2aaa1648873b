"""Take things out of a painting: their ink, and their paint for that of what lies behind."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.painting.region_masks import Mask, Places
from haikei.painting.strokes import Colours
from haikei.presets import RegionChange, Subject
from haikei.reading import AIR, GROUND, Kind, Plane, Reading

#: What may lie behind a thing, by the thing; a word that is missing here has `BACKDROP` behind it.
BACKDROP = (
    *AIR,
    *GROUND,
    Kind.HILL,
    Kind.FOREST,
    Kind.WATER,
    Kind.WALL,
    Kind.TREE,
    Kind.ROOM_WALL,
    Kind.OTHER,
    Kind.UNKNOWN,
)
BEHIND: Mapping[Subject, tuple[Kind, ...]] = {
    Subject.CLOUDS: (Kind.SKY,),
    Subject.WIRES: tuple(kind for kind in Kind if kind not in {Kind.WIRE, Kind.POST}),
    Subject.POLE: tuple(kind for kind in Kind if kind not in {Kind.WIRE, Kind.POST}),
    Subject.WINDOW: (Kind.WALL, Kind.ROOM_WALL, Kind.ROOF),
    Subject.DOOR: (Kind.WALL, Kind.ROOM_WALL),
    Subject.LAMP: tuple(kind for kind in Kind if kind != Kind.LAMP),
    Subject.HOUSE: (*AIR, *GROUND, Kind.HILL, Kind.FOREST, Kind.WATER, Kind.TREE),
    Subject.TREE: (*AIR, *GROUND, Kind.HILL, Kind.FOREST, Kind.WATER, Kind.WALL, Kind.ROOF),
}
#: Things that part what lies behind them only from above and below.
THIN = frozenset({Subject.WIRES})
#: How far the paint of a thing reaches over its outline, in fractions of the height.
SPILL = 1 / 170
#: How far the shadow at its foot reaches.
SHADOW = 0.03


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Removal:
    """One thing that is taken out."""

    paint: Plane  #: 0 to 1, where the paint is replaced
    ink: Plane  #: 0 to 1, where the ink is taken away
    behind: NDArray[np.int32]  #: the `Kind` that is seen instead, where `paint` is not 0
    source: Mask  #: pixels whose paint is what lies behind
    area: float  #: of the picture, 0 to 1


def removal(reading: Reading, places: Places, change: RegionChange) -> Removal | None:
    """Return what is to be replaced; None where there is no such thing."""
    meant = _at_size(places.taken(change).astype(np.uint8), reading.size) > 0
    if change.subject is Subject.WIRES:
        meant |= places.inked(change)
        if not any(one.is_point for one in change.within):
            meant |= _cut_off(reading, places)
    boxed = any(not one.is_point for one in change.within)
    # A thing that an arrow points at is taken out as far as its paint and shadow reach.
    limit = np.ones(reading.size, np.bool_)
    if boxed:
        # Where a line ends, its edge is drawn anew: that must lie inside of the box as well.
        limit = ~_grown(~places.within(change), max(3, reading.size[0] // 180))
    meant &= limit
    if not meant.any():
        return None
    height = reading.size[0]
    picked = places.regions(change)
    kinds = _at_size(reading.kinds[reading.labels].astype(np.uint8), reading.size)
    removed = _at_size(picked[reading.labels].astype(np.uint8), reading.size) > 0
    behind_kinds = [int(kind) for kind in BEHIND.get(change.subject, BACKDROP)]
    open_ = np.isin(kinds, behind_kinds) & ~removed & ~meant
    if not open_.any():
        open_ = ~removed & ~meant
    spill = max(2, round(height * SPILL))
    paint = _grown(meant, spill) & (meant | open_)
    if change.subject not in {Subject.CLOUDS, Subject.WIRES}:
        # What stood there threw its shadow on the ground at its foot.
        ground = np.isin(kinds, [int(kind) for kind in GROUND]) & open_
        paint |= _grown(meant, round(height * SHADOW)) & ground
    paint &= limit
    source = open_ & ~_grown(paint, max(1, spill // 2))
    if not source.any():
        source = open_
    ink = paint & ~_grown(~(open_ | meant), max(1, round(height / 420)))
    if change.subject is Subject.WIRES:
        ink = paint & _grown(places.wires() & meant, max(1, height // 700))
    return Removal(
        paint=_soft(paint, (open_ | meant) & limit, height),
        ink=_soft(ink & limit, limit, 1),
        behind=_behind(paint, source, kinds, thin=change.subject in THIN),
        source=source,
        area=float(meant.mean()),
    )


def fill(picture: Colours, removals: Removal, sky_too: Plane | None) -> None:
    """Paint what lies behind, in place; `sky_too` is where the sky itself is smoothed."""
    height = picture.shape[0]
    paint = removals.paint
    if sky_too is not None:
        paint = np.maximum(paint, sky_too)
    rows, columns = np.flatnonzero(paint.any(axis=1)), np.flatnonzero(paint.any(axis=0))
    if not len(rows):
        return
    reach = max(24, height // 8)
    box = (
        slice(max(0, rows[0] - reach), rows[-1] + reach),
        slice(max(0, columns[0] - reach), columns[-1] + reach),
    )
    part, amount = picture[box], removals.paint[box]
    behind, source = removals.behind[box], removals.source[box]
    filled = part.copy()
    for kind in np.unique(behind[amount > 0]):
        there = (behind == kind) & (amount > 0)
        known = source & (behind == kind)
        if not known.any():
            known = source
        grown = push_pull(part, known)
        np.copyto(filled, grown, where=there[..., None])
    part += (filled - part) * amount[..., None]
    if sky_too is not None:
        _clear_sky(part, sky_too[box], height)


def _clear_sky(part: Colours, sky: Plane, height: int) -> None:
    """Take soft veils out of a sky and leave stars and moon, in place."""
    weight = (sky > 0.5).astype(np.float32)
    reach = max(2.0, height / 9)
    total = cv2.GaussianBlur(weight, (0, 0), reach)
    smooth = cv2.GaussianBlur(part * weight[..., None], (0, 0), reach)
    smooth = np.asarray(smooth, np.float32) / np.maximum(total, 1e-4)[..., None]
    # A gradient that is only averaged loses its slope at the edge: it is put back from rows.
    rows = (part * weight[..., None]).sum(axis=1) / np.maximum(weight.sum(axis=1), 1)[:, None]
    lines = np.repeat(rows[:, None, :], part.shape[1], axis=1).astype(np.float32)
    eased = cv2.GaussianBlur(lines * weight[..., None], (0, 0), reach)
    eased = np.asarray(eased, np.float32) / np.maximum(total, 1e-4)[..., None]
    smooth += lines - eased
    bright = np.clip((part - smooth).max(axis=2) - np.float32(0.16), 0, 1) * 6
    keep = np.clip(bright, 0, 1)
    part += (smooth - part) * (sky * (1 - keep))[..., None]


def push_pull(picture: Colours, known: Mask) -> Colours:
    """Return a picture whose unknown pixels are filled from the known ones around them."""
    weight = known.astype(np.float32)
    levels: list[tuple[Colours, Plane]] = [(picture * weight[..., None], weight)]
    while min(levels[-1][1].shape) > 2 and float(levels[-1][1].min()) <= 0:
        colour, known_part = levels[-1]
        half = (max(1, colour.shape[1] // 2), max(1, colour.shape[0] // 2))
        levels.append(
            (
                np.asarray(cv2.resize(colour, half, interpolation=cv2.INTER_AREA), np.float32),
                np.asarray(cv2.resize(known_part, half, interpolation=cv2.INTER_AREA), np.float32),
            )
        )
    colour, known_part = levels[-1]
    mean = colour.sum(axis=(0, 1)) / max(float(known_part.sum()), 1e-6)
    up = np.broadcast_to(mean, colour.shape).astype(np.float32)
    for colour, known_part in reversed(levels):
        shape = known_part.shape[::-1]
        up = np.asarray(cv2.resize(up, shape, interpolation=cv2.INTER_LINEAR), np.float32)
        up = up.reshape(colour.shape)
        own = colour / np.maximum(known_part, 1e-6)[..., None]
        up += (own - up) * np.clip(known_part * 4, 0, 1)[..., None]
    return up


def _behind(
    paint: Mask, source: Mask, kinds: NDArray[np.uint8], *, thin: bool
) -> NDArray[np.int32]:
    """Return what kind is seen at each pixel that is painted anew."""
    behind = kinds.astype(np.int32)
    # A horizon, a shore, a street go on behind a thing level; air goes on below a wire.
    squeeze = 1 if thin else 4
    width = paint.shape[1]
    narrow = max(8, width // squeeze)
    columns = np.minimum(np.arange(narrow) * width // narrow, width - 1)
    free = source[:, columns]
    if not free.any():
        return behind
    _, found = cv2.distanceTransformWithLabels(
        (~free).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = np.asarray(found, np.int64)
    kind_of = np.zeros(int(nearest.max()) + 1, np.int32)
    kind_of[nearest[free]] = kinds[:, columns][free]
    seen = kind_of[nearest]
    back = np.minimum(np.arange(width) * narrow // width, narrow - 1)
    np.copyto(behind, seen[:, back], where=paint)
    return behind


def _cut_off(reading: Reading, places: Places) -> Mask:
    """Return strips of sky between wires that were taken for something else."""
    height, width = reading.shape
    wires = _at_size(places.wires().astype(np.uint8), (height, width)) > 0
    near = _grown(wires, max(2, height // 250))
    labels = reading.labels
    edge = np.zeros(labels.shape, np.bool_)
    edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    edge[1:] |= labels[1:] != labels[:-1]
    edge[:, :-1] |= edge[:, 1:]
    edge[:-1] |= edge[1:]
    count = len(reading.kinds)
    outline = np.bincount(labels[edge], minlength=count)
    along = np.bincount(labels[edge & near], minlength=count)
    area = np.bincount(labels.ravel(), minlength=count) / labels.size
    strips = (along > 0.45 * np.maximum(outline, 1)) & (area < 0.08)
    strips &= ~np.isin(reading.kinds, (Kind.SKY, Kind.POST, Kind.WIRE))
    strips &= reading.shapes.y < reading.horizon
    return _at_size(strips[labels].astype(np.uint8), reading.size) > 0


def _grown(mask: Mask, reach: int) -> Mask:
    size = 2 * reach + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel) > 0)


def _soft(mask: Mask, within: Mask, height: int) -> Plane:
    edge = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(0.7, height / 600))
    return np.asarray(np.clip(edge * 1.35, 0, 1) * within, np.float32)


def _at_size(plane: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    if plane.shape == size:
        return plane
    return np.asarray(cv2.resize(plane, size[::-1], interpolation=cv2.INTER_NEAREST), np.uint8)
