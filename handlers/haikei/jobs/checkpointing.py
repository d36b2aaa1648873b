"""
Checkpoints on a schedule: the ledger's heads are signed, time-stamped and sent out,
to the tracker too.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import structlog
from prometheus_client import Counter, Gauge
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from typing_extensions import override

from haikei.credits import records
from haikei.database import reading, utc_now
from haikei.errors import (
    HaikeiError,
    HistoryChanged,
    LedgerError,
    OutletUnavailable,
    ProofInvalid,
    SettingsError,
    TrackerError,
)
from haikei.jobs.engine.recovery import Locks
from haikei.ledger import (
    Checkpoint,
    DropFolder,
    MailOutlet,
    Outlet,
    SignedCheckpoint,
    VerifierKey,
    newest_checkpoint,
    note_signer,
    read_checkpoint,
    seal,
    send_out,
    size,
    stamp_missing,
    time_stamper,
)
from haikei.notify.notice import Notice, NoticeKind, note
from haikei.settings import Settings
from haikei.trackers import CheckpointBoard, Part, Tracker, load_tracker, needed

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerOutlet(Outlet):
    """
    The newest checkpoint on each project that has records.

    A project has room for one: older heads stand in the history that the tracker keeps of it.
    """

    board: CheckpointBoard
    database: Engine

    @property
    @override
    def name(self) -> str:
        return "tracker"

    @override
    def send(self, checkpoints: Sequence[SignedCheckpoint]) -> None:
        projects = self._projects()
        if not checkpoints or not projects:
            return
        newest = max(checkpoints, key=lambda one: one.checkpoint.size)
        standing = self._standing()
        for project, (shown, _) in standing.items():
            _refuse_another_history(project, shown, checkpoints)
        # A token that came late sends an old head again: a newer one stays.
        behind = [
            project
            for project in projects
            if project not in standing or not _covers(standing[project][0], newest.checkpoint)
        ]
        missing = self._post(dict.fromkeys(behind, newest.note))
        if len(missing) == len(projects):
            raise OutletUnavailable(
                f"The tracker has none of the projects {', '.join(projects)}.",
                advice="Look at their names in the tracker, or set ledger.tracker_field to false.",
            )
        if missing:
            log.warning("checkpoint_without_project", projects=missing)

    @override
    def held(self) -> Sequence[int]:
        return sorted({shown.size for shown, _ in self._standing().values()})

    @override
    def read(self, size: int) -> str:
        for shown, text in self._standing().values():
            if shown.size == size:
                return text
        raise OutletUnavailable(f"No project of the tracker shows the checkpoint {size} any more.")

    def _projects(self) -> tuple[str, ...]:
        with reading(self.database) as connection:
            return records.projects(connection)

    def _standing(self) -> Mapping[str, tuple[Checkpoint, str]]:
        """Return what projects show now, by project; what is no checkpoint is left out."""
        try:
            posted = self.board.posted(self._projects())
        except TrackerError as error:
            raise _away(error) from error
        standing: dict[str, tuple[Checkpoint, str]] = {}
        for project, text in posted.items():
            try:
                standing[project] = (read_checkpoint(text), text)
            except ProofInvalid as error:
                log.warning("checkpoint_outside_unreadable", project=project, error=str(error))
        return standing

    def _post(self, notes: Mapping[str, str]) -> tuple[str, ...]:
        try:
            return self.board.post(notes)
        except TrackerError as error:
            raise _away(error) from error


def _refuse_another_history(
    project: str, shown: Checkpoint, checkpoints: Sequence[SignedCheckpoint]
) -> None:
    for one in checkpoints:
        ours = one.checkpoint
        if (ours.origin, ours.size) == (shown.origin, shown.size) and ours.root != shown.root:
            raise HistoryChanged(
                f"The project {project} shows another checkpoint of {shown.size} entries than "
                "ours.",
                advice="Keep both, and find out who wrote it: docs/reference/ledger.md.",
            )


def _covers(shown: Checkpoint, ours: Checkpoint) -> bool:
    return shown.origin == ours.origin and shown.size >= ours.size


def _away(error: TrackerError) -> OutletUnavailable:
    return OutletUnavailable(
        f"The tracker does not take the checkpoint: {error.message}", advice=error.advice
    )


#: Of several processes the one that wrote last knows best.
_ONE: Literal["mostrecent"] = "mostrecent"
ENTRIES = Gauge("haikei_ledger_entries", "Entries of the ledger", multiprocess_mode=_ONE)
SEALED = Gauge(
    "haikei_ledger_sealed_entries",
    "Entries that the newest checkpoint covers",
    multiprocess_mode=_ONE,
)
REFUSED = Counter("haikei_ledger_refused", "Checkpoints refused since history has changed")
UNSENT = Gauge(
    "haikei_ledger_unsent",
    "1 while an outlet lacks a checkpoint or a token is missing",
    multiprocess_mode=_ONE,
)

#: Seconds between looks at the clock.
_TICK = 60.0
#: Seconds after which sendings that failed are tried again.
_RETRY = 600.0
_LOCK = "ledger-checkpoints"


class Checkpointing:
    """
    Makes a checkpoint when it is due and sends out what waits; of many processes one at a time.

    Args:
        settings: the studio's.
        database: the studio's own.
        locks: this thread's own.
        open_tracker: makes this thread's adapter of the tracker.
    """

    def __init__(
        self,
        settings: Settings,
        database: Engine,
        locks: Locks,
        *,
        open_tracker: Callable[[Settings], Tracker] = load_tracker,
    ) -> None:
        self._settings = settings
        self._database = database
        self._locks = locks
        self._open_tracker = open_tracker
        self._signer = note_signer(settings)
        self._outlets: Sequence[Outlet] | None = None
        self._sent_at: float | None = None
        self._refused_at: float | None = None

    @property
    def key(self) -> VerifierKey:
        """What verifies the checkpoints."""
        return self._signer.key

    @property
    def outlets(self) -> Sequence[Outlet]:
        """Every way out that the settings name, and a folder beside the database."""
        if self._outlets is None:
            self._outlets = outlets_of(self._settings, self._database, self._open_tracker)
        return self._outlets

    def keep(self, stop: threading.Event) -> None:
        """Go on until `stop` is set."""
        while not stop.wait(min(_TICK, self._settings.ledger.checkpoint_every)):
            try:
                self.tick()
            except HistoryChanged:
                pass  # logged already, by whoever found it
            except (HaikeiError, SQLAlchemyError) as error:
                log.warning("checkpoint_failed", error=str(error))
        self.close()

    def close(self) -> None:
        """Close this thread's connections; the next use opens them again."""
        for outlet in self._outlets or ():
            if isinstance(outlet, TrackerOutlet):
                outlet.board.close()

    def tick(self) -> None:
        """
        Do what is due now, unless another process does.

        Raises:
            HistoryChanged: the ledger is not any more what was sealed; nothing is signed.
            HaikeiError: something else is in the way.
        """
        with self._locks.borrowed(_LOCK) as ours:
            if not ours:
                return
            if self.due():
                self.make()
            elif self._sent_at is None or time.monotonic() - self._sent_at >= _RETRY:
                self.send()

    def due(self) -> bool:
        """Tell whether something was added and the newest checkpoint is old enough."""
        every = self._settings.ledger.checkpoint_every
        if self._refused_at is not None and time.monotonic() - self._refused_at < every:
            return False
        with reading(self._database) as connection:
            count = size(connection)
            newest = newest_checkpoint(connection)
        ENTRIES.set(count)
        SEALED.set(newest.checkpoint.size if newest else 0)
        if newest is None:
            return count > 0
        added = count != newest.checkpoint.size
        return added and (utc_now() - newest.made_at).total_seconds() >= every

    def make(self) -> SignedCheckpoint:
        """
        Sign the ledger as it is now and send it out; return the checkpoint.

        Raises:
            HistoryChanged: the ledger is not any more what was sealed; nothing is signed.
            LedgerError: the ledger is empty.
            ProofInvalid: a checkpoint in the database is damaged.
        """
        try:
            made = seal(self._database, self._signer, outlets=self.outlets)
        except HistoryChanged as changed:
            REFUSED.inc()
            self._refused_at = time.monotonic()
            self._tell(changed)
            raise
        self._refused_at = None
        SEALED.set(made.checkpoint.size)
        self.send()
        return made

    def send(self) -> bool:
        """Ask for tokens that are missing and send what waits; tell whether all of it is done."""
        stamped = self._stamp()
        sent = send_out(self._database, self.outlets)
        self._sent_at = time.monotonic()
        UNSENT.set(0 if stamped and sent else 1)
        return stamped and sent

    def _tell(self, changed: HistoryChanged) -> None:
        found = hashlib.sha256(changed.message.encode()).hexdigest()[:32]
        notice = Notice(
            key=f"checkpoint/{found}",
            kind=NoticeKind.CHECKPOINT,
            text=f"The ledger {self._signer.key.name}: {changed}",
        )
        with self._database.begin() as connection:
            note(connection, notice)

    def _stamp(self) -> bool:
        try:
            stamper = time_stamper(self._settings)
            if stamper is not None:
                stamp_missing(self._database, stamper)
        except (LedgerError, SettingsError) as error:
            # The checkpoint stands without its token, and says so by lacking it.
            log.warning("checkpoint_not_stamped", error=str(error))
            return False
        return True


