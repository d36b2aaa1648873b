"""Retakes that ended: every note is answered, and what was written meanwhile is looked at."""

from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, or_, select

from haikei.database import jobs, reading, review_notes, reviews
from haikei.events import Source
from haikei.jobs.job import JobOrder, JobState
from haikei.jobs.rows import order_of, result_of
from haikei.review import wording
from haikei.review.answers import answer
from haikei.review.decision import Decision
from haikei.review.notes import OPEN, KeptNote, NoteState, notes_for, set_state
from haikei.review.wakes import wake
from haikei.trackers.reviewing import NoteWrite, ReplyWrite, SeenVersion

log = structlog.get_logger()
_BADLY = (JobState.DEAD, JobState.CANCELLED, JobState.SKIPPED)


def answer_ended(database: Engine, now: datetime) -> int:
    """Answer for every retake that ended since; return how many there were."""
    with reading(database) as connection:
        keys = connection.execute(
            select(jobs.c.key)
            .join(review_notes, review_notes.c.job_key == jobs.c.key)
            .where(_ended())
            .distinct()
        ).scalars()
        found = list(keys)
    for key in found:
        with database.begin() as connection:
            _answer(connection, key, now)
    return len(found)


def _ended() -> ColumnElement[bool]:
    state = review_notes.c.state
    ended = [one.value for one in (JobState.DONE, *_BADLY)]
    return or_(
        and_(state == NoteState.TAKEN.value, jobs.c.state.in_(ended)),
        # A person may have let a dead one run again.
        and_(state == NoteState.FAILED.value, jobs.c.state == JobState.DONE.value),
    )


def _answer(connection: Connection, key: str, now: datetime) -> None:
    row = connection.execute(select(jobs).where(jobs.c.key == key)).one()
    notes = [
        note
        for note in notes_for(connection, key)
        if note.state in {NoteState.TAKEN, NoteState.FAILED}
    ]
    state = JobState(row.state)
    ids = [note.id for note in notes]
    # Another reviewer may be doing the same: who changes the notes answers them.
    if state is JobState.DONE:
        changed = set_state(
            connection, ids, NoteState.DONE, only=(NoteState.TAKEN, NoteState.FAILED)
        )
        if changed:
            _tell_of_version(connection, row, notes, now)
    elif state in _BADLY:
        set_state(connection, ids, NoteState.FAILED, only=(NoteState.TAKEN,))
        # What is said of it stands on the version, which is looked at for that.
        wake(connection, {note.version for note in notes}, source=Source.RECONCILIATION)
    wake(connection, _waiting(connection), source=Source.RECONCILIATION)


def _tell_of_version(
    connection: Connection, row: Row[tuple[object, ...]], notes: list[KeptNote], now: datetime
) -> None:
    order, result = order_of(row.order_json), result_of(row.result_json)
    if order.retake is None or result is None:
        return
    text = wording.made(result.version.name, order.retake.instructions, same_seed=_same_seed(order))
    threads = dict.fromkeys(note.thread for note in notes if note.thread is not None)
    for thread in threads:
        answer(
            connection,
            ReplyWrite(
                key=f"done/{order.key}/{thread}", note=thread, text=text, link=result.version
            ),
            now,
        )
    log.info("retake_answered", job=order.key, notes=len(notes), threads=len(threads))


def tell_of_ends(
    connection: Connection, seen: SeenVersion, notes: Sequence[KeptNote], now: datetime
) -> None:
    """Say on a version, once for each retake that notes on it led to, that none was made."""
    keys = {note.job for note in notes if note.state is NoteState.FAILED}
    rows = connection.execute(
        select(jobs).where(
            jobs.c.key.in_(keys), jobs.c.state.in_([state.value for state in _BADLY])
        )
    ).all()
    for row in rows:
        text = wording.ended(seen.version.name, JobState(row.state), row.error or row.note)
        told = NoteWrite(
            key=f"ended/{row.key}/{seen.version.id}",
            project=seen.project,
            links=(seen.version,),
            subject=wording.subject([seen.version.name]),
            text=text,
        )
        answer(connection, told, now)


def _same_seed(order: JobOrder) -> bool:
    return order.retake is not None and order.retake.instructions.keep_seed


def _waiting(connection: Connection) -> list[int]:
    """Return versions on which something waits for the next retake."""
    query = (
        select(review_notes.c.version_id)
        .join(reviews, reviews.c.version_id == review_notes.c.version_id)
        .where(
            reviews.c.decision == Decision.RETAKE.value,
            review_notes.c.state.in_([state.value for state in OPEN]),
        )
        .distinct()
    )
    return list(connection.execute(query).scalars())
