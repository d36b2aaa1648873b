"""
Where paint that was found ends: outlines to the pixel, and rectangles around spots
that lie together.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.measure.grading import Parameters, ciede2000
from haikei.measurements import Region

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]
_Places = tuple[NDArray[np.intp], NDArray[np.intp]]  # rows and columns

#: Brightness and two differences of colour from encoded red, green, blue (ITU-T T.871): the planes
#: that JPEG stores, the latter two at half the resolution.
_PLANES = np.array(
    [[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]], np.float32
)
#: Variance in square pixels that halving and interpolating the resolution of colour adds to an
#: outline: 1/4 of two pixels' mean, and 3/4 of weights 3/4 and 1/4 at 1/2 and 3/2 pixels.
_HALVED = 1.0
#: Outlines that are needed to tell how sharp they are, and how strong they must be (of 1).
_ENOUGH, _STRONG = 100, 0.1
#: Variance in square pixels from which on an outline is a soft brush's and tells nothing.
_SOFT = 1.2
#: Share of a pixel whose colour is looked at to tell how visible thin paint is there.
_THIN = 0.1
#: Levels of strength that a float32 keeps beside a number below 32.
_LEVELS = 1 << 17
_SMALL = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class _Rim:
    """Pixels near an outline, beside the strongest change near each."""

    at: _Places
    own: Plane  #: (n, 3) change of the planes
    paint: Plane  #: (n, 3) that of the strongest pixel nearby
    outermost: Mask  #: (n) whether it touches a pixel that did not change


def outlined(
    first: Plane, gap: Plane, *, resampled: bool, parameters: Parameters
) -> tuple[Plane, Mask]:
    """
    Return CIEDE2000, smoothed where nothing changed, and the changed pixels with their specks.

    A pixel belongs to the change where the paint on it is visible, however small its share of
    the pixel. A file as it was painted shows just that, and the threshold alone is the outline.
    Two things spread paint beyond it, and have to be separated from paint:

    - A resize, or a shift by a part of a pixel, interpolates.
    - JPEG and video halve the resolution of colour, not that of brightness.

    Both are linear in encoded values, so the pixels around a stroke are its colour times a share
    that falls off with the distance. The share at which the stroke was still visible before is
    the cumulative normal distribution, for the outline's spread then; where it lies now follows
    from the spread now, of brightness and colour each by its part in the stroke. What lies below
    is spread paint and does not count. The spread of colour is read off the outlines themselves,
    so files that keep its whole resolution are taken for what they are.

    Args:
        first: the earlier picture in CIELAB, (height, width, 3).
        gap: how far the later one lies from it, its grade taken back.
        resampled: whether the later one is known to be interpolated.
        parameters: of the method.
    """
    delta_e, near = _found(first, gap, parameters)
    if not near.any():
        return delta_e, near
    code = _code(first + gap)
    code -= _code(first)
    compressed = _noise(first, gap) > parameters.noise
    sigma = parameters.detail if compressed else 0.0
    planes, rim = _looked_at(first, gap, code, near, delta_e, sigma, parameters)
    colour = _spread_of_colour(planes, rim, compressed=compressed)
    if colour > _HALVED / 2 and not compressed:
        compressed, sigma = True, parameters.detail
        planes, rim = _looked_at(first, gap, code, near, delta_e, sigma, parameters)
    changed = near & (delta_e > np.float32(parameters.threshold))
    if not compressed:
        soft = _softening(first, gap, parameters)
        if not resampled and soft <= parameters.softened:
            return delta_e, changed
        sigma = math.hypot(parameters.resampling if resampled else 0, math.sqrt(soft))
    bright = math.hypot(parameters.antialiasing, sigma)
    spreads = bright, math.sqrt(bright**2 + colour)
    changed[rim.at] = _counts(first, rim, spreads, parameters, other=not compressed)
    return delta_e, changed


def _found(first: Plane, gap: Plane, parameters: Parameters) -> tuple[Plane, Mask]:
    # Differences keep their sign while they are smoothed, so that noise cancels out.
    found = ciede2000(first, first + smoothed(gap, parameters.smoothing))
    limit = np.float32(parameters.threshold) + np.float32(parameters.edge) * _slope(first)
    core = cv2.morphologyEx(
        np.asarray(found > limit, np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)
    )
    return found, _bits(cv2.dilate(core, _SMALL)) > 0


def _noise(first: Plane, gap: Plane) -> float:
    thin = np.ascontiguousarray(first[::2, ::2])
    return float(np.quantile(ciede2000(thin, thin + gap[::2, ::2]), 0.35))


def _softening(first: Plane, gap: Plane, parameters: Parameters) -> float:
    """
    Return the variance, in square pixels, of the blur that drawn edges have and had not before.

    A blur of little variance adds half of it times the Laplacian (the equation of heat).
    """
    light = np.ascontiguousarray(first[..., 0])
    bend = np.asarray(cv2.Laplacian(light, cv2.CV_32F), np.float32)[::2]
    change = gap[::2, :, 0]
    clear = np.abs(bend) > np.quantile(np.abs(bend[::2, ::4]), 0.7)
    clear &= np.abs(change) < parameters.threshold
    terms, values = bend[clear].astype(np.float64), change[clear].astype(np.float64)
    slope = 0.0
    for _ in range(4):
        size = float(terms @ terms)
        if not size:
            return 0.0
        slope = float(terms @ values) / size
        miss = np.abs(values - slope * terms)
        kept = miss <= np.quantile(miss, 0.6)
        terms, values = terms[kept], values[kept]
    return max(0.0, 2 * slope)


def _looked_at(
    first: Plane,
    gap: Plane,
    code: Plane,
    near: Mask,
    delta_e: Plane,
    sigma: float,
    parameters: Parameters,
) -> tuple[Plane, _Rim]:
    """Look closely at the pixels `near`: their CIEDE2000 is written into `delta_e`."""
    some = first[near]
    delta_e[near] = ciede2000(some, some + (smoothed(gap, sigma) if sigma else gap)[near])
    shown = smoothed(code, sigma) if sigma else code
    planes: Plane = np.asarray(cv2.transform(shown, _PLANES), np.float32)
    mask = near & (delta_e > np.float32(parameters.threshold))
    bare = np.asarray(~mask, np.uint8)
    side = np.ones((parameters.nearby, parameters.nearby), np.uint8)
    rows, columns = np.nonzero(mask & (_bits(cv2.dilate(bare, side)) > 0))
    at = rows, columns
    strongest = _strongest(planes, at, parameters.nearby)
    outermost = _bits(cv2.dilate(bare, _SMALL))[at] > 0
    return planes, _Rim(at, planes[at], planes[strongest], outermost)


def _strongest(planes: Plane, at: _Places, side: int) -> _Places:
    """Return where, in a square around each place, the planes changed most."""
    strength = np.sqrt(np.einsum("ijk,ijk->ij", planes, planes))
    height, width = strength.shape
    # A place modulo the side of the square tells where in the square it is.
    place = (np.arange(height) % side * side)[:, None] + np.arange(width) % side
    packed = np.rint(np.minimum(strength, 2) * np.float32(_LEVELS)) * np.float32(32)
    packed += place.astype(np.float32)
    most = cv2.dilate(packed, np.ones((side, side), np.uint8))
    there = np.asarray(most, np.float32)[at].astype(np.int64) % 32
    rows, columns = at
    half = side // 2
    down = (there // side - rows + half) % side - half
    right = (there % side - columns + half) % side - half
    return np.clip(rows + down, 0, height - 1), np.clip(columns + right, 0, width - 1)


def _spread_of_colour(planes: Plane, rim: _Rim, *, compressed: bool) -> float:
    """
    Return by how much, in square pixels, outlines are softer in colour than in brightness.

    Where a step of height 1, blurred to a normal distribution of spread s, is at the share p, its
    slope is the density at the p-quantile over s.
    """
    # SciPy takes long to load, and every worker would, for its first touch-up.
    from scipy.special import ndtri

    rows, columns = rim.at
    found: list[float] = []
    for chosen in (slice(0, 1), slice(1, 3)):
        step = np.linalg.norm(rim.paint[:, chosen], axis=1)
        share = np.linalg.norm(rim.own[:, chosen], axis=1) / np.maximum(step, 1e-6)
        clear = rim.outermost & (step > _STRONG) & (share > 0.25) & (share < 0.75)
        slope = np.zeros(planes.shape[:2], np.float32)
        for plane in cv2.split(planes)[chosen]:
            slope += cv2.Sobel(plane, cv2.CV_32F, 1, 0, scale=1 / 8) ** 2
            slope += cv2.Sobel(plane, cv2.CV_32F, 0, 1, scale=1 / 8) ** 2
        if np.count_nonzero(clear) < _ENOUGH:
            return _HALVED if compressed else 0.0
        steep = np.sqrt(slope[rows[clear], columns[clear]])
        density = np.exp(-(ndtri(share[clear].astype(np.float64)) ** 2) / 2)
        density /= math.sqrt(2 * math.pi)
        found.append(float(np.median(step[clear] * density / np.maximum(steep, 1e-4))) ** 2)
    if found[0] > _SOFT:
        return _HALVED if compressed else 0.0
    return float(np.clip(found[1] - found[0], 0, _HALVED))


def _counts(
    first: Plane,
    rim: _Rim,
    spreads: tuple[float, float],
    parameters: Parameters,
    *,
    other: bool,
) -> Mask:
    """
    Return which pixels of the rim are paint; all that are at least half covered are.

    Args:
        first: the earlier picture in CIELAB.
        rim: the pixels.
        spreads: of an outline's brightness and colour, in pixels.
        parameters: of the method.
        other: whether a change in another direction than the stroke's is paint of its own.
    """
    from scipy.special import ndtr, ndtri

    strength = np.maximum(np.einsum("ij,ij->i", rim.paint, rim.paint), 1e-9)
    share = np.einsum("ij,ij->i", rim.own, rim.paint) / strength
    counts: Mask = np.asarray(share >= 0.5, np.bool_)
    if other:
        length = np.einsum("ij,ij->i", rim.own, rim.own) * strength
        counts |= np.abs(share) * strength < parameters.alike * np.sqrt(length)
    faint = np.nonzero(~counts)[0]
    if not len(faint):
        return counts
    own, paint = rim.own[faint], rim.paint[faint]
    places = rim.at[0][faint], rim.at[1][faint]
    length = np.linalg.norm(own, axis=1) / np.sqrt(strength[faint])
    whole = own / np.maximum(length, 0.05)[:, None]
    visible = _visible(first[places], whole, parameters)
    distance = -ndtri(visible.astype(np.float64)) * parameters.antialiasing
    brightness = paint[:, 0] ** 2 / strength[faint]
    least = brightness * ndtr(-distance / spreads[0])
    least += (1 - brightness) * ndtr(-distance / spreads[1])
    counts[faint] = share[faint] > least
    return counts


def _visible(lab: Plane, paint: Plane, parameters: Parameters) -> Plane:
    """Return the share of a pixel, to a half, from which on paint is visible on each colour."""
    rows = np.ascontiguousarray(lab)
    code = _code(rows[None])[0]
    step = paint @ np.linalg.inv(_PLANES).T.astype(np.float32)
    share = np.full(len(lab), _THIN, np.float32)
    for _ in range(2):
        mixed = np.clip(code + step * share[:, None], 0, 1)
        thin = np.asarray(cv2.cvtColor(mixed[None], cv2.COLOR_RGB2LAB), np.float32)[0]
        seen = np.maximum(ciede2000(rows, thin), np.float32(0.1))
        share = np.asarray(share * np.float32(parameters.threshold) / seen, np.float32)
        np.clip(share, 0.003, 0.5, out=share)
    return share


def smoothed(plane: Plane, sigma: float) -> Plane:
    """Return a plane or a picture, smoothed with a Gaussian."""
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), np.float32)


def _slope(lab: Plane) -> Plane:
    light = smoothed(lab[..., 0], 0.8)
    across = cv2.Sobel(light, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(light, cv2.CV_32F, 0, 1, scale=1 / 8)
    return np.asarray(cv2.magnitude(across, down), np.float32)


def _code(lab: Plane) -> Plane:
    code = np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.float32)
    return np.clip(code, 0, 1, out=code)


def _bits(mask: cv2.typing.MatLike) -> NDArray[np.uint8]:
    return np.asarray(mask, np.uint8)


def without_specks(mask: Mask, *, smallest: int) -> Mask:
    """Return the mask without connected spots of fewer pixels than `smallest`."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    kept = stats[:, cv2.CC_STAT_AREA] >= smallest
    kept[0] = False
    return np.asarray(kept[np.asarray(labels, np.int32)], np.bool_)


