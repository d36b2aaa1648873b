"""A studio with one version in review."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from support.databases import fresh_database
from support.jobs import studio_settings
from support.studio import ReviewStudio, make_version
from support.trackers import MemoryReview


@pytest.fixture
def open_studio(tmp_path: Path) -> Iterator[Callable[..., ReviewStudio]]:
    """Open a studio whose settings differ in these sections."""
    opened: list[Engine] = []

    def make(**sections: object) -> ReviewStudio:
        settings = studio_settings(tmp_path, **sections)
        database = fresh_database(settings.studio.state / "haikei.db")
        opened.append(database)
        desk = MemoryReview()
        with database.begin() as connection:
            order = make_version(connection, desk, 1)
        return ReviewStudio(settings=settings, database=database, desk=desk, order=order)

    yield make
    for database in opened:
        database.dispose()


@pytest.fixture
def studio(open_studio: Callable[..., ReviewStudio]) -> ReviewStudio:
    return open_studio()
