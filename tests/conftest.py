"""What holds for every test: a clean environment, and logs as they are out of the box."""

import os
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """Take the developer's own settings away, before any studio of a whole module starts."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("HAIKEI_") or name.lower().endswith("_proxy"):
                patch.delenv(name)
        yield


@pytest.fixture(autouse=True)
def clean_logs() -> Iterator[None]:
    yield
    structlog.reset_defaults()
