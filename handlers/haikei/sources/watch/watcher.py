"""The file-system handler: folders in, `LayoutPublished` and `TouchUpPublished` out."""

import os
import stat
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from haikei.images import Inspector, Limits
from haikei.jobs.healing import settings_changed
from haikei.settings import Settings
from haikei.sources.watch.file_table import FileTable, KnownFiles
from haikei.sources.watch.inspecting import MakeReader, Readers
from haikei.sources.watch.intake import Intake
from haikei.sources.watch.misfits import LeftAlone
from haikei.sources.watch.observer import Hints, OverflowCount, WatchedTree, limit_finding
from haikei.sources.watch.root import LayoutNames, Outputs, watched_roots
from haikei.sources.watch.scan import Listing


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchStatus:
    """A snapshot; all counts are since the watcher began."""

    folders: int = 0  #: known in all trees
    known: int = 0  #: files judged in their present state
    pending: int = 0  #: files that are not known to be complete yet
    oldest_pending: float = 0.0  #: seconds
    judging: int = 0  #: files at the readers or waiting for them
    unrecorded: int = 0  #: judged files that the database has not taken yet
    database_failures: int = 0  #: times that the database did not take them
    published: int = 0  #: layouts that were news to the inbox
    refused: int = 0
    misplaced: int = 0  #: files that lie where layouts lie, by another name
    left_alone: int = 0  #: files that stand in the trees and fit no template
    found_by_scan: int = 0  #: files in natively watched trees that no event named
    overflows: int = 0  #: times that the kernel's event queue ran over
    walks: int = 0  #: full walks completed
    last_walk: float = 0.0  #: seconds that the last full walk of all trees took
    away: tuple[str, ...] = ()  #: watched folders that cannot be reached now


_log = structlog.get_logger()
#: Seconds of scanning before hints and readers get their turn.
_SLICE = 0.05
#: Seconds in which hints gather before they are worked off together.
_BREATH = 0.01
#: Seconds after which a stop that nobody wakes us for is noticed.
_LONGEST_WAIT = 0.25
#: Seconds between snapshots of the status while many files are pending.
_REPORT = 0.1

_Scanned = tuple[WatchedTree, Listing, bool]


