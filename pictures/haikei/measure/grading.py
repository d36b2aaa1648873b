"""
Colour differences as people see them (CIEDE2000), and one change of colour over a whole picture.

`Parameters` is what a measure depends on; a change of any of them is another version of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.canonical import canonical_json
from haikei.images import Picture

Lab = NDArray[np.float32]
_Table = NDArray[np.float64]
_Reals = TypeVar("_Reals", NDArray[np.float32], NDArray[np.float64])

#: Terms of the polynomial, as powers of L*, a*, b* (in hundredths): quadratic, and what a gamma
#: needs beyond that.
POWERS: tuple[tuple[int, ...], ...] = (
    (0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (2, 0, 0), (0, 2, 0), (0, 0, 2),
    (1, 1, 0), (1, 0, 1), (0, 1, 1), (3, 0, 0), (2, 1, 0), (2, 0, 1),
)  # fmt: skip
_LINEAR = 4
#: How far from a sample, in hundredths, a fit may lie over all of its range.
_CUT = 0.02
_TRIES = 200
_KEEP = 3
_RIDGE = 1e-5
_FLOOR = 0.004
_PIECE = 1 << 15
#: Slopes beyond these are a fit's extrapolation and no grade.
_FLATTEST, _STEEPEST = 0.6, 1.6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grade:
    """
    A polynomial from the earlier picture's CIELAB colours to the later one's, inside sRGB.

    `table` is (terms, 3) in the order of `POWERS`, for L*, a*, b* in hundredths.
    """

    table: _Table

    def apply(self, lab: Lab) -> Lab:
        """Return colours, (height, width, 3), as the grade makes them, cut off as sRGB is."""
        return _inside(_evaluated(self.table, lab))

    def undone(self, before: Lab, after: Lab) -> Lab:
        """
        Return how far `after` lies from `before` once its grade is taken back, in CIELAB.

        Two steps of Newton's method with the diagonal of the Jacobian matrix.
        """
        slopes = np.stack([_derivative(self.table, axis)[:, axis] for axis in range(3)], axis=1)
        both = np.concatenate([self.table, slopes], axis=1)
        gap = np.zeros_like(before)
        for _ in range(2):
            here = _evaluated(both, before + gap)
            miss = after - _inside(np.ascontiguousarray(here[..., :3]))
            miss /= np.clip(here[..., 3:] * np.float32(0.01), _FLATTEST, _STEEPEST)
            gap += miss
        return gap


def identity() -> Grade:
    """Return the grade that changes nothing."""
    return _grade(np.zeros((1, 3)))


def fit_grade(before: _Table, after: _Table) -> Grade:
    """
    Return the grade that fits most of the samples; what was painted over is left out.

    Many affine guesses from a few samples each are made, as 40 % of a picture repainted one way
    would lead a single start astray; the best are refined by trimmed least squares.

    Args:
        before: (n, 3) CIELAB colours of the earlier picture.
        after: (n, 3) of the later one at the same places.

    Source: Fischler and Bolles (1981) for the guesses, with the cost of Torr and Zisserman (2000);
    Rousseeuw (1984) for trimmed least squares.
    """
    if len(before) < 50:
        return identity()
    start, goal = before / 100, after / 100
    terms = np.stack([_term(powers, list(start.T)) for powers in POWERS], axis=1)
    best, least = identity(), np.inf
    for guess in _guesses(terms, start, goal):
        table = _refined(guess, terms, start, goal)
        cost = float(np.minimum(_miss(table, terms, goal), _CUT).sum())
        if cost < least:
            best, least = Grade(table=table), cost
    return best


def _guesses(terms: _Table, start: _Table, goal: _Table) -> list[_Table]:
    random = np.random.default_rng(2)
    judges = random.choice(len(start), min(len(start), 1500), replace=False)
    picks = random.choice(len(start), (_TRIES, 6))
    some = terms[picks][..., :_LINEAR]
    normal = np.einsum("tki,tkj->tij", some, some) + np.diag([1e-6, 0.05, 0.05, 0.05])
    found = np.linalg.solve(normal, np.einsum("tki,tkj->tij", some, (goal - start)[picks]))
    found = np.concatenate([np.zeros((1, _LINEAR, 3)), found])
    misses = np.einsum("ni,tij->tnj", terms[judges, :_LINEAR], found) - (goal - start)[judges]
    costs = np.minimum(np.linalg.norm(misses, axis=2), _CUT).sum(axis=1)
    return [_grade(found[n]).table for n in np.argsort(costs, kind="stable")[:_KEEP]]


def _refined(table: _Table, terms: _Table, start: _Table, goal: _Table) -> _Table:
    for count, most in ((_LINEAR, 4), (len(POWERS), 14)):
        last = np.zeros(len(start), bool)
        for _ in range(most):
            miss = _miss(table, terms, goal)
            kept = miss <= max(2.5 * float(np.quantile(miss, 0.35)), _FLOOR)
            if np.array_equal(kept, last):
                break
            last = kept
            some = terms[kept][:, :count]
            ridge = np.full(count, _RIDGE * len(some))
            ridge[0] = 1e-9 * len(some)
            normal = some.T @ some + np.diag(ridge)
            found = np.linalg.solve(normal, some.T @ (goal - start)[kept])
            table = _grade(np.asarray(found, np.float64)).table
    return table


def _evaluated(table: _Table, lab: Lab) -> Lab:
    """Return the polynomials of `table`'s columns, times 100, at each colour; piece by piece."""
    factors = np.ascontiguousarray(table.T * 100, np.float32)
    flat = lab.reshape(-1, 3)
    result = np.empty((len(flat), len(factors)), np.float32)
    for start in range(0, len(flat), _PIECE):
        planes = flat[start : start + _PIECE].T * np.float32(0.01)
        terms = np.stack([_term(powers, list(planes)) for powers in POWERS])
        result[start : start + _PIECE] = (factors @ terms).T
    return result.reshape(*lab.shape[:-1], len(factors))


