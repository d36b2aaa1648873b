"""
How well are layouts read? Kinds by area, edges, seconds and memory, by both readers.

    python benchmarks/reading.py

Two sets, with the true kind of each pixel: scenes of the drawer that the network learnt from, by
numbers that it never saw; and layouts drawn by other code (`benchmarks/foreign`), which nothing
was trained on or tuned to. A pixel counts where there is no ink on it. `worst` is the part of
drawings of which less than half was read rightly. CIEDE2000 is the distance of what the painter
lays from what it lays on the same regions when it is told what they are.
"""

import argparse
import json
import resource
import statistics
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.images import Picture, resize
from haikei.measure import ciede2000, lab_of
from haikei.painting import paint_wash
from haikei.reading import Kind, Reader, Reading, read_layout
from haikei.reading.classes import depths, facings
from haikei.training.lessons import draw_lesson, map_of

HELD = 5_000_000  #: number of the first scene; training draws other numbers
NEAR = 3  #: pixels of a picture of 540 lines within which an edge counts as found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """A drawing and its truth."""

    name: str
    place: str
    pixels: NDArray[np.float32]
    kinds: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """How one drawing was read."""

    name: str
    place: str
    reader: str
    accuracy: float
    edges: float  #: part of the true borders between kinds that are borders of the reading too
    unread: float
    sure_right: float  #: accuracy where the reader said that it was sure
    seconds: float
    painted: float | None  #: CIEDE2000 to what the painter paints when it is told the truth


def lessons(count: int) -> Iterator[Asked]:
    """Draw scenes that no training saw."""
    for seed in range(HELD, HELD + count):
        lesson = draw_lesson(seed)
        yield Asked(
            name=f"{lesson.place}-{seed}",
            place=lesson.place,
            pixels=lesson.picture(),
            kinds=lesson.kinds,
        )


def foreign() -> Iterator[Asked]:
    """Draw layouts by other code."""
    sys.path.insert(0, str(Path(__file__).parent))
    module: Any = import_module("foreign")
    for drawing in module.drawings():
        yield Asked(
            name=drawing.name, place=drawing.place, pixels=drawing.pixels, kinds=drawing.kinds
        )


def compare(asked: Asked, reader: Reader, hint: str, *, paint: bool) -> tuple[Figure, Reading]:
    """Read a drawing, and hold it against the truth; `paint` holds the paintings as well."""
    begun = time.perf_counter()
    reading = read_layout(asked.pixels, hint, lambda: None, reader=reader)
    seconds = time.perf_counter() - begun
    height, width = reading.shape
    truth = np.asarray(
        cv2.resize(asked.kinds.astype(np.int16), (width, height), interpolation=cv2.INTER_NEAREST),
        np.int32,
    )
    ink = cv2.resize(reading.line, (width, height), interpolation=cv2.INTER_AREA)
    # What lies outside a sheet's frame is nothing: nobody paints it.
    use = (ink < 0.2) & ((truth != Kind.UNKNOWN) | (asked.place == "object"))
    read = reading.kinds[reading.labels]
    right = read == truth
    sure = use & (reading.sure >= 0.6)[reading.labels]
    figure = Figure(
        name=asked.name,
        place=asked.place,
        reader=reader.value,
        accuracy=float(right[use].mean()) if use.any() else 1.0,
        edges=_edges(truth, read, max(1, round(NEAR * height / 540))),
        unread=reading.unread,
        sure_right=float(right[sure].mean()) if sure.any() else 1.0,
        seconds=seconds,
        painted=_distance(reading, truth, use) if paint else None,
    )
    return figure, reading


def _distance(reading: Reading, truth: NDArray[np.int32], use: NDArray[np.bool_]) -> float:
    """Return how far a painting is from the one of the same regions, rightly named."""
    count = len(reading.kinds)
    pairs = reading.labels[use].astype(np.int64) * len(Kind) + truth[use]
    votes = np.bincount(pairs, minlength=count * len(Kind)).reshape(count, len(Kind))
    right = np.where(votes.any(axis=1), votes.argmax(axis=1), reading.kinds).astype(np.int32)
    pictures: list[Picture] = []
    for kinds in (reading.kinds, right):
        told = replace(
            reading,
            kinds=kinds,
            sure=np.ones(count),
            depth=depths(reading.shapes, kinds),
            facing=facings(kinds),
        )
        wash = paint_wash(told, season="summer", time="day", seed=1, pause=lambda: None)
        pictures.append(resize(Picture(pixels=wash), 640, round(640 / reading.shapes.aspect)))
    return float(ciede2000(lab_of(pictures[0]), lab_of(pictures[1])).mean())


def _edges(truth: NDArray[np.int32], read: NDArray[np.int32], near: int) -> float:
    found, wanted = (_borders(plane) for plane in (read, truth))
    if not wanted.any():
        return 1.0
    kernel = np.ones((2 * near + 1, 2 * near + 1), np.uint8)
    close = cv2.dilate(found.astype(np.uint8), kernel) > 0
    return float(close[wanted].mean())


def _borders(plane: NDArray[np.int32]) -> NDArray[np.bool_]:
    borders = np.zeros(plane.shape, np.bool_)
    borders[:, 1:] |= plane[:, 1:] != plane[:, :-1]
    borders[1:] |= plane[1:] != plane[:-1]
    return borders


