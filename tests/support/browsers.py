"""A real browser, whose pages are waited for as long as a slow machine may need for them."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from support.clocks import PATIENCE

#: Milliseconds.
WAIT = PATIENCE * 1000
# Out of the box it gives up after five seconds.
expect.set_options(timeout=WAIT)

CHROMIUM = Path("/usr/bin/chromium")
#: Without a screen, as root in a container, and without calls of its own to the network.
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
needs_chromium = pytest.mark.skipif(
    not CHROMIUM.exists(), reason="there is no Chromium; `make test` installs it"
)


@contextmanager
def chromium() -> Generator[Browser]:
    """Run a browser until the block ends."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS, timeout=WAIT
        )
        try:
            yield browser
        finally:
            browser.close()
