"""A database of a studio, empty."""

from collections.abc import Generator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from support.databases import fresh_database


@pytest.fixture
def database(tmp_path: Path) -> Generator[Engine]:
    engine = fresh_database(tmp_path / "haikei.db")
    yield engine
    engine.dispose()
