"""List entries for people: a page of them, or those that a text is found in."""

from collections.abc import Sequence

from sqlalchemy import Connection, or_, select

from haikei.database import ledger
from haikei.ledger.entry import Entry, entry_of


def list_entries(
    connection: Connection, *, start: int | None = None, limit: int = 50, about: str = ""
) -> Sequence[Entry]:
    """
    Return entries in order.

    Args:
        connection: where to read.
        start: the first one; by default the newest ones are returned.
        limit: the most entries.
        about: only those whose record or key contains this text.
    """
    query = select(ledger).limit(limit)
    if about:
        row = ledger.c
        query = query.where(
            or_(
                row.payload.contains(about, autoescape=True),
                row.key.contains(about, autoescape=True),
            )
        )
    if start is None:
        rows = connection.execute(query.order_by(ledger.c.seq.desc())).mappings().all()
        return [entry_of(row) for row in reversed(rows)]
    query = query.where(ledger.c.seq >= start).order_by(ledger.c.seq)
    return [entry_of(row) for row in connection.execute(query).mappings()]
