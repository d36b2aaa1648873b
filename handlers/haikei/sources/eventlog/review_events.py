"""What people say about versions: the events after which a reviewer must look at one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from haikei.trackers import FeedEvent, TrackerFeed

_STATUS = "sg_status_list"
_SAID = frozenset({"New", "Change"})


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
    versions: set[int] = set()
    notes: set[int] = set()
    replies: set[int] = set()
    for event in events:
        if event.entity_id is None or event.by_us or event.elsewhere or event.created_at < since:
            continue
        action = event.type.rpartition("_")[2]
        if event.entity_type == "Version":
            # A create is a storm of changes, and says nothing of a decision. A feed that does not
            # say which field changed is believed.
            if action == "Change" and not event.in_create and event.attribute in {"", _STATUS}:
                versions.add(event.entity_id)
        elif event.entity_type == "Note" and action in _SAID:
            notes.add(event.entity_id)
        elif event.entity_type == "Reply" and action in _SAID:
            replies.add(event.entity_id)
    return Talk(versions=frozenset(versions), notes=frozenset(notes), replies=frozenset(replies))
