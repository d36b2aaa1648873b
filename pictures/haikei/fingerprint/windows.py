"""
Cosine transforms of windows of a picture.

A window is given by its left and right (or upper and lower) edge as shares of the picture. The
cosines are integrated over each pixel's part of the window, so that edges may lie anywhere. Rows
and columns are transformed apart, which makes all pairings of m vertical and n horizontal windows
cost little more than m + n of them.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

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
