"""
Sandboxed readers at work beside the scan: files go in by the batch, findings come out.

Of files that end too early the headers are sound, so only their ends tell.
"""

import os
import queue
import struct
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import structlog

from haikei.formats import JPEG, PNG, PSD, Ending, format_of
from haikei.images import Inspection
from haikei.sources.watch.scan import SeenFile, SettledFile

_TAIL = 64 * 1024
#: A PNG holds few chunks; a list longer than this is no drawing.
_MOST_CHUNKS = 1_000_000
_CUT = "ends too early: it is incomplete"


def needs_decoding(path: Path) -> bool:
    """Tell whether only decoding shows that a file of this name is whole."""
    known = format_of(path)
    return known is not None and known.ending is Ending.DECODING


def cut_short(path: Path, kind: str) -> str:
    """
    Return why a file of this format is incomplete, empty when nothing speaks for it.

    A few reads at known places instead of decoding: PNG must reach its IEND chunk, JPEG its
    end-of-image marker, PSD the length that its headers announce. Damage within the pixels is
    left to whoever decodes them.

    Args:
        path: the file.
        kind: the format's name as OpenImageIO gives it.

    Source: PNG (ISO/IEC 15948) 5.3, JPEG (ISO/IEC 10918-1) B.1.1.3, Adobe Photoshop File Formats
    Specification.
    """
    check = _CHECKS.get(kind)
    if check is None:
        return ""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return "" if check(file, os.fstat(file).st_size) else _CUT
        finally:
            os.close(file)
    except (OSError, struct.error):
        return _CUT


def _png(file: int, size: int) -> bool:
    if _at(file, max(0, size - 12), 12)[4:8] == b"IEND":
        return True
    place = 8
    for _ in range(_MOST_CHUNKS):
        length, kind = struct.unpack(">I4s", _at(file, place, 8))
        place += 12 + length
        if place > size:
            return False
        if kind == b"IEND":
            return True
    return False


def _jpeg(file: int, size: int) -> bool:
    start = max(0, size - _TAIL)
    return b"\xff\xd9" in _at(file, start, size - start)


