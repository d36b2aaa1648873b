"""A database of a studio, empty."""

import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from haikei.database import open_database


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database file at its present schema, made once."""
    path = tmp_path_factory.mktemp("empty") / "haikei.db"
    engine = open_database(f"sqlite:///{path}")
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture
def database(tmp_path: Path, empty: Path) -> Generator[Engine]:
    shutil.copyfile(empty, tmp_path / "haikei.db")
    engine = open_database(f"sqlite:///{tmp_path / 'haikei.db'}")
    yield engine
    engine.dispose()
