"""
What does the painter make of layouts that nobody here has drawn?

It draws 24 of `foreign`'s layouts (12 places, two hands each), has them read and painted through
the season and the hour, and puts them on one sheet. `--true` reads every region rightly instead:
so the painter is judged apart from the reader.

    python benchmarks/foreign_sheet.py --out docs/images/foreign.jpg
"""

import argparse
import statistics
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from foreign import ForeignDrawing, shown
from foreign.truth import true_reading
from haikei.painting import paint_full, paint_wash, read_layout
from haikei.reading import Reading

COLUMNS, WIDE = 4, 384
QUALITY = 72
MOODS = (
    ("summer", "day"),
    ("autumn", "sunset"),
    ("spring", "morning"),
    ("winter", "day"),
    ("summer", "night"),
    ("winter", "night"),
    ("autumn", "day"),
    ("summer", "sunset"),
    ("spring", "day"),
    ("winter", "morning"),
    ("autumn", "night"),
)
Pixels = NDArray[np.float32]


def nothing() -> None:
    """Go on."""


def paint(reading: Reading, drawing: ForeignDrawing, season: str, hour: str) -> Pixels:
    """Return the finished painting of one drawing."""
    wash = paint_wash(
        reading, season=season, time=hour, seed=7, pause=nothing, location=drawing.place
    )
    return paint_full(
        reading, wash, season=season, time=hour, seed=7, pause=nothing, location=drawing.place
    )


def tile(pixels: Pixels, text: str) -> NDArray[np.uint8]:
    """Return one picture of the sheet with what it is written above it."""
    size = (WIDE, WIDE * pixels.shape[0] // pixels.shape[1])
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    page = np.full((size[1] + 20, WIDE, 3), 255, np.uint8)
    page[20:] = np.round(np.clip(small, 0, 1) * 255)
    ink = (40, 40, 40)
    cv2.putText(page, text, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.4, ink, 1, cv2.LINE_AA)
    return page


def main() -> None:
    """Paint the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--true", action="store_true", help="read every region rightly")
    asked = parser.parse_args()
    tiles: list[NDArray[np.uint8]] = []
    reading_s: list[float] = []
    painting_s: list[float] = []
    for index, drawing in enumerate(shown()):
        season, hour = MOODS[index % len(MOODS)]
        begun = time.process_time()
        if asked.true:
            reading = true_reading(drawing)
        else:
            reading = read_layout(drawing.pixels, drawing.place, nothing)
        read = time.process_time()
        pixels = paint(reading, drawing, season, hour)
        reading_s.append(read - begun)
        painting_s.append(time.process_time() - read)
        said = f"{index + 1} {drawing.place}, {drawing.hand}: {season} {hour}"
        tiles.append(tile(pixels, f"{said}, unread {reading.unread:.0%}"))
        print(f"{said}: {reading.unread:.0%} unread, by {reading.reader}")
    rows = [np.hstack(tiles[at : at + COLUMNS]) for at in range(0, len(tiles), COLUMNS)]
    sheet = np.vstack(rows)[..., ::-1]
    cv2.imwrite(str(asked.out), sheet, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    print(
        f"processor seconds a picture: {statistics.mean(reading_s):.2f} to read, "
        f"{statistics.mean(painting_s):.2f} to paint; {asked.out} has "
        f"{asked.out.stat().st_size // 1024} KiB"
    )


if __name__ == "__main__":
    main()
