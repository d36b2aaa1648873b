"""BOOKs of a layered layout: painted on their own, delivered as one layered file with its marks."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from psd_tools import PSDImage

from haikei.credits import records
from haikei.images import Layer, Picture, read_picture, write_layered
from haikei.jobs import JobState
from haikei.ledger import verify
from haikei.provenance import MarksState, read_marks
from haikei.reports import stage_names
from support.jobs import JobStudio, announce, job_studios, put_layout

STAGES = [
    {"name": "gen1", "generator": "flat", "options": {"level": 0.25}},
    {"name": "gen2", "generator": "flat", "options": {"level": 0.75}},
]
SIZE = (96, 64)


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[JobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)(recipes={"flat": {"stages": STAGES, "books": True}})


def publish(studio: JobStudio, *books: str) -> str:
    """Publish a layout with these BOOK layers, each a square; return its job's key."""
    event = put_layout(studio.settings, size=SIZE)
    layers = [Layer(name="BG", picture=read_picture(event.layout))]
    for number, name in enumerate(books):
        cover = np.zeros(SIZE[::-1], np.float32)
        cover[20:50, 10 + 40 * number : 40 + 40 * number] = 1
        picture = Picture(pixels=np.full((*SIZE[::-1], 3), 0.5, np.float32))
        layers.append(Layer(name=name, picture=picture, cover=cover))
    path = event.layout.with_suffix(".psd")
    write_layered(layers, path, bits=8)
    event.layout.unlink()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    announce(studio.database, replace(event, layout=path, sha256=digest))
    studio.work()
    return studio.key


def test_each_book_becomes_a_named_layer_beside_the_flat_picture(studio: JobStudio) -> None:
    key = publish(studio, "BOOK1 手前", "BOOK2")
    job = studio.store.get(key)
    names = {path.name: path for path in studio.files}
    layered = names["c001_bg_summer_day_v001_books.psd"]
    opened = PSDImage.open(layered)
    flat = read_picture(names["c001_bg_summer_day_v001.png"])

    assert (job.state, job.error) == (JobState.DONE, "")
    assert [one.name for one in opened] == ["BG", "BOOK1 手前", "BOOK2"]
    assert [one.bbox for one in opened][1:] == [(10, 20, 40, 50), (50, 20, 80, 50)]
    assert opened.depth == 16
    assert read_picture(layered).sha256() == flat.sha256()
    assert layered.with_suffix(".c2pa") in studio.files
    assert layered.with_suffix(".xmp") in studio.files


def test_the_layered_file_is_marked_recorded_and_shown_in_the_tracker(studio: JobStudio) -> None:
    key = publish(studio, "BOOK1")
    with studio.database.begin() as connection:
        version = records.background(connection, key)
        sealed = verify(connection)
    assert version is not None
    root = studio.settings.storage.roots[0].path
    names = [name.en for name in stage_names(version)]
    layered = version.images[-2]
    marks = read_marks(root / layered.path, trust_pem=studio.tools.marks().trust_pem)

    assert names == ["Layout", "Base paint", "BOOK layers", "Finish"]
    assert sealed == len(version.images) == 4
    assert layered.sha256 == hashlib.sha256((root / layered.path).read_bytes()).hexdigest()
    assert marks.state is not MarksState.BROKEN
    assert len(studio.tracker.published[key].images) == 3


def test_a_book_is_painted_in_its_surroundings_and_each_request_says_which(
    studio: JobStudio,
) -> None:
    key = publish(studio, "BOOK1", "BOOK2")
    with studio.database.begin() as connection:
        version = records.background(connection, key)
    assert version is not None
    asked = [json.loads(image.request_json) for image in version.images if image.request_json]

    assert [(one["stage"], one["book"], one["books"]) for one in asked] == [
        ("gen1", 0, 2),
        ("books", 0, 2),
        ("gen2", 0, 2),
    ]
    assert studio.generator.made == ["gen1"] * 3 + ["gen2"] * 3


def test_a_layout_whose_book_is_empty_waits_for_a_person_with_the_reason(
    studio: JobStudio,
) -> None:
    event = put_layout(studio.settings, size=SIZE)
    path = event.layout.with_suffix(".psd")
    picture = read_picture(event.layout)
    nothing = np.zeros(SIZE[::-1], np.float32)
    layers = [Layer(name="BG", picture=picture), Layer(name="BOOK", picture=picture, cover=nothing)]
    write_layered(layers, path, bits=8)
    event.layout.unlink()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    announce(studio.database, replace(event, layout=path, sha256=digest))
    studio.work()
    job = studio.store.get(studio.key)

    assert job.state is JobState.DEAD
    assert "'BOOK' is empty" in job.error


def test_a_layout_without_books_is_painted_whole(studio: JobStudio) -> None:
    publish(studio)

    assert "c001_bg_summer_day_v001.png" in {path.name for path in studio.files}
    assert not [path for path in studio.files if path.name.endswith("_books.psd")]
