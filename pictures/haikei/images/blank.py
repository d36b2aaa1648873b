"""Whether anything is drawn on a sheet, or whether it is paper, dust and the scanner's shade."""

import numpy as np
from numpy.typing import NDArray

from haikei.images.picture import Picture

#: The longer side, in pixels, at which a sheet is looked at: pencil lines stay lines.
_SIDE = 2048
#: A picture with a shorter side below this, in pixels, has no room for grain and dust.
_SMALL = 64
#: Paper is what a wide median of the sheet shows, as a fraction of the longer side.
_PAPER = 0.02
#: A mark differs from its paper by more than the sheet's own grain, and by so much of 255 at least.
#: No paper is coarser than the most: what is drawn all over a sheet is no grain.
_GRAINS, _LEAST, _MOST = 6.0, 2.5, 16.0
#: Fractions of the longer side: a stroke is longer, and a scanner's shade lies within the edge.
_STROKE, _EDGE = 0.025, 0.015
#: Fraction of the sheet that marks shorter than strokes cover where they are a drawing after all.
_COVERED = 0.01


def is_blank(picture: Picture) -> bool:
    """
    Tell whether a sheet bears no drawing: nothing but paper of any tint, its grain, and dust.

    Each channel is compared with its own paper, so that coloured pencil counts as ink does. Faint
    lines count: what decides is length, not darkness.
    """
    import cv2

    sheet = _reduced(picture)
    if min(sheet.shape[:2]) < _SMALL:
        return bool(np.ptp(sheet.reshape(-1, 3).astype(np.float32), axis=0).max() <= _LEAST)
    edge = round(_EDGE * max(sheet.shape))
    sheet = np.ascontiguousarray(sheet[edge : sheet.shape[0] - edge, edge : sheet.shape[1] - edge])
    height, width = sheet.shape[:2]
    longest = max(height, width)
    marks = np.zeros((height, width), np.uint8)
    for index in range(sheet.shape[2]):
        marks |= _marks(np.ascontiguousarray(sheet[..., index]), longest)
    count, _, boxes, _ = cv2.connectedComponentsWithStats(marks, connectivity=8)
    lengths = boxes[1:count, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    if bool((lengths >= _STROKE * longest).any()):
        return False
    covered = int(boxes[1:count, cv2.CC_STAT_AREA].sum())
    return bool(covered < _COVERED * height * width)


def _reduced(picture: Picture) -> NDArray[np.uint8]:
    import cv2

    scale = _SIDE / max(picture.width, picture.height)
    pixels = picture.pixels
    if scale < 1.0:
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    rounded: NDArray[np.uint8] = np.rint(pixels * 255.0).astype(np.uint8)
    return rounded


def _marks(channel: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """Return 1 where a channel differs from its paper."""
    import cv2

    # Smoothed, grain sinks and lines stay: a line's neighbours are line.
    smooth = cv2.GaussianBlur(channel.astype(np.float32), (0, 0), 1.2)
    reach = max(3, round(_PAPER * longest / 4) * 2 + 1)
    small = cv2.resize(channel, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    # Continued beyond its borders as it falls off towards them: shade makes no mark there.
    wide = [(min(reach, side - 1),) * 2 for side in small.shape]
    beyond = np.pad(small.astype(np.float32), wide, mode="reflect", reflect_type="odd")
    paper = cv2.medianBlur(np.clip(beyond, 0, 255).astype(np.uint8), min(reach, 255))
    paper = cv2.GaussianBlur(paper.astype(np.float32), (0, 0), reach / 3)
    paper = paper[
        wide[0][0] : wide[0][0] + small.shape[0], wide[1][0] : wide[1][0] + small.shape[1]
    ]
    paper = cv2.resize(paper, (channel.shape[1], channel.shape[0]), interpolation=cv2.INTER_LINEAR)
    gap = np.abs(smooth - paper)
    grain = float(np.median(gap)) / 0.6745
    found: NDArray[np.uint8] = (gap > min(max(_GRAINS * grain, _LEAST), _MOST)).astype(np.uint8)
    return found
