"""Sandboxed readers at work beside the scan: files go in by the batch, findings come out."""

import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import compress
from operator import not_
from pathlib import Path
from typing import Protocol

import structlog

from haikei.formats import Ending, format_of
from haikei.images import Inspection
from haikei.sources.watch.scan import SeenFile, SettledFile


def needs_decoding(path: Path) -> bool:
    """Tell whether only decoding shows that a file of this name is whole."""
    known = format_of(path)
    return known is not None and known.ending is Ending.DECODING


_log = structlog.get_logger()
#: Seconds without work after which a reader ends its process and gives its memory back.
IDLE = 30.0
BATCH_FILES = 128
#: A batch is what a stopping watcher may have to wait for; layered files are hundreds of MiB.
_BATCH_BYTES = 256 * 1024 * 1024


class FileReader(Protocol):
    """What hashes files and reads their headers: `haikei.images.Inspector`."""

    def inspect(
        self, paths: Sequence[Path], *, decode: bool = False, whole: bool = False
    ) -> Sequence[Inspection]:
        """
        Return one inspection for each path, in order.

        With `decode` of all pixels too, and with `whole` of the place where each must end.
        """
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
    decoded = [needs_decoding(path) for path in paths]
    try:
        found = [
            iter(reader.inspect([*compress(paths, map(not_, decoded))], whole=True)),
            iter(reader.inspect([*compress(paths, decoded)], decode=True, whole=True)),
        ]
    except Exception as error:  # noqa: BLE001 - whatever it was, the files must come back
        return Inspected(batch=batch, findings=(), failure=f"{type(error).__name__}: {error}")
    return Inspected(batch=batch, findings=[next(found[one]) for one in decoded], failure="")
