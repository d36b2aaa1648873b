"""Leaves, grass, walls and ground: dabs of a loaded brush over the wash."""

import numpy as np
from numpy.typing import NDArray

from haikei.painting.palette import SHADOW_TINT, rgb
from haikei.painting.strokes import Brush, Colours
from haikei.painting.wash import Mood
from haikei.reading import Kind, Plane, Reading


def add_foliage(picture: Colours, reading: Reading, mood: Mood, brush: Brush) -> None:
    """Model crowns and wooded slopes with clumps of leaves, light from the sun's side, in place."""
    trees = reading.mask(Kind.TREE)
    woods = reading.mask(Kind.FOREST)
    slopes = reading.mask(Kind.HILL)
    height = reading.shape[0]
    if not (trees.any() or woods.any() or slopes.any()):
        return
    u, v = reading.within()
    side = np.float32(1 if mood.sun > 0.5 else -1)
    tone = np.zeros(reading.shape, np.float32)
    if trees.any():
        modelled = (np.float32(0.46) - v) * 1.25 + side * (u - np.float32(0.5)) * 0.55
        clumps = brush.noise(height / 24, octaves=2) * np.float32(0.34)
        leaves = brush.dabs(height / 46) * np.float32(0.5) + brush.dabs(height / 90) * 0.3
        tone += trees * _stepped((modelled + clumps + leaves).astype(np.float32))
    if woods.any():
        crowns = brush.dabs(height / 95, stretch=1.2) * np.float32(0.36)
        crowns += brush.noise(height / 28, octaves=3, stretch=1.6) * np.float32(0.16)
        tone += woods * (crowns + (np.float32(0.35) - v) * np.float32(0.5)) * np.float32(0.72)
    if slopes.any():
        folds = brush.noise(height / 10, octaves=3, stretch=1.5) * np.float32(0.2)
        folds += brush.dabs(height / 130, stretch=1.8) * np.float32(0.1)
        tone += slopes * folds * (np.float32(0.6) if mood.season.snow else np.float32(1.0))
    _shade(picture, tone, mood)
    if mood.season.snow:
        _snow(picture, mood, tone, trees * (np.float32(1.25) - v) + woods * np.float32(0.45))


def _stepped(tone: Plane) -> Plane:
    """Pull a smooth tone towards a few flat ones, as paint from one mixed puddle is."""
    steps = np.round(tone * np.float32(2.4)) / np.float32(2.4)
    return np.asarray(np.float32(0.4) * tone + np.float32(0.6) * steps, np.float32)


def _shade(picture: Colours, tone: Plane, mood: Mood) -> None:
    """Lighten warm and darken cool, in place; tone is about -1 to 1."""
    up = np.clip(tone, 0, 1.2) * np.float32(0.34)
    down = np.clip(-tone, 0, 1.2) * np.float32(0.52)
    warm = np.asarray(mood.light.key, np.float32) * np.array([1.1, 1.06, 0.74], np.float32)
    light = picture * np.float32(1.2) + warm * np.float32(0.12)
    dark = picture * (np.float32(0.25) + np.float32(0.6) * SHADOW_TINT)
    picture += (light - picture) * up[..., None]
    picture += (dark - picture) * down[..., None]


def _snow(picture: Colours, mood: Mood, tone: Plane, leafy: Plane) -> None:
    snow = rgb("#f6f9fc") * np.asarray(mood.light.key, np.float32)
    capped = np.clip((tone - np.float32(0.08)) * 3.5, 0, 0.85) * leafy
    picture += (snow - picture) * capped[..., None].astype(np.float32)


def add_surfaces(picture: Colours, reading: Reading, mood: Mood, brush: Brush) -> None:
    """Give ground, walls and roofs the marks of the brush that laid them, in place."""
    height = reading.shape[0]
    down = (np.arange(height, dtype=np.float32) / height)[:, None]
    span = max(1 - reading.horizon, 0.1)
    reach = np.clip((down - reading.horizon) / span, 0, 1).astype(np.float32)
    grass = reading.mask(Kind.GRASS)
    tone = np.zeros(reading.shape, np.float32)
    if grass.any():
        fine = brush.dabs(height / 70, stretch=2.6)
        broad = brush.dabs(height / 26, stretch=2.2)
        swells = brush.noise(height / 6, octaves=3, stretch=3.5)
        meadow = fine * (1 - reach) + broad * reach
        strength = np.float32(0.42 if mood.season.snow else 0.62)
        tone += grass * strength * (meadow * np.float32(0.42) + swells * np.float32(0.34))
    paved = reading.mask(Kind.PAVING, Kind.EARTH)
    if paved.any():
        worn = brush.dabs(height / 34, stretch=5) * np.float32(0.13)
        worn += brush.noise(height / 7, octaves=3, stretch=4) * np.float32(0.08)
        tone += paved * worn
    built = reading.mask(Kind.WALL, Kind.DOOR, Kind.HULL)
    if built.any():
        tone += built * brush.noise(height / 16, octaves=3, stretch=0.6) * np.float32(0.075)
        tone += built * brush.dabs(height / 30, stretch=0.5) * np.float32(0.05)
    roofs = reading.mask(Kind.ROOF, Kind.POST)
    if roofs.any():
        tone += roofs * brush.dabs(height / 60, stretch=1.8) * np.float32(0.2)
    _shade(picture, tone, mood)
    _flecks(picture, grass, mood, brush, reach)


def _flecks(
    picture: Colours, grass: NDArray[np.bool_], mood: Mood, brush: Brush, reach: Plane
) -> None:
    """Strew blossom in spring and leaves in autumn over the grass, in place."""
    leaves = mood.season.leaves
    strewn = {"#f2c3cf": ("#f7d3dc", 0.62), "#cf7a35": ("#d8742c", 0.55)}
    for leaf, (colour, sparse) in strewn.items():
        if leaf not in leaves or not grass.any():
            continue
        height = reach.shape[0]
        marks = np.clip((brush.dabs(height / 95, stretch=1.8) - np.float32(sparse)) * 5, 0, 1)
        patches = np.clip(brush.noise(height / 6, octaves=2, stretch=2.5), 0, 1)
        amount = marks * patches * grass * (np.float32(0.25) + np.float32(0.5) * reach)
        lit = rgb(colour) * np.asarray(mood.light.key, np.float32)
        picture += (lit - picture) * amount[..., None].astype(np.float32)
