"""
One watched tree at work: its root, its scan, its observer, and whether it is there at all.

What watchdog's native observer tells is reduced to hints that are never taken as the truth. The
kernel's limits on native watching are compared with the trees that are to be watched.
"""

import logging
import os
import threading
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import structlog
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

from haikei.checkup import Finding
from haikei.settings import Settings
from haikei.sources.watch.root import LayoutNames, WatchedRoot, mount_of, watched_roots
from haikei.sources.watch.scan import Stamp, Tree, printable


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
        # The kernel would watch a link itself; its target's events come under its name.
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

    def unwatched(self, folders: Iterable[str]) -> int:
        """Return how many of these folders the kernel does not watch, though we asked it to."""
        # Where its watches run out watchdog goes on without those, and reports nothing.
        watched = set[bytes]()
        for emitter in self._observer.emitters if self._observer is not None else ():
            inner = vars(emitter).get("_inotify")
            watched |= vars(inner).get("_active_callbacks_by_path", {}).keys() if inner else set()
        real = str(Path(self._folder).resolve())
        below = (os.fsencode(real + one.removeprefix(self._folder)) for one in folders)
        return sum(one not in watched for one in below)

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
        self._unwatched = 0
        self._warned = False
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
            self._count_unwatched()
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

    def _count_unwatched(self) -> None:
        """Warn when the kernel watches less than the whole tree: only scans find changes there."""
        if self._observer is None:
            return
        before, self._unwatched = self._unwatched, self._observer.unwatched(self.scan.paths())
        # A folder that was made a moment ago is watched a moment later.
        if not before or not self._unwatched:
            self._warned = self._warned and bool(self._unwatched)
        elif not self._warned:
            self._warned = True
            _log.warning(
                "watch_not_native",
                folder=printable(self.root.path),
                reason=f"{self._unwatched} folders get no watch from the kernel",
                advice="Only scans find changes in them; see `haikei doctor` for the limit.",
            )

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


PROC_SYS = Path("/proc/sys")

#: One watch a folder. The global limit of a user comes first, then that of the user namespace.
_WATCHES = ("fs/inotify/max_user_watches", "user/max_inotify_watches")
_INSTANCES = ("fs/inotify/max_user_instances", "user/max_inotify_instances")
#: Editors, desktops and other daemons of the same user draw from the same purse.
_SHARE = 0.8


def watch_limit(proc_sys: Path = PROC_SYS) -> int | None:
    """Return how many folders one user may watch natively, None where the kernel does not say."""
    return _least(proc_sys, _WATCHES)


def limit_finding(folders: int, proc_sys: Path = PROC_SYS) -> Finding:
    """Compare the number of natively watched folders with the kernel's limit."""
    limit = watch_limit(proc_sys)
    enough = limit is None or folders <= limit * _SHARE
    return Finding(
        ok=enough,
        subject="inotify watches",
        message=(
            f"{folders} folders are to be watched natively; "
            f"the kernel allows this user {'any number' if limit is None else limit}."
        ),
        advice=(
            ""
            if enough
            else f"Set fs.inotify.max_user_watches to at least {2 * folders} with sysctl, "
            'or watch.mode to "polling"; until then scans find what events miss.'
        ),
    )


def watch_findings(settings: Settings, *, proc_sys: Path = PROC_SYS) -> Iterator[Finding]:
    """Yield findings about each watched folder and about the kernel's limits."""
    native = 0
    folders = 0
    for root in watched_roots(settings.watch):
        top = Path(root.path)
        subject = f"watched folder {top}"
        if not top.is_dir():
            yield Finding(
                ok=False,
                subject=subject,
                message="There is no such folder.",
                advice="Mount or make it; the watcher waits for it.",
            )
            continue
        if not os.access(top, os.R_OK | os.X_OK):
            yield Finding(
                ok=False,
                subject=subject,
                message="This user may not read it.",
                advice="Give this user the right to list and enter it.",
            )
            continue
        count = count_folders(root.path)
        if root.native:
            native += 1
            folders += count
        mount = mount_of(top)
        network = mount is not None and mount.is_network
        deaf = root.native and network
        how = "native events and scans" if root.native else "scans only"
        yield Finding(
            ok=not deaf,
            subject=subject,
            message=(
                f"{count} folders on {mount.kind if mount is not None else 'an unknown disk'}, "
                f"watched by {how}."
            ),
            advice='Set watch.mode to "auto": other machines\' changes give no events here.'
            if deaf
            else "",
        )
    if native:
        yield limit_finding(folders, proc_sys)
        yield _instances(native, proc_sys)


def count_folders(top: str) -> int:
    """Return the number of folders in a tree, the top one included; links are not followed."""
    return sum(1 for _ in os.walk(top))


def _instances(native: int, proc_sys: Path) -> Finding:
    limit = _least(proc_sys, _INSTANCES)
    enough = limit is None or native <= limit * _SHARE
    return Finding(
        ok=enough,
        subject="inotify instances",
        message=(
            f"{native} are needed, one a watched folder tree; "
            f"the kernel allows this user {'any number' if limit is None else limit}."
        ),
        advice="" if enough else "Set fs.inotify.max_user_instances higher with sysctl.",
    )


def _least(proc_sys: Path, names: tuple[str, ...]) -> int | None:
    found: list[int] = []
    for name in names:
        try:
            found.append(int((proc_sys / name).read_text(encoding="ascii")))
        except (OSError, ValueError):
            continue
    return min(found, default=None)
