"""The lines of frames at full size: where exactly they lie, and a drawing without them."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.sheets.frames import Guess, Quad, hull
from haikei.sheets.sheet import Area, Ink, Mask

SAMPLES = 240  #: places along a side where its line is looked for
PRINTED = 0.45  #: how far a printed line strays from straight, in pixels of 1280
CLEAR = 1.0  #: pixels between a frame's line and what is painted


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameLine:
    """A frame at full size."""

    quad: Quad  #: along the middle of the line
    thickness: float
    stray: float  #: how far the line is from straight, in pixels
    drawn: float


def trace_frame(ink: Ink, guess: Guess, reach: float) -> FrameLine:
    """Look for the four lines of a guess within `reach` pixels, on the full picture."""
    sides: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    thickness: list[float] = []
    strays: list[float] = []
    for index in range(4):
        start, end = guess.quad[index], guess.quad[(index + 1) % 4]
        fitted = _side(ink, start, end, reach)
        if fitted is None:
            sides.append((start, end - start))
            continue
        # A second look, from near, is not drawn aside by what lies along the line.
        again = _side(ink, fitted[0], fitted[0] + fitted[1], max(2.5, 0.4 * reach)) or fitted
        sides.append((again[0], again[1]))
        thickness.append(again[2])
        strays.append(again[3])
    corners = [_crossing(sides[index - 1], sides[index]) for index in range(4)]
    return FrameLine(
        quad=np.stack(corners),
        thickness=float(np.median(thickness)) if thickness else 1.0,
        stray=max(strays) if strays else guess.stray,
        drawn=guess.drawn,
    )


def _side(
    ink: Ink, start: NDArray[np.float64], end: NDArray[np.float64], reach: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], float, float] | None:
    """Return a point, a direction, the thickness and the stray of a line near two points."""
    along = end - start
    length = float(np.linalg.norm(along))
    if length < 8:
        return None
    normal = np.array([-along[1], along[0]]) / length
    count = int(min(SAMPLES, length / 2))
    part = np.linspace(0.02, 0.98, count)
    offsets = np.arange(-reach, reach + 0.25, 0.5)
    base = start[None] + part[:, None] * along[None]
    points = base[:, None] + offsets[None, :, None] * normal[None, None]
    values = cv2.remap(
        ink,
        points[..., 0].astype(np.float32),
        points[..., 1].astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
    )
    usual = np.median(values, axis=0)
    peak = float(offsets[int(usual.argmax())]) if usual.max() > 0.15 else 0.0
    window = np.abs(offsets - peak) <= max(2.5, 0.6 * reach)
    local = np.where(window[None], values, 0.0)
    total = local.sum(axis=1)
    full = 0.9 * local.shape[1]
    usable = (total > 0.3) & (total < 0.75 * full)
    if usable.sum() < 8:
        return None
    where = (local * offsets[None]).sum(axis=1)[usable] / total[usable]
    places = part[usable] * length
    good = np.ones(len(where), np.bool_)
    slope, at = 0.0, float(np.median(where))
    for limit in (3.0, 1.5, 1.0):
        away = np.abs(where - (at + slope * places))
        good = away <= max(limit, 2.0 * float(np.median(away)))
        if good.sum() < 6:
            break
        slope, at = (float(v) for v in np.polyfit(places[good], where[good], 1))
    away = where[good] - (at + slope * places[good])
    stray = float(np.sqrt(np.mean(away**2))) if good.any() else 0.0
    first = start + at * normal
    direction = along / length + slope * normal
    thick = float(np.median(total[usable][good])) * 0.5 if good.any() else 1.0
    return first, direction * length, max(1.0, thick), stray


def _crossing(
    one: tuple[NDArray[np.float64], NDArray[np.float64]],
    other: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> NDArray[np.float64]:
    matrix = np.stack([one[1], -other[1]], axis=1)
    step = np.linalg.solve(matrix, other[0] - one[0])
    found: NDArray[np.float64] = one[0] + step[0] * one[1]
    return found


def shrunk(quad: Quad, by: float) -> Quad:
    """Move the sides of a convex polygon inwards by pixels (outwards where negative)."""
    lines: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    middle = quad.mean(axis=0)
    for index in range(len(quad)):
        start, end = quad[index], quad[(index + 1) % len(quad)]
        along = end - start
        normal = np.array([-along[1], along[0]]) / max(float(np.linalg.norm(along)), 1e-9)
        if float((middle - start) @ normal) < 0:
            normal = -normal
        lines.append((start + by * normal, along))
    return np.stack([_crossing(lines[index - 1], lines[index]) for index in range(len(quad))])


def polygon_mask(shape: tuple[int, int], quad: Quad) -> Mask:
    """Return the pixels inside of a convex polygon."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(mask, np.rint(quad * 16).astype(np.int32), 1, cv2.LINE_8, 4)
    found: Mask = mask > 0
    return found


