"""
Camera frames: rectangles of four ruled lines around the drawing, with a margin outside.

Rectangles are guessed from pairs of lines and judged by what lies inside and outside: a frame holds
the drawing, and leaves pegs, text and forms outside. A window or a wall has drawing on both sides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import atan, degrees

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.sheets.ruled_lines import RuledLine, level_lines, upright_lines
from haikei.sheets.sheet import Ink, Mask, PegHole

#: Width over height of frames: old television, 35 mm, vista, high definition, scope …
USUAL_RATIOS = (4 / 3, 1.371, 1.5, 1.6, 1.66, 16 / 9, 1.85, 2.0, 2.2, 2.35, 2.39)
SEARCHED = 640  #: pixels of the sheet's longer side where lines are looked for
WEIGHED = 160  #: pixels of the longer side where ink inside and outside is weighed
DRAWN = 0.78  #: part of each side that is drawn
SMALLEST = 0.22  #: of the sheet's width and height
LEANING = 1.3  #: degrees by which sides may differ
BLEED = 0.07  #: of its size, how far a drawing may run over its frame
CROWDED = 0.4  #: how dense ink may be outside of a frame, to inside
ACCEPTED, SURE = 0.8, 1.05  #: scores
#: Rectangles that are looked at, and those of them that may hold the drawing.
MOST_GUESSES, MOST_JUDGED = 400, 60
ALIKE = 0.015  #: of its size, how far the two ends of a PAN may differ
GAPS = 2.0  #: what a gap in the lines takes off a score, where another frame is as likely

Quad = NDArray[np.float64]  #: (4, 2) corners: x and y, clockwise from the top left


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Guess:
    """A rectangle that may be a frame, in pixels of the small picture."""

    quad: Quad
    drawn: float  #: the part of its sides that is drawn, 0 to 1
    overshoot: float  #: how far its lines go on past its corners, in its own size
    stray: float  #: how far its lines are from straight

    @property
    def size(self) -> tuple[float, float]:
        """Width and height."""
        across = np.linalg.norm(self.quad[1] - self.quad[0])
        down = np.linalg.norm(self.quad[3] - self.quad[0])
        return float(across), float(down)

    @property
    def ratio(self) -> float:
        """Width over height."""
        across, down = self.size
        return across / max(down, 1e-6)

    @property
    def usual(self) -> bool:
        """Whether cameras have such a ratio."""
        return any(abs(self.ratio / one - 1) < 0.022 for one in USUAL_RATIOS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoundFrames:
    """The frames of one sheet, in pixels of the whole picture."""

    outer: tuple[Guess, ...]  #: the camera's frames, whose union is painted; none on a bare drawing
    inner: tuple[Guess, ...] = ()  #: camera frames inside of it: T.U., or the two ends of a PAN
    safety: tuple[Guess, ...] = ()
    #: Two that fill the outer one, which may be a camera's itself: PAN, if they lie over drawing.
    ends: tuple[Guess, ...] = ()
    doubts: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weights:
    """Where ink lies, in cells: what looks like drawing, and what looks like writing."""

    drawing: Ink
    writing: Ink
    scale: float  #: cells for each pixel of the small picture
    touching: int  #: strokes of the drawing that the sheet's edge cuts
    pegs: bool

    def within(self, polygon: Quad, *, grown: float = 0.0) -> Mask:
        """Return the cells inside a convex polygon, grown by a part of its size."""
        points = polygon
        if grown:
            middle = points.mean(axis=0)
            points = middle + (points - middle) * (1 + 2 * grown)
        mask = np.zeros(self.drawing.shape, np.uint8)
        cells = np.rint((points + 0.5) * self.scale * 16 - 8).astype(np.int32)
        cv2.fillConvexPoly(mask, cells, 1, cv2.LINE_8, 4)
        found: Mask = mask > 0
        return found


def find_frames(dark: Mask, pegs: Sequence[PegHole] = ()) -> FoundFrames:
    """Return the frames that stand on a sheet; `dark` is (height, width), all of its ink."""
    height, width = dark.shape
    part = min(1.0, SEARCHED / max(height, width))
    small = _reduced(dark, part)
    level, upright = level_lines(small), upright_lines(small)
    if len(level) < 2 or len(upright) < 2:
        return FoundFrames(outer=())
    guesses = sorted(_guesses(level, upright, small.shape), key=_strength, reverse=True)
    guesses = _apart(guesses[:MOST_GUESSES])
    if not guesses:
        return FoundFrames(outer=())
    weights = _weigh(small, level, upright, _holes(pegs, small.shape, part))
    chosen = _choose(guesses[:MOST_JUDGED], weights)
    if chosen is None:
        return FoundFrames(outer=())
    outer, doubts = chosen
    ends = _ends_of(outer, guesses)
    if ends and not outer[0].usual:
        outer, ends = ends, ()
    inner, safety = _inside(outer, guesses)
    return FoundFrames(
        outer=tuple(_scaled(one, 1 / part) for one in outer),
        inner=tuple(_scaled(one, 1 / part) for one in inner),
        safety=tuple(_scaled(one, 1 / part) for one in safety),
        ends=tuple(_scaled(one, 1 / part) for one in ends),
        doubts=doubts,
    )


def hull(quads: Sequence[Quad]) -> Quad:
    """Return the convex polygon around rectangles."""
    points = np.concatenate(list(quads)).astype(np.float32)
    if len(quads) == 1:
        return quads[0]
    return np.asarray(cv2.convexHull(points), np.float64).reshape(-1, 2)


def _reduced(dark: Mask, part: float) -> Mask:
    if part == 1.0:
        return dark
    height, width = dark.shape
    shape = (max(1, round(width * part)), max(1, round(height * part)))
    share = cv2.resize(dark.astype(np.float32), shape, interpolation=cv2.INTER_AREA)
    # A line of one pixel stays one, however small the picture becomes.
    found: Mask = share > 0.45 * min(1.0, part)
    return found


def _guesses(
    level: Sequence[RuledLine], upright: Sequence[RuledLine], shape: tuple[int, ...]
) -> Iterator[Guess]:
    height, width = shape[:2]
    for one, other in combinations(level, 2):
        top, bottom = (
            (one, other) if one.across(width / 2) < other.across(width / 2) else (other, one)
        )
        if degrees(abs(atan(top.slope) - atan(bottom.slope))) > LEANING:
            continue
        if bottom.across(width / 2) - top.across(width / 2) < SMALLEST * height:
            continue
        sides: list[tuple[RuledLine, NDArray[np.float64], NDArray[np.float64], float]] = []
        for line in upright:
            if degrees(abs(atan(line.slope) + atan((top.slope + bottom.slope) / 2))) > LEANING:
                continue
            high, low = _meet(top, line), _meet(bottom, line)
            drawn = line.drawn(high[1], low[1])
            if drawn >= DRAWN:
                sides.append((line, high, low, drawn))
        sides.sort(key=lambda side: float(side[1][0]))
        for left, right in combinations(sides, 2):
            guess = _guess(top, bottom, left, right)
            if guess is not None and guess.size[0] >= SMALLEST * width:
                yield guess


def _guess(
    top: RuledLine,
    bottom: RuledLine,
    left: tuple[RuledLine, NDArray[np.float64], NDArray[np.float64], float],
    right: tuple[RuledLine, NDArray[np.float64], NDArray[np.float64], float],
) -> Guess | None:
    (one, top_left, bottom_left, down_left), (other, top_right, bottom_right, down_right) = (
        left,
        right,
    )
    over = top.drawn(float(top_left[0]), float(top_right[0]))
    under = bottom.drawn(float(bottom_left[0]), float(bottom_right[0]))
    if min(over, under) < DRAWN:
        return None
    quad = np.stack([top_left, top_right, bottom_right, bottom_left])
    width = float(np.linalg.norm(top_right - top_left))
    height = float(np.linalg.norm(bottom_left - top_left))
    past = [
        (top_left[0] - top.start) / width,
        (top.end - top_right[0]) / width,
        (bottom_left[0] - bottom.start) / width,
        (bottom.end - bottom_right[0]) / width,
        (top_left[1] - one.start) / height,
        (one.end - bottom_left[1]) / height,
        (top_right[1] - other.start) / height,
        (other.end - bottom_right[1]) / height,
    ]
    return Guess(
        quad=quad,
        drawn=min(1.0, (over + under + down_left + down_right) / 4),
        overshoot=float(np.mean([max(0.0, float(one)) for one in past])),
        stray=max(line.stray for line in (top, bottom, one, other)),
    )


def _meet(level: RuledLine, upright: RuledLine) -> NDArray[np.float64]:
    y = (level.at + level.slope * upright.at) / (1 - level.slope * upright.slope)
    return np.array([upright.across(y), y])


def _strength(guess: Guess) -> float:
    across, down = guess.size
    return guess.drawn + 0.05 * guess.usual - 0.3 * guess.overshoot + 1e-7 * across * down


def _apart(guesses: Sequence[Guess]) -> list[Guess]:
    """Keep the best of guesses that mean the same rectangle."""
    kept: list[Guess] = []
    for guess in guesses:
        if not any(np.abs(guess.quad - one.quad).max() < 2.5 for one in kept):
            kept.append(guess)
    return kept


def _holes(pegs: Sequence[PegHole], shape: tuple[int, ...], part: float) -> Mask | None:
    if not pegs:
        return None
    mask = np.zeros(shape[:2], np.bool_)
    for one in pegs:
        rows = slice(max(0, int(one.box.top * part) - 2), int(one.box.bottom * part) + 3)
        mask[rows, max(0, int(one.box.left * part) - 2) : int(one.box.right * part) + 3] = True
    return mask


def _weigh(
    dark: Mask, level: Sequence[RuledLine], upright: Sequence[RuledLine], holes: Mask | None
) -> Weights:
    """Tell drawing from writing by the size of connected strokes, ruled lines left out."""
    height, width = dark.shape
    bare = (dark if holes is None else dark & ~holes).astype(np.uint8)
    ruled = np.zeros_like(bare)
    for line in level:
        ends = [(round(a), round(line.across(a))) for a in (line.start, line.end)]
        cv2.line(ruled, ends[0], ends[1], 1, 3)
    for line in upright:
        ends = [(round(line.across(a)), round(a)) for a in (line.start, line.end)]
        cv2.line(ruled, ends[0], ends[1], 1, 3)
    ruled &= bare
    bare &= ~ruled
    _, labels, stats, _ = cv2.connectedComponentsWithStats(bare, connectivity=8)
    longest = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    filled = stats[:, cv2.CC_STAT_AREA] / np.maximum(
        stats[:, cv2.CC_STAT_WIDTH] * stats[:, cv2.CC_STAT_HEIGHT], 1
    )
    writing = (longest < 0.045 * width) | ((filled > 0.6) & (longest < 0.1 * width))
    # Forms: rows of fields are wide and low.
    wide, high = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    writing |= (high < 0.075 * height) & (wide > 2.5 * high)
    writing[0] = False
    scale = WEIGHED / max(height, width)
    cells = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = writing[labels] & (bare > 0)
    drawing = (bare > 0) & ~small
    planes = [
        cv2.resize(one.astype(np.float32), cells, interpolation=cv2.INTER_AREA)
        for one in (drawing.astype(np.float32) + 0.15 * ruled, small)
    ]
    return Weights(
        drawing=np.asarray(planes[0], np.float32),
        writing=np.asarray(planes[1], np.float32),
        scale=scale,
        touching=_touching(drawing | (ruled > 0)),
        pegs=holes is not None,
    )


def _touching(drawing: Mask) -> int:
    """Count strokes that the sheet's edge cuts."""
    total = 0
    for ring in (drawing[2], drawing[-3], drawing[:, 2], drawing[:, -3]):
        step = np.flatnonzero(np.diff(ring.astype(np.int8)) == 1)
        if ring.mean() < 0.3:  # else it runs along the edge: the paper's own
            total += len(step)
    return total