def regions_of(mask: Mask, *, together: int, most: int) -> tuple[tuple[Region, ...], int]:
    """
    Return the rectangles around changed pixels, those with most pixels first, and how many more.

    Args:
        mask: (height, width), true where something changed.
        together: spots not farther apart than this many pixels are one region.
        most: rectangles that are returned.
    """
    side = max(1, together | 1)
    joined = cv2.dilate(
        mask.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_RECT, (side, side))
    )
    count, labels = cv2.connectedComponents(joined, connectivity=8)
    rows, columns = np.nonzero(mask)
    owners = np.asarray(labels, np.int32)[rows, columns]
    left, top = np.full(count, mask.shape[1]), np.full(count, mask.shape[0])
    right, bottom = np.full(count, -1), np.full(count, -1)
    np.minimum.at(left, owners, columns)
    np.maximum.at(right, owners, columns)
    np.minimum.at(top, owners, rows)
    np.maximum.at(bottom, owners, rows)
    pixels = np.bincount(owners, minlength=count)
    found = [
        Region(
            x=int(left[n]),
            y=int(top[n]),
            width=int(right[n] - left[n] + 1),
            height=int(bottom[n] - top[n] + 1),
            pixels=int(pixels[n]),
        )
        for n in range(1, count)
    ]
    found.sort(key=lambda region: (-region.pixels, region.y, region.x))
    return tuple(found[:most]), max(0, len(found) - most)
