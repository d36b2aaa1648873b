"""What is read beside the ledger is what the ledger seals, or it is told."""

from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, Delete, Engine, Update, delete, insert, update

from haikei.credits import (
    Contribution,
    Evidence,
    Grade,
    Role,
    Scope,
    Statement,
    StatementKind,
    people,
    records,
)
from haikei.credits.people.commitments import note, seal_statement
from haikei.credits.records import statements
from haikei.credits.records.comparison import differences
from haikei.database import schema
from support.records import (
    ITO,
    SATO,
    TANAKA,
    a_background,
    a_chain,
    a_person,
    save_background,
    save_show,
)

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
KENJI = a_person(99, name="Kenji Mori", name_ja="森健二")
NO = Statement(
    key="approval",
    kind=StatementKind.CLIENT_APPROVAL,
    project="akane",
    sequence="",
    shot="",
    image_sha256="",
    by=KENJI,
    to="Netflix",
    subject="",
    answer="no",
    text="Kenji Mori does not approve.",
    reference="mail",
    at=NOW,
)


@pytest.fixture
def recorded(database: Engine) -> Generator[Connection]:
    """A background by two people and a model, approved later, and a statement about the show."""
    with database.begin() as connection:
        version = save_background(connection, a_background("c012", images=a_chain("c012")))
        approval = Contribution(
            role=Role.APPROVAL,
            actor=KENJI,
            grade=Grade.LOGGED,
            evidence=Evidence(source="Version:1 status", note="Kenji Mori said yes"),
            at=NOW,
        )
        records.contribute(connection, version.final.key, approval)
        statements.declare(connection, NO)
        yield connection


def test_what_was_recorded_is_what_was_sealed(recorded: Connection) -> None:
    save_show(recorded, versions=60)

    assert [*differences(recorded)] == []


def test_names_that_were_changed_erased_or_withheld_are_no_difference(recorded: Connection) -> None:
    version = next(records.backgrounds(recorded, a_scope()))
    drawn, painted = (version.images[place].contributions[0].actor for place in (0, -1))
    people.rename(recorded, getattr(drawn, "id", ""), name="Someone New")
    people.opt_out(recorded, getattr(painted, "id", ""), "letter")
    people.erase(recorded, KENJI.id, "letter")

    assert [*differences(recorded)] == []


IMAGES, MADE = schema.image_records, schema.contributions


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (update(MADE).where(MADE.c.role == "touch_up").values(actor=KENJI.id), "who made it"),
        (update(MADE).where(MADE.c.role == "touch_up").values(grade="measured", sha256="f" * 64),
         "who made it"),
        (delete(MADE).where(MADE.c.role == "genzu"), "who made it"),
        (update(IMAGES).where(IMAGES.c.kind == "background").values(source_type="humanEdits"),
         "source_type"),
        (update(IMAGES).where(IMAGES.c.request != "").values(request="{}"), "request_sha256"),
        (update(IMAGES).where(IMAGES.c.kind == "touch_up").values(fingerprint="another"),
         "fingerprint"),
        (delete(schema.ingredients), "ingredients"),
        (delete(MADE).where(MADE.c.ledger_seq.is_not(None)), "the record of it is gone"),
        (delete(schema.statements), "the record of it is gone"),
        (update(schema.statements).values(answer="yes"), "answer"),
        (update(schema.systems).values(name="Artist"), "who made it"),
        (update(schema.people).where(schema.people.c.id == KENJI.id).values(name="A. Nother"),
         f"printed for {KENJI.id}"),
        (update(MADE).where(MADE.c.ledger_seq.is_not(None)).values(ledger_seq=900),
         "no such one"),
        (delete(schema.background_images).where(schema.background_images.c.position == 1),
         "leaves out"),
        (update(schema.background_images).values(position=20 - schema.background_images.c.position),
         "stand in another order than they were made in"),
        (update(schema.background_images).where(schema.background_images.c.position == 0)
         .values(position=7), "stand in another order than they were made in"),
        (update(schema.background_images).where(schema.background_images.c.position == 1)
         .values(position=9), "stand in another order than they were made in"),
    ],
)  # fmt: skip
def test_rows_that_were_rewritten_beside_the_ledger_are_told(
    recorded: Connection, change: Update | Delete, told: str
) -> None:
    recorded.execute(change)

    assert any(told in one for one in differences(recorded))


