"""
The first stage: every region gets its colour, its gradient, its distance.

Sky and clouds are a graded wash, cumulus left white, a sun or moon somewhere behind.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.painting.palette import TORII, Palette, firs, ranks
from haikei.painting.rooms import RoomLight, light_room, room_light, show_view
from haikei.painting.standing import Standing, lit_part
from haikei.painting.strokes import (
    LAMPLIGHT,
    WATERS,
    Brush,
    Colour,
    Colours,
    Light,
    Season,
    mix,
    rgb,
)
from haikei.reading import (
    AIR,
    INDOORS,
    NATURAL,
    STANDING,
    Cancelling,
    Kind,
    Numbers,
    Plane,
    Reading,
)
from haikei.reading.layout_reading import DOUBTFUL

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
    Kind.ROCK: 0.22,
    Kind.VEHICLE: 0.12,
    Kind.FURNITURE: 0.10,
}
LEVEL = (Kind.GRASS, Kind.PAVING, Kind.EARTH, Kind.SAND, Kind.SNOW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """What is asked for: season and light, and where the sun stands in this picture."""

    season: Season
    season_name: str
    light: Light
    time: str
    sun: float  #: fraction of the picture's width
    location: str  #: whose palette it is
    indoors: bool
    lamps: bool  #: whether lamps that are drawn burn

    @property
    def room(self) -> RoomLight:
        """The light of a room at this time."""
        return room_light(self.time, lamps=self.lamps)


def lay_wash(
    reading: Reading, mood: Mood, stand: Standing, brush: Brush, pause: Cancelling
) -> Colours:
    """Return the colour wash, (height, width, 3), sRGB, at the painted size."""
    colours = _region_colours(reading, mood, stand, brush)
    colours = _quiet(colours, reading, stand)
    base = colours[reading.labels]
    pause()
    _, v = reading.within()
    slope = reading.spread(
        np.array([GRADIENT.get(Kind(kind), 0.0) for kind in reading.kinds], np.float64)
    )
    base *= (1 + slope * (0.5 - v))[..., None]
    if not mood.indoors:
        haze = _region_haze(reading, stand)
        air = rgb(mood.light.haze)
        base = mix(base, air, np.clip(_haze_plane(reading, haze, v), 0, 0.9))
    pause()
    _water(base, reading, mood)
    sky = paint_sky(reading, mood.light, brush.of("sky"), mood.sun)
    aloft = reading.mask(Kind.SKY, Kind.CLOUD)
    np.copyto(base, sky, where=aloft[..., None])
    pause()
    if mood.light.stars:
        add_stars(base, reading, brush.of("stars"), mood.sun)
    if mood.indoors:
        light_room(base, reading, mood.room, lamps=mood.lamps)
        show_view(base, reading, mood.light, season=mood.season_name, brush=brush.of("view"))
    pigment = brush.of("pigment").noise(reading.shape[0] / 12, octaves=2) * np.float32(0.012)
    base *= (1 + pigment * ~(aloft | reading.mask(Kind.FIGURE)))[..., None]
    return np.clip(base, 0, 1, out=base)


#: Factors of the three planes (far, middle, near), so that a picture reads in black and white.
VALUES = {
    "morning": (1.06, 1.0, 0.86),
    "day": (1.04, 1.0, 0.86),
    "sunset": (1.06, 1.0, 0.76),
    "night": (1.3, 1.0, 0.66),
}


def _region_colours(reading: Reading, mood: Mood, stand: Standing, brush: Brush) -> Colours:
    """Pick a material for each region and let the light fall on it; returns (n, 3)."""
    count = len(reading.kinds)
    chance = brush.of("windows").random.random(count)
    shade = brush.of("shade").random.standard_normal(count)
    rank = ranks(reading)
    palette = Palette(season=mood.season, location=mood.location, indoors=mood.indoors)
    part = lit_part(reading, stand, sun_left=mood.sun < 0.5)
    light = mood.room if mood.indoors else mood.light
    key, dark = (np.asarray(value, np.float32) for value in (light.key, light.shade))
    torii = _gates(reading) & (not mood.indoors)
    fir = firs(reading)
    colours = np.zeros((count, 3), np.float32)
    for index in range(count):
        kind = Kind(int(reading.kinds[index]))
        albedo = palette.pick(kind, int(rank[index]))
        if kind == Kind.HILL:
            albedo = _hill(reading, mood.season, index)
        if fir[index]:
            albedo = palette.evergreen(int(rank[index]))
        if torii[index]:
            albedo = rgb(TORII)
        colour = albedo * (key * part[index] + dark * (1 - part[index]))
        if kind in NATURAL and kind != Kind.HILL:
            colour = colour * np.float32(1 + 0.035 * np.clip(shade[index], -2, 2))
        if kind == Kind.WINDOW and not mood.indoors:
            colour = _window(mood, colour, float(chance[reading.groups[index]]), index, reading)
        elif kind == Kind.LAMP and mood.light.lit >= 0.3 and (mood.lamps or not mood.indoors):
            colour = rgb(LAMPLIGHT[0])
        elif kind == Kind.FIGURE:
            colour = albedo
        colours[index] = colour
    if not mood.indoors:
        colours *= _values(reading, mood, stand)[:, None]
    return colours


def _values(reading: Reading, mood: Mood, stand: Standing) -> NDArray[np.float32]:
    """Return the factor of each region's plane: what frames the picture in front is darkest."""
    far, middle, near = VALUES[mood.time]
    value = np.full(len(reading.kinds), middle)
    value[stand.near < 0.1] = far
    upright = np.isin(reading.kinds, (*STANDING, Kind.WINDOW, Kind.DOOR, Kind.LAMP))
    front = np.clip((stand.near - 0.7) / 0.3, 0, 1) * upright
    value += (near - value) * front
    value[np.isin(reading.kinds, (*AIR, Kind.FIGURE, Kind.LAMP))] = 1.0
    lit = (reading.kinds == Kind.WINDOW) & (mood.light.lit > 0)
    value[lit] = 1.0
    return np.asarray(value, np.float32)


