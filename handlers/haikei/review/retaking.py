"""Retakes are ordered, put off or asked about, and each that ended is answered."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, or_, select

from haikei import notify
from haikei.credits import BackgroundVersion, ImageKind, people
from haikei.database import jobs, reading, review_notes, reviews
from haikei.decisions import Decision
from haikei.errors import HaikeiError
from haikei.events import Source
from haikei.jobs.job import JobOrder, JobState
from haikei.jobs.table import order_of, result_of
from haikei.note_language.parser import is_japanese
from haikei.notify.notice import Notice, NoticeKind
from haikei.presets import Abilities, recipe
from haikei.review import replies
from haikei.review.deciding import wake
from haikei.review.decisions import being_made_for
from haikei.review.notes import OPEN, KeptNote, NoteState, note_id, notes_for, notes_of, set_state
from haikei.review.replies import answer
from haikei.review.retakes import (
    count_retakes,
    is_being_made,
    last_retake,
    order_retake,
    ordered,
    parent_of,
    taken_over,
)
from haikei.settings import Settings
from haikei.trackers import NoteWrite, ReplyWrite, SeenVersion

log = structlog.get_logger()


class Retaking:
    """Acts on the notes of versions of which a retake is wanted."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._settle = timedelta(seconds=settings.review.settle)

    def act(
        self,
        connection: Connection,
        seen: SeenVersion,
        version: BackgroundVersion,
        now: datetime,
    ) -> datetime | None:
        """
        Order the retake that waiting notes ask for, in the caller's transaction.

        Returns:
            when to look again, as more may be written; None when there is nothing to wait for.

        Raises:
            HaikeiError: it cannot be recorded.
        """
        notes = notes_of(connection, seen.version.id)
        fresh = [note for note in notes if note.state in OPEN]
        if not fresh:
            return None
        if version.final.kind is ImageKind.TOUCH_UP:
            self._leave_to_its_artist(connection, version, fresh, now)
            return None
        due = max(note.seen_at for note in fresh) + self._settle
        if now < due:
            return due
        last = last_retake(connection, seen.version.id)
        if last is not None and last[1] in {JobState.WAITING, JobState.RUNNING}:
            # The end of that job wakes us.
            return None
        if all(note.is_decision for note in fresh):
            # What was written in the version's own threads may be what its retake is made for.
            there = [note_id(note) for note in seen.notes]
            if job := being_made_for(connection, there, version.key):
                set_state(connection, [note.id for note in fresh], NoteState.TAKEN, job=job)
                return None
        parent = parent_of(connection, version, last[2] if last else None)
        if parent is None:
            self._ask(connection, seen, fresh, replies.no_job(version.code), now)
            return None
        dead = last[0] if last and last[1] is JobState.DEAD else ""
        asked = [note for note in notes if note.state is NoteState.ASKED]
        all_of_it = sorted(
            (*fresh, *asked, *taken_over(notes, dead)), key=lambda one: (one.written_at, one.id)
        )
        authors = people.look_up(connection, {note.author for note in all_of_it})
        abilities = self._abilities(parent[0].recipe)
        order = ordered(*parent, all_of_it, authors, abilities)
        if self._ask_what_is_meant(connection, seen, fresh, order, now):
            return None
        before, code = parent
        moments = ((before.season, before.time), (order.season, order.time))
        if is_being_made(connection, version, moments):
            return None
        made = max(count_retakes(connection, version, one) for one in (before, order))
        if made >= self._settings.review.max_retakes:
            self._ask(connection, seen, fresh, replies.too_many(code, made), now)
            return None
        if order_retake(connection, order, dead):
            _tell_what_is_made(connection, code, order, all_of_it, now)
        set_state(
            connection, order.retake.notes if order.retake else (), NoteState.TAKEN, job=order.key
        )
        log.info("retake_ordered", version=version.code, job=order.key, notes=len(all_of_it))
        return None

    def _abilities(self, name: str) -> Abilities:
        """Return what the generators of a recipe can do with a note."""
        from haikei.generators import Production

        try:
            return Production(self._settings).abilities(recipe(self._settings, name))
        except HaikeiError as error:
            # The job will say so; until it can be made, its note is handed on as it stands.
            log.warning("abilities_unknown", recipe=name, error=str(error))
            return Abilities(reads=True)

    def _ask_what_is_meant(
        self,
        connection: Connection,
        seen: SeenVersion,
        notes: Sequence[KeptNote],
        order: JobOrder,
        now: datetime,
    ) -> bool:
        """Ask back where words were written and nothing of them can be made."""
        instructions = order.retake.instructions if order.retake else None
        if instructions is None or not instructions.text or instructions.alters:
            return False
        set_state(connection, [note.id for note in notes], NoteState.ASKED)
        for note in notes:
            text = replies.not_read(instructions, japanese=is_japanese(note.text))
            answer_note(connection, note, f"unread/{note.id}", text, now)
            if note.thread is not None:
                notify.note(
                    connection,
                    Notice(
                        key=f"unread/{note.id}", kind=NoticeKind.QUESTION, text=text, url=seen.url
                    ),
                    at=now,
                )
        log.info("note_not_read", version=seen.version.name, notes=len(notes))
        return True

    def _leave_to_its_artist(
        self,
        connection: Connection,
        version: BackgroundVersion,
        notes: list[KeptNote],
        now: datetime,
    ) -> None:
        set_state(connection, [note.id for note in notes], NoteState.ASKED)
        for note in notes:
            answer_note(connection, note, f"painted/{note.id}", replies.painted(version.code), now)

    def _ask(
        self,
        connection: Connection,
        seen: SeenVersion,
        notes: list[KeptNote],
        text: str,
        now: datetime,
    ) -> None:
        set_state(connection, [note.id for note in notes], NoteState.ASKED)
        question = NoteWrite(
            key=f"question/{seen.version.id}/{notes[0].id}",
            project=seen.project,
            links=(seen.version,),
            subject=replies.subject([seen.version.name]),
            text=text,
        )
        answer(connection, question, now)
        notify.note(
            connection,
            Notice(key=question.key, kind=NoticeKind.QUESTION, text=text, url=seen.url),
            at=now,
        )


