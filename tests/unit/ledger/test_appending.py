"""The ledger seals records in order and notices any change."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from haikei.canonical import canonical_json
from haikei.errors import LedgerError
from haikei.ledger import append, verify
from support.databases import fresh_database
from support.records import without_guards


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    opened = fresh_database(tmp_path / "haikei.db")
    yield opened
    opened.dispose()


def test_the_same_record_twice_is_one_entry(database: Engine) -> None:
    with database.begin() as connection:
        first = append(connection, key="job/record", payload=canonical_json({"b": 1, "a": "背景"}))
        again = append(connection, key="job/record", payload=canonical_json({"a": "背景", "b": 1}))

        assert first == again
        assert verify(connection) == 1


def test_another_record_under_the_same_key_is_refused(database: Engine) -> None:
    with database.begin() as connection:
        append(connection, key="job/record", payload="{}")

        with pytest.raises(LedgerError, match="another record"):
            append(connection, key="job/record", payload='{"a":1}')


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE ledger SET payload = '{}' WHERE seq = 1",
        "DELETE FROM ledger WHERE seq = 1",
        "UPDATE ledger SET seq = 7 WHERE seq = 2",
    ],
)
def test_a_change_in_the_database_is_found(database: Engine, tampering: str) -> None:
    with database.begin() as connection:
        for number in range(3):
            append(connection, key=f"record/{number}", payload=canonical_json({"n": number}))
        without_guards(connection)
        connection.execute(text(tampering))

        with pytest.raises(LedgerError, match=r"Entry [12] "):
            verify(connection)
