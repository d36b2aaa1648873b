"""Why was this file not taken?"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from haikei.settings import (
    NamingRule,
    PathTemplate,
    Storage,
    StorageRoot,
    Watch,
    WatchFolder,
)
from haikei.sources.watch import Outcome, Watcher, explain
from haikei.sources.watch.misfits import LeftAlone, folder_fits, misfit
from haikei.sources.watch.root import LayoutNames, Outputs, WatchedRoot, watched_roots
from haikei.sources.watch.scan import Listing, Stamp
from support.pictures import png_bytes
from support.watching import WatchedStudio, watched_studio


@pytest.fixture
def place(tmp_path: Path) -> Iterator[WatchedStudio]:
    place = watched_studio(tmp_path)
    yield place
    place.database.dispose()


def _put(place: WatchedStudio, relative: str) -> Path:
    path = place.show / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png_bytes(relative))
    return path


@pytest.mark.parametrize(
    ("relative", "outcome", "said"),
    [
        ("port/sq01/c001/layout/c001_bg_v001.png", Outcome.SETTLING, "not judged yet"),
        ("port/sq01/c001/layout/c001.png", Outcome.MISPLACED, "_{name}_v{version:03d}.{ext}"),
        ("port/sq01/c001/layout/c002_bg_v001.png", Outcome.MISPLACED, "{shot} is 'c001'"),
        ("port/sq01/c001/layout/c001_bg_v001.kra", Outcome.MISPLACED, "watch.extensions"),
        ("port/sq01/c001/comp/c001_bg_v001.png", Outcome.LEFT_ALONE, "'comp' stands where"),
        ("port/c001.png", Outcome.LEFT_ALONE, "The file itself stands where"),
        ("port/a/b/layout/d/e.png", Outcome.LEFT_ALONE, "'d' stands where"),
        ("port/sq01/c001/layout/~$c001_bg_v001.png", Outcome.IGNORED, "'~$*'"),
        ("port/.trash/c001_bg_v001.png", Outcome.IGNORED, "'.trash'"),
        (
            "port/s/c1/background/summer_day/v001/c1_bg_summer_day_v001.png",
            Outcome.OWN,
            "published it",
        ),
    ],
)
def test_a_file_is_explained_by_the_first_thing_that_keeps_it_out(
    place: WatchedStudio, relative: str, outcome: Outcome, said: str
) -> None:
    found = explain(_put(place, relative), place.settings, place.database)

    assert (found.outcome, found.jobs) == (outcome, ())
    assert said in found.message


def test_a_taken_file_names_its_source_and_a_damaged_one_its_reason(place: WatchedStudio) -> None:
    good = _put(place, "port/sq01/c001/layout/c001_bg_v001.png")
    bad = _put(place, "port/sq01/c002/layout/c002_bg_v001.png")
    bad.write_bytes(b"no picture")
    Watcher(place.settings, place.database).scan_once()

    taken = explain(good, place.settings, place.database)
    refused = explain(bad, place.settings, place.database)

    assert (taken.outcome, taken.source) == (Outcome.TAKEN, "watch")
    assert refused.outcome is Outcome.REFUSED
    assert [job.state for job in refused.jobs] == ["dead"]
    bad.write_bytes(png_bytes("whole"))
    assert explain(bad, place.settings, place.database).outcome is Outcome.SETTLING


def test_what_is_no_file_of_the_tree_is_said(place: WatchedStudio, tmp_path: Path) -> None:
    outside = tmp_path / "outside.png"
    outside.write_bytes(png_bytes("outside"))
    link = place.show / "port/sq01/c001/layout/c001_bg_v001.png"
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)

    def outcome(path: Path) -> Outcome:
        return explain(path, place.settings, place.database).outcome

    assert outcome(outside) is Outcome.ELSEWHERE
    assert outcome(link) is Outcome.NO_FILE
    assert outcome(link.parent) is Outcome.NO_FILE
    assert outcome(link.with_name("nothing.png")) is Outcome.MISSING
    assert outcome(Path(os.path.relpath(link))) is Outcome.NO_FILE


@pytest.mark.parametrize(
    ("template", "folder", "name", "near"),
    [
        ("{project}/{cut}/layout/{cut}.{ext}", "port/c1/layout", "x.png", True),
        ("{project}/{cut}/{cut}_v{version}.{ext}", "port/c1", "c1 final.png", True),
        ("{project}/{shot}/{shot}_v{version}.{ext}", "port/refs", "sky.png", False),
        ("{project}_{shot}_v{version}.{ext}", "", "sky.png", False),
        ("{project}/{shot}/{name}_v{version}.{ext}", "port/refs", "sky.png", False),
        ("LO/{shot}_{name}.{ext}", "LO", "c1.png", True),
        ("LO/{shot}_{name}.{ext}", "LO/old", "c1.png", False),
    ],
)
def test_only_the_folder_of_layouts_makes_a_wrong_name_a_near_one(
    template: str, folder: str, name: str, near: bool
) -> None:
    watch = Watch(folders=(WatchFolder(path=Path("/show"), template=template),))
    [root] = watched_roots(watch, "1 0 0:1 / / rw - ext4 none rw")

    fits = folder_fits(root, f"/show/{folder}".rstrip("/"))

    assert any(fit.near(name) for fit in fits) is near


class _BrokenRule:
    text = "the studio's own"

    def match(self, relative: str, /) -> dict[str, str]:
        raise ZeroDivisionError(relative)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (_BrokenRule(), 'The naming rule "the studio\'s own" failed'),
        (PathTemplate("{sequence}/{name}.{ext}"), "gives no project and shot"),
    ],
)
def test_a_rule_that_reads_a_path_in_vain_is_said_and_not_left_alone(
    tmp_path: Path, rule: NamingRule, said: str
) -> None:
    root = WatchedRoot(path=str(tmp_path), rules=(rule,), native=True, settle=0.1)
    names = LayoutNames(extensions=("png",), ignore=())
    stamp = Stamp(1, 2, 3)
    listing = Listing(folder=f"{tmp_path}/sq01", files={"c001.png": stamp}, others=())
    left = LeftAlone(names, Outputs(Storage(roots=(StorageRoot(name="a", path=tmp_path),))))

    assert list(left.sort(root, listing, {}, lambda _: stamp)) == [("c001.png", stamp)]
    assert said in misfit(root, f"{tmp_path}/sq01/c001.png", names)
