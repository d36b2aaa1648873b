"""What holds for every test: a clean environment, and logs as they are out of the box."""

import os
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def clean_surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith("HAIKEI_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    yield
    structlog.reset_defaults()
