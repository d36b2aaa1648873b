"""A tracker of its own for each test, spoken to in Python."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from haikei.sgserver.credentials import Caller
from haikei.sgserver.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Generator[Site, None, None]:
    opened = Site.open(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def me(site: Site) -> Caller:
    site.add_script("haikei", "key")
    return site.authenticate({"script_name": "haikei", "script_key": "key"})


@pytest.fixture
def project(site: Site, me: Caller) -> dict[str, Any]:
    row = site.create(me, "Project", {"name": "Show", "tank_name": "show"})
    return {"type": "Project", "id": row["id"], "name": "Show"}
