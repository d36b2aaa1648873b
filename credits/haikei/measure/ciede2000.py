"""The difference between two colours as people see it: CIEDE2000."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from haikei.images import Picture

Real = TypeVar("Real", np.float32, np.float64)

_25_POW_7 = 25.0**7
#: Colours that are computed at once, so that temporaries stay in the processor's cache.
_PIECE = 1 << 15


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
