"""What a touch-up changed: the later picture laid over the earlier one, its grade taken back."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haikei.credits import Change
from haikei.images import Picture
from haikei.measure.ciede2000 import ciede2000, lab_of
from haikei.measure.grading import Grade, fit_grade, identity
from haikei.measure.outlining import outlined, smoothed
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
    delta_e: Plane  #: CIEDE2000 in the earlier picture's colours (as they are in a full repaint)
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
    resampled = not placed.placement.whole
    delta_e, changed = outlined(first, gap, resampled=resampled, parameters=parameters)
    smallest = max(parameters.smallest_px, round(parameters.smallest * changed.size))
    changed = without_specks(changed | placed.uncovered, smallest=min(smallest, changed.size // 4))
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
        smoothed(lab, 0.7).reshape(-1, 3)[chosen].astype(np.float64) for lab in (first, second)
    )
    return fit_grade(*samples)


def _global(first: Plane, grade: Grade) -> int:
    some = np.ascontiguousarray(first[::4, ::4])
    return round(float(np.median(ciede2000(some, grade.apply(some)))) * 1000)
