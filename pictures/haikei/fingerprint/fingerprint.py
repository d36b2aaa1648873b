"""
What a fingerprint holds, how it is made of a picture's windows and written, and how it is found.

A window is given by its left and right (or upper and lower) edge as shares of the picture. The
cosines are integrated over each pixel's part of the window, so that edges may lie anywhere. Rows
and columns are transformed apart, which makes all pairings of m vertical and n horizontal windows
cost little more than m + n of them.
"""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.errors import LedgerError
from haikei.images import Picture

Floats = NDArray[np.float32]
Span = tuple[float, float]  #: where a window begins and ends along one side, 0 to 1

#: Rows and columns of the small copy on which everything is computed.
SIDE = 192
#: The part that is left of each side when a tenth is cut off at both ends; it is what is hashed.
CUT = 0.1
INNER: Span = (CUT, 1 - CUT)
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


def small(picture: Picture) -> Floats:
    """Return a picture as (SIDE, SIDE, 3), each pixel the mean of what it covers."""
    return np.asarray(
        cv2.resize(picture.pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.float32
    )


def luma(pixels: Floats) -> Floats:
    """Return the luma of sRGB-encoded pixels, (rows, columns)."""
    return pixels @ _LUMA


def inner(before: float, after: float) -> Span:
    """
    Return where the inner part of a picture lies in a copy that lacks something at its edges.

    Args:
        before: share that was cut off on the left (or at the top), 0 to `CUT`.
        after: share that was cut off on the right (or at the bottom), 0 to `CUT`.
    """
    rest = 1 - before - after
    return (INNER[0] - before) / rest, (INNER[1] - before) / rest


def halves(span: Span) -> tuple[Span, Span]:
    """Return both halves of a span."""
    middle = (span[0] + span[1]) / 2
    return (span[0], middle), (middle, span[1])


def cosines(values: Floats, rows: Sequence[Span], columns: Sequence[Span], count: int) -> Floats:
    """
    Return the lowest `count` x `count` DCT-II coefficients of every window.

    Args:
        values: (SIDE, SIDE).
        rows: upper and lower edges, m of them.
        columns: left and right edges, n of them.
        count: frequencies along each side, the mean included.

    Returns:
        (m, n, count, count): vertical frequency first.
    """
    down, across = _basis(rows, count), _basis(columns, count)
    found = np.asarray(
        down.reshape(-1, SIDE) @ values @ across.reshape(-1, SIDE).T, dtype=np.float32
    )
    return found.reshape(len(rows), count, len(columns), count).transpose(0, 2, 1, 3)


def means(pixels: Floats, rows: Span, columns: Span, shape: tuple[int, int]) -> Floats:
    """Return the mean colours of a window in shape[0] x shape[1] equal cells, (cells, 3)."""
    down = _basis(_parts(rows, shape[0]), 1)[:, 0]
    across = _basis(_parts(columns, shape[1]), 1)[:, 0]
    found: Floats = np.einsum("ry,yxc,sx->rsc", down, pixels, across, optimize=True)
    return found.reshape(-1, 3)


def _parts(span: Span, count: int) -> list[Span]:
    edges = np.linspace(span[0], span[1], count + 1)
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def _basis(spans: Sequence[Span], count: int) -> Floats:
    """Return (spans, count, SIDE): the integral of each cosine over each pixel, orthonormal."""
    ends = np.asarray(spans, np.float64)[:, :, None]
    begin, length = ends[:, 0], ends[:, 1] - ends[:, 0]
    edges = np.clip((np.arange(SIDE + 1) / SIDE - begin) / length, 0.0, 1.0)[:, None]
    frequency = np.arange(1, count)[None, :, None]
    waves = np.sin(np.pi * frequency * edges) * (np.sqrt(2) / (np.pi * frequency))
    return np.diff(np.concatenate([edges, waves], axis=1), axis=2).astype(np.float32)


#: Named in every fingerprint; another way of computing it gets another name.
METHOD = "haikei-fingerprint/1"
#: Frequencies along each side: of the whole inner part, of what is compared first, of a quarter.
WHOLE, FIRST = 16, 8
STRUCTURE = 64  #: bytes
CELLS = (4, 6)  #: rows and columns in which colours are kept
COLOURS = CELLS[0] * CELLS[1] * 3  #: bytes
#: Standard deviation of luma (0 to 1) below which there is nothing to be recognised by.
LEAST_CONTRAST = 0.01

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """
    What a picture is recognised by.

    `structure` is the signs of cosine coefficients of its luma: of the inner part (16 x 16, the
    lowest 8 x 8 first) and of the four quarters of that (8 x 8 each). `colours` is the mean
    sRGB-encoded colour of 4 x 6 cells of the inner part, 8 bits a channel.
    """

    structure: bytes  #: 64 bytes
    colours: bytes  #: 72 bytes

    def text(self) -> str:
        """Return it as text, as records and the ledger hold it."""
        held = base64.b64encode(self.structure + self.colours).decode()
        return f"{METHOD}:{held}"

    @classmethod
    def read(cls, text: str) -> "Fingerprint":
        """
        Return what `text` wrote.

        Raises:
            LedgerError: it is not a fingerprint of this method.
        """
        method, _, held = text.partition(":")
        try:
            found = base64.b64decode(held, validate=True)
        except binascii.Error:
            found = b""
        if method != METHOD or len(found) != STRUCTURE + COLOURS:
            raise LedgerError(
                f"{text[:40]!r} is no fingerprint of the method {METHOD}.",
                advice="Run `haikei ledger verify`; a newer Haikei may have written it.",
            )
        return cls(structure=found[:STRUCTURE], colours=found[STRUCTURE:])


def fingerprint(picture: Picture) -> Fingerprint | None:
    """Return a picture's fingerprint; None where it is too even to be recognised by anything."""
    pixels = small(picture)
    values = luma(pixels)
    if float(values.std()) < LEAST_CONTRAST:
        return None
    structure = np.concatenate(
        [whole_bits(cosines(values, [INNER], [INNER], WHOLE)).reshape(-1), quarters(values)]
    )
    return Fingerprint(
        structure=structure.tobytes(), colours=colours(pixels, INNER, INNER).tobytes()
    )


def fingerprint_text(picture: Picture) -> str:
    """Return a picture's fingerprint as records hold it; empty where it is too even for one."""
    found = fingerprint(picture)
    return "" if found is None else found.text()


def whole_bits(coefficients: Floats) -> Bytes:
    """Return the signs of (…, 16, 16) coefficients as (…, 32) bytes, the lowest 8 x 8 first."""
    signs = coefficients > 0
    signs[..., 0, 0] = False  # the mean says nothing
    lead = signs.shape[:-2]
    ordered = np.concatenate(
        [
            signs[..., :FIRST, :FIRST].reshape(*lead, -1),
            signs[..., :FIRST, FIRST:].reshape(*lead, -1),
            signs[..., FIRST:, :].reshape(*lead, -1),
        ],
        axis=-1,
    )
    return np.packbits(ordered, axis=-1)


def quarters(values: Floats, rows: Span = INNER, columns: Span = INNER) -> Bytes:
    """Return the signs of the four quarters of a window as 32 bytes."""
    signs = cosines(values, halves(rows), halves(columns), FIRST) > 0
    signs[..., 0, 0] = False
    return np.packbits(signs)


def colours(pixels: Floats, rows: Span, columns: Span) -> Bytes:
    """Return the mean colours of a window's cells as (24, 3) bytes."""
    found = means(pixels, rows, columns, CELLS)
    return np.rint(np.clip(found, 0.0, 1.0) * 255).astype(np.uint8)


#: Bits that say something: all but the means of the inner part and of its four quarters.
BITS = STRUCTURE * 8 - 5
#: Differing bits up to which two pictures show the same drawing.
SAME_DRAWING = 64
#: Root mean square of the difference in colour, 0 to 255, up to which one is a copy of the other.
SAME_COLOURS = 6.0
#: Difference in distance up to which two records cannot be distinguished by likeness.
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
    """Return what of `look_up` comes first and all copies too near to it to be distinguished."""
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