def _derivative(table: _Table, axis: int) -> _Table:
    """Return the table of the derivative by one of L*, a*, b*."""
    result = np.zeros_like(table)
    for row, powers in enumerate(POWERS):
        if powers[axis]:
            lower = tuple(power - (n == axis) for n, power in enumerate(powers))
            result[POWERS.index(lower)] += table[row] * powers[axis]
    return result


def _inside(lab: Lab) -> Lab:
    code = np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.float32)
    np.clip(code, 0, 1, out=code)
    return np.asarray(cv2.cvtColor(code, cv2.COLOR_RGB2LAB), np.float32)


def _miss(table: _Table, terms: _Table, goal: _Table) -> _Table:
    gap = terms @ table - goal
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", gap, gap)), np.float64)


def _grade(difference: _Table) -> Grade:
    table = np.zeros((len(POWERS), 3))
    table[1:_LINEAR] = np.eye(3)
    table[: len(difference)] += difference
    return Grade(table=table)


def _term(powers: tuple[int, ...], planes: Sequence[_Reals]) -> _Reals:
    factors = [plane for power, plane in zip(powers, planes, strict=True) for _ in range(power)]
    if not factors:
        return np.ones_like(planes[0])
    product = factors[0]
    for factor in factors[1:]:
        product = product * factor
    return product


Real = TypeVar("Real", np.float32, np.float64)

_25_POW_7 = 25.0**7
#: Colours that are computed at once, so that temporaries stay in the processor's cache.


def lab_of(picture: Picture) -> NDArray[np.float32]:
    """Return the picture in CIELAB (D65), (height, width, 3) float32: L* 0 to 100, a*, b*."""
    import cv2

    return np.asarray(cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2LAB), np.float32)


def ciede2000(first: NDArray[Real], second: NDArray[Real]) -> NDArray[Real]:
    """
    Return the CIEDE2000 difference, (...), of two arrays of CIELAB colours, (..., 3).

    All weighting factors are 1. Source: G. Sharma, W. Wu, E. N. Dalal, "The CIEDE2000
    Color-Difference Formula: Implementation Notes, Supplementary Test Data, and Mathematical
    Observations", Color Research and Application 30 (2005), equations 2 to 22.
    """
    if first.shape != second.shape or first.shape[-1:] != (3,):
        message = f"colours are (..., 3) arrays of one shape, not {first.shape} and {second.shape}"
        raise ValueError(message)
    flat_first, flat_second = first.reshape(-1, 3), second.reshape(-1, 3)
    result = np.empty(len(flat_first), first.dtype)
    for start in range(0, len(result), _PIECE):
        part = slice(start, start + _PIECE)
        result[part] = _of_rows(flat_first[part], flat_second[part])
    return result.reshape(first.shape[:-1])


