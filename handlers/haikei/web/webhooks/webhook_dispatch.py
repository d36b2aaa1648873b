"""What deliveries lead to: rows to be looked at, and nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from haikei.events import Source
from haikei.review import wake
from haikei.settings import Settings
from haikei.sources.eventlog import cursor
from haikei.sources.eventlog.feed_rows import FeedRows
from haikei.trackers import Delivery, EventKind


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectedRows:
    """The rows that deliveries are about."""

    versions: frozenset[int]
    notes: frozenset[int]  #: whose Versions are not said
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

    def act(self, connection: Connection, told: AffectedRows) -> None:
        """Wake the reviewer and the event log's follower, in the caller's transaction."""
        wake(connection, told.versions, source=Source.WEBHOOK)
        if told.files and (progress := cursor.load(connection, self._feed)) is not None:
            self._rows.expect(connection, told.files, progress.clock)
