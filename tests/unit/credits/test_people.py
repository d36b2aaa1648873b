"""Names can be changed and erased, and the proofs of the ledger still stand."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, insert, select

from haikei.credits import Person, Role, Statement, StatementKind, credit_line, people, records
from haikei.credits.people.commitments import commit
from haikei.credits.records.statements import declare, statements
from haikei.database import (
    jobs,
    ledger,
    metadata,
    name_openings,
    reading,
    review_answers,
    review_notes,
)
from haikei.errors import CreditError
from haikei.ledger import verify
from support.records import (
    ITO,
    MORI,
    SATO,
    START,
    TANAKA,
    a_background,
    a_chain,
    a_contribution,
    a_person,
    save_background,
    sha256_of,
)


def _statement(text: str, by: Person = SATO) -> Statement:
    return Statement(
        key=sha256_of(text),
        kind=StatementKind.NO_AI,
        project="akane",
        sequence="",
        shot="",
        image_sha256="",
        by=by,
        to="the client",
        subject="",
        answer="yes",
        text=text,
        reference="delivery note of A. Sato",
        at=START,
    )


def _payloads(connection: Connection) -> str:
    return "\n".join(connection.execute(select(ledger.c.payload)).scalars())


def _everything(connection: Connection) -> Iterator[str]:
    for table in metadata.sorted_tables:
        for row in connection.execute(select(table)):
            yield f"{table.name}: {tuple(row)}"


def test_the_ledger_holds_ids_and_commitments_and_no_name(database: Engine) -> None:
    note = a_contribution(
        Role.BACKGROUND_CHECK, MORI, source="Note by K. Mori", note="佐藤葵さんへ: ask A. Sato"
    )
    with database.begin() as connection:
        save_background(connection, a_background(images=a_chain(artists=(TANAKA, MORI))))
        save_background(connection, a_background("c002"))
        records.contribute(connection, a_background("c002").final.key, note)
        declare(connection, _statement("I, A. Sato (佐藤葵), painted it; Yuki Tanaka drew it."))
        sealed = _payloads(connection)
        for person in (TANAKA, SATO, ITO, MORI):
            assert person.name not in sealed
            assert person.name_ja not in sealed
            assert person.id in sealed
        for line in sealed.splitlines():
            for one in json.loads(line).get("contributions", ()):
                if one["actor"].get("id"):
                    assert set(one["actor"]) == {"id", "commitment"}
        found = records.background(connection, a_background("c002").key)
        assert found is not None
        assert found.final.contributions[-1] == note


def test_a_commitment_opens_to_the_name_it_was_made_from(database: Engine) -> None:
    with database.begin() as connection:
        commitment = people.note(connection, TANAKA)
        opening = people.opening(connection, commitment)

        assert opening is not None
        assert (opening.person, opening.name, opening.name_ja) == (
            TANAKA.id,
            TANAKA.name,
            TANAKA.name_ja,
        )
        assert commit(TANAKA, opening.salt) == commitment
        assert commit(SATO, opening.salt) != commitment
        assert people.opening(connection, "0" * 64) is None


def test_the_commitment_is_the_hmac_that_the_documentation_names() -> None:
    # Computed with: printf '["p","n","j"]' | openssl dgst -sha256 -mac HMAC -macopt hexkey:00…
    person = Person(id="p", name="n", name_ja="j")

    assert commit(person, "00" * 32) == _HMAC


_HMAC = "0211fd2f41aea09b4ff6fe2689f2ac56ce549144cf0844de5fd228fddc179386"


def test_a_salt_is_nobodys_and_a_name_keeps_its_commitment(database: Engine) -> None:
    with database.begin() as connection:
        first = people.note(connection, TANAKA)

        assert people.note(connection, TANAKA) == first
        people.note(connection, a_person(77, name=TANAKA.name, name_ja=TANAKA.name_ja))
        salts = connection.execute(select(name_openings.c.salt)).scalars().all()
        assert len(set(salts)) == 2
        assert all(len(bytes.fromhex(salt)) == 32 for salt in salts)


def test_a_person_without_an_id_is_not_registered(database: Engine) -> None:
    with database.begin() as connection:
        with pytest.raises(CreditError, match="has no id"):
            people.note(connection, Person(id=" ", name="Yuki Tanaka"))
        with pytest.raises(CreditError, match="longer than"):
            people.note(connection, Person(id="p", name="n" * 256))


def test_the_newest_name_is_printed_and_what_is_not_told_is_kept(database: Engine) -> None:
    with database.begin() as connection:
        people.note(connection, Person(id="p", name="Y. Tanaka", name_ja="田中ゆき"))
        people.note(connection, Person(id="p", name="Yuki Tanaka", opt_out="letter"))
        people.note(connection, Person(id="p", name=""))

        assert people.look_up(connection, ["p", "q"]) == {
            "p": Person(id="p", name="Yuki Tanaka", name_ja="田中ゆき", opt_out="letter")
        }


@pytest.mark.parametrize("name", ["AI", "AI (+Human)", "生成AI"])
def test_nobody_is_renamed_to_a_machine(name: str, database: Engine) -> None:
    with database.begin() as connection:
        people.note(connection, TANAKA)
        with pytest.raises(CreditError, match="no person is"):
            people.rename(connection, TANAKA.id, name=name)
        with pytest.raises(CreditError, match="no person is"):
            people.rename(connection, TANAKA.id, name="Yuki", name_ja=name)


def test_a_renamed_person_keeps_id_records_and_old_commitments(database: Engine) -> None:
    with database.begin() as connection:
        saved = save_background(connection, a_background())
        before = people.note(connection, TANAKA)
        renamed = people.rename(connection, TANAKA.id, name="Yuki Abe", name_ja="阿部ゆき")
        again = save_background(connection, a_background())
        found = records.background(connection, saved.key)

        assert again == found
        assert found is not None
        assert found.images[0].people == (renamed,)
        assert credit_line(found.images).ja.startswith("背景：原図 阿部ゆき ·")
        assert people.opening(connection, before) is not None
        # What the tracker says does not undo what somebody decided.
        after = people.note(connection, TANAKA)
        assert after != before
        assert people.look_up(connection, [TANAKA.id])[TANAKA.id] == renamed
        assert people.as_printed(connection, (TANAKA, SATO)) == (renamed, SATO)
        verify(connection)


def test_a_name_is_not_taken_away_by_renaming(database: Engine) -> None:
    with database.begin() as connection:
        people.note(connection, TANAKA)

        with pytest.raises(CreditError, match="empty name"):
            people.rename(connection, TANAKA.id, name=" ")
        with pytest.raises(CreditError, match="Nobody with the id"):
            people.rename(connection, "HumanUser:404", name="Yuki Abe")


def test_who_asks_is_withheld_from_every_credit_and_it_is_sealed(database: Engine) -> None:
    with database.begin() as connection:
        save_background(connection, a_background())
        people.opt_out(connection, SATO.id, "letter of 2026-11-20")
        people.opt_out(connection, SATO.id, "letter of 2026-11-20")
        found = records.background(connection, a_background().key)
        kinds = [StatementKind.NAME_WITHHELD]
        asked = [*statements(connection, project="akane", kinds=kinds)]

        assert found is not None
        assert credit_line(found.images).en.endswith(
            "Touch-up (name withheld at the artist's request)"
        )
        assert [one.reference for one in asked] == ["letter of 2026-11-20"]
        with pytest.raises(CreditError, match="where this was asked for"):
            people.opt_out(connection, SATO.id, " ")


def test_whatever_decides_about_a_name_seals_it(database: Engine) -> None:
    """The commands, the tracker and the settings: each change is an entry, nothing else is."""
    shown = Person(id="p", name="Yuki Tanaka")
    with database.begin() as connection:
        people.note(connection, shown)
        people.note(connection, shown)
        people.note(connection, Person(id="p", name="Yuki Abe"))
        people.rename(connection, "p", name="Yuki Tanaka")
        people.rename(connection, "p", name="Yuki Abe")
        people.note(connection, Person(id="p", name="", opt_out="settings"))
        people.register(connection, (Person(id="q", name="A. Nother", opt_out="mail"),))
        people.erase(connection, "p", "letter")
        found = [(one.by.id, one.kind.value) for one in statements(connection, project="akane")]

        assert found == [
            ("p", "name_changed"),
            ("p", "name_changed"),
            ("p", "name_changed"),
            ("p", "name_withheld"),
            ("q", "name_withheld"),
            ("p", "name_erased"),
        ]
        with pytest.raises(CreditError, match="sealed where the name is changed"):
            declare(connection, replace(_statement("No."), kind=StatementKind.NAME_WITHHELD))


def test_a_name_that_was_erased_is_nowhere_and_the_proofs_stand(
    database: Engine, tmp_path: Path
) -> None:
    told = a_background()
    said = a_contribution(
        Role.RETAKE, MORI, source="Note by A. Sato", note="佐藤葵さん, less green"
    )
    with database.begin() as connection:
        save_background(connection, told)
        records.contribute(connection, told.final.key, said)
        declare(connection, _statement("I, A. Sato, painted this."))
        before = _payloads(connection)
        commitment = people.note(connection, SATO)

        erased = people.erase(connection, SATO.id, "letter of 2026-11-21")

        assert (erased.openings, erased.sealed) == (1, ())
        everything = "\n".join(_everything(connection))
        assert SATO.name not in everything
        assert SATO.name_ja not in everything
        assert _payloads(connection).startswith(before)
        assert people.opening(connection, commitment) is None
        verify(connection)

        found = records.background(connection, told.key)
        assert found is not None
        assert credit_line(found.images).ja.endswith("加筆 （本人の希望により非表示）")
        assert found.final.contributions[-1].evidence.source == (
            "Note by (name withheld at the artist's request)"
        )
    with database.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()
    content = (tmp_path / "haikei.db").read_bytes()
    assert SATO.name.encode() not in content
    assert SATO.name_ja.encode() not in content


def test_an_erased_name_does_not_come_back(database: Engine) -> None:
    with database.begin() as connection:
        save_background(connection, a_background())
        people.erase(connection, SATO.id, "letter")
        save_background(connection, a_background("c002"))
        records.save_all(connection, (a_background("c003"),))

        assert SATO.name not in "\n".join(_everything(connection))
        assert people.as_printed(connection, (SATO,)) == (
            Person(id=SATO.id, name="", opt_out="letter"),
        )
        with pytest.raises(CreditError, match="was erased"):
            people.rename(connection, SATO.id, name="A. Sato")
        with pytest.raises(CreditError, match="where this was asked for"):
            people.erase(connection, TANAKA.id, "")


def test_what_was_written_before_the_person_was_known_is_told(database: Engine) -> None:
    with database.begin() as connection:
        seq = declare(connection, _statement("Thanks to Yuki Tanaka.", by=MORI))
        people.note(connection, TANAKA)

        erased = people.erase(connection, TANAKA.id, "letter")

        assert erased.sealed == (seq,)
        assert erased.texts == 1
        (said,) = statements(connection, project="akane", kinds=[StatementKind.NO_AI])
        assert said.text == "Thanks to (name withheld at the artist's request)."


def test_what_was_noted_in_review_and_ordered_loses_the_name(
    database: Engine,
) -> None:
    now = {"created_at": START, "updated_at": START}
    order = '{"asked_by":[{"id":"HumanUser:12","name":"A. Sato"}]}'
    rows = [
        {"key": key, "event_key": key, "state": state, "order_json": order, **now}
        for key, state in (("a", "done"), ("b", "waiting"))
    ]
    note = {
        "id": "Note:1",
        "version_id": 7,
        "background_key": "job",
        "text": "A. Sato: less green",
        "state": "taken",
        "written_at": START,
        "seen_at": START,
    }
    with database.begin() as connection:
        people.note(connection, SATO)
        connection.execute(insert(jobs), rows)
        connection.execute(insert(review_notes), note)

        assert people.erase(connection, SATO.id, "letter").texts == 3
        done, waiting = connection.execute(select(jobs.c.order_json).order_by(jobs.c.key)).scalars()
        said = connection.execute(select(review_notes.c.text)).scalar_one()

    nobody = {"id": SATO.id, "name": "", "name_ja": "", "opt_out": "letter"}
    assert json.loads(done) == json.loads(waiting) == {"asked_by": [nobody]}
    assert said == "(name withheld at the artist's request): less green"


def test_an_answer_loses_the_name_whether_or_not_the_tracker_has_taken_it(database: Engine) -> None:
    rows = [
        {"key": key, "payload": '{"text":"A. Sato asked"}', "try_at": START, "done_at": done}
        for key, done in (("a", START), ("b", None))
    ]
    with database.begin() as connection:
        people.note(connection, SATO)
        connection.execute(insert(review_answers), rows)

        people.erase(connection, SATO.id, "letter")
        query = select(review_answers.c.payload).order_by(review_answers.c.key)
        taken, waiting = connection.execute(query).scalars()

    assert taken == waiting == '{"text":"(name withheld at the artist\'s request) asked"}'


def test_a_short_name_is_not_found_inside_words(database: Engine) -> None:
    with database.begin() as connection:
        people.note(connection, Person(id="p", name="Ito", name_ja="愛"))
        declare(connection, _statement("The editor likes 恋愛; Ito does not, says 愛.", by=MORI))
        people.erase(connection, "p", "letter")
        (said,) = statements(connection, project="akane", kinds=[StatementKind.NO_AI])

    assert said.text == (
        "The editor likes 恋愛; (name withheld at the artist's request) does not, "
        "says （本人の希望により非表示）."
    )


def test_everyone_is_listed_with_what_they_did(database: Engine) -> None:
    with database.begin() as connection:
        save_background(connection, a_background())
    with reading(database) as connection:
        assert [person.id for person in people.everyone(connection)] == [
            TANAKA.id,
            SATO.id,
            ITO.id,
        ]
        assert people.contributions_of(connection) == {TANAKA.id: 1, SATO.id: 1, ITO.id: 2}
