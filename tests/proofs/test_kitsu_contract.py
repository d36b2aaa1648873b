"""The contract suite of trackers over a real Kitsu, which the tests start themselves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.test_tracker import *  # noqa: F403 (every test of the suite)
from support.kitsu import running_kitsu
from support.kitsu_bench import KitsuBench
from support.tracker_sites import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = KitsuBench(running_kitsu(), tmp_path)
    yield made
    made.close()
