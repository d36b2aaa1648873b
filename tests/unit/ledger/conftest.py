"""A studio with a ledger, its signer and a drop folder outside."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.keeping import Keeping, keep_ledger


@pytest.fixture
def keeping(tmp_path: Path) -> Iterator[Keeping]:
    with keep_ledger(tmp_path) as keeping:
        yield keeping
