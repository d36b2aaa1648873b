"""
The paper under a drawing: its tint, its shading, and dust on it.

Paper is flattened against its own local white (a grey-scale dilation, the usual estimate of a
document's background); a tint is divided out first, so that it is no colour of lines.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.sheets.sheet import Ink, Mask, PaperTint

Pixels = NDArray[np.float32]  #: (height, width, 3), sRGB, 0 to 1

PALEST, DARKEST = 0.80, 0.42  #: paper-relative grey where ink begins, and where it is full
SEEN, FAINT = 0.12, 0.5  #: darkness of a stroke, and of usual strokes of a soft pencil
MOST_DEEPENED = 1.8  #: how much fainter strokes are deepened
TINTED = 0.09  #: distance between the channels of paper that has a name for its colour
UNEVEN = 0.012  #: distance between the channels of paper that is not quite white
ALIKE = 0.06  #: how far paper may be from its own colour
SCANNED = 0.0015  #: unevenness of bare paper that no paint program leaves


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LevelSheet:
    """A sheet whose paper is neutral, and dark lines on light."""

    pixels: Pixels
    tint: PaperTint
    colour: tuple[float, float, float]
    inverted: bool
    scanned: bool  #: the paper has grain, so that dust may lie on it


def level(pixels: Pixels) -> LevelSheet:
    """Look at the paper, and return the sheet as if it were white."""
    sample = np.ascontiguousarray(pixels[::4, ::4])
    brightest = sample.max(axis=2)
    inverted = float(np.median(brightest)) < 0.3
    scanned = _grain(pixels[::2, ::2, 1], inverted=inverted) > SCANNED
    if inverted:
        dark = sample[brightest <= np.median(brightest) + 0.1]
        return LevelSheet(
            pixels=pixels,
            tint=PaperTint.DARK,
            colour=_triple(np.median(dark, axis=0)),
            inverted=True,
            scanned=scanned,
        )
    light = brightest > 0.75 * float(np.percentile(brightest, 75))
    ratio = sample[light] / np.maximum(brightest[light], 1e-3)[:, None]
    usual = np.median(ratio, axis=0)
    colour = _triple(np.median(sample[light], axis=0))
    same = (np.abs(ratio - usual).max(axis=1) < ALIKE).sum() / brightest.size
    spread = float(usual.max() - usual.min())
    if same < 0.45 or float(usual.min()) < 0.3:
        tint = PaperTint.UNKNOWN
    elif spread > TINTED:
        tint = _name(usual)
    else:
        tint = PaperTint.WHITE
    if tint is not PaperTint.UNKNOWN and spread > UNEVEN:
        pixels = np.minimum(pixels / usual.astype(np.float32), np.float32(1.0))
    return LevelSheet(pixels=pixels, tint=tint, colour=colour, inverted=False, scanned=scanned)


def flatten(grey: Ink) -> Ink:
    """Return ink, 0 paper to 1 full line, of paper that may be shaded."""
    flat = grey / _local_white(grey)
    sample = 1 - flat[::3, ::3]
    high, wide = sample.shape
    # A printed frame and a black binding bar are no measure of the pencil: they stand around it.
    middle = sample[high // 4 : high - high // 4, wide // 4 : wide - wide // 4]
    depths = [
        float(np.percentile(lines, 80))
        for lines in (sample[sample > SEEN], middle[middle > SEEN])
        if lines.size > 50
    ]
    if depths and min(depths) < FAINT:
        # A hard pencil, or a scanner that spreads thin lines: they are lines all the same.
        flat = 1 - (1 - flat) * np.float32(min(FAINT / min(depths), MOST_DEEPENED))
    return np.asarray(np.clip((PALEST - flat) / (PALEST - DARKEST), 0.0, 1.0), np.float32)


def specks(ink: Ink) -> Mask | None:
    """Return where dust lies: dots too small for a pencil, with nothing near them."""
    height, width = ink.shape
    dark = (ink > 0.1).astype(np.uint8)
    size = max(5, round(7 * (width / 1280) ** 2))
    count, found, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    labels = np.asarray(found, np.int32)
    # A dot is about as long as it is wide; the leaves of a wood are as small, but strokes.
    longest = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    small = (stats[:, cv2.CC_STAT_AREA] <= size) & (longest <= 1.6 * size**0.5)
    small[0] = False
    if count < 2 or not small.any():
        return None
    dots = small[labels]
    lone = max(2, round(height / 120))
    near = cv2.dilate(dark & ~dots, np.ones((2 * lone + 1, 2 * lone + 1), np.uint8)) > 0
    touched = np.unique(labels[dots & near]).astype(np.int64)
    small[touched] = False
    dust: Mask = small[labels]
    return dust if dust.any() else None


def _local_white(grey: Ink) -> Ink:
    height, width = grey.shape
    small = cv2.resize(
        grey, (max(8, width // 8), max(8, height // 8)), interpolation=cv2.INTER_AREA
    )
    light = cv2.GaussianBlur(cv2.dilate(small, np.ones((5, 5), np.uint8)), (0, 0), 3)
    paper = cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.maximum(paper, 0.35), np.float32)


def _grain(plane: Ink, *, inverted: bool) -> float:
    """Return how uneven bare paper is: the usual difference between neighbours there."""
    step = np.abs(np.diff(plane, axis=1))
    bare = plane[:, 1:] < 0.25 if inverted else plane[:, 1:] > 0.6
    calm = step[bare & (step < 0.06)]
    return float(calm.mean()) if calm.size else 0.0


def _name(ratio: NDArray[np.floating]) -> PaperTint:
    red, green, blue = (float(one) for one in ratio)
    if blue >= max(red, green) - 0.01:
        return PaperTint.RED if red > green + 0.03 else PaperTint.BLUE
    if green > red + 0.02:
        return PaperTint.GREEN
    # Between red and yellow: pink paper keeps blue where yellow paper keeps green.
    return PaperTint.YELLOW if green - blue > 0.4 * (red - blue) else PaperTint.RED


def _triple(colour: NDArray[np.floating]) -> tuple[float, float, float]:
    red, green, blue = (round(float(one), 3) for one in colour)
    return red, green, blue