PEOPLE, OPENED = schema.people, schema.name_openings


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (update(PEOPLE).where(PEOPLE.c.id == SATO.id).values(opt_out="letter"),
         "nothing sealed says that they asked for it"),
        (update(PEOPLE).where(PEOPLE.c.id == TANAKA.id).values(opt_out=""),
         "seals that they asked not to be"),
        (update(PEOPLE).where(PEOPLE.c.id == KENJI.id).values(name="Kenji Mori", name_ja="森健二"),
         "is not the one that entry"),
        (update(PEOPLE).where(PEOPLE.c.id == SATO.id).values(name="", name_ja="", erased_at=NOW),
         "was erased, and nothing sealed says so"),
        (update(PEOPLE).where(PEOPLE.c.id == ITO.id).values(name="M. Ito", erased_at=None),
         "seals that it was erased"),
        (delete(PEOPLE).where(PEOPLE.c.id == SATO.id), "is not in the register any more"),
        (delete(OPENED).where(OPENED.c.person == SATO.id), "is not one that was recorded"),
    ],
)  # fmt: skip
def test_a_name_that_nobody_decided_so_is_told(
    recorded: Connection, change: Update | Delete, told: str
) -> None:
    people.opt_out(recorded, TANAKA.id, "letter")
    people.rename(recorded, KENJI.id, name="Kenji Abe")
    people.erase(recorded, ITO.id, "letter")
    made = save_background(recorded, a_background("c013", images=a_chain("c013")))
    assert [*differences(recorded)] == []
    recorded.execute(change)

    assert any(told in one for one in differences(recorded))
    if "Kenji" not in str(change.compile().params):
        assert any(told in one for one in differences(recorded, only=made.ledger))


def test_of_one_file_only_its_own_entries_and_people_are_looked_at(recorded: Connection) -> None:
    other = save_background(recorded, a_background("c013", images=a_chain("c013")))
    recorded.execute(update(schema.statements).values(answer="yes"))

    assert [*differences(recorded, only=other.ledger)] == []


def a_scope() -> Scope:
    return Scope(project=a_background("c012").project)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"project": "hills"}, "stands in hills / "),
        ({"shot": "c099"}, "/ c099, and entry"),
        ({"sequence": "sq99"}, "/ sq99 / "),
        ({"episode": "e02"}, "stands in akane / e02 / "),
    ],
)
def test_a_version_that_was_moved_to_another_place_is_told(
    recorded: Connection, values: dict[str, str], words: str
) -> None:
    recorded.execute(update(schema.backgrounds).values(values))
    (found,) = differences(recorded)
    assert words in found
    assert "seals it for akane" in found


@pytest.mark.parametrize(("kept", "words"), [("", "akane / sq01"), ("e02", "akane / e02 / sq01")])
def test_a_version_of_another_episode_than_was_sealed_is_told(
    database: Engine, kept: str, words: str
) -> None:
    with database.begin() as connection:
        version = a_background("c012", sequence="sq01", images=a_chain("c012"))
        save_background(connection, replace(version, episode="e01"))
        assert [*differences(connection)] == []

        connection.execute(update(schema.backgrounds).values(episode=kept))
        (found,) = differences(connection)

    assert f"stands in {words} / c012" in found
    assert "seals it for akane / e01 / sq01 / c012" in found


@pytest.mark.parametrize("answered", [None, NOW])
@pytest.mark.parametrize("revoked", [None, NOW])
def test_a_link_that_was_answered_and_is_open_again_is_told(
    recorded: Connection, answered: datetime | None, revoked: datetime | None
) -> None:
    said = replace(NO, key="confirmation/one_%link/0", kind=StatementKind.CONFIRMATION, by=SATO)
    seal_statement(recorded, said, note(recorded, SATO))
    asked = {"person": SATO.id, "project": NO.project, "way": "mail", "asked_at": NOW}
    link = asked | {"expires_at": NOW, "answered_at": answered, "revoked_at": revoked}
    questions = insert(schema.confirmation_questions)
    recorded.execute(questions, [link | {"id": "one_%link"}, link | {"id": "oneX%link"}])

    found = [one for one in differences(recorded) if "open again" in one]
    assert len(found) == (answered is None)
    assert all(f"by which {SATO.id} was asked" in one for one in found)
    version = next(records.backgrounds(recorded, a_scope()))
    assert [one for one in differences(recorded, only=version.ledger) if "open" in one] == found


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"season": "winter"}, "is kept as winter, day, and entry"),
        ({"time": "night"}, "is kept as summer, night, and entry"),
        ({"season": "autumn", "time": "dusk"}, "is kept as autumn, dusk, and entry"),
        ({"version": 7}, "is kept as version 7, and entry"),
    ],
)
def test_a_version_of_another_light_or_number_than_was_sealed_is_told(
    recorded: Connection, values: dict[str, str | int], told: str
) -> None:
    layout, first, second, final = a_chain("c009")
    asked = '{"season":"summer","time":"day"}'
    images = (
        layout,
        replace(first, request_json=asked),
        replace(second, request_json=asked),
        replace(final, path="show/c009_bg_summer_day_v001.png"),
    )
    version = save_background(recorded, a_background("c009", images=images))
    assert [*differences(recorded)] == []

    here = schema.backgrounds.c.key == version.key
    recorded.execute(update(schema.backgrounds).where(here).values(values))

    (found,) = differences(recorded)
    assert told in found
    assert [*differences(recorded, only=version.ledger)] == [found]
