"""
The first stage: every region gets its colour, its gradient, its distance.

Sky and clouds are a graded wash, cumulus left white, a sun or moon somewhere behind.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from haikei.painting.strokes import (
    LAMPLIGHT,
    WATERS,
    Brush,
    Colour,
    Colours,
    Light,
    Season,
    materials,
    mix,
    rgb,
)
from haikei.reading import NATURAL, Cancelling, Kind, Numbers, Plane, Reading

STOPS = (0.0, 0.42, 0.78, 1.05)


def paint_sky(reading: Reading, light: Light, brush: Brush, sun: float) -> Colours:
    """
    Return the whole sheet as sky, clouds standing in it.

    Args:
        sun: where the sun or moon is, in fractions of the picture's width.
    """
    height, width = reading.shape
    down = np.arange(height, dtype=np.float32) / np.float32(height)
    depth = np.clip(down / np.float32(max(reading.horizon, 0.3)), 0.0, 1.05)
    stops = np.stack([rgb(code) for code in light.sky])
    column = np.stack([np.interp(depth, STOPS, stops[:, band]) for band in range(3)], axis=1)
    sky = np.repeat(column[:, None, :].astype(np.float32), width, axis=1)
    halo = _halo(reading, sun)
    strength = 0.34 if light.stars else 0.5
    sky = mix(sky, rgb(light.glow), halo * np.float32(strength))
    return _clouds(reading, light, brush, sky, halo)


def _halo(reading: Reading, sun: float) -> Plane:
    height, width = reading.shape
    across = (np.arange(width, dtype=np.float32) / width - sun)[None, :] * (width / height)
    down = (np.arange(height, dtype=np.float32) / height - reading.horizon * 0.92)[:, None]
    reach = np.sqrt((across * 0.8) ** 2 + (down * 1.25) ** 2)
    return np.exp(-((reach / 0.34) ** 2)).astype(np.float32)


def _clouds(reading: Reading, light: Light, brush: Brush, sky: Colours, halo: Plane) -> Colours:
    clouds = reading.mask(Kind.CLOUD)
    if not clouds.any():
        return sky
    height = reading.shape[0]
    _, v = reading.within()
    billows = brush.noise(height / 9, octaves=3, stretch=1.4)
    fall = np.clip((v - 0.34 + 0.13 * billows) / 0.62, 0.0, 1.0)
    fall = fall * fall * (3 - 2 * fall)
    lit, shaded = rgb(light.cloud[0]), rgb(light.cloud[1])
    graded = lit + (shaded - lit) * (fall * np.float32(0.85))[..., None]
    body = mix(graded.astype(np.float32), rgb(light.glow), halo * np.float32(0.35))
    # The lower edge of a cumulus dissolves into the air under it.
    alpha = cv2.GaussianBlur(clouds.astype(np.float32), (0, 0), max(0.8, height / 420))
    alpha = alpha * (1 - 0.55 * np.clip((v - 0.72) / 0.28, 0, 1) * clouds)
    return mix(sky, body, alpha.astype(np.float32))


def add_stars(picture: Colours, reading: Reading, brush: Brush, sun: float) -> None:
    """Put stars and a moon into the open sky, in place."""
    height, width = reading.shape
    sky = reading.mask(Kind.SKY)
    count = int(height * width / 2600)
    rows = (brush.random.random(count) ** 1.4 * reading.horizon * height).astype(np.int64)
    columns = (brush.random.random(count) * width).astype(np.int64)
    points = np.zeros(reading.shape, np.float32)
    points[rows, columns] = brush.random.random(count).astype(np.float32) ** 3
    scale = max(0.6, height / 1000)
    stars = cv2.GaussianBlur(points, (0, 0), scale) * np.float32(5.5 * scale * scale)
    stars += cv2.GaussianBlur(points**3, (0, 0), scale * 3) * np.float32(8 * scale * scale)
    picture += (np.clip(stars, 0, 1) * sky * np.float32(0.8))[..., None] * np.array(
        [0.95, 0.97, 1.0], np.float32
    )
    centre = (int(sun * width), int(0.17 * height))
    radius = max(2, round(height * 0.032))
    disc = np.zeros(reading.shape, np.float32)
    cv2.circle(disc, centre, radius, (1.0,), -1, cv2.LINE_AA)
    if not sky[disc > 0].all():
        return
    halo = cv2.resize(
        cv2.GaussianBlur(
            cv2.resize(
                disc, (max(8, width // 8), max(8, height // 8)), interpolation=cv2.INTER_AREA
            ),
            (0, 0),
            height / 90,
        ),
        (width, height),
    )
    moon: Colour = np.array([0.98, 0.96, 0.88], np.float32)
    open_air = (sky | reading.mask(Kind.CLOUD)).astype(np.float32)
    picture += (moon - picture) * (np.clip(halo * 1.3, 0, 0.5) * open_air)[..., None]
    picture += (moon - picture) * (disc * np.float32(0.95))[..., None]


def finish_sky(picture: Colours, reading: Reading, light: Light, brush: Brush) -> None:
    """Work over sky and clouds, in place: high veils, relief inside the clouds, brush marks."""
    height = reading.shape[0]
    sky = reading.mask(Kind.SKY).astype(np.float32)
    clouds = reading.mask(Kind.CLOUD)
    down = (np.arange(height, dtype=np.float32) / height)[:, None]
    veil = brush.noise(height / 5, octaves=4, stretch=4.5) - np.float32(0.75)
    veil = np.clip(veil * 0.55, 0, 1) * np.clip(1.1 - down / max(reading.horizon, 0.3), 0.15, 1)
    faint = np.float32(0.1 if light.stars else 0.26)
    picture += (rgb(light.cloud[0]) - picture) * (veil * sky * faint)[..., None]
    if clouds.any():
        heap = brush.noise(height / 13, octaves=3, stretch=1.3)
        step = max(2, height // 150)
        relief = heap - np.roll(heap, -2 * step, axis=0)
        relief *= np.float32(0.8) / max(float(relief.std()), 1e-6)
        soft = cv2.GaussianBlur(clouds.astype(np.float32), (0, 0), max(1.0, height / 160))
        inside = (np.clip(soft * 2 - 0.9, 0, 1) * clouds).astype(np.float32)
        tone = np.clip(relief, -1.6, 1.6) * inside
        lit, shaded = rgb(light.cloud[0]), rgb(light.cloud[1])
        picture += (lit - picture) * (np.clip(tone, 0, 1) * np.float32(0.34))[..., None]
        picture += (shaded - picture) * (np.clip(-tone, 0, 1) * np.float32(0.3))[..., None]
    marks = brush.dabs(height / 9, stretch=4)
    picture += (marks * np.float32(0.008) * (sky + clouds))[..., None]


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
