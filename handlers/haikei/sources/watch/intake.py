"""From the first look at a file to the transaction that announces it."""

import hashlib
import time
from collections import deque
from collections.abc import Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from haikei.database import utc_now
from haikei.images import Inspection
from haikei.sources.watch.file_table import (
    FileTable,
    FileVerdict,
    KnownFile,
    KnownFiles,
    approve,
    is_text,
    misplaced,
    refuse_damaged,
    refuse_misnamed,
)
from haikei.sources.watch.inspecting import Readers
from haikei.sources.watch.misfits import LeftAlone, misfit
from haikei.sources.watch.observer import WatchedTree
from haikei.sources.watch.scan import SettledFile, Settling, Stamp, printable

_log = structlog.get_logger()
_EMPTY = hashlib.sha256().hexdigest()
#: An unreadable file gets this many settle times more before it is refused: its writer may only
#: have paused.
_PATIENCE = 5.0
#: Seconds before files are given to a reader again after it failed as a whole.
_READER_PAUSE = 5.0
#: Seconds between tries at a database that is busy or full; doubled up to the second.
_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
#: Second looks in one turn, so that the readers begin while the rest is looked at.
_LOOKS = 512
#: Bytes of a file that a starting reader may look at to load its libraries.
_SMALL = 16 * 1024 * 1024
#: Verdicts are recorded together: so many, or those of so many seconds.
_GATHERED, _GATHER = 64, 0.1
#: Judged files that may wait for the database before no more are read.
_MOST_UNRECORDED = 4096


