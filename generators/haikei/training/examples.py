"""Lessons as the network sees them: features and the truth of each region, kept in files."""

import multiprocessing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from haikei.reading import Facing
from haikei.reading.features import (
    AROUND,
    HIGH,
    MASK,
    PLACES,
    WIDE,
    Features,
    Floats,
    Relations,
    features,
)
from haikei.reading.layout_reading import segment
from haikei.reading.shapes import Labels, measure
from haikei.training.canvas import Lesson
from haikei.training.lessons import draw_lesson

SHARD = 50  #: lessons a file
SHARP = 0.75  #: part of the lessons at full size


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Example:
    """One drawing; the truth has one row a region."""

    features: Features
    kinds: NDArray[np.int64]
    depth: Floats
    facing: NDArray[np.int64]
    purity: Floats  #: which part of a region is of its kind
    place: int  #: in `PLACES`, or -1


def truth(
    lesson: Lesson, labels: Labels
) -> tuple[NDArray[np.int64], Floats, NDArray[np.int64], Floats]:
    """Return kind, depth, facing and purity of each region of a lesson."""
    count = int(labels.max()) + 1
    paper = lesson.ink < 0.25
    seen = np.bincount(labels[paper], minlength=count)
    # A region without a pixel free of ink is judged by all of its pixels.
    use = paper | (seen == 0)[labels]
    flat = labels[use].astype(np.int64)
    pixels = np.maximum(np.bincount(flat, minlength=count), 1)
    kinds = np.bincount(flat * 32 + lesson.kinds[use], minlength=count * 32).reshape(count, 32)
    facing = np.bincount(flat * 8 + lesson.facing[use], minlength=count * 8).reshape(count, 8)
    depth = np.bincount(flat, lesson.depth[use], count) / pixels
    purity = kinds.max(axis=1) / pixels
    return (
        kinds.argmax(axis=1),
        depth.astype(np.float32),
        facing.argmax(axis=1),
        purity.astype(np.float32),
    )


def example(lesson: Lesson) -> Example:
    """Take a lesson apart just as a layout is taken apart."""
    labels = segment(lesson.ink)
    shapes = measure(labels, lesson.ink)
    kinds, depth, facing, purity = truth(lesson, labels)
    return Example(
        features=features(labels, lesson.ink, shapes),
        kinds=kinds,
        depth=depth,
        facing=facing,
        purity=purity,
        place=PLACES.index(lesson.place) if lesson.place in PLACES else -1,
    )


def mirrored(one: Example) -> Example:
    """Return the same drawing the other way round, without drawing it anew."""
    shown = one.features
    numbers = shown.numbers.copy()
    left, right, x = 1, 2, 5  # as `haikei.reading.features` orders them
    numbers[:, left], numbers[:, right] = 1 - shown.numbers[:, right], 1 - shown.numbers[:, left]
    for column in (x, 29):
        numbers[:, column] = -shown.numbers[:, column]
    for here, there in ((22, 24), (46, 47)):
        numbers[:, [here, there]] = shown.numbers[:, [there, here]]
    numbers[:, 41], numbers[:, 42] = -shown.numbers[:, 42], -shown.numbers[:, 41]
    sizes = ((MASK, MASK), (HIGH, WIDE), (AROUND, AROUND))
    ends = np.cumsum([high * wide for high, wide in sizes])[:-1]
    pictures = [
        part.reshape(-1, *size)[:, :, ::-1].reshape(len(part), -1)
        for part, size in zip(np.split(shown.pictures, ends, axis=1), sizes, strict=True)
    ]
    sheet = shown.sheet.copy()
    cells = HIGH * WIDE
    sheet[:cells] = shown.sheet[:cells].reshape(HIGH, WIDE)[:, ::-1].ravel()
    aspect, found, across = cells, cells + 3, cells + 4
    if sheet[found]:
        sheet[across] = sheet[aspect] - sheet[across]
    facing = one.facing.copy()
    facing[one.facing == Facing.LEFT] = Facing.RIGHT
    facing[one.facing == Facing.RIGHT] = Facing.LEFT
    return replace(
        one,
        features=replace(
            shown, numbers=numbers, pictures=np.concatenate(pictures, axis=1), sheet=sheet
        ),
        facing=facing,
    )


def draw_examples(folder: Path, count: int, *, first: int, workers: int) -> None:
    """Draw lessons into files of `SHARD`; files that are there already are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    todo = [
        (folder, start)
        for start in range(first, first + count, SHARD)
        if not _file(folder, start).exists()
    ]
    if workers < 2:
        for one in todo:
            _draw_shard(one)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for _ in pool.imap_unordered(_draw_shard, todo):
            pass


def load_examples(folder: Path) -> list[Example]:
    """Return all examples of a folder, in the order of their numbers."""
    return [one for file in sorted(folder.glob("lessons-*.npz")) for one in _load(file)]


def _file(folder: Path, start: int) -> Path:
    return folder / f"lessons-{start:08d}.npz"


def _lines(seed: int) -> int:
    """Return how many lines a lesson has: layouts are looked at with 540 at most."""
    rng = np.random.default_rng((seed, 540))
    return 540 if rng.random() < SHARP else int(rng.integers(180, 500))


def _draw_shard(order: tuple[Path, int]) -> None:
    import cv2

    cv2.setNumThreads(1)
    folder, start = order
    seeds = range(start, start + SHARD)
    drawn = [example(draw_lesson(seed, height=_lines(seed))) for seed in seeds]
    ours = [one.features for one in drawn]
    part = folder / f"unfinished-{start:08d}.npz"
    np.savez(
        part,
        regions=np.array([len(one) for one in ours]),
        pairs=np.array([len(one.relations.one) for one in ours]),
        numbers=np.concatenate([one.numbers for one in ours]).astype(np.float16),
        pictures=np.concatenate([one.pictures for one in ours]),
        sheet=np.stack([one.sheet for one in ours]),
        one=np.concatenate([one.relations.one for one in ours]),
        other=np.concatenate([one.relations.other for one in ours]),
        weights=np.concatenate([one.relations.weights for one in ours]).astype(np.float16),
        area=np.concatenate([one.area for one in ours]),
        kinds=np.concatenate([one.kinds for one in drawn]),
        depth=np.concatenate([one.depth for one in drawn]),
        facing=np.concatenate([one.facing for one in drawn]),
        purity=np.concatenate([one.purity for one in drawn]),
        place=np.array([one.place for one in drawn]),
    )
    part.replace(_file(folder, start))


def _load(file: Path) -> list[Example]:
    with np.load(file, allow_pickle=False) as kept:
        held = {name: kept[name] for name in kept.files}
    found: list[Example] = []
    region = pair = 0
    for index, (count, pairs) in enumerate(zip(held["regions"], held["pairs"], strict=True)):
        rows, links = slice(region, region + count), slice(pair, pair + pairs)
        region, pair = region + int(count), pair + int(pairs)
        found.append(
            Example(
                features=Features(
                    numbers=held["numbers"][rows].astype(np.float32),
                    pictures=held["pictures"][rows],
                    sheet=held["sheet"][index],
                    relations=Relations(
                        one=held["one"][links],
                        other=held["other"][links],
                        weights=held["weights"][links].astype(np.float32),
                    ),
                    area=held["area"][rows],
                ),
                kinds=held["kinds"][rows],
                depth=held["depth"][rows],
                facing=held["facing"][rows],
                purity=held["purity"][rows],
                place=int(held["place"][index]),
            )
        )
    return found
