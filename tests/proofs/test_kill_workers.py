"""Single workers stop, die and start again beside living ones; jobs go on."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from haikei.errors import SettingsError
from haikei.events import LayoutPublished, Source
from haikei.images import Picture, write_picture
from haikei.jobs import JobState, Step
from haikei.jobs.engine import WorkerRole, run_worker
from haikei.show import Place
from support.clocks import PATIENCE
from support.databases import fresh_database
from support.jobs import announce
from support.studio import Studio, studio

SHOTS = ("c001", "c002", "c003")


def _publish(here: Studio, shot: str) -> None:
    """Put a drawing in its place and tell of it, without a watcher."""
    path = here.projects / "KILL" / "s01" / shot / "layout" / f"{shot}_bg_v001.png"
    path.parent.mkdir(parents=True)
    pixels = np.ones((360, 640, 3), np.float32)
    pixels[180 : 180 + int(shot[1:]), 40:600] = 0.1
    write_picture(Picture(pixels=pixels), path, bits=8)
    event = LayoutPublished(
        place=Place(project="KILL", sequence="s01", shot=shot),
        layout=path,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        name="bg",
        version=1,
        published_file=None,
        source=Source.COMMAND,
        at=datetime.now(UTC),
    )
    database = fresh_database(here.folder / "state" / "haikei.db")
    announce(database, event)
    database.dispose()


@contextmanager
def _worker(here: Studio, role: WorkerRole) -> Generator[subprocess.Popen[bytes]]:
    """Run a worker as a process of its own while the block runs."""
    with here.log.open("ab") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "haikei.cli", "worker", "--role", role.value),
                *("--settings", str(here.settings_file)),
            ],
            env=here.environment,
            stdin=subprocess.DEVNULL,
            stderr=log,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def test_a_killed_generation_worker_is_replaced_by_another_and_a_stopped_one_ends_well(
    tmp_path: Path,
) -> None:
    with studio(tmp_path / "studio") as here:
        here.cast([("KILL", "s01", shot) for shot in SHOTS])
        with _worker(here, WorkerRole.STEPS) as steps:
            with _worker(here, WorkerRole.GENERATE) as first:
                for shot in SHOTS:
                    _publish(here, shot)
                here.wait_for(
                    "a picture being made",
                    lambda: any(job.step is Step.GENERATE for job in here.jobs(JobState.RUNNING)),
                    pause=0.005,
                )
                os.kill(first.pid, signal.SIGKILL)
            with _worker(here, WorkerRole.GENERATE) as second:
                here.wait_for("all jobs", lambda: len(here.jobs(JobState.DONE)) == len(SHOTS))
            assert second.returncode == 0
        assert steps.returncode == 0

        jobs = here.jobs()
        client = here.connect()
        versions = client.find("Version", [], ["sg_haikei_key"])
        client.close()
        assert {job.version_code for job in jobs} == {
            f"{shot}_bg_summer_day_v001" for shot in SHOTS
        }
        assert len(versions) == len(SHOTS)


def test_a_device_that_is_not_in_the_settings_is_refused(tmp_path: Path) -> None:
    with studio(tmp_path / "studio") as here, pytest.raises(SettingsError, match="no device"):
        run_worker(
            here.settings(), role=WorkerRole.GENERATE, device="cuda:9", stop=threading.Event()
        )
