"""Leaves, snow that lies on what grows, and water: what has no flat faces."""

import cv2
import numpy as np

from haikei.painting.strokes import SHADOW_TINT, Brush, Colours, rgb
from haikei.painting.sunlight import below
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
        leafing = brush.of("leaves")
        clumps = leafing.noise(height / 24, octaves=2) * np.float32(0.34)
        leaves = leafing.dabs(height / 46) * np.float32(0.5) + leafing.dabs(height / 90) * 0.3
        tone += trees * _stepped((modelled + clumps + leaves).astype(np.float32))
    if woods.any():
        wood = brush.of("woods")
        crowns = wood.dabs(height / 95, stretch=1.2) * np.float32(0.36)
        crowns += wood.noise(height / 28, octaves=3, stretch=1.6) * np.float32(0.16)
        tone += woods * (crowns + (np.float32(0.35) - v) * np.float32(0.5)) * np.float32(0.72)
    if slopes.any():
        folding = brush.of("slopes")
        folds = folding.noise(height / 10, octaves=3, stretch=1.5) * np.float32(0.2)
        folds += folding.dabs(height / 130, stretch=1.8) * np.float32(0.1)
        tone += slopes * folds * (np.float32(0.6) if mood.season.snow else np.float32(1.0))
    shade(picture, tone, mood)
    if mood.season.snow:
        _snow(picture, mood, tone, trees * (np.float32(1.25) - v) + woods * np.float32(0.45))


def _stepped(tone: Plane) -> Plane:
    """Pull a smooth tone towards a few flat ones, as paint from one mixed puddle is."""
    steps = np.round(tone * np.float32(2.4)) / np.float32(2.4)
    return np.asarray(np.float32(0.4) * tone + np.float32(0.6) * steps, np.float32)


def shade(picture: Colours, tone: Plane, mood: Mood) -> None:
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


def add_reflections(picture: Colours, reading: Reading, mood: Mood, brush: Brush) -> None:
    """Mirror each column of the picture about the water's edge above it, in place."""
    water = reading.mask(Kind.WATER)
    if not water.any():
        return
    height, width = reading.shape
    depth = below(~water)
    # The edge is followed loosely, or each mast would cut the water into columns.
    depth = np.asarray(cv2.blur(depth, (max(3, width // 110) | 1, 1)), np.float32)
    rows = np.arange(height, dtype=np.float32)[:, None]
    down = np.clip((rows / height - reading.horizon) / max(1 - reading.horizon, 0.1), 0, 1)
    waves = brush.of("waves")
    near = waves.noise(height / 22, octaves=3, stretch=7)
    far = waves.noise(height / 80, octaves=2, stretch=9)
    swell = near * down + far * (1 - down)
    across = np.arange(width, dtype=np.float32)[None, :]
    source_x = across + swell * np.float32(height / 240) * (np.float32(0.4) + 2 * down)
    edge = rows - depth
    source_y = edge - depth * np.float32(0.92) - swell * np.float32(height / 200) * down
    source_y = np.clip(np.abs(source_y), 0, np.maximum(edge, 0))
    mirrored = np.float32(0.9) * cv2.remap(
        picture,
        source_x.astype(np.float32),
        source_y.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    clear = np.float32(0.62) * np.exp(-depth / np.float32(height * 0.42))
    picture += (mirrored - picture) * (clear * water)[..., None].astype(np.float32)
    crest = np.clip(swell - np.float32(0.85), 0, 1.2) * np.float32(0.34)
    trough = np.clip(-swell - np.float32(0.6), 0, 1.2) * np.float32(0.2)
    glitter = rgb(mood.light.glow if mood.time != "day" else "#f4fbff")
    path = np.exp(-(((across / width - mood.sun) / 0.16) ** 2))
    crest = (
        crest
        * np.float32(0.55 if mood.light.stars else 1.0)
        * (np.float32(0.55) + path * np.float32(1.0))
    )
    picture += (glitter - picture) * (np.clip(crest, 0, 0.8) * water)[..., None].astype(np.float32)
    picture *= (1 - trough * water)[..., None].astype(np.float32)
