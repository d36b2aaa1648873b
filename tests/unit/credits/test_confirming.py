"""People are asked about their own credits, and what they answer is sealed and counts."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, delete, select, update

from haikei.canonical import canonical_json
from haikei.credits import Facet, Grade, Person, Role, Scope, facets, people, records
from haikei.credits.people import LinkState, confirmation_key, link_token, open_link
from haikei.credits.records import CreditAnswer, differences
from haikei.credits.records import statements as said
from haikei.database import confirmation_questions, ledger, reading, statements
from haikei.errors import CreditError
from support.records import (
    ITO,
    SATO,
    START,
    TANAKA,
    a_background,
    a_chain,
    save_background,
)

NOW = START + timedelta(days=3)
LATER = NOW + timedelta(days=30)
KEY = b"k" * 32


def ask(connection: Connection, person: Person = TANAKA) -> people.Question:
    return people.ask(
        connection, person=person.id, project="akane", way="print", at=NOW, until=LATER
    )


def answer(
    database: Engine, given: CreditAnswer, person: Person = TANAKA
) -> tuple[int, ...] | None:
    with database.begin() as connection:
        asked = ask(connection, person)
        works = records.works_of(connection, "akane", person.id)
        return records.answer(connection, asked, works, given, NOW)


def grades(database: Engine, person: Person) -> set[Grade]:
    with reading(database) as connection:
        (version,) = records.backgrounds(connection, a_scope())
    return {
        one.grade for image in version.images for one in image.contributions if one.actor == person
    }


def a_scope() -> Scope:
    return Scope(project="akane")


@pytest.fixture
def saved(database: Engine) -> Engine:
    with database.begin() as connection:
        save_background(connection, a_background())
    return database


def test_a_person_sees_each_image_and_role_of_theirs_with_its_cuts(saved: Engine) -> None:
    with saved.begin() as connection:
        save_background(
            connection, a_background(season="winter", time="night", images=a_chain("w"))
        )
        works = records.works_of(connection, "akane", SATO.id)
        assert [(one.role, one.places[0].shot) for one in works] == [
            (Role.TOUCH_UP, "c001"),
            (Role.TOUCH_UP, "c001"),
        ]
        assert records.works_of(connection, "another show", SATO.id) == ()


def test_an_agreement_makes_the_grade_confirmed_and_keeps_how_it_was_known(saved: Engine) -> None:
    assert grades(saved, SATO) == {Grade.LOGGED}

    entries = answer(saved, CreditAnswer(), SATO)

    assert entries is not None
    assert grades(saved, SATO) == {Grade.CONFIRMED}
    assert Grade.CONFIRMED not in grades(saved, TANAKA) | grades(saved, ITO)
    with reading(saved) as connection:
        (version,) = records.backgrounds(connection, a_scope())
        assert not list(differences(connection))
        found = {one.facet: one for one in facets(version)}
        touched = found[Facet.TOUCH_UP]
        assert touched.grade is Grade.CONFIRMED
        assert touched.parts[0].contribution.sealed_grade is Grade.LOGGED
        assert touched.parts[0].contribution.evidence.change is not None
        payload = connection.execute(
            select(ledger.c.payload).where(ledger.c.seq == entries[0])
        ).scalar_one()
    assert '"kind":"confirmation"' in payload
    assert SATO.name not in payload


def test_a_record_that_was_read_confirmed_is_sealed_as_it_was_first(saved: Engine) -> None:
    answer(saved, CreditAnswer(), SATO)
    with saved.begin() as connection:
        (version,) = records.backgrounds(connection, a_scope())
        made = version.final.contributions[0]
        before = connection.execute(select(ledger.c.seq)).all()
        records.contribute(connection, version.final.key, made)
        assert connection.execute(select(ledger.c.seq)).all() == before


def test_not_me_changes_nothing_until_the_production_agrees(saved: Engine) -> None:
    with reading(saved) as connection:
        (work,) = records.works_of(connection, "akane", SATO.id)
    answer(saved, CreditAnswer(not_me=frozenset({work.name}), words="I was ill."), SATO)

    assert grades(saved, SATO) == {Grade.LOGGED}
    with saved.begin() as connection:
        (asked,) = records.open_corrections(connection, "akane")
        assert asked.what.value == "not_me"
        assert "I was ill." in asked.statement.text
        records.decide_correction(
            connection, asked, accept=True, by=ITO, reason="The schedule says so.", at=NOW
        )
        assert records.open_corrections(connection, "akane") == ()
        assert records.works_of(connection, "akane", SATO.id) == ()
        (version,) = records.backgrounds(connection, a_scope())
        assert SATO not in version.final.people
        assert not list(differences(connection))
        for image, entry in zip(version.images, version.ledger, strict=True):
            assert len(records.seals(connection, entry)) == len(image.contributions)


def test_a_correction_that_is_declined_leaves_the_credit(saved: Engine) -> None:
    with reading(saved) as connection:
        (work,) = records.works_of(connection, "akane", SATO.id)
    answer(saved, CreditAnswer(not_me=frozenset({work.name})), SATO)
    with saved.begin() as connection:
        (asked,) = records.open_corrections(connection, "akane")
        records.decide_correction(
            connection, asked, accept=False, by=ITO, reason="The files are theirs.", at=NOW
        )
        assert records.open_corrections(connection, "akane") == ()
    assert grades(saved, SATO) == {Grade.LOGGED}


def test_a_name_is_asked_for_without_being_sealed_and_stays_open_until_it_is_changed(
    saved: Engine,
) -> None:
    answer(saved, CreditAnswer(name='Yuki "Tana" Tanaka', name_ja="田中 由紀"))

    with saved.begin() as connection:
        for payload in connection.execute(select(ledger.c.payload)).scalars():
            assert 'Tana"' not in payload
            assert "由紀" not in payload
        (asked,) = records.open_corrections(connection, "akane")
        assert (asked.name, asked.name_ja) == ('Yuki "Tana" Tanaka', "田中 由紀")
        assert people.look_up(connection, [TANAKA.id])[TANAKA.id] == TANAKA
        assert not list(differences(connection))
        people.rename(connection, TANAKA.id, name=asked.name, name_ja=asked.name_ja)
        assert records.open_corrections(connection, "akane") == ()
        assert not list(differences(connection))


def test_a_wish_to_be_withheld_stays_open_until_it_is_recorded(saved: Engine) -> None:
    answer(saved, CreditAnswer(withhold=True, also="I also painted the sky of c002."))
    with saved.begin() as connection:
        found = records.open_corrections(connection, "akane")
        assert [one.what.value for one in found] == ["also", "withhold"]
        with pytest.raises(CreditError, match="about a name"):
            records.decide_correction(
                connection, found[1], accept=True, by=ITO, reason="yes", at=NOW
            )
        people.opt_out(connection, TANAKA.id, "their answer")
        (left,) = records.open_corrections(connection, "akane")
    assert left.what.value == "also"


def test_an_erased_name_is_gone_from_what_they_answered_too(saved: Engine) -> None:
    answer(saved, CreditAnswer(name="Yuki Tanaka-Mori"))
    with saved.begin() as connection:
        people.erase(connection, TANAKA.id, "letter")
        found = connection.execute(select(statements.c.text)).scalars().all()
        openings = records.open_corrections(connection, "akane")
    assert not any("Mori" in text for text in found)
    assert all("Mori" not in one.name for one in openings)


def test_a_question_is_answered_once_whoever_comes_second(saved: Engine) -> None:
    with saved.begin() as connection:
        asked = ask(connection)
        works = records.works_of(connection, "akane", TANAKA.id)
        assert records.answer(connection, asked, works, CreditAnswer(), NOW)
        assert records.answer(connection, asked, works, CreditAnswer(withhold=True), NOW) is None
        assert records.open_corrections(connection, "akane") == ()


@pytest.mark.parametrize(
    "given",
    [
        CreditAnswer(name="Midjourney v7"),
        CreditAnswer(name="x" * 256),
        CreditAnswer(also="x" * 1001),
    ],
)
def test_what_cannot_be_a_name_or_is_too_long_is_refused_before_anything_is_sealed(
    saved: Engine, given: CreditAnswer
) -> None:
    with pytest.raises(CreditError), saved.begin() as connection:
        records.answer(connection, ask(connection), (), given, NOW)
    with reading(saved) as connection:
        assert list(said.statements(connection, project="akane")) == []


def test_everyone_is_listed_with_how_far_they_confirmed(saved: Engine) -> None:
    answer(saved, CreditAnswer(), SATO)
    with saved.begin() as connection:
        ask(connection, ITO)
        found = {one.person.id: one for one in records.standings(connection, "akane")}
    assert found[SATO.id].is_done
    assert not found[TANAKA.id].is_done
    assert found[TANAKA.id].question is None
    question = found[ITO.id].question
    assert question is not None
    assert question.state(NOW) is LinkState.OPEN


def test_an_answer_that_somebody_removes_from_the_tables_is_noticed(saved: Engine) -> None:
    entries = answer(saved, CreditAnswer(), SATO)
    assert entries
    with saved.begin() as connection:
        connection.execute(delete(statements).where(statements.c.kind == "confirmation"))
        assert (
            f"Entry {entries[0]} seals a statement (confirmation), and the record of it is gone."
            in [*differences(connection)]
        )


def test_a_link_opens_its_question_until_it_ends(saved: Engine) -> None:
    with saved.begin() as connection:
        asked = ask(connection)
        token = link_token(KEY, asked)
        assert TANAKA.name not in token
        assert TANAKA.id not in token
        assert open_link(connection, KEY, token, NOW) == (LinkState.OPEN, asked)
        assert open_link(connection, KEY, token, LATER)[0] is LinkState.EXPIRED
        assert open_link(connection, b"o" * 32, token, NOW) == (LinkState.WRONG, None)
        ask(connection)
        assert open_link(connection, KEY, token, NOW)[0] is LinkState.REVOKED


@pytest.mark.parametrize("column", ["person", "project", "expires_at"])
def test_a_link_is_bound_to_its_person_show_and_end(saved: Engine, column: str) -> None:
    with saved.begin() as connection:
        token = link_token(KEY, ask(connection))
        other = {"person": SATO.id, "project": "other", "expires_at": LATER + timedelta(days=9)}
        connection.execute(update(confirmation_questions).values({column: other[column]}))
        assert open_link(connection, KEY, token, NOW) == (LinkState.WRONG, None)


@pytest.mark.parametrize("token", ["", ".", "x", "x.y", "é.0", "a" * 5000, canonical_json({})])
def test_what_is_no_link_is_wrong(saved: Engine, token: str) -> None:
    with saved.begin() as connection:
        ask(connection)
        assert open_link(connection, KEY, token, NOW) == (LinkState.WRONG, None)


def test_the_key_of_links_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    key = confirmation_key(tmp_path)
    assert len(key) == 32
    assert confirmation_key(tmp_path) == key
    assert (tmp_path / "keys" / "confirmations.key").stat().st_mode & 0o077 == 0
