"""The register of people: what they are called today, and what becomes of a name."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, delete, func, select, update

from haikei.credits.contribution import ASKED_FOR, Person, is_machine_name
from haikei.credits.naming import WITHHELD, WITHHELD_JA
from haikei.credits.people.commitments import Opening, note, note_all, opening, register, state_name
from haikei.credits.people.erasing import occurrences, take_out
from haikei.credits.record import StatementKind
from haikei.database import (
    contributions,
    ledger,
    name_openings,
    people,
    statements,
    utc_now,
)
from haikei.errors import CreditError

__all__ = [
    "Erased",
    "Opening",
    "as_printed",
    "erase",
    "everyone",
    "last_withdrawal",
    "look_up",
    "names_had",
    "new_id",
    "note",
    "note_all",
    "opening",
    "opt_out",
    "register",
    "rename",
    "withdrawn",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What was done when a name was erased."""

    openings: int  #: commitments that nobody can open any more
    names: tuple[str, ...]  #: what was erased, to look for it elsewhere
    texts: int  #: texts and orders of our own in which the name was replaced
    paths: tuple[str, ...]  #: files that are called by the name, which is kept as long
    sealed: tuple[int, ...]  #: ledger entries in which somebody else's words still hold the name


def new_id() -> str:
    """Return an id for somebody without a tracker id: random, so that it tells no name."""
    return f"person:{uuid4().hex}"


def look_up(connection: Connection, ids: Iterable[str]) -> Mapping[str, Person]:
    """Return people as they are named today, by id; ids that nobody has are left out."""
    rows = connection.execute(select(people).where(people.c.id.in_(list(ids))))
    return {row.id: _person(row) for row in rows}


def everyone(connection: Connection) -> Iterator[Person]:
    """Yield all people as they are named today, by id."""
    for row in connection.execute(select(people).order_by(people.c.id)):
        yield _person(row)


def as_printed(connection: Connection, given: Iterable[Person]) -> tuple[Person, ...]:
    """
    Return people as credits must name them, whatever the tracker says.

    Those who were renamed, want no name or were erased here are so; all others are as given.
    """
    persons = tuple(given)
    ids = [person.id for person in persons]
    rows = {row.id: row for row in connection.execute(select(people).where(people.c.id.in_(ids)))}
    return tuple(_printed(person, rows.get(person.id)) for person in persons)


def withdrawn(connection: Connection) -> frozenset[str]:
    """Return the ids of all whose names must stand in no new file: withheld, or erased."""
    return frozenset(
        connection.execute(select(people.c.id).where(people.c.opt_out != "")).scalars()
    )


def last_withdrawal(connection: Connection, ids: Iterable[str]) -> int | None:
    """Return the newest ledger entry by which one of these people's names was withdrawn, if any."""
    kinds = (StatementKind.NAME_WITHHELD.value, StatementKind.NAME_ERASED.value)
    gone = withdrawn(connection).intersection(ids)
    query = select(func.max(statements.c.ledger_seq)).where(
        statements.c.by.in_(gone), statements.c.kind.in_(kinds)
    )
    return connection.execute(query).scalar()


