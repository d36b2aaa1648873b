"""A studio whose versions are shown in dailies."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.studio import DailiesStudio, dailies_studio


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[DailiesStudio]:
    with dailies_studio(tmp_path) as opened:
        yield opened
