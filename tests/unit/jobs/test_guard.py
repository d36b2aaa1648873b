"""A worker id belongs to one living process; what a dead one held goes to the living."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from haikei.errors import StateError
from haikei.jobs.engine import (
    DeadWorkerRecovery,
    FileLocks,
    Recovery,
    claim_holder,
    open_locks,
)
from haikei.jobs.engine import recovery as guarding

_HOLD = """
import sys, time
from pathlib import Path
from haikei.jobs.engine import FileLocks
locks = FileLocks(Path(sys.argv[1]))
assert locks.hold(sys.argv[2])
print("held", flush=True)
time.sleep(600)
"""


@dataclass(slots=True)
class Held(Recovery):
    """Remembers what was recovered."""

    by: list[str]
    recovered: list[str] = field(default_factory=list[str])

    def holders(self) -> Sequence[str]:
        return list(self.by)

    def recover(self, holder: str) -> int:
        self.recovered.append(holder)
        return 1


@pytest.fixture
def locks(tmp_path: Path) -> Iterator[FileLocks]:
    locks = FileLocks(tmp_path / "locks")
    yield locks
    locks.release()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[FileLocks]:
    locks = FileLocks(tmp_path / "locks")
    yield locks
    locks.release()


def test_two_workers_of_one_kind_get_two_ids(locks: FileLocks, other: FileLocks) -> None:
    assert claim_holder(locks, "host-steps") == "host-steps-0"
    assert claim_holder(other, "host-steps") == "host-steps-1"


def test_an_id_that_is_free_again_is_taken_again(locks: FileLocks, other: FileLocks) -> None:
    claim_holder(locks, "host-steps")
    locks.release()

    assert claim_holder(other, "host-steps") == "host-steps-0"


def test_too_many_workers_of_one_kind_are_refused(
    locks: FileLocks, other: FileLocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarding, "_SLOTS", 1)
    monkeypatch.setattr(guarding, "_PATIENCE", 0.05)
    claim_holder(locks, "host-steps")

    with pytest.raises(StateError, match="running already"):
        claim_holder(other, "host-steps")


def test_only_the_dead_are_recovered(locks: FileLocks, other: FileLocks) -> None:
    own = claim_holder(locks, "own")
    assert other.hold("living")
    held = Held(by=[own, "living", "dead"])

    count = DeadWorkerRecovery(locks, held, own=own).sweep()

    assert (count, held.recovered) == (1, ["dead"])


def test_a_killed_process_is_dead_at_once(tmp_path: Path, locks: FileLocks) -> None:
    own = claim_holder(locks, "own")
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path / "locks"), "victim"], stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        held = Held(by=["victim"])
        guard = DeadWorkerRecovery(locks, held, own=own)
        assert guard.sweep() == 0

        os.kill(process.pid, signal.SIGKILL)
        process.wait()

        assert guard.sweep() == 1


def test_a_worker_whose_lock_file_was_taken_away_is_not_safe(
    tmp_path: Path, locks: FileLocks
) -> None:
    own = claim_holder(locks, "own")
    guard = DeadWorkerRecovery(locks, Held(by=[]), own=own)
    assert guard.safe()

    (tmp_path / "locks" / f"{own}.lock").unlink()

    assert not guard.safe()


def test_an_id_with_a_devices_colon_is_a_safe_file_name(tmp_path: Path) -> None:
    locks = open_locks(f"sqlite:///{tmp_path / 'engine.db'}", tmp_path / "locks")

    assert claim_holder(locks, "host-generate-cuda:0") == "host-generate-cuda:0-0"
    assert locks.held("host-generate-cuda:0-0")
    assert not locks.held("never-taken")
    locks.release()
