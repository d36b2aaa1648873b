"""Hints: paths at which something may have happened. They are never taken as the truth."""

import threading


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
