"""What the job engine keeps holds no names; the steps get them back, unless they were erased."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path, PurePath
from types import NoneType, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

import pytest
from pydantic import TypeAdapter
from sqlalchemy import Engine

from haikei.credits import Person, people
from haikei.errors import CreditError
from haikei.generators import ProgressCallback
from haikei.jobs import JobState
from haikei.jobs.engine.pseudonyms import (
    PERSON_FIELDS,
    Pseudonyms,
    engine_type,
    engine_types,
)
from support.jobs import JobStudio, Killed, job_studios, studio_database, studio_settings
from support.trackers import AOI

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    opened = studio_database(studio_settings(tmp_path))
    yield opened
    opened.dispose()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[JobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A step result, as the engine keeps it."""

    artists: tuple[Person, ...]
    note: str = ""
    layout: Path = Path("a.png")
    share: float = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class WithReading(Person):
    """A person with one more name."""

    reading: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixed:
    """A person, or a name that nobody registered."""

    artist: Person | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwalked:
    """People in a container that is not walked."""

    artists: dict[str, Person]


def example(kind: Any, person: Person, text: str) -> Any:
    """Return a value of a type, with this person and this text in every place for one."""
    origin, parts = get_origin(kind), get_args(kind)
    if kind is Person:
        return person
    if origin in {Union, UnionType}:
        return example(next(one for one in parts if one is not NoneType), person, text)
    if origin is Literal:
        return parts[0]
    if origin is tuple:
        some = parts[:1] if parts[1:] == (...,) else parts
        return tuple(example(one, person, text) for one in some)
    if is_dataclass(kind):
        hints, make = get_type_hints(kind), cast("Callable[..., Any]", kind)
        return make(**{one.name: example(hints[one.name], person, text) for one in fields(kind)})
    if issubclass(kind, Enum):
        return next(iter(kind))
    if issubclass(kind, PurePath):
        return kind(f"/x/{text}/a.png")
    return AT if kind is datetime else text if kind is str else kind(1)


def kept(house: JobStudio) -> str:
    """Return everything that the engine was given to keep."""
    payloads = [task.payload for task in house.engine.tasks.values()]
    return "\n".join((*payloads, *house.engine.kept.values()))


def erase(database: Engine) -> None:
    with database.begin() as connection:
        people.erase(connection, AOI.id, "letter")


@pytest.mark.parametrize("kind", engine_types(), ids=lambda kind: kind.__name__)
def test_no_type_that_reaches_the_engine_carries_a_name_into_it(
    database: Engine, kind: type
) -> None:
    with database.begin() as connection:
        people.note(connection, AOI)
    given = example(kind, AOI, '"Aoi Sato" said 佐藤葵')

    hidden = Pseudonyms(database).pseudonymise(given)

    text = TypeAdapter(kind).dump_json(hidden).decode()
    assert "Sato" not in text
    assert "佐藤" not in text
    assert Pseudonyms(database).restore(TypeAdapter(kind).validate_json(text)) == given


def test_every_step_and_every_payload_is_registered() -> None:
    assert {kind.__name__ for kind in engine_types()} == {
        "Collected",
        "Failure",
        "Generated",
        "MadeVersion",
        "PublishResult",
        "Recorded",
        "TaskPayload",
        "Understood",
        "Validated",
    }


def test_every_field_of_a_person_has_its_way_of_being_kept() -> None:
    assert {field.name for field in fields(Person)} == set(PERSON_FIELDS)


@pytest.mark.parametrize("kind", [WithReading, Mixed, Unwalked])
def test_a_type_in_which_a_name_could_hide_cannot_be_registered(kind: type) -> None:
    before = engine_types()

    with pytest.raises(TypeError):
        engine_type(kind)

    assert engine_types() == before


def test_a_name_without_an_id_cannot_be_kept(database: Engine) -> None:
    with pytest.raises(CreditError, match="has no id"):
        Pseudonyms(database).pseudonymise(Drawn(artists=(Person(id="", name="Aoi Sato"),)))


def test_values_without_names_stay_as_they_are(database: Engine) -> None:
    given = Drawn(artists=(), note="{person}")

    assert Pseudonyms(database).pseudonymise(given) == given
    assert Pseudonyms(database).restore(given) == given


def test_a_name_that_was_erased_meanwhile_is_withheld(database: Engine) -> None:
    names = Pseudonyms(database)
    given = Drawn(artists=(AOI,), note="Aoi Sato drew it", layout=Path("/x/Aoi Sato/a.png"))
    hidden = names.pseudonymise(given)
    erase(database)

    for found in (names.restore(hidden), names.pseudonymise(given)):
        assert "Sato" not in repr(found)
        assert "佐藤" not in repr(found)
        assert found.note.startswith("(name withheld")


def test_a_spelling_that_was_renamed_here_is_hidden_too(database: Engine) -> None:
    with database.begin() as connection:
        people.note(connection, AOI)
        people.rename(connection, AOI.id, name="A. Tanaka")

    hidden = Pseudonyms(database).pseudonymise(Drawn(artists=(Person(id=AOI.id, name="Aoi S."),)))

    assert "Aoi" not in repr(hidden)


def test_hiding_a_name_changes_nothing_of_what_is_printed(database: Engine) -> None:
    with database.begin() as connection:
        people.note(connection, AOI)

    Pseudonyms(database).pseudonymise(Drawn(artists=(Person(id=AOI.id, name="A. S."),)))

    with database.begin() as connection:
        assert people.look_up(connection, [AOI.id]) == {AOI.id: AOI}


def test_a_job_is_done_and_the_engine_has_learned_no_name(house: JobStudio) -> None:
    key = house.publish()

    assert house.store.get(key).state is JobState.DONE
    assert "Sato" not in kept(house)
    assert "佐藤" not in kept(house)
    (request,) = house.tracker.published.values()
    assert "Aoi Sato" in request.credit_en


def test_a_name_that_is_erased_while_its_job_runs_is_published_nowhere(house: JobStudio) -> None:
    erased: list[str] = []

    def erasing(_stage: str, _progress: ProgressCallback) -> None:
        if not erased:
            erased.append(AOI.id)
            erase(house.database)
            raise Killed

    house.generator.before = erasing
    house.publish()

    (request,) = house.tracker.published.values()
    assert erased
    assert "Sato" not in request.credit_en
    assert "name withheld" in request.credit_en
