"""A studio with a ledger, its signer and a drop folder outside."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.records import LedgerStudio, ledger_studio


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[LedgerStudio]:
    with ledger_studio(tmp_path) as studio:
        yield studio
