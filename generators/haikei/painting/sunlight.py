"""One sun: what stands in its way throws a shadow, what it meets is lit; lamps when it is gone."""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from haikei.painting.standing import Standing, grounded
from haikei.painting.strokes import SHADOW_TINT, Colours, rgb
from haikei.painting.wash import Mood
from haikei.reading import STANDING, Kind, Plane, Reading
from haikei.sheets import TraceRole

#: How far a shadow reaches sideways and towards us, for each unit of height.
LENGTHS: Mapping[str, tuple[float, float]] = {
    "morning": (0.85, 0.2),
    "day": (0.4, 0.16),
    "sunset": (1.05, 0.2),
    "night": (0.5, 0.16),
}
DEPTHS: Mapping[str, float] = {"morning": 0.42, "day": 0.5, "sunset": 0.26, "night": 0.26}
TRACED: Mapping[TraceRole, float] = {TraceRole.SHADOW: 0.62, TraceRole.LIGHT: 0.4}
THROWN = 160  #: shadows that are thrown at most, the largest


def below(mask: NDArray[np.bool_]) -> Plane:
    """Return how many pixels each pixel lies under the nearest marked one above it."""
    height = mask.shape[0]
    rows = np.arange(height, dtype=np.int32)[:, None]
    last = np.maximum.accumulate(np.where(mask, rows, np.int32(-4 * height)), axis=0)
    return (rows - last).astype(np.float32)


def add_shadows(picture: Colours, reading: Reading, mood: Mood, stand: Standing) -> None:
    """Darken under eaves, where things touch the ground, and where they keep the sun off it."""
    height = reading.shape[0]
    shadow = np.zeros(reading.shape, np.float32)
    built = reading.mask(Kind.WALL, Kind.WINDOW, Kind.DOOR, Kind.OTHER)
    roofs = reading.mask(Kind.ROOF)
    if roofs.any() and built.any():
        eaves = np.exp(-((below(roofs) / (height * 0.022)) ** 2))
        shadow += eaves * built * np.float32(0.42)
    ground = grounded(reading)
    solid = reading.mask(*STANDING, Kind.DOOR)
    if ground.any() and solid.any():
        contact = np.exp(-below(solid) / np.float32(height * 0.012)) * np.float32(0.4)
        soft = max(0.8, height / (90 if stand.indoors else 380))
        cast = np.asarray(cv2.GaussianBlur(_cast(reading, stand, mood), (0, 0), soft), np.float32)
        strength = np.float32(0.34 if stand.indoors else DEPTHS[mood.time])
        shadow += np.maximum(contact, cast * strength) * ground
    dark = picture * (np.float32(0.4) + np.float32(0.5) * SHADOW_TINT)
    if stand.indoors:
        dark = picture * np.array([0.52, 0.47, 0.46], np.float32)
    picture += (dark - picture) * np.clip(shadow, 0, 0.78)[..., None]