def names_had(connection: Connection, ids: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Return every name that people have in the register or had there, by id."""
    return {id_: tuple(_names_of(connection, id_)) for id_ in ids}


def rename(connection: Connection, person_id: str, *, name: str, name_ja: str = "") -> Person:
    """
    Give a person another name, from now on and in everything that was recorded before.

    The id stays and no record changes: the ledger's commitments still open to the earlier names.
    That the name changed is sealed.

    Raises:
        CreditError: nobody has this id, the name is empty or a machine's, or it was erased.
    """
    before = _one(connection, person_id)
    if person_id.startswith(ASKED_FOR):
        raise CreditError(
            f"{person_id} stands for a layout's artist who is not yet named.",
            advice="Say who it is with `haikei credits name-layout`, or answer in the tracker.",
        )
    if before.erased_at is not None:
        raise CreditError(
            f"The name of {person_id} was erased.",
            advice="Ask the person; with their consent, register them under another id.",
        )
    if not name.strip():
        raise CreditError(f"{person_id} cannot have an empty name.")
    for new_name in (name, name_ja):
        if is_machine_name(new_name):
            raise CreditError(
                f"{person_id} cannot be called {new_name!r}: no person is.",
                advice="Give the name that the person wants in credits, or record an opt-out.",
            )
    after = Person(id=person_id, name=name, name_ja=name_ja, opt_out=before.opt_out)
    now = utc_now()
    connection.execute(
        update(people)
        .where(people.c.id == person_id)
        .values(name=name, name_ja=name_ja, renamed_at=now, updated_at=now)
    )
    _state(connection, after, StatementKind.NAME_CHANGED, "haikei credits rename")
    return after


def opt_out(connection: Connection, person_id: str, reference: str) -> Person:
    """
    Keep a person's name out of all credits, and seal that this was asked for.

    Args:
        connection: of the caller's transaction.
        person_id: who.
        reference: where it is recorded that they asked, such as a letter's date.

    Raises:
        CreditError: nobody has this id, or there is no reference.
    """
    after = replace(_person(_one(connection, person_id)), opt_out=_referenced(reference))
    connection.execute(
        update(people)
        .where(people.c.id == person_id)
        .values(opt_out=reference, updated_at=utc_now())
    )
    _state(connection, after, StatementKind.NAME_WITHHELD, reference)
    return after


def erase(
    connection: Connection, person_id: str, reference: str, *, also: Iterable[str] = ()
) -> Erased:
    """
    Erase a person's names: the register, the openings of commitments, our texts and orders.

    The id stays, without a name, and credits print that it is withheld. The ledger is not touched:
    it never held the name, and its proofs stand. Files that left the building keep what they say.

    Args:
        connection: of the caller's transaction.
        person_id: who.
        reference: where it is recorded that they asked, such as a letter's date.
        also: names of theirs that the register does not hold, or not any more: of a name that was
            erased before, nothing is known here.

    Raises:
        CreditError: nobody has this id, or there is no reference.
    """
    _one(connection, person_id)
    _referenced(reference)
    if connection.dialect.name == "sqlite":
        # Deleted rows are overwritten; they would lie in free pages of the file otherwise.
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
    names = {name: WITHHELD for name in also if name.strip()}
    names |= _names_of(connection, person_id)
    nobody = Person(id=person_id, name="", opt_out=reference)
    taken = take_out(connection, nobody, names)
    mine = name_openings.c.person == person_id
    openings = connection.execute(delete(name_openings).where(mine)).rowcount
    now = utc_now()
    connection.execute(
        update(people)
        .where(people.c.id == person_id)
        .values(name="", name_ja="", opt_out=reference, erased_at=now, updated_at=now)
    )
    _state(connection, nobody, StatementKind.NAME_ERASED, reference)
    return Erased(
        openings=openings,
        names=tuple(names),
        texts=taken.texts,
        paths=taken.paths,
        sealed=_sealed_with(connection, names),
    )


def _one(connection: Connection, person_id: str) -> Any:
    row = connection.execute(select(people).where(people.c.id == person_id)).first()
    if row is None:
        raise CreditError(
            f"Nobody with the id {person_id!r} is in the register.",
            advice="`haikei credits people` lists everyone.",
        )
    return row


def _person(row: Any) -> Person:
    return Person(id=row.id, name=row.name, name_ja=row.name_ja, opt_out=row.opt_out)


def _printed(given: Person, row: Any) -> Person:
    if row is None:
        return given
    if row.erased_at is not None or row.renamed_at is not None:
        return _person(row)
    return replace(
        given, name_ja=given.name_ja or row.name_ja, opt_out=given.opt_out or row.opt_out
    )


def _referenced(reference: str) -> str:
    if not reference.strip():
        raise CreditError(
            "Nothing says where this was asked for.",
            advice="Give a reference, such as the date of a letter.",
        )
    return reference


def _state(connection: Connection, after: Person, kind: StatementKind, reference: str) -> None:
    commitment = note(connection, after)
    state_name(connection, after, commitment, kind, reference=reference, at=utc_now())


def _names_of(connection: Connection, person_id: str) -> dict[str, str]:
    """Return every name that a person has had, with what stands in its place."""
    found: dict[str, str] = {}
    for table, mine in ((people, people.c.id), (name_openings, name_openings.c.person)):
        for row in connection.execute(
            select(table.c.name, table.c.name_ja).where(mine == person_id)
        ):
            found[row.name_ja] = WITHHELD_JA
            found[row.name] = WITHHELD
    return {name: instead for name, instead in found.items() if name.strip()}


def _sealed_with(connection: Connection, names: Iterable[str]) -> tuple[int, ...]:
    found: set[int] = set()
    for name in names:
        pattern = occurrences(name)
        query = select(ledger.c.seq, ledger.c.payload).where(
            ledger.c.payload.contains(name, autoescape=True)
        )
        found.update(row.seq for row in connection.execute(query) if pattern.search(row.payload))
    return tuple(sorted(found))


def contributions_of(connection: Connection) -> Mapping[str, int]:
    """Return how many contributions each person has, by id."""
    query = (
        select(contributions.c.actor, func.count().label("number"))
        .where(contributions.c.actor_kind == "person")
        .group_by(contributions.c.actor)
    )
    return {row.actor: row.number for row in connection.execute(query)}
