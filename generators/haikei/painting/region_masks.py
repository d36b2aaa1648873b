"""Where the things lie that a change of regions names, as soft masks over a reading."""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.presets import Act, Part, RegionChange, Spot, Subject
from haikei.reading import AIR, GROUND, Kind, Plane, Reading, find_wires

Mask = NDArray[np.bool_]
Picked = NDArray[np.bool_]  #: one flag a region

KINDS: Mapping[Subject, tuple[Kind, ...]] = {
    Subject.PICTURE: tuple(Kind),
    Subject.SKY: (Kind.SKY,),
    Subject.CLOUDS: (Kind.CLOUD,),
    Subject.HILL: (Kind.HILL,),
    Subject.FOREST: (Kind.FOREST,),
    Subject.TREE: (Kind.TREE,),
    Subject.TRUNK: (Kind.TRUNK,),
    Subject.GRASS: (Kind.GRASS,),
    Subject.GROUND: GROUND,
    Subject.PATH: (Kind.PAVING, Kind.EARTH),
    Subject.WATER: (Kind.WATER,),
    Subject.HOUSE: (Kind.WALL, Kind.ROOF, Kind.WINDOW, Kind.DOOR),
    Subject.WALL: (Kind.WALL, Kind.ROOM_WALL),
    Subject.ROOF: (Kind.ROOF,),
    Subject.WINDOW: (Kind.WINDOW,),
    Subject.DOOR: (Kind.DOOR,),
    Subject.POLE: (Kind.POST,),
    Subject.WIRES: (Kind.WIRE,),
    Subject.BOAT: (Kind.HULL,),
    Subject.VEHICLE: (Kind.VEHICLE,),
    Subject.FENCE: (Kind.WOOD,),
    Subject.ROCK: (Kind.ROCK,),
    Subject.SAND: (Kind.SAND,),
    Subject.SNOW: (Kind.SNOW,),
    Subject.RAIL: (Kind.RAIL,),
    Subject.LAMP: (Kind.LAMP,),
    Subject.FIGURE: (Kind.FIGURE,),
    Subject.FLOOR: (Kind.FLOOR,),
    Subject.CEILING: (Kind.CEILING,),
    Subject.FURNITURE: (Kind.FURNITURE,),
}
#: What a word may also mean where the picture holds nothing of what it means first.
ELSE: Mapping[Subject, tuple[Kind, ...]] = {
    Subject.TREE: (Kind.FOREST,),
    Subject.FOREST: (Kind.TREE,),
    Subject.TRUNK: (Kind.POST,),
    Subject.GRASS: (Kind.HILL,),
    Subject.HILL: (Kind.FOREST,),
}
#: Depths between which "near" fades out and "far" begins.
NEAR, FAR = (0.30, 0.52), (0.34, 0.58)
#: Things whose depths differ by less than this lie equally far away.
LEVEL = 0.06
#: How far from a thing an arrow may end, in fractions of the height.
POINTED = 0.05


