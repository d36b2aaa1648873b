"""
Which colour a thing has before light falls on it: by its kind, the season and the location.

A location keeps a few colours of its own, picked by its name and not by chance: the largest house
of a place has the same walls and the same roof in every cut.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from haikei.painting.strokes import Colour, Season, rgb
from haikei.reading import Kind, Reading

WALLS = (
    "#efe4cd", "#e6d8bd", "#dcd6ca", "#d8c2a0", "#f0eadd", "#c8b090", "#d2d4cf", "#bf9d7c",
)  # fmt: skip
FIXED: Mapping[Kind, tuple[str, ...]] = {
    Kind.WALL: WALLS,
    Kind.HULL: ("#e9e7e0", "#3f5f86", "#a04a3d", "#3c6f68", "#d8d3c4"),
    Kind.WINDOW: ("#5f7a8c", "#55707f", "#6b8494"),
    Kind.DOOR: ("#7a5a42", "#6a5a50", "#5a6a66", "#8a6a4c"),
    Kind.POST: ("#7c6a58", "#77706a", "#857565"),
    Kind.OTHER: ("#b08f78", "#8f9c96", "#b7a888"),
    Kind.TRUNK: ("#6d5646", "#77604d", "#64523f"),
    Kind.WOOD: ("#8f6f50", "#9a7a58", "#7f6248"),
    Kind.RAIL: ("#8b8078",),
    Kind.WIRE: ("#4a4a52",),
    Kind.VEHICLE: ("#d7d2c6", "#5f86a0", "#b2584a", "#7b9a6a"),
    Kind.ROOM_WALL: ("#e8dfcd", "#dfdccf", "#e4d8bf", "#dcd9d0"),
    Kind.CEILING: ("#ece6d8", "#e6e2d8"),
    Kind.FLOOR: ("#b58c62", "#a98157", "#c09a6c"),
    Kind.FURNITURE: ("#a97c52", "#8d6a4a", "#c3a074", "#96836c"),
    Kind.LAMP: ("#efe6cf",),
    Kind.FIGURE: ("#e9e5dc",),
    Kind.UNKNOWN: ("#b3aa9c",),
}
TORII = "#b5523c"
ROCKS = ("#8f8b85", "#9a948a", "#858683")
SNOWED = "#e9eff5"


EVERGREEN: Mapping[bool, tuple[str, ...]] = {
    False: ("#4f7d58", "#46724f", "#567f54"),
    True: ("#8fa7a3", "#83a09b", "#9ab0ab"),
}
INDOOR_DOORS = ("#a98560", "#d8ccae", "#94775b")


def materials(season: Season, kind: Kind, *, indoors: bool = False) -> tuple[str, ...]:
    """Return what a kind of region may be coloured with, before any light falls on it."""
    if indoors and kind == Kind.DOOR:
        return INDOOR_DOORS
    seasonal: Mapping[Kind, tuple[str, ...]] = {
        Kind.TREE: season.leaves,
        Kind.FOREST: season.forest,
        Kind.HILL: season.hill,
        Kind.GRASS: season.grass,
        Kind.PAVING: (season.paving,),
        Kind.EARTH: (season.earth,),
        Kind.ROOF: season.roofs,
        Kind.SAND: ("#ddd6c8" if season.snow else "#dcc79c",),
        Kind.ROCK: ("#aab0b6", "#b4b9bd") if season.snow else ROCKS,
        Kind.SNOW: (SNOWED,),
    }
    return seasonal.get(kind) or FIXED.get(kind, ("#b3a892",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The colours of one location in one season."""

    season: Season
    location: str  #: show, sequence, place: whatever names it; cuts that share it share colours
    indoors: bool

    def pick(self, kind: Kind, rank: int) -> Colour:
        """Return the colour of the thing that is `rank`-th of its kind here, from 0."""
        options = materials(self.season, kind, indoors=self.indoors)
        few = self._order(kind, len(options))[: SHARED.get(kind, len(options))]
        return rgb(options[few[rank % len(few)]])

    def evergreen(self, rank: int) -> Colour:
        """Return the colour of a fir, which no season turns."""
        options = EVERGREEN[self.season.snow]
        return rgb(options[rank % len(options)])

    def _order(self, kind: Kind, count: int) -> list[int]:
        """Return all options in this location's order; the first few are what it uses."""
        return sorted(
            range(count),
            key=lambda index: zlib.crc32(f"{self.location}:{kind.name}:{index}".encode()),
        )


#: How many colours of a kind one location uses: a street has its own few plasters and tiles.
SHARED: Mapping[Kind, int] = {
    Kind.WALL: 5,
    Kind.ROOF: 3,
    Kind.ROOM_WALL: 1,
    Kind.FLOOR: 1,
    Kind.CEILING: 1,
    Kind.WOOD: 1,
    Kind.DOOR: 2,
    Kind.POST: 1,
    Kind.TRUNK: 1,
    Kind.FURNITURE: 3,
    Kind.OTHER: 2,
}


def ranks(reading: Reading) -> NDArray[np.int32]:
    """
    Return each region's rank among its kind: what belongs together shares one.

    Houses are counted by size, largest first, since no name of theirs is drawn; so are trees.
    Furniture has two ranks: what is large, and what is not.
    """
    shapes, kinds = reading.shapes, reading.kinds
    rank = np.zeros(len(kinds), np.int32)
    built = np.isin(kinds, (Kind.WALL, Kind.ROOF, Kind.WINDOW, Kind.DOOR))
    _number(rank, built, reading.groups, shapes.area)
    for kind, share in ((Kind.TREE, 0.2), (Kind.HULL, 0.05), (Kind.VEHICLE, 0.05), (Kind.OTHER, 2)):
        own = kinds == kind
        joined = (shapes.beside > share) & own[:, None] & own[None, :]
        _, groups = connected_components(csr_array(joined), directed=False)
        _number(rank, own, np.asarray(groups, np.int32), shapes.area)
    rank[kinds == Kind.FURNITURE] = (shapes.area < 0.008)[kinds == Kind.FURNITURE]
    return rank


def firs(reading: Reading) -> NDArray[np.bool_]:
    """Tell the crowns that come to a point and have straight sides, as conifers are drawn."""
    shapes = reading.shapes
    fir = np.zeros(len(reading.kinds), np.bool_)
    crowns = (reading.kinds == Kind.TREE) & (shapes.height > 0.8 * shapes.width)
    crowns &= (shapes.area > 0.0004) & ~shapes.touches[:, 1]
    found = ndimage.find_objects(reading.labels + 1) if crowns.any() else []
    for index in np.flatnonzero(crowns).tolist():
        rows = (reading.labels[found[index]] == index).sum(axis=1)
        part = max(1, len(rows) // 5)
        fir[index] = rows[:part].mean() < 0.32 * rows.max() and rows.argmax() > 0.45 * len(rows)
    # Tiers of one tree that touch share its kind.
    tiers = (shapes.beside > 0.06) & (reading.kinds == Kind.TREE)[:, None]
    for _ in range(2):
        fir |= (tiers & fir[None, :]).any(axis=1) & (shapes.scallops < 4)
    return fir


def _number(
    rank: NDArray[np.int32],
    which: NDArray[np.bool_],
    groups: NDArray[np.int32],
    area: NDArray[np.float64],
) -> None:
    """Count groups by the area of those of their regions that are meant, in place."""
    if not which.any():
        return
    sizes = np.bincount(groups[which], area[which], minlength=int(groups.max()) + 1)
    place = np.empty(len(sizes), np.int32)
    place[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes), dtype=np.int32)
    rank[which] = place[groups[which]]
