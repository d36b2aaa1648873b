"""The contract suite of trackers over a real Kitsu, which the tests start themselves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contract import test_tracker as suite
from support.kitsu import running_kitsu
from support.kitsu_bench import KitsuBench
from support.tracker_sites import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = KitsuBench(running_kitsu(), tmp_path)
    yield made
    made.close()


# Every test of the suite, with the bench above in place of its own.
globals().update({name: one for name, one in vars(suite).items() if name.startswith("test_")})