def _choose(
    guesses: Sequence[Guess], weights: Weights
) -> tuple[tuple[Guess, ...], tuple[str, ...]] | None:
    judged = [
        (score, union)
        for union in _unions(guesses)
        if (score := _judge(union, weights)) is not None
    ]
    if not judged:
        return None
    # Of two that both may be, the one with fewer gaps: fields above a frame go on from its sides.
    score, best = max(judged, key=lambda pair: pair[0] - GAPS * _gaps(pair[1]))
    best = _outermost(best, [union for _, union in judged], weights)
    doubts: list[str] = []
    if score < SURE:
        doubts.append("The frame is not sure: its lines or its margin could be the drawing's.")
    return best, tuple(doubts)


def _gaps(union: tuple[Guess, ...]) -> float:
    """Return how much is missing of the lines, beyond what crossing strokes hide."""
    return max(0.0, 0.97 - sum(one.drawn for one in union) / len(union))


def _unions(guesses: Sequence[Guess]) -> Iterator[tuple[Guess, ...]]:
    """Yield each rectangle alone, and pairs of one size: the two ends of a PAN."""
    for guess in guesses:
        yield (guess,)
    strong = [one for one in guesses if one.drawn > 0.85][:24]
    for one, other in combinations(strong, 2):
        (width, height), (wide, high) = one.size, other.size
        if abs(width / wide - 1) > 0.03 or abs(height / high - 1) > 0.03 or not one.usual:
            continue
        away = np.abs(other.quad.mean(axis=0) - one.quad.mean(axis=0))
        if max(away[0] / width, away[1] / height) < 0.08:
            continue
        if away[0] < 1.6 * width and away[1] < 1.6 * height:
            first, second = sorted((one, other), key=lambda guess: guess.quad[0].sum())
            yield first, second


