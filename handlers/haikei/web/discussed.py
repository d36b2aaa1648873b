"""Find the Versions that Notes and Replies are about, soon after a webhook told of them."""

import queue
import threading
from collections.abc import Callable

import structlog
from sqlalchemy import Engine

from haikei.events import Source
from haikei.review import wake
from haikei.settings import Settings
from haikei.web.site import SiteFeed
from haikei.web.waking import Told

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
        open_feed: makes the thread's connection to the tracker.
    """

    def __init__(
        self,
        settings: Settings,
        database: Engine,
        open_feed: Callable[[Settings], SiteFeed],
    ) -> None:
        self._settings = settings
        self._database = database
        self._open_feed = open_feed
        self._queue: queue.Queue[Told | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._run, name="discussed", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, with what waits left undone."""
        while True:
            try:
                self._queue.put_nowait(None)
                break
            except queue.Full:
                self._drain()
        self._thread.join(timeout=self._settings.tracker.timeout)

    def ask(self, told: Told) -> None:
        """Have the Versions woken that Notes and Replies are about."""
        if not told.notes and not told.replies:
            return
        try:
            self._queue.put_nowait(told)
        except queue.Full:
            log.warning("notes_left_to_event_log", waiting=WAITING)

    def _run(self) -> None:
        feed: SiteFeed | None = None
        while (first := self._queue.get()) is not None:
            wanted = [first, *self._drain()]
            try:
                feed = feed or self._open_feed(self._settings)
                versions = feed.discussed(
                    notes=sorted({note for one in wanted for note in one.notes}),
                    replies=sorted({reply for one in wanted for reply in one.replies}),
                )
                with self._database.begin() as connection:
                    wake(connection, versions, source=Source.WEBHOOK)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next Notes are to be asked about
                log.warning("notes_left_to_event_log", error=str(error), kind=type(error).__name__)
        if feed is not None:
            feed.close()

    def _drain(self) -> list[Told]:
        found: list[Told] = []
        while True:
            try:
                one = self._queue.get_nowait()
            except queue.Empty:
                return found
            if one is None:
                self._queue.put_nowait(None)
                return found
            found.append(one)
