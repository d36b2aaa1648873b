"""What deliveries lead to: rows to be looked at, and nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from haikei.events import Source
from haikei.review import wake
from haikei.settings import Settings
from haikei.sources.eventlog import cursor
from haikei.sources.eventlog.feed_rows import FeedRows
from haikei.web.webhooks.deliveries import Delivery

#: Fields of a Version that people decide or write in.
_DECIDING = frozenset({"", "sg_status_list", "notes", "open_notes"})


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
        number = one.entity_id
        if number is None:
            continue
        match one.entity_type:
            case "Version" if one.operation != "delete" and one.attribute in _DECIDING:
                versions.add(number)
            case "Note":
                linked = {id_ for kind, id_ in one.links if kind == "Version"}
                versions |= linked
                if not linked:
                    notes.add(number)
            case "Reply":
                replies.add(number)
            case "PublishedFile" if one.operation != "delete":
                files.add(number)
            case _:
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
