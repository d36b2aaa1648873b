"""The sheet itself: pigment that bleeds and settles, the tooth of the paper, the ink line."""

import cv2
import numpy as np

from haikei.painting.classes import Kind
from haikei.painting.cleaning import Area
from haikei.painting.palette import Colour, rgb
from haikei.painting.reading import Reading
from haikei.painting.strokes import Brush, Colours, Plane

PAPER: Colour = rgb("#f7f3ea")
INK: Colour = rgb("#2b2530")
#: How strongly the drawn line shows through the paint of each kind of region.
LINE = {
    Kind.SKY: 0.22,
    Kind.CLOUD: 0.06,
    Kind.HILL: 0.22,
    Kind.FOREST: 0.3,
    Kind.WATER: 0.34,
    Kind.GRASS: 0.5,
    Kind.PAVING: 0.55,
    Kind.EARTH: 0.5,
    Kind.TREE: 0.5,
}
BUILT = 0.72


def bleed(picture: Colours, reading: Reading, brush: Brush) -> Colours:
    """Return the paint with edges that wander a little and are darkest where it dried last."""
    height, width = reading.shape
    settled = np.isin(reading.kinds, (Kind.SKY, Kind.CLOUD))[reading.labels]
    reach = np.where(settled, np.float32(0), np.float32(height / 520))
    x = np.arange(width, dtype=np.float32)[None, :] + brush.noise(height / 40, octaves=2) * reach
    y = np.arange(height, dtype=np.float32)[:, None] + brush.noise(height / 40, octaves=2) * reach
    moved = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    edge = np.zeros(reading.shape, np.float32)
    differ = reading.labels[:, 1:] != reading.labels[:, :-1]
    edge[:, 1:] += differ
    edge[1:] += reading.labels[1:] != reading.labels[:-1]
    edge[settled] = 0
    wet = cv2.GaussianBlur(np.minimum(edge, 1), (0, 0), max(0.8, height / 330))
    moved *= (1 - np.float32(0.3) * np.clip(wet * 1.5, 0, 1))[..., None]
    return np.asarray(moved, np.float32)


def add_grain(picture: Colours, brush: Brush, strength: float) -> None:
    """Let pigment settle in the tooth of the paper, more where there is more of it, in place."""
    dark = np.float32(1.15) - picture[..., 1]
    picture *= (1 - brush.grain() * dark * np.float32(strength))[..., None]


def add_line(
    picture: Colours, reading: Reading, strength: float, line: Plane, shape: tuple[int, int]
) -> None:
    """Lay the drawing over the paint, in place: ink in the colour of what it bounds."""
    height = shape[0]
    by_kind = np.array([LINE.get(Kind(kind), BUILT) for kind in reading.kinds], np.float64)
    share = cv2.GaussianBlur(reading.spread(by_kind), (0, 0), max(1.0, reading.shape[0] / 240))
    if share.shape != shape:
        share = cv2.resize(share, shape[::-1], interpolation=cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(line, (0, 0), max(0.5, height / 1300))
    amount = np.clip(soft * share * np.float32(strength), 0, 0.92)
    ink = picture * np.float32(0.3) + INK * np.float32(0.18)
    picture += (ink - picture) * amount[..., None].astype(np.float32)


def leave_margin(picture: Colours, frame: Area | None) -> None:
    """Leave bare paper around the frame, in place."""
    if frame is None:
        return
    inside = picture[frame.top : frame.bottom, frame.left : frame.right].copy()
    picture[:] = PAPER
    picture[frame.top : frame.bottom, frame.left : frame.right] = inside
