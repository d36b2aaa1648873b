"""All processes together make no more calls than the studio allows."""

from pathlib import Path

import pytest

from haikei.database import open_database
from haikei.database.budget import CallBudget
from support.databases import fresh_database, postgres_url


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_processes_share_one_budget(kind: str, tmp_path: Path) -> None:
    if kind == "sqlite":
        database = fresh_database(tmp_path / "haikei.db")
    else:
        database = open_database(postgres_url())
    waits: list[float] = []

    class Enough(Exception):
        pass

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        raise Enough

    # Six at once after a pause, and then one each 1.7 seconds, of both together.
    ours = CallBudget(database, "https://site", 36, sleep=sleep)
    theirs = CallBudget(database, "https://site", 36, sleep=sleep)
    for budget in (ours, theirs, ours, theirs, ours, theirs):
        budget.take()
    for budget in (ours, theirs):
        with pytest.raises(Enough):
            budget.take()
    CallBudget(database, "https://other", 36, sleep=sleep).take()
    database.dispose()

    assert all(0 < wait <= 60 / 36 for wait in waits)
