"""What tests of reports begin with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from haikei.settings import Settings
from support.databases import fresh_database
from support.reports import ReportDesk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ReportDesk]:
    (tmp_path / "projects").mkdir()
    database = fresh_database(tmp_path / "state" / "haikei.db")
    settings = Settings.model_validate(
        {
            "studio": {"name": "Test Studio", "state": str(tmp_path / "state")},
            "storage": {"roots": [{"name": "primary", "path": str(tmp_path / "projects")}]},
        }
    )
    yield ReportDesk(folder=tmp_path, database=database, settings=settings)
    database.dispose()
