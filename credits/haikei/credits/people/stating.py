"""Seal statements: what somebody answers for, and what is decided about a person's name."""

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from haikei.credits.contribution import Person
from haikei.credits.people.redaction import Mentions
from haikei.credits.records.record_sealing import Sealer
from haikei.credits.statement import Statement, StatementKind
from haikei.database import schema
from haikei.errors import LedgerError
from haikei.ledger import append

_ROWS = schema.statements
_SAID = ("kind", "project", "sequence", "shot", "image_sha256", "by", "subject", "answer")
_TEXTS = ("to", "text", "reference")
_NAME_TEXTS = {
    StatementKind.NAME_CHANGED: "Is called otherwise from now on.",
    StatementKind.NAME_WITHHELD: "Asks not to be named in credits.",
    StatementKind.NAME_ERASED: "Asks that their name be erased.",
}


def seal_statement(connection: Connection, statement: Statement, commitment: str) -> int:
    """
    Keep and seal a statement; return the number of its ledger entry.

    Args:
        connection: of the caller's transaction.
        statement: what is stated; the same key again returns the entry that stands.
        commitment: to the present name of the person who states it.

    Raises:
        LedgerError: another statement stands under this key.
    """
    mentions = Mentions.load(connection)
    standing = connection.execute(select(_ROWS).where(_ROWS.c.key == statement.key)).first()
    if standing is not None:
        return _standing(standing, statement, mentions)
    sealer = Sealer(commitments={statement.by.id: commitment}, mentions=mentions)
    entry = append(
        connection, key=f"statement/{statement.key}", payload=sealer.statement(statement)
    )
    values = {name: _plain(statement, name) for name in _SAID}
    texts = {name: mentions.hide(str(getattr(statement, name))) for name in _TEXTS}
    known = {"key": statement.key, "ledger_seq": entry.seq, "at": statement.at}
    connection.execute(insert(_ROWS), {**values, **texts, **known})
    return entry.seq


def state_name(
    connection: Connection,
    person: Person,
    commitment: str,
    kind: StatementKind,
    *,
    reference: str,
    at: datetime,
) -> int:
    """
    Seal what is decided about a person's name; return the number of the ledger entry.

    What is printed of the person is held against these entries by every check.

    Args:
        connection: of the caller's transaction.
        person: as credits name them from now on.
        commitment: to that name.
        kind: `NAME_CHANGED`, `NAME_WITHHELD` or `NAME_ERASED`.
        reference: where it is recorded that they asked, or who decided it.
        at: when. Each change is an entry of its own; asking twice for the same is not.

    Raises:
        LedgerError: another statement stands under the key that follows from these.
    """
    text = _NAME_TEXTS[kind]
    moment = at.isoformat() if kind is StatementKind.NAME_CHANGED else ""
    said = "\n".join((kind.value, reference, commitment if moment else "", moment))
    digest = hashlib.sha256(said.encode()).hexdigest()[:16]
    statement = Statement(
        key=f"{name_key(person.id)}{digest}",
        kind=kind,
        project="",
        sequence="",
        shot="",
        image_sha256="",
        by=person,
        to="",
        subject="",
        answer="",
        text=text,
        reference=reference,
        at=at,
    )
    return seal_statement(connection, statement, commitment)


def name_key(person_id: str) -> str:
    """Return what the keys of all statements about a person's name begin with."""
    return f"name/{hashlib.sha256(person_id.encode()).hexdigest()[:16]}/"


def _plain(statement: Statement, name: str) -> str:
    if name == "by":
        return statement.by.id
    return str(getattr(statement, name))


def _standing(row: Row[Any], statement: Statement, mentions: Mentions) -> int:
    said = all(getattr(row, name) == _plain(statement, name) for name in _SAID)
    texts = (mentions.show(getattr(row, name)) == getattr(statement, name) for name in _TEXTS)
    if not said or not all(texts):
        raise LedgerError(
            f"Another statement stands under {statement.key!r} (entry {row.ledger_seq}).",
            advice="Statements are never replaced; declare a correction under its own key.",
        )
    return int(row.ledger_seq)
