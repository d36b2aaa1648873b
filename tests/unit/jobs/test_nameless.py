"""What the job engine keeps holds no names; who does the work knows them, unless erased."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine

from haikei.credits import Person, people
from haikei.generators import ProgressCallback
from haikei.jobs import JobState
from haikei.jobs.engine.pseudonyms import pseudonymise, restore_names
from support.jobs import JobStudio, Killed, job_studios, studio_database, studio_settings
from support.trackers import AOI


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    opened = studio_database(studio_settings(tmp_path))
    yield opened
    opened.dispose()


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[JobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)()


def told(person: Person, **more: object) -> str:
    """Return what a step gave, as it is kept."""
    plain = {
        "id": person.id,
        "name": person.name,
        "name_ja": person.name_ja,
        "opt_out": person.opt_out,
    }
    return json.dumps({"value": {"artists": [plain], **more}}, ensure_ascii=False)


def kept(studio: JobStudio) -> str:
    """Return everything that the engine was given to keep."""
    payloads = [task.payload for task in studio.engine.tasks.values()]
    return "\n".join((*payloads, *studio.engine.kept.values()))


def erase(database: Engine) -> None:
    with database.begin() as connection:
        people.erase(connection, AOI.id, "letter")


def test_names_are_hidden_and_shown_again_wherever_they_stand(database: Engine) -> None:
    given = told(AOI, note='"Aoi Sato" said 佐藤葵', layouts=["/x/Aoi Sato/a.png"], number=1.5)

    hidden = pseudonymise(database, given)

    assert "Sato" not in hidden
    assert "佐藤" not in hidden
    assert hidden.startswith('{"value":{')
    assert json.loads(restore_names(database, hidden)) == json.loads(given)


def test_texts_without_names_stay_as_they_are(database: Engine) -> None:
    text = '{"value": {"a": [1, 2.0, null, true], "b": "{person}"}}'

    assert pseudonymise(database, text) == text
    assert restore_names(database, text) == text


def test_a_name_that_was_erased_meanwhile_is_withheld(database: Engine) -> None:
    hidden = pseudonymise(database, told(AOI, note="Aoi Sato drew it"))
    erase(database)

    shown = restore_names(database, hidden)
    again = pseudonymise(database, told(AOI, note="Aoi Sato drew it"))

    for text in (shown, again):
        assert "Sato" not in text
        assert "佐藤" not in text
        assert json.loads(text)["value"]["note"].startswith("(name withheld")


def test_hiding_a_name_changes_nothing_of_what_is_printed(database: Engine) -> None:
    with database.begin() as connection:
        people.note(connection, AOI)

    pseudonymise(database, told(Person(id=AOI.id, name="A. S.")))

    with database.begin() as connection:
        assert people.look_up(connection, [AOI.id]) == {AOI.id: AOI}


def test_a_job_is_done_and_the_engine_has_learned_no_name(studio: JobStudio) -> None:
    key = studio.publish()

    assert studio.store.get(key).state is JobState.DONE
    assert "Sato" not in kept(studio)
    assert "佐藤" not in kept(studio)
    (request,) = studio.tracker.published.values()
    assert "Aoi Sato" in request.credit_en


def test_a_name_that_is_erased_while_its_job_runs_is_published_nowhere(studio: JobStudio) -> None:
    erased: list[str] = []

    def erasing(_stage: str, _progress: ProgressCallback) -> None:
        if not erased:
            erased.append(AOI.id)
            erase(studio.database)
            raise Killed

    studio.generator.before = erasing
    studio.publish()

    (request,) = studio.tracker.published.values()
    assert erased
    assert "Sato" not in request.credit_en
    assert "name withheld" in request.credit_en
