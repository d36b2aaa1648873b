"""
watchdog's native observer on one tree, reduced to hints that are never taken as the
truth.
"""

import logging
import os
import threading
import warnings
from pathlib import Path

from typing_extensions import override
from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.inotify import InotifyObserver


class Hints:
    """
    A set of paths that any thread fills and the watcher empties.

    Putting a path in must stay cheap: in a burst the kernel's queue is 16,384 events long, and
    whoever is slow here loses the ones behind.
    """

    def __init__(self, wake: threading.Event) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._paths: set[str] = set()

    def add(self, path: str) -> None:
        """Say that something may have happened at `path`."""
        with self._lock:
            self._paths.add(path)
        self._wake.set()

    def take(self) -> set[str]:
        """Return every hint since the last call."""
        with self._lock:
            taken, self._paths = self._paths, set()
        return taken


#: Opening and reading files must not come back to us as events. `modified` is not asked for
#: either: a pending file is looked at again anyhow, and a rewritten one is closed in the end.
_EVENTS: list[type[FileSystemEvent]] = [
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileMovedEvent,
]
_OVERFLOW_LOGGER = "watchdog.observers.inotify_c"


class TreeObserver:
    """Hears of changes below one folder while it lives."""

    def __init__(self, folder: str, hints: Hints) -> None:
        self._folder = folder
        self._hints = hints
        self._observer: InotifyObserver | None = None

    def start(self) -> None:
        """
        Begin to watch; everything that happens from now on is hinted at.

        Raises:
            OSError: the folder is missing, or the kernel gives no more watches (ENOSPC, EMFILE).
        """
        # In bursts watchdog 7 warns of its own bookkeeping, each time with its whole table.
        warnings.filterwarnings(
            "ignore", message="Callback with id", category=RuntimeWarning, module=r"watchdog\."
        )
        # The kernel would watch a link itself; what its target tells is told under its name.
        real = str(Path(self._folder).resolve(strict=True))
        observer = InotifyObserver()
        try:
            observer.schedule(
                _Handler(self._hints, real, self._folder),
                real,
                recursive=True,
                event_filter=_EVENTS,
            )
            observer.start()
        except BaseException:
            observer.on_thread_stop()
            raise
        self._observer = observer

    @property
    def alive(self) -> bool:
        """False once watching has ended by itself: the folder was removed, or a thread died."""
        observer = self._observer
        if observer is None or not observer.is_alive():
            return False
        # A dead reader thread would leave everything else looking well.
        reader = vars(observer).get("_inotify_fd")
        if isinstance(reader, threading.Thread) and not reader.is_alive():
            return False
        emitters = observer.emitters
        return bool(emitters) and all(emitter.is_alive() for emitter in emitters)

    def stop(self) -> None:
        """End watching."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
            self._observer = None


class _Handler(FileSystemEventHandler):
    def __init__(self, hints: Hints, real: str, shown: str) -> None:
        super().__init__()
        self._hints = hints
        self._real, self._shown = real, shown

    @override
    def dispatch(self, event: FileSystemEvent) -> None:
        path = event.dest_path or event.src_path
        self._hints.add(self._shown + os.fsdecode(path).removeprefix(self._real))


class OverflowCount(logging.Handler):
    """Counts how often the kernel's event queue ran over, which watchdog only logs."""

    def __init__(self, wake: threading.Event) -> None:
        super().__init__(logging.WARNING)
        self.count = 0
        self._wake = wake

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if "queue overflowed" in record.getMessage():
            self.count += 1
            self._wake.set()

    def attach(self) -> None:
        """Begin to count."""
        logging.getLogger(_OVERFLOW_LOGGER).addHandler(self)

    def detach(self) -> None:
        """End counting."""
        logging.getLogger(_OVERFLOW_LOGGER).removeHandler(self)


def identity(folder: str) -> tuple[int, int] | None:
    """Return device and inode of a folder, None when it is away; a remount changes them."""
    try:
        found = Path(folder).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
