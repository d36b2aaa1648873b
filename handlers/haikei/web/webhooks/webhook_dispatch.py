"""
What deliveries lead to: rows to be looked at, and nothing else.

Only deliveries of the studio's projects are heeded. The tracker is asked what webhooks do not say:
of which Versions a Note is, and whose project.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, Engine

from haikei.events import Source
from haikei.review.deciding import wake
from haikei.settings import Settings
from haikei.sources.eventlog import cursor
from haikei.sources.eventlog.feed_rows import FeedRows
from haikei.trackers import Delivery, EventKind, Part, Tracker, needed


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectedRows:
    """The rows that deliveries are about."""

    versions: frozenset[int]
    notes: frozenset[int]  #: whose Versions are not named
    replies: frozenset[int]
    files: frozenset[int]  #: PublishedFiles

    def __bool__(self) -> bool:
        return bool(self.versions or self.notes or self.replies or self.files)


NOTHING = AffectedRows(
    versions=frozenset(), notes=frozenset(), replies=frozenset(), files=frozenset()
)


def affected_by(deliveries: Iterable[Delivery]) -> AffectedRows:
    """Return what is to be looked at; what says nothing to us is left out."""
    versions: set[int] = set()
    notes: set[int] = set()
    replies: set[int] = set()
    files: set[int] = set()
    for one in deliveries:
        if one.row is None:
            continue
        match one.kind:
            case EventKind.VERSION_CHANGED:
                versions.add(one.row)
            case EventKind.NOTE_CHANGED if one.versions:
                versions.update(one.versions)
            case EventKind.NOTE_CHANGED:
                notes.add(one.row)
            case EventKind.REPLY_CHANGED:
                replies.add(one.row)
            case EventKind.FILE_PUBLISHED | EventKind.FILE_CHANGED:
                files.add(one.row)
            case EventKind.OTHER:
                pass
    return AffectedRows(
        versions=frozenset(versions),
        notes=frozenset(notes),
        replies=frozenset(replies),
        files=frozenset(files),
    )


class Waking:
    """
    Wakes those who look at rows. Whether a row is ours, and what it says, they read themselves.

    Args:
        settings: the studio's.
        feed: the name of the tracker's event log, as its follower knows it.
    """

    def __init__(self, settings: Settings, feed: str) -> None:
        self._feed = feed
        patience = max(settings.events.overlap, settings.events.gap_deadline)
        self._rows = FeedRows(feed, patience)

    def act(self, connection: Connection, affected: AffectedRows) -> None:
        """Wake the reviewer and the event log's follower, in the caller's transaction."""
        wake(connection, affected.versions, source=Source.WEBHOOK)
        if affected.files and (progress := cursor.load(connection, self._feed)) is not None:
            self._rows.expect(connection, affected.files, progress.clock)


#: Seconds for which an answer of the tracker is believed, when a delivery is of another project.
BELIEVED = 60.0


class Scope:
    """
    What the tracker knows of the projects in `tracker.projects`.

    Until it has answered every delivery is heeded: whoever is woken by it looks at the
    project again.
    """

    def __init__(self, settings: Settings) -> None:
        self._limited = bool(settings.tracker.projects)
        self._ours: frozenset[int] | None = None
        self._asked_at: float | None = None
        self._lock = threading.Lock()

    def elsewhere(self, project: int | None) -> bool:
        """Tell whether a delivery of this project is to be answered and left alone."""
        ours = self._ours
        return project is not None and ours is not None and project not in ours

    def begin(self) -> bool:
        """Tell whether the tracker is to be asked now; whoever asks this does so."""
        if not self._limited:
            return False
        with self._lock:
            now = time.monotonic()
            if self._asked_at is not None and now - self._asked_at < BELIEVED:
                return False
            self._asked_at = now
            return True

    def learn(self, ours: frozenset[int] | None) -> None:
        """Take over which projects are heeded."""
        self._ours = ours


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
        scope: asked which projects are heeded, at the start and when it does not know for long.
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

    def ask(self, affected: AffectedRows) -> None:
        """Have the Versions woken that Notes and Replies are about."""
        if affected.notes or affected.replies:
            self._put(affected)

    def learn(self) -> None:
        """Have it asked which projects are heeded, unless that is known and no longer news."""
        if self._scope.begin():
            self._put(NOTHING)

    def _put(self, affected: AffectedRows) -> None:
        try:
            self._queue.put_nowait(affected)
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
