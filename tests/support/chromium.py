"""The system's Chromium, as tests of pages start it."""

from pathlib import Path

import pytest

EXECUTABLE = Path("/usr/bin/chromium")
#: Without a screen, as root in a container, and without calls of its own to the network.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
needs_chromium = pytest.mark.skipif(
    not EXECUTABLE.exists(), reason="there is no Chromium; `make test` installs it"
)
