"""
Dabs of a loaded brush over the wash: leaves, grass, walls and ground, then light and water.

Light comes late in a painting: cast shadows, lamps, a low sun, reflections.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.painting.strokes import SHADOW_TINT, Brush, Colours, rgb
from haikei.painting.wash import Mood
from haikei.reading import STANDING, Kind, Plane, Reading


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


def below(mask: NDArray[np.bool_]) -> Plane:
    """Return how many pixels each pixel lies under the nearest marked one above it."""
    height = mask.shape[0]
    rows = np.arange(height, dtype=np.int32)[:, None]
    last = np.maximum.accumulate(np.where(mask, rows, np.int32(-4 * height)), axis=0)
    return (rows - last).astype(np.float32)


def add_shadows(picture: Colours, reading: Reading, mood: Mood) -> None:
    """Darken under eaves and beside what stands on the ground, in place."""
    height = reading.shape[0]
    strength = 0.55 if mood.light.stars else 1.0
    built = reading.mask(Kind.WALL, Kind.WINDOW, Kind.DOOR)
    roofs = reading.mask(Kind.ROOF)
    shadow = np.zeros(reading.shape, np.float32)
    if roofs.any() and built.any():
        eaves = np.exp(-((below(roofs) / (height * 0.022)) ** 2))
        shadow += eaves * built * np.float32(0.42)
    ground = reading.mask(Kind.GRASS, Kind.PAVING, Kind.EARTH)
    standing = reading.mask(*STANDING, Kind.WINDOW, Kind.DOOR)
    if ground.any() and standing.any():
        contact = np.exp(-below(standing) / np.float32(height * 0.014))
        side = 1 if mood.sun < 0.5 else -1
        lean = max(1, round(height * (0.03 if mood.time in {"morning", "sunset"} else 0.012)))
        beside = np.zeros_like(contact)
        if side > 0:
            beside[:, lean:] = contact[:, :-lean]
        else:
            beside[:, :-lean] = contact[:, lean:]
        cast = np.maximum(contact, np.float32(0.8) * beside)
        cast = cv2.GaussianBlur(cast, (0, 0), max(0.8, height / 300))
        shadow += cast * ground * np.float32(0.5)
    if mood.season.snow:
        shadow *= np.float32(0.8)
    dark = picture * (np.float32(0.45) + np.float32(0.55) * SHADOW_TINT)
    picture += (dark - picture) * (np.clip(shadow, 0, 0.75) * np.float32(strength))[..., None]


def add_glow(picture: Colours, reading: Reading, mood: Mood) -> None:
    """Let lit windows shine into the air around them, in place."""
    if mood.light.lit < 0.3:
        return
    height, width = reading.shape
    windows = reading.mask(Kind.WINDOW)
    lit = windows & (picture[..., 0] > 0.7) & (picture[..., 0] > picture[..., 2] + 0.15)
    if not lit.any():
        return
    small = cv2.resize(
        picture * lit[..., None],
        (max(8, width // 4), max(8, height // 4)),
        interpolation=cv2.INTER_AREA,
    )
    air = cv2.GaussianBlur(small, (0, 0), max(1.0, height / 240)) * np.float32(0.55)
    air += cv2.GaussianBlur(small, (0, 0), max(2.0, height / 70)) * np.float32(0.9)
    shine = cv2.resize(air, (width, height), interpolation=cv2.INTER_LINEAR)
    gain = np.float32(0.75 if mood.light.stars else 0.4)
    picture += shine * gain * np.clip(1 - picture, 0, 1)


def add_sunlight(picture: Colours, reading: Reading, mood: Mood) -> None:
    """Lay the light of a low sun over everything, strongest where it stands, in place."""
    warmth = {"sunset": 0.20, "morning": 0.12, "day": 0.05}.get(mood.time, 0.0)
    if not warmth:
        return
    height, width = reading.shape
    across = (np.arange(width, dtype=np.float32) / width - mood.sun)[None, :]
    down = (np.arange(height, dtype=np.float32) / height - reading.horizon)[:, None]
    fall = np.exp(-((across / 0.42) ** 2) - (down / 0.45) ** 2) * np.float32(warmth)
    picture += (rgb(mood.light.glow) - picture) * fall[..., None].astype(np.float32)
    # What is far from the sun and near to us lies in cooler shade.
    depth = np.clip(down / max(1 - reading.horizon, 0.1), 0, 1) * np.clip(
        np.abs(across) + 0.35, 0, 1
    )
    cool = np.asarray(mood.light.shade, np.float32) ** np.float32(0.6)
    shade = (np.float32(1.3 * warmth) * depth)[..., None].astype(np.float32)
    picture *= 1 + (cool - 1) * shade


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
    near = brush.noise(height / 22, octaves=3, stretch=7)
    far = brush.noise(height / 80, octaves=2, stretch=9)
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
