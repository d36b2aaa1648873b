"""
What a touch-up changed, measured against the earlier picture, and a picture of that
change for people.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.images import Picture, resize, write_picture
from haikei.images.picture import fit_within
from haikei.measure.grading import METHOD, Grade, Parameters, ciede2000, fit_grade, identity, lab_of
from haikei.measure.outlining import outlined, regions_of, smoothed, without_specks
from haikei.measure.registration import Placement, laid_over, similarity
from haikei.measurements import Change

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
    full_repaint: bool  #: so much changed that a grade cannot be separated; nothing is fitted
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
    count as local change. See `docs/why/measuring.md`, also for what this figure is not.

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


#: Longer side, in pixels, of the map without its legend.
LONGEST = 1920
#: Vermilion of Okabe and Ito (2008), which all common kinds of colour vision tell from grey.
TINT = (213, 94, 0)
_NUMBERED = 24
_OUTLINE = (115, 41, 0)
_FRAME = (51, 51, 51)
_PAPER, _INK = (247, 247, 247), (26, 26, 26)
_FONT = cv2.FONT_HERSHEY_SIMPLEX

Pixels = NDArray[np.uint8]


def write_change_map(measured: MeasuredChange, after: Picture, path: Path) -> str:
    """
    Write the map of a change as a picture and return the SHA-256 of the file.

    The later picture stands in light grey, changed pixels are tinted and outlined, regions are
    numbered from the largest on, and a strip below tells method and share. The same change and
    picture make the same bytes.

    Args:
        measured: a change, as it was measured.
        after: the later picture that it was measured on.
        path: ends in .png or .jpg.

    Raises:
        ValueError: the picture is not of the measured size.
        StorageError: the ending is none of these.
        StorageUnavailable: the disk does not take the file.
    """
    if measured.changed.shape != (after.height, after.width):
        message = f"the map is of {measured.changed.shape[::-1]}, not {after.width}x{after.height}"
        raise ValueError(message)
    width, height = fit_within(after.width, after.height, LONGEST)
    mask = _shrunk(measured.changed, width, height)
    pixels = _tinted(resize(after, width, height), mask)
    _number(pixels, measured, width / after.width, height / after.height)
    whole = np.concatenate([pixels, _legend(measured, width)])
    drawn = Picture(pixels=whole.astype(np.float32) / np.float32(255))
    write_picture(drawn, path, bits=8)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _shrunk(changed: NDArray[np.bool_], width: int, height: int) -> NDArray[np.uint8]:
    small = cv2.resize(changed.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small >= 0.5, np.uint8)


def _tinted(picture: Picture, mask: NDArray[np.uint8]) -> Pixels:
    grey = cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY) * np.float32(0.5) + np.float32(0.42)
    pixels = np.repeat(grey[..., None], 3, axis=2)
    inside = mask > 0
    tint = np.array(TINT, np.float32) / np.float32(255)
    pixels[inside] = pixels[inside] * np.float32(0.35) + tint * np.float32(0.65)
    drawn: Pixels = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    lines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    thick = max(1, round(max(mask.shape) / 1000))
    cv2.drawContours(drawn, lines, -1, _OUTLINE, thick, cv2.LINE_8)
    return drawn


def _number(pixels: Pixels, measured: MeasuredChange, across: float, down: float) -> None:
    size = max(0.4, pixels.shape[1] / 2400)
    thick = max(1, round(size * 2))
    for number, region in enumerate(measured.change.regions[:_NUMBERED], start=1):
        left, top = round(region.x * across), round(region.y * down)
        right = round((region.x + region.width) * across)
        bottom = round((region.y + region.height) * down)
        cv2.rectangle(pixels, (left, top), (right, bottom), _FRAME, 1, cv2.LINE_8)
        text = str(number)
        (wide, high), base = cv2.getTextSize(text, _FONT, size, thick)
        x = min(left, max(0, pixels.shape[1] - wide - 6))
        y = top if top > high + base + 6 else top + high + base + 6
        cv2.rectangle(pixels, (x, y - high - base - 4), (x + wide + 6, y), _PAPER, cv2.FILLED)
        cv2.putText(
            pixels, text, (x + 3, y - base), _FONT, size, _INK, thick, cv2.LINE_AA
        )  # fmt: skip


def _legend(measured: MeasuredChange, width: int) -> Pixels:
    size = max(0.35, width / 2600)
    thick = max(1, round(size * 1.6))
    (_, high), base = cv2.getTextSize("Ag", _FONT, size, thick)
    line = high + base + max(4, high // 2)
    texts = _texts(measured)
    strip = np.full((line * len(texts) + line // 2, width, 3), _PAPER, np.uint8)
    box = high
    cv2.rectangle(strip, (line // 2, line // 2), (line // 2 + box, line // 2 + box), TINT, -1)
    for number, text in enumerate(texts):
        at = (line // 2 + (2 * box if number == 0 else 0), line * (number + 1) - base // 2)
        cv2.putText(strip, text, at, _FONT, size, _INK, thick, cv2.LINE_AA)
    return strip


def _texts(measured: MeasuredChange) -> tuple[str, ...]:
    change = measured.change
    share = f"changed: {change.area_ppm / 10_000:.2f} % of the area"
    if measured.full_repaint:
        share += " (repainted as a whole: colours compared as they are)"
    found = len(change.regions) + measured.more_regions
    regions = f"{found} region{'' if found == 1 else 's'}"
    if found > _NUMBERED:
        regions += f", the largest {_NUMBERED} numbered"
    whole = (
        f"{change.method}   whole picture: colour {change.global_milli_de / 1000:.1f} CIEDE2000, "
        f"moved {change.shift_milli_px / 1000:.2f} px"
    )
    return f"{share}, {regions}", f"{whole}   Area is not effort."
