"""Sky and clouds: a graded wash, cumulus left white, a sun or moon somewhere behind."""

import cv2
import numpy as np

from haikei.painting.palette import Colour, Light, rgb
from haikei.painting.strokes import Brush, Colours, mix
from haikei.reading import Kind, Plane, Reading

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
