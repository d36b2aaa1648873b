"""What is looked up by its beginning is found by an index, and by nothing but its beginning."""

from pathlib import Path

import pytest
from sqlalchemy import insert, select

from haikei.database import (
    ChangeStamp,
    begins_with,
    jobs,
    notices,
    open_database,
    reading,
    utc_now,
)
from support.databases import fresh_database, postgres_url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return postgres_url(migrated=True)
    fresh_database(tmp_path / "haikei.db").dispose()
    return f"sqlite:///{tmp_path / 'haikei.db'}"


def test_a_beginning_is_no_pattern_and_keeps_its_letter_case(url: str) -> None:
    database = open_database(url)
    keys = ("held/a_b/1", "held/a_b/夜", "held/aXb/1", "HELD/a_b/1", "held/a_c", "held/a_b")
    with database.begin() as connection:
        rows = [{"key": key, "kind": "trouble", "text": "", "noted_at": utc_now()} for key in keys]
        connection.execute(insert(notices), rows)
        found = connection.execute(
            select(notices.c.key).where(begins_with(notices.c.key, "held/a_b/"))
        ).scalars()
        assert set(found) == {"held/a_b/1", "held/a_b/夜"}
    database.dispose()


def test_an_index_finds_a_job_by_the_beginning_of_its_key(tmp_path: Path) -> None:
    database = fresh_database(tmp_path / "haikei.db")
    query = select(jobs.c.id).where(begins_with(jobs.c.key, "layout-0123"))
    text = query.compile(database, compile_kwargs={"literal_binds": True})
    with reading(database) as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all()

    assert [row[-1] for row in plan if "SCAN" in row[-1]] == []
    assert any("SEARCH jobs USING" in row[-1] for row in plan)
    database.dispose()


def test_a_stamp_changes_when_anybody_commits_and_not_before(url: str) -> None:
    database, other = open_database(url), open_database(url)
    stamp = ChangeStamp(database)
    first = stamp.now()
    assert stamp.now() == first is not None

    with other.begin() as connection:
        row = {"key": "a", "kind": "trouble", "text": "", "noted_at": utc_now()}
        connection.execute(insert(notices), row)
    second = stamp.now()
    with reading(database) as connection:
        assert connection.execute(select(notices.c.key)).scalar() == "a"

    assert second != first
    stamp.close()
    database.dispose()
    other.dispose()
