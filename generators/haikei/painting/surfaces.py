"""What surfaces are made of: courses of tile and stone, boards, plaster, meadow, sand, snow."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.painting.details import shade
from haikei.painting.standing import Standing
from haikei.painting.strokes import Brush, Colours, Receding, receding, rgb
from haikei.painting.sunlight import below
from haikei.painting.wash import LEVEL, Mood
from haikei.reading import AIR, Kind, Numbers, Plane, Reading

Mask = NDArray[np.bool_]

#: What snow comes to lie on, by how thick it is there, in parts of the height.
CAPPED = {
    Kind.POST: 0.005,
    Kind.WOOD: 0.008,
    Kind.ROCK: 0.014,
    Kind.WALL: 0.004,
    Kind.VEHICLE: 0.012,
    Kind.HULL: 0.008,
    Kind.OTHER: 0.009,
    Kind.TRUNK: 0.004,
    Kind.LAMP: 0.006,
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grain:
    """Which way each region runs, and how broad it is across that way; one row a region."""

    cos: Numbers
    sin: Numbers
    along: Numbers  #: standard deviations, in pixels
    across: Numbers


def grain_of(reading: Reading) -> Grain:
    """Return the main directions of all regions, by their second moments."""
    height, width = reading.shape
    flat = reading.labels.ravel()
    count = len(reading.kinds)
    size = np.maximum(np.bincount(flat, minlength=count), 1).astype(np.float64)
    x = np.tile(np.arange(width, dtype=np.float64), height)
    y = np.repeat(np.arange(height, dtype=np.float64), width)
    mx, my = (np.bincount(flat, axis, count) / size for axis in (x, y))
    xx = np.bincount(flat, x * x, count) / size - mx * mx
    yy = np.bincount(flat, y * y, count) / size - my * my
    xy = np.bincount(flat, x * y, count) / size - mx * my
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)
    spread = np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    mean = (xx + yy) / 2
    return Grain(
        cos=np.cos(angle),
        sin=np.sin(angle),
        along=np.sqrt(np.maximum(mean + spread, 0.1)),
        across=np.sqrt(np.maximum(mean - spread, 0.1)),
    )


def add_surfaces(
    picture: Colours, reading: Reading, mood: Mood, stand: Standing, brush: Brush
) -> None:
    """Give ground, walls and roofs the marks of what they are made of, in place."""
    tone = np.zeros(reading.shape, np.float32)
    ground = receding(reading)
    _level(tone, reading, mood, brush, ground)
    _courses(tone, reading, mood, brush)
    _upright(tone, reading, mood, brush)
    _rooms(tone, reading, brush, ground)
    tone *= ~reading.mask(Kind.FIGURE, Kind.UNKNOWN)
    shade(picture, tone, mood)
    _flecks(picture, reading, mood, brush, ground)
    if mood.season.snow and not mood.indoors:
        _snow_caps(picture, reading, mood, brush)


def _level(tone: Plane, reading: Reading, mood: Mood, brush: Brush, ground: Receding) -> None:
    height = reading.shape[0]
    grass = reading.mask(Kind.GRASS)
    if grass.any():
        own = brush.of("meadow")
        blades = own.receding(ground, 0.05) * np.float32(0.5)
        tufts = own.receding(ground, 0.2) * np.float32(0.34)
        swells = own.noise(height / 6, octaves=3, stretch=3.5) * np.float32(0.3)
        strength = np.float32(0.4 if mood.season.snow else 0.62)
        tone += grass * strength * (blades + tufts + swells)
    soft = reading.mask(Kind.SAND, Kind.SNOW)
    if soft.any():
        own = brush.of("drifts")
        drifts = own.noise(height / 5, octaves=3, stretch=4.5) * np.float32(0.17)
        drifts += own.receding(ground, 0.3) * np.float32(0.1)
        tone += soft * drifts
    bare = reading.mask(Kind.PAVING, Kind.EARTH)
    if bare.any():
        own = brush.of("worn")
        worn = own.receding(ground, 0.22) * np.float32(0.16)
        worn += own.noise(height / 7, octaves=3, stretch=4) * np.float32(0.09)
        grit = own.receding(ground, 0.045) * np.float32(0.16)
        tone += bare * worn + reading.mask(Kind.EARTH) * grit


def _courses(tone: Plane, reading: Reading, mood: Mood, brush: Brush) -> None:
    """Lay tiles on roofs, stones in rock walls and boards in wood, along each one's own way."""
    height = reading.shape[0]
    kinds, shapes = reading.kinds, reading.shapes
    tiled = kinds == Kind.ROOF
    masonry = (kinds == Kind.ROCK) & (shapes.straight > 0.45) & (shapes.area > 0.004)
    boards = np.isin(kinds, (Kind.WOOD, Kind.FURNITURE, Kind.DOOR)) & (shapes.area > 0.0008)
    chosen = tiled | masonry | boards
    if not chosen.any():
        return
    grain = grain_of(reading)
    # Roofs that are as high as long lie level all the same; so do stones.
    turned = (np.abs(grain.sin) < 0.8) & (grain.along > 1.25 * grain.across) & ~masonry
    turned |= boards
    cos, sin = np.where(turned, grain.cos, 1.0), np.where(turned, grain.sin, 0.0)
    rows = np.where(tiled, 9.0, np.where(masonry, 7.0, 4.0))
    extent = np.where(turned, grain.across, grain.across * 0.5 + grain.along * 0.5) * 3.4
    step = np.clip(extent / rows, height / 190, height / 26)
    ratio = np.where(tiled, 1.1, np.where(masonry, 1.7, 9.0))
    spot = np.flatnonzero(chosen[reading.labels])
    label = reading.labels.ravel()[spot]
    y, x = np.divmod(spot, reading.shape[1])
    y = y.astype(np.float32) - (shapes.y[label] * height).astype(np.float32)
    x = x.astype(np.float32) - (shapes.x[label] * height).astype(np.float32)
    c, s = cos[label].astype(np.float32), sin[label].astype(np.float32)
    size = step[label].astype(np.float32)
    down = (y * c - x * s) / size
    course = np.floor(down)
    along = (x * c + y * s) / (size * ratio[label].astype(np.float32)) + course * np.float32(0.5)
    table = brush.of("courses").random.random((64, 64)).astype(np.float32)
    stone = table[course.astype(np.int64) % 64, np.floor(along).astype(np.int64) % 64]
    joint = np.clip((down - course - np.float32(0.72)) * np.float32(4), 0, 1)
    seam = np.clip((np.abs(along - np.floor(along) - 0.5) - np.float32(0.42)) * 12, 0, 1)
    strength = np.where(tiled, 0.62, np.where(masonry, 0.6, 0.34))
    fine = np.clip((step - height / 300) / (height / 150), 0.25, 1.0)
    strength = strength * fine * (0.5 if mood.season.snow else 1.0)
    seams = np.where(tiled, 0.35, np.where(masonry, 0.6, 0.15))[label].astype(np.float32)
    marks = (stone - np.float32(0.5)) * np.float32(0.55) - joint * np.float32(0.5) - seam * seams
    tone.ravel()[spot] += marks * strength[label].astype(np.float32)