def _gates(reading: Reading) -> NDArray[np.bool_]:
    """Tell the timbers of a torii: a long lintel high in the air with posts under it."""
    shapes = reading.shapes
    wood = reading.kinds == Kind.WOOD
    lintel: NDArray[np.bool_] = wood & (shapes.width > 0.35) & (shapes.y < reading.horizon)
    lintel &= shapes.width > 3 * shapes.height
    if not lintel.any():
        return lintel
    posts = wood & (shapes.height > 0.25) & (shapes.height > 2.5 * shapes.width)
    gate: NDArray[np.bool_] = (lintel | posts) & (posts.sum() >= 2)
    for _ in range(2):
        joined: NDArray[np.bool_] = (shapes.beside @ gate.astype(np.float64)) > 0.15
        gate |= wood & joined
    return np.asarray(gate, np.bool_)


def _quiet(colours: Colours, reading: Reading, stand: Standing) -> Colours:
    """Give what is not read the colours of what lies around it in its plane, paler."""
    unread = np.isin(reading.kinds, (Kind.UNKNOWN,))
    doubtful = (reading.sure < DOUBTFUL) & ~unread & ~np.isin(reading.kinds, AIR)
    amount = np.where(unread, 0.8, np.where(doubtful, 0.4, 0.0)).astype(np.float32)
    if not amount.any():
        return colours
    sure = ~(unread | doubtful | (reading.kinds == Kind.FIGURE))
    same = np.exp(-np.abs(stand.near[:, None] - stand.near[None, :]) * 3)
    weights = reading.shapes.beside * sure[None, :] * same
    whole = weights.sum(axis=1)
    around = (weights @ colours) / np.maximum(whole, 1e-9)[:, None]
    grey = colours[sure].mean(axis=0) if sure.any() else colours.mean(axis=0)
    around = np.where((whole > 0.02)[:, None], around, grey)
    mean = around.mean(axis=1, keepdims=True)
    around = around + (mean - around) * 0.3
    quiet = colours + (around.astype(np.float32) - colours) * amount[:, None]
    return np.asarray(quiet, np.float32)


def _window(mood: Mood, dark: Colour, pick: float, index: int, reading: Reading) -> Colour:
    if pick < mood.light.lit:
        return rgb(LAMPLIGHT[int(reading.groups[index]) % len(LAMPLIGHT)])
    return np.asarray(dark + (rgb(mood.light.sky[2]) - dark) * np.float32(0.3), np.float32)


def _hill(reading: Reading, season: Season, index: int) -> Colour:
    """Colour a hill between far and near by its height over the horizon."""
    far = np.clip((reading.horizon - reading.shapes.y[index]) / 0.2, 0.0, 1.0)
    near = rgb(season.hill[1])
    return np.asarray(near + (rgb(season.hill[0]) - near) * np.float32(far), np.float32)


def _region_haze(reading: Reading, stand: Standing) -> Numbers:
    """Return how much each region fades with its distance, 0 to 1."""
    shapes, kinds, horizon = reading.shapes, reading.kinds, reading.horizon
    below = np.maximum(stand.foot - horizon, 0.0)
    haze = 0.42 * np.exp(-below / 0.035)
    far = np.clip((horizon + 0.03 - shapes.y) / 0.24, 0.0, 1.0)
    haze = np.where(kinds == Kind.HILL, 0.26 + 0.4 * far, haze)
    haze = np.where(kinds == Kind.FOREST, 0.2 + 0.3 * far, haze)
    flat = np.isin(kinds, (*LEVEL, Kind.WATER))
    haze = np.where(flat, 0.0, haze)
    haze = np.where(np.isin(kinds, (*INDOORS, Kind.FIGURE)), 0.0, haze)
    return np.where(kinds == Kind.WINDOW, haze * 0.6, haze)


def _haze_plane(reading: Reading, haze: Numbers, v: Plane) -> Plane:
    height = reading.shape[0]
    plane = reading.spread(haze)
    slopes = reading.mask(Kind.HILL, Kind.FOREST)
    plane += slopes * (v - np.float32(0.35)) * np.float32(0.26)
    down = (np.arange(height, dtype=np.float32) / height)[:, None]
    near = np.exp(-np.maximum(down - np.float32(reading.horizon), 0) / np.float32(0.055))
    flat = reading.mask(*LEVEL)
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
