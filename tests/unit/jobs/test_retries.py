"""Only what can pass is tried again, after longer and longer waits."""

import pytest

from haikei.errors import TrackerRejected, TrackerUnavailable
from haikei.jobs.engine.retries import Retries, TriedEnough, with_retries


class Work:
    """Fails with what it was given, one after the other."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.waits: list[float] = []
        self.notes: list[str] = []

    def __call__(self) -> str:
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    def pause(self, seconds: float, note: str) -> None:
        self.waits.append(seconds)
        self.notes.append(note)


def test_waits_double_and_heed_what_the_far_side_asks() -> None:
    work = Work(
        TrackerUnavailable("down"),
        TrackerUnavailable("down"),
        TrackerUnavailable("down", retry_after=30.0),
    )

    assert with_retries(work, Retries(attempts=6, backoff=1.0), work.pause) == "done"

    assert work.waits == [1.0, 2.0, 30.0]
    assert work.notes[0] == "TrackerUnavailable: down Try 2 in 1 s."


def test_a_wait_does_not_grow_for_ever() -> None:
    assert Retries(attempts=20, backoff=1.0).wait_before(20, TrackerUnavailable("down")) == 120.0


def test_after_the_last_try_the_error_and_the_number_of_tries_are_told() -> None:
    work = Work(*(TrackerUnavailable("down") for _ in range(3)))

    with pytest.raises(TriedEnough) as caught:
        with_retries(work, Retries(attempts=3, backoff=0.1), work.pause)

    assert isinstance(caught.value.error, TrackerUnavailable)
    assert caught.value.attempts == 3
    assert len(work.waits) == 2


@pytest.mark.parametrize("error", [TrackerRejected("no"), ValueError("bug")])
def test_what_cannot_pass_is_not_tried_again(error: Exception) -> None:
    work = Work(error)

    with pytest.raises(TriedEnough) as caught:
        with_retries(work, Retries(attempts=3, backoff=0.1), work.pause)

    assert caught.value.error is error
    assert work.waits == []
