"""The gate lets a number of workers in, and one suspect alone."""

import threading
from collections.abc import Callable

import pytest

from haikei.jobs.engine import Gate, retries
from support.clocks import PATIENCE, eventually


def nothing() -> None:
    """Check nothing."""


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let those who wait be asked often."""
    monkeypatch.setattr(retries, "_LOOK", 0.01)


def inside(
    gate: Gate, *, alone: bool, check: Callable[[], None] = nothing
) -> tuple[threading.Thread, threading.Event, threading.Event]:
    """Start a thread that goes through the gate; return it, `entered` and `leave`."""
    entered, leave = threading.Event(), threading.Event()

    def run() -> None:
        with gate.through(alone=alone, check=check):
            entered.set()
            leave.wait(PATIENCE)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, entered, leave


def test_as_many_are_inside_as_there_are_slots() -> None:
    gate = Gate(2)
    threads = [inside(gate, alone=False) for _ in range(3)]

    assert eventually(lambda: sum(entered.is_set() for _, entered, _ in threads) == 2)
    first = next(one for one in threads if one[1].is_set())
    first[2].set()

    assert eventually(lambda: all(entered.is_set() for _, entered, _ in threads))
    for thread, _, leave in threads:
        leave.set()
        thread.join(PATIENCE)


def test_a_suspect_waits_until_all_are_out_and_then_lets_nobody_in() -> None:
    gate = Gate(4)
    one, in_one, out_one = inside(gate, alone=False)
    assert in_one.wait(PATIENCE)
    suspect_waits, late_waits = threading.Event(), threading.Event()
    suspect, in_suspect, out_suspect = inside(gate, alone=True, check=suspect_waits.set)
    assert suspect_waits.wait(PATIENCE)
    assert not in_suspect.is_set()
    late, in_late, out_late = inside(gate, alone=False, check=late_waits.set)

    assert late_waits.wait(PATIENCE)
    assert not in_late.is_set()
    out_one.set()
    assert in_suspect.wait(PATIENCE)
    late_waits.clear()
    assert late_waits.wait(PATIENCE)
    assert not in_late.is_set()
    out_suspect.set()

    assert in_late.wait(PATIENCE)
    out_late.set()
    for thread in (one, suspect, late):
        thread.join(PATIENCE)


def test_one_who_waits_is_asked_now_and_then_whether_it_still_wants_to() -> None:
    gate = Gate(1)
    thread, entered, leave = inside(gate, alone=False)
    assert entered.wait(PATIENCE)

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError), gate.through(alone=True, check=stop):
        pass

    leave.set()
    thread.join(PATIENCE)
    with gate.through(alone=False, check=nothing):
        pass