def upright_area(mask: Mask) -> Area:
    """Return the upright rectangle around what is set."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return Area(
        left=int(columns[0]), top=int(rows[0]), right=int(columns[-1]) + 1, bottom=int(rows[-1]) + 1
    )


def painted_part(shape: tuple[int, int], frames: Sequence[FrameLine]) -> Mask:
    """Return the union of frames, without their own outer lines."""
    thick = max(one.thickness for one in frames)
    stray = max(one.stray for one in frames)
    return polygon_mask(shape, shrunk(hull([one.quad for one in frames]), _half(thick, stray)))


def lies_over(ink: Ink, frame: FrameLine, around: Quad) -> bool:
    """
    Tell whether a frame was ruled over a drawing, rather than being a thing that is drawn.

    Strokes go on beneath a frame; at the outline of a window or wall they end. Sides that are
    those of the frame `around` it say nothing.
    """
    border = around.astype(np.float32)
    through, ended = 0, 0
    away = _half(frame.thickness, frame.stray) + 2.0
    for index in range(4):
        start, end = frame.quad[index], frame.quad[(index + 1) % 4]
        ends = [
            cv2.pointPolygonTest(border, (float(x), float(y)), measureDist=True)
            for x, y in (start, (start + end) / 2, end)
        ]
        if max(ends) < 2 * away:
            continue
        along = end - start
        length = float(np.linalg.norm(along))
        normal = np.array([-along[1], along[0]]) / max(length, 1e-9)
        part = np.linspace(0.03, 0.97, max(8, int(length)))
        base = start[None] + part[:, None] * along[None]
        sides: list[Mask] = []
        for side in (-away, away):
            points = (base + side * normal).astype(np.float32)
            values = cv2.remap(
                ink, points[:, :1], points[:, 1:], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
            )
            met = cv2.dilate((values > 0.25).astype(np.uint8), np.ones((5, 1), np.uint8))
            sides.append(met[:, 0] > 0)
        both = sides[0] & sides[1]
        through += int((np.diff(both.astype(np.int8)) == 1).sum())
        for one, other in (sides, sides[::-1]):
            alone = one & ~other
            ended += int((np.diff(alone.astype(np.int8)) == 1).sum())
    return through >= 4 and through > 0.6 * ended


def without_lines(ink: Ink, frames: Sequence[FrameLine]) -> Ink:
    """
    Wipe lines of frames that stand on the drawing, in a copy; strokes that cross them go on.

    A stroke is what is dark on both sides of the line, or dark along a slope through it.
    """
    if not frames:
        return ink
    height, width = ink.shape
    wiped = ink.copy()
    for frame in frames:
        half = _half(frame.thickness, frame.stray) + 0.5
        for index in range(4):
            band = _band((height, width), frame.quad[index], frame.quad[(index + 1) % 4], half)
            rows, columns = np.nonzero(band)
            if not len(rows):
                continue
            crop = (
                slice(max(0, rows.min() - 12), rows.max() + 13),
                slice(max(0, columns.min() - 12), columns.max() + 13),
            )
            wiped[crop] = _bridged(wiped[crop], band[crop], half, level=index % 2 == 0)
    return wiped


def _band(
    shape: tuple[int, int], start: NDArray[np.float64], end: NDArray[np.float64], half: float
) -> Mask:
    along = end - start
    unit = along / max(float(np.linalg.norm(along)), 1e-9)
    normal = np.array([-unit[1], unit[0]])
    reach = 1.5 * half
    quad = np.stack(
        [
            start - reach * unit + half * normal,
            end + reach * unit + half * normal,
            end + reach * unit - half * normal,
            start - reach * unit - half * normal,
        ]
    )
    return polygon_mask(shape, quad)


def _bridged(ink: Ink, band: Mask, half: float, *, level: bool) -> Ink:
    """Wipe a band, and close again what leads from one side of it to the other."""
    bare = np.where(band, np.float32(0.0), ink)
    reach = 2 * int(np.ceil(half)) + 5
    closed = np.zeros_like(ink)
    for lean in (-1, 0, 1):
        kernel = _kernel(reach, lean, level=level)
        closed = np.maximum(closed, cv2.morphologyEx(bare, cv2.MORPH_CLOSE, kernel))
    return np.where(band, np.minimum(closed, ink), ink).astype(np.float32)


def _kernel(reach: int, lean: int, *, level: bool) -> NDArray[np.uint8]:
    kernel = np.zeros((reach, reach), np.uint8)
    for step in range(reach):
        kernel[step, reach // 2 if lean == 0 else step if lean > 0 else reach - 1 - step] = 1
    return kernel if level or lean else np.ascontiguousarray(kernel.T)


def _half(thickness: float, stray: float) -> float:
    """Return how far the line reaches from its middle, with its soft edge."""
    return 0.5 * thickness + 1.5 * min(stray, 2.0) + CLEAR
