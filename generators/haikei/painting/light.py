"""What light and water do late in a painting: cast shadows, lamps, a low sun, reflections."""

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.painting.palette import SHADOW_TINT, rgb
from haikei.painting.strokes import Brush, Colours
from haikei.painting.wash import Mood
from haikei.reading import STANDING, Kind, Plane, Reading


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
