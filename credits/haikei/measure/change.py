"""What a touch-up changed: the later picture laid over the earlier one, its grade taken back."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.credits import Change
from haikei.images import Picture
from haikei.measure.ciede2000 import ciede2000, lab_of
from haikei.measure.grading import Grade, fit_grade, identity
from haikei.measure.parameters import METHOD, Parameters
from haikei.measure.placement import Placement, laid_over
from haikei.measure.regions import regions_of, without_specks
from haikei.measure.similarity import similarity

Plane = NDArray[np.float32]
#: Share of the drawn parts from which on two pictures count as the same drawing: pictures of
#: different layouts reached 0.08, and 40 % painted over with small dabs left 0.21.
RELATED = 0.12
_PARAMETERS = Parameters()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeasuredChange:
    """A change with its map; planes are (height, width) of the later picture."""

    change: Change
    changed: NDArray[np.bool_]  #: the pixels that changed locally
    delta_e: Plane  #: CIEDE2000, in the earlier picture's colours unless it is a full repaint
    placement: Placement  #: how the earlier picture lies on the later one
    full_repaint: bool  #: so much changed that a grade cannot be told apart; nothing is fitted
    related: bool  #: whether both show the same drawing
    similarity_ppm: int  #: share of the drawn parts that are alike
    more_regions: int  #: regions beyond those listed


def measure_change(
    before: Picture, after: Picture, *, parameters: Parameters = _PARAMETERS
) -> MeasuredChange:
    """
    Measure where `after` was painted over, whatever else happened to it since `before`.

    The earlier picture is laid over the later one (size, shift to a fraction of a pixel), one
    change of colour over the whole picture is fitted to what both have alike and taken back, and
    what still differs visibly is outlined. Compression, rounding, a resize and a grade do not
    count as local change. See `docs/measuring.md`, also for what this figure is not.

    Args:
        before: the picture that was painted over.
        after: the touch-up.
        parameters: of the method; others than the default make another method.
    """
    placed = laid_over(before, after)
    first, second = placed.before, lab_of(after)
    alike = similarity(first[..., 0], second[..., 0])
    grade = _fitted(first, second, after, parameters)
    gap = grade.undone(first, second)
    delta_e, changed = _outlined(first, gap, placed.uncovered, parameters)
    repaint = bool(changed.mean() > parameters.repaint)
    if repaint:
        delta_e = ciede2000(first, second)
        changed = (delta_e > parameters.threshold) | placed.uncovered
    regions, more = regions_of(
        changed,
        together=round(parameters.together * after.height),
        most=parameters.regions,
    )
    change = Change(
        method=METHOD,
        parameters=parameters.as_json(),
        area_ppm=round(float(changed.mean()) * 1_000_000),
        regions=regions,
        global_milli_de=0 if repaint else _global(first, grade),
        shift_milli_px=round(placed.placement.shift * 1000),
    )
    return MeasuredChange(
        change=change,
        changed=changed,
        delta_e=delta_e,
        placement=placed.placement,
        full_repaint=repaint,
        related=alike >= RELATED,
        similarity_ppm=round(alike * 1_000_000),
        more_regions=more,
    )


def _fitted(first: Plane, second: Plane, after: Picture, parameters: Parameters) -> Grade:
    if np.array_equal(first, second):
        return identity()
    random = np.random.default_rng(0)
    count = first.shape[0] * first.shape[1]
    chosen = random.choice(count, min(parameters.samples, count), replace=False)
    # What the grade pushed out of sRGB was cut off there and tells nothing of the grade.
    code = after.pixels.reshape(-1, 3)[chosen]
    whole = ((code > 0.004) & (code < 0.996)).all(axis=1)
    if whole.mean() > 0.3:
        chosen = chosen[whole]
    samples = (
        _smoothed(lab, 0.7).reshape(-1, 3)[chosen].astype(np.float64) for lab in (first, second)
    )
    return fit_grade(*samples)


def _outlined(
    first: Plane, gap: Plane, uncovered: NDArray[np.bool_], parameters: Parameters
) -> tuple[Plane, NDArray[np.bool_]]:
    # Differences keep their sign while they are smoothed, so that noise cancels out.
    found = ciede2000(first, first + _smoothed(gap, parameters.smoothing))
    sharp = ciede2000(first, first + _smoothed(gap, parameters.detail))
    limit = np.float32(parameters.threshold)
    core = np.asarray(found > limit + np.float32(parameters.edge) * _slope(first), np.uint8)
    core = _bits(cv2.morphologyEx(core, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)))
    share = np.float32(_outline(first, gap, parameters))
    strongest = cv2.dilate(sharp, np.ones((parameters.nearby, parameters.nearby), np.uint8))
    inside = sharp > np.maximum(np.asarray(strongest, np.float32) * share, limit)
    near = _bits(cv2.dilate(core, np.ones((3, 3), np.uint8))) > 0
    mask = cv2.medianBlur(np.asarray(near & inside, np.uint8), 3)
    cross = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    mask = _bits(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, cross))
    smallest = max(parameters.smallest_px, round(parameters.smallest * mask.size))
    return sharp, without_specks((mask > 0) | uncovered, smallest=min(smallest, mask.size // 4))


def _outline(first: Plane, gap: Plane, parameters: Parameters) -> float:
    thin = np.ascontiguousarray(first[::2, ::2])
    noise = float(np.quantile(ciede2000(thin, thin + gap[::2, ::2]), 0.35))
    return min(parameters.outline + parameters.outline_noise * noise, parameters.outline_most)


def _slope(lab: Plane) -> Plane:
    light = _smoothed(lab[..., 0], 0.8)
    across = cv2.Sobel(light, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(light, cv2.CV_32F, 0, 1, scale=1 / 8)
    return np.asarray(cv2.magnitude(across, down), np.float32)


def _smoothed(plane: Plane, sigma: float) -> Plane:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), np.float32)


def _bits(mask: cv2.typing.MatLike) -> NDArray[np.uint8]:
    return np.asarray(mask, np.uint8)


def _global(first: Plane, grade: Grade) -> int:
    some = np.ascontiguousarray(first[::4, ::4])
    return round(float(np.median(ciede2000(some, grade.apply(some)))) * 1000)
