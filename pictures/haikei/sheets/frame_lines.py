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
FAINT, SOFT = 0.12, 0.3  #: ink of a line's soft edge, and pixels that are wiped beside it
WAVERING = 25  #: pixels along a line over which a hand's wavering is followed
FEW = 5  #: strokes that meet a frame's line, from which on they say what it is
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
        near = max(2.5, 0.4 * reach, 0.5 * fitted[2] + 2.0)
        again = _side(ink, fitted[0], fitted[0] + fitted[1], near) or fitted
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
    values = _across(ink, base, normal, offsets)
    usual = np.median(values, axis=0)
    peak, wide = _plateau(usual, offsets) if usual.max() > 0.15 else (0.0, 0.0)
    window = np.abs(offsets - peak) <= max(2.5, 0.6 * reach, 0.5 * wide + 1.5)
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
    covered = 0.5 * (local > FAINT).sum(axis=1)
    thick = float(np.median(covered[usable][good])) if good.any() else 1.0
    return first, direction * length, max(1.0, thick), stray


def _across(
    ink: Ink,
    base: NDArray[np.float64],
    normal: NDArray[np.float64],
    offsets: NDArray[np.float64],
) -> Ink:
    """Return the ink at offsets across a way of points (n, 2): (n, offsets)."""
    points = (base[:, None] + offsets[None, :, None] * normal).astype(np.float32)
    values = cv2.remap(
        ink, points[..., 0], points[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
    )
    return np.asarray(values, np.float32)


def _plateau(usual: Ink, offsets: NDArray[np.float64]) -> tuple[float, float]:
    """Return the middle and the width of the darkest line: a thick one is dark over many pixels."""
    dark = usual > 0.6 * usual.max()
    darkest = int(usual.argmax())
    first, last = darkest, darkest
    while first > 0 and dark[first - 1]:
        first -= 1
    while last < len(dark) - 1 and dark[last + 1]:
        last += 1
    return float(offsets[first] + offsets[last]) / 2, float(offsets[last] - offsets[first])


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


def lies_over(ink: Ink, frames: Sequence[FrameLine], around: Quad, *, unmet: bool = False) -> bool:
    """
    Tell whether frames were ruled over a drawing, rather than being things that are drawn.

    Strokes go on beneath a frame; at the outline of a window or wall they end. Sides that are
    those of the frame `around` it say nothing. `unmet` is the answer where hardly a stroke meets
    them.
    """
    through, ended = 0, 0
    for frame in frames:
        away = _half(frame.thickness, frame.stray) + 2.0
        for index in range(4):
            start, end = frame.quad[index], frame.quad[(index + 1) % 4]
            if _along_border(start, end, around, 2 * away):
                continue
            along = end - start
            length = float(np.linalg.norm(along))
            normal = np.array([-along[1], along[0]]) / max(length, 1e-9)
            part = np.linspace(0.03, 0.97, max(8, int(length)))
            base = start[None] + part[:, None] * along[None]
            met = _across(ink, base, normal, np.array([-away, away])) > 0.25
            crossing, stopped = _crossings(met[:, 0], met[:, 1], 2 * away)
            through += crossing
            ended += stopped
    if through + ended < FEW:
        return unmet
    return through > 0.6 * ended


def _along_border(
    start: NDArray[np.float64], end: NDArray[np.float64], around: Quad, reach: float
) -> bool:
    """Tell whether a side runs along the border of a polygon, or outside of it."""
    border = around.astype(np.float32)
    return all(
        cv2.pointPolygonTest(border, (float(x), float(y)), measureDist=True) < reach
        for x, y in (start, (start + end) / 2, end)
    )


def _crossings(one: Mask, other: Mask, apart: float) -> tuple[int, int]:
    """
    Count strokes that are met on both sides of a line, and on one only.

    A stroke that crosses at a slant is met further along on the other side: by as much as the
    sides are apart, at half a right angle, and by twice that at most.
    """
    first, second = (_middles(met) for met in (one, other))
    used = np.zeros(len(second), np.bool_)
    through = 0
    for place in first:
        away = np.where(used, np.inf, np.abs(second - place))
        if len(away) and away.min() <= 2 * apart:
            used[int(away.argmin())] = True
            through += 1
    return through, len(first) + len(second) - 2 * through


def _middles(met: Mask) -> NDArray[np.float64]:
    """Return the middles of the runs that are met."""
    steps = np.diff(np.concatenate([[False], met, [False]]).astype(np.int8))
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    return np.asarray((starts + ends) / 2, np.float64)


def without_lines(ink: Ink, frames: Sequence[FrameLine], around: Quad) -> Ink:
    """
    Wipe lines of frames that stand on the drawing, in a copy; strokes that cross them go on.

    A stroke is what is dark on both sides of the line, or dark along a slope through it. Sides that
    run along the border `around` the painted part are gone with what lies outside.
    """
    if not frames:
        return ink
    wiped = ink.copy()
    for frame in frames:
        reach = _half(frame.thickness, frame.stray) + 0.5
        for index in range(4):
            start, end = frame.quad[index], frame.quad[(index + 1) % 4]
            if _along_border(start, end, around, reach):
                continue
            track, half = _followed(ink, start, end, reach)
            band = _band(ink.shape, track, half)
            rows, columns = np.nonzero(band)
            if not len(rows):
                continue
            crop = (
                slice(max(0, rows.min() - 12), rows.max() + 13),
                slice(max(0, columns.min() - 12), columns.max() + 13),
            )
            wiped[crop] = _bridged(wiped[crop], band[crop], half, level=index % 2 == 0)
    return wiped


def _followed(
    ink: Ink, start: NDArray[np.float64], end: NDArray[np.float64], reach: float
) -> tuple[NDArray[np.float64], float]:
    """
    Return points (n, 2) along the middle of a line that wavers within `reach` of two points' way.

    With half of its width, its soft edge included. The median over some pixels along is not drawn
    aside by strokes that cross.
    """
    along = end - start
    length = max(float(np.linalg.norm(along)), 1e-9)
    unit = along / length
    normal = np.array([-unit[1], unit[0]])
    steps = np.arange(-1.5 * reach, length + 1.5 * reach)
    offsets = np.arange(-reach, reach + 0.25, 0.5)
    base = start[None] + steps[:, None] * unit[None]
    values = _across(ink, base, normal, offsets)
    total = values.sum(axis=1)
    where = (values * offsets).sum(axis=1) / np.maximum(total, 1e-6)
    plain = (total > 0.3) & (total < 0.6 * len(offsets))
    if plain.sum() < 8:
        return np.asarray(base, np.float64), reach
    known = np.interp(steps, steps[plain], where[plain])
    wide = np.pad(known, WAVERING // 2, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(wide, WAVERING)
    half = 0.25 * float(np.median((values[plain] > FAINT).sum(axis=1))) + SOFT
    points = base + np.median(windows, axis=1)[:, None] * normal
    return np.asarray(points, np.float64), min(half, reach)


def _band(shape: tuple[int, ...], track: NDArray[np.float64], half: float) -> Mask:
    """Return the pixels within `half` of a way of points, square at its ends."""
    along = np.gradient(track, axis=0)
    unit = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    normal = np.stack([-unit[:, 1], unit[:, 0]], axis=1)
    outline = np.concatenate([track + half * normal, (track - half * normal)[::-1]])
    mask = np.zeros(shape, np.uint8)
    fixed = np.rint(outline * 16).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 1, cv2.LINE_8, 4)
    found: Mask = mask > 0
    return found


def _bridged(ink: Ink, band: Mask, half: float, *, level: bool) -> Ink:
    """Wipe a band, and close again what leads from one side of it to the other."""
    bare = np.where(band, np.float32(0.0), ink)
    reach = 2 * int(np.ceil(half)) + 3
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
