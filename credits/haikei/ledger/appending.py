"""Append to the ledger: each record once, in one order, with the tree growing beside it."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, insert, select

from haikei.database import ledger, ledger_nodes, utc_now
from haikei.errors import LedgerError
from haikei.ledger.entry import Entry, entry_of, size
from haikei.ledger.nodes import StoredTree
from haikei.ledger.tree import leaf_hash

#: Keys looked up in one query; SQLite's limit of variables is far above.
_LOOKED_UP = 500
#: The advisory lock under which appenders on PostgreSQL queue, as they do on SQLite.
_LOCK = 7741_6962


def append(connection: Connection, *, key: str, payload: str) -> Entry:
    """
    Seal a record; the same key again returns the entry that stands already.

    The caller's transaction must be one that writes, so that two appenders queue.

    Raises:
        LedgerError: another record stands under this key.
    """
    return append_many(connection, ((key, payload),))[0]


def append_many(connection: Connection, records: Sequence[tuple[str, str]]) -> tuple[Entry, ...]:
    """
    Seal records, given as key and canonical JSON; return their entries in the same order.

    Keys that stand already are left as they are. The caller's transaction must be one that
    writes, so that two appenders queue; it either keeps all records or none.

    Raises:
        LedgerError: another record stands under one of the keys.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    standing = _standing(connection, [key for key, _ in records])
    tree = StoredTree(connection).frontier(size(connection))
    now = utc_now()
    rows: list[dict[str, object]] = []
    nodes: list[dict[str, int | bytes]] = []
    for key, payload in records:
        found = standing.get(key)
        if found is not None:
            _same(found, payload)
            continue
        leaf = leaf_hash(payload)
        entry = Entry(seq=tree.size, key=key, leaf=leaf, payload=payload, appended_at=now)
        standing[key] = entry
        rows.append(
            {"seq": entry.seq, "key": key, "leaf": leaf, "payload": payload, "appended_at": now}
        )
        nodes += [
            {"level": level, "idx": index, "hash": value}
            for level, index, value in tree.append(leaf)
        ]
    if rows:
        connection.execute(insert(ledger), rows)
    if nodes:
        connection.execute(insert(ledger_nodes), nodes)
    return tuple(standing[key] for key, _ in records)


def _standing(connection: Connection, keys: Sequence[str]) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for start in range(0, len(keys), _LOOKED_UP):
        query = select(ledger).where(ledger.c.key.in_(keys[start : start + _LOOKED_UP]))
        for row in connection.execute(query).mappings():
            found[row["key"]] = entry_of(row)
    return found


def _same(entry: Entry, payload: str) -> None:
    if entry.payload != payload:
        raise LedgerError(
            f"The ledger holds another record under {entry.key!r} (entry {entry.seq}).",
            advice="Records are never replaced; append a correction under its own key.",
        )
