"""What tests of the ledger need: entries, and somebody with full access to the database."""

from sqlalchemy import Connection, delete, insert, text, update

from haikei.database import ledger, ledger_nodes
from haikei.ledger.tree import Frontier, leaf_hash


def without_guards(connection: Connection) -> None:
    """Drop every trigger on the ledger's tables, as somebody with full access can."""
    query = text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    for name in connection.execute(query).scalars().all():
        connection.execute(text(f"DROP TRIGGER {name}"))


def rewrite(connection: Connection, seq: int, payload: str) -> None:
    """Change a record and every stored hash that follows from it, leaving no inner trace."""
    without_guards(connection)
    connection.execute(update(ledger).where(ledger.c.seq == seq).values(payload=payload))
    connection.execute(delete(ledger_nodes))
    tree = Frontier()
    nodes: list[dict[str, int | bytes]] = []
    for number, text_ in connection.execute(text("SELECT seq, payload FROM ledger ORDER BY seq")):
        leaf = leaf_hash(text_)
        connection.execute(update(ledger).where(ledger.c.seq == number).values(leaf=leaf))
        nodes += [
            {"level": level, "idx": at, "hash": value} for level, at, value in tree.append(leaf)
        ]
    if nodes:
        connection.execute(insert(ledger_nodes), nodes)
