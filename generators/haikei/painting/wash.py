"""The first stage: every region gets its colour, its gradient, its distance."""

from dataclasses import dataclass

import numpy as np

from haikei.painting.palette import (
    LAMPLIGHT,
    WATERS,
    Colour,
    Light,
    Season,
    materials,
    rgb,
)
from haikei.painting.sky import add_stars, paint_sky
from haikei.painting.strokes import Brush, Colours, mix
from haikei.reading import NATURAL, Cancelling, Kind, Numbers, Plane, Reading

GRADIENT = {
    Kind.WALL: 0.10,
    Kind.ROOF: 0.14,
    Kind.TREE: 0.20,
    Kind.FOREST: 0.14,
    Kind.DOOR: 0.12,
    Kind.HULL: 0.16,
    Kind.WINDOW: -0.22,
    Kind.POST: 0.06,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """What is asked for: season and light, and where the sun stands in this picture."""

    season: Season
    light: Light
    time: str
    sun: float  #: fraction of the picture's width


def lay_wash(reading: Reading, mood: Mood, brush: Brush, pause: Cancelling) -> Colours:
    """Return the colour wash, (height, width, 3), sRGB, at the painted size."""
    colours = _region_colours(reading, mood, brush)
    haze = _region_haze(reading)
    base = colours[reading.labels]
    pause()
    _, v = reading.within()
    slope = reading.spread(
        np.array([GRADIENT.get(Kind(kind), 0.0) for kind in reading.kinds], np.float64)
    )
    base *= (1 + slope * (0.5 - v))[..., None]
    air = rgb(mood.light.haze)
    base = mix(base, air, np.clip(_haze_plane(reading, haze, v), 0, 0.9))
    pause()
    _water(base, reading, mood)
    sky = paint_sky(reading, mood.light, brush, mood.sun)
    aloft = reading.mask(Kind.SKY, Kind.CLOUD)
    np.copyto(base, sky, where=aloft[..., None])
    pause()
    if mood.light.stars:
        add_stars(base, reading, brush, mood.sun)
    pigment = brush.noise(reading.shape[0] / 12, octaves=2) * np.float32(0.012)
    base *= (1 + pigment * ~aloft)[..., None]
    return np.clip(base, 0, 1, out=base)


def _region_colours(reading: Reading, mood: Mood, brush: Brush) -> Colours:
    """Pick a material for each region and let the light fall on it; returns (n, 3)."""
    count = len(reading.kinds)
    choice = brush.random.random(count)
    choice_of_group = brush.random.random(count)
    shade = brush.random.standard_normal(count)
    facing = _facing(reading, mood)
    key, dark = (np.asarray(value, np.float32) for value in (mood.light.key, mood.light.shade))
    colours = np.zeros((count, 3), np.float32)
    for index in range(count):
        kind = Kind(int(reading.kinds[index]))
        grouped = kind in {Kind.WALL, Kind.ROOF, Kind.WINDOW}
        pick = choice_of_group[reading.groups[index]] if grouped else choice[index]
        options = materials(mood.season, kind)
        albedo = rgb(options[int(pick * len(options))])
        if kind == Kind.HILL:
            albedo = _hill(reading, mood.season, index)
        lit = key * facing[index] + dark * (1 - facing[index])
        colour = albedo * lit
        if kind in NATURAL and kind != Kind.HILL:
            colour = colour * np.float32(1 + 0.035 * np.clip(shade[index], -2, 2))
        if kind == Kind.WINDOW:
            colour = _window(mood, colour, float(pick), index, reading)
        colours[index] = colour
    return colours


def _window(mood: Mood, dark: Colour, pick: float, index: int, reading: Reading) -> Colour:
    dice = (pick * 7919.0) % 1.0
    if dice < mood.light.lit:
        return rgb(LAMPLIGHT[int(reading.groups[index]) % len(LAMPLIGHT)])
    return np.asarray(dark + (rgb(mood.light.sky[2]) - dark) * np.float32(0.3), np.float32)


def _hill(reading: Reading, season: Season, index: int) -> Colour:
    """Colour a hill between far and near by its height over the horizon."""
    far = np.clip((reading.horizon - reading.shapes.y[index]) / 0.2, 0.0, 1.0)
    near = rgb(season.hill[1])
    return np.asarray(near + (rgb(season.hill[0]) - near) * np.float32(far), np.float32)


def _facing(reading: Reading, mood: Mood) -> Numbers:
    """Return how much of the key light each region meets, 0 to 1."""
    shapes, kinds = reading.shapes, reading.kinds
    facing = np.full(len(kinds), 0.82)
    facing[kinds == Kind.ROOF] = 0.9
    facing[np.isin(kinds, (Kind.GRASS, Kind.PAVING, Kind.EARTH))] = 0.95
    facing[np.isin(kinds, (Kind.POST, Kind.DOOR))] = 0.6
    walls = kinds == Kind.WALL
    # Walls seen at a slant turn away from us; those on the sun's side of their house are lit.
    sun = mood.sun * shapes.aspect
    slanted = walls & (shapes.level < 0.16)
    away = slanted & ((shapes.x < shapes.aspect / 2) == (sun < shapes.aspect / 2))
    facing[walls] = 0.88
    facing[slanted] = 0.8
    facing[away] = 0.42
    return facing


def _region_haze(reading: Reading) -> Numbers:
    """Return how much each region fades with its distance, 0 to 1."""
    shapes, kinds, horizon = reading.shapes, reading.kinds, reading.horizon
    foot = shapes.bottom
    bearing = np.isin(kinds, (Kind.POST, Kind.WALL, Kind.DOOR, Kind.TREE))
    for _ in range(2):
        # A roof is as far away as the wall that it rests on, a crown as its trunk.
        foot = np.maximum(foot, ((shapes.above > 0.02) * bearing * foot).max(axis=1))
    below = np.maximum(foot - horizon, 0.0)
    haze = 0.42 * np.exp(-below / 0.035)
    far = np.clip((horizon + 0.03 - shapes.y) / 0.24, 0.0, 1.0)
    haze = np.where(kinds == Kind.HILL, 0.26 + 0.4 * far, haze)
    haze = np.where(kinds == Kind.FOREST, 0.2 + 0.3 * far, haze)
    flat = np.isin(kinds, (Kind.GRASS, Kind.PAVING, Kind.EARTH, Kind.WATER))
    haze = np.where(flat, 0.0, haze)
    return np.where(kinds == Kind.WINDOW, haze * 0.6, haze)


def _haze_plane(reading: Reading, haze: Numbers, v: Plane) -> Plane:
    height = reading.shape[0]
    plane = reading.spread(haze)
    slopes = reading.mask(Kind.HILL, Kind.FOREST)
    plane += slopes * (v - np.float32(0.35)) * np.float32(0.26)
    down = (np.arange(height, dtype=np.float32) / height)[:, None]
    near = np.exp(-np.maximum(down - np.float32(reading.horizon), 0) / np.float32(0.055))
    flat = reading.mask(Kind.GRASS, Kind.PAVING, Kind.EARTH)
    plane += flat * near * np.float32(0.4)
    return plane


def _water(base: Colours, reading: Reading, mood: Mood) -> None:
    water = reading.mask(Kind.WATER)
    if not water.any():
        return
    height = reading.shape[0]
    far, near = (rgb(code) for code in WATERS[mood.time])
    down = np.arange(height, dtype=np.float32) / height
    part = np.clip((down - reading.horizon) / max(1 - reading.horizon, 0.1), 0, 1) ** 0.7
    column = far + (near - far) * part[:, None]
    np.copyto(base, column[:, None, :], where=water[..., None])
