"""How things stand in a picture: on which foot, how near, and which way their faces look."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from haikei.reading import AIR, GROUND, INDOORS, STANDING, Facing, Kind, Numbers, Reading

BEARING = (
    Kind.POST,
    Kind.TRUNK,
    Kind.WALL,
    Kind.DOOR,
    Kind.TREE,
    Kind.ROCK,
    Kind.WOOD,
    Kind.FURNITURE,
)
#: Kinds whose touching parts are one thing.
WHOLE = (Kind.WOOD, Kind.POST, Kind.VEHICLE, Kind.HULL)
UPRIGHT = (Kind.WALL, Kind.ROOM_WALL, Kind.WOOD, Kind.VEHICLE, Kind.OTHER, Kind.ROCK, Kind.DOOR)
ROOM = 0.3  #: part of the picture that must be a room's for it to be seen from inside
SLANTED = 1.13  #: how much taller one end of a face must be than the other
#: How much of the key light falls on a face.
LIGHT: Mapping[Facing, float] = {
    Facing.NONE: 0.82,
    Facing.UP: 0.95,
    Facing.FRONT: 0.84,
    Facing.ROOF: 0.92,
    Facing.DOWN: 0.3,
}
SUNNY, AWAY = 0.97, 0.36


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standing:
    """One value a region."""

    foot: Numbers  #: where it meets the ground, from the top, in heights
    near: Numbers  #: 0 at the horizon to 1 right in front
    facing: NDArray[np.int32]
    indoors: bool


def standing(reading: Reading) -> Standing:
    """Return how the regions of a reading stand."""
    foot = _feet(reading)
    near = np.clip((foot - reading.horizon) / max(0.92 - reading.horizon, 0.1), 0.0, 1.0)
    near[np.isin(reading.kinds, (*AIR, Kind.HILL, Kind.FOREST))] = 0.0
    area = reading.shapes.area
    room = float(area[np.isin(reading.kinds, INDOORS)].sum())
    read = float(area[~np.isin(reading.kinds, (Kind.UNKNOWN, Kind.FIGURE))].sum())
    indoors = room > ROOM * max(read, 0.05)
    return Standing(foot=foot, near=near, facing=_sides(reading), indoors=indoors)


def _feet(reading: Reading) -> Numbers:
    """A roof is as far away as the wall that it rests on, a crown as its trunk."""
    shapes, kinds = reading.shapes, reading.kinds
    foot = shapes.bottom.copy()
    bearing = np.isin(kinds, BEARING)
    borne = np.isin(kinds, (*STANDING, Kind.WINDOW, Kind.DOOR, Kind.LAMP))
    resting = (shapes.above[:, bearing] > 0.02) & borne[:, None]
    # A lintel stands on what its posts stand on, and the lobes of one crown on one trunk.
    same = (shapes.beside > 0.04) & (kinds[:, None] == kinds[None, :]) & np.isin(kinds, WHOLE)
    for _ in range(3):
        foot = np.maximum(foot, (resting * foot[bearing]).max(axis=1, initial=0.0))
        foot = np.maximum(foot, (same * foot).max(axis=1, initial=0.0))
    return foot


def _sides(reading: Reading) -> NDArray[np.int32]:
    """Tell the faces that recede to one side: their far end is lower than their near one."""
    facing = reading.facing.copy()
    open_ = np.isin(reading.kinds, UPRIGHT) & np.isin(facing, (Facing.FRONT, Facing.NONE))
    if not open_.any():
        return facing
    found = ndimage.find_objects(reading.labels + 1)
    for index in np.flatnonzero(open_).tolist():
        spot = found[index]
        columns = (reading.labels[spot] == index).sum(axis=0)
        third = len(columns) // 3
        if third < 2:
            continue
        left, right = float(columns[:third].mean()), float(columns[-third:].mean())
        # What is taller on the left recedes to the right, and so its face looks right.
        if left > SLANTED * right:
            facing[index] = Facing.RIGHT
        elif right > SLANTED * left:
            facing[index] = Facing.LEFT
    return facing


def lit_part(reading: Reading, stand: Standing, *, sun_left: bool) -> Numbers:
    """Return how much of the key light each region meets, 0 to 1."""
    part = np.array([LIGHT.get(Facing(int(face)), 0.82) for face in stand.facing])
    toward = Facing.LEFT if sun_left else Facing.RIGHT
    part[stand.facing == toward] = SUNNY
    part[np.isin(stand.facing, (Facing.LEFT, Facing.RIGHT)) & (stand.facing != toward)] = AWAY
    part[np.isin(reading.kinds, (Kind.POST, Kind.DOOR, Kind.TRUNK, Kind.WIRE))] = 0.62
    return part


def grounded(reading: Reading) -> NDArray[np.bool_]:
    """Return where shadows can fall: on what lies level and on furniture's tops."""
    return reading.mask(*GROUND)