class Intake:
    """
    Holds every file that is not recorded in its present state.

    It waits until the file has settled, has it read in the sandbox, judges it and records the
    verdict; a file that changes at any point starts again. Whatever is not recorded when the
    process ends has no row, and is found by the next walk.
    """

    def __init__(
        self,
        *,
        table: FileTable,
        known: KnownFiles,
        readers: Readers,
        left: LeftAlone,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._table = table
        self._known = known
        self._readers = readers
        self._left = left
        self._clock = clock
        self._settling = Settling(clock)
        self._trees: dict[str, WatchedTree] = {}  # of every file below
        self._ready: deque[SettledFile] = deque()
        self._judging: dict[str, SettledFile] = {}
        self._touched: set[str] = set()
        self._verdicts: list[FileVerdict] = []
        self._retry_at = self._pause = self._record_at = 0.0
        self.published = 0
        self.refused = 0
        self.misplaced = 0
        self.found_by_scan = 0
        self.database_failures = 0

    @property
    def pending(self) -> int:
        """Files that are not known to be complete yet."""
        return len(self._settling)

    @property
    def oldest(self) -> float:
        """Seconds that the longest of them has waited."""
        return self._settling.oldest

    @property
    def judging(self) -> int:
        """Files at the readers, waiting for them, or waiting to be recorded."""
        return len(self._judging)

    @property
    def unrecorded(self) -> int:
        """Judged files that the database has not taken yet."""
        return len(self._verdicts)

    @property
    def next_due(self) -> float | None:
        """When there is something to do by itself, by the clock."""
        times = [max(self._retry_at, self._record_at)] if self._verdicts else []
        if (due := self._settling.next_due) is not None:
            times.append(due)
        return min(times, default=None)

    @property
    def finished(self) -> bool:
        """Whether only files that keep changing are left."""
        return not self._judging and self._settling.restless

    def consider(self, tree: WatchedTree, path: str, stamp: Stamp, *, hinted: bool) -> None:
        """Take in a look at a file, whoever asked for it."""
        at_work = self._judging.get(path)
        if at_work is not None:
            if at_work.stamp != stamp:
                self._touched.add(path)
        elif self._known.stamp(path) == stamp:
            self.drop(path)
        elif not self._left.outputs.hold(path):
            self._trees[path] = tree
            self._settling.look(path, stamp, wait=tree.root.settle, hinted=hinted)

    def drop(self, path: str) -> None:
        """Drop a file that is not there any more, or is as it was judged before."""
        self._settling.forget(path)
        if path not in self._judging:
            self._trees.pop(path, None)

    def turn(self) -> None:
        """Do all that can be done now, without waiting for anything but the database."""
        self._collect()
        self._second_looks()
        while (
            self._ready
            and self._readers.has_room(len(self._ready))
            and len(self._verdicts) < _MOST_UNRECORDED
        ):
            self._readers.submit(self._ready)
        if (path := self._settling.any_small(_SMALL)) is not None:
            self._readers.warm(path, len(self._settling))
        if self._verdicts:
            self._record_at = self._record_at or self._clock() + _GATHER
            if len(self._verdicts) >= _GATHERED or self._clock() >= self._record_at:
                self._record()

    def finish(self) -> None:
        """Record what the readers gave before they ended."""
        self._collect()
        self._record()

    def _second_looks(self) -> None:
        for path in self._settling.due(_LOOKS):
            tree = self._trees[path]
            stamp = tree.look(path)
            if stamp is None or self._known.stamp(path) == stamp:
                self.drop(path)
                continue
            settled = self._settling.confirm(path, stamp, wait=tree.root.settle)
            if settled is None:
                continue
            self._judging[path] = settled
            if why := misfit(tree.root, path, self._left.names):
                self._verdicts.append(misplaced(path, stamp, why))
            elif not is_text(path):
                self._verdicts.append(refuse_misnamed(path, stamp))
            elif stamp.size == 0:
                self._unreadable(settled, _EMPTY, "is empty")
            else:
                self._ready.append(settled)

    def _collect(self) -> None:
        for inspected in self._readers.take():
            if inspected.failure:
                _log.error(
                    "watch_reader_failed", reason=inspected.failure, files=len(inspected.batch)
                )
                for settled in inspected.batch:
                    self._again(settled, wait=_READER_PAUSE)
                continue
            for settled, finding in zip(inspected.batch, inspected.findings, strict=True):
                self._judge(settled, finding)

    def _judge(self, settled: SettledFile, finding: Inspection) -> None:
        path = settled.path
        read = bool(finding.sha256)
        same = settled.stamp == Stamp(finding.size, finding.mtime_ns, finding.inode)
        moved_on = finding.reason.startswith(("changed", "vanished")) or (read and not same)
        if moved_on or path in self._touched:
            self._again(settled, wait=self._trees[path].root.settle)
        elif finding.ok:
            root = self._trees[path].root
            verdict = approve(root, path, settled.stamp, finding.sha256, now=utc_now())
            self._verdicts.append(verdict)
        else:
            self._unreadable(settled, finding.sha256, finding.reason)

    def _unreadable(self, settled: SettledFile, sha256: str, reason: str) -> None:
        if settled.doubts == 0:
            del self._judging[settled.path]
            wait = _PATIENCE * self._trees[settled.path].root.settle
            self._settling.doubt(settled, wait=wait)
        else:
            self._verdicts.append(refuse_damaged(settled.path, settled.stamp, sha256, reason))

    def _again(self, settled: SettledFile, *, wait: float) -> None:
        path = settled.path
        self._touched.discard(path)
        del self._judging[path]
        stamp = self._trees[path].look(path)
        if stamp is None:
            self.drop(path)
        else:
            self._settling.look(path, stamp, wait=wait, hinted=settled.hinted)

    def _record(self) -> None:
        if not self._verdicts or self._clock() < self._retry_at:
            return
        verdicts, self._verdicts = self._verdicts, []
        try:
            new = self._table.record(verdicts)
        except SQLAlchemyError as error:
            self._verdicts = verdicts
            self.database_failures += 1
            self._pause = min(_LONGEST_PAUSE, 2 * self._pause or _PAUSE)
            self._retry_at = self._clock() + self._pause
            _log.warning(
                "watch_database_waits",
                files=len(verdicts),
                retry_after=self._pause,
                reason=str(error.__cause__ or error),
            )
            return
        self._pause = self._retry_at = self._record_at = 0.0
        self.published += new
        for verdict in verdicts:
            self._settle_accounts(verdict)
        if new:
            _log.info("watch_published", layouts=new)

    def _settle_accounts(self, verdict: FileVerdict) -> None:
        path = verdict.path
        settled = self._judging.pop(path)
        tree = self._trees.pop(path)
        self._known.remember(KnownFile(path=path, stamp=verdict.stamp, state=verdict.state))
        self.found_by_scan += tree.root.native and not settled.hinted
        if verdict.refusal is not None:
            self.refused += 1
            _log.warning("watch_refused", file=printable(path), reason=verdict.reason)
        elif verdict.why:
            self.misplaced += 1
            _log.debug("watch_misplaced", file=printable(path), reason=verdict.why)
        if path in self._touched:
            self._touched.discard(path)
            stamp = tree.look(path)
            if stamp is not None:
                self.consider(tree, path, stamp, hinted=settled.hinted)
