"""
Entries of the ledger: appended once, in one order, with the stored tree growing
beside them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, insert, or_, select, tuple_

from haikei.database import ledger, ledger_nodes, utc_now
from haikei.errors import LedgerError
from haikei.ledger.tree import (
    Frontier,
    consistency_path,
    inclusion_path,
    leaf_hash,
    peak_places,
    root_of,
)


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


class StoredTree:
    """
    Roots and proofs from stored hashes, which nobody has checked: an audit does that.

    Hashes that were read are remembered, so one object proves many entries cheaply.

    Args:
        connection: one that sees the tree at one moment.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[int, int], bytes] = {}

    def root(self, size: int) -> bytes:
        """
        Return the root over the first `size` entries.

        Raises:
            LedgerError: the ledger lacks some of them.
        """
        self._fetch(peak_places(size))
        return root_of(size, self._subtree)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """
        Return the proof that an entry is among the first `size`.

        Raises:
            LedgerError: the ledger lacks some of them.
            ValueError: it is not among them.
        """
        places: list[tuple[int, int]] = []
        inclusion_path(index, size, _noting(places))
        self._fetch(places)
        return inclusion_path(index, size, self._subtree)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """
        Return the proof that the first `new` entries begin with the first `old`.

        Raises:
            LedgerError: the ledger lacks some of them.
            ValueError: the older tree is larger.
        """
        places: list[tuple[int, int]] = []
        consistency_path(old, new, _noting(places))
        self._fetch(places)
        return consistency_path(old, new, self._subtree)

    def frontier(self, size: int) -> Frontier:
        """
        Return what is needed to append after the first `size` entries.

        Raises:
            LedgerError: the ledger lacks some of them.
        """
        places = peak_places(size)
        self._fetch(places)
        return Frontier(size, [self._subtree(level, index) for level, index in places])

    def _subtree(self, level: int, index: int) -> bytes:
        try:
            return self._known[level, index]
        except KeyError:
            raise LedgerError(
                f"The ledger lacks the node {index} of level {level}.",
                advice="Run `haikei ledger verify`.",
            ) from None

    def _fetch(self, places: list[tuple[int, int]]) -> None:
        wanted = [place for place in places if place not in self._known]
        leaves = [index for level, index in wanted if level == 0]
        nodes = [place for place in wanted if place[0]]
        if leaves:
            query = select(ledger.c.seq, ledger.c.leaf).where(ledger.c.seq.in_(leaves))
            for seq, leaf in self._connection.execute(query):
                self._known[0, seq] = bytes(leaf)
        if nodes:
            place = tuple_(ledger_nodes.c.level, ledger_nodes.c.idx)
            found = select(ledger_nodes).where(or_(*(place == one for one in nodes)))
            for level, index, value in self._connection.execute(found):
                self._known[level, index] = bytes(value)


def _noting(places: list[tuple[int, int]]) -> "_Noting":
    return _Noting(places)


class _Noting:
    """A subtree that only notes what was asked for."""

    def __init__(self, places: list[tuple[int, int]]) -> None:
        self._places = places

    def __call__(self, level: int, index: int) -> bytes:
        self._places.append((level, index))
        return b""


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