class Places:
    """Finds things on one reading."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        labels = reading.labels
        height, width = reading.shape
        count = len(reading.kinds)
        rows, columns = np.indices(labels.shape, np.float32)
        flat = labels.ravel()
        self._area = np.maximum(np.bincount(flat, minlength=count), 1).astype(np.float64)
        self._x = np.bincount(flat, columns.ravel(), count) / self._area / width
        self._y = np.bincount(flat, rows.ravel(), count) / self._area / height
        left = np.full(count, width, np.int64)
        right = np.zeros(count, np.int64)
        across = np.broadcast_to(np.arange(width), labels.shape).ravel()
        np.minimum.at(left, flat, across)
        np.maximum.at(right, flat, across)
        self._left, self._right = left / width, right / width
        self._wires: Mask | None = None

    def wires(self) -> Mask:
        """Return where wires are inked, at the layout's own size."""
        if self._wires is None:
            self._wires = find_wires(self.reading)
        return self._wires

    def inked(self, change: RegionChange) -> Mask:
        """Return the wires that a change means, at the layout's own size."""
        across = (np.arange(self.reading.size[1]) / self.reading.size[1])[None, :]
        inked = self.wires()
        for part in change.parts:
            if part in {Part.LEFT, Part.RIGHT}:
                inked = inked & ((across < 0.5) == (part is Part.LEFT))
        if not change.within:
            return inked
        pointed = self._wires_at([one for one in change.within if one.is_point], inked)
        return inked & (self.within(change) | pointed)

    def _wires_at(self, points: list[Spot], inked: Mask) -> Mask:
        """Return the wires that points lie on, each as far as it hangs together."""
        if not points:
            return np.zeros_like(inked)
        height, width = inked.shape
        _, pieces = cv2.connectedComponents(inked.astype(np.uint8), connectivity=8)
        named = np.asarray(pieces)
        reach = max(2, round(height * POINTED))
        meant: set[int] = set()
        for spot in points:
            x, y = round(spot.left / 1000 * (width - 1)), round(spot.top / 1000 * (height - 1))
            near = named[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
            meant |= set(np.unique(near).tolist())
        return np.isin(named, sorted(meant - {0}))

    def within(self, change: RegionChange) -> Mask:
        """Return where a change may act at all, at the layout's own size: all, if none is drawn."""
        if not change.within:
            return np.ones(self.reading.size, np.bool_)
        return full_size(self._spotted(change), self.reading.size) > 0

    def _spotted(self, change: RegionChange) -> Plane:
        """Return what was drawn as the place of a change, 0 outside of it, at the painted size."""
        height, width = self.reading.shape
        found = np.zeros((height, width), np.float32)
        feather = max(1.5, height / 240)
        for spot in change.within:
            if spot.is_point:
                found = np.maximum(found, self._pointed(self.regions(change), spot))
                continue
            across = (np.arange(width, dtype=np.float32) + 0.5) / width * 1000
            down = (np.arange(height, dtype=np.float32) + 0.5) / height * 1000
            x = np.minimum(across - spot.left, spot.right - across) * (width / 1000)
            y = np.minimum(down - spot.top, spot.bottom - down) * (height / 1000)
            box = np.clip(np.minimum(x[None, :], y[:, None]) / feather, 0, 1)
            found = np.maximum(found, box.astype(np.float32))
        return found

    def _pointed(self, picked: Picked, spot: Spot) -> Plane:
        """Return the region of those picked that lies nearest to a point, if it is near."""
        labels = self.reading.labels
        height, width = labels.shape
        x, y = round(spot.left / 1000 * (width - 1)), round(spot.top / 1000 * (height - 1))
        reach = max(2, round(height * POINTED))
        rows = slice(max(0, y - reach), y + reach + 1)
        columns = slice(max(0, x - reach), x + reach + 1)
        there = labels[rows, columns]
        down, across = np.indices(there.shape)
        away = np.hypot(down + rows.start - y, across + columns.start - x)
        away[~picked[there] | (away > reach)] = np.inf
        if not np.isfinite(away).any():
            return np.zeros(labels.shape, np.float32)
        nearest = there.ravel()[int(np.argmin(away))]
        return soft(labels == nearest, height)

    def regions(self, change: RegionChange) -> Picked:
        """Return which regions are meant, before any is cut by its place."""
        picked = self._named(change.subject, change.act)
        for part in change.parts:
            picked = self._at(picked, change.subject, part)
        return picked

    def mask(self, change: RegionChange) -> Plane:
        """Return how far each pixel is meant, 0 to 1, at the size of the layout."""
        reading = self.reading
        picked = self.regions(change)
        weights = soft(picked[reading.labels], reading.shape[0])
        for part in change.parts:
            weights *= self._side(picked, change.subject, part)
        if change.within:
            weights *= self._spotted(change)
        if change.subject is Subject.WIRES:
            inked = self.inked(change)
            weights = np.maximum(full_size(weights, reading.size), inked.astype(np.float32))
        for one in change.apart:
            spared = self._named(one, change.act)[reading.labels]
            weights = weights * (1 - full_size(soft(spared, reading.shape[0]), weights.shape))
        return full_size(weights, reading.size)

    def taken(self, change: RegionChange) -> Mask:
        """Return which pixels of the painted size are taken out: whole regions, to their edges."""
        picked = self.regions(change)
        meant: Mask = picked[self.reading.labels]
        for part in change.parts:
            meant = meant & (self._side(picked, change.subject, part) > 0.5)
        if change.within:
            meant = meant & (self._spotted(change) > 0)
        for one in change.apart:
            meant = meant & ~self._named(one, change.act)[self.reading.labels]
        return meant

    def _named(self, subject: Subject, act: Act) -> Picked:
        kinds = self.reading.kinds
        wanted = KINDS[subject]
        if subject is Subject.HOUSE and act is Act.COLOUR:
            wanted = (Kind.WALL,)
        picked: Picked = np.isin(kinds, wanted)
        if not picked.any() and subject in ELSE:
            picked = np.isin(kinds, ELSE[subject])
        crowned = self._crowned()
        if subject is Subject.POLE:
            picked &= ~crowned & self._aloft()
        elif subject is Subject.TRUNK:
            picked = (kinds == Kind.TRUNK) | crowned
        elif subject is Subject.TREE and act is Act.REMOVE:
            picked |= (kinds == Kind.TRUNK) | crowned
        return picked

    def _crowned(self) -> Picked:
        """Return which posts carry leaves: trunks that a reader took for posts."""
        reading = self.reading
        trees = reading.kinds == Kind.TREE
        resting = reading.shapes.above[trees].max(axis=0) if trees.any() else 0.0
        crowned: Picked = (reading.kinds == Kind.POST) & (resting > 0.004)
        return crowned

    def _aloft(self) -> Picked:
        """Return which regions rise into the air, or high: poles, and no posts of a fence."""
        shapes = self.reading.shapes
        air = np.isin(self.reading.kinds, (*AIR, Kind.HILL, Kind.FOREST))
        under = shapes.above[air].max(axis=0) if air.any() else np.zeros(len(air))
        aloft: Picked = (shapes.height > 0.2) | ((under > 0) & (shapes.height > 0.05))
        return aloft

    def _at(self, picked: Picked, subject: Subject, part: Part) -> Picked:
        if not picked.any() or subject is Subject.PICTURE:
            return picked
        match part:
            case Part.LEFT | Part.RIGHT:
                cut = (self._left < 0.42) & (self._right > 0.58)
                there = self._x < 0.5 if part is Part.LEFT else self._x > 0.5
                return picked & (there | cut)
            case Part.MIDDLE:
                near: Picked = np.abs(self._x - 0.5) < 0.2
                return picked & (near | (self._right - self._left > 0.6))
            case Part.TOP | Part.BOTTOM:
                middle = float(np.average(self._y[picked], weights=self._area[picked]))
                if int(picked.sum()) == 1:
                    return picked
                upper: Picked = self._y <= middle
                there = np.asarray(upper == (part is Part.TOP), np.bool_)
                return picked & there
            case Part.BIG | Part.SMALL:
                return self._by_size(picked, largest=part is Part.BIG)
            case Part.NEAR | Part.FAR:
                return self._by_depth(picked, near=part is Part.NEAR)

    def _by_size(self, picked: Picked, *, largest: bool) -> Picked:
        """Pick what hangs together and is the largest, or all that is not."""
        labels = self.reading.labels
        joined = picked[labels].astype(np.uint8)
        _, pieces, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
        biggest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
        inside = np.zeros(len(picked), np.bool_)
        inside[np.unique(labels[np.asarray(pieces) == biggest])] = True
        found: Picked = picked & (inside == largest)
        return found

    def _by_depth(self, picked: Picked, *, near: bool) -> Picked:
        depth = self.reading.depth
        ground = np.isin(self.reading.kinds, (*GROUND, Kind.WATER))
        standing = picked & ~ground
        if not standing.any():
            return picked
        low, high = float(depth[standing].min()), float(depth[standing].max())
        middle = (low + high) / 2 if high - low > LEVEL else 0.45
        found: Picked = picked & (ground | ((depth <= middle) == near))
        return found

    def _side(self, picked: Picked, subject: Subject, part: Part) -> Plane:
        """Return the part of the picture that a place leaves, of what is not cut by region."""
        height, width = self.reading.shape
        whole = np.ones((height, width), np.float32)
        labels = self.reading.labels
        everything = subject is Subject.PICTURE
        if part in {Part.LEFT, Part.RIGHT}:
            across = (np.arange(width, dtype=np.float32) / width)[None, :]
            half = smooth_step(across, 0.46, 0.54)
            half = half if part is Part.RIGHT else 1 - half
            cut = picked & (self._left < 0.42) & (self._right > 0.58)
            return np.where(cut[labels] | everything, half, whole)
        if part in {Part.TOP, Part.BOTTOM}:
            if not everything and int(picked.sum()) > 1:
                return whole
            rows = (np.arange(height, dtype=np.float32) / height)[:, None]
            inside = np.flatnonzero(picked[labels].any(axis=1)) if picked.any() else np.array([0])
            top, bottom = inside[0] / height, (inside[-1] + 1) / height
            middle = (top + bottom) / 2
            half = smooth_step(rows, middle - 0.06, middle + 0.06) * whole
            return half if part is Part.BOTTOM else 1 - half
        if part in {Part.NEAR, Part.FAR}:
            return self._nearness(picked, everything=everything, near=part is Part.NEAR)
        if part is Part.MIDDLE and everything:
            across = np.abs(np.arange(width, dtype=np.float32) / width - 0.5)[None, :]
            return (1 - smooth_step(across, 0.18, 0.3)) * whole
        return whole

    def _nearness(self, picked: Picked, *, everything: bool, near: bool) -> Plane:
        reading = self.reading
        height, width = reading.shape
        rows = np.broadcast_to(
            (np.arange(height, dtype=np.float32) / height)[:, None], (height, width)
        )
        flat = np.isin(reading.kinds, (*GROUND, Kind.WATER))
        if everything:
            depth = reading.spread(reading.depth)
            depth = np.where(flat[reading.labels], 1 - rows, depth).astype(np.float32)
            fade = smooth_step(depth, *(NEAR if near else FAR))
            fade = 1 - fade if near else fade
            return np.asarray(cv2.GaussianBlur(fade, (0, 0), max(1.0, height / 240)), np.float32)
        spread = picked & flat
        whole = np.ones((height, width), np.float32)
        if not spread.any():
            return whole
        there = np.flatnonzero(spread[reading.labels].any(axis=1))
        top, bottom = there[0] / height, (there[-1] + 1) / height
        down = np.asarray((rows - top) / max(bottom - top, 1e-3), np.float32)
        fade = smooth_step(down, 0.35, 0.65)
        fade = fade if near else 1 - fade
        return np.where(spread[reading.labels], fade, whole).astype(np.float32)


def soft(mask: Mask, height: int) -> Plane:
    """Return a mask whose edges run smoothly between pixels, at the same place."""
    plane = mask.astype(np.float32)
    if not mask.any() or mask.all():
        return plane
    # Regions are found on fewer lines than are painted: their steps are rounded off.
    blurred = cv2.GaussianBlur(plane, (0, 0), max(0.8, height / 540))
    edged = (blurred - np.float32(0.5)) * np.float32(1.8) + np.float32(0.5)
    return np.asarray(np.clip(edged, 0, 1), np.float32)


def full_size(plane: Plane, size: tuple[int, ...]) -> Plane:
    """Return a plane at the layout's own size."""
    if plane.shape == size[:2]:
        return plane
    resized = cv2.resize(plane, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, np.float32)


def smooth_step(values: NDArray[np.floating[Any]], low: float, high: float) -> Plane:
    """Return 0 below `low`, 1 above `high`, and a smooth rise between."""
    part = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(part * part * (3 - 2 * part), np.float32)
