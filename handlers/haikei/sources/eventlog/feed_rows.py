"""
The rows that events or queries announced, and what became of them.

Of published files, each row is followed; of versions and notes, a reviewer looks at the version.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, delete, func, select, update

from haikei.database import feed_rows, inserting, jobs, utc_now
from haikei.events import Source
from haikei.trackers import EventKind, FeedEvent, TrackerFeed


class RowState(StrEnum):
    """What is known of a row."""

    WAITING = "waiting"  #: to be read, or read again
    PUBLISHED = "published"  #: its layout was announced
    REFUSED = "refused"  #: it is among the dead letters


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRow:
    """A row that is to be read."""

    id: int
    source: Source
    look_at: float  #: on the feed's clock
    deadline: float  #: on the feed's clock; what is not ready by then is refused


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledRow:
    """What became of a row."""

    id: int
    state: RowState
    key: str  #: of the event or the dead letter
    source: Source


class FeedRows:
    """
    The rows of one feed.

    Args:
        feed: the feed's name.
        patience: seconds, while the site answers, for which a row may be incomplete.
    """

    def __init__(self, feed: str, patience: float) -> None:
        self._feed = feed
        self._patience = patience

    def expect(self, connection: Connection, ids: Collection[int], clock: float) -> None:
        """Have rows read that an event announced, known or not."""
        if not ids:
            return
        values = self._waiting(clock)
        statement = inserting(connection, feed_rows).on_conflict_do_update(
            index_elements=["feed", "row_id"], set_=values
        )
        source = Source.EVENT_LOG.value
        connection.execute(
            statement,
            [
                {"feed": self._feed, "row_id": row, "source": source, "key": "", **values}
                for row in sorted(ids)
            ],
        )

    def expect_unknown(
        self, connection: Connection, ids: Collection[int], clock: float, source: Source
    ) -> int:
        """Have those rows read that are not known yet; return how many."""
        known = set(
            connection.execute(
                select(feed_rows.c.row_id).where(feed_rows.c.feed == self._feed)
            ).scalars()
        )
        new = sorted(set(ids) - known)
        if new:
            values = {"feed": self._feed, "source": source.value, "key": "", **self._waiting(clock)}
            connection.execute(
                inserting(connection, feed_rows).on_conflict_do_nothing(
                    index_elements=["feed", "row_id"]
                ),
                [{"row_id": row, **values} for row in new],
            )
        return len(new)

    def due(self, connection: Connection, clock: float, limit: int) -> Sequence[WaitingRow]:
        """Return rows that are to be read now, those first that have waited longest."""
        found = connection.execute(
            select(feed_rows)
            .where(
                feed_rows.c.feed == self._feed,
                feed_rows.c.state == RowState.WAITING.value,
                feed_rows.c.look_at <= clock,
            )
            .order_by(feed_rows.c.look_at, feed_rows.c.row_id)
            .limit(limit)
        )
        return [
            WaitingRow(
                id=row.row_id,
                source=Source(row.source),
                look_at=row.look_at,
                deadline=row.deadline,
            )
            for row in found
        ]

    def refusals(self, connection: Connection, ids: Collection[int]) -> Mapping[int, str]:
        """Return the dead letters of those rows that were refused before."""
        found = connection.execute(
            select(feed_rows.c.row_id, feed_rows.c.key)
            .join(jobs, jobs.c.key == feed_rows.c.key)
            .where(
                feed_rows.c.feed == self._feed,
                feed_rows.c.row_id.in_(list(ids)),
                jobs.c.event_key == jobs.c.key,
                jobs.c.order_json == "",
            )
        )
        return {row.row_id: row.key for row in found}

    def waiting(self, connection: Connection) -> int:
        """Return how many rows are still to be read."""
        return connection.execute(
            select(func.count())
            .select_from(feed_rows)
            .where(feed_rows.c.feed == self._feed, feed_rows.c.state == RowState.WAITING.value)
        ).scalar_one()

    def settle(self, connection: Connection, settled: Sequence[SettledRow]) -> None:
        """Note what became of rows."""
        if not settled:
            return
        statement = inserting(connection, feed_rows)
        changed = ("state", "source", "key", "updated_at")
        now = utc_now()
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["feed", "row_id"],
                set_={name: statement.excluded[name] for name in changed},
            ),
            [
                {
                    "feed": self._feed,
                    "row_id": row.id,
                    "state": row.state.value,
                    "source": row.source.value,
                    "look_at": 0.0,
                    "deadline": 0.0,
                    "key": row.key,
                    "updated_at": now,
                }
                for row in settled
            ],
        )

    def put_off(self, connection: Connection, ids: Collection[int], look_at: float) -> None:
        """Have rows read again at `look_at`."""
        self._update(connection, ids, look_at=look_at)

    def forget(self, connection: Connection, ids: Collection[int]) -> None:
        """Forget rows that are no layouts."""
        if ids:
            connection.execute(
                delete(feed_rows).where(feed_rows.c.feed == self._feed, feed_rows.c.row_id.in_(ids))
            )

    def forget_before(self, connection: Connection, moment: datetime) -> None:
        """Forget announced layouts that no reconciliation reaches any more."""
        connection.execute(
            delete(feed_rows).where(
                feed_rows.c.feed == self._feed,
                feed_rows.c.state == RowState.PUBLISHED.value,
                feed_rows.c.updated_at < moment,
            )
        )

    def look_again(self, connection: Connection, clock: float) -> None:
        """Have refused rows read again whose dead letters a person has sent back."""
        dead = select(jobs.c.key).where(jobs.c.key == feed_rows.c.key)
        connection.execute(
            update(feed_rows)
            .where(
                feed_rows.c.feed == self._feed,
                feed_rows.c.state == RowState.REFUSED.value,
                ~dead.exists(),
            )
            .values(**self._waiting(clock))
        )

    def _waiting(self, clock: float) -> dict[str, object]:
        return {
            "state": RowState.WAITING.value,
            "look_at": clock,
            "deadline": clock + self._patience,
            "updated_at": utc_now(),
        }

    def _update(self, connection: Connection, ids: Collection[int], **values: float) -> None:
        if ids:
            connection.execute(
                update(feed_rows)
                .where(feed_rows.c.feed == self._feed, feed_rows.c.row_id.in_(ids))
                .values(**values)
            )


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
    """Return the heeded events of others than ourselves since then."""
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
