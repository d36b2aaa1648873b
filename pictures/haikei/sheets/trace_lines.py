"""
Coloured lines on a sheet: red, blue, green or brown, taken out of the drawing and kept.

A drawing that is itself made in one coloured pencil stays the drawing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.sheets.paper import LevelSheet
from haikei.sheets.sheet import Ink, Mask, PaperTint, TraceColour

COLOURED = 0.2  #: distance between a pixel's largest and smallest channel that makes it coloured
BEYOND = 0.6  #: the part of it by which a pencil's colour lies beyond that of tinted paper
TINTED_PAPER = (PaperTint.RED, PaperTint.YELLOW, PaperTint.GREEN, PaperTint.BLUE)
FAINTEST = 0.06  #: the same of a pale coloured line
MOSTLY = 0.3  #: part of the sheet that may be coloured before it is no line art any more
FRINGE = 0.7  #: part of a coloured stroke along black ink, beyond which it is a scanner's fringe
#: Where each colour begins on a circle of hues in degrees; red goes on through 0.
BROWN_FROM, GREEN_FROM, BLUE_FROM, RED_FROM = 17, 65, 165, 285


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ColouredInk:
    """A sheet's lines, black ones and coloured ones apart."""

    grey: Ink  #: what is neutral, 0 black to 1 paper, coloured lines wiped
    masks: Mapping[TraceColour, Mask]  #: strokes of each colour that was found
    depth: Ink | None  #: how dark lines of any colour are; None where all is grey


def part_colours(sheet: LevelSheet) -> ColouredInk:
    """Part neutral ink from coloured ink; a picture coloured all over has neutral ink only."""
    red, green, blue = cv2.split(sheet.pixels)
    brightest = np.asarray(cv2.max(cv2.max(red, green), blue), np.float32)
    darkest = np.asarray(cv2.min(cv2.min(red, green), blue), np.float32)
    spread = brightest - darkest
    coloured = spread > COLOURED
    if sheet.tint in TINTED_PAPER:
        coloured = _beyond_paper(sheet, coloured)
    if coloured.mean() > MOSTLY:
        grey = np.asarray(cv2.cvtColor(sheet.pixels, cv2.COLOR_RGB2GRAY), np.float32)
        return ColouredInk(grey=_upright(grey, sheet), masks={}, depth=None)
    # Pale lines of a colour are no trace lines, but a frame may be ruled in one.
    depth = (1 - brightest if sheet.inverted else darkest) if spread.max() > FAINTEST else None
    if not coloured.any():
        return ColouredInk(grey=_upright(brightest, sheet), masks={}, depth=depth)
    wide = cv2.dilate(coloured.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    strokes = wide & (spread > COLOURED / 3)
    if not sheet.inverted:
        strokes = _without_fringes(strokes, brightest)
    paper = np.float32(0.0 if sheet.inverted else 1.0)
    grey = np.where(strokes, paper, brightest)
    masks = _by_hue(sheet.pixels, strokes)
    return ColouredInk(grey=_upright(grey, sheet), masks=masks, depth=depth)


def _beyond_paper(sheet: LevelSheet, coloured: Mask) -> Mask:
    """
    Return what has more colour than the paper: JPEG gives black lines the colour of what is around.

    It keeps colour at half the size of light (4:2:0). So a grey line on tinted paper has a colour
    between none and the paper's; a pencil's lies beyond.
    """
    rows, columns = np.nonzero(coloured)
    if not len(rows):
        return coloured
    paper = np.asarray(sheet.colour, np.float32)
    paper /= paper.max()
    seen = sheet.pixels[rows, columns] * paper
    tint = paper - paper.mean()
    colour = seen - seen.mean(axis=1, keepdims=True)
    share = np.clip(colour @ tint / max(float(tint @ tint), 1e-6), 0, 1)
    rest = colour - share[:, None] * tint
    found = np.zeros(coloured.shape, np.bool_)
    found[rows, columns] = rest.max(axis=1) - rest.min(axis=1) > BEYOND * COLOURED
    return found


def own_colour(neutral: Ink, masks: Mapping[TraceColour, Mask]) -> TraceColour | None:
    """Return the colour that a drawing is made in, where it is no neutral one."""
    if not masks:
        return None
    black = int((neutral > 0.3).sum())
    colour, most = max(
        ((one, int(mask.sum())) for one, mask in masks.items()), key=lambda pair: pair[1]
    )
    return colour if most > 0.002 * neutral.size and black < 0.25 * most else None


def _upright(grey: Ink, sheet: LevelSheet) -> Ink:
    """Turn white lines on dark ground into dark lines on white."""
    return np.float32(1.0) - grey if sheet.inverted else grey


def _without_fringes(strokes: Mask, brightest: Ink) -> Mask:
    """Give back what a scanner's channels, a little apart, make of the edges of black lines."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(
        strokes.astype(np.uint8), connectivity=8
    )
    labels = np.asarray(parts, np.int32)
    black = ((brightest < 0.45) & ~strokes).astype(np.uint8)
    along = cv2.dilate(black, np.ones((5, 5), np.uint8)) > 0
    beside = np.bincount(labels[strokes & along], minlength=count)
    kept = (beside <= FRINGE * stats[:, cv2.CC_STAT_AREA]) & (stats[:, cv2.CC_STAT_AREA] > 3)
    kept[0] = False
    found: Mask = kept[labels]
    return found


def _by_hue(pixels: NDArray[np.float32], strokes: Mask) -> Mapping[TraceColour, Mask]:
    """Name pixels of strokes by their hue."""
    if not strokes.any():
        return {}
    rows, columns = np.nonzero(strokes)
    line = pixels[rows, columns][None]
    hue = cv2.cvtColor(line, cv2.COLOR_RGB2HSV)[0, :, 0]
    brightest = line[0].max(axis=1)
    bounds = (BROWN_FROM, GREEN_FROM, BLUE_FROM, RED_FROM)
    kind = np.searchsorted(np.array(bounds), hue, side="right") % 4
    # Dark reds are a brown pencil's.
    kind[(kind == 0) & (hue < BROWN_FROM) & (hue > 5) & (brightest < 0.62)] = 1
    order = (TraceColour.RED, TraceColour.BROWN, TraceColour.GREEN, TraceColour.BLUE)
    found: dict[TraceColour, Mask] = {}
    for number, colour in enumerate(order):
        chosen = kind == number
        if chosen.sum() < 8:
            continue
        mask = np.zeros(strokes.shape, np.bool_)
        mask[rows[chosen], columns[chosen]] = True
        found[colour] = mask
    return found
