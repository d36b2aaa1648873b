"""A studio whose versions are shown in dailies."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.dailies_house import DailiesHouse, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[DailiesHouse]:
    with open_house(tmp_path) as opened:
        yield opened