def _upright(tone: Plane, reading: Reading, mood: Mood, brush: Brush) -> None:
    height = reading.shape[0]
    plaster = reading.mask(Kind.WALL, Kind.HULL, Kind.VEHICLE, Kind.OTHER, Kind.ROOM_WALL)
    if plaster.any():
        own = brush.of("plaster")
        tone += plaster * own.noise(height / 12, octaves=3, stretch=0.7) * np.float32(0.045)
        tone += plaster * own.dabs(height / 30, stretch=0.5) * np.float32(0.045)
    round_ = reading.mask(Kind.TRUNK, Kind.POST)
    if round_.any():
        u, _ = reading.within()
        side = np.float32(1 if mood.sun > 0.5 else -1)
        turned = side * (u - np.float32(0.5)) * np.float32(1.3)
        bark = brush.of("bark").dabs(height / 42, stretch=0.28) * np.float32(0.5)
        tone += reading.mask(Kind.TRUNK) * (turned + bark) + reading.mask(Kind.POST) * turned * 0.6
    rocks = reading.mask(Kind.ROCK)
    if rocks.any():
        own = brush.of("rocks")
        _, v = reading.within()
        facets = own.dabs(height / 22, stretch=1.4) * np.float32(0.36)
        facets += own.noise(height / 14, octaves=3) * np.float32(0.15)
        tone += rocks * (facets + (np.float32(0.45) - v) * np.float32(0.4))


