"""Rooms: light that comes through windows and lies on the floor, lamps, and the view outside."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from haikei.painting.strokes import Brush, Colour, Colours, Light, mix, rgb
from haikei.reading import Kind, Plane, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomLight:
    """What a time of day does to a room."""

    key: tuple[float, float, float]  #: on what the windows' light meets
    shade: tuple[float, float, float]  #: on what it does not
    bloom: tuple[float, float, float]  #: of the windows
    patch: float  #: how strongly the sun lies on the floor


ROOMS: Mapping[str, RoomLight] = {
    "morning": RoomLight(
        key=(1.04, 0.98, 0.88), shade=(0.60, 0.62, 0.68), bloom=(1.0, 0.93, 0.78), patch=0.75
    ),
    "day": RoomLight(
        key=(1.03, 1.01, 0.97), shade=(0.60, 0.63, 0.68), bloom=(1.0, 0.99, 0.94), patch=0.6
    ),
    "sunset": RoomLight(
        key=(1.02, 0.82, 0.64), shade=(0.46, 0.38, 0.44), bloom=(1.0, 0.66, 0.36), patch=0.85
    ),
    "night": RoomLight(
        key=(0.30, 0.36, 0.54), shade=(0.17, 0.21, 0.36), bloom=(0.42, 0.52, 0.75), patch=0.22
    ),
}
#: A room at night in which a lamp is drawn: it burns.
LAMPLIT = RoomLight(
    key=(0.98, 0.82, 0.60), shade=(0.36, 0.29, 0.30), bloom=(1.0, 0.80, 0.48), patch=0.0
)
GREENERY: Mapping[str, Colour] = {
    "spring": rgb("#b5cf98"),
    "summer": rgb("#86ad7c"),
    "autumn": rgb("#c9a06a"),
    "winter": rgb("#d3dde4"),
}


def room_light(time: str, *, lamps: bool) -> RoomLight:
    """Return the light of a room at a time of day."""
    return LAMPLIT if lamps and time == "night" else ROOMS[time]


def show_view(
    picture: Colours, reading: Reading, light: Light, *, season: str, brush: Brush
) -> None:
    """Put the sky of the hour into a room's windows, over something soft and green, in place."""
    panes = reading.mask(Kind.WINDOW)
    if not panes.any():
        return
    height, width = reading.shape
    down = (np.arange(height, dtype=np.float32) / height)[:, None]
    stops = np.stack([rgb(code) for code in light.sky])
    where = np.clip(down[:, 0] / max(reading.horizon, 0.3), 0, 1)
    column = np.stack([np.interp(where, (0, 0.42, 0.78, 1), stops[:, b]) for b in range(3)], axis=1)
    view = np.repeat(column[:, None, :].astype(np.float32), width, axis=1)
    _, v = reading.within()
    edge = np.float32(0.62) + brush.noise(height / 10, octaves=3, stretch=1.2) * np.float32(0.05)
    green = (GREENERY[season] * np.asarray(light.key, np.float32)).astype(np.float32)
    green = (green + (rgb(light.haze) - green) * np.float32(0.35)).astype(np.float32)
    view = mix(view, green, np.clip((v - edge) * 14, 0, 1).astype(np.float32) * np.float32(0.85))
    if not light.stars:
        # From within, outside is brighter than anything in the room.
        view += (1 - view) * np.float32(0.3)
    np.copyto(picture, view, where=panes[..., None])


def light_room(picture: Colours, reading: Reading, light: RoomLight, *, lamps: bool) -> None:
    """Let the room fade from where its light comes from, in place."""
    height, width = reading.shape
    sources = reading.mask(Kind.LAMP) if lamps else reading.mask(Kind.WINDOW, Kind.SKY)
    if not sources.any():
        return
    size = (max(8, width // 8), max(8, height // 8))
    small = cv2.resize(sources.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    wide = cv2.GaussianBlur(small, (0, 0), size[1] / 3.2) + cv2.GaussianBlur(
        small, (0, 0), size[1] / 9
    ) * np.float32(0.6)
    wide = wide / max(float(np.percentile(wide, 97)), 1e-6)
    fall = np.asarray(cv2.resize(wide, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    fall = np.clip(fall, 0, 1.15)
    own = ~(sources | reading.mask(Kind.WINDOW, Kind.SKY, Kind.FIGURE))
    dark = np.float32(0.56 if lamps else 0.8)
    gain = (dark + (np.float32(1.12) - dark) * fall) * own + (1 - own)
    picture *= gain[..., None].astype(np.float32)
    bloom = np.asarray(light.bloom, np.float32)
    veil = fall * own * np.float32(0.16 if lamps else 0.1)
    picture += (bloom - picture) * veil[..., None].astype(np.float32)


def lay_sunlight(picture: Colours, reading: Reading, light: RoomLight) -> None:
    """Throw the windows' shapes on the floor, in place."""
    floor = reading.mask(Kind.FLOOR, Kind.FURNITURE)
    panes = reading.mask(Kind.WINDOW, Kind.SKY)
    if light.patch <= 0 or not floor.any() or not panes.any():
        return
    height, width = reading.shape
    vanishing = reading.shapes.vanishing
    middle = 0.5 * width if vanishing is None else vanishing[0] * height
    levels = reading.mask(Kind.FLOOR)
    first = np.where(levels.any(axis=0), levels.argmax(axis=0), height)
    rows, columns = np.nonzero(panes)
    keep = rows < first[columns]
    rows, columns = rows[keep], columns[keep]
    high = first[columns] - rows
    # Windows in side walls throw light across the room, those ahead of us towards us.
    part = (middle - columns) / max(middle, width - middle)
    x = np.round(columns + np.clip(part * 1.5, -0.9, 0.9) * high).astype(np.int64)
    y = np.round(first[columns] + 0.6 * high).astype(np.int64)
    inside = (x >= 0) & (x < width) & (y < height)
    patch = np.zeros(reading.shape, np.uint8)
    patch[y[inside], x[inside]] = 255
    size = max(3, height // 90) | 1
    closed = cv2.morphologyEx(patch, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    soft: Plane = cv2.GaussianBlur(closed, (0, 0), max(1.0, height / 220)).astype(np.float32)
    amount = soft * np.float32(light.patch / 255) * floor
    lit = np.clip(
        picture * np.float32(1.45) + np.asarray(light.bloom, np.float32) * np.float32(0.14), 0, 1
    )
    picture += (lit - picture) * amount[..., None]
