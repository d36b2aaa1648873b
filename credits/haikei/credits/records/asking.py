"""Layouts of which several people may be the artist: who is asked for, and what the answer does."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, select

from haikei.credits.contribution import ASKED_FOR, DISOWNED, Contribution, Grade, Person
from haikei.credits.record import ImageRecord
from haikei.credits.records.record_reading import RecordReader
from haikei.credits.records.store import contribute
from haikei.database import background_images, begins_with, contributions, image_records
from haikei.errors import CreditError

_ONE_OF = "one of "


def asked_for(layout_key: str) -> Person:
    """Return who stands for the artist of a layout until somebody answers who it is."""
    return Person(id=ASKED_FOR + hashlib.sha256(layout_key.encode()).hexdigest()[:16], name="")


def disowned_by(layout_key: str) -> Person:
    """Return who stands for the artist of a layout that was credited to somebody else."""
    return Person(id=DISOWNED + hashlib.sha256(layout_key.encode()).hexdigest()[:16], name="")


def candidates_note(candidates: Iterable[Person]) -> str:
    """Return the note of evidence that says who may be meant; by ids, which tell no name."""
    return _ONE_OF + ", ".join(person.id for person in candidates)


def open_question(images: Sequence[ImageRecord]) -> Contribution | None:
    """Return the part in a lineage's layout of somebody who is not yet named."""
    parts = (one for image in images[:1] for one in image.contributions)
    return next((one for one in parts if isinstance(one.actor, Person) and _is_open(one)), None)


def candidates_of(question: Contribution) -> tuple[str, ...]:
    """Return the ids of those who may be meant."""
    notes = question.evidence.note.split("; ")
    found = next((note for note in notes if note.startswith(_ONE_OF)), _ONE_OF)
    return tuple(filter(None, found.removeprefix(_ONE_OF).split(", ")))


def artist_answered(images: Sequence[ImageRecord]) -> Person | None:
    """Return whom people named as a layout's artist where several may have drawn it."""
    parts = (one for image in images[:1] for one in image.contributions if candidates_of(one))
    found = (
        one.actor for one in parts if isinstance(one.actor, Person) and not one.actor.is_asked_for
    )
    return next(found, None)


def keys_asked(connection: Connection) -> tuple[str, ...]:
    """Return the keys of versions of which somebody was asked who drew their layout."""
    shown = background_images.c
    query = (
        select(shown.background_key)
        .join(contributions, contributions.c.image_seq == shown.image_seq)
        .where(shown.position == 0, begins_with(contributions.c.actor, ASKED_FOR))
        .distinct()
        .order_by(shown.background_key)
    )
    return tuple(connection.execute(query).scalars())


def artists_named(connection: Connection, layout_key: str) -> tuple[Person, ...]:
    """Return whom the record of a layout names as its artists; nobody while it is open."""
    query = select(image_records.c.ledger_seq).where(image_records.c.key == layout_key)
    seq = connection.execute(query).scalar()
    if seq is None:
        return ()
    people = RecordReader(connection).images((seq,))[seq].people
    return tuple(person for person in people if not person.is_asked_for)


def name_artist(
    connection: Connection, question: Contribution, person: Person, *, source: str, at: datetime
) -> tuple[str, ...]:
    """
    Put a person in the place of one who is not yet named, in every image; return their keys.

    Each part is sealed as an entry of its own, with what was measured of it.

    Args:
        connection: of the caller's transaction.
        question: a part of the one who is not yet named.
        person: who it is.
        source: where it is known from: who answered, and where.
        at: when it was answered.

    Raises:
        CreditError: somebody has been named already, or the person cannot be credited.
        LedgerError: see `haikei.credits.records.store.contribute`.
    """
    asked = question.actor.id if isinstance(question.actor, Person) else ""
    rows = connection.execute(
        select(image_records.c.ledger_seq, image_records.c.key)
        .join(contributions, contributions.c.image_seq == image_records.c.ledger_seq)
        .where(contributions.c.actor == asked)
        .distinct()
        .order_by(image_records.c.ledger_seq)
    ).all()
    images = RecordReader(connection).images([row.ledger_seq for row in rows])
    named: list[str] = []
    for row in rows:
        for one in images[row.ledger_seq].contributions:
            if isinstance(one.actor, Person) and one.actor.id == asked:
                contribute(connection, row.key, _answered(one, person, source, at))
                named.append(row.key)
    if not named:
        raise CreditError(
            "The artist of this layout is named already.",
            advice="Declare a correction where the name is wrong: `haikei credits declare "
            "correction`.",
        )
    return tuple(dict.fromkeys(named))


def _answered(one: Contribution, person: Person, source: str, at: datetime) -> Contribution:
    # What was measured of their work stands beside who it is, which is declared.
    measured = one.evidence.recall is not None
    where = f"{one.evidence.source}; {source}" if measured else source
    evidence = replace(one.evidence, source=where)
    return replace(one, actor=person, grade=Grade.DECLARED, evidence=evidence, at=at)


def _is_open(one: Contribution) -> bool:
    # Of work that was somebody else's nobody is asked: the production says whose it is.
    actor = one.actor
    return isinstance(actor, Person) and actor.is_asked_for and not actor.is_disowned
