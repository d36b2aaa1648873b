"""A picture of a change that a person understands."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.images import Picture, resize, write_picture
from haikei.images.resizing import fit_within
from haikei.measure.change import MeasuredChange

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
