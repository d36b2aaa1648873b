"""From the first look at a file to the transaction that announces it."""

import hashlib
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

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
from haikei.sources.watch.inspecting import BATCH_FILES, Readers
from haikei.sources.watch.misfits import LeftAlone, misfit
from haikei.sources.watch.observer import WatchedTree
from haikei.sources.watch.scan import SeenFile, SettledFile, Settling, Stamp, printable

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
_GATHERED, _GATHER = 2048, 0.1
#: Judged files that may wait for the database before no more are read.
_MOST_UNRECORDED = 4096
#: Seconds for which a file must not have changed before it is read while it settles: longer than
#: the coarsest file times, so that whatever is written to it later shows in its time.
_LONG_UNCHANGED = 2.0
#: Files that may be read while they settle, as what was read of each is kept until then.
_MOST_READ_EARLY = 32_768


class _ReadEarly(NamedTuple):
    """What was found in a sound file that had not settled yet."""

    stamp: Stamp
    sha256: str


class Intake:
    """
    Holds every file that is not recorded in its present state.

    It waits until the file has settled, has it read in the sandbox, judges it and records the
    verdict; a file that changes at any point starts again. Whatever is not recorded when the
    process ends has no row, and is found by the next walk.

    A local file that has not changed for long is read while it settles, so that the second look
    is all that is left: what was read counts if the file is still as it was seen first.
    """

    def __init__(
        self,
        *,
        table: FileTable,
        known: KnownFiles,
        readers: Readers,
        left: LeftAlone,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._table = table
        self._known = known
        self._readers = readers
        self._left = left
        self._clock = clock
        self._wall_clock = wall_clock
        self._settling = Settling(clock)
        self._trees: dict[str, WatchedTree] = {}  # of every file below
        self._ready: deque[SettledFile] = deque()
        self._judging: dict[str, SettledFile] = {}
        self._standing: deque[SeenFile] = deque()
        # None: at the readers. One that is judged too has settled meanwhile, and waits for them.
        self._early: dict[str, _ReadEarly | None] = {}
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
        if (due := self._settling.next_due) is not None and not self._is_full:
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
            if path not in self._settling and self._may_be_read_early(tree, stamp):
                self._standing.append(SeenFile(path=path, stamp=stamp))
            self._settling.look(path, stamp, wait=tree.root.settle, hinted=hinted)

    def drop(self, path: str) -> None:
        """Drop a file that is not there any more, or is as it was judged before."""
        self._settling.forget(path)
        if path not in self._judging:
            self._trees.pop(path, None)
            self._early.pop(path, None)

    def turn(self) -> None:
        """Do all that can be done now, without waiting for anything but the database."""
        self._collect()
        self._second_looks()
        while self._ready and self._readers.has_room(len(self._ready)) and not self._is_full:
            self._readers.submit(self._ready)
        while self._standing and not self._ready and self._readers.has_room(len(self._standing)):
            self._read_early()
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

    @property
    def _is_full(self) -> bool:
        return len(self._verdicts) >= _MOST_UNRECORDED

    def _may_be_read_early(self, tree: WatchedTree, stamp: Stamp) -> bool:
        if not tree.root.local or len(self._early) + len(self._standing) >= _MOST_READ_EARLY:
            return False
        age = self._wall_clock() - stamp.mtime_ns / 1e9
        return stamp.size > 0 and age > max(_LONG_UNCHANGED, tree.root.settle)

    def _read_early(self) -> None:
        batch: deque[SeenFile] = deque()
        while self._standing and len(batch) < BATCH_FILES:
            seen = self._standing.popleft()
            path = seen.path
            if (
                path not in self._early
                and self._settling.waiting(path) == seen
                and not misfit(self._trees[path].root, path, self._left.names)
                and is_text(path)
            ):
                batch.append(seen)
        while batch:
            self._early.update((seen.path, None) for seen in batch)
            self._readers.submit(batch)

    def _second_looks(self) -> None:
        for path in [] if self._is_full else self._settling.due(_LOOKS):
            tree = self._trees[path]
            stamp = tree.look(path)
            if stamp is None or self._known.stamp(path) == stamp:
                self.drop(path)
                continue
            settled = self._settling.confirm(path, stamp, wait=tree.root.settle)
            if settled is None:
                continue
            self._judging[path] = settled
            why = misfit(tree.root, path, self._left.names)
            if not why and is_text(path) and stamp.size:
                self._read(settled)
                continue
            self._early.pop(path, None)
            if why:
                self._verdicts.append(misplaced(path, stamp, why))
            elif stamp.size:
                self._verdicts.append(refuse_misnamed(path, stamp))
            else:
                self._unreadable(settled, _EMPTY, "is empty")

    def _read(self, settled: SettledFile) -> None:
        """Have a settled file read, where what was read earlier is not of its present state."""
        path = settled.path
        if path in self._early:
            early = self._early[path]
            if early is None:
                return  # it is at the readers
            del self._early[path]
            if early.stamp == settled.stamp:
                self._approve(settled, early.sha256)
                return
        self._ready.append(settled)

    def _collect(self) -> None:
        for inspected in self._readers.take():
            if inspected.failure:
                _log.error(
                    "watch_reader_failed", reason=inspected.failure, files=len(inspected.batch)
                )
                for seen in inspected.batch:
                    if isinstance(seen, SettledFile):
                        self._again(seen, wait=_READER_PAUSE)
                    else:
                        self._forget_early(seen.path)
                continue
            for seen, finding in zip(inspected.batch, inspected.findings, strict=True):
                if isinstance(seen, SettledFile):
                    self._judge(seen, finding)
                else:
                    self._judge_early(seen, finding)

    def _judge_early(self, seen: SeenFile, finding: Inspection) -> None:
        path = seen.path
        found = Stamp(finding.size, finding.mtime_ns, finding.inode)
        if not finding.ok or found != seen.stamp:
            # Whatever it was: a settled file is read for good.
            self._forget_early(path)
        elif self._early.get(path, seen) is None:
            self._early[path] = _ReadEarly(seen.stamp, finding.sha256)
            if (settled := self._judging.get(path)) is not None:
                self._read(settled)

    def _forget_early(self, path: str) -> None:
        if path in self._early:
            del self._early[path]
            if (settled := self._judging.get(path)) is not None:
                self._ready.append(settled)

    def _judge(self, settled: SettledFile, finding: Inspection) -> None:
        path = settled.path
        read = bool(finding.sha256)
        same = settled.stamp == Stamp(finding.size, finding.mtime_ns, finding.inode)
        moved_on = finding.reason.startswith(("changed", "vanished")) or (read and not same)
        if moved_on or path in self._touched:
            self._again(settled, wait=self._trees[path].root.settle)
        elif finding.ok:
            self._approve(settled, finding.sha256)
        else:
            self._unreadable(settled, finding.sha256, finding.reason)

    def _approve(self, settled: SettledFile, sha256: str) -> None:
        root = self._trees[settled.path].root
        verdict = approve(root, settled.path, settled.stamp, sha256, now=utc_now())
        self._verdicts.append(verdict)

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
