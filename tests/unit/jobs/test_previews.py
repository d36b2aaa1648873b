"""Small pictures for pages: ready when a version is, and never in a job's way."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from haikei.credits import records
from haikei.files import sha256_of
from haikei.images import Picture, read_picture
from haikei.jobs import JobState
from haikei.jobs.page_inputs import CARD, keep_card, preview_file
from support.jobs import JobStudio, OpenJobStudio, job_studios


@pytest.fixture
def open_studio(tmp_path: Path) -> Iterator[OpenJobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)


@pytest.fixture
def studio(open_studio: OpenJobStudio) -> JobStudio:
    return open_studio()


def test_a_card_has_its_picture_when_the_version_is_made(studio: JobStudio) -> None:
    studio.publish()

    with studio.database.connect() as connection:
        version = records.background(connection, studio.key)
    assert version is not None
    kept = preview_file(studio.settings.studio.state, version.final.sha256, CARD)
    assert version.final.sha256 == sha256_of(studio.files[0])
    assert read_picture(kept).width == min(CARD, read_picture(studio.files[0]).width)


def test_a_version_is_made_though_its_cards_picture_cannot_be(studio: JobStudio) -> None:
    state = studio.settings.studio.state
    (state / "web-thumbnails").write_bytes(b"a file where the folder should be")

    studio.publish()

    assert [job.state for job in studio.store.list()] == [JobState.DONE]


def test_a_picture_that_is_kept_stays(tmp_path: Path) -> None:
    white = Picture(pixels=np.ones((9, 16, 3), dtype=np.float32))
    black = Picture(pixels=np.zeros((9, 16, 3), dtype=np.float32))
    for one in (white, black):
        keep_card(one, "ab" * 32, state=tmp_path)

    (kept,) = tmp_path.rglob("*.*")
    assert kept == preview_file(tmp_path, "ab" * 32, CARD)
    assert read_picture(kept).pixels.min() > 0.9
