"""A version's review as pages show it, from what was acted on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from haikei.credits import people, printed_person
from haikei.database import jobs, reviews
from haikei.jobs import JobState, order_of, result_of
from haikei.review.decisions import Decision
from haikei.review.notes import KeptNote, NoteState, notes_of
from haikei.review.replies import answered


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteView:
    """One Note or Reply, and what was answered."""

    id: str
    author: str  #: as credits print the name; empty when nobody is known
    text: str
    state: NoteState
    answer: str  #: empty: none yet
    written_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RetakeView:
    """One retake that notes on the version led to."""

    job: str  #: its key
    state: JobState
    code: str  #: the new version's name; empty until it stands
    url: str
    understood: tuple[str, ...]
    error: str
    ordered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewView:
    """What was decided about a version, and what came of it."""

    decision: Decision
    decided_by: str  #: as credits print the name; empty when nobody is known
    decided_at: datetime | None
    notes: tuple[NoteView, ...]  #: oldest first
    retakes: tuple[RetakeView, ...]  #: oldest first


def review_of(connection: Connection, background_key: str) -> ReviewView:
    """Return the review of a version; an empty one when nobody has decided or written anything."""
    row = connection.execute(
        select(reviews).where(reviews.c.background_key == background_key)
    ).first()
    if row is None:
        return ReviewView(
            decision=Decision.NONE, decided_by="", decided_at=None, notes=(), retakes=()
        )
    notes = notes_of(connection, row.version_id)
    known = people.look_up(connection, {row.decided_by, *(note.author for note in notes)})
    names = {id_: printed_person(person).en for id_, person in known.items()}
    said = answered(connection, {key for note in notes for key in _answer_keys(note)})
    return ReviewView(
        decision=Decision(row.decision or Decision.NONE.value),
        decided_by=names.get(row.decided_by, ""),
        decided_at=row.decided_at,
        notes=tuple(
            NoteView(
                id=note.id,
                author=names.get(note.author, ""),
                text=note.text,
                state=note.state,
                answer=next((said[key] for key in _answer_keys(note) if key in said), ""),
                written_at=note.written_at,
            )
            for note in notes
            if not note.is_decision
        ),
        retakes=tuple(_retakes(connection, notes)),
    )


def _retakes(connection: Connection, notes: Sequence[KeptNote]) -> list[RetakeView]:
    keys = {note.job for note in notes if note.job}
    rows = connection.execute(select(jobs).where(jobs.c.key.in_(keys)).order_by(jobs.c.id))
    views: list[RetakeView] = []
    for row in rows.all():
        order, result = order_of(row.order_json), result_of(row.result_json)
        views.append(
            RetakeView(
                job=row.key,
                state=JobState(row.state),
                code=result.version.name if result else "",
                url=result.url if result else "",
                understood=order.retake.instructions.understood if order.retake else (),
                error=row.error,
                ordered_at=row.created_at,
            )
        )
    return views


def _answer_keys(note: KeptNote) -> tuple[str, ...]:
    """Return the keys of what may have been answered to a note, the latest answer first."""
    keys = [f"done/{note.job}/{note.thread}"] if note.job and note.thread is not None else []
    if note.state is not NoteState.WAITING:
        keys += [f"painted/{note.id}", f"locked/{note.id}"]
    return tuple(keys)
