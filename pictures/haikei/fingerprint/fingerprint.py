"""What a fingerprint holds, and how it is made and written."""

import base64
import binascii
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haikei.errors import LedgerError
from haikei.fingerprint.windows import INNER, Floats, Span, cosines, halves, luma, means, small
from haikei.images import Picture

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