class Watcher:
    """
    Finds every complete layout that lands in the watched folders, and announces each content once.

    Events are hints: they say where to look. What is there is found by the scan, and what is
    known by the table `files`, so that a restart, a lost event, an overflown queue or a mount
    that was away lose nothing and repeat nothing.
    """

    def __init__(
        self,
        settings: Settings,
        database: Engine,
        *,
        make_reader: MakeReader | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        watch = settings.watch
        self._watch = watch
        self._settings_changed = settings_changed(settings, "watch")
        self._clock = clock
        self._wake = threading.Event()
        self._hints = Hints(self._wake)
        self._overflow = OverflowCount(self._wake)
        self._table = FileTable(database)
        self._known = KnownFiles()
        names = LayoutNames(extensions=watch.extensions, ignore=watch.ignore)
        self._left = LeftAlone(names, Outputs(settings.storage))
        roots = sorted(
            watched_roots(watch, names=settings.folder_names),
            key=lambda root: len(root.path),
            reverse=True,
        )
        tops = frozenset(root.path for root in roots)
        # The deepest root comes first: a path belongs to the nearest one above it.
        self._trees = [WatchedTree(root, names, self._hints, apart=tops) for root in roots]
        self._readers = Readers(
            make_reader or (lambda: Inspector(Limits.from_settings(settings.watch))), self._wake
        )
        self._intake = Intake(
            table=self._table,
            known=self._known,
            readers=self._readers,
            left=self._left,
            clock=clock,
        )
        self._tasks: deque[Iterator[_Scanned]] = deque()
        self._loaded = self._walking = self._passing = False
        self._walk_wanted = False
        self._next_walk = self._next_pass = self._next_report = 0.0
        self._overflows_seen = 0
        self._walks = 0
        self._last_walk = 0.0
        self._status = WatchStatus()

    @property
    def status(self) -> WatchStatus:
        """How things stand; safe to ask from any thread."""
        return self._status

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop` is set. What was not recorded by then is found by the next run."""
        self._overflow.attach()
        try:
            while not stop.is_set() and not self._load():
                stop.wait(_LONGEST_WAIT)
            while not stop.is_set():
                self._keep_times()
                self._work()
                self._wait(stop, self._next_pass, self._next_walk)
        finally:
            for tree in self._trees:
                tree.stop()
            self._end()
            self._overflow.detach()

    def scan_once(self) -> int:
        """
        Walk every tree once, wait for what settles, and return the number of new layouts.

        A file that keeps changing is left for another time. Not for use beside `run`.
        """
        before = self._intake.published
        never = threading.Event()
        try:
            while not self._load():
                never.wait(_LONGEST_WAIT)
            for tree in self._trees:
                tree.away = not os.access(tree.root.path, os.R_OK | os.X_OK)
            self._tasks.append(self._full_walk(hinted=True))
            self._work()
            while self._tasks or not self._intake.finished:
                self._wait(never)
                self._work()
        finally:
            self._end()
        return self._intake.published - before

    def _load(self) -> bool:
        if not self._loaded:
            try:
                roots = [tree.root for tree in self._trees]
                misread = self._table.misread(roots) if self._settings_changed else ()
                self._known.load(self._table.load(), roots, self._left.names, misread)
            except SQLAlchemyError as error:
                _log.warning("watch_database_waits", reason=str(error.__cause__ or error))
                return False
            self._loaded = True
        return True

    def _end(self) -> None:
        self._readers.close()
        self._intake.finish()
        self._report()

    def _keep_times(self) -> None:
        now = self._clock()
        if self._overflow.count > self._overflows_seen:
            self._overflows_seen = self._overflow.count
            _log.warning("watch_overflow", overflows=self._overflow.count)
            self._walk_wanted = True
        if now >= self._next_pass and not self._passing:
            self._next_pass = now + self._watch.folder_pass
            for tree in self._trees:
                self._walk_wanted |= tree.supervise()
            self._rearm()
            self._passing = True
            self._tasks.append(self._folder_pass())
        if (now >= self._next_walk or self._walk_wanted) and not self._walking:
            self._next_walk = now + self._watch.full_walk
            self._walk_wanted = False
            self._walking = True
            self._tasks.append(self._full_walk(hinted=self._walks == 0))

    def _work(self) -> None:
        for path in self._hints.take():
            self._follow(path)
        ends = self._clock() + _SLICE
        while self._tasks and self._clock() < ends:
            try:
                tree, listing, hinted = next(self._tasks[0])
            except StopIteration:
                self._tasks.popleft()
                continue
            self._known.forget_gone(listing.folder, (*listing.files, *listing.others))
            known = self._known.in_folder(listing.folder)
            for name, stamp in self._left.sort(tree.root, listing, known, tree.look):
                self._intake.consider(tree, f"{listing.folder}/{name}", stamp, hinted=hinted)
        self._intake.turn()
        if self._clock() >= self._next_report or not self._intake.pending:
            self._report()

    def _follow(self, path: str) -> None:
        for tree in self._trees:
            relative = tree.root.relative(path)
            if relative is not None:
                break
        else:
            return
        try:
            found = os.lstat(path)
        except OSError:
            self._intake.drop(path)
            return
        if stat.S_ISDIR(found.st_mode):
            if tree.enters(relative):
                self._tasks.append((tree, listing, True) for listing in tree.scan.new(path))
        elif (
            # What fits no template is sorted when its folder is listed, by the next pass.
            tree.owns(relative)
            and tree.root.fits(path)
            and (stamp := tree.scan.look(path, found)) is not None
        ):
            self._intake.consider(tree, path, stamp, hinted=True)

    def _full_walk(self, *, hinted: bool) -> Iterator[_Scanned]:
        spent = 0.0
        for tree in self._trees:
            if tree.away:
                continue
            started = self._clock()
            for listing in tree.scan.full():
                spent += self._clock() - started
                yield tree, listing, hinted
                started = self._clock()
        self._last_walk = spent
        self._walks += 1
        self._walking = False
        _log.debug("watch_walked", seconds=round(spent, 3), files=len(self._known))
        self._check_limit()
        if self._walks == 1 and self._left.count:
            _log.info(
                "watch_left_alone",
                files=self._left.count,
                advice="They fit no template; `haikei watch --explain PATH` says why.",
            )
        if not any(tree.away for tree in self._trees):
            try:
                self._table.walked()
            except SQLAlchemyError as error:
                _log.debug("watch_database_waits", reason=str(error.__cause__ or error))

    def _folder_pass(self) -> Iterator[_Scanned]:
        for tree in self._trees:
            if not tree.away:
                for listing in tree.scan.changed():
                    yield tree, listing, False
        self._passing = False

    def _check_limit(self) -> None:
        native = sum(tree.scan.folders for tree in self._trees if tree.root.native)
        finding = limit_finding(native)
        if self._walks == 1 and not finding.ok:
            _log.warning("watch_limit", found=finding.message, advice=finding.advice)

    def _rearm(self) -> None:
        gone = [path for path in self._known.refused if self._is_gone(path)]
        try:
            if gone:
                self._table.forget(gone)
            for path in gone:
                self._known.forget(path)
            rearmed = self._table.missing(tuple(self._known.refused))
        except SQLAlchemyError as error:
            _log.debug("watch_database_waits", reason=str(error.__cause__ or error))
            return
        for path in rearmed:
            self._known.forget(path)
            self._follow(path)

    def _is_gone(self, path: str) -> bool:
        tree = next((one for one in self._trees if one.root.relative(path) is not None), None)
        return tree is not None and not tree.away and tree.look(path) is None

    def _wait(self, stop: threading.Event, *appointments: float) -> None:
        now = self._clock()
        times = [now + _LONGEST_WAIT, *appointments]
        if (due := self._intake.next_due) is not None:
            times.append(due)
        wait = min(times) - now
        if self._tasks or wait <= 0:
            return
        if self._wake.wait(wait):
            self._wake.clear()
            stop.wait(_BREATH)

    def _report(self) -> None:
        self._next_report = self._clock() + _REPORT
        self._status = WatchStatus(
            folders=sum(tree.scan.folders for tree in self._trees),
            known=len(self._known),
            pending=self._intake.pending,
            oldest_pending=self._intake.oldest,
            judging=self._intake.judging,
            unrecorded=self._intake.unrecorded,
            database_failures=self._intake.database_failures,
            published=self._intake.published,
            refused=self._intake.refused,
            misplaced=self._intake.misplaced,
            left_alone=self._left.count,
            found_by_scan=self._intake.found_by_scan,
            overflows=self._overflow.count,
            walks=self._walks,
            last_walk=self._last_walk,
            away=tuple(tree.root.path for tree in self._trees if tree.away),
        )
