"""Hold what is printed of people against what the ledger seals of their names."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, or_, select

from haikei.credits.contribution import Person
from haikei.credits.people.commitments import commit
from haikei.credits.people.stating import name_key
from haikei.credits.statement import StatementKind
from haikei.database import schema

_AT_ONCE = 200
_CHANGED = "somebody changed it without Haikei."


@dataclass(frozen=True, slots=True)
class SealedNames:
    """What entries seal of people's names."""

    #: The last entry that commits to a person's name, and the commitment, by the person's id.
    last: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    withheld: dict[str, int] = field(default_factory=dict[str, int])
    erased: dict[str, int] = field(default_factory=dict[str, int])

    def take(self, seq: int, sealed: Mapping[str, Any]) -> None:
        """Note whose names an entry commits to, and what it decides about them."""
        made = [one.get("actor") for one in sealed.get("contributions", ())]
        made += [sealed.get("contribution", {}).get("actor"), sealed.get("by")]
        for one in made:
            if one is None or "commitment" not in one:
                continue
            if one["id"] not in self.last or self.last[one["id"]][0] < seq:
                self.last[one["id"]] = (seq, one["commitment"])
        match sealed.get("kind"):
            case StatementKind.NAME_WITHHELD.value:
                self.withheld.setdefault(sealed["by"]["id"], seq)
            case StatementKind.NAME_ERASED.value:
                self.erased.setdefault(sealed["by"]["id"], seq)
            case _:
                pass

    def keys(self) -> tuple[str, ...]:
        """Return what the keys of entries about these people's names begin with."""
        return tuple(f"statement/{name_key(id_)}" for id_ in sorted(self.last))


def entries_about(connection: Connection, keys: Collection[str]) -> Iterator[tuple[int, str]]:
    """Yield number and payload of the entries whose keys begin so, in order."""
    columns = schema.ledger.c
    ordered = sorted(keys)
    found: dict[int, str] = {}
    for start in range(0, len(ordered), _AT_ONCE):
        # A range is looked up in the index; `LIKE` is not, on every database. What follows are
        # hexadecimal digits, which come before `g` in every collation.
        among = (columns.key.between(key, f"{key}g") for key in ordered[start : start + _AT_ONCE])
        query = select(columns.seq, columns.payload).where(or_(*among))
        found |= {row.seq: row.payload for row in connection.execute(query)}
    yield from sorted(found.items())


def name_differences(
    connection: Connection, sealed: SealedNames, *, everyone: bool
) -> Iterator[str]:
    """
    Yield a sentence for each person who is printed otherwise than was sealed last.

    Args:
        connection: one that sees the tables at one moment.
        sealed: what the ledger says of the people to look at.
        everyone: look at the people in the register of whom it says nothing too.
    """
    opened: dict[str, set[tuple[str, str, str]]] = {}
    columns = schema.name_openings.c
    names = (columns.commitment, columns.person, columns.name, columns.name_ja, columns.salt)
    for row in connection.execute(select(*names)):
        told = Person(id=row.person, name=row.name, name_ja=row.name_ja)
        if commit(told, row.salt) == row.commitment:
            opened.setdefault(row.person, set()).add((row.name, row.name_ja, row.commitment))
    register = {row.id: row for row in connection.execute(select(schema.people))}
    for id_ in sorted({*sealed.last, *(register if everyone else ())}):
        if id_ not in register:
            seq = sealed.last[id_][0]
            yield f"{id_}, whom entry {seq} names, is not in the register any more."
            continue
        yield from _person(register[id_], sealed, opened.get(id_, set()))


def _person(
    row: Any, sealed: SealedNames, opened: Collection[tuple[str, str, str]]
) -> Iterator[str]:
    erased, withheld = sealed.erased.get(row.id), sealed.withheld.get(row.id)
    if erased is not None:
        if row.name or row.name_ja or row.erased_at is None:
            yield f"The name of {row.id} is kept, though entry {erased} seals that it was erased."
        return
    if row.erased_at is not None:
        yield f"The name of {row.id} was erased, and nothing sealed says so; {_CHANGED}"
        return
    if row.opt_out and withheld is None:
        yield (
            f"The name of {row.id} is withheld from credits, and nothing sealed says that they "
            f"asked for it; {_CHANGED}"
        )
    if withheld is not None and not row.opt_out:
        yield f"{row.id} is named, though entry {withheld} seals that they asked not to be."
    named = {commitment for *name, commitment in opened if name == [row.name, row.name_ja]}
    last = sealed.last.get(row.id)
    if (row.name or row.name_ja or last is not None) and not named:
        yield (
            f"The name that is printed for {row.id} is not one that was recorded for them; "
            f"{_CHANGED}"
        )
    elif last is not None and last[1] not in named:
        yield (
            f"The name that is printed for {row.id} is not the one that entry {last[0]} seals, "
            f"which is their last; {_CHANGED}"
        )
