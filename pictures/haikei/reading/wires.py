"""
Find wires: long thin strokes through the air, straight or sagging.

Wires part no regions from each other that mean anything, so no reading of regions names them; they
are traced in the ink itself, column by column and row by row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.reading.kinds import AIR, Kind
from haikei.reading.layout_reading import Reading, at_size
from haikei.reading.shapes import Numbers, Plane

TRACED = 900  #: lines of the picture on which strokes are traced
INKED = 0.1  #: how dark a pixel of a stroke must be
THICKEST = 1 / 130  #: of a stroke, in fractions of the height
#: Of a wire by itself, and of a piece that goes on from another, in fractions of the diagonal.
SHORTEST, PIECE = 0.07, 0.018
GAP = 1 / 36  #: that a stroke may be hidden for, as by a post, in fractions of the width
#: What a wire may be seen against.
BEHIND = (*AIR, Kind.HILL, Kind.FOREST, Kind.TREE, Kind.WIRE)
#: A line thinner than this part of the usual one is thin; a bow deeper than this part of its
#: chord hangs.
THIN, SAG = 0.72, 0.012
#: How much speaks for a wire, of: it is thin, it hangs, others run beside it, it ends at a post.
ENOUGH, SURE = 2, 3

Mask = NDArray[np.bool_]


@dataclass(slots=True)
class _Stroke:
    """One stroke that is being traced."""

    across: list[int] = field(default_factory=list[int])
    down: list[float] = field(default_factory=list[float])
    low: list[int] = field(default_factory=list[int])
    high: list[int] = field(default_factory=list[int])
    slope: float = 0.0

    def add(self, x: int, low: int, high: int) -> None:
        y = (low + high) / 2
        if self.across:
            step = (y - self.down[-1]) / (x - self.across[-1])
            back = min(len(self.across), 14)
            long = (y - self.down[-back]) / (x - self.across[-back])
            self.slope = long if len(self.across) > 4 else 0.5 * self.slope + 0.5 * step
        self.across.append(x)
        self.down.append(y)
        self.low.append(low)
        self.high.append(high)

    def expected(self, x: int) -> float:
        return self.down[-1] + self.slope * (x - self.across[-1])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Line:
    """A piece of a stroke that is straight or bowed, in pixels of the traced picture."""

    x: Numbers
    y: Numbers
    cells: tuple[NDArray[np.int_], NDArray[np.int_]]  #: rows and columns of its ink
    weight: float  #: how much ink crosses it: thickness times darkness
    bow: float  #: how deep it hangs under its chord, in parts of it; negative where it arches

    @property
    def reach(self) -> float:
        return float(np.hypot(self.x[-1] - self.x[0], self.y[-1] - self.y[0]))

    @property
    def ends(self) -> NDArray[np.float64]:
        return np.array([[self.x[0], self.y[0]], [self.x[-1], self.y[-1]]])

    @property
    def direction(self) -> float:
        """The angle of its chord, -90 to 90 degrees."""
        dx, dy = self.x[-1] - self.x[0], self.y[-1] - self.y[0]
        return float(np.degrees(np.arctan(dy / dx))) if dx else 90.0


def find_wires(reading: Reading) -> Mask:
    """Return where the ink of wires lies, at the layout's own size."""
    height, width = reading.size
    scale = min(1.0, TRACED / height)
    shape = (max(8, round(height * scale)), max(8, round(width * scale)))
    ink = reading.line
    if scale < 1:
        ink = np.asarray(cv2.resize(ink, shape[::-1], interpolation=cv2.INTER_AREA), np.float32)
    kinds = at_size(reading.kinds[reading.labels], shape)
    lines = [*_lines(ink, upright=False), *_lines(ink, upright=True)]
    found = np.zeros(shape, np.bool_)
    for line in _wires(lines, kinds):
        found[line.cells] = True
    if not found.any():
        return np.zeros(reading.size, np.bool_)
    whole = cv2.resize(found.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    reach = max(3, round(height / 400) | 1)
    return np.asarray(cv2.dilate(whole, np.ones((reach, reach), np.uint8)) > 0)


def _wires(lines: Sequence[_Line], kinds: NDArray[np.int32]) -> list[_Line]:
    """Return which of all lines are wires: the sure ones, and what goes on from them."""
    if not lines:
        return []
    rows, columns = kinds.shape
    diagonal = float(np.hypot(rows, columns))
    weights = np.array([line.weight for line in lines])
    reaches = np.array([line.reach for line in lines])
    order = np.argsort(weights)
    share = np.cumsum(reaches[order]) / max(float(reaches.sum()), 1e-6)
    usual = float(weights[order][np.searchsorted(share, 0.6)])
    open_ = [_aloft(line, kinds) for line in lines]
    hanging = [line.weight < THIN * usual or line.bow > SAG for line in lines]
    posts = _near_posts(kinds, 0.012 * diagonal)
    wires: list[int] = []
    for at, line in enumerate(lines):
        if line.reach < SHORTEST * diagonal or not -SAG < line.bow < 0.2:
            continue
        beside = any(
            other is not line
            and hanging[index]
            and abs(other.direction - line.direction) < 14
            and other.reach > PIECE * diagonal
            and _apart(line, other) < 0.09 * diagonal
            for index, other in enumerate(lines)
        )
        held = bool((posts[_cells(line.ends, kinds.shape)]).any())
        thin, hangs = line.weight < THIN * usual, line.bow > SAG
        speaking = sum((thin, hangs, beside, held))
        needed = ENOUGH if open_[at] > 0.55 else SURE
        # What wires cut off is often misread: what hangs, long and thin, beside others, is one.
        plain = thin and hangs and beside and line.reach > 2 * SHORTEST * diagonal
        if plain or (
            (thin or hangs) and (beside or held) and speaking >= needed and open_[at] > 0.25
        ):
            wires.append(at)
    fresh = list(wires)
    while fresh:
        ends = np.concatenate([lines[at].ends for at in fresh])
        fresh = [
            at
            for at, line in enumerate(lines)
            if at not in wires
            and line.reach >= PIECE * diagonal
            and -SAG < line.bow < 0.25
            and hanging[at]
            and line.weight < 0.9 * usual
            and open_[at] > 0.4
            and _meets(line, ends, 0.012 * diagonal)
        ]
        wires += fresh
    return [lines[at] for at in wires]


def _near_posts(kinds: NDArray[np.int32], reach: float) -> Mask:
    size = 2 * max(1, round(reach)) + 1
    posts = (kinds == Kind.POST).astype(np.uint8)
    return np.asarray(cv2.dilate(posts, np.ones((size, size), np.uint8)) > 0)


def _cells(
    points: NDArray[np.float64], shape: tuple[int, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    x = np.clip(np.rint(points[:, 0]), 0, shape[1] - 1).astype(np.int64)
    y = np.clip(np.rint(points[:, 1]), 0, shape[0] - 1).astype(np.int64)
    return y, x


def _apart(line: _Line, other: _Line) -> float:
    """Return how far the middle of one line lies from the other."""
    middle = len(line.x) // 2
    return float(np.hypot(other.x - line.x[middle], other.y - line.y[middle]).min())


def _meets(line: _Line, ends: NDArray[np.float64], reach: float) -> bool:
    off = np.linalg.norm(line.ends[:, None, :] - ends[None, :, :], axis=2)
    return bool((off < reach).any())


def _lines(ink: Plane, *, upright: bool) -> Iterator[_Line]:
    """Trace strokes and yield their straight and bowed pieces; `upright` looks at steep ones."""
    plane = np.ascontiguousarray(ink.T) if upright else ink
    rows, columns = plane.shape
    size = min(rows, columns)
    shortest = PIECE * float(np.hypot(rows, columns))
    for stroke in _strokes(plane > INKED, max(3.0, size * THICKEST) + 1, round(columns * GAP)):
        if len(stroke.across) < 8:
            continue
        across = np.array(stroke.across, np.float64)
        down = np.array(stroke.down)
        for part in _pieces(across, down, 0.6 + 0.0011 * size, shortest):
            span = float(across[part][-1] - across[part][0]) + 1
            steep = abs(down[part][-1] - down[part][0]) / span
            # Each line is traced in the direction in which it is longer; posts stand upright.
            if len(across[part]) < 0.55 * span or steep > 1.0 or (upright and steep < 0.18):
                continue
            yield _line(plane, stroke, part, steep=steep, upright=upright)


def _line(plane: Plane, stroke: _Stroke, part: slice, *, steep: float, upright: bool) -> _Line:
    across = np.array(stroke.across[part], np.float64)
    down = np.array(stroke.down[part])
    cells = [
        (row, x)
        for x, low, high in zip(
            stroke.across[part], stroke.low[part], stroke.high[part], strict=True
        )
        for row in range(max(0, low - 1), min(plane.shape[0], high + 2))
    ]
    at = np.array(cells, np.int64).T
    weight = float(plane[at[0], at[1]].sum()) / len(across) / float(np.hypot(1, steep))
    x, y, where = (down, across, (at[1], at[0])) if upright else (across, down, (at[0], at[1]))
    chord = np.array([x[-1] - x[0], y[-1] - y[0]])
    length = max(float(np.linalg.norm(chord)), 1e-6)
    normal = np.array([-chord[1], chord[0]]) / length
    # Down is positive on a picture.
    normal *= 1.0 if normal[1] > 0 or (normal[1] == 0 and normal[0] > 0) else -1.0
    off = (x - x[0]) * normal[0] + (y - y[0]) * normal[1]
    return _Line(x=x, y=y, cells=where, weight=weight, bow=1.5 * float(off.mean()) / length)


def _pieces(across: Numbers, down: Numbers, loose: float, shortest: float) -> Iterator[slice]:
    """Split a stroke where it is neither straight nor evenly bowed."""
    waiting = [(0, len(across))]
    while waiting:
        begin, end = waiting.pop()
        x, y = across[begin:end], down[begin:end]
        if len(x) < 8 or float(np.hypot(x[-1] - x[0], y[-1] - y[0])) < shortest:
            continue
        u = (x - x.mean()) / max((x[-1] - x[0]) / 2, 1.0)
        off = np.abs(y - np.polynomial.polynomial.polyval(u, _fit(u, y)))
        if float(np.sqrt((off**2).mean())) <= loose and float(off.max()) < 4 * loose:
            yield slice(begin, end)
            continue
        # The corner is where the stroke is farthest from its chord, or from its bow.
        chord = y[0] + (y[-1] - y[0]) * (x - x[0]) / max(x[-1] - x[0], 1.0)
        corner = int(np.argmax(np.abs(y - chord)))
        corner = min(max(corner, 4), len(x) - 4)
        waiting += [(begin, begin + corner), (begin + corner, end)]


def _fit(u: Numbers, y: Numbers) -> Numbers:
    return np.asarray(np.polynomial.polynomial.polyfit(u, y, 2), np.float64)


def _strokes(inked: Mask, thickest: float, gap: int) -> Iterator[_Stroke]:
    """Follow every thin stroke from left to right."""
    active: list[_Stroke] = []
    for x in range(inked.shape[1]):
        runs = _runs(inked[:, x], thickest)
        fits = sorted(
            (abs(stroke.expected(x) - (low + high) / 2), at, run)
            for at, stroke in enumerate(active)
            for run, (low, high) in enumerate(runs)
            if abs(stroke.expected(x) - (low + high) / 2)
            < 1.6 + 0.12 * min(x - stroke.across[-1], 10)
        )
        used: set[int] = set()
        grown: set[int] = set()
        for _, at, run in fits:
            if run not in used and at not in grown:
                active[at].add(x, *runs[run])
                used.add(run)
                grown.add(at)
        kept: list[_Stroke] = []
        for stroke in active:
            # A young stroke has no direction yet in which it could be looked for.
            patience = gap if len(stroke.across) > gap else 2
            if x - stroke.across[-1] > patience:
                yield stroke
            else:
                kept.append(stroke)
        active = kept
        for run, (low, high) in enumerate(runs):
            if run not in used:
                fresh = _Stroke()
                fresh.add(x, low, high)
                active.append(fresh)
    yield from active


def _runs(column: Mask, thickest: float) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], column.astype(np.int8), [0]])))
    return [
        (int(low), int(high) - 1)
        for low, high in zip(edges[::2], edges[1::2], strict=True)
        if high - low <= thickest
    ]


def _aloft(line: _Line, kinds: NDArray[np.int32]) -> float:
    """Return which part of a line hangs in the open, with the same on both of its sides."""
    rows, columns = kinds.shape
    off = max(3, rows // 150)
    along = np.array([line.x[-1] - line.x[0], line.y[-1] - line.y[0]])
    across = np.array([-along[1], along[0]]) / max(float(np.linalg.norm(along)), 1e-6)
    sides: list[NDArray[np.int32]] = []
    for way in (off, -off):
        x = np.clip(np.rint(line.x + way * across[0]), 0, columns - 1).astype(np.int64)
        y = np.clip(np.rint(line.y + way * across[1]), 0, rows - 1).astype(np.int64)
        sides.append(kinds[y, x])
    one, other = sides
    same = np.isin(one, BEHIND) & (one == other)
    return float(same.mean())
