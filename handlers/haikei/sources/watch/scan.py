"""
The scan: what stands in a tree, and what tells one state of a file from another without reading it.

Files that are not complete yet, as far as is known, each need two equal looks.
"""

import heapq
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import structlog

from haikei.sources.watch.root import LayoutNames


class Stamp(NamedTuple):
    """Size, time and identity of a file; two looks that give the same saw the same content."""

    size: int  #: bytes
    mtime_ns: int  #: last change, nanoseconds since 1970 by the file server's clock
    inode: int


def stamp_of(stat: os.stat_result) -> Stamp:
    """Return the stamp in an `lstat` result."""
    return Stamp(stat.st_size, stat.st_mtime_ns, stat.st_ino)


def printable(path: str) -> str:
    """
    Return a path as text that a database and a terminal can take.

    Names on Linux are bytes; those that are no UTF-8 are shown with their bytes escaped.
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The files of one folder that are not ignored."""

    folder: str
    files: dict[str, Stamp]  #: by name, those of a format that is read
    others: tuple[str, ...]  #: the names of those of another ending


@dataclass(slots=True, kw_only=True)
class _Folder:
    mtime_ns: int | None  #: None: it could not be read
    again: bool  #: list it once more, whatever its time says
    walk: int


class Tree:
    """
    One tree's folders and their times.

    A new or renamed file changes its folder's time, so a pass over the folders finds it without
    looking at files. A rewritten file does not: only a full walk finds that.

    Times are coarse (milliseconds here, whole seconds on some servers): a change may fall into
    the tick in which a folder was listed. So a folder that changed is listed again by the next
    pass too, which needs no clock to agree with another.
    """

    def __init__(
        self, top: str, names: LayoutNames, *, apart: frozenset[str] = frozenset()
    ) -> None:
        self._top = top
        self._names = names
        self._apart = apart
        self._folders: dict[str, _Folder] = {}
        self._walk = 0
        self._complained: set[str] = set()

    @property
    def folders(self) -> int:
        """How many folders are known."""
        return len(self._folders)

    def paths(self) -> Iterator[str]:
        """Yield the paths of all folders that can be read."""
        return (path for path, folder in self._folders.items() if folder.mtime_ns is not None)

    def full(self) -> Iterator[Listing]:
        """List every folder."""
        self._walk += 1
        walk = self._walk
        yield from self._below(self._top, only_new=False)
        gone = [path for path, folder in self._folders.items() if folder.walk < walk]
        for path in gone:
            del self._folders[path]

    def changed(self) -> Iterator[Listing]:
        """List the folders that changed since they were listed, and all that is new below."""
        for path, folder in list(self._folders.items()):
            try:
                mtime_ns = _mtime_ns(path)
            except (FileNotFoundError, NotADirectoryError):
                self._folders.pop(path, None)
                continue
            except OSError:
                continue
            if folder.again or mtime_ns != folder.mtime_ns:
                yield from self._below(path, only_new=True)

    def new(self, top: str) -> Iterator[Listing]:
        """List a folder that an event named, and all that is new below."""
        if top in self._apart:
            return
        known = self._folders.get(top)
        try:
            if known is None or known.mtime_ns != _mtime_ns(top):
                yield from self._below(top, only_new=True)
        except OSError:
            return

    def _below(self, top: str, *, only_new: bool) -> Iterator[Listing]:
        waiting = [top]
        while waiting:
            path = waiting.pop()
            files: dict[str, Stamp] = {}
            others: list[str] = []
            inside: list[str] = []
            try:
                # The time is taken first: what comes while we list makes it differ.
                mtime_ns = _mtime_ns(path)
                self._list(path, files, others, inside)
            except (FileNotFoundError, NotADirectoryError):
                self._folders.pop(path, None)
                continue
            except OSError as error:
                self._complain(path, error)
                self._folders[path] = _Folder(mtime_ns=None, again=False, walk=self._walk)
                continue
            if path in self._complained:
                self._complained.discard(path)
                _log.info("watch_folder_readable_again", folder=printable(path))
            known = self._folders.get(path)
            self._folders[path] = _Folder(
                mtime_ns=mtime_ns,
                again=known is None or known.mtime_ns != mtime_ns,
                walk=self._walk,
            )
            waiting += [folder for folder in inside if not only_new or folder not in self._folders]
            yield Listing(folder=path, files=files, others=tuple(others))

    def _list(
        self,
        path: str,
        files: dict[str, Stamp],
        others: list[str],
        inside: list[str],
    ) -> None:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.path not in self._apart and not self._names.is_ignored(entry.name):
                        inside.append(entry.path)
                elif self._names.is_ignored(entry.name):
                    continue
                elif not self._names.has_ending(entry.name):
                    others.append(entry.name)
                else:
                    try:
                        found = self.look(entry.path, entry.stat(follow_symlinks=False))
                    except FileNotFoundError:
                        continue
                    if found is not None:
                        files[entry.name] = found

    def look(self, path: str, stat: os.stat_result) -> Stamp | None:
        """
        Return the stamp of what `lstat` found, None when it is no file that we read.

        A link to a file in this tree stands for that file; one that leads out of it is left
        alone, as are links to folders: what they show is found at its own place, or is not ours.
        """
        kind = stat.st_mode & 0o170000
        if kind == _REGULAR:
            return stamp_of(stat)
        if kind != _LINK:
            return None
        try:
            target = Path(path).resolve(strict=True)
            if not target.is_file():
                return None
            if not target.is_relative_to(Path(self._top).resolve()):
                if path not in self._complained:
                    self._complained.add(path)
                    _log.warning("watch_link_leads_out", link=printable(path))
                return None
            return stamp_of(target.stat())
        except (OSError, RuntimeError):
            return None

    def _complain(self, path: str, error: OSError) -> None:
        if path not in self._complained:
            self._complained.add(path)
            _log.warning(
                "watch_folder_unreadable", folder=printable(path), reason=error.strerror or ""
            )


