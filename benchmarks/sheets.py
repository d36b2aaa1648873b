"""
How well is a layout sheet read: is its frame found, is the drawing kept, do the notes go?

Sheets are drawn here (`drawn_sheets.py`), so that what stands on them is known, and counted:

- frame: the corners of the painted part within two pixels (scaled to a sheet of 1280);
- recall: ink of the drawing inside that is still there;
- left: ink of notes inside that is still there;
- lines: ink of further frames on the picture (T.U., PAN, safety) that is still there.

    python benchmarks/sheets.py --sheets 500
    python benchmarks/sheets.py --sheets 24 --show overlays/
    python benchmarks/sheets.py --sheets 150 --rules
"""

import argparse
import json
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from drawn_sheets import DrawnSheet, sheet_of
from haikei.reading.network import shipped_network
from haikei.sheets import FrameUse, SheetReading, draw_overlay, read_sheet

Plane = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One sheet's figures."""

    seed: int
    kind: str
    traits: tuple[str, ...]
    off: float  #: pixels of 1280 by which the worst corner is off; inf where it was not found
    wanted: float  #: ink of the drawing
    kept: float
    written: float  #: ink of notes
    left: float
    ruled: float  #: ink of further frames' lines on the picture
    stays: float
    seconds: float


def measure(seed: int, sheet: DrawnSheet, reading: SheetReading, seconds: float) -> Measured:
    """Compare a reading to what was drawn."""
    width = sheet.pixels.shape[1]
    there = cv2.dilate((reading.ink > 0.2).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    # What lies beneath the ink of a note or a frame cannot be seen.
    want = (sheet.drawing > 0.5) & (np.maximum(sheet.notes, sheet.lines) < 0.2)
    free = cv2.dilate(sheet.drawing, np.ones((3, 3))) < 0.2
    notes = (sheet.notes > 0.5) & free
    lines = (sheet.lines > 0.5) & free
    return Measured(
        seed=seed, kind=sheet.kind, traits=tuple(sheet.traits),
        off=_off(sheet, reading) * 1280 / width,
        wanted=float(want.sum()), kept=float((want & there).sum()),
        written=float(notes.sum()), left=float((notes & (reading.ink > 0.25)).sum()),
        ruled=float(lines.sum()), stays=float((lines & (reading.ink > 0.25)).sum()),
        seconds=seconds,
    )  # fmt: skip


def _off(sheet: DrawnSheet, reading: SheetReading) -> float:
    cameras = [one for one in reading.frames if one.use is FrameUse.CAMERA]
    if sheet.quad is None:
        return np.inf if reading.area is not None else 0.0
    if not cameras or reading.area is None:
        return np.inf
    corners = np.array([(p.x, p.y) for one in cameras for p in one.corners])
    # The painted part's corners: of all corners those farthest towards each of the true ones.
    middle = sheet.quad.mean(axis=0)
    worst = 0.0
    for corner in sheet.quad:
        towards = (corners - middle) @ (corner - middle)
        worst = max(worst, float(np.linalg.norm(corners[int(towards.argmax())] - corner)))
    return worst


def summary(measured: Sequence[Measured]) -> dict[str, object]:
    """Return the figures of all sheets."""
    wanted, kept = sum(one.kept for one in measured), sum(one.wanted for one in measured)
    written = sum(one.written for one in measured)
    ruled = sum(one.ruled for one in measured)
    return {
        "sheets": len(measured),
        "frame_within_2px": round(float(np.mean([one.off <= 2 for one in measured])), 4),
        "ink_recall": round(wanted / max(kept, 1), 5),
        "sheets_below_99.5": sum(one.kept < 0.995 * one.wanted for one in measured),
        "notes_left": round(sum(one.left for one in measured) / max(written, 1), 4),
        "lines_left": round(sum(one.stays for one in measured) / max(ruled, 1), 4),
        "seconds_median": round(statistics.median(one.seconds for one in measured), 3),
        "seconds_worst": round(max(one.seconds for one in measured), 3),
        "wrong_by_kind": dict(Counter(one.kind for one in measured if one.off > 2)),
        "of_kind": dict(Counter(one.kind for one in measured)),
    }


def _beside(sheet: DrawnSheet, reading: SheetReading) -> Plane:
    ink = np.repeat((1 - reading.ink)[..., None], 3, axis=2)
    return np.concatenate([draw_overlay(sheet.pixels, reading), ink], axis=1).astype(np.float32)


def main() -> None:
    """Draw, read, and print figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sheets", type=int, default=500)
    parser.add_argument("--first", type=int, default=100_000)
    parser.add_argument("--show", type=Path, help="a folder for overlays of sheets read wrongly")
    parser.add_argument("--rules", action="store_true", help="find notes without a trained model")
    parser.add_argument("--all", action="store_true", help="show all sheets")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    letters = None if args.rules else shipped_network().letters
    measured: list[Measured] = []
    for seed in range(args.first, args.first + args.sheets):
        sheet = sheet_of(seed)
        start = time.perf_counter()
        reading = read_sheet(sheet.pixels, letters=letters)
        one = measure(seed, sheet, reading, time.perf_counter() - start)
        measured.append(one)
        wrong = one.off > 2 or one.kept < 0.99 * one.wanted or one.left > 0.1 * one.written
        wrong |= one.stays > 0.1 * one.ruled
        if wrong:
            print(
                f"{seed} {one.kind:7} off {one.off:7.2f} kept {one.kept / max(one.wanted, 1):.4f} "
                f"left {one.left / max(one.written, 1):.3f} "
                f"lines {one.stays / max(one.ruled, 1):.3f} {' '.join(one.traits)}",
                flush=True,
            )
        if args.show and (wrong or args.all):
            args.show.mkdir(parents=True, exist_ok=True)
            shown = (_beside(sheet, reading) * 255).round().astype(np.uint8)
            cv2.imwrite(str(args.show / f"{seed}.jpg"), shown[..., ::-1])
    print(json.dumps(summary(measured), indent=2))


if __name__ == "__main__":
    main()
