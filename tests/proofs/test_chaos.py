"""Hosts die inside of steps, answers get lost, a disk fills up: nothing is doubled."""

import os
import shutil
from pathlib import Path

import pytest

from haikei.jobs import JobState, Step
from support.chaos import STEPS, Chaos, chaos, require_consistent, run, small_disk
from support.clocks import PATIENCE

#: They take minutes each on a quiet machine: `make soak` runs them.
pytestmark = pytest.mark.skipif(
    not os.environ.get("HAIKEI_SOAK"), reason="takes minutes: `make soak` runs it"
)
root_alone = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts disks")


@pytest.mark.timeout(900)
def test_two_hosts_that_die_in_each_step_leave_one_version_a_job(tmp_path: Path) -> None:
    with chaos(tmp_path, layouts=30) as here:
        here.draw(3)
        for step in STEPS:
            here.kill_in(step)
        here.settle(10 * PATIENCE)

        require_consistent(here)
        assert set(here.kills) == set(STEPS)
        assert here.jobs(JobState.DEAD) == []


@root_alone
@pytest.mark.timeout(900)
def test_a_disk_that_is_full_while_files_are_published_costs_no_job(
    tmp_path: Path,
) -> None:
    with (
        small_disk(tmp_path, 64) as disk,
        chaos(
            tmp_path, layouts=12, projects=lambda path: run("mount", "--bind", str(disk), str(path))
        ) as here,
    ):
        projects = here.first.projects
        try:
            here.draw(2)
            filler = disk / "filler"
            here.happen_in(Step.EXTRACT, lambda: _fill(filler))
            here.first.wait_for("being held", lambda: _held(here) > 0)
            filler.unlink()
            here.settle(10 * PATIENCE)

            require_consistent(here)
            assert here.jobs(JobState.DEAD) == []
        finally:
            run("umount", "-l", str(projects))


def _fill(filler: Path) -> None:
    with filler.open("wb") as file:
        free = shutil.disk_usage(filler.parent).free
        while free > 0:
            try:
                free -= file.write(bytes(min(free, 1 << 20)))
                file.flush()
            except OSError:
                return


def _held(here: Chaos) -> int:
    """Return how often a lane was held."""
    return sum(host.log_text().count('"lane_held"') for host in here.hosts)
