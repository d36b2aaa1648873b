"""
How surely is a changed copy recognised, and how fast, among 100,000 records?

    python benchmarks/fingerprint.py

The pictures are the painter's, of layouts in every season and time, and some drawn at random. Each
goes through 13 transforms and is looked up in an index that holds it, its 15 sisters of the same
layout, all the others, and as many made-up fingerprints as are missing to 100,000; those have each
bit as often as the painted ones. Beside it stands a plain perceptual hash of the whole picture (the
signs of 16 x 16 cosines, as pHash and PDQ have them) with the same share of differing bits allowed.

hit: the first match is the very record. sister: it is another season or time of the same layout;
"told" of those where the two are reported as too near to be told apart. false: any match is of
another layout.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

# One look-up is one core's work; more threads only hinder each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.fingerprint import (
    BITS,
    SAME_DRAWING,
    Fingerprint,
    FingerprintIndex,
    Likeness,
    fingerprint,
    indistinct,
)
from haikei.images import Picture, resize

Pixels = NDArray[np.float32]
SEASONS = ("spring", "summer", "autumn", "winter")
TIMES = ("morning", "day", "sunset", "night")
SISTERS = len(SEASONS) * len(TIMES)
SIZE = (640, 360)
#: One picture of so many is drawn at random.
RANDOM_EACH = 25
#: Milliseconds of one core, and the share of copies that must be recognised.
MARK_MS, MARK_HITS = 50.0, 0.99


def _support() -> Any:
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    return import_module("support.paint_overs")


def _crop(picture: Picture, left: float, right: float, top: float, bottom: float) -> Picture:
    height, width = picture.height, picture.width
    rows = slice(round(top * height), height - round(bottom * height))
    columns = slice(round(left * width), width - round(right * width))
    return Picture(pixels=np.ascontiguousarray(picture.pixels[rows, columns]))


def _scaled(picture: Picture, share: float) -> Picture:
    return resize(picture, round(picture.width * share), round(picture.height * share))


def _webp(picture: Picture, quality: int) -> Picture:
    code = np.rint(picture.pixels[..., ::-1] * 255).astype(np.uint8)
    done, stream = cv2.imencode(".webp", code, [cv2.IMWRITE_WEBP_QUALITY, quality])
    back = cv2.imdecode(stream, cv2.IMREAD_COLOR) if done else None
    if back is None:
        message = "this OpenCV writes no WebP"
        raise RuntimeError(message)
    return Picture(pixels=np.ascontiguousarray(back[..., ::-1], np.float32) / np.float32(255))


def _blurred(picture: Picture) -> Picture:
    return Picture(pixels=np.asarray(cv2.GaussianBlur(picture.pixels, (0, 0), 1.5), np.float32))


def _grain(picture: Picture) -> Picture:
    noise = np.random.default_rng(1).normal(0, 0.04, picture.pixels.shape)
    return Picture(pixels=np.clip(picture.pixels + noise, 0, 1).astype(np.float32))


def _grey(picture: Picture) -> Picture:
    values = picture.pixels @ np.array([0.299, 0.587, 0.114], np.float32)
    return Picture(pixels=np.repeat(values[..., None], 3, axis=2))


def _turned(picture: Picture) -> Picture:
    size = (picture.width, picture.height)
    turn = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), 1.0, 1.03)
    turned = np.asarray(cv2.warpAffine(picture.pixels, turn, size), np.float32)
    return Picture(pixels=np.clip(turned, 0, 1))


def _bars(picture: Picture) -> Picture:
    edge = picture.height // 8
    return Picture(pixels=np.pad(picture.pixels, ((edge, edge), (0, 0), (0, 0))))


def transforms() -> Mapping[str, Callable[[Picture], Picture]]:
    """Return what a copy goes through."""
    support = _support()
    return {
        "8 bit": support.TRANSFORMS["8 bit"],
        "half size, JPEG q90": lambda one: support.jpeg(_scaled(one, 0.5), 90),
        "quarter size, JPEG q75": lambda one: support.jpeg(_scaled(one, 0.25), 75),
        "JPEG q50": lambda one: support.jpeg(one, 50),
        "WebP q60": lambda one: _webp(one, 60),
        "gamma 0.8": lambda one: support.gamma(one, 0.8),
        "gamma 1.25": lambda one: support.gamma(one, 1.25),
        "warm grade": support.warm,
        "blur of 1.5 px": _blurred,
        "grain": _grain,
        "crop, 5 % at each edge": lambda one: _crop(one, 0.05, 0.05, 0.05, 0.05),
        "crop, 10 % at two edges": lambda one: _crop(one, 0.1, 0.0, 0.0, 0.1),
        "crop, grade, half, JPEG q85": lambda one: support.jpeg(
            _scaled(support.warm(_crop(one, 0.03, 0.06, 0.08, 0.01)), 0.5), 85
        ),
    }


#: What a fingerprint is not made for; one picture in ten.
BEYOND: Mapping[str, Callable[[Picture], Picture]] = {
    "grey": _grey,
    "crop, 15 % at each edge": lambda one: _crop(one, 0.15, 0.15, 0.15, 0.15),
    "turned by 1 degree": _turned,
    "bars above and below": _bars,
    "mirrored": lambda one: Picture(pixels=np.ascontiguousarray(one.pixels[:, ::-1])),
}


def _drawn(number: int) -> Picture:
    """Return shapes in random colours and places on a gradient."""
    random = np.random.default_rng(number)
    width, height = SIZE
    ends = random.random((2, 3)).astype(np.float32)
    share = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    pixels = np.ascontiguousarray(
        np.broadcast_to(ends[0] * (1 - share) + ends[1] * share, (height, width, 3))
    )
    for _ in range(14):
        at = random.uniform((0, 0), SIZE)
        corners = (at + random.normal(0, 0.15 * width, (5, 2))).astype(np.int32)
        cv2.fillPoly(pixels, [corners], random.random(3).tolist(), cv2.LINE_AA)
    return Picture(pixels=pixels)


def made(number: int, cache: Path | None) -> Picture:
    """Return a picture, painted unless it lies in the cache; every 25th is drawn at random."""
    cv2.setNumThreads(1)
    if number % RANDOM_EACH == RANDOM_EACH - 1:
        return _drawn(number)
    file = None if cache is None else cache / f"{number:03d}.npy"
    if file is not None and file.exists():
        return Picture(pixels=np.load(file).astype(np.float32) / np.float32(65535))
    support = _support()
    kinds = list(support.SceneKind)
    layout, sister = divmod(number, SISTERS)
    _, painted = support.painting(
        kinds[layout % len(kinds)],
        season=SEASONS[sister % len(SEASONS)],
        time=TIMES[sister // len(SEASONS)],
        seed=100 + layout,
        size=SIZE,
    )
    if file is not None:
        np.save(file, painted.as_uint16())
    picture: Picture = painted
    return picture


def _known(number: int, cache: Path | None) -> tuple[int, Fingerprint, NDArray[np.uint64]]:
    picture = made(number, cache)
    found = fingerprint(picture)
    if found is None:
        message = f"picture {number} is too even"
        raise RuntimeError(message)
    return number, found, _plain_hash(picture)


def _plain_hash(picture: Picture) -> NDArray[np.uint64]:
    """Return the signs of the lowest 16 x 16 cosines of the whole picture, 256 bits."""
    values = cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY)
    shrunk = cv2.resize(values, (64, 64), interpolation=cv2.INTER_AREA)
    signs = cv2.dct(shrunk)[:16, :16] > 0
    signs[0, 0] = False
    return np.packbits(signs).view(np.uint64)


def _made_up(known: Sequence[Fingerprint], count: int) -> Iterable[Fingerprint]:
    random = np.random.default_rng(7)
    bits = np.unpackbits(
        np.array([np.frombuffer(one.structure, np.uint8) for one in known]), axis=1
    )
    often = bits.mean(axis=0)
    for start in range(0, count, 2000):
        some = random.random((min(2000, count - start), often.size)) < often
        for structure in np.packbits(some, axis=1):
            colours = np.frombuffer(known[int(random.integers(len(known)))].colours, np.uint8)
            moved = colours.astype(np.int16) + random.integers(-40, 41, colours.size)
            yield Fingerprint(
                structure=structure.tobytes(),
                colours=np.clip(moved, 0, 255).astype(np.uint8).tobytes(),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of one look-up."""

    picture: int
    transform: str
    hit: bool
    sister: bool
    told: bool  #: that another is too near
    false: bool
    bits: int  #: differing from the record it is a copy of; -1 where that is no match
    colour: float
    plain_hit: bool
    ms: float  #: of one core
    plain_ms: float


