"""A thousand layouts land at once, good and bad, fast and slow: nothing is lost or doubled."""

import collections
import os
import threading
import time
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from haikei.images import Picture, write_picture
from haikei.jobs import JobState, Step
from support.studio import SiteRow, Studio, studio

GOOD = 930
CORRUPT = 40
STRAY = 30
SEQUENCES = 40


def _shots(count: int) -> list[tuple[str, str, str]]:
    return [("BURST", f"s{number % SEQUENCES:02d}", f"c{number:04d}") for number in range(count)]


def _layout(projects: Path, sequence: str, shot: str) -> Path:
    return projects / "BURST" / sequence / shot / "layout" / f"{shot}_bg_v001.png"


def _drawing(folder: Path, number: int) -> bytes:
    """A small drawing, another one for each number: a ridge and a house below the sky."""
    pixels = np.ones((64, 96, 3), np.float32)
    ridge = 24 + (np.sin(np.arange(96) / (5 + number % 17)) * 6).astype(int)
    pixels[ridge, np.arange(96)] = 0.1
    left = 4 + number % 60
    pixels[40:60, left] = pixels[40:60, left + 20] = 0.1
    pixels[40, left : left + 20] = pixels[60, left : left + 21] = 0.1
    pixels[0, : number % 96] = 0.9
    pixels[1, : number // 96 + 1] = 0.9
    path = folder / "drawing.png"
    write_picture(Picture(pixels=pixels), path, bits=8)
    content = path.read_bytes()
    path.unlink()
    return content


def _land(path: Path, content: bytes, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    match number % 10:
        case 0 | 1 | 2:
            part = path.with_name(f"{path.name}.tmp")
            part.write_bytes(content)
            part.rename(path)
        case 3:
            with path.open("wb") as stream:
                for start in range(0, len(content), 200):
                    stream.write(content[start : start + 200])
                    stream.flush()
                    os.sched_yield()
        case _:
            path.write_bytes(content)


@pytest.mark.timeout(2400)
def test_every_good_layout_has_one_version_and_every_damaged_one_a_dead_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A thousand jobs reach no line that a few do not: measuring them only takes twice as long.
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    drawings = [_drawing(tmp_path, number) for number in range(GOOD + CORRUPT)]
    assert len(set(drawings)) == len(drawings)
    shots = _shots(GOOD + CORRUPT)
    with studio(tmp_path / "studio") as here:
        here.cast(shots)
        here.start()
        here.wait_for("the workers", lambda: here.said("worker_ready"))
        slow_folder = here.projects / "BURST" / "s00"
        slow = threading.Thread(
            target=_land_slowly, args=(here, shots[0], drawings[0], slow_folder)
        )
        slow.start()
        for number, (_, sequence, shot) in enumerate(shots):
            if number == 0:
                continue
            content = drawings[number]
            if number >= GOOD:
                content = content[: len(content) // 2]
            _land(_layout(here.projects, sequence, shot), content, number)
        for number in range(STRAY):
            path = here.projects / "BURST" / f"stray{number:02d}" / "reference.png"
            _land(path, drawings[number][:-1] + b"\0", number)
        slow.join()

        here.wait_for("all jobs", lambda: _settled(here), patience=1800)

        bad = here.jobs(JobState.DEAD)
        done = here.jobs(JobState.DONE)
        client = here.connect()
        fields = ["code", "entity", "sg_haikei_key"]
        versions = cast("list[SiteRow]", client.find("Version", [], fields))
        client.close()
        here.stop()
        assert {job.step for job in bad} == {Step.DETECT}
        assert all(job.error for job in bad)
        assert len({job.layout for job in bad}) == len(bad) == CORRUPT
        assert not any("stray" in job.layout for job in bad)
        assert len(done) == GOOD
        shots_seen = collections.Counter(version["entity"]["name"] for version in versions)
        assert shots_seen == {shot: 1 for _, _, shot in shots[:GOOD]}
        assert len({version["sg_haikei_key"] for version in versions}) == GOOD
        leftovers = [path for path in here.projects.rglob("*") if path.name.endswith(".tmp")]
        assert leftovers == []


def _settled(here: Studio) -> bool:
    jobs = here.jobs()
    open_jobs = [job for job in jobs if job.state in {JobState.WAITING, JobState.RUNNING}]
    return len(jobs) >= GOOD + CORRUPT and not open_jobs


def _land_slowly(here: Studio, shot: tuple[str, str, str], content: bytes, folder: Path) -> None:
    path = _layout(here.projects, shot[1], shot[2])
    path.parent.mkdir(parents=True, exist_ok=True)
    assert folder in path.parents
    with path.open("wb") as stream:
        for start in range(0, len(content), 64):
            stream.write(content[start : start + 64])
            stream.flush()
            time.sleep(0.02)  # an artist's slow connection is what is tested here
