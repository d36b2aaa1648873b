"""
Wakes: versions that somebody told us to look at, one row each, however many told.

A wake says nothing of what happened. It is given back only when nobody woke the version again
while it was being looked at.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, case, delete, select, update

from haikei.database import inserting, review_wakes, utc_now
from haikei.events import Source

#: Seconds in which a reviewer that took a wake is expected to be done; then another takes it.
LEASE = 60.0
#: Seconds before a version is looked at again after a failure, doubled up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 300.0
_columns = review_wakes.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """A wake that this reviewer took."""

    version: int
    attempts: int  #: failures so far
    asked_at: datetime
    until: datetime  #: when another reviewer may take it


def wake(
    connection: Connection, versions: Collection[int], *, source: Source, after: float = 0.0
) -> int:
    """
    Ask that these Versions be looked at, in the caller's transaction; return how many they are.

    Args:
        connection: to the studio's database.
        versions: ids in the tracker; those that are not ours are found to be so and forgotten.
        source: who tells.
        after: seconds to wait; an earlier wake of the same version stays as early as it was.
    """
    now = utc_now()
    look_at = now + timedelta(seconds=after)
    rows = [
        {
            "version_id": version,
            "source": source.value,
            "asked_at": now,
            "look_at": look_at,
            "attempts": 0,
            "error": "",
        }
        for version in sorted(set(versions))
    ]
    if not rows:
        return 0
    statement = inserting(connection, review_wakes)
    told = statement.excluded
    earlier = case((_columns.look_at < told.look_at, _columns.look_at), else_=told.look_at)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["version_id"],
            set_={"source": told.source, "asked_at": told.asked_at, "look_at": earlier},
        ),
        rows,
    )
    return len(rows)


def take(connection: Connection, *, now: datetime, limit: int) -> Sequence[Wake]:
    """Take wakes that are due, the longest due first; no other reviewer takes them meanwhile."""
    until = now + timedelta(seconds=LEASE)
    due = connection.execute(
        select(review_wakes).where(_columns.look_at <= now).order_by(_columns.look_at).limit(limit)
    ).all()
    taken: list[Wake] = []
    for row in due:
        one = Wake(
            version=row.version_id, attempts=row.attempts, asked_at=row.asked_at, until=row.look_at
        )
        if _change(connection, one, look_at=until):
            taken.append(
                Wake(version=one.version, attempts=one.attempts, asked_at=one.asked_at, until=until)
            )
    return taken


def done(connection: Connection, one: Wake) -> None:
    """Forget a wake, unless the version was woken again since it was taken."""
    connection.execute(delete(review_wakes).where(_still(one)))


def look_again(connection: Connection, one: Wake, at: datetime) -> None:
    """Put a wake back until then, unless the version was woken again since it was taken."""
    _change(connection, one, look_at=at, attempts=0, error="")


def put_off(
    connection: Connection, one: Wake, *, now: datetime, error: str, retry_after: float | None
) -> None:
    """Put a wake back because it failed; each time longer."""
    pause = retry_after or min(FIRST_PAUSE * 2**one.attempts, LONGEST_PAUSE)
    _change(
        connection,
        one,
        look_at=now + timedelta(seconds=pause),
        attempts=min(one.attempts + 1, 30),
        error=error,
    )


def _still(one: Wake) -> ColumnElement[bool]:
    return (
        (_columns.version_id == one.version)
        & (_columns.asked_at == one.asked_at)
        & (_columns.look_at == one.until)
    )


def _change(connection: Connection, one: Wake, **values: object) -> bool:
    return (
        connection.execute(update(review_wakes).where(_still(one)).values(**values)).rowcount == 1
    )
