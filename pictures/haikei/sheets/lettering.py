"""
Writing on a picture: groups of small strokes that are dense, uneven and turn every way.

Letters are separated from drawing by figures of connected strokes: leaves and grass are sparser,
hatching has one direction, windows and stones repeat one size. `written` weighs them by rules,
without any trained model; `LetterNetwork`, by what it learnt, takes back what is drawing after
all.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.sheets.sheet import Ink

Numbers = NDArray[np.float64]
Floats = NDArray[np.float32]
LARGEST, SMALLEST = 0.085, 0.0035  #: of a stroke that may be part of a letter, in heights
LINKED = (0.13, 0.26, 0.42)  #: of its size, how far a stroke reaches to the next: three tries
WRITTEN = 6.3  #: points, of about ten, from which on a group is writing
ALSO_WRITTEN = 5.2  #: the same, where a sheet has other writing of about its size


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Strokes:
    """Connected pieces of ink; the first is the paper."""

    labels: NDArray[np.int32]
    left: NDArray[np.int64]
    top: NDArray[np.int64]
    width: NDArray[np.int64]
    height: NDArray[np.int64]
    area: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Words:
    """Groups of strokes, and figures of each; the first is what is in no group."""

    of: NDArray[np.int64]  #: the group of each stroke
    left: NDArray[np.int64]
    top: NDArray[np.int64]
    right: NDArray[np.int64]
    bottom: NDArray[np.int64]
    count: Numbers  #: strokes
    size: Numbers  #: of a letter, in pixels: its larger strokes
    density: Numbers  #: ink in the group's closed shape
    fill: Numbers  #: ink in the strokes' own boxes
    one_way: Numbers  #: how much all strokes have one direction, 0 to 1
    slanting: Numbers  #: how much of their edges is neither level nor upright, 0 to 1
    level: Numbers  #: how much of their edges is level: grass has next to none
    rim: Numbers  #: ink along the rims of the strokes' own boxes: windows have nothing else
    holes: Numbers  #: closed loops, for each letter's size of length
    turns: Numbers  #: strokes that are met on the way over one letter's size
    uneven: Numbers  #: how much widths and heights of strokes differ
    crowded: Numbers  #: other ink close around the group, to its own
    company: Numbers  #: other small strokes around the group, for each of its own


def strokes_of(ink: Ink) -> Strokes:
    """Take ink apart into connected strokes."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(
        (ink > 0.22).astype(np.uint8), connectivity=8
    )
    plain = np.asarray(stats, np.int64)
    return Strokes(
        labels=np.asarray(labels, np.int32),
        left=plain[:, cv2.CC_STAT_LEFT],
        top=plain[:, cv2.CC_STAT_TOP],
        width=plain[:, cv2.CC_STAT_WIDTH],
        height=plain[:, cv2.CC_STAT_HEIGHT],
        area=plain[:, cv2.CC_STAT_AREA],
    )


def letter_sized(strokes: Strokes, tall: float, largest: float = LARGEST) -> NDArray[np.bool_]:
    """Return which strokes may be letters by their size; `tall` is the height of a usual sheet."""
    longest = np.maximum(strokes.width, strokes.height)
    letter = (longest <= largest * tall) & (longest >= max(2.0, SMALLEST * tall))
    letter[0] = False
    return np.asarray(letter, np.bool_)


def words_of(ink: Ink, strokes: Strokes, tall: float, linked: float = LINKED[1]) -> Words:
    """Group strokes that stand near each other; `tall` is the height of a usual sheet."""
    of, count = _grouped(strokes, letter_sized(strokes, tall), tall, linked)
    return _figures(ink, strokes, of, count, tall)