def _rooms(tone: Plane, reading: Reading, brush: Brush, ground: Receding) -> None:
    """Lay boards on a floor that is drawn bare; one that is divided already gets straw."""
    floor = reading.mask(Kind.FLOOR)
    if not floor.any():
        return
    own = brush.of("floor")
    large = (reading.kinds == Kind.FLOOR) & (reading.shapes.area > 0.003)
    if large.sum() >= 4:
        tone += floor * own.receding(ground, 0.05) * np.float32(0.2)
        table = own.random.random(len(reading.kinds)) * 0.24 - 0.12
        tone += floor * reading.spread(table)
        return
    across = ground.across / np.float32(0.16)
    board = np.floor(across)
    table = own.random.random((64, 64)).astype(np.float32)
    length = np.floor(ground.away / np.float32(1.1) + board * np.float32(0.37))
    plank = table[board.astype(np.int64) % 64, length.astype(np.int64) % 64] - np.float32(0.5)
    gap = np.clip((np.abs(across - board - 0.5) - np.float32(0.46)) * 20, 0, 1)
    marks = plank * np.float32(0.34) - gap * np.float32(0.34)
    tone += floor * ground.clear * marks.astype(np.float32)


def _flecks(picture: Colours, reading: Reading, mood: Mood, brush: Brush, ground: Receding) -> None:
    """Strew blossom in spring and leaves in autumn over the ground, in place."""
    leaves = mood.season.leaves
    strewn = {"#f2c3cf": ("#f7d3dc", 0.62), "#cf7a35": ("#d8742c", 0.55)}
    level = reading.mask(*LEVEL)
    if mood.indoors or not level.any():
        return
    thick = np.where(reading.mask(Kind.GRASS), np.float32(0.6), np.float32(0.35))
    for leaf, (colour, sparse) in strewn.items():
        if leaf not in leaves:
            continue
        own = brush.of("flecks")
        marks = np.clip((own.receding(ground, 0.035) - np.float32(sparse)) * 5, 0, 1)
        patches = np.clip(own.noise(reading.shape[0] / 6, octaves=2, stretch=2.5), 0, 1)
        amount = marks * patches * level * thick
        lit = rgb(colour) * np.asarray(mood.light.key, np.float32)
        picture += (lit - picture) * amount[..., None].astype(np.float32)


def _snow_caps(picture: Colours, reading: Reading, mood: Mood, brush: Brush) -> None:
    """Let snow lie on the upper edges of what stands free, and in patches on the ground."""
    height = reading.shape[0]
    snow = rgb("#f4f7fb") * np.asarray(mood.light.key, np.float32)
    own = brush.of("snow")
    uneven = own.noise(height / 30, octaves=2) * np.float32(0.4) + np.float32(1)
    free = np.isin(reading.kinds, (*AIR, Kind.HILL, Kind.FOREST, Kind.TREE, *LEVEL, Kind.WATER))
    depth = below(free[reading.labels])
    thick = np.zeros(len(reading.kinds))
    for kind, share in CAPPED.items():
        thick[reading.kinds == kind] = share * height
    cap = reading.spread(thick) * uneven
    amount = np.clip(cap - depth + 1, 0, 1) * (cap > 0) * np.float32(0.92)
    bare = reading.mask(Kind.PAVING, Kind.EARTH, Kind.SAND)
    if bare.any():
        patches = np.clip(own.noise(height / 9, octaves=3, stretch=3) * 0.7 + 0.35, 0, 0.85)
        amount = np.maximum(amount, patches * bare)
    picture += (snow - picture) * cv2.GaussianBlur(
        amount.astype(np.float32), (0, 0), max(0.6, height / 900)
    )[..., None]