def answer_note(connection: Connection, note: KeptNote, key: str, text: str, now: datetime) -> None:
    """Ask that a Reply be written under a note; a decision without a word gets none."""
    if note.thread is not None:
        answer(connection, ReplyWrite(key=key, note=note.thread, text=text), now)


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
        # The reply stands on the version, which is looked at for that.
        wake(connection, {note.version for note in notes}, source=Source.RECONCILIATION)
    wake(connection, _waiting(connection), source=Source.RECONCILIATION)


def _tell_of_version(
    connection: Connection, row: Row[tuple[object, ...]], notes: list[KeptNote], now: datetime
) -> None:
    order, result = order_of(row.order_json), result_of(row.result_json)
    if order.retake is None or result is None:
        return
    threads = _threads(notes)
    for thread, japanese in threads.items():
        text = replies.made(
            result.version.name,
            order.retake.instructions,
            result.changed,
            another_seed=_another_seed(order),
            japanese=japanese,
        )
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
        text = replies.ended(seen.version.name, JobState(row.state), row.error or row.note)
        message = NoteWrite(
            key=f"ended/{row.key}/{seen.version.id}",
            project=seen.project,
            links=(seen.version,),
            subject=replies.subject([seen.version.name]),
            text=text,
        )
        answer(connection, message, now)


def _tell_what_is_made(
    connection: Connection,
    code: str,
    order: JobOrder,
    notes: Sequence[KeptNote],
    now: datetime,
) -> None:
    """Answer under each thread, in its language, what is done, handed on, and cannot be done."""
    if order.retake is None:
        return
    for thread, japanese in _threads(notes).items():
        text = replies.taken(
            code,
            order.retake.instructions,
            another_seed=_another_seed(order),
            japanese=japanese,
        )
        answer(
            connection, ReplyWrite(key=f"taken/{order.key}/{thread}", note=thread, text=text), now
        )


def _threads(notes: Sequence[KeptNote]) -> dict[int, bool]:
    """Return the threads of notes, and whether each is written in Japanese."""
    threads: dict[int, bool] = {}
    for note in notes:
        if note.thread is not None:
            threads[note.thread] = threads.get(note.thread, False) or is_japanese(note.text)
    return threads


def _another_seed(order: JobOrder) -> bool:
    retake = order.retake
    return retake is not None and (retake.instructions.new_seed or not retake.instructions.text)


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
