"""A stranger's layout sheet: frame, peg holes, printed fields, notes, trace lines, tinted paper."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.reading import Kind

Pixels = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Where on the sheet the drawing stands, in pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int


def lay_on_sheet(
    pixels: Pixels,
    kinds: NDArray[np.int32],
    random: np.random.Generator,
    *,
    paper: tuple[float, float, float],
) -> tuple[Pixels, NDArray[np.int32], Frame]:
    """Reduce a drawing to the frame of a sheet of the same size, and print the sheet around it."""
    height, width = kinds.shape
    part = 0.8
    inner = (round(width * part), round(height * part))
    left = round(width * (1 - part) / 2 + random.uniform(-0.02, 0.02) * width)
    top = round(height * 0.14)
    frame = Frame(left=left, top=top, right=left + inner[0], bottom=top + inner[1])
    dark = sum(paper) < 1.0
    tint = np.array(paper if dark else (0.97, 0.95, 0.89), np.float32)
    sheet = np.ascontiguousarray(np.broadcast_to(tint * 255, pixels.shape), np.uint8)
    inside = (slice(frame.top, frame.bottom), slice(frame.left, frame.right))
    small = cv2.resize(pixels, inner, interpolation=cv2.INTER_AREA)
    sheet[inside] = np.round((small if dark else np.minimum(small, tint)) * 255)
    truth = np.full_like(kinds, int(Kind.UNKNOWN))
    truth[inside] = cv2.resize(
        kinds.astype(np.int16), inner, interpolation=cv2.INTER_NEAREST
    ).astype(np.int32)
    ink = (230, 230, 230) if dark else (38, 38, 51)
    thick = max(2, height // 360)
    cv2.rectangle(sheet, (left, top), (frame.right, frame.bottom), ink, thick, cv2.LINE_AA)
    _pegs(sheet, ink)
    _fields(sheet, frame, ink, int(random.integers(1, 320)))
    if not dark:
        _traces(sheet, frame, random)
    return sheet.astype(np.float32) / np.float32(255), truth, frame


def _pegs(sheet: NDArray[np.uint8], ink: tuple[float, float, float]) -> None:
    height, width = sheet.shape[:2]
    y, size = round(height * 0.045), round(height * 0.016)
    cv2.circle(sheet, (width // 2, y), size, ink, 2, cv2.LINE_AA)
    for side in (-1, 1):
        x = width // 2 + side * round(height * 0.42)
        cv2.ellipse(sheet, (x, y), (size * 3, size), 0, 0, 360, ink, 2, cv2.LINE_AA)


def _fields(
    sheet: NDArray[np.uint8], frame: Frame, ink: tuple[float, float, float], cut: int
) -> None:
    height = sheet.shape[0]
    size = height / 1100
    y = round(height * 0.11)
    texts = (
        (0.0, f"C - {cut:03d}"),
        (0.24, f"{cut % 6 + 2} + {cut % 24:02d}"),
        (0.62, "FIX   BG only"),
    )
    for across, text in texts:
        x = frame.left + round((frame.right - frame.left) * across)
        cv2.putText(sheet, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, ink, 2, cv2.LINE_AA)
    below = (frame.left + 20, round(height * 0.985))
    cv2.putText(
        sheet,
        "shadow soft, BOOK in front",
        below,
        cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
        size,
        ink,
        1,
        cv2.LINE_AA,
    )


def _traces(sheet: NDArray[np.uint8], frame: Frame, random: np.random.Generator) -> None:
    """Draw two lines where a shadow ends (blue) and one where light ends (red)."""
    wide, high = frame.right - frame.left, frame.bottom - frame.top
    for colour in ((64, 102, 242), (64, 102, 242), (242, 64, 64)):
        x, y = random.uniform(0.2, 0.7) * wide, random.uniform(0.55, 0.9) * high
        path = [
            (
                frame.left + x + step * wide * 0.05,
                frame.top + y + random.uniform(-0.02, 0.02) * high,
            )
            for step in range(5)
        ]
        cv2.polylines(
            sheet,
            [np.array(path, np.int32)],
            isClosed=False,
            color=colour,
            thickness=2,
            lineType=cv2.LINE_AA,
        )