def _of_rows(first: NDArray[Real], second: NDArray[Real]) -> NDArray[Real]:
    light1, a1, b1 = np.ascontiguousarray(first.T)
    light2, a2, b2 = np.ascontiguousarray(second.T)
    chroma7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) * 0.5) ** 7
    stretch = 1.5 - 0.5 * np.sqrt(chroma7 / (chroma7 + _25_POW_7))
    a1, a2 = a1 * stretch, a2 * stretch
    chroma1, chroma2 = np.hypot(a1, b1), np.hypot(a2, b2)
    hue1, hue2 = (np.mod(np.arctan2(b, a), 2 * np.pi) for a, b in ((a1, b1), (a2, b2)))
    grey = (chroma1 == 0) | (chroma2 == 0)
    turn = hue2 - hue1
    turn = np.where(np.abs(turn) > np.pi, turn - np.copysign(2 * np.pi, turn), turn)
    turn = np.where(grey, 0.0, turn)
    mean_hue = np.where(grey, hue1 + hue2, hue1 + turn / 2)
    light_mean = (light1 + light2) * 0.5
    chroma_mean = (chroma1 + chroma2) * 0.5
    hue_term = 2 * np.sqrt(chroma1 * chroma2) * np.sin(turn / 2)
    weight = (
        1
        - 0.17 * np.cos(mean_hue - np.radians(30.0))
        + 0.24 * np.cos(2 * mean_hue)
        + 0.32 * np.cos(3 * mean_hue + np.radians(6.0))
        - 0.20 * np.cos(4 * mean_hue - np.radians(63.0))
    )
    degrees = np.mod(np.degrees(mean_hue), 360.0)
    rotation = np.radians(60.0) * np.exp(-(((degrees - 275.0) / 25.0) ** 2))
    chroma7 = chroma_mean**7
    twist = -2 * np.sqrt(chroma7 / (chroma7 + _25_POW_7)) * np.sin(rotation)
    middle = (light_mean - 50) ** 2
    light = (light2 - light1) / (1 + 0.015 * middle / np.sqrt(20 + middle))
    chroma = (chroma2 - chroma1) / (1 + 0.045 * chroma_mean)
    hue = hue_term / (1 + 0.015 * chroma_mean * weight)
    total = light * light + chroma * chroma + hue * hue + twist * chroma * hue
    result: NDArray[Real] = np.sqrt(np.maximum(total, 0.0)).astype(first.dtype, copy=False)
    return result


METHOD = "haikei-change/2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """
    Numbers that were tuned on paintings of our own; `docs/why/measuring.md` tells how.

    Differences are CIEDE2000 in the earlier picture's colours, lengths are pixels of the later one.
    """

    threshold: float = 4.0  #: from which difference on a pixel counts as changed
    smoothing: float = 1.2  #: sigma with which differences of colour are smoothed to be found
    detail: float = 0.5  #: sigma with which those of compressed files are smoothed to be outlined
    edge: float = 0.06  #: added to the threshold for each L* a pixel that the picture changes there
    noise: float = 0.5  #: CIEDE2000 of the quieter third from which on a file counts as compressed
    antialiasing: float = 0.41  #: spread of an outline as programs draw it: a tent, sqrt(1/6)
    resampling: float = 0.28  #: spread that a shift by a part of a pixel adds
    alike: float = 0.5  #: cosine of two changes' directions from which on they are of one paint
    softened: float = 0.008  #: variance of a blur of drawn edges from which on it is a resize's
    nearby: int = 5  #: side of the square in which a stroke's full colour is looked for
    smallest: float = 7.7e-5  #: share of the area below which a spot is dropped
    smallest_px: int = 12  #: and its pixels at the least
    samples: int = 16_000  #: pixels that the grade is fitted to
    repaint: float = 0.6  #: changed share above which there is no unchanged majority to fit
    together: float = 0.012  #: share of the height within which spots are one region
    regions: int = 64  #: regions that are listed

    def as_json(self) -> str:
        """Return the parameters in canonical JSON."""
        return canonical_json(self)
