"""
Tasks without names: the job engine keeps commitments, and names are looked up when needed.

What a step gave and what one task hands to the next is kept by the engine for weeks, where no name
can be erased. Names of people are therefore registered and replaced on the way in, and shown again
on the way out; one that was erased meanwhile is withheld.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import cast

from sqlalchemy import Engine as Database

from haikei.credits import WITHHELD, WITHHELD_JA, Person, people
from haikei.credits.people import Mentions, occurrences
from haikei.database import reading
from haikei.jobs.engine.port import Durable, Handler, Task

_PERSON = frozenset({"id", "name", "name_ja", "opt_out"})


def nameless(database: Database, handlers: Mapping[str, Handler]) -> Mapping[str, Handler]:
    """
    Return handlers of which the engine learns no name.

    Args:
        database: the studio's own, which holds the register of people.
        handlers: by name.
    """
    return {name: _handler(database, handler) for name, handler in handlers.items()}


def pseudonymise(database: Database, text: str) -> str:
    """Return JSON in which commitments stand for people's names; unknown people are registered."""
    value: object = json.loads(text)
    told = {person.id: person for person in _people_in(value) if person.id.strip()}
    with reading(database) as connection:
        mentions = Mentions.load(connection)
        printed = people.as_printed(connection, told.values())
    named = [person for person in printed if _names(person)]
    if any(name not in mentions.tokens for person in named for name in _names(person)):
        with database.begin() as connection:
            people.register(connection, named)
            mentions = Mentions.load(connection)
    erased = {
        name: instead
        for person in printed
        if not _names(person)
        for name, instead in (
            (told[person.id].name, WITHHELD),
            (told[person.id].name_ja, WITHHELD_JA),
        )
        if name.strip()
    }
    return _dumped(text, value, lambda one: mentions.hide(_withheld(one, erased)))


def restore_names(database: Database, text: str) -> str:
    """Return JSON with the names that `hide` replaced, as far as they were not erased."""
    if "{person" not in text:
        return text
    with reading(database) as connection:
        mentions = Mentions.load(connection)
    return _dumped(text, json.loads(text), mentions.show)


class _Nameless:
    """A task's durable steps, with names for who does them and without for who keeps them."""

    def __init__(self, durable: Durable, database: Database) -> None:
        self._durable = durable
        self._database = database

    def step(self, name: str, work: Callable[[], str]) -> str:
        kept = self._durable.step(name, lambda: pseudonymise(self._database, work()))
        return restore_names(self._database, kept)

    def submit(self, task: Task) -> None:
        self._durable.submit(replace(task, payload=pseudonymise(self._database, task.payload)))


def _handler(database: Database, handler: Handler) -> Handler:
    def perform(durable: Durable, payload: str) -> None:
        handler(_Nameless(durable, database), restore_names(database, payload))

    return perform


def _dumped(text: str, value: object, change: Callable[[str], str]) -> str:
    changed = _changed(value, change)
    if changed == value:
        return text
    return json.dumps(changed, ensure_ascii=False, separators=(",", ":"))


def _changed(value: object, change: Callable[[str], str]) -> object:
    match value:
        case str():
            return change(value)
        case list():
            return [_changed(one, change) for one in cast("list[object]", value)]
        case dict():
            members = cast("dict[str, object]", value)
            return {name: _changed(one, change) for name, one in members.items()}
        case _:
            return value


def _people_in(value: object) -> Iterator[Person]:
    match value:
        case list():
            for one in cast("list[object]", value):
                yield from _people_in(one)
        case dict():
            members = cast("dict[str, object]", value)
            texts = {name: one for name, one in members.items() if isinstance(one, str)}
            if members.keys() == texts.keys() == _PERSON:
                yield Person(**texts)
            for one in members.values():
                yield from _people_in(one)
        case _:
            pass


def _names(person: Person) -> tuple[str, ...]:
    return tuple(name for name in (person.name, person.name_ja) if name.strip())


def _withheld(text: str, erased: Mapping[str, str]) -> str:
    for name, instead in erased.items():
        text = occurrences(name).sub(instead, text)
    return text