class _Searcher:
    """The index and the plain hashes, one of each in every process."""

    index: FingerprintIndex
    plain: NDArray[np.uint64]

    @classmethod
    def fill(cls, known: Sequence[tuple[int, Fingerprint, NDArray[np.uint64]]], count: int) -> None:
        cv2.setNumThreads(1)
        more = _made_up([one for _, one, _ in known], max(0, count - len(known)))
        entries = [(number, one) for number, one, _ in known]
        cls.index = FingerprintIndex([*entries, *((-1, one) for one in more)])
        hashes = np.array([one for _, _, one in known])
        random = np.random.default_rng(8)
        rest = random.integers(0, 2**63, (max(0, count - len(known)), 4), dtype=np.uint64)
        cls.plain = np.concatenate([hashes, rest])


def _look_up(number: int, cache: Path | None) -> list[Found]:
    picture = made(number, cache)
    changes = {**transforms(), **(BEYOND if number % 10 == 0 else {})}
    found: list[Found] = []
    for name, transform in changes.items():
        copy = transform(picture)
        start = time.process_time()
        matches = _Searcher.index.look_up(copy)
        spent = time.process_time() - start
        start = time.process_time()
        gaps = np.bitwise_count(_Searcher.plain ^ _plain_hash(copy)).sum(axis=1, dtype=np.uint16)
        nearest = int(gaps.argmin())
        plain_spent = time.process_time() - start
        copies = [one for one in matches if one.likeness is Likeness.COPY]
        own = [one for one in matches if one.number == number]
        first = copies[0].number if copies else None
        found.append(
            Found(
                picture=number,
                transform=name,
                hit=first == number,
                sister=first is not None and first != number and _sisters(first, number),
                told=number in {one.number for one in indistinct(copies)},
                false=any(not _sisters(one.number, number) for one in copies),
                bits=own[0].bits if own else -1,
                colour=own[0].colour if own else -1.0,
                plain_hit=nearest == number and gaps[nearest] <= 255 * SAME_DRAWING / BITS,
                ms=spent * 1000,
                plain_ms=plain_spent * 1000,
            )
        )
    return found


