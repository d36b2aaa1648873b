"""Statements are sealed once and found by what they are about."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from haikei.credits import Person, Statement, StatementKind
from haikei.credits.records.statements import declare, entry_of, statements
from haikei.errors import CreditError, LedgerError
from haikei.ledger import size, verify
from support.records import MORI, START


def _statement(key: str = "s1", **changed: Any) -> Statement:
    told = Statement(
        key=key,
        kind=StatementKind.UNION_NOTICE,
        project="akane",
        sequence="",
        shot="",
        image_sha256="",
        by=MORI,
        to="TAG 839",
        subject="",
        answer="",
        text="Notice that a generator is used for backgrounds, 背景.",
        reference="mail of 2026-11-01",
        at=START,
    )
    return replace(told, **changed)


def test_a_statement_comes_back_with_its_entry(database: Engine) -> None:
    with database.begin() as connection:
        seq = declare(connection, _statement())

        assert [*statements(connection, project="akane")] == [_statement()]
        assert entry_of(connection, "s1") == seq == 0
        assert entry_of(connection, "s2") is None
        verify(connection)


def test_saying_it_again_changes_nothing(database: Engine) -> None:
    with database.begin() as connection:
        assert declare(connection, _statement()) == declare(connection, _statement())
        assert size(connection) == 1


@pytest.mark.parametrize(
    "changed", [{"text": "No."}, {"answer": "no"}, {"kind": StatementKind.NO_AI}, {"to": "nobody"}]
)
def test_a_statement_is_never_replaced(changed: dict[str, Any], database: Engine) -> None:
    with database.begin() as connection:
        declare(connection, _statement())
        with pytest.raises(LedgerError, match="Another statement stands"):
            declare(connection, _statement(**changed))


def test_nothing_is_no_statement_and_a_machine_makes_none(database: Engine) -> None:
    with database.begin() as connection:
        with pytest.raises(CreditError, match="says nothing"):
            declare(connection, _statement(text=" "))
        with pytest.raises(CreditError, match="cannot answer"):
            declare(connection, _statement(by=Person(id="p", name="AI")))
        assert size(connection) == 0


def test_what_holds_for_the_whole_holds_for_its_parts(database: Engine) -> None:
    told = [
        _statement("everywhere", project=""),
        _statement("show"),
        _statement("sequence", sequence="ep01"),
        _statement("shot", sequence="ep01", shot="c001"),
        _statement("image", image_sha256="a" * 64, kind=StatementKind.NO_AI),
        _statement("other", project="kaze"),
    ]
    told = [replace(one, at=START + timedelta(minutes=n)) for n, one in enumerate(told)]
    with database.begin() as connection:
        for one in reversed(told):
            declare(connection, one)

        def keys(sequence: str = "", shot: str = "", image_sha256: str = "") -> list[str]:
            found = statements(
                connection,
                project="akane",
                sequence=sequence,
                shot=shot,
                image_sha256=image_sha256,
            )
            return [one.key for one in found]

        assert keys() == ["everywhere", "show", "sequence", "shot", "image"]
        assert keys(sequence="ep02") == ["everywhere", "show", "image"]
        assert keys(sequence="ep01", shot="c001", image_sha256="b" * 64) == [
            "everywhere",
            "show",
            "sequence",
            "shot",
        ]
        assert [
            one.key for one in statements(connection, project="akane", kinds=[StatementKind.NO_AI])
        ] == ["image"]


def test_nobody_confirms_a_credit_by_declaring_it(database: Engine) -> None:
    with database.begin() as connection, pytest.raises(CreditError, match="by the person"):
        declare(connection, _statement(kind=StatementKind.CONFIRMATION))
