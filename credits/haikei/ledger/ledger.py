"""Append to the ledger, read it, and check that nothing in it was changed."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from haikei.database import ledger, utc_now
from haikei.errors import LedgerError

_GENESIS = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One sealed record."""

    seq: int  #: 0, 1, 2 … without gaps
    key: str  #: ours; a record is appended once
    leaf: str  #: SHA-256 of 0x00 and the payload, as in RFC 6962
    chain: str  #: SHA-256 of 0x01, the chain before, and the leaf
    payload: str  #: canonical JSON
    appended_at: datetime


def append(connection: Connection, *, key: str, payload: str) -> Entry:
    """
    Seal a record; the same key again returns the entry that stands already.

    The caller's transaction must be one that writes, so that two appenders queue.

    Raises:
        LedgerError: another record stands under this key.
    """
    found = connection.execute(select(ledger).where(ledger.c.key == key)).mappings().first()
    if found is not None:
        entry = Entry(**dict(found))
        if entry.payload != payload:
            raise LedgerError(
                f"The ledger holds another record under {key!r} (entry {entry.seq}).",
                advice="Records are never replaced; append a correction under its own key.",
            )
        return entry
    last = connection.execute(
        select(ledger.c.seq, ledger.c.chain).order_by(ledger.c.seq.desc()).limit(1)
    ).first()
    leaf = _leaf(payload)
    entry = Entry(
        seq=0 if last is None else last.seq + 1,
        key=key,
        leaf=leaf,
        chain=_link(_GENESIS if last is None else last.chain, leaf),
        payload=payload,
        appended_at=utc_now(),
    )
    connection.execute(
        insert(ledger).values(
            seq=entry.seq,
            key=entry.key,
            leaf=entry.leaf,
            chain=entry.chain,
            payload=entry.payload,
            appended_at=entry.appended_at,
        )
    )
    return entry


def entries(connection: Connection, *, start: int = 0) -> Iterator[Entry]:
    """Yield entries in order."""
    rows = connection.execute(select(ledger).where(ledger.c.seq >= start).order_by(ledger.c.seq))
    for row in rows.mappings():
        yield Entry(**dict(row))


def verify(connection: Connection) -> int:
    """
    Recompute every hash from the payloads and return the number of entries.

    Raises:
        LedgerError: an entry was changed, removed or inserted; the message names the first.
    """
    chain = _GENESIS
    count = 0
    for entry in entries(connection):
        leaf = _leaf(entry.payload)
        chain = _link(chain, leaf)
        if entry.seq != count or entry.leaf != leaf or entry.chain != chain:
            raise LedgerError(
                f"Entry {count} of the ledger is not what was sealed.",
                advice="Restore the database from a backup and compare.",
            )
        count += 1
    total = connection.execute(select(func.count()).select_from(ledger)).scalar_one()
    if total != count:
        raise LedgerError(f"The ledger holds {total} rows, but {count} in order.")
    return count


def _leaf(payload: str) -> str:
    return hashlib.sha256(b"\0" + payload.encode()).hexdigest()


def _link(before: str, leaf: str) -> str:
    return hashlib.sha256(b"\1" + bytes.fromhex(before) + bytes.fromhex(leaf)).hexdigest()
