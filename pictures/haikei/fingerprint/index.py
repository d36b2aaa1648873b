"""
Find what a picture is a copy of, among many fingerprints.

A copy may lack something at each edge, so that its inner part lies anywhere near. Every crop on a
coarse grid is tried against all fingerprints by their lowest 64 bits; what comes nearest is
compared by more bits, the best crops are refined, and all bits and the colours decide.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

import numpy as np
from numpy.typing import NDArray

from haikei.fingerprint.fingerprint import (
    CELLS,
    LEAST_CONTRAST,
    STRUCTURE,
    WHOLE,
    Fingerprint,
    colours,
    quarters,
    whole_bits,
)
from haikei.fingerprint.windows import CUT, Floats, cosines, inner, luma, small
from haikei.images import Picture

#: Bits that say something: all but the means of the inner part and of its four quarters.
BITS = STRUCTURE * 8 - 5
#: Differing bits up to which two pictures show the same drawing.
SAME_DRAWING = 64
#: Root mean square of the difference in colour, 0 to 255, up to which one is a copy of the other.
SAME_COLOURS = 6.0
#: Difference in distance up to which two records cannot be told apart by likeness.
TOO_NEAR = 0.1
#: Fingerprints that are compared by more than their lowest bits.
_CANDIDATES = 1024
#: Shares that are tried at each edge, and steps by which the best of them are refined.
_COARSE = (0.0, CUT / 2, CUT)
_STEPS = (CUT / 4, CUT / 8, CUT / 16)
#: Crops that are refined.
_REFINED = 2
#: How far beyond a tenth the refinement may go.
_MOST = CUT * 1.1
#: Gammas and gains of a channel that leave a picture a copy of itself.
_GAMMAS = np.geomspace(0.65, 1.55, 13, dtype=np.float32)
_GAINS = (0.9, 1.12)

_Words = NDArray[np.uint64]
_Cut = tuple[float, float]  #: shares that a copy lacks at both ends of a side


class Likeness(StrEnum):
    """How one picture is like another."""

    COPY = "copy"  #: the same drawing in the same colours, but for gamma and a light grade
    DRAWING = "drawing"  #: the same drawing in other colours: another season or time, or regraded


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A fingerprint that shows the same drawing as the picture that was looked up."""

    number: int  #: under which the fingerprint was put into the index
    bits: int  #: of `BITS`, in which the structure differs
    colour: float  #: root mean square of the difference in colour, 0 to 255, apart from a grade

    @property
    def likeness(self) -> Likeness:
        """How they are alike."""
        return Likeness.COPY if self.colour <= SAME_COLOURS else Likeness.DRAWING

    @property
    def distance(self) -> float:
        """How far apart they are: 0 for identical, 1 for a copy that is just recognised as one."""
        return (self.bits / SAME_DRAWING + self.colour / SAME_COLOURS) / 2


def indistinct(matches: Sequence[Match]) -> tuple[Match, ...]:
    """Return what of `look_up` comes first and all copies too near to it to be told apart."""
    copies = [one for one in matches if one.likeness is Likeness.COPY]
    return tuple(one for one in copies if one.distance - copies[0].distance <= TOO_NEAR)