def _sisters(one: int, other: int) -> bool:
    """Return whether two pictures are of one layout."""
    drawn = {one % RANDOM_EACH, other % RANDOM_EACH} & {RANDOM_EACH - 1}
    return one == other or (one >= 0 and not drawn and one // SISTERS == other // SISTERS)


def _opened(known: Sequence[Fingerprint], count: int) -> float:
    """Return the seconds of one core in which an index is made of texts, as records hold them."""
    texts = [one.text() for one in (*known, *_made_up(known, max(0, count - len(known))))]
    start = time.process_time()
    FingerprintIndex((number, Fingerprint.read(text)) for number, text in enumerate(texts))
    return time.process_time() - start


def _table(found: Sequence[Found]) -> Iterable[str]:
    yield f"{'':30}{'hit':>8}{'sister':>8}{'told':>6}{'false':>7}{'bits':>6}{'plain hash':>12}"
    for name in dict.fromkeys(one.transform for one in found):
        rows = [one for one in found if one.transform == name]
        count = len(rows)
        sisters = [one for one in rows if one.sister]
        yield (
            f"{name:30}{sum(one.hit for one in rows) / count:8.1%}{len(sisters):8}"
            f"{sum(one.told for one in sisters):6}{sum(one.false for one in rows):7}"
            f"{max(one.bits for one in rows):6}"
            f"{sum(one.plain_hit for one in rows) / count:12.1%}"
        )


def _summary(found: Sequence[Found], records: int, opened: float) -> Iterable[str]:
    asked = [one for one in found if one.transform not in BEYOND]
    hits = sum(one.hit for one in asked) / len(asked)
    plain = sum(one.plain_hit for one in asked) / len(asked)
    false = sum(one.false for one in found)
    ms = statistics.median(one.ms for one in found)
    yield ""
    yield (
        f"{len(asked)} copies: {hits:.2%} hits, {hits / max(plain, 1e-9):.2f} times the plain "
        f"hash's {plain:.2%}"
    )
    yield (
        f"{len(found)} look-ups: {false} false; where none is, fewer than "
        f"{3 / len(found):.3%} with 95 % confidence"
    )
    yield (
        f"{records} records: {ms:.1f} ms of one core a look-up, "
        f"{ms / statistics.median(one.plain_ms for one in found):.1f} times the plain hash's; "
        f"opened once in {opened:.2f} s"
    )


def main() -> int:
    """Print the tables; 0 when copies are recognised, none falsely, and in time."""
    parser = argparse.ArgumentParser(description="Recognise changed copies.")
    parser.add_argument("--pictures", type=int, default=500)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--cache", type=Path, help="keep the painted pictures in this folder")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    if arguments.cache is not None:
        arguments.cache.mkdir(parents=True, exist_ok=True)
    work = [(number, arguments.cache) for number in range(arguments.pictures)]
    with multiprocessing.Pool(arguments.processes) as pool:
        known = pool.starmap(_known, work, chunksize=1)
    with multiprocessing.Pool(
        arguments.processes, initializer=_Searcher.fill, initargs=(known, arguments.records)
    ) as pool:
        found = [one for some in pool.starmap(_look_up, work, chunksize=1) for one in some]
    if arguments.json:
        print(json.dumps([asdict(one) for one in found], indent=2))
    else:
        print(f"{arguments.pictures} pictures among {arguments.records} records")
        opened = _opened([one for _, one, _ in known], arguments.records)
        print("\n".join([*_table(found), *_summary(found, arguments.records, opened)]))
    asked = [one for one in found if one.transform not in BEYOND]
    hits = sum(one.hit for one in asked) / len(asked)
    in_time = statistics.median(one.ms for one in found) <= MARK_MS
    return 0 if hits >= MARK_HITS and in_time and not any(one.false for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