def _judge(union: tuple[Guess, ...], weights: Weights) -> float | None:
    """Return how good frames are, about 1 for a sure one; None for none at all."""
    around = _hull_of(union)
    inside = weights.within(around)
    grown = weights.within(around, grown=BLEED)
    outside = ~weights.within(around, grown=0.012)
    area = float(inside.mean())
    within = max(_density(weights.drawing + weights.writing, inside), 0.01)
    far = ~grown if (~grown).mean() > 0.04 else outside
    beyond = _density(weights.drawing, far) + 0.12 * _density(weights.writing, far)
    crowd = beyond / within
    bleeding = _density(weights.drawing, grown & outside) / within
    marked = weights.pegs or float(weights.writing[outside].sum()) > 1.0
    if crowd > CROWDED or area < 0.06 or (area < 0.4 and not marked):
        return None
    # A drawing that the sheet's own edge cuts goes on past this rectangle.
    if weights.touching >= 4 and bleeding > 0.12 and not weights.pegs:
        return None
    drawn = sum(one.drawn for one in union) / len(union)
    overshoot = sum(one.overshoot for one in union) / len(union)
    signs = 0.2 * all(one.usual for one in union)
    signs += 0.2 * marked + 0.15 * weights.pegs
    signs += 0.25 * (crowd < 0.06)
    signs += 0.25 * (area > 0.3) + 0.15 * (area > 0.5)
    signs += 0.25 * (overshoot < 0.012) * (drawn > 0.96)
    signs -= 0.5 * min(1.0, bleeding) + 0.5 * min(1.0, overshoot)
    signs -= 0.06 * (len(union) - 1) + 0.04 * max(0, weights.touching - 3)
    score = drawn - 1.5 * crowd + signs - 0.45
    return score if score > ACCEPTED else None


