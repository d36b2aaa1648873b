"""The web application of a studio on this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.web import Web, web_of


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with web_of(tmp_path) as one:
        yield one
