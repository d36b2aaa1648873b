"""
How fast does the watcher find what lands, against a bare walk that hashes the same files?

A writer process lets real line-art PNGs land in new nested folders: most written straight, some
renamed into place, some held open and finished late. A watcher process finds them through the
real sandboxed readers and the real database. Then a fresh watcher meets the same tree as it
stands, and a bare walk hashes it.

    python benchmarks/detect.py --files 20000
"""

import argparse
import hashlib
import json
import logging
import multiprocessing
import os
import shutil
import sqlite3
import struct
import tempfile
import threading
import time
import zlib
from collections import deque
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext
from pathlib import Path

import cv2
import numpy as np
import psutil
import structlog

from haikei.database import open_database
from haikei.settings import Settings
from haikei.sources.watch import Watcher

WIDTH, HEIGHT = 1280, 720
DRAWINGS = 24
FILES_A_CUT = 4
#: Of ten files: how many are renamed into place, and how many are held open and finished late.
RENAMED, SLOW = 2, 1
#: A slow file is finished after so many others.
HELD = 300
DEADLINE = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one run gave; times in seconds, memory in MiB."""

    files: int
    mib: float
    settle: float
    writing: float  #: from the first byte to the last
    found: int
    twice: int
    half_written: int
    missed: int
    found_by_scan_only: int
    overflows: int
    tail: float  #: from the last byte written to the last file told of
    total: float  #: from the first byte written to the last file told of
    standing: float  #: a fresh watcher on the finished tree, first look to last file told of
    bare: float  #: walk and hash of the finished tree, one thread
    tail_ratio: float  #: without the settle time
    tail_ratio_with_settle: float
    standing_ratio: float  #: without the settle time
    standing_ratio_with_settle: float
    watcher_rss: float  #: peak of the watcher's own process
    readers_rss: float  #: peak of its sandboxed readers together


def quiet() -> None:
    """Log warnings only, as each process has to say for itself."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


def draw(seed: int) -> bytes:
    """Return one line drawing as a PNG of 60 to 110 KB."""
    rng = np.random.default_rng(seed)
    paper = np.full((HEIGHT, WIDTH), 255, np.uint8)
    for _ in range(34):
        start, end = rng.integers((0, 0), (WIDTH, HEIGHT), (2, 2)).tolist()
        cv2.line(paper, start, end, int(rng.integers(0, 90)), int(rng.integers(1, 3)), cv2.LINE_AA)
    for _ in range(14):
        centre = rng.integers((0, 0), (WIDTH, HEIGHT)).tolist()
        axes = rng.integers(8, 120, 2).tolist()
        cv2.ellipse(paper, centre, axes, float(rng.integers(0, 180)), 0, 360, 20, 1, cv2.LINE_AA)
    done, encoded = cv2.imencode(".png", paper, [cv2.IMWRITE_PNG_COMPRESSION, 6])
    assert done
    return encoded.tobytes()


def labelled(png: bytes, label: str) -> bytes:
    """Return the PNG with a text chunk before its end, so that its bytes are its own."""
    data = b"tEXt" + b"Comment\0" + label.encode()
    chunk = struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))
    return png[:-12] + chunk + png[-12:]


def layout_path(show: Path, number: int) -> Path:
    """Return where file `number` lands: 4 a cut, 20 cuts a sequence."""
    cut, sequence = number // FILES_A_CUT, number // (FILES_A_CUT * 20)
    name = f"c{cut:05d}_bg_v{number % FILES_A_CUT:03d}.png"
    return show / f"port/sq{sequence:03d}/c{cut:05d}/layout/{name}"


