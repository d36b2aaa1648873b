"""What a retake asks of a whole wash: less green, more clouds, warmer."""

from dataclasses import dataclass

import cv2
import numpy as np

from haikei.painting.strokes import Brush, Colours, Light, rgb
from haikei.reading import Kind, Plane, Reading


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
