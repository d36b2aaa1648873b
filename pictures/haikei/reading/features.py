"""
What the network is shown of a drawing: numbers and small pictures of each region, of its
neighbours and of the whole sheet. Training and reading both make them here.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.reading.classes import find_horizon
from haikei.reading.shapes import Labels, Numbers, Plane, Shapes

Floats = NDArray[np.float32]

MASK, AROUND, WIDE, HIGH = 12, 16, 16, 9  #: cells a side of the small pictures
MARKED = 0.2  #: how dark a stroke on a region must be to count as one
LONG = 0.12  #: of the picture's height: a longer stroke is part of an outline, and no ripple
#: Which of a region's numbers these are: the breadth is one of the picture's, scallops are log1p.
TOP, BOTTOM, BREADTH, SCALLOPS = 3, 4, 9, 17
TOUCHES = (23, 25)  #: whether it reaches the picture's upper edge, and its lower one
NUMBERS = 49  #: a region
SHEET = WIDE * HIGH + 16  #: about the whole drawing

#: Kinds of place that a hint may name; the place "object" has no word: nobody writes it.
HINTS: dict[str, tuple[str, ...]] = {
    "port": ("port", "harbour", "harbor", "quay", "dock", "港"),
    "beach": ("beach", "sea", "coast", "shore", "浜", "海"),
    "lake": ("lake", "pond", "湖", "池"),
    "river": ("river", "stream", "川"),
    "bridge": ("bridge", "橋"),
    "station": ("station", "railway", "platform", "駅"),
    "village": ("village", "farm", "countryside", "field", "村", "田舎", "畑"),
    "alley": ("alley", "lane", "路地", "裏"),
    "street": ("street", "town", "road", "shop", "街", "町", "通り", "商店"),
    "city": ("city", "skyline", "rooftop", "都", "屋上", "俯瞰"),
    "forest": ("forest", "wood", "grove", "森", "林"),
    "shrine": ("shrine", "temple", "神社", "寺", "石段"),
    "classroom": ("classroom", "教室"),
    "school": ("school", "factory", "hospital", "office", "学校", "校舎", "工場", "病院"),
    "kitchen": ("kitchen", "台所", "キッチン"),
    "corridor": ("corridor", "hallway", "廊下"),
    "cafe": ("cafe", "café", "restaurant", "bar", "喫茶", "カフェ", "店内"),
    "room": ("tatami", "japanese room", "和室", "座敷"),
    "living": ("room", "interior", "bedroom", "部屋", "室内", "居間", "寝室"),
    "hall": ("hall", "gym", "体育館", "ホール", "倉庫"),
    "snow": ("snow", "雪"),
    "castle": ("castle", "fortress", "城"),
    "ruin": ("ruin", "遺跡", "廃墟"),
    "mountain": ("mountain", "hill", "meadow", "cliff", "山", "丘", "崖"),
}
PLACES = tuple(HINTS)


def hinted(hint: str) -> int:
    """
    Return which place of `HINTS` a free hint names, or -1.

    The last word wins: in English and Japanese it is the noun that the others describe.
    """
    lowered = hint.casefold()
    found = [
        (lowered.rindex(word) + len(word), len(word), -index)
        for index, words in enumerate(HINTS.values())
        for word in words
        if word in lowered
    ]
    return -max(found)[2] if found else -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Relations:
    """Pairs of neighbours: `weights` are (pairs, 4): beside, above, below, faint."""

    one: NDArray[np.int32]
    other: NDArray[np.int32]
    weights: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Features:
    """One row a region; `pictures` are 0 to 255, `sheet` is about the whole drawing."""

    numbers: Floats
    pictures: NDArray[np.uint8]
    sheet: Floats
    relations: Relations
    area: Floats

    def __len__(self) -> int:
        return len(self.area)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Marks:
    """How many strokes stand alone inside each region: short ones by direction, and long ones."""

    level: NDArray[np.int64]  #: ripples, as a rule
    upright: NDArray[np.int64]  #: blades of grass, stones, leaves: all that is not level
    long: NDArray[np.int64]  #: parts of outlines that close nothing


def marks_of(labels: Labels, ink: Plane, count: int) -> Marks:
    """Count strokes that touch no border of a region: what is drawn *on* it."""
    _, found, stats, _ = cv2.connectedComponentsWithStats(
        (ink > MARKED).astype(np.uint8), connectivity=8
    )
    strokes = np.asarray(found, np.int32)
    number = len(stats)
    on = strokes > 0
    lowest = np.full(number, count, np.int32)
    highest = np.full(number, -1, np.int32)
    np.minimum.at(lowest, strokes[on], labels[on])
    np.maximum.at(highest, strokes[on], labels[on])
    wide, high = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    longest = np.maximum(wide, high)
    within = (lowest == highest) & (longest > 0.006 * ink.shape[0])
    within[0] = False
    alone = within & (longest < 0.25 * ink.shape[0])
    level = alone & (wide > 2.5 * high)
    return Marks(
        level=np.bincount(lowest[level], minlength=count),
        upright=np.bincount(lowest[alone & ~level], minlength=count),
        long=np.bincount(lowest[within & (longest > LONG * ink.shape[0])], minlength=count),
    )


def features(labels: Labels, ink: Plane, shapes: Shapes) -> Features:
    """Return what the network is shown; `labels` and `ink` are of one size."""
    horizon = find_horizon(shapes, "")
    return Features(
        numbers=_numbers(labels, ink, shapes, horizon).astype(np.float32),
        pictures=np.concatenate(
            [_in_its_box(labels, shapes), _on_the_sheet(labels), _around(ink, shapes)], axis=1
        ),
        sheet=_sheet(ink, shapes, horizon),
        relations=_relations(shapes),
        area=shapes.area.astype(np.float32),
    )


def _numbers(labels: Labels, ink: Plane, shapes: Shapes, horizon: float) -> Numbers:
    count, aspect = len(shapes), shapes.aspect
    size = np.log(shapes.area + 1e-6)
    wide, high = np.maximum(shapes.width, 1e-3), np.maximum(shapes.height, 1e-3)
    beside = shapes.beside
    most = beside.argmax(axis=1)
    held = beside[np.arange(count), most]
    around = beside @ size
    order = np.argsort(np.argsort(shapes.area)) / max(count - 1, 1)
    x0, y0 = shapes.vanishing or (aspect / 2, horizon)
    columns: list[Numbers] = [
        size / 5,
        shapes.left / aspect,
        shapes.right / aspect,
        shapes.top,
        shapes.bottom,
        shapes.x / aspect - 0.5,
        shapes.y - 0.5,
        wide,
        high,
        wide / aspect,
        np.log(wide / high),
        shapes.area * aspect / (wide * high),
        shapes.solidity,
        shapes.straight,
        shapes.upright,
        shapes.level,
        np.log1p(shapes.corners) / 2,
        np.log1p(shapes.scallops),
        np.minimum(shapes.scallops / np.maximum(shapes.corners, 1), 1),
        np.log(np.clip(shapes.slimness, 1, 60)) / 2,
        shapes.slant / 90,
        np.log(shapes.breadth + 1e-3) / 3,
        *shapes.touches.T.astype(np.float64),
        shapes.top - horizon,
        shapes.bottom - horizon,
        shapes.y - horizon,
        shapes.x - x0,
        shapes.y - y0,
        held,
        size[most] / 5,
        (around - size) / 4,
        np.log1p((beside > 0).sum(axis=1)) / 2,
        shapes.faint.sum(axis=1),
        shapes.above.sum(axis=1),
        shapes.above.sum(axis=0) / 4,
        order,
        # What lies in whose box: the window in the wall, the wall in the street.
        shapes.top - shapes.top[most],
        shapes.bottom - shapes.bottom[most],
        shapes.left - shapes.left[most],
        shapes.right - shapes.right[most],
        *_ink(labels, ink, count),
    ]
    return np.clip(np.stack(columns, axis=1), -6, 6)


def _ink(labels: Labels, ink: Plane, count: int) -> list[Numbers]:
    """Return how much is drawn inside each region, and in which directions."""
    flat = labels.ravel()
    pixels = np.bincount(flat, minlength=count).astype(np.float64)
    across = np.zeros_like(ink)
    down = np.zeros_like(ink)
    across[:, 1:-1] = ink[:, 2:] - ink[:, :-2]
    down[1:-1] = ink[2:] - ink[:-2]

    def mean(plane: Plane) -> Numbers:
        return np.bincount(flat, plane.ravel(), count) / pixels

    edges = [mean(np.abs(plane)) for plane in (across, down)]
    edges += [mean(np.abs(across + down)), mean(np.abs(across - down))]
    dark = mean(ink)
    return [dark * 3, *(edge * 3 for edge in edges), np.log1p(dark * pixels) / 6]


def _in_its_box(labels: Labels, shapes: Shapes) -> NDArray[np.uint8]:
    """Return each region's own shape, stretched to its box."""
    height, width = labels.shape
    left, top = (np.rint(side * height).astype(np.int64) for side in (shapes.left, shapes.top))
    wide = np.maximum(np.rint(shapes.right * height).astype(np.int64) - left, 1)
    high = np.maximum(np.rint(shapes.bottom * height).astype(np.int64) - top, 1)
    x = (np.arange(width)[None, :] - left[labels]) * MASK // wide[labels]
    y = (np.arange(height)[:, None] - top[labels]) * MASK // high[labels]
    cells = labels.astype(np.int64) * MASK * MASK
    cells += np.clip(y, 0, MASK - 1) * MASK + np.clip(x, 0, MASK - 1)
    hits = np.bincount(cells.ravel(), minlength=len(shapes) * MASK * MASK)
    whole = (wide * high / (MASK * MASK))[:, None]
    share = hits.reshape(len(shapes), -1) / np.maximum(whole, 1)
    return _bytes(share)


