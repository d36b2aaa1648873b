"""The tree as it stands in the database: leaves beside their records, inner nodes in a table."""

from sqlalchemy import Connection, or_, select, tuple_

from haikei.database import ledger, ledger_nodes
from haikei.errors import LedgerError
from haikei.ledger.tree import (
    Frontier,
    consistency_path,
    inclusion_path,
    peak_places,
    root_of,
)


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