def table(figures: list[Figure]) -> str:
    """Return one line a reader, and the worst and best places."""
    lines = ["reader     accuracy  median  worst  edges  sure & right  unread  seconds  CIEDE2000"]
    for reader in sorted({one.reader for one in figures}):
        ours = [one for one in figures if one.reader == reader]
        mean = statistics.fmean
        lines.append(
            f"{reader:9}  {mean(one.accuracy for one in ours):8.1%}  "
            f"{statistics.median(one.accuracy for one in ours):6.1%}  "
            f"{mean(one.accuracy < 0.5 for one in ours):5.0%}  "
            f"{mean(one.edges for one in ours):5.1%}  "
            f"{mean(one.sure_right for one in ours):12.1%}  "
            f"{mean(one.unread for one in ours):6.1%}  "
            f"{mean(one.seconds for one in ours):7.2f}  {_mean_distance(ours)}"
        )
    return "\n".join(lines)


def _mean_distance(figures: list[Figure]) -> str:
    known = [one.painted for one in figures if one.painted is not None]
    return f"{statistics.fmean(known):9.2f}" if known else "        -"


def by_place(figures: list[Figure]) -> str:
    """Return the accuracy of each kind of place."""
    lines: list[str] = []
    for place in sorted({one.place for one in figures}):
        cells: list[str] = []
        for reader in sorted({one.reader for one in figures}):
            ours = [one.accuracy for one in figures if (one.place, one.reader) == (place, reader)]
            cells.append(f"{reader} {statistics.fmean(ours):5.1%}")
        lines.append(f"{place:16} " + "   ".join(cells))
    return "\n".join(lines)


def speed() -> str:
    """Return seconds and memory of one reading at two sizes."""
    lines: list[str] = []
    for width, height in ((1280, 720), (3840, 2160)):
        drawing = draw_lesson(HELD + 7, height=1080).picture()
        size = (width, height)
        pixels = np.asarray(cv2.resize(drawing, size, interpolation=cv2.INTER_AREA), np.float32)
        for reader in Reader:
            begun = time.process_time()
            read_layout(pixels, "", lambda: None, reader=reader)
            lines.append(f"{width}x{height} {reader:9} {time.process_time() - begun:.2f} CPU-s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return "\n".join([*lines, f"memory of the whole process at most {peak:.0f} MiB"])


def sheet(pairs: Iterable[tuple[Asked, Reading]], file: Path) -> None:
    """Write drawings, readings and truths above each other, to be looked at."""
    tiles: list[NDArray[np.uint8]] = []
    for asked, reading in pairs:
        size = (320, 180)
        drawing = (np.clip(asked.pixels, 0, 1) * 255).astype(np.uint8)
        planes = (reading.kinds[reading.labels], asked.kinds)
        rows = [
            cv2.resize(drawing, size, interpolation=cv2.INTER_AREA),
            *(cv2.resize(map_of(one), size, interpolation=cv2.INTER_NEAREST) for one in planes),
        ]
        tile = np.asarray(np.vstack(rows), np.uint8)
        cv2.putText(tile, asked.name, (4, 12), cv2.FONT_HERSHEY_PLAIN, 0.9, (200, 0, 0), 1)
        tiles.append(tile)
    blank = np.full((540, 320, 3), 255, np.uint8)
    tiles += [blank] * (-len(tiles) % 6)
    rows = [np.hstack(tiles[at : at + 6]) for at in range(0, len(tiles), 6)]
    cv2.imwrite(str(file), np.vstack(rows)[..., ::-1])


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[1])
    parser.add_argument("--scenes", type=int, default=500)
    parser.add_argument("--paint", type=int, default=60, help="drawings a set that are painted")
    parser.add_argument("--hints", action="store_true", help="name the place to the readers")
    parser.add_argument("--output", type=Path, help="write all figures as JSON")
    parser.add_argument("--sheet", type=Path, help="write a picture of the foreign drawings")
    parser.add_argument("--skip-foreign", action="store_true")
    asked = parser.parse_args()
    kept: dict[str, list[Figure]] = {}
    shown: list[tuple[Asked, Reading]] = []
    sets: dict[str, Iterator[Asked]] = {f"{asked.scenes} held-out scenes": lessons(asked.scenes)}
    if not asked.skip_foreign:
        sets["layouts drawn by other code"] = foreign()
    for name, drawings in sets.items():
        figures = kept[name] = []
        for number, drawing in enumerate(drawings):
            for reader in Reader:
                hint = drawing.place if asked.hints else ""
                paint = number < asked.paint
                figure, reading = compare(drawing, reader, hint, paint=paint)
                figures.append(figure)
                if reader is Reader.NETWORK and "other" in name:
                    shown.append((drawing, reading))
        if figures:
            print(f"\n{name}\n{table(figures)}\n\n{by_place(figures)}")
    print(f"\n{speed()}")
    if asked.sheet and shown:
        sheet(shown, asked.sheet)
    if asked.output:
        rows = {name: [asdict(one) for one in figures] for name, figures in kept.items()}
        asked.output.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