def _psd(file: int, size: int) -> bool:
    version, channels, height, width, depth = struct.unpack(">4xH6xHIIH2x", _at(file, 0, 26))
    large = version == 2
    place = 26
    for wide in (False, False, large):
        shape = ">Q" if wide else ">I"
        (length,) = struct.unpack(shape, _at(file, place, struct.calcsize(shape)))
        place += struct.calcsize(shape) + length
    (compression,) = struct.unpack(">H", _at(file, place, 2))
    place += 2
    rows = channels * height
    if compression == 0:
        return size >= int(place + rows * ((width * depth + 7) // 8))
    if compression == 1:
        counts = _at(file, place, rows * (4 if large else 2))
        packed = struct.unpack(f">{rows}{'I' if large else 'H'}", counts)
        return size >= int(place + len(counts) + sum(packed))
    return size > int(place)


def _at(file: int, place: int, length: int) -> bytes:
    return os.pread(file, length, place)


_CHECKS: dict[str, Callable[[int, int], bool]] = {
    PNG.oiio: _png,
    JPEG.oiio: _jpeg,
    PSD.oiio: _psd,
}


_log = structlog.get_logger()
#: Seconds without work after which a reader ends its process and gives its memory back.
IDLE = 30.0
BATCH_FILES = 128
#: A batch is what a stopping watcher may have to wait for; layered files are hundreds of MiB.
_BATCH_BYTES = 256 * 1024 * 1024


class FileReader(Protocol):
    """What hashes files and reads their headers: `haikei.images.Inspector`."""

    def inspect(self, paths: Sequence[Path], *, decode: bool = False) -> Sequence[Inspection]:
        """Return one inspection for each path, in order; with `decode`, of all pixels too."""
        ...


MakeReader = Callable[[], AbstractContextManager[FileReader]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """A batch that came back."""

    batch: tuple[SeenFile, ...]
    findings: Sequence[Inspection]  #: one for each file, or none when the reader failed
    failure: str


class Readers:
    """
    One reader for little work, more for a burst, none when there is nothing to do.

    Each owns one child process, and waits for it in a thread of its own.
    """

    def __init__(
        self,
        make: MakeReader,
        wake: threading.Event,
        *,
        most: int | None = None,
        idle: float = IDLE,
    ) -> None:
        self._make = make
        self._wake = wake
        self._most = most or min(4, os.cpu_count() or 1)
        self._idle = idle
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._work: queue.SimpleQueue[tuple[SeenFile, ...] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Inspected] = queue.SimpleQueue()
        self._outstanding = 0

    def has_room(self, files: int) -> bool:
        """Whether a batch of so many files should be handed over now: at once, or full."""
        if self._outstanding < self._most:
            return True
        return files >= BATCH_FILES and self._outstanding < 2 * self._most

    @property
    def running(self) -> int:
        """How many reader threads there are."""
        return len(self._threads)

    def submit(self, ready: deque[SettledFile] | deque[SeenFile]) -> None:
        """Take a batch from the front of `ready`; it comes back through `take`."""
        files: list[SeenFile] = []
        size = 0
        while ready and len(files) < BATCH_FILES and size < _BATCH_BYTES:
            files.append(ready.popleft())
            size += files[-1].stamp.size
        with self._lock:
            self._outstanding += 1
            self._work.put(tuple(files))
            self._employ(min(self._most, self._outstanding), None)

    def warm(self, path: str, files: int) -> None:
        """
        Start the readers that so many files will need, while those files settle.

        A new reader looks at `path` first, and forgets it: that loads the image libraries.
        """
        if self._threads and files <= BATCH_FILES:
            return
        with self._lock:
            self._employ(min(self._most, -(-files // BATCH_FILES)), Path(path))

    def take(self) -> list[Inspected]:
        """Return the batches that have come back."""
        done: list[Inspected] = []
        while True:
            try:
                done.append(self._done.get_nowait())
            except queue.Empty:
                self._outstanding -= len(done)
                return done

    def close(self) -> None:
        """Let each reader finish its batch, drop what waits, and end them."""
        with self._lock:
            while not self._work.empty():
                self._work.get()
                self._outstanding -= 1
            threads = list(self._threads)
            for _ in threads:
                self._work.put(None)
        for thread in threads:
            thread.join()
        with self._lock:
            self._threads.difference_update(threads)

    def _employ(self, wanted: int, first: Path | None) -> None:
        while len(self._threads) < wanted:
            thread = threading.Thread(
                target=self._run, args=(first,), name="haikei-reader", daemon=True
            )
            self._threads.add(thread)
            thread.start()

    def _run(self, first: Path | None) -> None:
        with self._make() as reader:
            if first is not None:
                _load_libraries(reader, first)
            while True:
                try:
                    batch = self._work.get(timeout=self._idle)
                except queue.Empty:
                    with self._lock:
                        if self._work.empty():
                            self._threads.discard(threading.current_thread())
                            return
                    continue
                if batch is None:
                    return
                self._done.put(_inspect(reader, batch))
                self._wake.set()


def _load_libraries(reader: FileReader, path: Path) -> None:
    try:
        reader.inspect([path])
    except Exception as error:  # noqa: BLE001 - the first real batch will say the same
        _log.debug("watch_reader_failed", reason=str(error))


def _inspect(reader: FileReader, batch: tuple[SeenFile, ...]) -> Inspected:
    paths = [Path(seen.path) for seen in batch]
    decoded = [path for path in paths if needs_decoding(path)]
    others = [path for path in paths if not needs_decoding(path)]
    try:
        found = [*reader.inspect(others), *reader.inspect(decoded, decode=True)]
    except Exception as error:  # noqa: BLE001 - whatever it was, the files must come back
        return Inspected(batch=batch, findings=(), failure=f"{type(error).__name__}: {error}")
    by_path = {finding.path: whole(finding) for finding in found}
    return Inspected(batch=batch, findings=[by_path[path] for path in paths], failure="")


def whole(finding: Inspection) -> Inspection:
    """Return what was found in a file, refused where its end says that it was cut short."""
    if not finding.ok:
        return finding
    reason = cut_short(finding.path, finding.format)
    if reason:
        return replace(finding, ok=False, reason=f"{finding.path.name} {reason}.")
    try:
        now = finding.path.stat()
    except OSError:
        return replace(finding, ok=False, reason="vanished while it was read")
    # The end that was found here may have been written after the file was hashed.
    same = (now.st_size, now.st_mtime_ns) == (finding.size, finding.mtime_ns)
    return finding if same else replace(finding, ok=False, reason="changed while it was read")
