"""
Writing on a picture: groups of small strokes that are dense, uneven and turn every way.

Letters are separated from drawing by figures of connected strokes: leaves and grass are sparser,
hatching has one direction, windows and stones repeat one size. `written` weighs them by rules,
without any trained model; `letter_network` shows the same figures to what was learnt.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.sheets.sheet import Ink

Numbers = NDArray[np.float64]
LARGEST, SMALLEST = 0.085, 0.0035  #: of a stroke that may be part of a letter, in heights
LINKED = (0.13, 0.26, 0.42)  #: of its size, how far a stroke reaches to the next: three tries
PARTED = 0.1  #: of a sheet's height: longer strokes are taken apart where their lines meet
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
    piece: NDArray[np.bool_]  #: which are pieces of a longer stroke


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sums:
    """Of each stroke's pixels; the first are of the paper."""

    pixels: Numbers
    xx: Numbers  #: of the ink's slopes: across squared, down squared, and one by the other
    yy: Numbers
    xy: Numbers
    slant: Numbers  #: slope that is neither level nor upright
    level: Numbers  #: slope of level edges
    rising_x: Numbers  #: times that the stroke is met from the left
    rising_y: Numbers  #: and from above
    rim: Numbers  #: pixels along the stroke's own box
    holes: Numbers  #: closed loops
    depth: Numbers  #: how far pixels lie from the paper
    tone: Numbers  #: ink


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
        piece=np.zeros(len(plain), np.bool_),
    )


