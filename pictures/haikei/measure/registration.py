"""
Lay one picture over another: by how much it moved, and how it lies where sizes differ.

Lines tell whether a layout is seen in a picture, and whether two pictures show the same drawing.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.images import Picture, resize
from haikei.measure.grading import lab_of
from haikei.measurements import LineRecall

METHOD = "haikei-line-recall/1"
#: Lines are looked for within this share of the height (3 pixels of 1080), or 2 pixels.
_TOLERANCE = 3 / 1080
_TRIES = 40
_SMOOTHING = 1.2
_CANNY = (40, 110)
#: Code value, of 255, below which a layout's pixel is a line.
_INK = 128
_MOST = 200_000


def line_recall(layout: Picture, image: Picture) -> LineRecall:
    """
    Return which share of the layout's line pixels has an edge of the image near it.

    The chance level comes from the image's edges moved at random (always the same moves): raw
    recall is worthless without it, as noise has edges everywhere. A layout without lines has a
    recall of 0.

    Args:
        layout: the drawing, dark lines on light paper.
        image: what was made from it; another size is resized to the layout's.

    Source of the edges: Canny (1986) on the 8-bit grey picture after a slight blur.
    """
    fitted = resize(image, layout.width, layout.height)
    tolerance = max(2, round(_TOLERANCE * layout.height))
    blurred = cv2.GaussianBlur(_grey(fitted), (0, 0), _SMOOTHING)
    edges = cv2.Canny(blurred, *_CANNY)
    away = cv2.distanceTransform((edges == 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    near = (away <= tolerance) & bool(edges.any())
    rows, columns = np.nonzero(_grey(layout) < _INK)
    if len(rows) > _MOST:
        kept = np.linspace(0, len(rows) - 1, _MOST).astype(np.intp)
        rows, columns = rows[kept], columns[kept]
    chances = _by_chance(near, rows, columns)
    observed = float(near[rows, columns].mean()) if len(rows) else 0.0
    return LineRecall(
        method=METHOD,
        tolerance_px=tolerance,
        observed_ppm=round(observed * 1_000_000),
        chance_ppm=round(float(np.mean(chances)) * 1_000_000),
        chance_sd_ppm=round(float(np.std(chances)) * 1_000_000),
    )


def _by_chance(
    near: NDArray[np.bool_], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> list[float]:
    random = np.random.default_rng(1)
    height, width = near.shape
    found: list[float] = []
    for _ in range(_TRIES):
        # Far enough that a line does not meet its own edge.
        down = int(random.integers(max(1, height // 20), max(2, height - height // 20)))
        right = int(random.integers(max(1, width // 20), max(2, width - width // 20)))
        there = near[(rows + down) % height, (columns + right) % width]
        found.append(float(there.mean()) if len(rows) else 0.0)
    return found


def _grey(picture: Picture) -> NDArray[np.uint8]:
    code = np.rint(np.clip(picture.pixels, 0, 1) * 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(code, cv2.COLOR_RGB2GRAY), np.uint8)


#: Longer side, in pixels, of the pictures that are compared.
_SIDE = 960
_WINDOW = 11
#: Standard deviation of L* below which there is no drawing to compare.
_DETAIL = 1.0
_ALIKE = 0.7


def similarity(before: NDArray[np.float32], after: NDArray[np.float32]) -> float:
    """
    Return the share of the drawn parts that both pictures have alike, 0 to 1.

    Zero-mean normalised cross-correlation in a window around each pixel of L*, so that neither a
    grade nor compression counts; where neither picture has any detail, there is nothing to
    compare, and a picture without any is alike to another such picture of nearly its lightness.

    Args:
        before: L* of the earlier picture, (height, width), laid over the later one.
        after: L* of the later one.
    """
    scale = min(1.0, _SIDE / max(before.shape))
    size = max(1, round(before.shape[1] * scale)), max(1, round(before.shape[0] * scale))
    first, second = (
        np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)
        for plane in (before, after)
    )
    mean1, mean2 = _mean(first), _mean(second)
    spread1 = np.maximum(_mean(first * first) - mean1 * mean1, 0)
    spread2 = np.maximum(_mean(second * second) - mean2 * mean2, 0)
    drawn = np.maximum(spread1, spread2) > _DETAIL**2
    if drawn.mean() < 0.01:
        return 1.0 if abs(float(np.median(mean1 - mean2))) < 5 else 0.0
    together = _mean(first * second) - mean1 * mean2
    alike = together > _ALIKE * np.sqrt(spread1 * spread2 + 1e-6)
    return float(alike[drawn].mean())


def _mean(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.blur(plane, (_WINDOW, _WINDOW)), np.float32)


Plane = NDArray[np.float32]
#: Shifts nearer to whole pixels than this are whole: nothing is interpolated then.
WHOLE = 0.06
_SAMPLES = 40_000
_STEPS = 4
#: L* a pixel, below which a pixel says nothing about where it belongs.
_FAINT = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """By how many pixels the later picture lies to the right of the earlier one, and below it."""

    right: float
    down: float

    @property
    def length(self) -> float:
        """The distance in pixels."""
        return math.hypot(self.right, self.down)


UNMOVED = Shift(right=0.0, down=0.0)


def register(before: Plane, after: Plane) -> Shift:
    """
    Return the shift between two planes of L*, (height, width) of one size.

    Phase correlation finds it to the pixel; a trimmed least-squares fit of the brightness
    constancy equation on the pixels with the clearest edges finds the fraction, and is not led
    astray by what was painted over or graded. A shift that explains no more pixels than none at
    all does is no shift.

    Source: Kuglin and Hines (1975) for the first, Lucas and Kanade (1981) for the second.
    """
    if min(before.shape) < 16:
        return UNMOVED
    # Noise of compression would otherwise weigh as much as drawn edges.
    calm = _calm(before), _calm(after)
    found = _refined(*calm, _phase(before, after))
    if found.length < WHOLE:
        return UNMOVED
    found = Shift(right=_snapped(found.right), down=_snapped(found.down))
    if _explained(*calm, found) <= _explained(*calm, UNMOVED):
        return UNMOVED
    return found


def moved(picture: Plane, shift: Shift) -> Plane:
    """Return a plane or a picture, moved; its border is drawn out."""
    if shift.length == 0:
        return picture
    matrix = np.array([[1.0, 0.0, shift.right], [0.0, 1.0, shift.down]], np.float32)
    size = (picture.shape[1], picture.shape[0])
    done = cv2.warpAffine(
        picture, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(done, np.float32)


def _calm(plane: Plane) -> Plane:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), 1.0), np.float32)


def _phase(before: Plane, after: Plane) -> Shift:
    height, width = (_transformable(side) for side in before.shape)
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    first, second = (np.ascontiguousarray(plane[:height, :width]) for plane in (before, after))
    (right, down), _ = cv2.phaseCorrelate(first, second, window)
    return Shift(right=float(right), down=float(down))


def _transformable(side: int) -> int:
    """Return the longest side, up to this one, that the transform does not pad to an odd one."""
    # With an odd one the library's answer is half a pixel wrong.
    side -= side % 2
    while side > 2 and cv2.getOptimalDFTSize(side) % 2:
        side -= 2
    return side


def _refined(before: Plane, after: Plane, shift: Shift) -> Shift:
    height, width = before.shape
    rim_x = min(width // 4, int(abs(shift.right)) + 4)
    rim_y = min(height // 4, int(abs(shift.down)) + 4)
    rows = columns = np.zeros(0, np.intp)
    for step in range(_STEPS):
        laid = moved(before, shift)
        slope_x, slope_y = _slopes(laid)
        if step == 0:
            inner = cv2.magnitude(slope_x, slope_y)[rim_y : height - rim_y, rim_x : width - rim_x]
            clear = max(float(np.quantile(inner[::4, ::4], 0.7)), _FAINT)
            rows, columns = np.nonzero(inner >= clear)
            if len(rows) < 50:
                return UNMOVED
            kept = np.linspace(0, len(rows) - 1, min(_SAMPLES, len(rows))).astype(np.intp)
            rows, columns = rows[kept] + rim_y, columns[kept] + rim_x
        at = (rows, columns)
        level = laid[at].astype(np.float64)
        terms = np.empty((len(rows), 5), np.float64)
        terms[:, 0], terms[:, 1] = -slope_x[at], -slope_y[at]
        terms[:, 2], terms[:, 3], terms[:, 4] = level / 100, (level / 100) ** 2, 1
        right, down = np.clip(_trimmed(terms, after[at] - level), -1, 1)
        shift = Shift(right=shift.right + float(right), down=shift.down + float(down))
        if max(abs(right), abs(down)) < 0.005:
            break
    return shift


def _trimmed(terms: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the first two coefficients of a least-squares fit to the half that it fits best."""
    kept = np.ones(len(values), bool)
    found: NDArray[np.float64] = np.zeros(terms.shape[1])
    for _ in range(6):
        found = np.asarray(np.linalg.lstsq(terms[kept], values[kept], rcond=None)[0], np.float64)
        miss = np.abs(terms @ found - values)
        kept = miss <= max(float(np.quantile(miss, 0.5)), 0.05)
    return found[:2]