_REGULAR = 0o100000
_LINK = 0o120000


def _mtime_ns(folder: str) -> int:
    return os.stat(folder).st_mtime_ns  # noqa: PTH116 - a Path costs more than the look itself


@dataclass(slots=True, kw_only=True)
class _Pending:
    stamp: Stamp
    due: float
    since: float
    hinted: bool
    doubts: int = 0
    changes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFile:
    """A file in the state in which it was seen last."""

    path: str
    stamp: Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledFile(SeenFile):
    """A file that stood still long enough."""

    since: float  #: when it was first seen, by the settling's clock
    hinted: bool  #: an event named it; otherwise only a scan found it
    doubts: int  #: how often it was found unreadable in this very state


#: Times of files that have left the waiting room, and may be kept beside those that wait.
_MOST_LEFT = 1024


class Settling:
    """
    The waiting room.

    Stability is measured by the local monotonic clock between two looks: a file's own time comes
    from a server whose clock may differ by minutes.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._pending: dict[str, _Pending] = {}
        # Due times only; a file that changed meanwhile has a newer due time in its entry.
        self._heap: list[tuple[float, str]] = []
        # When files came; those of files that have left are dropped when the oldest is asked for,
        # and when there are more of them than files.
        self._ages: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._pending)

    def __contains__(self, path: str) -> bool:
        return path in self._pending

    @property
    def oldest(self) -> float:
        """Seconds that the file which waits longest has waited, 0 when none waits."""
        while self._ages:
            since, path = self._ages[0]
            entry = self._pending.get(path)
            if entry is not None and entry.since == since:
                return self._clock() - since
            heapq.heappop(self._ages)
        return 0.0

    @property
    def next_due(self) -> float | None:
        """When the next look is due, by the clock; None when nothing waits."""
        return self._heap[0][0] if self._heap else None

    @property
    def restless(self) -> bool:
        """Whether all that wait have changed twice under our eyes: waiting longer helps little."""
        return all(entry.changes >= 2 for entry in self._pending.values())

    def any_small(self, size: int) -> str | None:
        """Return a waiting file of at most `size` bytes, if the one that came first is one."""
        path = next(iter(self._pending), None)
        return path if path is not None and self._pending[path].stamp.size <= size else None

    def waiting(self, path: str) -> SeenFile | None:
        """Return a waiting file as it was seen last, None when it does not wait."""
        entry = self._pending.get(path)
        return None if entry is None else SeenFile(path=path, stamp=entry.stamp)

    def look(self, path: str, stamp: Stamp, *, wait: float, hinted: bool) -> None:
        """Note how a file looks now; it is due again after `wait` seconds without a change."""
        now = self._clock()
        entry = self._pending.get(path)
        if entry is None:
            self._put(path, _Pending(stamp=stamp, due=now + wait, since=now, hinted=hinted))
            return
        entry.hinted = entry.hinted or hinted
        if entry.stamp != stamp:
            entry.stamp = stamp
            entry.doubts = 0
            entry.changes += 1
            self._reschedule(path, entry, now + wait)

    def doubt(self, settled: SettledFile, *, wait: float) -> None:
        """Take back a file that could not be read, to be tried once more after `wait` seconds."""
        self._put(
            settled.path,
            _Pending(
                stamp=settled.stamp,
                due=self._clock() + wait,
                since=settled.since,
                hinted=settled.hinted,
                doubts=settled.doubts + 1,
            ),
        )

    def forget(self, path: str) -> None:
        """Drop a file that is gone or needs no look."""
        self._pending.pop(path, None)

    def due(self, most: int) -> list[str]:
        """Return files whose second look is due; each must be confirmed or forgotten."""
        now = self._clock()
        ready: list[str] = []
        while self._heap and self._heap[0][0] <= now and len(ready) < most:
            due, path = heapq.heappop(self._heap)
            entry = self._pending.get(path)
            if entry is not None and entry.due == due:
                ready.append(path)
        return ready

    def confirm(self, path: str, stamp: Stamp, *, wait: float) -> SettledFile | None:
        """
        Give the second look at a due file.

        Returns:
            The settled file, which leaves the waiting room; None when it changed and must wait.
        """
        entry = self._pending[path]
        if entry.stamp != stamp:
            self.look(path, stamp, wait=wait, hinted=entry.hinted)
            return None
        del self._pending[path]
        return SettledFile(
            path=path,
            stamp=stamp,
            since=entry.since,
            hinted=entry.hinted,
            doubts=entry.doubts,
        )

    def _put(self, path: str, entry: _Pending) -> None:
        self._pending[path] = entry
        heapq.heappush(self._heap, (entry.due, path))
        heapq.heappush(self._ages, (entry.since, path))
        if len(self._ages) > 2 * len(self._pending) + _MOST_LEFT:
            self._ages = sorted((entry.since, path) for path, entry in self._pending.items())

    def _reschedule(self, path: str, entry: _Pending, due: float) -> None:
        entry.due = due
        heapq.heappush(self._heap, (due, path))
