"""What else a reviewer's process does keeps no decision waiting."""

import threading
from datetime import datetime

import pytest
from structlog.testing import capture_logs

from haikei.errors import TrackerUnavailable
from haikei.review import reviewer
from support.clocks import PATIENCE
from support.studio import ReviewStudio


def test_a_ticker_that_hangs_or_fails_keeps_nothing_else_waiting(
    studio: ReviewStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewer, "POLL", 0.01)
    stop, looked, failed = threading.Event(), threading.Event(), threading.Event()
    calls = 0

    def hang(_: datetime) -> None:
        stop.wait()

    def fail(_: datetime) -> None:
        nonlocal calls
        calls += 1
        if calls > 3:
            failed.set()
        raise TrackerUnavailable("It is away.")

    studio.desk.after_look = looked.set
    studio.wake()
    thread = threading.Thread(target=studio.reviewer().run, args=(stop, (hang, fail)))
    with capture_logs():
        thread.start()
        assert looked.wait(PATIENCE)
        assert failed.wait(PATIENCE)
        stop.set()
        thread.join(PATIENCE)

    assert not thread.is_alive()
    assert studio.desk.closed
