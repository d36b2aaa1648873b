"""Ask the tracker what webhooks do not say: of which Versions a Note is, and whose project."""

import queue
import threading
from collections.abc import Callable

import structlog
from sqlalchemy import Engine

from haikei.events import Source
from haikei.review import wake
from haikei.settings import Settings
from haikei.trackers import Part, Tracker, needed
from haikei.web.webhooks.scope import Scope
from haikei.web.webhooks.webhook_dispatch import NOTHING, AffectedRows

log = structlog.get_logger()

#: Notes and replies that may wait; of more, the event log's follower finds the Versions.
WAITING = 1000


class Discussed:
    """
    A thread that asks the tracker, so that no webhook waits for it.

    Nothing is lost when it fails or falls behind: the follower of the event log reads of the same
    Notes by itself.

    Args:
        settings: the studio's.
        database: the studio's own.
        open_tracker: makes the thread's adapter of the tracker.
        scope: told which projects are heeded, at the start and when it does not know for long.
    """

    def __init__(
        self,
        settings: Settings,
        database: Engine,
        open_tracker: Callable[[Settings], Tracker],
        scope: Scope,
    ) -> None:
        self._settings = settings
        self._scope = scope
        self._database = database
        self._open_tracker = open_tracker
        self._queue: queue.Queue[AffectedRows | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._run, name="discussed", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()
        self.learn()

    def stop(self) -> None:
        """End, with what waits left undone."""
        while True:
            try:
                self._queue.put_nowait(None)
                break
            except queue.Full:
                self._drain()
        self._thread.join(timeout=self._settings.tracker.timeout)

    def ask(self, told: AffectedRows) -> None:
        """Have the Versions woken that Notes and Replies are about."""
        if told.notes or told.replies:
            self._put(told)

    def learn(self) -> None:
        """Have it asked which projects are heeded, unless that is known and no longer news."""
        if self._scope.begin():
            self._put(NOTHING)

    def _put(self, told: AffectedRows) -> None:
        try:
            self._queue.put_nowait(told)
        except queue.Full:
            log.warning("notes_left_to_event_log", waiting=WAITING)

    def _run(self) -> None:
        tracker: Tracker | None = None
        while (first := self._queue.get()) is not None:
            wanted = [first, *self._drain()]
            try:
                tracker = tracker or self._open_tracker(self._settings)
                feed = needed(tracker.parts.feed, tracker, Part.FEED)
                if any(one is NOTHING for one in wanted):
                    self._scope.learn(feed.projects())
                notes = {note for one in wanted for note in one.notes}
                replies = {reply for one in wanted for reply in one.replies}
                if notes or replies:
                    versions = feed.discussed(notes=sorted(notes), replies=sorted(replies))
                    with self._database.begin() as connection:
                        wake(connection, versions, source=Source.WEBHOOK)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next Notes are to be asked about
                log.warning("notes_left_to_event_log", error=str(error), kind=type(error).__name__)
        if tracker is not None:
            tracker.close()

    def _drain(self) -> list[AffectedRows]:
        found: list[AffectedRows] = []
        while True:
            try:
                one = self._queue.get_nowait()
            except queue.Empty:
                return found
            if one is None:
                self._queue.put_nowait(None)
                return found
            found.append(one)
