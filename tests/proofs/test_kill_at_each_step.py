"""The whole tree is killed twenty times, in each of the six steps: nothing is lost or doubled."""

import collections
import os
import random
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from haikei.credits import Scope, records
from haikei.files import sha256_of
from haikei.images import Picture, read_picture, write_picture
from haikei.jobs import Job, JobState, Step
from haikei.ledger import verify
from haikei.provenance import MarkSigner, MarksState, read_marks
from haikei.storage import Storage
from support.databases import fresh_database
from support.kills import kill_in
from support.studio import SiteRow, Studio, studio

#: Those of a background; a touch-up has one of its own.
STEPS = [step for step in Step if step not in {Step.DETECT, Step.TAKE_IN}]
KILLS = [*STEPS, *STEPS, *STEPS, Step.GENERATE, Step.INTEGRATE]
SHOTS = 80
PROJECT, SEQUENCE = "KILL", "s01"


def _shot(number: int) -> str:
    return f"c{number:03d}"


class Artist:
    """Publishes drawings, each for a shot of its own and complete at once."""

    def __init__(self, projects: Path) -> None:
        self.drawn = 0
        self._projects = projects

    def draw(self) -> None:
        """Publish the next drawing."""
        number = self.drawn
        self.drawn += 1
        pixels = np.ones((180, 320, 3), np.float32)
        ridge = 70 + (np.sin(np.arange(320) / (9 + number)) * 20).astype(int)
        for thickness in range(2):
            pixels[ridge + thickness, np.arange(320)] = 0.1
        pixels[120:170, 40 + number] = pixels[120:170, 120 + number] = 0.1
        pixels[120, 40 + number : 121 + number] = 0.1
        shot = _shot(number)
        path = self._projects / PROJECT / SEQUENCE / shot / "layout" / f"{shot}_bg_v001.png"
        path.parent.mkdir(parents=True)
        part = path.with_name(f".{path.name}.tmp.png")
        write_picture(Picture(pixels=pixels), part, bits=8)
        part.rename(path)

    def draw_another(self) -> None:
        """Publish the next drawing, unless all are."""
        if self.drawn < SHOTS:
            self.draw()


def _jobs(here: Studio) -> list[Job]:
    return [job for job in here.jobs() if job.place.shot]


def _unsettled(here: Studio, layouts: int) -> bool:
    jobs = _jobs(here)
    return len(jobs) < layouts or any(
        job.state in {JobState.WAITING, JobState.RUNNING} for job in jobs
    )


@pytest.mark.timeout(1800)
def test_twenty_kills_leave_one_complete_version_a_layout(tmp_path: Path) -> None:
    chance = random.Random(20)
    with studio(tmp_path / "studio") as here:
        here.cast([(PROJECT, SEQUENCE, _shot(number)) for number in range(SHOTS)])
        fresh_database(here.folder / "state" / "haikei.db").dispose()
        artist = Artist(here.projects)
        for _ in range(4):
            artist.draw()

        for step in KILLS:
            artist.draw()
            here.start()
            kill_in(here, step, artist.draw_another, chance)
        here.start()
        here.wait_for("all jobs", lambda: not _unsettled(here, artist.drawn), patience=600)
        # Chance may kill one job four times in one step, which is then taken for its fault.
        for unlucky in [job for job in _jobs(here) if job.error.startswith("The worker died")]:
            here.call("jobs", "retry", unlucky.key)
        here.wait_for("the rest", lambda: not _unsettled(here, artist.drawn), patience=600)
        here.stop()

        jobs = _jobs(here)
        assert {(job.state, job.error) for job in jobs} == {(JobState.DONE, "")}
        assert len(jobs) == artist.drawn >= len(KILLS)
        _require_complete(here, {job.key for job in jobs})


def _require_complete(here: Studio, keys: set[str]) -> None:
    layouts = len(keys)
    client = here.connect()
    versions = cast(
        "list[SiteRow]",
        client.find(
            "Version",
            [],
            ["code", "entity", "image", "sg_uploaded_movie", "sg_haikei_key", "sg_haikei_credit"],
        ),
    )
    files = cast(
        "list[SiteRow]",
        client.find(
            "PublishedFile",
            [["version", "is_not", None]],
            ["code", "version", "path", "upstream_published_files", "published_file_type"],
        ),
    )
    client.close()
    assert {version["sg_haikei_key"] for version in versions} == keys
    assert len(versions) == layouts
    assert {version["entity"]["name"] for version in versions} == set(map(_shot, range(layouts)))
    assert all(version["image"] and version["sg_uploaded_movie"] for version in versions)
    assert all("Yuki Tanaka" in version["sg_haikei_credit"] for version in versions)
    by_version = collections.Counter(file["version"]["id"] for file in files)
    assert by_version == {version["id"]: 2 for version in versions}
    assert all(len(file["upstream_published_files"]) >= 1 for file in files)

    settings = here.settings()
    published = sorted(here.projects.rglob("*_bg_summer_day_*.png"))
    sidecars = sorted(here.projects.rglob("*_bg_summer_day_*.json"))
    assert len(published) == 3 * layouts
    assert len(sidecars) == layouts
    assert all(read_picture(path).width == 320 for path in published)
    for mark in (here.projects / ".haikei" / "writing").iterdir():
        # The sweep gives a mark the benefit of the doubt for a minute.
        os.utime(mark, (0, 0))
    Storage(settings).sweep()
    names = {path.name for path in here.projects.rglob("*")}
    assert not {name for name in names if name.endswith((".part", ".tmp"))}
    assert list((here.folder / "state" / "jobs").iterdir()) == []

    trust = MarkSigner.from_settings(settings).trust_pem
    for path in random.Random(3).sample(published, 6):
        assert read_marks(path, trust_pem=trust).state is MarksState.TRUSTED
    database = fresh_database(here.folder / "state" / "haikei.db")
    with database.begin() as connection:
        assert verify(connection) == 3 * layouts
        scope = Scope(project=PROJECT)
        assert records.count(connection, scope) == layouts
        for background in records.backgrounds(connection, scope):
            assert background.tracker_id is not None
            for image in background.images:
                assert sha256_of(here.projects / image.path) == image.sha256
    database.dispose()
