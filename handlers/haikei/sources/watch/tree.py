"""One watched tree at work: its root, its scan, its observer, and whether it is there at all."""

import os

import structlog

from haikei.sources.watch.observer import Hints, TreeObserver, identity
from haikei.sources.watch.root import LayoutNames, WatchedRoot
from haikei.sources.watch.scan import Stamp, Tree, printable

_log = structlog.get_logger()


class WatchedTree:
    """
    A root with what watches it.

    A mount that goes away takes its files out of sight, not out of the world: nothing is
    concluded from their absence, and they are unchanged when it returns.
    """

    def __init__(
        self, root: WatchedRoot, names: LayoutNames, hints: Hints, *, apart: frozenset[str]
    ) -> None:
        self.root = root
        self.scan = Tree(root.path, names, apart=apart)
        self._names = names
        self._hints = hints
        self._identity: tuple[int, int] | None = None
        self._observer: TreeObserver | None = None
        self._failed = ""
        self.away = False

    def supervise(self) -> bool:
        """
        See that the tree is there and watched.

        Returns:
            True when it has to be walked as a whole: it is new, came back, or was not heard of.
        """
        present = identity(self.root.path)
        if present is None:
            if not self.away:
                _log.warning(
                    "watch_folder_away",
                    folder=self.root.path,
                    advice="Mount or make it; the watcher goes on by itself when it is there.",
                )
            self.away = True
            self.stop()
            self._identity = None
            return False
        if self.away:
            _log.info("watch_folder_back", folder=self.root.path)
            self.away = False
        if present == self._identity and (not self.root.native or self._heard()):
            return False
        walk_needed = present != self._identity or not self._failed
        self._identity = present
        if self.root.native:
            self._listen()
        return walk_needed

    def look(self, path: str) -> Stamp | None:
        """Return a file's stamp as it is now, None when it is no file of this tree any more."""
        try:
            return self.scan.look(path, os.lstat(path))
        except OSError:
            return None

    def stop(self) -> None:
        """End listening."""
        if self._observer is not None:
            self._observer.stop()
            self._observer = None

    def owns(self, relative: str) -> bool:
        """Tell whether a path below the root can be a layout by its names."""
        return self._names.is_layout_path(relative)

    def enters(self, relative: str) -> bool:
        """Tell whether a folder below the root is looked into."""
        return not any(map(self._names.is_ignored, relative.split("/")))

    def _heard(self) -> bool:
        return self._observer is not None and self._observer.alive

    def _listen(self) -> None:
        self.stop()
        observer = TreeObserver(self.root.path, self._hints)
        try:
            observer.start()
        except OSError as error:
            reason = error.strerror or str(error)
            if reason != self._failed:
                _log.warning(
                    "watch_not_native",
                    folder=printable(self.root.path),
                    reason=reason,
                    advice="Only scans find changes now; see `haikei doctor`.",
                )
            self._failed = reason
            return
        self._failed = ""
        self._observer = observer
