"""
Questions to people about their own credits, and the links that open them.

A link names a question by a random number, with an HMAC-SHA256 over the question, its person, its
show and its end. The key never leaves the studio's state; no link is kept anywhere.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, select, update

from haikei.canonical import canonical_json
from haikei.database import confirmation_questions
from haikei.files import secret_key

_row = confirmation_questions.c
_NAME_BYTES = 16
#: What is longer is no link of ours, and is not looked up.
_LONGEST = 200


class LinkState(StrEnum):
    """What a link is good for."""

    OPEN = "open"
    WRONG = "wrong"  #: nobody here made it
    EXPIRED = "expired"
    REVOKED = "revoked"  #: taken back, or another was sent since
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One person is asked about their credit on one show; it is answered once."""

    id: str
    person: str
    project: str
    way: str  #: by which it went: `mail`, `note` or `print`
    asked_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    answered_at: datetime | None = None

    def state(self, now: datetime) -> LinkState:
        """Return whether it may be answered."""
        if self.answered_at is not None:
            return LinkState.ANSWERED
        if self.revoked_at is not None:
            return LinkState.REVOKED
        return LinkState.EXPIRED if now >= self.expires_at else LinkState.OPEN


def confirmation_key(state: Path) -> bytes:
    """
    Return the key of all links, which is kept in the studio's state folder.

    Raises:
        StateError: it can be neither read nor made.
    """
    advice = "Remove it, and ask again: links that were sent do not open any more."
    return secret_key(state / "keys" / "confirmations.key", advice=advice)


def ask(
    connection: Connection, *, person: str, project: str, way: str, at: datetime, until: datetime
) -> Question:
    """Return a new question to a person; one that they were asked before is taken back."""
    revoke(connection, person=person, project=project, at=at)
    asked = Question(
        id=secrets.token_urlsafe(_NAME_BYTES),
        person=person,
        project=project,
        way=way,
        asked_at=at,
        expires_at=until,
    )
    values = {"id": asked.id, "person": person, "project": project, "way": way}
    connection.execute(
        insert(confirmation_questions), {**values, "asked_at": at, "expires_at": until}
    )
    return asked


def revoke(connection: Connection, *, person: str, project: str, at: datetime) -> int:
    """Take back what a person was asked about a show; return how many links end by that."""
    query = update(confirmation_questions).where(
        _row.person == person, _row.project == project, *_unanswered()
    )
    return connection.execute(query.values(revoked_at=at)).rowcount


def close(connection: Connection, asked: Question, at: datetime) -> bool:
    """Note that a question is answered; False when it was, or was taken back, before."""
    query = update(confirmation_questions).where(
        _row.id == asked.id, _row.expires_at > at, *_unanswered()
    )
    return bool(connection.execute(query.values(answered_at=at)).rowcount)


def newest(connection: Connection, project: str) -> dict[str, Question]:
    """Return the last question to each person about a show, by the person's id."""
    query = select(confirmation_questions).where(_row.project == project)
    rows = connection.execute(query.order_by(_row.asked_at, _row.id)).mappings()
    return {row["person"]: Question(**dict(row)) for row in rows}


def link_token(key: bytes, asked: Question) -> str:
    """Return what a link carries: it tells neither person nor show."""
    return f"{asked.id}.{_signature(key, asked)}"


def open_link(
    connection: Connection, key: bytes, token: str, now: datetime
) -> tuple[LinkState, Question | None]:
    """Return what a link's token is good for, and its question unless nobody here made it."""
    name, dot, signature = token.partition(".")
    row: Any = None
    if dot and len(token) <= _LONGEST and token.isascii():
        query = select(confirmation_questions).where(_row.id == name)
        row = connection.execute(query).mappings().first()
    if row is None:
        return LinkState.WRONG, None
    asked = Question(**dict(row))
    if not hmac.compare_digest(_signature(key, asked).encode(), signature.encode()):
        return LinkState.WRONG, None
    return asked.state(now), asked


def _signature(key: bytes, asked: Question) -> str:
    until = asked.expires_at.isoformat(timespec="microseconds")
    bound = canonical_json(["confirmation", asked.id, asked.person, asked.project, until])
    return hmac.new(key, bound.encode(), hashlib.sha256).hexdigest()


def _unanswered() -> Iterator[ColumnElement[bool]]:
    yield _row.answered_at.is_(None)
    yield _row.revoked_at.is_(None)
