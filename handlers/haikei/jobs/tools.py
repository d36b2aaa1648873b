"""What a worker does its steps with: opened once in a process, or once in a thread."""

import threading
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine

from haikei.database.stamp import FILE as MARK
from haikei.errors import SettingsError, SigningUnavailable, StorageUnavailable
from haikei.generators import Production
from haikei.images import Inspector, Limits
from haikei.jobs.engine.retries import Retries
from haikei.jobs.lanes import LaneKeeper
from haikei.jobs.state import know_storage
from haikei.ledger import Signer
from haikei.provenance import MarkSigner
from haikei.settings import Settings, Unnamed
from haikei.storage import Storage
from haikei.trackers import Tracker, load_tracker


class Tools:
    """
    Settings, database, storage and all that steps need; tools that cost are made when asked for.

    Args:
        settings: the studio's.
        database: the studio's own.
        stop: set when the worker shall stop.
        device: what pictures are made on.
        production: what makes them; by default the studio's generators on that device.
        inspector: opens foreign files; by default one of its own, which ends with it.
        open_tracker: makes a thread's tracker adapter.
    """

    def __init__(
        self,
        settings: Settings,
        database: Engine,
        stop: threading.Event,
        *,
        device: str = "cpu",
        production: Production | None = None,
        inspector: Inspector | None = None,
        open_tracker: Callable[[Settings], Tracker] = load_tracker,
    ) -> None:
        self.settings = settings
        self.database = database
        self.stop = stop
        self.storage = Storage(settings)
        self.signer = Signer(settings)
        self.limits = Limits.from_settings(settings.watch)
        self.inspector = inspector or Inspector(self.limits)
        self._owned = None if inspector else self.inspector
        self.retries = Retries(attempts=settings.engine.attempts, backoff=settings.engine.backoff)
        self.lanes = LaneKeeper(database, settings.engine.backoff)
        self._threads = threading.local()
        self._lock = threading.Lock()
        self._marks: MarkSigner | None = None
        self._storage_known = False
        self.production = production or Production(settings, device=device)
        self._open_tracker = open_tracker

    def tracker(self) -> Tracker:
        """Return this thread's tracker adapter."""
        found: Tracker | None = getattr(self._threads, "tracker", None)
        if found is None:
            found = self._open_tracker(self.settings)
            self._threads.tracker = found
        return found

    def reopen(self) -> None:
        """Open what has a key anew at its next use, as that may be another then."""
        with self._lock:
            self._marks = None
        found: Tracker | None = getattr(self._threads, "tracker", None)
        self._threads.tracker = None
        if found is not None:
            found.close()

    def require_storage(self) -> None:
        """
        Do nothing where what jobs work on is mounted.

        Raises:
            StorageUnavailable: it is away.
        """
        if not self._storage_known:
            know_storage(self.storage, self.settings, self.database)
            self._storage_known = True
        self.storage.require_root()
        work = self.settings.work_folder
        shared = work.is_relative_to(self.settings.storage.roots[0].path)
        # Whoever lost the storage while making a folder has left one where it will be mounted.
        if shared and not (work / MARK).is_file():
            raise StorageUnavailable(
                f"The folder {work} is not there, or is not this studio's.",
                advice="Mount the storage, or correct studio.work in the settings.",
            )

    def marks(self) -> MarkSigner:
        """
        Return what signs files; a process that signs none never loads it.

        Raises:
            SigningUnavailable: the studio's certificate or key cannot be used; no job can.
        """
        with self._lock:
            if self._marks is None:
                try:
                    self._marks = MarkSigner.from_settings(self.settings)
                except SettingsError as error:
                    raise SigningUnavailable(error.message, advice=error.advice) from error
            return self._marks

    @property
    def unnamed(self) -> bool:
        """Whether the studio allows layouts for which nobody is named."""
        return self.settings.policy.unnamed_layouts is Unnamed.ALLOW

    def folder(self, key: str) -> Path:
        """Return a job's own folder, which may not be there yet."""
        return self.folders / key

    @property
    def folders(self) -> Path:
        """Where the jobs' folders are."""
        return self.settings.work_folder / "jobs"

    def close(self) -> None:
        """End child processes."""
        if self._owned is not None:
            self._owned.close()
