"""
What people wrote on a version, and what became of it: none is lost, none is acted on twice.

Besides Notes and Replies, the decision that a retake is wanted is kept here as well: a retake
without a word is asked for by it alone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, select, update

from haikei.credits import Person, people
from haikei.database import begins_with, inserting, review_notes
from haikei.decisions import Decision
from haikei.note_language.parser import only_thanks
from haikei.presets import only_ticked
from haikei.review.decisions import (
    draws,
    elsewhere,
    made_for,
    own_id,
    source_of,
    taken_ids,
    thread_of,
)
from haikei.trackers import SeenNote, SeenVersion

#: The most of one note that is read, in characters.
LONGEST = 8000
_columns = review_notes.c


class NoteState(StrEnum):
    """What became of a note."""

    WAITING = "waiting"  #: until a retake is decided
    TAKEN = "taken"  #: a retake is being made for it
    DONE = "done"  #: that retake is in review
    FAILED = "failed"  #: that retake ended without a version
    LOCKED = "locked"  #: it came after the version was approved; that was answered
    ASKED = "asked"  #: a person was asked, as there is nothing that Haikei may do
    WITHDRAWN = "withdrawn"  #: it was deleted, or the decision taken back, before it was taken
    THANKS = "thanks"  #: it only thanks or acknowledges: nothing is done and nothing answered
    STATUS_AUTHOR = "said"  #: not a note: who set a status on Haikei's pages


#: Notes that the next retake is for.
OPEN = (NoteState.WAITING, NoteState.LOCKED)
_WAITS = frozenset(state.value for state in OPEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptNote:
    """One note as it is kept."""

    #: `Note:12`, `Reply:34 of Note:12`, or `Decision:7.1` for the decision itself; followed by
    #: ` on Version:7` where it counts for another version first
    id: str
    version: int
    author: str  #: a person's id; empty when nobody is known
    text: str
    state: NoteState
    job: str  #: the key of the retake that was made for it; empty for none
    written_at: datetime
    seen_at: datetime

    @property
    def thread(self) -> int | None:
        """The Note under which an answer belongs; None for a decision."""
        return thread_of(self.id)

    @property
    def source(self) -> str:
        """The id of the Note or Reply itself, whichever versions it counts for."""
        return source_of(self.id)

    @property
    def is_decision(self) -> bool:
        """Whether this is the decision that a retake is wanted."""
        return self.id.startswith("Decision:")


def note_id(note: SeenNote) -> str:
    """Return the id under which a Note or Reply is kept."""
    if note.reply_to is None:
        return f"Note:{note.id}"
    return f"Reply:{note.id} of Note:{note.reply_to}"


def notes_of(connection: Connection, version: int) -> Sequence[KeptNote]:
    """Return what was written on a Version, the oldest first."""
    query = (
        select(review_notes)
        .where(_columns.version_id == version, _columns.state != NoteState.STATUS_AUTHOR.value)
        .order_by(_columns.written_at, _columns.id)
    )
    return [_kept(row) for row in connection.execute(query)]


def notes_for(connection: Connection, job: str) -> Sequence[KeptNote]:
    """Return the notes that a retake was made for, the oldest first."""
    query = (
        select(review_notes)
        .where(_columns.job_key == job)
        .order_by(_columns.written_at, _columns.id)
    )
    return [_kept(row) for row in connection.execute(query)]


def keep_seen(
    connection: Connection,
    seen: SeenVersion,
    kept: Mapping[str, KeptNote],
    now: datetime,
    decision: Decision = Decision.NONE,
) -> Sequence[KeptNote]:
    """
    Keep what is new on a version, take over what was reworded, and withdraw what was deleted.

    Our own answers are left out; what was written on our pages for somebody who had not signed in
    stands in `kept` already.

    Returns:
        notes that were reworded too late, after a retake was ordered for them.
    """
    there = {note_id(note): note for note in seen.notes}
    known = {one.source for one in kept.values()}
    fresh = [(id_, note) for id_, note in there.items() if id_ not in known and not note.by_us]
    people.note_all(connection, [note.author for _, note in fresh if note.author is not None])
    _keep_fresh(connection, seen, fresh, now, decision)
    late: list[KeptNote] = []
    for one in kept.values():
        if one.is_decision:
            continue
        if one.source not in there:
            if one.state in {*OPEN, NoteState.THANKS}:
                set_state(connection, [one.id], NoteState.WITHDRAWN)
            continue
        text = storable(there[one.source].text)
        if one.state is NoteState.WITHDRAWN:
            # It was deleted by mistake, or is back on this version.
            _reword(connection, one.id, text, _state_of(text), now)
        elif text.split() == one.text.split() or (
            one.state not in {*OPEN, NoteState.THANKS} and only_ticked(one.text, text)
        ):
            continue
        elif one.state in {*OPEN, NoteState.THANKS}:
            locked = one.state is NoteState.LOCKED and not only_thanks(text)
            _reword(connection, one.id, text, one.state if locked else _state_of(text), now)
        elif one.state in {NoteState.ASKED, NoteState.FAILED}:
            # The next retake is for it as well, in the words that it has by then.
            _reword(connection, one.id, text, one.state, now)
        else:
            late.append(replace(one, text=text))
    return late


def _keep_fresh(
    connection: Connection,
    seen: SeenVersion,
    fresh: Sequence[tuple[str, SeenNote]],
    now: datetime,
    decision: Decision,
) -> None:
    if not fresh:
        return
    here = seen.version.id
    others = elsewhere(connection, here, seen.key)
    taken = taken_ids(connection, [id_ for id_, _ in fresh])
    threads = made_for(connection, seen.key)
    for id_, note in fresh:
        standing = others.get(id_, ())
        if not standing and (note.reply_to or note.id) in threads and not draws(decision, here):
            # It is kept where its thread began, and drawn from there once this is decided.
            continue
        if standing:
            for one in standing:
                if one.state == NoteState.WITHDRAWN.value:
                    _move(connection, one.id, seen)
                    _reword(connection, one.id, storable(note.text), _state_of(note.text), now)
                elif one.state in _WAITS and draws(decision, here, one):
                    _move(connection, one.id, seen)
            continue
        target = own_id(id_, here) if id_ in taken else id_
        add(
            connection,
            id_=target,
            version=here,
            background=seen.key,
            author=note.author.id if note.author else "",
            text=note.text,
            written_at=note.created_at,
            now=now,
        )


def _move(connection: Connection, id_: str, seen: SeenVersion) -> None:
    connection.execute(
        update(review_notes)
        # Another reviewer may have taken it since.
        .where(_columns.id == id_, _columns.state.in_([*_WAITS, NoteState.WITHDRAWN.value]))
        .values(version_id=seen.version.id, background_key=seen.key)
    )


def _reword(connection: Connection, id_: str, text: str, state: NoteState, now: datetime) -> None:
    connection.execute(
        update(review_notes)
        .where(_columns.id == id_)
        .values(text=text, state=state.value, seen_at=now)
    )


def add(
    connection: Connection,
    *,
    id_: str,
    version: int,
    background: str,
    author: str,
    text: str,
    written_at: datetime,
    now: datetime,
) -> None:
    """Keep a note: it waits, unless it only thanks; one that is kept already stays as it is."""
    connection.execute(
        inserting(connection, review_notes).on_conflict_do_nothing(index_elements=["id"]),
        {
            "id": id_,
            "version_id": version,
            "background_key": background,
            "author": author,
            "text": storable(text),
            "state": _state_of(text).value,
            "job_key": "",
            "written_at": written_at,
            "seen_at": now,
        },
    )


def keep_decision(
    connection: Connection, seen: SeenVersion, *, at: datetime, now: datetime
) -> None:
    """Keep that a retake is wanted, whether or not somebody says how."""
    prefix = f"Decision:{seen.version.id}."
    before = connection.execute(
        select(func.count()).where(
            _columns.version_id == seen.version.id, begins_with(_columns.id, prefix)
        )
    ).scalar_one()
    add(
        connection,
        id_=f"{prefix}{before + 1}",
        version=seen.version.id,
        background=seen.key,
        author="",
        text="",
        written_at=at,
        now=now,
    )


def name_decision(connection: Connection, version: int, person: str) -> None:
    """Note who wants the retake that was not begun yet."""
    connection.execute(update(review_notes).where(_open_decisions(version)).values(author=person))


def withdraw_decisions(connection: Connection, version: int) -> None:
    """Take back that a retake is wanted, where none was begun for it."""
    connection.execute(
        update(review_notes).where(_open_decisions(version)).values(state=NoteState.WITHDRAWN.value)
    )


def record_status_author(
    connection: Connection,
    *,
    version: int,
    background: str,
    status: str,
    person: Person,
    now: datetime,
) -> str:
    """Keep who sets a status on our pages, for where the tracker cannot tell; return its id."""
    id_ = f"Said:{version}.{now:%y%m%d%H%M%S%f}"
    connection.execute(
        insert(review_notes),
        {
            "id": id_,
            "version_id": version,
            "background_key": background,
            "author": person.id,
            "text": status,
            "state": NoteState.STATUS_AUTHOR.value,
            "job_key": "",
            "written_at": now,
            "seen_at": now,
        },
    )
    people.note(connection, person)
    return id_


def pop_status_author(connection: Connection, version: int, status: str) -> Person | None:
    """
    Return who set that status on our pages, where somebody did; it is returned once.

    All earlier authors for this version are deleted, as a decision now follows from it.
    """
    here = (_columns.version_id == version) & (_columns.state == NoteState.STATUS_AUTHOR.value)
    query = select(_columns.author).where(here, _columns.text == status)
    found = connection.execute(query.order_by(_columns.written_at.desc()).limit(1)).scalar()
    connection.execute(delete(review_notes).where(here))
    return people.look_up(connection, [found]).get(found) if found else None


def delete_status_author(connection: Connection, id_: str) -> None:
    """Forget who wanted to set a status, as the tracker did not take it."""
    connection.execute(delete(review_notes).where(_columns.id == id_))


def storable(text: str) -> str:
    """Return what every database takes of a text: no NUL, no half of a character, no more of it."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")[:LONGEST]


def set_state(
    connection: Connection,
    ids: Collection[str],
    state: NoteState,
    *,
    only: Collection[NoteState] = (),
    job: str | None = None,
) -> int:
    """Note what became of notes, of those `only` in these states; return how many."""
    values: dict[str, object] = {"state": state.value}
    if job is not None:
        values["job_key"] = job
    change = update(review_notes).where(_columns.id.in_(list(ids)))
    if only:
        change = change.where(_columns.state.in_([one.value for one in only]))
    return connection.execute(change.values(**values)).rowcount


def _state_of(text: str) -> NoteState:
    return NoteState.THANKS if only_thanks(text) else NoteState.WAITING


def _kept(row: Row[tuple[object, ...]]) -> KeptNote:
    return KeptNote(
        id=row.id,
        version=row.version_id,
        author=row.author,
        text=row.text,
        state=NoteState(row.state),
        job=row.job_key,
        written_at=row.written_at,
        seen_at=row.seen_at,
    )


def _open_decisions(version: int) -> ColumnElement[bool]:
    return and_(
        _columns.version_id == version,
        begins_with(_columns.id, "Decision:"),
        _columns.state.in_([state.value for state in OPEN]),
    )
