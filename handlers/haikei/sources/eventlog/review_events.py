"""What people say about versions: the events after which a reviewer must look at one."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from haikei.trackers import EventKind, FeedEvent, TrackerFeed


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """Rows by which people may have decided something."""

    versions: frozenset[int]  #: whose status was set
    notes: frozenset[int]  #: written or changed
    replies: frozenset[int]

    def about(self, feed: TrackerFeed) -> Sequence[int]:
        """
        Return the Versions that the Notes and Replies are about, in one call for all of them.

        Raises:
            TrackerError: the tracker does not answer, or refuses.
        """
        if not self.notes and not self.replies:
            return ()
        return feed.discussed(notes=sorted(self.notes), replies=sorted(self.replies))


def talk_in(events: Iterable[FeedEvent], *, since: datetime) -> Talk:
    """Return what others than ourselves said in these heeded events since then."""
    found: dict[EventKind, set[int]] = defaultdict(set)
    for event in events:
        heeded = not event.by_us and not event.elsewhere and event.created_at >= since
        if heeded and event.row is not None:
            found[event.kind].add(event.row)
    return Talk(
        versions=frozenset(found[EventKind.VERSION_CHANGED]),
        notes=frozenset(found[EventKind.NOTE_CHANGED]),
        replies=frozenset(found[EventKind.REPLY_CHANGED]),
    )