def write(show: Path, files: int, result: Connection) -> None:
    """Let all files land; send first and last time, total bytes and the hash of each."""
    drawings = [draw(seed) for seed in range(DRAWINGS)]
    expected: dict[str, str] = {}
    held: deque[tuple[int, object]] = deque()
    size = 0
    started = time.monotonic()
    for number in range(files):
        path = layout_path(show, number)
        data = labelled(drawings[number % DRAWINGS], f"layout {number}")
        expected[str(path)] = hashlib.sha256(data).hexdigest()
        size += len(data)
        path.parent.mkdir(parents=True, exist_ok=True)
        way = number % 10
        if way < RENAMED:
            temporary = path.with_name(f".{path.name}.tmp")
            temporary.write_bytes(data)
            temporary.rename(path)
        elif way < RENAMED + SLOW:
            held.append((number + HELD, _begin(path, data)))
        else:
            path.write_bytes(data)
        while held and held[0][0] <= number:
            _finish(held.popleft()[1])
    while held:
        _finish(held.popleft()[1])
    result.send((started, time.monotonic(), size, expected))


def _begin(path: Path, data: bytes) -> object:
    file = path.open("wb", buffering=0)
    file.write(data[: len(data) // 2])
    return file, data[len(data) // 2 :]


def _finish(begun: object) -> None:
    assert isinstance(begun, tuple)
    file, rest = begun
    file.write(rest)
    file.close()


def watch(settings: Settings, control: Connection) -> None:
    """Run a watcher until told to end; send its last status."""
    quiet()
    watcher = Watcher(settings, open_database(_url(settings)))
    stop = threading.Event()
    thread = threading.Thread(target=watcher.run, args=(stop,))
    thread.start()
    while watcher.status.walks == 0:
        stop.wait(0.05)
    control.send("ready")
    control.recv()
    stop.set()
    thread.join()
    control.send((watcher.status.found_by_scan, watcher.status.overflows))


def scan(settings: Settings, result: Connection) -> None:
    """Meet a standing tree; send the time it took."""
    quiet()
    watcher = Watcher(settings, open_database(_url(settings)))
    started = time.monotonic()
    new = watcher.scan_once()
    result.send((time.monotonic() - started, new))


def bare(show: Path, result: Connection) -> None:
    """Walk the tree and hash each file; send the time it took."""
    started = time.monotonic()
    count = 0
    for folder, _, names in os.walk(show):
        for name in names:
            # The barest way: Path objects would cost the bare loop time.
            with open(f"{folder}/{name}", "rb") as file:  # noqa: PTH123 - see above
                hashlib.sha256(file.read()).hexdigest()
            count += 1
    result.send((time.monotonic() - started, count))


class Memory(threading.Thread):
    """Samples the resident memory of a process and of its children."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(process)
        self._ended = threading.Event()
        self.own = self.children = 0.0

    def run(self) -> None:
        """Sample until ended."""
        while not self._ended.wait(0.1):
            try:
                self.own = max(self.own, self._process.memory_info().rss / 2**20)
                inner = sum(
                    child.memory_info().rss for child in self._process.children(recursive=True)
                )
                self.children = max(self.children, inner / 2**20)
            except psutil.Error:
                continue

    def end(self) -> None:
        """Stop sampling."""
        self._ended.set()
        self.join()


def measure(folder: Path, files: int, settle: float) -> Figures:
    """Run the whole comparison in `folder`."""
    spawn = multiprocessing.get_context("spawn")
    show = folder / "show"
    show.mkdir()
    settings = _settings(folder, "burst", settle)
    ours, theirs = spawn.Pipe()
    watcher = spawn.Process(target=watch, args=(settings, theirs))
    watcher.start()
    ours.recv()
    memory = Memory(watcher.pid or 0)
    memory.start()
    from_writer, to_writer = spawn.Pipe()
    writer = spawn.Process(target=write, args=(show, files, to_writer))
    writer.start()
    reached = _wait_for(settings, files, from_writer)
    first, last, size, expected = from_writer.recv()
    writer.join()
    # Whatever is told twice or too much comes with the walks that follow.
    time.sleep(2 * settle + 2)
    memory.end()
    ours.send("end")
    by_scan, overflows = ours.recv()
    watcher.join()
    told = _told(settings)

    standing, _ = _timed(spawn, scan, _settings(folder, "standing", settle))
    walked = min(_timed(spawn, bare, show)[0] for _ in range(2))
    right = {path for path, sha256 in told if expected[path] == sha256}
    tail, total = reached - last, reached - first
    return Figures(
        files=files,
        mib=size / 2**20,
        settle=settle,
        writing=last - first,
        found=len(right),
        twice=len(told) - len({path for path, _ in told}),
        half_written=sum(expected[path] != sha256 for path, sha256 in told),
        missed=len(expected.keys() - right),
        found_by_scan_only=by_scan,
        overflows=overflows,
        tail=tail,
        total=total,
        standing=standing,
        bare=walked,
        tail_ratio=(tail - settle) / walked,
        tail_ratio_with_settle=tail / walked,
        standing_ratio=(standing - settle) / walked,
        standing_ratio_with_settle=standing / walked,
        watcher_rss=memory.own,
        readers_rss=memory.children,
    )


def _settings(folder: Path, state: str, settle: float) -> Settings:
    return Settings.model_validate(
        {
            "studio": {"state": str(folder / state)},
            "storage": {"roots": [{"name": "show", "path": str(folder / "show")}]},
            "watch": {
                "folders": [{"path": str(folder / "show")}],
                "settle": settle,
                "mode": "native",
            },
        }
    )


def _url(settings: Settings) -> str:
    return f"sqlite:///{settings.studio.state / 'haikei.db'}"


def _wait_for(settings: Settings, files: int, writer: Connection) -> float:
    database = sqlite3.connect(f"file:{settings.studio.state / 'haikei.db'}?mode=ro", uri=True)
    reached = time.monotonic()
    count = 0
    ends = reached + DEADLINE
    try:
        while time.monotonic() < ends:
            (now,) = database.execute("SELECT count(*) FROM events").fetchone()
            if now != count:
                count, reached = now, time.monotonic()
            if count >= files and writer.poll():
                break
            time.sleep(0.05)
    finally:
        database.close()
    return reached


def _told(settings: Settings) -> list[tuple[str, str]]:
    database = sqlite3.connect(settings.studio.state / "haikei.db")
    try:
        rows = database.execute("SELECT payload FROM events").fetchall()
    finally:
        database.close()
    return [(data["layout"], data["sha256"]) for data in (json.loads(row[0]) for row in rows)]


def _timed(spawn: SpawnContext, target: object, argument: object) -> tuple[float, int]:
    ours, theirs = spawn.Pipe()
    assert callable(target)
    process = spawn.Process(target=target, args=(argument, theirs))
    process.start()
    seconds, count = ours.recv()
    process.join()
    return float(seconds), int(count)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--settle", type=float, default=2.0)
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder by default")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="haikei-detect-", dir=given.folder))
    try:
        figures = measure(folder, given.files, given.settle)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if given.json:
        print(json.dumps(asdict(figures)))
        return
    f = figures
    print(
        f"{f.files} files, {f.mib:.0f} MiB, written in {f.writing:.1f} s; settle {f.settle:g} s\n"
        f"found {f.found}, missed {f.missed}, told twice {f.twice}, half-written {f.half_written}"
        f" (events missed {f.found_by_scan_only}, queue overflows {f.overflows})\n"
        f"bare walk + hash                     {f.bare:7.2f} s\n"
        f"landing: last byte -> all found      {f.tail:7.2f} s  (whole burst {f.total:.1f} s)\n"
        f"  ratio without settle time          {f.tail_ratio:7.2f}  (to reach: 2.00)\n"
        f"  ratio with settle time             {f.tail_ratio_with_settle:7.2f}\n"
        f"standing tree: first look -> all     {f.standing:7.2f} s\n"
        f"  ratio without settle time          {f.standing_ratio:7.2f}  (to reach: 2.00)\n"
        f"  ratio with settle time             {f.standing_ratio_with_settle:7.2f}\n"
        f"memory: watcher {f.watcher_rss:.0f} MiB, its readers {f.readers_rss:.0f} MiB"
    )


if __name__ == "__main__":
    main()