def _density(plane: Ink, where: Mask) -> float:
    return float(plane[where].mean()) if where.any() else 0.0


def _outermost(
    best: tuple[Guess, ...], unions: Sequence[tuple[Guess, ...]], weights: Weights
) -> tuple[Guess, ...]:
    """Return the frame around a safety frame, where the best is one."""
    quad = hull([one.quad for one in best])
    inside = weights.within(quad)
    within = _density(weights.drawing, inside)
    for union in sorted(unions, key=lambda one: -float(weights.within(_hull_of(one)).sum())):
        around = weights.within(_hull_of(union))
        if around.sum() <= 1.03 * inside.sum() or (inside & ~around).sum() > 0.01 * inside.sum():
            continue
        ring = around & ~weights.within(quad, grown=0.012)
        if not ring.any():
            continue
        holds = _density(weights.drawing, ring)
        written = float(weights.writing[ring].sum())
        bare = written < 0.5 and around.mean() < 0.93 and holds < 0.02
        if holds > 0.35 * within or (bare and around.sum() < 1.45 * inside.sum()):
            return union
    return best


def _hull_of(union: tuple[Guess, ...]) -> Quad:
    return hull([one.quad for one in union])


def _ends_of(outer: tuple[Guess, ...], guesses: Sequence[Guess]) -> tuple[Guess, ...]:
    """
    Return the two ends of a PAN that fill a frame, or nothing.

    They are of one size and of a camera's ratio, and each shares three sides with what is around
    them, which as a rule has no camera's ratio itself.
    """
    if len(outer) != 1:
        return ()
    around = outer[0]
    reach = 2.5 + ALIKE * max(around.size)
    first: list[Guess] = []
    second: list[Guess] = []
    for one in guesses:
        if not one.usual or one.drawn < 0.95:
            continue
        apart = np.abs(one.quad - around.quad).max(axis=1) < reach
        if apart.sum() == 2 and apart[0]:
            first.append(one)
        elif apart.sum() == 2 and apart[2]:
            second.append(one)
    pairs = [
        (one, other)
        for one in first
        for other in second
        if abs(one.size[0] / other.size[0] - 1) < ALIKE
        and abs(one.size[1] / other.size[1] - 1) < ALIKE
        # Together they cover all of it.
        and max(one.size[0] / around.size[0], one.size[1] / around.size[1]) > 0.98
        and 0.48 < min(one.size[0] / around.size[0], one.size[1] / around.size[1]) < 0.92
    ]
    return max(pairs, key=lambda pair: _strength(pair[0]) + _strength(pair[1]), default=())


