"""
What the job engine keeps carries no names: commitments stand in their place.

Step results and payloads stay in the engine for weeks, where no name can be erased. Every type that
reaches it is registered with `engine_type`, which walks its fields: a `Person` may stand anywhere,
but a field in which a name could hide is refused. Values are encoded by type: each `Person` keeps
its id, and commitments in place of its names; registered names in texts and paths become
commitments too. Reading restores the names, or withholds those that were erased meanwhile.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, datetime
from enum import Enum
from pathlib import Path, PurePath, PurePosixPath
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter
from sqlalchemy import Engine as Database

from haikei.credits import WITHHELD, WITHHELD_JA, Person, people
from haikei.credits.people import Mentions, occurrences
from haikei.database import reading

T = TypeVar("T")

#: How each field of a `Person` is kept. One that is missing here is refused by `engine_type`.
ID, NAME, TEXT = "as it is", "as a commitment", "as text in which names are replaced"
PERSON_FIELDS: Mapping[str, str] = {"id": ID, "name": NAME, "name_ja": NAME, "opt_out": TEXT}

_PLAIN = (str, int, float, bool, NoneType, date, datetime, Path, PurePosixPath)
_registered: dict[type, None] = {}


def engine_type(kind: type[T]) -> TypeAdapter[T]:
    """
    Register a type whose values the engine keeps, and return what reads and writes its JSON.

    Raises:
        TypeError: a field could carry a name past `Pseudonyms`: a `Person` beside plain text, a
            field of `Person` without an entry in `PERSON_FIELDS`, or a type that is not walked.
    """
    _check(kind, kind.__name__, set())
    _registered[kind] = None
    return TypeAdapter(kind)


def engine_types() -> tuple[type, ...]:
    """Return every type that is registered by the modules loaded so far."""
    return tuple(_registered)


def _check(kind: Any, where: str, seen: set[type]) -> None:
    if kind in seen or kind is Ellipsis:
        return
    origin, parts = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        if str in parts and any(isinstance(one, type) and _is_person(one) for one in parts):
            raise TypeError(f"{where} mixes people with plain text; use Person alone")
        for part in parts:
            _check(part, where, seen)
    elif origin is tuple:
        for part in parts:
            _check(part, where, seen)
    elif is_dataclass(kind) and isinstance(kind, type):
        seen.add(kind)
        names = [field.name for field in fields(kind)]
        if _is_person(kind) and set(names) != set(PERSON_FIELDS):
            raise TypeError(f"{where}: {names} are not the fields in PERSON_FIELDS")
        hints = get_type_hints(kind)
        for name in names:
            _check(hints[name], f"{where}.{name}", seen)
    elif origin is not Literal and not (
        isinstance(kind, type) and (kind in _PLAIN or issubclass(kind, Enum))
    ):
        raise TypeError(f"{where} is a {kind}, in which people are not looked for")


def _is_person(kind: type) -> bool:
    return issubclass(kind, Person)


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """
    Replaces people's names in values of registered types, and restores them.

    Args:
        database: the studio's own, which holds the register of people.
    """

    database: Database

    def pseudonymise(self, value: T) -> T:
        """
        Return a value in which commitments stand for names; unknown people are registered.

        Raises:
            CreditError: a person has a name and no id, and so cannot be registered.
        """
        found = set(_people(value))
        with reading(self.database) as connection:
            printed = people.as_printed(connection, found)
            mentions = Mentions.load(connection)
        nameless = {person.id for person in printed if not _names(person)}
        named = [person for person in found if _names(person) and person.id not in nameless]
        if any(name not in mentions.tokens for person in named for name in _names(person)):
            with self.database.begin() as connection:
                for person in named:
                    people.register(connection, [person])
                mentions = Mentions.load(connection)
        erased = {
            name: instead
            for person in found
            if person.id in nameless
            for name, instead in ((person.name, WITHHELD), (person.name_ja, WITHHELD_JA))
            if name.strip()
        }

        def text(plain: str) -> str:
            for name, instead in erased.items():
                plain = occurrences(name).sub(instead, plain)
            return mentions.hide(plain)

        def token(plain: str) -> str:
            return erased.get(plain) or mentions.tokens[plain] if plain.strip() else plain

        def kept(person: Person) -> Person:
            how: Mapping[str, Callable[[str], str]] = {ID: str, NAME: token, TEXT: text}
            return replace(person, **{name: how[way](getattr(person, name)) for name, way in _WAYS})

        return _changed(value, change_person=kept, change_text=text)

    def restore(self, value: T) -> T:
        """Return a value with the names that were replaced, as far as they were not erased."""
        with reading(self.database) as connection:
            mentions = Mentions.load(connection)

        def restored(person: Person) -> Person:
            texts = (name for name, way in _WAYS if way != ID)
            return replace(person, **{name: mentions.show(getattr(person, name)) for name in texts})

        return _changed(value, change_person=restored, change_text=mentions.show)


_WAYS = tuple(PERSON_FIELDS.items())


def _changed(
    value: T, *, change_person: Callable[[Person], Person], change_text: Callable[[str], str]
) -> T:
    def change(one: object) -> object:
        match one:
            case Person():
                return change_person(one)
            case Enum():
                return one
            case str():
                return change_text(one)
            case PurePath():
                plain = str(one)
                changed = change_text(plain)
                return one if changed == plain else type(one)(changed)
            case tuple():
                return tuple(change(part) for part in cast("tuple[object, ...]", one))
            case _ if is_dataclass(one) and not isinstance(one, type):
                return replace(
                    one, **{field.name: change(getattr(one, field.name)) for field in fields(one)}
                )
            case _:
                return one

    return cast("T", change(value))


def _people(value: object) -> Iterator[Person]:
    match value:
        case Person():
            yield value
        case tuple():
            for part in cast("tuple[object, ...]", value):
                yield from _people(part)
        case _ if is_dataclass(value) and not isinstance(value, type):
            for field in fields(value):
                yield from _people(getattr(value, field.name))
        case _:
            pass


def _names(person: Person) -> tuple[str, ...]:
    return tuple(name for name in (person.name, person.name_ja) if name.strip())
