"""Layouts that are recorded as somebody's, and of which it is stated since who drew them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from haikei.credits.contribution import Contribution, Grade, Person
from haikei.credits.people.commitments import note, seal_statement
from haikei.credits.record import ImageRecord, Statement, StatementKind
from haikei.credits.records.confirmations import DRAWING, pictures_of
from haikei.credits.records.record_reading import WRONGLY, RecordReader, answers_about
from haikei.credits.records.statements import entry_of
from haikei.credits.records.store import contribute


def correct_artists(
    connection: Connection,
    statement: Statement,
    artists: Sequence[Person],
    *,
    layouts: Sequence[str],
) -> tuple[str, ...]:
    """
    Let the records of a layout, and what was measured of it, name exactly those who drew it.

    Who is named wrongly is credited no more, as a sealed correction says of each image; who was not
    named is added as declared. Return the keys of the images that say something else now.

    Args:
        connection: of the caller's transaction.
        statement: the declaration who drew it, sealed already.
        artists: whom it names.
        layouts: what the keys of its records begin with.

    Raises:
        CreditError: somebody cannot be credited.
        LedgerError: see `haikei.credits.records.store.contribute`.
    """
    entry = entry_of(connection, statement.key)
    seqs = pictures_of(connection, layouts)
    wanted = {person.id: person for person in artists}
    changed: list[str] = []
    for image in RecordReader(connection).images(seqs).values():
        parts = tuple(_drawing(image))
        for role in dict.fromkeys(one.role for one in parts):
            had = {
                one.actor.id: one
                for one in parts
                if one.role is role and isinstance(one.actor, Person)
            }
            for id_ in had.keys() - wanted.keys():
                if not Person(id=id_, name="").is_disowned:
                    _seal(connection, statement, image, f"{role.value}/{id_}", entry, wrongly=True)
            model = next(iter(had.values()))
            for id_ in wanted.keys() - had.keys():
                _reinstate(connection, statement, image, f"{role.value}/{id_}", entry)
                contribute(connection, image.key, _declared(model, wanted[id_], statement, entry))
            if had.keys() != wanted.keys():
                changed.append(image.key)
    return tuple(dict.fromkeys(changed))


def _drawing(image: ImageRecord) -> Iterator[Contribution]:
    return (
        one for one in image.contributions if one.role in DRAWING and isinstance(one.actor, Person)
    )


def _declared(
    model: Contribution, person: Person, statement: Statement, entry: int | None
) -> Contribution:
    source = f"statement {statement.kind.value} of entry {entry}, by {statement.by.id}"
    evidence = replace(model.evidence, source=source, note="")
    return replace(
        model, actor=person, grade=Grade.DECLARED, found=None, evidence=evidence, at=statement.at
    )


def _reinstate(
    connection: Connection, statement: Statement, image: ImageRecord, what: str, entry: int | None
) -> None:
    role, _, id_ = what.partition("/")
    if (image.sha256, id_, role) in answers_about(connection, {image.sha256}).withdrawn:
        _seal(connection, statement, image, what, entry, wrongly=False)


def _seal(
    connection: Connection,
    statement: Statement,
    image: ImageRecord,
    what: str,
    entry: int | None,
    *,
    wrongly: bool,
) -> None:
    correction = replace(
        statement,
        key=f"redrawn/{entry}/{image.sha256[:16]}/{what}",
        kind=StatementKind.CORRECTION,
        image_sha256=image.sha256,
        subject=f"{WRONGLY}{what}",
        answer="yes" if wrongly else "no",
        reference=f"ledger entry {entry}",
    )
    seal_statement(connection, correction, note(connection, statement.by))
