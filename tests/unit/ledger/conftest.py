"""A studio with a ledger, its signer and a drop folder outside, and a bundle of its show."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from haikei.ledger import verifier_script
from support.bundles import Show, make_show
from support.records import LedgerStudio, ledger_studio


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[LedgerStudio]:
    with ledger_studio(tmp_path) as studio:
        yield studio


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("auditor") / "verify_bundle.py"
    path.write_text(verifier_script(), encoding="utf-8")
    return path


@pytest.fixture
def show(studio: LedgerStudio, tmp_path: Path) -> Show:
    """A show that a test may change."""
    return make_show(studio, tmp_path)


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Show]:
    """A show that all tests share."""
    folder = tmp_path_factory.mktemp("sent")
    with ledger_studio(folder) as studio:
        yield make_show(studio, folder)
