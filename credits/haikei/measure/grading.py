"""One change of colour over a whole picture, told apart from what was painted over."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

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
#: How far from a sample, in hundredths, a fit may lie for all that it tells of.
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
