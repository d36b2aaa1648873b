"""
Writing distinguished from drawing by what was learnt from sheets that Haikei's own code writes on.

Each small stroke is shown by figures of itself and of the groups that it stands in, and by three
small pictures: itself, what is close, and what is around. Strokes of a group hear one another
twice, so that a letter that is half known goes by its word. NumPy alone runs it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.sheets.lettering import (
    LINKED,
    Numbers,
    Strokes,
    Sums,
    Words,
    grouped,
    letter_sized,
    words_of,
)
from haikei.sheets.sheet import Ink

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
LINES = 0.9  #: of its size, how far a stroke reaches to the next of one line of writing
FIGURES = 6 + 18 * len(LINKED)  #: about a stroke and the groups that it is part of
GROUPINGS = len(LINKED) + 1
JOINED = 0.3  #: of a sheet's height: letters that run into each other, rings, arrows
SIDE, PICTURES = 20, 3  #: pixels of a side of the small pictures, and how many there are
CLOSE, AROUND = 3.0, 7.0  #: how much the second and third picture show, in a stroke's lengths
LEAST_SHOWN = 0.02  #: of a sheet's height, the length that is taken for shorter strokes
SEEN = (12, 24, 32)  #: channels after each convolution; each halves the picture's side
HIDDEN, LAST = 48, 32


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LetterFigures:
    """What the network is shown: one row for each stroke that may be part of a letter."""

    strokes: NDArray[np.int64]  #: which ones, as `Strokes` counts them
    figures: Floats
    pictures: Bytes  #: (rows, SIDE, SIDE, PICTURES), 0 paper to 255 full line
    groups: NDArray[np.int64]  #: (rows, groupings): the group of each, by several reaches
    area: Floats


def letter_figures(ink: Ink, strokes: Strokes, sums: Sums, tall: float) -> LetterFigures:
    """Return what is known of each small stroke; `tall` is the height of a usual sheet."""
    letter = letter_sized(strokes, tall, JOINED)
    chosen = np.flatnonzero(letter)
    longest = np.maximum(strokes.width[chosen], strokes.height[chosen])
    columns = _own_figures(strokes, sums, chosen, tall)
    groups: list[NDArray[np.int64]] = []
    for linked in LINKED:
        words = words_of(strokes, sums, letter, tall, linked)
        groups.append(words.of[chosen])
        columns += _shown(words, tall, longest, words.of[chosen])
    groups.append(grouped(strokes, letter, tall, LINES)[0][chosen])
    shown = np.stack([np.asarray(one, np.float64) for one in columns], axis=1)
    return LetterFigures(
        strokes=chosen,
        figures=np.clip(np.nan_to_num(shown), -6, 6).astype(np.float32),
        pictures=_pictures(ink, strokes, chosen, tall),
        groups=np.stack(groups, axis=1),
        area=strokes.area[chosen].astype(np.float32),
    )


def _own_figures(
    strokes: Strokes, sums: Sums, chosen: NDArray[np.int64], tall: float
) -> list[NDArray[np.generic]]:
    wide, high = strokes.width[chosen], strokes.height[chosen]
    longest = np.maximum(wide, high)
    pixels = np.maximum(sums.pixels, 1)
    thick, tone = (sums.depth / pixels)[chosen], (sums.tone / pixels)[chosen]
    total = max(float(sums.pixels.sum()), 1.0)
    all_thick, all_tone = float(sums.depth.sum()) / total, float(sums.tone.sum()) / total
    return [
        np.log(longest / tall) + 3.5,
        np.log(wide / high),
        strokes.area[chosen] / (wide * high),
        thick / max(all_thick, 1e-6) - 1,
        thick / longest * 5,
        (tone - all_tone) * 4,
    ]


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


def _pictures(ink: Ink, strokes: Strokes, chosen: NDArray[np.int64], tall: float) -> Bytes:
    """Return each stroke alone, the ink close to it, and the ink around it."""
    middle = np.stack(
        [
            strokes.left[chosen] + (strokes.width[chosen] - 1) / 2,
            strokes.top[chosen] + (strokes.height[chosen] - 1) / 2,
        ],
        axis=1,
    )
    longest = np.maximum(strokes.width[chosen], strokes.height[chosen]).astype(np.float64)
    usual = np.clip(longest, LEAST_SHOWN * tall, None)
    halved = _halved(ink, float(AROUND * usual.max(initial=1.0)))
    return np.stack(
        [
            _alone(strokes, chosen, middle, 1.1 * longest + 2),
            _sampled(halved, middle, CLOSE * usual),
            _sampled(halved, middle, AROUND * np.minimum(usual, 0.1 * tall)),
        ],
        axis=3,
    )


def _halved(ink: Ink, extent: float) -> Sequence[Ink]:
    """Return a picture, its half, its quarter …, as far as a window of an extent asks for."""
    planes = [ink]
    while extent / SIDE > 1.4 * 2 ** (len(planes) - 1) and min(planes[-1].shape) > SIDE:
        high, wide = planes[-1].shape
        # An odd row or column is doubled: halves stay on the same grid.
        even = cv2.copyMakeBorder(planes[-1], 0, high % 2, 0, wide % 2, cv2.BORDER_REPLICATE)
        size = (even.shape[1] // 2, even.shape[0] // 2)
        planes.append(np.asarray(cv2.resize(even, size, interpolation=cv2.INTER_AREA), np.float32))
    return planes


def _grid(middle: Numbers, extent: Numbers, side: int) -> tuple[Numbers, Numbers]:
    """Return where samples of square windows lie: (windows, side) across, and the same down."""
    steps = (np.arange(side) + 0.5) / side - 0.5
    across = middle[:, :1] + extent[:, None] * steps[None]
    return across, middle[:, 1:] + extent[:, None] * steps[None]


def _sampled(halved: Sequence[Ink], middle: Numbers, extent: Numbers) -> Bytes:
    """Sample square windows, each of the plane whose pixels are about as large as its samples."""
    found = np.zeros((len(extent), SIDE, SIDE), np.uint8)
    level = np.rint(np.log2(np.maximum(extent / SIDE, 1))).astype(np.int64)
    level = np.minimum(level, len(halved) - 1)
    for one in range(len(halved)):
        which = np.flatnonzero(level == one)
        if not len(which):
            continue
        across, down = _grid(middle[which], extent[which], SIDE)
        shape = (len(which), SIDE, SIDE)
        maps = [
            np.broadcast_to(((place + 0.5) / 2**one - 0.5), shape).astype(np.float32)
            for place in (across[:, None, :], down[:, :, None])
        ]
        # Lines grow fainter as they are halved: what they are does not.
        gain = 255 * 2 ** (0.6 * one)
        for begin in range(0, len(which), 1000):
            part = slice(begin, begin + 1000)
            values = cv2.remap(
                halved[one],
                maps[0][part].reshape(-1, SIDE),
                maps[1][part].reshape(-1, SIDE),
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_CONSTANT,
            )
            found[which[part]] = np.clip(values * gain, 0, 255).reshape(-1, SIDE, SIDE)
    return found


def _alone(strokes: Strokes, chosen: NDArray[np.int64], middle: Numbers, extent: Numbers) -> Bytes:
    """Return each stroke with nothing of its neighbours."""
    high, wide = strokes.labels.shape
    fine = 2 * SIDE
    across, down = _grid(middle, extent, fine)
    column, row = np.rint(across).astype(np.int64), np.rint(down).astype(np.int64)
    legal = (column >= 0) & (column < wide)
    legal_down = (row >= 0) & (row < high)
    column, row = np.clip(column, 0, wide - 1), np.clip(row, 0, high - 1)
    met = strokes.labels[row[:, :, None], column[:, None, :]] == chosen[:, None, None]
    met &= legal[:, None, :] & legal_down[:, :, None]
    quarters = met.reshape(len(chosen), SIDE, 2, SIDE, 2)
    # A line that falls between samples would vanish: one of four will do for half.
    count = quarters.sum(axis=(2, 4))
    return np.asarray(np.minimum(count * 128, 255), np.uint8)


class LetterNetwork:
    """Separates letters from drawing; trained on sheets that Haikei's own code writes on."""

    def __init__(self, weights: Mapping[str, Floats]) -> None:
        self._weights = weights

    def weigh(self, ink: Ink, strokes: Strokes, sums: Sums, tall: float) -> Numbers:
        """Return how likely each stroke is writing, 0 for long ones; `tall` is a sheet's height."""
        found = np.zeros(len(strokes.area))
        shown = letter_figures(ink, strokes, sums, tall)
        found[shown.strokes] = self.chances(shown)
        return found

    def chances(self, shown: LetterFigures) -> Numbers:
        """Return how likely each stroke is writing, rounded so that machines agree."""
        if not len(shown.strokes):
            return np.zeros(0)
        weights = self._weights
        scaled = (shown.figures - weights["letters.mean"]) / weights["letters.deviation"]
        state = self._layer("letters.first", np.concatenate([scaled, self._seen(shown)], axis=1))
        weight = np.sqrt(shown.area)[:, None]
        for name in ("letters.second", "letters.third"):
            heard: list[Floats] = [state]
            for of in shown.groups.T:
                order = np.argsort(of, kind="stable")
                starts = np.flatnonzero(np.diff(of[order], prepend=-1))
                both = np.concatenate([state * weight, weight], axis=1)[order]
                sums = np.add.reduceat(both, starts, axis=0)
                mean = sums[:, :-1] / np.maximum(sums[:, -1:], np.float32(1e-6))
                place = np.empty(len(of), np.int64)
                place[order] = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(of)))
                heard.append(np.asarray(mean[place], np.float32))
            state = self._layer(name, np.concatenate(heard, axis=1))
        score = state @ weights["letters.last.weight"].T + weights["letters.last.bias"]
        return np.round(1 / (1 + np.exp(-score[:, 0].astype(np.float64))), 3)

    def _seen(self, shown: LetterFigures) -> Floats:
        """Return what is seen in the pictures, by a few at a time."""
        parts = [
            self._convolved(shown.pictures[begin : begin + 256])
            for begin in range(0, len(shown.pictures), 256)
        ]
        return np.concatenate(parts)

    def _convolved(self, pictures: Bytes) -> Floats:
        values = pictures.astype(np.float32) / np.float32(255)
        for index in range(len(SEEN)):
            padded = np.pad(values, ((0, 0), (1, 1), (1, 1), (0, 0)))
            windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
            # (pictures, side, side, channels, 3, 3): as the weights are laid out.
            halved = windows[:, ::2, ::2]
            flat = halved.reshape(-1, halved.shape[3] * 9)
            name = f"letters.seen.{index}"
            wide = self._layer(name, np.ascontiguousarray(flat, np.float32))
            values = wide.reshape(*halved.shape[:3], -1)
        return values.reshape(len(values), -1)

    def _layer(self, name: str, values: Floats) -> Floats:
        weights = self._weights
        summed = values @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]
        return np.asarray(np.maximum(summed, 0), np.float32)


def letter_shapes() -> dict[str, tuple[int, ...]]:
    """Return which weights the network has, and their shapes."""
    shapes: dict[str, tuple[int, ...]] = {
        "letters.mean": (FIGURES,),
        "letters.deviation": (FIGURES,),
    }
    channels, side = PICTURES, SIDE
    for index, wide in enumerate(SEEN):
        shapes[f"letters.seen.{index}.weight"] = (wide, channels * 9)
        shapes[f"letters.seen.{index}.bias"] = (wide,)
        channels, side = wide, (side + 1) // 2
    inputs = FIGURES + channels * side * side
    for name, outputs in (("first", HIDDEN), ("second", HIDDEN), ("third", LAST)):
        shapes[f"letters.{name}.weight"] = (outputs, inputs)
        shapes[f"letters.{name}.bias"] = (outputs,)
        inputs = outputs * (1 + GROUPINGS)
    return {**shapes, "letters.last.weight": (1, LAST), "letters.last.bias": (1,)}
