"""Files that are not complete yet, as far as can be told: each needs two equal looks."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass

from haikei.sources.watch.scan import Stamp


@dataclass(slots=True, kw_only=True)
class _Pending:
    stamp: Stamp
    due: float
    since: float
    hinted: bool
    doubts: int = 0
    changes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledFile:
    """A file that stood still long enough."""

    path: str
    stamp: Stamp
    since: float  #: when it was first seen, by the settling's clock
    hinted: bool  #: an event told of it; otherwise only a scan found it
    doubts: int  #: how often it was found unreadable in this very state


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

    def __len__(self) -> int:
        return len(self._pending)

    def __contains__(self, path: str) -> bool:
        return path in self._pending

    @property
    def oldest(self) -> float:
        """Seconds that the file which waits longest has waited, 0 when none waits."""
        if not self._pending:
            return 0.0
        return self._clock() - min(entry.since for entry in self._pending.values())

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

    def _reschedule(self, path: str, entry: _Pending, due: float) -> None:
        entry.due = due
        heapq.heappush(self._heap, (due, path))
