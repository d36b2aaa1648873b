"""Recompute the whole tree from the payloads, trusting no stored hash."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import ClauseElement, Connection, func, select

from haikei.database import ledger, ledger_nodes
from haikei.errors import StateError
from haikei.ledger.entry import size
from haikei.ledger.tree import node_hash, parents, root_of

#: Entries that are read and hashed at a time: 2 ** _LEVEL.
_LEVEL = 14
_CHUNK = 1 << _LEVEL
#: Findings that are kept; a rewritten ledger would give one for every row.
_KEPT = 50

Tell = Callable[[int, int], None]  #: called with entries done and entries in all


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """What the rows give, and where stored hashes say otherwise."""

    size: int  #: entries up to the first gap: all of them, in a ledger that is whole
    root: bytes
    roots: dict[int, bytes]  #: of the sizes that were asked for and are there
    findings: tuple[str, ...]  #: the first 50


def recompute(
    connection: Connection, *, sizes: Collection[int] = (), tell: Tell | None = None
) -> Recomputed:
    """
    Return what the payloads of all entries give: the root now, and the roots at some sizes.

    Memory hardly grows with the ledger. The connection should see one moment: `reading` gives
    that on SQLite; elsewhere entries that are added meanwhile are left out.

    Args:
        connection: where to read.
        sizes: numbers of first entries whose roots are wanted too.
        tell: called with the progress.

    Raises:
        StateError: the database cannot be read.
    """
    total = size(connection)
    course = _Course(connection, total=total, sizes=sizes)
    for start in range(0, total, _CHUNK):
        whole = course.take(start, min(start + _CHUNK, total))
        if tell is not None:
            tell(course.size, total)
        if not whole:
            break
    else:
        course.compare_rest()
    return Recomputed(
        size=course.size,
        root=root_of(course.size, course.subtree),
        roots={at: root for at, root in course.roots.items() if at in sizes},
        findings=tuple(course.findings[:_KEPT]),
    )


class _Course:
    """One pass over the rows, in chunks of complete subtrees."""

    def __init__(self, connection: Connection, *, total: int, sizes: Collection[int]) -> None:
        self._connection = connection
        self._total = total
        self._sizes = sorted(sizes)
        self._start = 0
        self._levels: list[list[bytes]] = [[]]  #: of the present chunk, leaves first
        self._upper: dict[tuple[int, int], bytes] = {}  #: complete subtrees from _LEVEL upwards
        self.size = 0
        self.findings: list[str] = []
        self.roots: dict[int, bytes] = {0: root_of(0, self.subtree)}

    def subtree(self, level: int, index: int) -> bytes:
        """Return a complete subtree of the entries that were taken."""
        if level >= _LEVEL:
            return self._upper[level, index]
        return self._levels[level][index - (self._start >> level)]

    def take(self, start: int, end: int) -> bool:
        """Read, hash and compare a chunk; False when it has a gap, which ends the comparison."""
        query = (
            select(ledger.c.seq, ledger.c.leaf, ledger.c.payload)
            .where(ledger.c.seq >= start, ledger.c.seq < end)
            .order_by(ledger.c.seq)
        )
        rows = self._rows(query)
        gap = next((at for at, row in enumerate(rows, start) if row[0] != at), start + len(rows))
        rows = rows[: gap - start]
        leaves = [sha256(b"\0" + row[2].encode()).digest() for row in rows]
        self._compare_leaves(start, [row[1] for row in rows], leaves)
        self._start, self._levels, self.size = start, [leaves], gap
        while len(self._levels[-1]) > 1:
            self._levels.append(parents(self._levels[-1]))
        for level, hashes in enumerate(self._levels[1:], start=1):
            self._compare_level(level, start >> level, hashes)
        if len(self._levels) > _LEVEL:
            self._grow(start >> _LEVEL, self._levels[_LEVEL][0])
        for at in self._sizes:
            if start < at <= gap:
                self.roots[at] = root_of(at, self.subtree)
        if gap < end:
            self.findings.append(f"Entry {gap} is missing.")
        return gap == end

    def compare_rest(self) -> None:
        """Compare the nodes near the root, and the number of all."""
        query = select(ledger_nodes).where(ledger_nodes.c.level > _LEVEL)
        stored = {(row[0], row[1]): row[2] for row in self._connection.execute(query)}
        if stored != {place: value for place, value in self._upper.items() if place[0] > _LEVEL}:
            self.findings.append("Nodes near the root are not what the entries give.")
        counting = select(func.count()).select_from(ledger_nodes)
        count = self._connection.execute(counting).scalar_one()
        if count != sum(self._total >> level for level in range(1, self._total.bit_length() + 1)):
            self.findings.append("There are more or fewer nodes than the entries give.")

    def _compare_leaves(self, start: int, stored: list[bytes], leaves: list[bytes]) -> None:
        if stored == leaves:
            return
        for at, (here, computed) in enumerate(zip(stored, leaves, strict=True), start):
            if here != computed and len(self.findings) < _KEPT:
                self.findings.append(f"Entry {at} is not what was sealed.")

    def _compare_level(self, level: int, first: int, hashes: Sequence[bytes]) -> None:
        index = ledger_nodes.c.idx
        query = (
            select(ledger_nodes.c.hash)
            .where(ledger_nodes.c.level == level, index >= first, index < first + len(hashes))
            .order_by(index)
        )
        if [row[0] for row in self._rows(query)] != hashes:
            self.findings.append(
                f"Nodes of level {level} from {first} on are not what the entries give."
            )

    def _rows(self, query: ClauseElement) -> Sequence[Sequence[Any]]:
        # The driver's own cursor: with millions of rows the objects around them cost the most.
        binding = {"literal_binds": True}
        text = str(query.compile(dialect=self._connection.dialect, compile_kwargs=binding))
        cursor = self._connection.connection.cursor()
        try:
            cursor.execute(text)
            return cursor.fetchall()
        except self._connection.dialect.loaded_dbapi.Error as error:
            raise StateError(
                f"The ledger cannot be read: {error}.", advice="Check the disk, and try again."
            ) from error
        finally:
            cursor.close()

    def _grow(self, index: int, value: bytes) -> None:
        level = _LEVEL
        self._upper[level, index] = value
        while index % 2:
            value = node_hash(self._upper[level, index - 1], value)
            level, index = level + 1, index // 2
            self._upper[level, index] = value