def _grouped(
    strokes: Strokes, letter: NDArray[np.bool_], tall: float, linked: float
) -> tuple[NDArray[np.int64], int]:
    longest = np.maximum(strokes.width, strokes.height)
    shape = strokes.labels.shape
    near = np.zeros(shape, np.uint8)
    for index in np.flatnonzero(letter):
        reach = int(linked * min(longest[index], LARGEST * tall) + 0.0035 * tall) + 1
        x, y = int(strokes.left[index]), int(strokes.top[index])
        near[
            max(0, y - reach) : y + int(strokes.height[index]) + reach,
            max(0, x - reach) : x + int(strokes.width[index]) + reach,
        ] = 1
    count, found = cv2.connectedComponents(near, connectivity=4)
    groups = np.asarray(found, np.int32)
    middle_y = np.minimum(strokes.top + strokes.height // 2, shape[0] - 1)
    middle_x = np.minimum(strokes.left + strokes.width // 2, shape[1] - 1)
    return np.where(letter, groups[middle_y, middle_x], 0).astype(np.int64), count


def written(words: Words, tall: float, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """
    Tell which groups are writing, on a picture of a shape; what its edge cuts is none.

    Bounds are those of words in print and by hand, in Latin and Japanese, of all sizes that notes
    have; what is doubtful stays drawing. `benchmarks/sheets.py` counts what that loses and leaves.
    """
    one = words
    high, wide = one.bottom - one.top, one.right - one.left
    lines = np.minimum(high, wide) / np.maximum(one.size, 1)
    block = (one.level > 0.15) & (one.rim < 0.66) & (one.uneven > 0.6) & (one.crowded < 0.15)
    slender = (one.slanting > 0.2) & (one.slanting < 0.56) & (one.one_way < 0.76)
    block &= lines < 4.5
    legal = (one.count >= 2) & (one.density > 0.3) & (one.density < 0.75) & slender
    legal &= (one.fill > 0.2) & (one.fill < 0.68) & (one.turns > 1.55) & (one.turns < 4.5)
    legal &= (one.crowded < 0.4) & (one.size > 0.013 * tall) & (one.size < 0.08 * tall)
    legal &= (one.level > 0.03) & (one.rim < 0.8) & ((lines <= 2.6) | block)
    grass = (one.one_way > 0.42) & (one.slanting > 0.33) & (one.level < 0.11)
    legal &= ~(grass & (one.holes < 0.4 * one.count)) & ~((one.one_way > 0.55) & (one.rim < 0.46))
    stems = _points(-one.slanting, -0.34, -0.28)  # the upright strokes of Latin letters
    points = np.maximum(_points(one.level, 0.05, 0.16), stems)
    points += 0.8 * np.maximum(_points(-one.one_way, -0.6, -0.3), stems)
    points += _points(-one.rim, -0.7, -0.52) + 0.6 * _points(one.holes / one.count, 0, 0.35)
    points += 0.5 * _points(-one.slanting, -0.48, -0.4) + 0.5 * _points(one.uneven, 0.15, 0.5)
    points += 0.5 * _points(-one.density, -0.7, -0.58) + 0.8 * _points(one.count, 2, 7)
    points += 0.7 * _points(-one.crowded, -0.25, 0) + 1.3 * _points(-one.company, -0.45, -0.05)
    points += 0.4 * _points(-one.turns, -3.6, -2.8) + 0.4 * _points(-lines, -3, -1.8)
    points += 0.3 * _points(one.size / tall, 0.015, 0.025)
    legal &= (one.left > 1) & (one.top > 1)
    legal &= (one.right < shape[1] - 1) & (one.bottom < shape[0] - 1)
    legal[0] = False
    sure = legal & (points > WRITTEN)
    if not sure.any():
        return sure
    # Notes of one sheet are by one hand.
    usual = float(np.median(one.size[sure]))
    alike = (one.size > 0.55 * usual) & (one.size < 1.8 * usual)
    likely = (one.company < 0.35) & (one.count >= 3) & ((one.level > 0.12) | (stems > 0.5))
    return sure | (legal & alike & likely & (points > ALSO_WRITTEN))


def _points(values: Numbers, none: float, full: float) -> Numbers:
    return np.asarray(np.clip((values - none) / (full - none), 0, 1), np.float64)


def _figures(ink: Ink, strokes: Strokes, of: NDArray[np.int64], count: int, tall: float) -> Words:
    def total(weights: NDArray[np.generic]) -> Numbers:
        values = np.asarray(weights, np.float64)
        return np.asarray(np.bincount(of, weights=values, minlength=count), np.float64)

    number = np.maximum(total(np.ones(len(of))), 1)
    left, top = np.full(count, 1 << 30), np.full(count, 1 << 30)
    right, bottom = np.zeros(count, np.int64), np.zeros(count, np.int64)
    np.minimum.at(left, of, strokes.left)
    np.minimum.at(top, of, strokes.top)
    np.maximum.at(right, of, strokes.left + strokes.width)
    np.maximum.at(bottom, of, strokes.top + strokes.height)
    longest = np.maximum(strokes.width, strokes.height).astype(np.float64)
    area = np.maximum(total(strokes.area), 1)
    size = np.sqrt(total(strokes.area * longest**2) / area)
    rows, columns = np.nonzero(of[strokes.labels])
    group = of[strokes.labels[rows, columns]]

    def pixels(plane: NDArray[np.generic]) -> Numbers:
        values = np.asarray(plane[rows, columns], np.float64)
        return np.asarray(np.bincount(group, weights=values, minlength=count), np.float64)

    across, down = cv2.Sobel(ink, cv2.CV_32F, 1, 0), cv2.Sobel(ink, cv2.CV_32F, 0, 1)
    xx, yy, xy = across * across, down * down, across * down
    sum_xx, sum_yy, sum_xy = pixels(xx), pixels(yy), pixels(xy)
    energy = np.maximum(sum_xx + sum_yy, 1e-9)
    slant = 4 * xy * xy / np.maximum(xx + yy, 1e-9)
    dark = strokes.labels > 0
    rising_x = np.zeros_like(dark)
    rising_x[:, 1:] = dark[:, 1:] & ~dark[:, :-1]
    rising_y = np.zeros_like(dark)
    rising_y[1:] = dark[1:] & ~dark[:-1]
    boxes = np.maximum(total(strokes.width * strokes.height), 1)
    mean_w, mean_h = total(strokes.width) / number, total(strokes.height) / number
    var_w = total(strokes.width.astype(np.float64) ** 2) / number - mean_w**2
    var_h = total(strokes.height.astype(np.float64) ** 2) / number - mean_h**2
    uneven = np.sqrt(np.maximum(var_w, 0)) / mean_w + np.sqrt(np.maximum(var_h, 0)) / mean_h
    loose = (number >= 2) & (area / boxes > 0.2) & (size < 0.1 * tall)
    closed, crowd = _surroundings(strokes, of, (left, top, right, bottom), size, loose)
    return Words(
        of=of, left=left, top=top, right=right, bottom=bottom, count=number, size=size,
        density=area / np.maximum(closed, 1),
        fill=area / boxes,
        one_way=np.sqrt((sum_xx - sum_yy) ** 2 + 4 * sum_xy**2) / energy,
        slanting=pixels(slant) / energy,
        level=pixels(np.where(yy > 5.8 * xx, yy, 0)) / energy,
        rim=_rim(strokes, rows, columns, group, count),
        holes=_holes(strokes, of, count, tall),
        turns=np.sqrt(pixels(rising_x) * pixels(rising_y)) * size / np.maximum(closed, 1),
        uneven=uneven,
        crowded=crowd,
        company=_company(strokes, of, (left, top, right, bottom), size, number),
    )  # fmt: skip


Box = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def _surroundings(
    strokes: Strokes,
    of: NDArray[np.int64],
    box: Box,
    size: Numbers,
    wanted: NDArray[np.bool_],
) -> tuple[Numbers, Numbers]:
    """Return the area of each group's closed shape, and how much other ink lies around it."""
    height, width = strokes.labels.shape
    closed, crowd = np.ones(len(size)), np.full(len(size), 9.0)
    left, top, right, bottom = box
    for index in np.flatnonzero(wanted):
        if index == 0:
            continue
        reach = int(0.35 * size[index]) + 2
        rows = slice(max(0, int(top[index]) - reach), min(height, int(bottom[index]) + reach))
        columns = slice(max(0, int(left[index]) - reach), min(width, int(right[index]) + reach))
        labels = strokes.labels[rows, columns]
        own = (of[labels] == index).astype(np.uint8)
        kernel = np.ones((2 * (reach // 2) + 1,) * 2, np.uint8)
        grown = cv2.dilate(own, kernel)
        closed[index] = float(cv2.erode(grown, kernel, borderValue=1).sum())
        ring = (cv2.dilate(grown, kernel) > 0) & (own == 0)
        crowd[index] = float(((labels > 0) & ring).sum()) / max(1.0, float(own.sum()))
    return closed, crowd


def _rim(
    strokes: Strokes,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    group: NDArray[np.int64],
    count: int,
) -> Numbers:
    """Return the part of each group's ink that lies along the boxes of its strokes."""
    stroke = strokes.labels[rows, columns]
    x, y = columns - strokes.left[stroke], rows - strokes.top[stroke]
    wide, high = strokes.width[stroke], strokes.height[stroke]
    deep = np.maximum(2, np.minimum(wide, high) // 5)
    away = np.minimum(np.minimum(x, wide - 1 - x), np.minimum(y, high - 1 - y))
    along = np.bincount(group, weights=(away < deep).astype(np.float64), minlength=count)
    found: Numbers = along / np.maximum(np.bincount(group, minlength=count), 1)
    return found


def _holes(strokes: Strokes, of: NDArray[np.int64], count: int, tall: float) -> Numbers:
    """Count closed loops of each group: small pieces of paper by the stroke around them."""
    paper = (strokes.labels == 0).astype(np.uint8)
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(paper, connectivity=4)
    found = np.zeros(count)
    for index in np.flatnonzero(stats[:, cv2.CC_STAT_HEIGHT] < LARGEST * tall):
        x, y = int(stats[index, cv2.CC_STAT_LEFT]), int(stats[index, cv2.CC_STAT_TOP])
        if index == 0 or x == 0 or stats[index, cv2.CC_STAT_AREA] < 3:
            continue
        row = pieces[y, x : x + int(stats[index, cv2.CC_STAT_WIDTH])]
        first = x + int((row == index).argmax())
        if first > 0:
            found[of[strokes.labels[y, first - 1]]] += 1
    return found


def _company(
    strokes: Strokes, of: NDArray[np.int64], box: Box, size: Numbers, number: Numbers
) -> Numbers:
    """Count other small strokes near each group, for each of its own."""
    middle_x = strokes.left + strokes.width / 2
    middle_y = strokes.top + strokes.height / 2
    small = np.flatnonzero(of > 0)
    x, y, group = middle_x[small], middle_y[small], of[small]
    left, top, right, bottom = box
    found = np.zeros(len(size))
    for index in range(1, len(size)):
        reach = 1.6 * size[index]
        near = (x > left[index] - reach) & (x < right[index] + reach)
        near &= (y > top[index] - reach) & (y < bottom[index] + reach) & (group != index)
        # Words of several strokes beside it are writing too, as a rule.
        alone = number[group] < 3
        found[index] = float((near & alone).sum() + 0.3 * (near & ~alone).sum()) / number[index]
    return found


LINES = 0.9  #: of its size, how far a stroke reaches to the next of one line of writing
HIDDEN = 32
FIGURES = 6 + 18 * len(LINKED)  #: about a stroke and the groups that it is part of
JOINED = 0.3  #: of a sheet's height: letters that run into each other, rings, arrows
LETTER = 0.2  #: chance below which a stroke is no writing, whatever the rules say


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LetterFigures:
    """What the network is shown: one row for each stroke that may be part of a letter."""

    strokes: NDArray[np.int64]  #: which ones, as `Strokes` counts them
    figures: Floats
    groups: NDArray[np.int64]  #: (rows, groupings): the group of each, by several reaches
    area: Floats


def letter_figures(ink: Ink, strokes: Strokes, tall: float) -> LetterFigures:
    """Return what is known of each small stroke and of its groups."""
    letter = letter_sized(strokes, tall, JOINED)
    chosen = np.flatnonzero(letter)
    wide, high = strokes.width[chosen], strokes.height[chosen]
    longest = np.maximum(wide, high)
    dark = (strokes.labels > 0).astype(np.uint8)
    deep = np.asarray(cv2.distanceTransform(dark, cv2.DIST_L2, 3), np.float64)
    count = len(strokes.area)
    flat = strokes.labels.ravel()
    pixels = np.maximum(np.bincount(flat, minlength=count), 1)
    thick = (np.bincount(flat, deep.ravel(), count) / pixels)[chosen]
    tone = (np.bincount(flat, ink.ravel(), count) / pixels)[chosen]
    all_thick = float(deep.sum() / max(int(dark.sum()), 1))
    all_tone = float(ink[dark > 0].mean()) if dark.any() else 0.0
    columns: list[NDArray[np.generic]] = [
        np.log(longest / tall) + 3.5,
        np.log(wide / high),
        strokes.area[chosen] / (wide * high),
        thick / max(all_thick, 1e-6) - 1,
        thick / longest * 5,
        (tone - all_tone) * 4,
    ]
    groups: list[NDArray[np.int64]] = []
    for linked in LINKED:
        of, number = _grouped(strokes, letter, tall, linked)
        figures = _figures(ink, strokes, of, number, tall)
        groups.append(of[chosen])
        columns += _shown(figures, tall, longest, of[chosen])
    groups.append(_grouped(strokes, letter, tall, LINES)[0][chosen])
    shown = np.stack([np.asarray(one, np.float64) for one in columns], axis=1)
    return LetterFigures(
        strokes=chosen,
        figures=np.clip(np.nan_to_num(shown), -6, 6).astype(np.float32),
        groups=np.stack(groups, axis=1),
        area=strokes.area[chosen].astype(np.float32),
    )


def _shown(
    words: Words, tall: float, longest: NDArray[np.int64], of: NDArray[np.int64]
) -> list[NDArray[np.generic]]:
    high = np.maximum(words.bottom - words.top, 1)
    wide = np.maximum(words.right - words.left, 1)
    size = np.maximum(words.size, 1)
    whole: list[Numbers] = [
        np.log(words.count) / 2,
        np.log(size / tall) + 3.5,
        words.density,
        words.fill,
        words.one_way,
        words.slanting,
        words.level * 2,
        words.rim,
        words.holes / words.count,
        words.turns / 2,
        words.uneven,
        np.minimum(words.crowded, 3),
        np.minimum(words.company, 3),
        np.minimum(high, wide) / size / 2,
        np.log(wide / size) / 2,
        np.log(high / size) / 2,
        wide / tall,
    ]
    return [*(one[of] for one in whole), np.log(longest / size[of])]


class LetterNetwork:
    """Separates letters from drawing; trained on sheets that Haikei's own code writes on."""

    def __init__(self, weights: Mapping[str, Floats]) -> None:
        self._weights = weights

    def written(self, ink: Ink, strokes: Strokes, tall: float) -> NDArray[np.bool_]:
        """Return which strokes may be writing; `tall` is the height of a usual sheet."""
        found = np.zeros(len(strokes.area), np.bool_)
        shown = letter_figures(ink, strokes, tall)
        if len(shown.strokes):
            found[shown.strokes[self.chances(shown) > LETTER]] = True
        return found

    def chances(self, shown: LetterFigures) -> Numbers:
        """Return how likely each stroke is writing, rounded so that machines agree."""
        weights = self._weights
        scaled = (shown.figures - weights["letters.mean"]) / weights["letters.deviation"]
        state = self._layer("letters.first", scaled)
        area = shown.area[:, None]
        parts = [state]
        for of in shown.groups.T:
            sums = np.zeros((int(of.max()) + 1, HIDDEN + 1), np.float32)
            np.add.at(sums, of, np.concatenate([state * area, area], axis=1))
            mean = sums[:, :-1] / np.maximum(sums[:, -1:], np.float32(1e-6))
            parts.append(mean[of].astype(np.float32))
        state = self._layer("letters.second", np.concatenate(parts, axis=1))
        score = state @ weights["letters.last.weight"].T + weights["letters.last.bias"]
        return np.round(1 / (1 + np.exp(-score[:, 0].astype(np.float64))), 3)

    def _layer(self, name: str, values: Floats) -> Floats:
        weights = self._weights
        summed = values @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]
        return np.asarray(np.maximum(summed, 0), np.float32)


def letter_shapes() -> dict[str, tuple[int, ...]]:
    """Return which weights the network has, and their shapes."""
    joined = HIDDEN * (len(LINKED) + 2)
    return {
        "letters.mean": (FIGURES,),
        "letters.deviation": (FIGURES,),
        "letters.first.weight": (HIDDEN, FIGURES),
        "letters.first.bias": (HIDDEN,),
        "letters.second.weight": (HIDDEN, joined),
        "letters.second.bias": (HIDDEN,),
        "letters.last.weight": (1, HIDDEN),
        "letters.last.bias": (1,),
    }
