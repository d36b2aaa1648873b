"""A notice: one thing that people are to be told of, kept until every way has told it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from haikei.database import inserting, notices, utc_now


class NoticeKind(StrEnum):
    """What a notice is about; `notifications.on` names these, but for the last question."""

    DEAD = "dead"  #: a job will not go on by itself
    QUESTION = "question"  #: a person must decide
    TOUCH_UP = "touch_up"  #: a question too: what was a touch-up painted over
    CHECKPOINT = "checkpoint"  #: the ledger is not any more what was sealed
    READY = "ready"  #: a version is in review


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell."""

    key: str  #: ours; what has the same key is told once
    kind: NoticeKind
    text: str
    url: str = ""  #: where a person can look at it


def note(connection: Connection, told: Notice, *, at: datetime | None = None) -> None:
    """Keep a notice in the caller's transaction, until it is told; the same key once."""
    note_all(connection, (told,), at=at)


def note_all(connection: Connection, told: Iterable[Notice], *, at: datetime | None = None) -> None:
    """Keep many notices, as `note` does."""
    moment = at or utc_now()
    rows = [
        {
            "key": one.key,
            "kind": one.kind.value,
            "text": one.text,
            "url": one.url,
            "noted_at": moment,
        }
        for one in told
    ]
    if rows:
        statement = inserting(connection, notices).on_conflict_do_nothing(index_elements=["key"])
        connection.execute(statement, rows)
