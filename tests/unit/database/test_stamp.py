"""A state is one studio's: another one, or one that was carried elsewhere, is refused in words."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text

from haikei.database import open_database, reading
from haikei.database.stamp import join_studio, stamp_moved
from haikei.errors import StateError
from support.databases import fresh_database, postgres_url


def test_a_host_of_the_same_studio_is_let_in_and_another_studio_is_not(tmp_path: Path) -> None:
    database = fresh_database(tmp_path / "state" / "haikei.db")
    shared = tmp_path / "shared"
    first = join_studio(database, name="Ours", own=tmp_path / "one", shared=shared)

    second = join_studio(database, name="Ours", own=tmp_path / "two", shared=shared)
    alone = join_studio(
        database, name="Ours", own=tmp_path / "two", shared=tmp_path / "gone", reachable=False
    )
    with pytest.raises(StateError, match=r"another studio, 'Ours'"):
        join_studio(database, name="Other", own=tmp_path / "three", shared=tmp_path / "four")

    assert first == second == alone
    assert not (tmp_path / "three").exists()
    assert not (tmp_path / "gone").exists()
    database.dispose()


def test_a_host_that_starts_at_the_same_moment_sees_stamp_and_mark_together(
    tmp_path: Path,
) -> None:
    database = fresh_database(tmp_path / "state" / "haikei.db")
    shared = tmp_path / "shared"
    marked: list[bool] = []

    def at_commit(_connection: Connection) -> None:
        marked.append((shared / "studio.json").exists())

    event.listen(database, "commit", at_commit)
    join_studio(database, name="Ours", own=tmp_path / "one", shared=shared)

    assert marked == [True]
    database.dispose()


def test_a_folder_of_one_studio_does_not_go_with_the_database_of_another(tmp_path: Path) -> None:
    ours = fresh_database(tmp_path / "ours" / "haikei.db")
    theirs = fresh_database(tmp_path / "theirs" / "haikei.db")
    join_studio(ours, name="Ours", own=tmp_path / "ours", shared=tmp_path / "ours")
    join_studio(theirs, name="Theirs", own=tmp_path / "theirs", shared=tmp_path / "theirs")

    with pytest.raises(StateError, match="belongs to the studio"):
        join_studio(theirs, name="Ours", own=tmp_path / "ours", shared=tmp_path / "ours")

    ours.dispose()
    theirs.dispose()


def test_a_state_that_was_carried_elsewhere_is_refused_with_its_new_address(
    tmp_path: Path,
) -> None:
    database = fresh_database(tmp_path / "haikei.db")
    join_studio(database, name="Ours", own=tmp_path, shared=tmp_path)
    with database.begin() as connection:
        stamp_moved(connection, "postgresql://db/haikei")

    with pytest.raises(StateError, match="postgresql://db/haikei"):
        join_studio(database, name="Ours", own=tmp_path, shared=tmp_path)
    database.dispose()


def test_texts_sort_as_bytes_and_hold_no_nul_on_postgresql_too() -> None:
    database = open_database(postgres_url())
    with database.begin() as connection:
        for key in ("layout-a-b", "layout-a~", "Layout-a", "layout-ab", "nul\0"):
            values = {"key": key, "none": "", "at": "2026-01-01T00:00:00.000000+00:00"}
            connection.execute(
                text(
                    "INSERT INTO events (key, kind, source, payload, received_at)"
                    " VALUES (:key, :none, :none, :none, :at)"
                ),
                values,
            )
    with reading(database) as connection:
        found = connection.execute(text("SELECT key FROM events ORDER BY key")).scalars().all()
    database.dispose()

    assert found == [
        "Layout-a",
        "layout-a-b",
        "layout-ab",
        "layout-a~",
        "nul\N{REPLACEMENT CHARACTER}",
    ]