def _slopes(plane: Plane) -> tuple[Plane, Plane]:
    across = cv2.Sobel(plane, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(plane, cv2.CV_32F, 0, 1, scale=1 / 8)
    return np.asarray(across, np.float32), np.asarray(down, np.float32)


def _explained(before: Plane, after: Plane, shift: Shift) -> float:
    """Return the share of drawn pixels whose slopes agree, whatever the grade; on every 4th row."""
    first, second = (np.diff(plane[::4], axis=1) for plane in (moved(before, shift), after))
    size = np.abs(first) + np.abs(second)
    clear = size > 2 * _FAINT
    agree = np.abs(first - second)[clear] < size[clear] / 4
    return float(agree.mean()) if len(agree) else 0.0


def _snapped(value: float) -> float:
    whole = round(value)
    return float(whole) if abs(value - whole) < WHOLE else value


#: Share by which the ratio of the sides may differ before the canvas, not the size, was changed.
_RATIO = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """An earlier picture's point (x, y) lies at (x * scale_x + right, y * scale_y + down)."""

    scale_x: float
    scale_y: float
    right: float  #: pixels of the later picture
    down: float

    @property
    def shift(self) -> float:
        """By how many pixels the picture was moved besides being resized."""
        return math.hypot(self.right, self.down)

    @property
    def whole(self) -> bool:
        """Whether it was moved by whole pixels, so that nothing was interpolated."""
        return self.right == round(self.right) and self.down == round(self.down)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """The earlier picture in the later one's frame."""

    before: NDArray[np.float32]  #: CIELAB, (height, width, 3) of the later picture
    uncovered: NDArray[np.bool_]  #: where the later picture has canvas that the earlier one lacks
    placement: Placement


def laid_over(before: Picture, after: Picture) -> Placed:
    """
    Lay the earlier picture over the later one: resized and shifted.

    Where the sides' ratio differs, the canvas may have been cropped or extended instead; what
    makes the drawings more alike is taken.
    """
    scaled = _scaled(before, after)
    ratio = (after.width * before.height) / (after.height * before.width)
    if abs(math.log(ratio)) <= _RATIO:
        return scaled
    light = lab_of(after)[..., 0]
    return max(
        scaled,
        _on_canvas(before, after),
        key=lambda placed: similarity(placed.before[..., 0], light),
    )


def _scaled(before: Picture, after: Picture) -> Placed:
    first = lab_of(resize(before, after.width, after.height))
    shift = _shift(first, lab_of(after))
    return Placed(
        before=moved(first, shift),
        uncovered=np.zeros(first.shape[:2], bool),
        placement=Placement(
            scale_x=after.width / before.width,
            scale_y=after.height / before.height,
            right=shift.right,
            down=shift.down,
        ),
    )


def _on_canvas(before: Picture, after: Picture) -> Placed:
    width, height = max(before.width, after.width), max(before.height, after.height)
    first, second = (_framed(lab_of(picture), width, height) for picture in (before, after))
    shift = _shift(first, second)
    matrix = np.array([[1, 0, shift.right], [0, 1, shift.down]], np.float32)
    covered = np.ones((before.height, before.width), np.uint8)
    there = cv2.warpAffine(covered, matrix, (after.width, after.height), flags=cv2.INTER_NEAREST)
    return Placed(
        before=np.ascontiguousarray(moved(first, shift)[: after.height, : after.width]),
        uncovered=np.asarray(there == 0, np.bool_),
        placement=Placement(scale_x=1.0, scale_y=1.0, right=shift.right, down=shift.down),
    )


def _framed(lab: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    below, beside = height - lab.shape[0], width - lab.shape[1]
    return np.pad(lab, ((0, below), (0, beside), (0, 0)), mode="edge")


def _shift(first: NDArray[np.float32], second: NDArray[np.float32]) -> Shift:
    planes = (np.ascontiguousarray(lab[..., 0]) for lab in (first, second))
    return register(*planes)
