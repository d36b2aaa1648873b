"""The two stages of a painting, step by step, and what of the layout they could not read."""

import zlib

import cv2
import numpy as np

from haikei.painting.adjusting import AS_IT_IS, Adjusting, adjust
from haikei.painting.details import add_foliage, add_reflections
from haikei.painting.region_changes import RegionChanges
from haikei.painting.rooms import lay_sunlight
from haikei.painting.standing import Standing, standing
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
from haikei.painting.sunlight import add_glow, add_shadows, add_sunlight, add_traced
from haikei.painting.surfaces import add_surfaces
from haikei.painting.wash import Mood, finish_sky, lay_wash
from haikei.reading import Cancelling, Kind, Plane, Reading

WASH_LINE, FULL_LINE = 0.4, 1.0
WASH_GRAIN, FULL_GRAIN = 0.010, 0.022
REPORTED_SHARE = 0.02  #: part of the picture below which no doubt is reported
PLACES = (
    ("upper left", "upper middle", "upper right"),
    ("left", "middle", "right"),
    ("lower left", "lower middle", "lower right"),
)


def paint_wash(
    reading: Reading,
    *,
    season: str,
    time: str,
    seed: int,
    pause: Cancelling,
    location: str = "",
    adjusting: Adjusting = AS_IT_IS,
    changes: RegionChanges | None = None,
) -> Colours:
    """
    Return the first stage, (height, width, 3), sRGB, at the layout's size.

    Pictures that name the same `location` share its palette; without one each drawing has its own.
    """
    stand = standing(reading)
    mood = _mood(reading, stand, season, time, location)
    brush = Brush(reading.shape, _seed(seed, "wash"))
    wash = lay_wash(reading, mood, stand, brush, pause)
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
    location: str = "",
    changes: RegionChanges | None = None,
) -> Colours:
    """
    Return the finished painting over `base`, (height, width, 3), sRGB, at the layout's size.

    The base gives every colour: what was changed in it by hand stays changed.
    """
    stand = standing(reading)
    mood = _mood(reading, stand, season, time, location)
    brush = Brush(reading.shape, _seed(seed, "full"))
    picture = _at_size(base, reading.shape).copy()
    lost = None if picture.shape == base.shape else base - _at_size(picture, reading.size)
    finish_sky(picture, reading, mood.light, brush.of("sky"))
    pause()
    add_foliage(picture, reading, mood, brush)
    pause()
    add_surfaces(picture, reading, mood, stand, brush)
    pause()
    add_shadows(picture, reading, mood, stand)
    add_traced(picture, reading, mood)
    if mood.indoors:
        lay_sunlight(picture, reading, mood.room)
    add_glow(picture, reading, mood)
    pause()
    add_reflections(picture, reading, mood, brush)
    add_sunlight(picture, reading, mood)
    pause()
    picture = _at_size(bleed(picture, reading, brush.of("bleed")), reading.size)
    if lost is not None:
        picture += lost
    line = reading.line
    if changes is not None:
        picture, line = changes.apply(picture), changes.line
    pause()
    add_line(picture, reading, FULL_LINE, line, reading.size)
    _sheet(picture, reading, seed, FULL_GRAIN)
    return np.clip(picture, 0, 1, out=picture)


def _mood(reading: Reading, stand: Standing, season: str, time: str, location: str) -> Mood:
    # Both stages of a picture have seeds of their own; its sun and its palette are one.
    drawing = zlib.crc32(np.round(reading.shapes.x, 3).astype(np.float32).tobytes())
    side = np.random.default_rng(_seed(drawing, f"sun at {location}")).random()
    sun = 0.16 + 0.2 * side if side < 0.5 else 0.64 + 0.2 * side
    return Mood(
        season=SEASONS[season],
        season_name=season,
        light=LIGHTS[time],
        time=time,
        sun=float(sun),
        location=location or f"drawing {drawing}",
        indoors=stand.indoors,
        lamps=bool((reading.kinds == Kind.LAMP).any()) and LIGHTS[time].lit >= 0.3,
    )


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


def notes_of(reading: Reading) -> tuple[str, ...]:
    """Return what a reviewer should know, a sentence each; none where all was read."""
    notes: list[str] = []
    if reading.unread >= REPORTED_SHARE:
        where = _places(reading.spread(reading.doubtful.astype(np.float64)))
        notes.append(
            f"{reading.unread:.0%} of the drawing could not be read ({where}); "
            "it is painted quietly, in the colours around it."
        )
    figures = reading.shapes.area[reading.kinds == Kind.FIGURE].sum()
    if figures > 0:
        notes.append(
            f"{float(figures):.1%} of the picture looks like a figure or a cel area; "
            "it is left as paper."
        )
    return (*notes, *reading.sheet.doubts)


def _places(plane: Plane) -> str:
    """Name where most of it lies: parts that hold at least a fifth of it, largest first."""
    height, width = plane.shape
    sums = {
        PLACES[row][column]: float(
            plane[
                row * height // 3 : (row + 1) * height // 3,
                column * width // 3 : (column + 1) * width // 3,
            ].sum()
        )
        for row in range(3)
        for column in range(3)
    }
    whole = max(sum(sums.values()), 1e-9)
    main = sorted(sums, key=lambda name: -sums[name])
    large = [name for name in main if sums[name] >= 0.2 * whole]
    return ", ".join(large[:3] or main[:2])