def outlets_of(
    settings: Settings,
    database: Engine,
    open_tracker: Callable[[Settings], Tracker] = load_tracker,
) -> Sequence[Outlet]:
    """
    Return every way out that the settings name, and a folder beside the database.

    That folder is no way out of the building, but somebody who can only reach the database cannot
    rewrite it.
    """
    beside = settings.work_folder / "checkpoints"
    beside.mkdir(parents=True, exist_ok=True)
    found: list[Outlet] = [DropFolder(folder=beside)]
    found += [DropFolder(folder=folder) for folder in settings.ledger.drop]
    if settings.ledger.mail.host:
        found += _usable(lambda: MailOutlet(mail=settings.ledger.mail))
    if settings.ledger.tracker_field:
        found += _usable(lambda: _tracker_outlet(open_tracker(settings), database))
    return found


def _tracker_outlet(tracker: Tracker, database: Engine) -> TrackerOutlet:
    board = needed(tracker.parts.checkpoints, tracker, Part.CHECKPOINTS)
    return TrackerOutlet(board=board, database=database)


def _usable(make: Callable[[], Outlet]) -> Sequence[Outlet]:
    try:
        return (make(),)
    except SettingsError as error:
        # The other ways out are all the more needed.
        log.warning("checkpoint_outlet_unusable", error=str(error))
        return ()
