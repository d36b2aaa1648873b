"""A studio with one version in review."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from haikei.database import open_database
from support.desk import MemoryDesk, make_version
from support.jobs import studio_settings
from support.review_house import ReviewHouse


@pytest.fixture
def open_house(tmp_path: Path) -> Iterator[Callable[..., ReviewHouse]]:
    """Open a studio whose settings differ in these sections."""
    opened: list[Engine] = []

    def make(**sections: object) -> ReviewHouse:
        settings = studio_settings(tmp_path, **sections)
        database = open_database(f"sqlite:///{settings.studio.state / 'haikei.db'}")
        opened.append(database)
        desk = MemoryDesk()
        with database.begin() as connection:
            order = make_version(connection, desk, 1)
        return ReviewHouse(settings=settings, database=database, desk=desk, order=order)

    yield make
    for database in opened:
        database.dispose()


@pytest.fixture
def house(open_house: Callable[..., ReviewHouse]) -> ReviewHouse:
    return open_house()
