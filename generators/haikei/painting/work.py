"""The two stages of a painting, step by step."""

import zlib

import cv2
import numpy as np

from haikei.painting.adjusting import AS_IT_IS, Adjusting, adjust
from haikei.painting.details import (
    add_foliage,
    add_glow,
    add_reflections,
    add_shadows,
    add_sunlight,
    add_surfaces,
)
from haikei.painting.region_changes import RegionChanges
from haikei.painting.strokes import (
    LIGHTS,
    SEASONS,
    Brush,
    Colours,
    add_grain,
    add_line,
    bleed,
    leave_margin,
)
from haikei.painting.wash import Mood, finish_sky, lay_wash
from haikei.reading import Cancelling, Reading

WASH_LINE, FULL_LINE = 0.4, 1.0
WASH_GRAIN, FULL_GRAIN = 0.010, 0.022


def paint_wash(
    reading: Reading,
    *,
    season: str,
    time: str,
    seed: int,
    pause: Cancelling,
    adjusting: Adjusting = AS_IT_IS,
    changes: RegionChanges | None = None,
) -> Colours:
    """Return the first stage, (height, width, 3), sRGB, at the layout's size."""
    mood = _mood(season, time, seed)
    brush = Brush(reading.shape, _seed(seed, "wash"))
    wash = lay_wash(reading, mood, brush, pause)
    more = Brush(reading.shape, _seed(seed, "adjust"))
    wash = adjust(wash, reading, mood.light, more, adjusting)
    picture = _at_size(wash, reading.size)
    line = reading.line
    if changes is not None:
        picture, line = changes.apply(picture), changes.line
    pause()
    add_line(picture, reading, WASH_LINE, line, reading.size)
    _sheet(picture, reading, seed, WASH_GRAIN)
    return np.clip(picture, 0, 1, out=picture)


def paint_full(
    reading: Reading,
    base: Colours,
    *,
    season: str,
    time: str,
    seed: int,
    pause: Cancelling,
    changes: RegionChanges | None = None,
) -> Colours:
    """
    Return the finished painting over `base`, (height, width, 3), sRGB, at the layout's size.

    The base gives every colour: what was changed in it by hand stays changed.
    """
    mood = _mood(season, time, seed)
    brush = Brush(reading.shape, _seed(seed, "full"))
    picture = _at_size(base, reading.shape).copy()
    lost = None if picture.shape == base.shape else base - _at_size(picture, reading.size)
    finish_sky(picture, reading, mood.light, brush)
    pause()
    add_foliage(picture, reading, mood, brush)
    pause()
    add_surfaces(picture, reading, mood, brush)
    pause()
    add_shadows(picture, reading, mood)
    add_glow(picture, reading, mood)
    pause()
    add_reflections(picture, reading, mood, brush)
    add_sunlight(picture, reading, mood)
    pause()
    picture = _at_size(bleed(picture, reading, brush), reading.size)
    if lost is not None:
        picture += lost
    line = reading.line
    if changes is not None:
        picture, line = changes.apply(picture), changes.line
    pause()
    add_line(picture, reading, FULL_LINE, line, reading.size)
    _sheet(picture, reading, seed, FULL_GRAIN)
    return np.clip(picture, 0, 1, out=picture)


def _mood(season: str, time: str, seed: int) -> Mood:
    side = np.random.default_rng(_seed(seed, "sun")).random()
    sun = 0.16 + 0.2 * side if side < 0.5 else 0.64 + 0.2 * side
    return Mood(season=SEASONS[season], light=LIGHTS[time], time=time, sun=float(sun))


def _seed(seed: int, purpose: str) -> int:
    return zlib.crc32(f"{purpose}:{seed}".encode())


def _sheet(picture: Colours, reading: Reading, seed: int, grain: float) -> None:
    add_grain(picture, Brush(reading.size, _seed(seed, "paper")), grain)
    leave_margin(picture, reading.frame)


def _at_size(picture: Colours, shape: tuple[int, int]) -> Colours:
    if picture.shape[:2] == shape:
        return picture
    shrink = picture.shape[0] > shape[0]
    how = cv2.INTER_AREA if shrink else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, shape[::-1], interpolation=how), np.float32)
