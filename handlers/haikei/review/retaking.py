"""Retakes are ordered, put off, or asked about, as what was written on a version wants it."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from haikei import notify
from haikei.credits import BackgroundVersion, ImageKind, people
from haikei.jobs.job import JobState
from haikei.notify import Notice, NoticeKind
from haikei.review import wording
from haikei.review.answers import answer
from haikei.review.notes import OPEN, KeptNote, NoteState, note_id, notes_of, set_state
from haikei.review.retakes import (
    count_retakes,
    is_being_made,
    last_retake,
    order_retake,
    ordered,
    parent_of,
    taken_over,
)
from haikei.review.threads import being_made_for
from haikei.settings import Settings
from haikei.trackers.reviewing import NoteWrite, ReplyWrite, SeenVersion

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
            self._ask(connection, seen, fresh, wording.no_job(version.code), now)
            return None
        dead = last[0] if last and last[1] is JobState.DEAD else ""
        asked = [note for note in notes if note.state is NoteState.ASKED]
        all_of_it = sorted(
            (*fresh, *asked, *taken_over(notes, dead)), key=lambda one: (one.written_at, one.id)
        )
        authors = people.look_up(connection, {note.author for note in all_of_it})
        order = ordered(*parent, all_of_it, authors)
        before, code = parent
        moments = ((before.season, before.time), (order.season, order.time))
        if is_being_made(connection, version, moments):
            return None
        made = max(count_retakes(connection, version, one) for one in (before, order))
        if made >= self._settings.review.max_retakes:
            self._ask(connection, seen, fresh, wording.too_many(code, made), now)
            return None
        order_retake(connection, order, dead)
        set_state(
            connection, order.retake.notes if order.retake else (), NoteState.TAKEN, job=order.key
        )
        log.info("retake_ordered", version=version.code, job=order.key, notes=len(all_of_it))
        return None

    def _leave_to_its_artist(
        self,
        connection: Connection,
        version: BackgroundVersion,
        notes: list[KeptNote],
        now: datetime,
    ) -> None:
        set_state(connection, [note.id for note in notes], NoteState.ASKED)
        for note in notes:
            answer_note(connection, note, f"painted/{note.id}", wording.painted(version.code), now)

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
            subject=wording.subject([seen.version.name]),
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
