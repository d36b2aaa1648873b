"""
The two stages of a painting, step by step, and what a retake asks of a wash: less green, warmer.
"""

import zlib
from dataclasses import dataclass

import cv2
import numpy as np

from haikei.painting.details import add_foliage, add_reflections
from haikei.painting.rooms import lay_sunlight
from haikei.painting.standing import Standing, standing
from haikei.painting.strokes import (
    LIGHTS,
    SEASONS,
    Brush,
    Colours,
    Light,
    add_grain,
    add_line,
    bleed,
    leave_margin,
    rgb,
)
from haikei.painting.sunlight import add_glow, add_shadows, add_sunlight
from haikei.painting.surfaces import add_surfaces
from haikei.painting.wash import Mood, finish_sky, lay_wash
from haikei.reading import Cancelling, Kind, Plane, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjusting:
    """How far each quality is turned, -1 to 1; 0 leaves it as it is."""

    green: float = 0.0
    clouds: float = 0.0
    warmth: float = 0.0
    light: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    haze: float = 0.0


AS_IT_IS = Adjusting()


def adjust(
    picture: Colours, reading: Reading, light: Light, brush: Brush, how: Adjusting
) -> Colours:
    """Return the wash, (height, width, 3), sRGB, 0 to 1, with its qualities turned."""
    if how == AS_IT_IS:
        return picture
    picture = picture.copy()
    if how.clouds:
        _clouds(picture, reading, light, brush, how.clouds)
    if how.haze:
        _haze(picture, reading, light, how.haze)
    lab = np.asarray(cv2.cvtColor(np.clip(picture, 0, 1), cv2.COLOR_RGB2Lab), np.float32)
    lightness, chroma = lab[..., 0], lab[..., 1:]
    if how.green:
        # In Lab green lies at about 135°; what is within 60° of it counts as green.
        hue = np.arctan2(chroma[..., 1], chroma[..., 0])
        near = np.clip(1 - np.abs(hue - np.radians(128)) / np.radians(60), 0, 1)
        chroma *= (1 + np.float32(0.75 * how.green) * near)[..., None]
        lightness *= 1 + np.float32(0.06 * max(-how.green, 0.0)) * near
    if how.saturation:
        chroma *= np.float32(1 + 0.6 * how.saturation)
    if how.warmth:
        chroma += np.array([5.0, 16.0], np.float32) * np.float32(how.warmth)
    if how.contrast:
        middle = np.float32(np.mean(lightness))
        lightness += (lightness - middle) * np.float32(0.45 * how.contrast)
    if how.light:
        # A power keeps black and white where they are.
        whole = np.clip(lightness / np.float32(100), 0, 1)
        lightness[...] = np.float32(100) * whole ** np.float32(2 ** (-0.9 * how.light))
    lab[..., 0] = np.clip(lightness, 0, 100)
    return np.clip(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), 0, 1).astype(np.float32)


def _clouds(picture: Colours, reading: Reading, light: Light, brush: Brush, amount: float) -> None:
    height, _ = reading.shape
    aloft = reading.mask(Kind.SKY, Kind.CLOUD).astype(np.float32)
    if amount < 0:
        drawn = reading.mask(Kind.CLOUD).astype(np.float32)
        soft = cv2.GaussianBlur(drawn, (0, 0), max(0.8, height / 300))
        picture += (_clear(reading, light) - picture) * (soft * np.float32(-amount))[..., None]
        return
    billows = brush.noise(height / 4, octaves=5, stretch=2.2)
    cover = np.clip((billows - np.float32(1.1 - 1.3 * amount)) * np.float32(1.6), 0, 1)
    cover = cover * cover * (3 - 2 * cover) * aloft
    shade = np.clip(brush.noise(height / 6, octaves=3, stretch=2.0) * 0.35 + 0.45, 0, 1)
    lit, dark = rgb(light.cloud[0]), rgb(light.cloud[1])
    body = lit + (dark - lit) * shade[..., None]
    picture += (body - picture) * (cover * np.float32(0.92))[..., None]


def _clear(reading: Reading, light: Light) -> Colours:
    height, width = reading.shape
    down = np.arange(height, dtype=np.float32) / np.float32(height)
    depth = np.clip(down / np.float32(max(reading.horizon, 0.3)), 0.0, 1.0)
    stops = np.stack([rgb(code) for code in light.sky])
    where = np.linspace(0, 1, len(stops))
    column = np.stack([np.interp(depth, where, stops[:, band]) for band in range(3)], axis=1)
    return np.repeat(column[:, None, :].astype(np.float32), width, axis=1)


def _haze(picture: Colours, reading: Reading, light: Light, amount: float) -> None:
    height = reading.shape[0]
    down = np.arange(height, dtype=np.float32) / np.float32(height)
    far: Plane = np.exp(-(((down - np.float32(reading.horizon)) / 0.3) ** 2))[:, None]
    ground = 1 - reading.mask(Kind.SKY, Kind.CLOUD).astype(np.float32) * np.float32(0.6)
    veil = (far * ground * np.float32(abs(amount)))[..., None]
    air = rgb(light.haze)
    if amount > 0:
        picture += (air - picture) * veil * np.float32(0.6)
    else:
        # Taking air away: what lies in it stands out from it more strongly.
        picture += (picture - air) * veil * np.float32(0.35)
        np.clip(picture, 0, 1, out=picture)


WASH_LINE, FULL_LINE = 0.4, 1.0
WASH_GRAIN, FULL_GRAIN = 0.010, 0.022


def paint_wash(
    reading: Reading,
    *,
    season: str,
    time: str,
    seed: int,
    pause: Cancelling,
    location: str = "",
    adjusting: Adjusting = AS_IT_IS,
) -> Colours:
    """
    Return the first stage, (height, width, 3), sRGB, at the layout's size.

    Pictures that name the same `location` share its palette; without one the seed picks it.
    """
    stand = standing(reading)
    mood = _mood(reading, stand, season, time, seed, location)
    brush = Brush(reading.shape, _seed(seed, "wash"))
    wash = lay_wash(reading, mood, stand, brush, pause)
    more = Brush(reading.shape, _seed(seed, "adjust"))
    wash = adjust(wash, reading, mood.light, more, adjusting)
    picture = _at_size(wash, reading.size)
    pause()
    add_line(picture, reading, WASH_LINE, reading.line, reading.size)
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
) -> Colours:
    """
    Return the finished painting over `base`, (height, width, 3), sRGB, at the layout's size.

    The base gives every colour: what was changed in it by hand stays changed.
    """
    stand = standing(reading)
    mood = _mood(reading, stand, season, time, seed, location)
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
    pause()
    add_line(picture, reading, FULL_LINE, reading.line, reading.size)
    _sheet(picture, reading, seed, FULL_GRAIN)
    return np.clip(picture, 0, 1, out=picture)


def _mood(
    reading: Reading, stand: Standing, season: str, time: str, seed: int, location: str
) -> Mood:
    side = np.random.default_rng(_seed(seed, "sun")).random()
    sun = 0.16 + 0.2 * side if side < 0.5 else 0.64 + 0.2 * side
    return Mood(
        season=SEASONS[season],
        season_name=season,
        light=LIGHTS[time],
        time=time,
        sun=float(sun),
        location=location or f"seed {seed}",
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
