"""
What is to be written into the tracker, kept in the very transaction that decided it.

An answer is written until it stands. Its key makes the tracker's side write it once, so that a
reviewer that dies between writing and noting it does no harm.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine, func, select, update

from haikei.database import inserting, reading, review_answers
from haikei.errors import HaikeiError
from haikei.trackers.reviewing import NoteWrite, ReplyWrite, ReviewDesk, ReviewWrite, StatusWrite

log = structlog.get_logger()

#: Seconds after which an answer that was begun and not noted is begun again.
LEASE = 120.0
#: Seconds before an answer is tried again, doubled up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 3600.0
_BATCH = 50
_columns = review_answers.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One change of the tracker, of one kind."""

    status: StatusWrite | None = None
    note: NoteWrite | None = None
    reply: ReplyWrite | None = None

    @property
    def write(self) -> ReviewWrite:
        """The change itself."""
        found = self.status or self.note or self.reply
        if found is None:
            message = "an answer without a change"
            raise ValueError(message)
        return found


_ANSWER = TypeAdapter(Answer)


def answer(connection: Connection, change: NoteWrite | ReplyWrite, now: datetime) -> None:
    """Ask that a Note or Reply be written, once for its key."""
    told = Answer(note=change) if isinstance(change, NoteWrite) else Answer(reply=change)
    statement = inserting(connection, review_answers).on_conflict_do_nothing(index_elements=["key"])
    connection.execute(statement, _row(change.key, told, now))


def set_status(connection: Connection, key: str, change: StatusWrite, now: datetime) -> None:
    """Ask that a status be set, instead of what was asked under this key before."""
    row = _row(key, Answer(status=change), now)
    statement = inserting(connection, review_answers)
    replaced = {name: value for name, value in row.items() if name != "key"}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["key"], set_={**replaced, "done_at": None}),
        row,
    )


def waiting_answers(connection: Connection) -> int:
    """Return how many answers do not stand in the tracker yet."""
    query = select(func.count()).select_from(review_answers).where(_columns.done_at.is_(None))
    return int(connection.execute(query).scalar_one())


def answered(connection: Connection, keys: Collection[str]) -> Mapping[str, str]:
    """Return the texts of Notes and Replies by their keys; keys of none are left out."""
    rows = connection.execute(
        select(_columns.key, _columns.payload).where(_columns.key.in_(list(keys)))
    )
    found: dict[str, str] = {}
    for row in rows:
        told = _ANSWER.validate_json(row.payload)
        text = told.note or told.reply
        if text is not None:
            found[row.key] = text.text
    return found


def write_answers(database: Engine, desk: ReviewDesk, now: datetime) -> int:
    """Write what is due, the oldest first; return how many now stand."""
    written = 0
    for _ in range(_BATCH):
        taken = _take(database, now)
        if taken is None:
            break
        key, payload = taken
        try:
            desk.write(_ANSWER.validate_json(payload).write)
        except HaikeiError as error:
            log.warning("answer_not_written", answer=key, error=str(error))
            _put_off(database, key, now, error)
            if error.transient:
                break
            continue
        with database.begin() as connection:
            # Another payload under this key is a newer wish, which is still to be written.
            connection.execute(
                update(review_answers)
                .where(_columns.key == key, _columns.payload == payload)
                .values(done_at=now, error="")
            )
        log.info("answer_written", answer=key)
        written += 1
    return written


def _take(database: Engine, now: datetime) -> tuple[str, str] | None:
    due = _columns.done_at.is_(None) & (_columns.try_at <= now)
    query = select(review_answers).where(due).order_by(_columns.try_at, _columns.key).limit(1)
    with reading(database) as connection:
        if connection.execute(query).first() is None:
            return None
    with database.begin() as connection:
        row = connection.execute(query.with_for_update(skip_locked=True)).first()
        if row is None:
            return None
        connection.execute(
            update(review_answers)
            .where(_columns.key == row.key)
            .values(try_at=now + timedelta(seconds=LEASE))
        )
        return row.key, row.payload


def _put_off(database: Engine, key: str, now: datetime, error: HaikeiError) -> None:
    with database.begin() as connection:
        attempts = connection.execute(
            select(_columns.attempts).where(_columns.key == key)
        ).scalar_one()
        pause = error.retry_after or min(FIRST_PAUSE * 2 ** min(attempts, 20), LONGEST_PAUSE)
        connection.execute(
            update(review_answers)
            .where(_columns.key == key)
            .values(try_at=now + timedelta(seconds=pause), attempts=attempts + 1, error=str(error))
        )


def _row(key: str, told: Answer, now: datetime) -> dict[str, object]:
    return {
        "key": key,
        "payload": _ANSWER.dump_json(told).decode(),
        "try_at": now,
        "attempts": 0,
        "error": "",
    }
