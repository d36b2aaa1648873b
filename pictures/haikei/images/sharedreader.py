"""Read foreign files from anywhere in a process: a few sandboxed readers are shared by all."""

import atexit
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import structlog

from haikei.images.inspector import Inspector
from haikei.images.limits import DEFAULT_LIMITS, Limits
from haikei.images.picture import Picture

_log = structlog.get_logger()
#: Seconds without work after which a reader ends its process and gives its memory back.
_IDLE = 30.0


def read_picture(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> Picture:
    """
    Read an image file as (height, width, 3) float32, sRGB-encoded, 0 to 1, as it should look.

    It is decoded by `decode_picture`, in a process of its own under limits of memory and processor
    time: whatever the file is, this process lives on.

    Args:
        path: a file of one of the formats that are read (`haikei.formats`).
        limits: what it may take.

    Raises:
        ImageUnreadable: it is no such image, is damaged or truncated, is larger than allowed, takes
            too much to read, or its colours cannot be told.
    """
    with _readers.borrowed(limits) as reader:
        decoded = reader.read(path)
    if decoded.note:
        _log.warning("picture_noted", file=str(path), note=decoded.note)
    return decoded.picture


class _Readers:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(min(4, os.cpu_count() or 1))
        self._free: list[tuple[Limits, Inspector]] = []

    @contextmanager
    def borrowed(self, limits: Limits) -> Generator[Inspector]:
        with self._turns:
            reader = self._take(limits)
            try:
                yield reader
            finally:
                with self._lock:
                    self._free.append((limits, reader))

    def close(self) -> None:
        with self._lock:
            for _, reader in self._free:
                reader.close()
            self._free.clear()

    def _take(self, limits: Limits) -> Inspector:
        with self._lock:
            for index in reversed(range(len(self._free))):
                if self._free[index][0] == limits:
                    return self._free.pop(index)[1]
            # Readers with other limits make room: each is a process.
            if self._free:
                self._free.pop(0)[1].close()
        return Inspector(limits, idle=_IDLE)


_readers = _Readers()
_parents: list[_Readers] = []


def _forked() -> None:
    # The readers of a parent process answer the parent alone.
    global _readers  # noqa: PLW0603 - one for each process
    _parents.append(_readers)
    _readers = _Readers()


@atexit.register
def _close() -> None:
    _readers.close()


os.register_at_fork(after_in_child=_forked)
