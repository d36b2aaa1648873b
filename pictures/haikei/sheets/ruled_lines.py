"""
Long straight lines that lie almost level or upright: what frames and forms are made of.

Pixels of thin level strokes vote for lines by slope and height, as in a Hough transform; a vote
counts once for each stretch of a line, so that texture weighs no more than a stroke.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.sheets.sheet import Mask

STEEPEST = 8.0  #: degrees that a sheet may lie askew in its scanner
STEP = 0.5  #: degrees between slopes that are tried
STRETCH = 6  #: pixels of a line that vote once
GAP = 3  #: stretches that a line may miss where others cross it
SHORTEST = 0.13  #: of the sheet's side
MOST = 36  #: lines in each direction, the longest


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RuledLine:
    """A line `across = at + slope · along`; `along` runs right, or down for an upright one."""

    at: float
    slope: float
    start: float
    end: float
    cover: NDArray[np.int32]  #: how many steps of `along` are drawn, up to each
    stray: float  #: how far its pixels lie from it, in pixels

    def across(self, along: float) -> float:
        """Return where the line is."""
        return self.at + self.slope * along

    def drawn(self, start: float, end: float) -> float:
        """Return the part between two places that is drawn, 0 to 1."""
        last = len(self.cover) - 1
        first = int(np.clip(round(start), 0, last))
        final = int(np.clip(round(end), 0, last))
        if final <= first:
            return 0.0
        return float(self.cover[final] - self.cover[first]) / (end - start)


def level_lines(dark: Mask) -> tuple[RuledLine, ...]:
    """Return long lines that lie almost level."""
    height, width = dark.shape
    thin = _level_strokes(dark)
    rows, columns = np.nonzero(thin)
    if len(rows) < STRETCH * 4:
        return ()
    stretches = columns // STRETCH
    total = width // STRETCH + 1
    slopes = np.tan(np.radians(np.arange(-STEEPEST, STEEPEST + 0.01, STEP)))
    votes = np.empty((len(slopes), height + 1), np.int32)
    spread = np.empty((len(slopes), height + 1, total), np.bool_)
    middle = width / 2
    for index, slope in enumerate(slopes):
        at = np.rint(rows - slope * (columns - middle)).astype(np.int64)
        fits = (at >= 0) & (at < height)
        met = np.zeros((height + 1, total), np.bool_)
        met.reshape(-1)[at[fits] * total + stretches[fits]] = True
        met[1:] |= met[:-1].copy()
        spread[index] = met
        votes[index] = met.sum(axis=1)
    return _peaks(thin, dark, votes, spread, slopes)


def upright_lines(dark: Mask) -> tuple[RuledLine, ...]:
    """Return long lines that lie almost upright; `across` is measured from the left."""
    return level_lines(np.ascontiguousarray(dark.T))


def _level_strokes(dark: Mask) -> Mask:
    """Return pixels of level strokes; what is steep, short or solid goes."""
    plane = dark.astype(np.uint8)
    height, width = plane.shape
    length = max(7, width // 55)
    tall = max(5, height // 60)
    # Where an upright line crosses, the level one goes on.
    solid = cv2.morphologyEx(plane, cv2.MORPH_OPEN, np.ones((tall, tall), np.uint8)) > 0
    thin = (dark & ~solid).astype(np.uint8)
    wide = cv2.dilate(thin, np.ones((3, 1), np.uint8))
    level = cv2.morphologyEx(wide, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    found: Mask = (thin > 0) & (level > 0)
    return found


def _peaks(
    thin: Mask,
    dark: Mask,
    votes: NDArray[np.int32],
    spread: NDArray[np.bool_],
    slopes: NDArray[np.float64],
) -> tuple[RuledLine, ...]:
    height, width = thin.shape
    least = max(4, int(SHORTEST * width / STRETCH))
    order = np.argsort(-votes, axis=None, kind="stable")[: MOST * 60]
    order = order[votes.reshape(-1)[order] >= least]
    found: list[RuledLine] = []
    ends: list[tuple[float, float, float, float]] = []
    middle = width / 2
    for flat in order:
        index, at = divmod(int(flat), height + 1)
        slope = float(slopes[index])
        for first, last in _runs(spread[index, at], least):
            left, right = first * STRETCH, min(width - 1, (last + 1) * STRETCH - 1)
            here = (
                at - 0.5 + slope * (left - middle),
                at - 0.5 + slope * (right - middle),
            )
            if _known(ends, here, left, right):
                continue
            ends.append((*here, left, right))
            line = _fitted(dark, here, left, right)
            if line is not None:
                found.append(line)
        if len(found) >= MOST:
            break
    return tuple(_distinct(found))


def _runs(met: NDArray[np.bool_], least: int) -> list[tuple[int, int]]:
    where = np.flatnonzero(met)
    if len(where) < least:
        return []
    breaks = np.flatnonzero(np.diff(where) > GAP + 1)
    starts = np.concatenate(([0], breaks + 1))
    ends = np.concatenate((breaks, [len(where) - 1]))
    return [
        (int(where[a]), int(where[b]))
        for a, b in zip(starts, ends, strict=True)
        if where[b] - where[a] + 1 >= least and b - a + 1 >= 0.6 * (where[b] - where[a] + 1)
    ]


def _known(
    ends: list[tuple[float, float, float, float]],
    here: tuple[float, float],
    left: float,
    right: float,
) -> bool:
    """Tell whether a line that was found runs along this one."""
    for at_left, at_right, start, end in ends:
        low, high = max(left, start), min(right, end)
        if high - low < 0.5 * (right - left):
            continue
        gaps: list[float] = []
        for place in (low, high):
            there = at_left + (at_right - at_left) * (place - start) / max(end - start, 1)
            own = here[0] + (here[1] - here[0]) * (place - left) / max(right - left, 1)
            gaps.append(own - there)
        if max(abs(one) for one in gaps) < 5 and min(abs(one) for one in gaps) < 3:
            return True
    return False


def _fitted(dark: Mask, here: tuple[float, float], left: float, right: float) -> RuledLine | None:
    """Fit a line to the pixels along it, and see where it is drawn."""
    height, width = dark.shape
    slope = (here[1] - here[0]) / max(right - left, 1)
    at = here[0] - slope * left
    columns = np.arange(width)
    middles = np.zeros(width)
    stray = 0.0
    reach = 3
    offsets = np.arange(-reach, reach + 1)
    for _ in range(2):
        rows = np.rint(at + slope * columns).astype(np.int64)[:, None] + offsets[None]
        legal = (rows >= 0) & (rows < height)
        met = dark[np.clip(rows, 0, height - 1), columns[:, None]] & legal
        count = met.sum(axis=1)
        # A column that is dark over the whole reach is a line that crosses.
        usable = (count > 0) & (count < 2 * reach)
        middles = np.where(usable, (met * rows).sum(axis=1) / np.maximum(count, 1), 0.0)
        used = usable & (columns >= left) & (columns <= right)
        if used.sum() < 8:
            return None
        away = middles[used] - (at + slope * columns[used])
        near = np.abs(away - np.median(away)) < 2.2
        slope, at = (float(v) for v in np.polyfit(columns[used][near], middles[used][near], 1))
        stray = float(np.std(middles[used][near] - (at + slope * columns[used][near])))
    rows = np.rint(at + slope * columns).astype(np.int64)
    met = np.zeros(width, np.bool_)
    for offset in (-2, -1, 0, 1, 2):
        row = rows + offset
        legal = (row >= 0) & (row < height)
        met |= dark[np.clip(row, 0, height - 1), columns] & legal
    inside = np.flatnonzero(met[int(left) : int(right) + 1])
    if not len(inside):
        return None
    cover = np.concatenate(([0], np.cumsum(met))).astype(np.int32)
    start, end = _ends(met, int(left + inside[0]), int(left + inside[-1]))
    return RuledLine(at=at, slope=slope, start=start, end=end, cover=cover, stray=stray)


def _ends(met: NDArray[np.bool_], start: int, end: int) -> tuple[float, float]:
    """Follow a line on as far as it is drawn."""
    while start > 0 and met[start - 1]:
        start -= 1
    while end < len(met) - 1 and met[end + 1]:
        end += 1
    return float(start), float(end)


def _distinct(lines: list[RuledLine]) -> list[RuledLine]:
    """Drop lines that came to lie on others when they were fitted."""
    kept: list[RuledLine] = []
    for line in sorted(lines, key=lambda one: one.start - one.end):
        middle = (line.start + line.end) / 2
        if not any(
            one.start - 4 <= line.start
            and one.end + 4 >= line.end
            and abs(one.across(middle) - line.across(middle)) < 2.0
            for one in kept
        ):
            kept.append(line)
    return kept
