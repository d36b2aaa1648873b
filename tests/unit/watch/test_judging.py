from datetime import UTC, datetime
from pathlib import Path

import pytest

from haikei.events import LayoutPublished
from haikei.settings import Watch, WatchFolder
from haikei.sources.watch.file_table import (
    FileState,
    approve,
    is_text,
    refuse_damaged,
    refuse_misnamed,
)
from haikei.sources.watch.root import WatchedRoot, watched_roots
from haikei.sources.watch.scan import Stamp

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
STAMP = Stamp(10, 20, 30)
GOOD = "/show/port/sq01/c001/layout/c001_bg_v012.png"


def _root(*templates: str) -> WatchedRoot:
    folders = [WatchFolder(path=Path("/show"), template=template) for template in templates]
    watch = Watch(folders=tuple(folders or [WatchFolder(path=Path("/show"))]))
    [root] = watched_roots(watch, "1 0 0:1 / / rw - ext4 none rw")
    return root


def test_a_path_of_the_template_is_published_with_all_it_says() -> None:
    verdict = approve(_root(), GOOD, STAMP, "ab" * 32, now=NOW)

    assert verdict.state is FileState.PUBLISHED
    assert isinstance(verdict.event, LayoutPublished)
    place = verdict.event.place
    assert (place.project, place.sequence, place.shot) == ("port", "sq01", "c001")
    assert (verdict.event.name, verdict.event.version) == ("bg", 12)
    assert verdict.key == verdict.event.key


def test_a_studio_that_counts_cuts_in_a_flat_folder_needs_no_sequence() -> None:
    verdict = approve(_root("{project}/{cut}.{ext}"), "/show/port/c7.PNG", STAMP, "", now=NOW)

    assert isinstance(verdict.event, LayoutPublished)
    assert (verdict.event.place.shot, verdict.event.place.sequence) == ("c7", "")
    assert (verdict.event.name, verdict.event.version) == ("layout", None)


@pytest.mark.parametrize("path", ["/show/c001.png", "/elsewhere/port/c001.png", "/showy/a.png"])
def test_another_path_is_misplaced(path: str) -> None:
    verdict = approve(_root(), path, STAMP, "", now=NOW)

    assert verdict.state is FileState.MISPLACED
    assert verdict.refusal is None
    assert "{project}/{sequence}/{shot}" in verdict.reason


def test_a_folder_that_is_named_twice_takes_both_kinds_of_path() -> None:
    root = _root("{project}/{cut}.{ext}", "{project}/{sequence}/{shot}/{name}.{ext}")

    cut = approve(root, "/show/port/c7.png", STAMP, "", now=NOW)
    shot = approve(root, "/show/port/sq01/c8/bg.png", STAMP, "", now=NOW)
    neither = approve(root, "/show/c9.png", STAMP, "", now=NOW)

    assert cut.event is not None
    assert shot.event is not None
    assert (cut.event.place.shot, shot.event.place.shot) == ("c7", "c8")
    assert "{cut}" in neither.reason
    assert "{sequence}" in neither.reason


def test_a_template_without_a_shot_gives_no_place() -> None:
    verdict = approve(_root("{project}/{name}.{ext}"), "/show/port/a.png", STAMP, "", now=NOW)

    assert "{shot}" in verdict.reason


def test_the_dead_letter_of_a_file_is_told_apart_by_path_size_time_and_content() -> None:
    keys = {
        refuse_damaged(path, stamp, sha256, "damaged").key
        for path in (GOOD, GOOD + "x")
        for stamp in (STAMP, Stamp(11, 20, 30), Stamp(10, 21, 30))
        for sha256 in ("a", "b")
    }

    assert len(keys) == 12
    same = refuse_damaged(GOOD, STAMP, "a", "damaged")
    assert same.key == refuse_damaged(GOOD, Stamp(10, 20, 99), "a", "otherwise").key


def test_a_name_that_is_no_text_is_shown_with_its_bytes() -> None:
    path = "/show/\udcff.png"

    verdict = refuse_misnamed(path, STAMP)

    assert not is_text(path)
    assert is_text(GOOD)
    assert verdict.refusal is not None
    assert str(verdict.refusal.layout) == "/show/\\xff.png"