def _on_the_sheet(labels: Labels) -> NDArray[np.uint8]:
    """Return which part of each cell of the sheet a region covers."""
    height, width = labels.shape
    count = int(labels.max()) + 1
    cells = labels.astype(np.int64) * WIDE * HIGH
    cells += (np.arange(height) * HIGH // height)[:, None] * WIDE
    cells += (np.arange(width) * WIDE // width)[None, :]
    hits = np.bincount(cells.ravel(), minlength=count * WIDE * HIGH).reshape(count, -1)
    share = hits / (height * width / (WIDE * HIGH))
    return _bytes(share)


def _around(ink: Plane, shapes: Shapes) -> NDArray[np.uint8]:
    """Return the ink in twice each region's box, from a summed-area table."""
    height, width = ink.shape
    table = np.zeros((height + 1, width + 1))
    table[1:, 1:] = ink.cumsum(axis=0, dtype=np.float64).cumsum(axis=1)
    steps = np.linspace(-0.5, 1.5, AROUND + 1)
    # A sliver sees some of what lies beside it.
    least = 0.04
    wide, high = np.maximum(shapes.width, least), np.maximum(shapes.height, least)
    middle_x, middle_y = (shapes.left + shapes.right) / 2, (shapes.top + shapes.bottom) / 2
    left, top = middle_x - wide / 2, middle_y - high / 2
    x = np.rint((left[:, None] + wide[:, None] * steps) * height).astype(np.int64)
    y = np.rint((top[:, None] + high[:, None] * steps) * height).astype(np.int64)
    inside_x, inside_y = np.clip(x, 0, width), np.clip(y, 0, height)
    sums = table[inside_y[:, :, None], inside_x[:, None, :]]
    sums = sums[:, 1:, 1:] - sums[:, :-1, 1:] - sums[:, 1:, :-1] + sums[:, :-1, :-1]
    cells = (x[:, None, 1:] - x[:, None, :-1]) * (y[:, 1:, None] - y[:, :-1, None])
    mean = sums / np.maximum(cells, 1)
    return _bytes(mean * 2).reshape(len(shapes), -1)


def _bytes(values: Numbers) -> NDArray[np.uint8]:
    return np.asarray(np.clip(values, 0, 1) * 255).astype(np.uint8)


def _sheet(ink: Plane, shapes: Shapes, horizon: float) -> Floats:
    height, width = ink.shape
    rows = np.arange(HIGH + 1) * height // HIGH
    columns = np.arange(WIDE + 1) * width // WIDE
    table = np.zeros((height + 1, width + 1))
    table[1:, 1:] = ink.cumsum(axis=0, dtype=np.float64).cumsum(axis=1)
    sums = table[rows][:, columns]
    sums = sums[1:, 1:] - sums[:-1, 1:] - sums[1:, :-1] + sums[:-1, :-1]
    density = sums / (height * width / (WIDE * HIGH))
    area = shapes.area

    def weighted(values: Numbers) -> float:
        return float((values * area).sum())

    x0, y0 = shapes.vanishing or (0.0, 0.0)
    whole = [
        shapes.aspect,
        horizon,
        float(shapes.flat is not None),
        float(shapes.vanishing is not None),
        x0,
        y0,
        float(np.log1p(len(shapes))) / 4,
        float(area.max()),
        *(weighted(values) for values in (shapes.straight, shapes.upright, shapes.level)),
        float(shapes.straight.mean()),
        float(shapes.upright.mean()),
        float(shapes.level.mean()),
        float(np.log1p(shapes.scallops).mean()),
        float(ink.mean()) * 5,
    ]
    return np.concatenate([np.clip(density * 4, 0, 2).ravel(), whole]).astype(np.float32)


def _relations(shapes: Shapes) -> Relations:
    one, other = np.nonzero(shapes.beside)
    below = shapes.above.T / np.maximum(shapes.above.sum(axis=0), 1e-6)[:, None]
    planes = (shapes.beside, shapes.above, below, shapes.faint)
    return Relations(
        one=one.astype(np.int32),
        other=other.astype(np.int32),
        weights=np.stack([plane[one, other] for plane in planes], axis=1).astype(np.float32),
    )