def _cast(reading: Reading, stand: Standing, mood: Mood) -> Plane:
    """Lay each thing down on the ground, away from the sun and towards us."""
    height, width = reading.shape
    plane = np.zeros(reading.shape, np.float32)
    kinds, shapes = reading.kinds, reading.shapes
    throws = np.isin(kinds, (*STANDING, Kind.DOOR, Kind.LAMP)) & (shapes.area > 0.00015)
    throws &= (shapes.top < stand.foot) & (stand.foot < 1.02) & (stand.near > 0.01)
    chosen = np.flatnonzero(throws)
    chosen = chosen[np.argsort(-shapes.area[chosen], kind="stable")[:THROWN]]
    if not len(chosen):
        return plane
    aside, deep = LENGTHS[mood.time] if not stand.indoors else (0.25, 0.2)
    aside *= 1 if mood.sun < 0.5 else -1
    found = ndimage.find_objects(reading.labels + 1)
    for index in chosen.tolist():
        rows, columns = found[index]
        foot = float(stand.foot[index]) * height
        tall = foot - rows.start
        top, bottom = int(foot), min(height, int(foot + deep * tall) + 2)
        reach = int(abs(aside) * tall) + 2
        left = max(0, columns.start - reach)
        right = min(width, columns.stop + reach)
        if bottom <= top or right <= left:
            continue
        mask = (reading.labels[rows, columns] == index).astype(np.float32)
        high = foot - rows.start  # of the box's first row above the foot
        laid = np.array(
            [
                [1.0, -aside, columns.start - left + aside * high],
                [0.0, -deep, foot - top + deep * high],
            ]
        )
        drawn = cv2.warpAffine(mask, laid, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
        part = plane[top:bottom, left:right]
        np.maximum(part, drawn, out=part)
    return plane


def add_traced(picture: Colours, reading: Reading, mood: Mood) -> None:
    """
    Obey the trace lines of a sheet, in place: they are edges of shadow and of light.

    A line says where an edge is, not on which side of it the shadow lies: that side is the one
    away from the sun. What is shaded ends at the drawn line of the region that it is traced in.
    """
    sun = np.array([-0.5 if mood.sun < 0.5 else 0.5, -0.86], np.float32)
    for trace in reading.sheet.traces:
        # In a drawing that is made in one coloured pencil, that colour is the drawing's.
        if trace.role not in TRACED or trace.colour is reading.sheet.drawn_in:
            continue
        shaded = trace.role is TraceRole.SHADOW
        way = -sun if shaded else sun
        amount = _beside_line(trace.mask, reading, way) * np.float32(TRACED[trace.role])
        if shaded:
            other = picture * (np.float32(0.4) + np.float32(0.5) * SHADOW_TINT)
        else:
            other = picture * np.float32(1.2) + rgb(mood.light.glow) * np.float32(0.12)
        picture += (other - picture) * amount[..., None]


def _beside_line(traced: NDArray[np.bool_], reading: Reading, way: NDArray[np.float32]) -> Plane:
    """Return how much of an effect falls beside a line, on the side to which `way` points."""
    height, width = reading.shape
    small = cv2.resize(traced.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    line = small > 0.08
    if not line.any():
        return np.zeros(reading.shape, np.float32)
    distance, nearest = cv2.distanceTransformWithLabels(
        (~line).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rows, columns = np.nonzero(line)
    names = np.asarray(nearest, np.int32)
    count = int(names.max()) + 1
    at_y, at_x = np.zeros(count, np.float32), np.zeros(count, np.float32)
    region = np.zeros(count, np.int32)
    own = names[rows, columns]
    at_y[own], at_x[own], region[own] = rows, columns, reading.labels[rows, columns]
    across = np.arange(width, dtype=np.float32)[None, :] - at_x[names]
    down = np.arange(height, dtype=np.float32)[:, None] - at_y[names]
    side = (across * way[0] + down * way[1]) / np.maximum(np.asarray(distance), 1)
    fall = np.exp(-((np.asarray(distance, np.float32) / np.float32(height / 9)) ** 2))
    amount = np.clip(side * 3, 0, 1) * fall * (region[names] == reading.labels)
    amount *= ~reading.mask(Kind.SKY, Kind.CLOUD, Kind.FIGURE)
    return np.asarray(cv2.GaussianBlur(amount, (0, 0), max(0.8, height / 600)), np.float32)


def add_glow(picture: Colours, reading: Reading, mood: Mood) -> None:
    """Let lit windows and lamps shine into the air around them, in place."""
    if mood.light.lit < 0.3:
        return
    height, width = reading.shape
    panes = reading.mask(Kind.WINDOW) & (not mood.indoors)
    lit = panes & (picture[..., 0] > 0.7) & (picture[..., 0] > picture[..., 2] + 0.15)
    lit |= reading.mask(Kind.LAMP)
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
    if not warmth or mood.indoors:
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