def _inside(
    outer: tuple[Guess, ...], guesses: Sequence[Guess]
) -> tuple[tuple[Guess, ...], tuple[Guess, ...]]:
    """Find camera frames inside of the outer one, and safety frames."""
    inner: list[Guess] = []
    safety: list[Guess] = []
    around = _hull_of(outer).astype(np.float32)
    for guess in guesses:
        if any(guess is one for one in outer) or guess.drawn < 0.88:
            continue
        reach = [
            cv2.pointPolygonTest(around, (float(x), float(y)), measureDist=True)
            for x, y in guess.quad
        ]
        # A rectangle of three of a frame's own lines and one that is drawn is no further frame.
        if min(reach) < -3 or any(_shares_a_side(guess, one) for one in outer):
            continue
        for one in (*outer, *inner):
            scale = guess.size[0] / one.size[0], guess.size[1] / one.size[1]
            away = np.abs(guess.quad.mean(axis=0) - one.quad.mean(axis=0)) / one.size
            alike = abs(guess.ratio / one.ratio - 1) < 0.02
            if alike and 0.8 < scale[0] < 0.985 and away.max() < 0.02:
                safety.append(guess)
                break
        else:
            if _is_camera(guess, outer):
                inner.append(guess)
    return tuple(inner), tuple(safety)


def _shares_a_side(guess: Guess, outer: Guess) -> bool:
    apart = np.abs(guess.quad - outer.quad)
    left, top = apart[[0, 3], 0].max(), apart[[0, 1], 1].max()
    right, bottom = apart[[1, 2], 0].max(), apart[[2, 3], 1].max()
    return bool(min(left, top, right, bottom) < 2.5)


def _is_camera(guess: Guess, outer: tuple[Guess, ...]) -> bool:
    """
    Tell a camera's frame from a window or a trunk.

    T.U. has a frame of the same ratio, whose lines end at its corners.
    """
    first = outer[0]
    if guess.drawn < 0.95 or guess.stray > max(0.6, 1.5 * first.stray):
        return False
    alike = abs(guess.ratio / first.ratio - 1) < 0.02
    return alike and guess.overshoot < 0.08 and 0.28 < guess.size[0] / first.size[0] < 0.95


def _scaled(guess: Guess, factor: float) -> Guess:
    """Take a guess to the whole picture: pixel centres of one are not those of the other."""
    return Guess(
        quad=(guess.quad + 0.5) * factor - 0.5,
        drawn=guess.drawn,
        overshoot=guess.overshoot,
        stray=guess.stray * factor,
    )
