"""From notes to the job that makes the version they ask for."""

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, Table, and_, func, or_, select, update

from haikei.credits import BackgroundVersion, Person
from haikei.database import backgrounds, jobs, review_notes, utc_now
from haikei.decisions import ReviewState
from haikei.jobs.inbox import add_job
from haikei.jobs.job import JobOrder, JobState, RetakeOrder, Turn
from haikei.jobs.table import job_row, order_of
from haikei.note_language.parser import added_changes, read_notes
from haikei.note_language.ways import MOST
from haikei.presets import Abilities, Act, Quality, RegionChange, Subject, split_noted
from haikei.review.notes import KeptNote, NoteState

#: Keys of retake jobs begin so; the table's index on keys finds them.
PREFIX = "retake-"
#: Retakes go before jobs that are less urgent than this: a person waits for them.
URGENT = 50
#: What of one note goes into a prompt, and of all of them together, in characters.
WORDS_OF_A_NOTE, WORDS_IN_ALL = 300, 900
_OPEN = (JobState.WAITING.value, JobState.RUNNING.value)


def last_retake(connection: Connection, version: int) -> tuple[str, JobState, JobOrder] | None:
    """Return the newest retake job that notes on this Version led to."""
    query = (
        select(jobs.c.key, jobs.c.state, jobs.c.order_json)
        .join(review_notes, review_notes.c.job_key == jobs.c.key)
        .where(review_notes.c.version_id == version)
        .order_by(jobs.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None else (row.key, JobState(row.state), order_of(row.order_json))


def parent_of(
    connection: Connection, version: BackgroundVersion, last: JobOrder | None
) -> tuple[JobOrder, str] | None:
    """
    Return the order, and the code, of the version that a retake goes on from.

    That is the newest version a job has made of this cut, season and time, whichever version the
    notes are on; where the last retake for them went to another season or time, the newest there.
    Versions that were painted by hand or omitted are passed over.
    """
    season, time = (last.season, last.time) if last else (version.season, version.time)
    for one in dict.fromkeys(((season, time), (version.season, version.time))):
        # Of all reviewers one alone orders retakes of a cut, season and time at a time.
        query = (
            select(jobs.c.order_json, backgrounds.c.code)
            .join(jobs, jobs.c.key == backgrounds.c.key)
            .where(_same(backgrounds, version, *one), jobs.c.kind == "background")
            .where(jobs.c.order_json != "")
            .where(
                (backgrounds.c.state != ReviewState.OMITTED.value)
                | (backgrounds.c.key == version.key)
            )
            .order_by(backgrounds.c.version.desc())
            .limit(1)
            .with_for_update(of=backgrounds)
        )
        row = connection.execute(query).first()
        if row is not None:
            return order_of(row.order_json), row.code
    return None


def is_being_made(
    connection: Connection, version: BackgroundVersion, moments: Sequence[tuple[str, str]]
) -> bool:
    """Tell whether a retake of this cut in one of these seasons and times waits or runs."""
    query = select(func.count()).where(_retakes(version, moments), jobs.c.state.in_(_OPEN))
    return bool(connection.execute(query).scalar_one())


def count_retakes(connection: Connection, version: BackgroundVersion, order: JobOrder) -> int:
    """Return how many retakes of this cut, season and time there were."""
    query = select(func.count()).where(_retakes(version, [(order.season, order.time)]))
    return int(connection.execute(query).scalar_one())


def ordered(
    parent: JobOrder,
    code: str,
    notes: Sequence[KeptNote],
    people: Mapping[str, Person],
    abilities: Abilities,
) -> JobOrder:
    """
    Return the order of a retake.

    Args:
        parent: the order of the version that it goes on from.
        code: that version's name.
        notes: what it is made for, the oldest first.
        people: their authors by id, as far as they are known.
        abilities: of the generators that will make it.
    """
    comments = [note for note in notes if not note.is_decision]
    instructions = read_notes([note.text for note in comments], abilities)
    ids = tuple(note.id for note in notes)
    key = PREFIX + _digest(parent.key, *sorted(ids))[:32]
    before = parent.retake
    return replace(
        parent,
        key=key,
        season=instructions.season or parent.season,
        time=instructions.time or parent.time,
        priority=min(parent.priority, URGENT),
        # What nobody mentioned stays; a retake without a word asks for nothing but another one.
        seed=_seed(parent.seed, key) if instructions.new_seed or not comments else parent.seed,
        retake=RetakeOrder(
            parent=parent.key,
            parent_version_code=code,
            asked_by=_authors(notes, people),
            notes=ids,
            instructions=instructions,
            turns=added_up(
                _without_clouds(before.turns if before else (), instructions.changes),
                instructions.turns,
            ),
            changes=added_changes(
                _brought_back(before.changes if before else (), instructions.turns),
                instructions.changes,
            ),
            words=_prompted(
                (
                    *(before.words if before else ()),
                    *(_promptable(note.text) for note in comments),
                )
            ),
            unwanted=_prompted((*(before.unwanted if before else ()), *instructions.unwanted)),
        ),
    )


def order_retake(connection: Connection, order: JobOrder, replaces: str) -> bool:
    """
    Put a retake among the jobs; return False when it stood there already.

    Args:
        connection: in the caller's transaction.
        order: the retake.
        replaces: the key of a dead job whose notes this one is for too; empty for none.
    """
    if replaces:
        connection.execute(
            update(jobs)
            .where(jobs.c.key == replaces, jobs.c.state == JobState.DEAD.value)
            .values(
                state=JobState.SKIPPED.value,
                note=f"Its notes were taken into {order.key}.",
                updated_at=utc_now(),
            )
        )
    return add_job(connection, job_row(order, utc_now()))


def added_up(before: Sequence[Turn], now: Sequence[Turn]) -> tuple[Turn, ...]:
    """Return turns of two retakes as one; opposite ones cancel, and none passes 100 %."""
    totals: dict[Quality, int] = {}
    for turn in (*before, *now):
        total = totals.get(turn.quality, 0) + turn.amount
        totals[turn.quality] = max(-MOST, min(MOST, total))
    return tuple(Turn(quality=one, amount=amount) for one, amount in totals.items() if amount)


def _without_clouds(turns: Sequence[Turn], changes: Sequence[RegionChange]) -> Sequence[Turn]:
    """Return turns without those of clouds, where clouds are taken out now."""
    gone = any(one.subject is Subject.CLOUDS and one.act is Act.REMOVE for one in changes)
    return [turn for turn in turns if not (gone and turn.quality is Quality.CLOUDS)]


def _brought_back(changes: Sequence[RegionChange], turns: Sequence[Turn]) -> Sequence[RegionChange]:
    """Return changes without the removal of clouds, where more of them are asked for now."""
    more = any(turn.quality is Quality.CLOUDS and turn.amount > 0 for turn in turns)
    return [
        one
        for one in changes
        if not (more and one.subject is Subject.CLOUDS and one.act is Act.REMOVE)
    ]


def taken_over(notes: Sequence[KeptNote], dead: str) -> list[KeptNote]:
    """Return the notes of a dead retake, which the next one is for as well."""
    states = (NoteState.TAKEN, NoteState.FAILED)
    return [note for note in notes if dead and note.job == dead and note.state in states]


def _retakes(version: BackgroundVersion, moments: Sequence[tuple[str, str]]) -> ColumnElement[bool]:
    return and_(
        jobs.c.key >= PREFIX,
        jobs.c.key < PREFIX[:-1] + chr(ord(PREFIX[-1]) + 1),
        or_(*(_same(jobs, version, *moment) for moment in moments)),
    )


def _same(table: Table, version: BackgroundVersion, season: str, time: str) -> ColumnElement[bool]:
    return and_(
        table.c.project == version.project,
        table.c.sequence == version.sequence,
        table.c.shot == version.shot,
        table.c.season == season,
        table.c.time == time,
    )


def _authors(notes: Sequence[KeptNote], people: Mapping[str, Person]) -> tuple[Person, ...]:
    found = {note.author: people[note.author] for note in notes if note.author in people}
    return tuple(found.values())


def _promptable(text: str) -> str:
    """Return what of a note's text a model is given: its words, and in words where it was drawn."""
    words, spots, _ = split_noted(text)
    sides = " and ".join(dict.fromkeys(one.side for one in spots if one.side))
    return f"{words} (in the {sides})" if words and sides else words


def _prompted(words: Sequence[str]) -> tuple[str, ...]:
    """Return words as prompts take them: one line each, short; of too many the newest."""
    kept: list[str] = []
    room = WORDS_IN_ALL
    for one in dict.fromkeys(reversed([_line(text) for text in words])):
        room -= len(one)
        if room < 0:
            break
        if one:
            kept.append(one)
    return tuple(reversed(kept))


def _line(text: str) -> str:
    # Control and format characters mean nothing in a prompt, and can hide what it says.
    plain = "".join(
        " " if unicodedata.category(one).startswith(("C", "Z")) else one for one in text
    )
    line = " ".join(plain.split())
    if len(line) <= WORDS_OF_A_NOTE:
        return line
    return line[:WORDS_OF_A_NOTE].rsplit(" ", 1)[0]


def _seed(before: int, key: str) -> int:
    return int(_digest(str(before), key)[:16], 16) >> 1


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
