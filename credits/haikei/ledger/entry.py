"""Entries of the ledger: sealed records, in the order in which they were sealed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, select

from haikei.database import ledger
from haikei.errors import LedgerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One sealed record."""

    seq: int  #: 0, 1, 2 … without gaps
    key: str  #: ours; a record is appended once
    leaf: bytes  #: SHA-256 of 0x00 and the payload, as in RFC 6962
    payload: str  #: canonical JSON
    appended_at: datetime  #: by this machine's clock; not sealed


def size(connection: Connection) -> int:
    """Return how many entries there are."""
    last: int | None = connection.execute(select(func.max(ledger.c.seq))).scalar_one()
    return 0 if last is None else last + 1


def entry(connection: Connection, seq: int) -> Entry:
    """
    Return one entry.

    Raises:
        LedgerError: there is none of that number.
    """
    found = connection.execute(select(ledger).where(ledger.c.seq == seq)).mappings().first()
    if found is None:
        raise LedgerError(
            f"The ledger has no entry {seq}.", advice="`haikei ledger log` lists what there is."
        )
    return entry_of(found)


def entries(connection: Connection, *, start: int = 0) -> Iterator[Entry]:
    """Yield entries in order, from `start` on; nothing else may write in this transaction."""
    query = select(ledger).where(ledger.c.seq >= start).order_by(ledger.c.seq)
    for row in connection.execute(query.execution_options(yield_per=1000)).mappings():
        yield entry_of(row)


def entry_of(row: RowMapping) -> Entry:
    """Return a row of the ledger's table as an entry."""
    return Entry(
        seq=row["seq"],
        key=row["key"],
        leaf=bytes(row["leaf"]),
        payload=row["payload"],
        appended_at=row["appended_at"],
    )
