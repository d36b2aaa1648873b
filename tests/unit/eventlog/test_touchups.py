"""Touch-ups that the tracker tells of are the ones that a watcher sees, and know more."""

from collections.abc import Generator
from pathlib import Path

import pytest

from haikei.credits import Person
from haikei.database import reading, utc_now
from haikei.events import TouchUpPublished
from haikei.images import Inspector
from haikei.jobs import receive, undispatched
from haikei.settings import Settings, TouchUpFolder
from haikei.sources.watch.file_table import approve
from haikei.sources.watch.root import watched_roots
from haikei.sources.watch.scan import Stamp
from haikei.trackers.contract.feed import PaintOver
from support.pictures import png_bytes
from support.watching import FollowingStudio, following_studio, poll_all

SAKURA = Person(id="HumanUser:21", name="Sakura Ito")
KNOWN = PaintOver(artists=(SAKURA,), source="PublishedFile:9 created_by", versions=(31,))


@pytest.fixture(scope="module")
def inspector() -> Generator[Inspector]:
    with Inspector() as one:
        yield one


@pytest.fixture
def studio(tmp_path: Path, inspector: Inspector) -> Generator[FollowingStudio]:
    with following_studio(tmp_path, inspector=inspector) as one:
        folder = TouchUpFolder(path=one.root)
        watch = one.settings.watch.model_copy(update={"touch_ups": (folder,)})
        one.settings = one.settings.model_copy(update={"watch": watch})
        poll_all(one.follower())
        yield one


def painted(studio: FollowingStudio, name: str = "c001_bg_summer_day_v003_sakura.png") -> Path:
    path = studio.root / "PORT/s01/c001/touchup" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png_bytes(name))
    return path


def seen_by_watcher(settings: Settings, path: Path, sha256: str) -> TouchUpPublished:
    (root,) = watched_roots(settings.watch, "1 0 0:1 / / rw - ext4 none rw")
    verdict = approve(root, str(path), Stamp(1, 2, 3), sha256, now=utc_now())
    assert isinstance(verdict.event, TouchUpPublished)
    return verdict.event


def waiting(studio: FollowingStudio) -> list[TouchUpPublished]:
    with reading(studio.database) as connection:
        found = undispatched(connection, 10)
    return [event for event in found if isinstance(event, TouchUpPublished)]


def test_both_sources_tell_of_one_event_and_what_the_tracker_knows_stands(
    studio: FollowingStudio,
) -> None:
    path = painted(studio)
    sha256 = studio.inspector.inspect([path])[0].sha256
    watched = seen_by_watcher(studio.settings, path, sha256)
    with studio.database.begin() as connection:
        assert receive(connection, watched)
    row = studio.feed.of_shot(str(path), shot="c001", painted=KNOWN)

    results = poll_all(studio.follower())

    assert sum(result.layouts for result in results) == 0
    (event,) = waiting(studio)
    assert event.key == watched.key
    assert (event.artists, event.versions, event.published_file) == ((SAKURA,), (31,), row)
    assert (event.season, event.time, event.version) == ("summer", "day", 3)
    assert event.artist_name == "sakura"
    with studio.database.begin() as connection:
        assert not receive(connection, watched)
    assert waiting(studio) == [event]


def test_a_touch_up_outside_of_the_folders_belongs_to_the_shot_of_its_row(
    studio: FollowingStudio,
) -> None:
    path = studio.root / "anywhere.png"
    path.write_bytes(png_bytes("anywhere"))
    studio.feed.of_shot(str(path), shot="c002", painted=KNOWN)

    poll_all(studio.follower())

    (event,) = waiting(studio)
    assert (event.place.shot, event.version, event.artist_name) == ("c002", None, "")


def test_a_layout_in_the_layouts_place_is_still_a_layout(studio: FollowingStudio) -> None:
    studio.feed.of_shot(str(studio.draw("c001")))

    poll_all(studio.follower())

    assert waiting(studio) == []
    assert len(studio.announced()) == 1