class FingerprintIndex:
    """
    Many fingerprints, held in memory: 152 bytes each.

    Args:
        entries: fingerprints, each with the number under which it is found again.
    """

    def __init__(self, entries: Iterable[tuple[int, Fingerprint]]) -> None:
        held = list(entries)
        structure = b"".join(one.structure for _, one in held)
        palettes = b"".join(one.colours for _, one in held)
        self._numbers = np.array([number for number, _ in held], np.int64)
        self._structure = np.frombuffer(structure, np.uint64).reshape(-1, STRUCTURE // 8)
        self._first = np.ascontiguousarray(self._structure[:, 0])
        self._colours = np.frombuffer(palettes, np.uint8).reshape(-1, CELLS[0] * CELLS[1], 3)

    def __len__(self) -> int:
        return len(self._numbers)

    def look_up(self, picture: Picture) -> tuple[Match, ...]:
        """Return all that show the same drawing as a picture: copies first, each by distance."""
        pixels = small(picture)
        values = luma(pixels)
        if not len(self) or float(values.std()) < LEAST_CONTRAST:
            return ()
        cuts = tuple(product(_COARSE, _COARSE))
        tried = _bits(values, cuts, cuts)
        near = self._nearest(tried[:, 0])
        found = self._structure[near]
        whole = found[:, : tried.shape[1]]
        gaps = np.bitwise_count(whole[:, None] ^ tried[None]).sum(-1, dtype=np.uint16)
        crops, closest = gaps.argmin(axis=1), gaps.min(axis=1)
        order = np.argsort(closest, kind="stable")
        leads = {int(crops[one]): int(one) for one in reversed(order.tolist())}
        leads = dict(sorted(leads.items(), key=lambda pair: int(closest[pair[1]])))
        bits = np.full(len(near), BITS, np.uint16)
        colour = np.full(len(near), np.inf, np.float32)
        for crop, lead in list(leads.items())[:_REFINED]:
            rows, columns = cuts[crop // len(cuts)], cuts[crop % len(cuts)]
            rows, columns = _refined(values, rows, columns, whole[lead])
            own = _all_bits(values, rows, columns)
            here = np.bitwise_count(found ^ own).sum(-1, dtype=np.uint16)
            shown = colours(pixels, inner(*rows), inner(*columns))
            better = (here < bits) & (here <= SAME_DRAWING)
            bits[better] = here[better]
            colour[better] = _colour_gap(shown, self._colours[near[better]])
        matches = [
            Match(
                number=int(self._numbers[near[one]]), bits=int(bits[one]), colour=float(colour[one])
            )
            for one in np.flatnonzero(bits <= SAME_DRAWING)
        ]
        matches.sort(key=lambda match: (match.likeness is Likeness.DRAWING, match.distance))
        return tuple(matches)

    def _nearest(self, tried: _Words) -> NDArray[np.intp]:
        """Return the places of what differs least in its lowest bits, over all crops."""
        best = np.full(len(self), 255, np.uint8)
        for word in tried:
            np.minimum(best, np.bitwise_count(self._first ^ word), out=best)
        if len(best) <= _CANDIDATES:
            return np.arange(len(best))
        return np.argpartition(best, _CANDIDATES)[:_CANDIDATES]


def _bits(values: Floats, rows: Sequence[_Cut], columns: Sequence[_Cut]) -> _Words:
    """Return the bits of the inner part for each pair of crops, (rows x columns, words)."""
    found = cosines(values, [inner(*one) for one in rows], [inner(*one) for one in columns], WHOLE)
    return whole_bits(found).reshape(len(rows) * len(columns), -1).view(np.uint64)


def _all_bits(values: Floats, rows: _Cut, columns: _Cut) -> _Words:
    whole = _bits(values, (rows,), (columns,))[0]
    parts = quarters(values, inner(*rows), inner(*columns))
    return np.concatenate([whole, parts.view(np.uint64)])


def _refined(values: Floats, rows: _Cut, columns: _Cut, wanted: _Words) -> tuple[_Cut, _Cut]:
    """Return the crop near this one under which a picture comes nearest to a fingerprint."""
    for step in _STEPS:
        down, across = _around(rows, step), _around(columns, step)
        gaps = np.bitwise_count(_bits(values, down, across) ^ wanted).sum(-1, dtype=np.uint16)
        best = int(gaps.argmin())
        rows, columns = down[best // len(across)], across[best % len(across)]
    return rows, columns


def _around(cut: _Cut, step: float) -> tuple[_Cut, ...]:
    # The crop itself comes first, so that it is kept where another is no better.
    ends = (
        dict.fromkeys(min(max(end + way, 0.0), _MOST) for way in (0.0, -step, step)) for end in cut
    )
    first, last = ends
    return tuple(product(first, last))


def _colour_gap(shown: NDArray[np.uint8], held: NDArray[np.uint8]) -> NDArray[np.float32]:
    """
    Return how far colours are from those held, after the gamma and gains that bring them nearest.

    Args:
        shown: (cells, 3), 0 to 255.
        held: (fingerprints, cells, 3), 0 to 255.
    """
    wanted = shown.astype(np.float32)
    share = held.astype(np.float32) / np.float32(255)
    best = np.full(len(held), np.inf, np.float32)
    for gamma in _GAMMAS:
        graded = share**gamma * np.float32(255)
        fit = (wanted * graded).sum(1) / np.maximum((graded * graded).sum(1), np.float32(1e-6))
        rest = wanted - np.clip(fit, *_GAINS)[:, None] * graded
        np.minimum(best, np.sqrt(np.square(rest).mean(axis=(1, 2))), out=best)
    return best
