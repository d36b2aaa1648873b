"""What was taken from outside, so that the same is never taken twice."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from haikei.database import web_deliveries

_columns = web_deliveries.c


def take_once(connection: Connection, keys: Collection[str], now: datetime) -> set[str]:
    """Note that these are taken, in the caller's transaction; return those that are new."""
    wanted = set(keys)
    if not wanted:
        return set()
    known = set(connection.execute(select(_columns.key).where(_columns.key.in_(wanted))).scalars())
    new = sorted(wanted - known)
    if not new:
        return set()
    # On databases with several writers, two requests may have found the same key to be new.
    statement = _insert(connection).on_conflict_do_nothing(index_elements=["key"])
    taken = connection.execute(
        statement.returning(_columns.key), [{"key": key, "taken_at": now} for key in new]
    )
    return set(taken.scalars())


def forget_before(connection: Connection, moment: datetime) -> int:
    """Forget what is too old to be sent again; return how many."""
    return connection.execute(delete(web_deliveries).where(_columns.taken_at < moment)).rowcount


class Pruning:
    """Says now and then up to when deliveries are forgotten."""

    def __init__(self, keep: timedelta, *, every: timedelta = timedelta(minutes=5)) -> None:
        self._keep = keep
        self._every = every
        self._last: datetime | None = None

    def due(self, now: datetime) -> datetime | None:
        """Return the moment before which all is forgotten; None when it is not time yet."""
        if self._last is not None and now - self._last < self._every:
            return None
        self._last = now
        return now - self._keep


def _insert(connection: Connection) -> sqlite.Insert | postgresql.Insert:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(web_deliveries)
    return sqlite.insert(web_deliveries)
