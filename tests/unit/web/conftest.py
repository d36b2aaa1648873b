"""The web application of a studio on this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.web import Web, web_of


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let answers to webhooks wait until their deliveries are noted, however slow the machine."""
    monkeypatch.setattr("haikei.web.webhooks.webhook_endpoint.ENOUGH", 60.0)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with web_of(tmp_path) as one:
        yield one
