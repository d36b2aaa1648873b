"""Waiting for what another thread or process does, as long as a slow machine may need for it."""

import time
from collections.abc import Callable, Generator
from typing import TypeVar

T = TypeVar("T")

#: Seconds after which something that should happen has not. Only a failing test waits so long;
#: it is less than the time-out of a test, so that the failure says what was waited for.
PATIENCE = 300.0


def eventually(
    look: Callable[[], T | None],
    what: str = "what the test waits for",
    *,
    patience: float = PATIENCE,
    pause: float = 0.01,
    report: Callable[[], str] = lambda: "",
) -> T:
    """
    Return what `look` gives as soon as that is true, or anything but false and empty.

    Args:
        look: called again and again.
        what: names it in the failure.
        patience: seconds after which the test fails; more for what is long by itself.
        pause: seconds between two looks; less for what passes quickly.
        report: called when it does not happen; its text follows in the failure.

    Raises:
        AssertionError: it does not happen within that time.
    """
    deadline = time.monotonic() + patience
    while not (found := look()):
        if time.monotonic() > deadline:
            message = f"waited {patience:.0f} s in vain for {what}. {report()}".rstrip()
            raise AssertionError(message)
        time.sleep(pause)
    return found


def every(seconds: float) -> Generator[bool]:
    """Yield, as often as asked, whether that time has passed since it last had."""
    following = time.monotonic() + seconds
    while True:
        due = time.monotonic() >= following
        if due:
            following = time.monotonic() + seconds
        yield due