def parted(strokes: Strokes, tall: float) -> Strokes:
    """
    Take large strokes apart where their lines meet, so that letters on a line stand for themselves.

    Lines are thinned (Zhang and Suen, 1984) and cut where three meet; each pixel goes to the piece
    that is nearest. `tall` is the height of a usual sheet.
    """
    large = np.maximum(strokes.width, strokes.height) > PARTED * tall
    large[0] = False
    if not large.any():
        return strokes
    joined = large[strokes.labels]
    thin = _thinned(joined.astype(np.uint8))
    around = cv2.filter2D(
        thin, cv2.CV_8U, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT
    )
    meeting = ((thin > 0) & (around > 3)).astype(np.uint8)
    apart = cv2.dilate(meeting, np.ones((3, 3), np.uint8)) == 0
    cut = (thin * apart).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(
        1 - cut, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    count, pieces = cv2.connectedComponents(cut, connectivity=8)
    if count < 2:
        return strokes
    # The nearest pixel's number leads to its piece.
    piece_of = np.zeros(int(nearest.max()) + 1, np.int32)
    piece_of[nearest[cut > 0]] = pieces[cut > 0]
    labels = np.where(joined, 0, strokes.labels)
    labels[joined] = piece_of[nearest[joined]] + len(strokes.area) - 1
    return _measured(labels.astype(np.int32), len(strokes.area))


def _thinned(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Thin lines to one pixel; what is thicker than a dozen stays thick within."""
    thin = np.ascontiguousarray(plane)
    for _ in range(6):
        before = thin
        for table in _THINNING:
            code = cv2.filter2D(thin, cv2.CV_8U, _NEIGHBOURS, borderType=cv2.BORDER_CONSTANT)
            thin = np.asarray(cv2.min(thin, cv2.LUT(code, table)), np.uint8)
        if np.array_equal(before, thin):
            break
    return thin


#: Bits of the eight neighbours, from above clockwise.
_NEIGHBOURS = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)


def _thinning(*, first: bool) -> NDArray[np.uint8]:
    """Return, for each pattern of neighbours, 0 where the pixel between them goes."""
    table = np.ones(256, np.uint8)
    for code in range(256):
        ring = [code >> bit & 1 for bit in range(8)]
        steps = sum(ring[bit] < ring[(bit + 1) % 8] for bit in range(8))
        up, right, down, left = ring[0], ring[2], ring[4], ring[6]
        kept = (
            (up & right & down, right & down & left)
            if first
            else (up & right & left, up & down & left)
        )
        if 2 <= sum(ring) <= 6 and steps == 1 and not any(kept):
            table[code] = 0
    return table


_THINNING = (_thinning(first=True), _thinning(first=False))


def _measured(labels: NDArray[np.int32], whole: int) -> Strokes:
    """Number strokes anew without gaps; those below `whole` are no pieces."""
    count = int(labels.max()) + 1
    area = np.bincount(labels.ravel(), minlength=count)
    used = area > 0
    used[0] = True
    number = np.cumsum(used) - 1
    labels = number[labels].astype(np.int32)
    rows, columns = np.nonzero(labels)
    stroke = labels[rows, columns]
    kept = int(number[-1]) + 1
    left, top = np.full(kept, 1 << 30), np.full(kept, 1 << 30)
    right, bottom = np.zeros(kept, np.int64), np.zeros(kept, np.int64)
    np.minimum.at(left, stroke, columns)
    np.minimum.at(top, stroke, rows)
    np.maximum.at(right, stroke, columns + 1)
    np.maximum.at(bottom, stroke, rows + 1)
    left[0] = top[0] = 0
    right[0], bottom[0] = labels.shape[1], labels.shape[0]
    return Strokes(
        labels=labels, left=left, top=top, width=right - left, height=bottom - top,
        area=np.bincount(stroke, minlength=kept), piece=np.flatnonzero(used) >= whole,
    )  # fmt: skip


def sums_of(ink: Ink, strokes: Strokes, tall: float) -> Sums:
    """Add up what each stroke's pixels are like; `tall` is the height of a usual sheet."""
    count = len(strokes.area)
    dark = strokes.labels > 0
    rows, columns = np.nonzero(dark)
    stroke = strokes.labels[rows, columns]

    def total(values: NDArray[np.generic]) -> Numbers:
        plain = np.asarray(values, np.float64)
        return np.asarray(np.bincount(stroke, weights=plain, minlength=count), np.float64)

    across = cv2.Sobel(ink, cv2.CV_32F, 1, 0)[rows, columns]
    down = cv2.Sobel(ink, cv2.CV_32F, 0, 1)[rows, columns]
    xx, yy, xy = across * across, down * down, across * down
    before = columns > 0
    above = rows > 0
    deep = np.asarray(cv2.distanceTransform(dark.astype(np.uint8), cv2.DIST_L2, 3), np.float64)
    return Sums(
        pixels=total(np.ones(len(rows))),
        xx=total(xx), yy=total(yy), xy=total(xy),
        slant=total(4 * xy * xy / np.maximum(xx + yy, 1e-9)),
        level=total(np.where(yy > 5.8 * xx, yy, 0)),
        rising_x=total(before & ~dark[rows, columns - 1]),
        rising_y=total(above & ~dark[rows - 1, columns]),
        rim=total(_along_box(strokes, rows, columns, stroke)),
        holes=_holes(strokes, tall),
        depth=total(deep[rows, columns]),
        tone=total(ink[rows, columns]),
    )  # fmt: skip


def usual_height(ink: Ink, sheet: Ink) -> float:
    """Return the height that letters go by: the sheet's, not the frame's, for a PAN is low."""
    return float(max(min(ink.shape), 0.5 * max(sheet.shape)))


def letter_sized(strokes: Strokes, tall: float, largest: float = LARGEST) -> NDArray[np.bool_]:
    """Return which strokes may be letters by their size; `tall` is the height of a usual sheet."""
    longest = np.maximum(strokes.width, strokes.height)
    letter = (longest <= largest * tall) & (longest >= max(2.0, SMALLEST * tall))
    letter[0] = False
    return np.asarray(letter, np.bool_)


def words_of(
    strokes: Strokes, sums: Sums, letter: NDArray[np.bool_], tall: float, linked: float
) -> Words:
    """
    Group strokes that stand near each other.

    Args:
        strokes: all of a picture.
        sums: of the same strokes.
        letter: which of them may be letters.
        tall: the height of a usual sheet, in pixels.
        linked: how far a stroke reaches to the next, of its size.
    """
    of, count = grouped(strokes, letter, tall, linked)
    return _figures(strokes, sums, of, count, tall)


def grouped(
    strokes: Strokes, letter: NDArray[np.bool_], tall: float, linked: float
) -> tuple[NDArray[np.int64], int]:
    """Return the group of each stroke, 0 for none, and the number of groups with that one."""
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


def _figures(strokes: Strokes, sums: Sums, of: NDArray[np.int64], count: int, tall: float) -> Words:
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
    sum_xx, sum_yy, sum_xy = total(sums.xx), total(sums.yy), total(sums.xy)
    energy = np.maximum(sum_xx + sum_yy, 1e-9)
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
        slanting=total(sums.slant) / energy,
        level=total(sums.level) / energy,
        rim=total(sums.rim) / np.maximum(total(sums.pixels), 1),
        holes=total(sums.holes),
        turns=np.sqrt(total(sums.rising_x) * total(sums.rising_y)) * size / np.maximum(closed, 1),
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


def _along_box(
    strokes: Strokes,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    stroke: NDArray[np.int32],
) -> NDArray[np.bool_]:
    """Return which pixels lie along the boxes of their strokes."""
    x, y = columns - strokes.left[stroke], rows - strokes.top[stroke]
    wide, high = strokes.width[stroke], strokes.height[stroke]
    deep = np.maximum(2, np.minimum(wide, high) // 5)
    away = np.minimum(np.minimum(x, wide - 1 - x), np.minimum(y, high - 1 - y))
    return np.asarray(away < deep, np.bool_)


def _holes(strokes: Strokes, tall: float) -> Numbers:
    """Count closed loops of each stroke: small pieces of paper that it goes around."""
    paper = (strokes.labels == 0).astype(np.uint8)
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(paper, connectivity=4)
    found = np.zeros(len(strokes.area))
    for index in np.flatnonzero(stats[:, cv2.CC_STAT_HEIGHT] < LARGEST * tall):
        x, y = int(stats[index, cv2.CC_STAT_LEFT]), int(stats[index, cv2.CC_STAT_TOP])
        if index == 0 or x == 0 or stats[index, cv2.CC_STAT_AREA] < 3:
            continue
        row = pieces[y, x : x + int(stats[index, cv2.CC_STAT_WIDTH])]
        first = x + int((row == index).argmax())
        if first > 0:
            found[strokes.labels[y, first - 1]] += 1
    found[0] = 0
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
