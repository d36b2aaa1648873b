"""Rows that are not ready are read again; what will never be a layout says why."""

from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from haikei.database import reading, utc_now
from haikei.errors import TrackerUnavailable
from haikei.events import LayoutPublished
from haikei.images import Inspector
from haikei.jobs import JobState, JobStore, undispatched
from haikei.settings import Watch, WatchFolder
from haikei.sources.eventlog import Follower
from haikei.sources.watch import Outcome, Watcher, explain
from haikei.sources.watch.file_table import refuse_damaged
from haikei.sources.watch.scan import Stamp
from haikei.trackers import EventKind
from support.pictures import png_bytes
from support.watching import FollowingStudio, following_studio, poll_all


@pytest.fixture(scope="module")
def inspector() -> Generator[Inspector]:
    with Inspector() as one:
        yield one


@pytest.fixture
def studio(tmp_path: Path, inspector: Inspector) -> Generator[FollowingStudio]:
    with following_studio(tmp_path, inspector=inspector) as one:
        yield one


def wait(studio: FollowingStudio, follower: Follower, seconds: float) -> None:
    """Let the site answer for so long."""
    for _ in range(int(seconds / 20) + 1):
        studio.now += 20
        poll_all(follower)


def test_a_row_that_gets_its_path_later_is_announced(studio: FollowingStudio) -> None:
    follower = studio.follower()
    row = studio.feed.of_shot("")
    poll_all(follower)
    studio.feed.complete(row, path=str(studio.draw("c001")))

    wait(studio, follower, 40)

    assert len(studio.announced()) == 1
    assert studio.dead_letters() == []


def test_a_file_that_lands_after_its_row_is_announced(studio: FollowingStudio) -> None:
    follower = studio.follower()
    path = studio.draw("c001")
    drawing = path.read_bytes()
    path.unlink()
    studio.feed.of_shot(str(path))
    poll_all(follower)
    path.write_bytes(drawing[: len(drawing) // 3])
    wait(studio, follower, 40)
    assert studio.announced() == []
    path.write_bytes(drawing)

    wait(studio, follower, 60)

    assert len(studio.announced()) == 1
    assert studio.dead_letters() == []


def test_a_row_that_gets_its_type_later_is_announced(studio: FollowingStudio) -> None:
    follower = studio.follower()
    row = studio.feed.of_shot(str(studio.draw("c001")), typed=False)
    poll_all(follower)
    assert studio.announced() == []
    studio.feed.complete(row)

    wait(studio, follower, 40)

    assert len(studio.announced()) == 1


def test_a_row_that_never_gets_a_type_is_no_layout_and_no_failure(
    studio: FollowingStudio,
) -> None:
    follower = studio.follower()
    studio.feed.of_shot(str(studio.draw("c001")), typed=False)

    wait(studio, follower, 400)

    assert studio.announced() == []
    assert studio.dead_letters() == []
    calls = studio.feed.calls.count("layouts")
    wait(studio, follower, 40)
    assert studio.feed.calls.count("layouts") == calls


def test_a_row_that_is_retired_meanwhile_is_forgotten(studio: FollowingStudio) -> None:
    row = studio.feed.of_shot(str(studio.draw("c001")))
    studio.feed.retire(row)

    poll_all(studio.follower())

    assert studio.announced() == []
    assert studio.dead_letters() == []


@pytest.mark.parametrize(
    ("path", "kind", "reason"),
    [
        ("", "PathRefused", "no path below a storage root"),
        ("{root}/odd/drawing.png", "PlaceUnknown", "does not fit the layout template"),
        ("{root}/PORT/s01/c001/layout/c001_bg_v009.png", "ImageUnreadable", "vanished"),
        ("{root}/PORT/s01/c001/layout/c001_bad_v001.png", "ImageUnreadable", ""),
    ],
)
def test_a_row_that_is_not_ready_in_time_is_a_dead_letter_with_its_reason(
    studio: FollowingStudio, path: str, kind: str, reason: str
) -> None:
    follower = studio.follower()
    (studio.draw("c001").parent / "c001_bad_v001.png").write_bytes(b"no picture at all")
    studio.feed.of_shot(path.format(root=studio.root))
    wait(studio, follower, 200)
    assert studio.dead_letters() == []

    wait(studio, follower, 200)

    assert [found for found, _ in studio.dead_letters()] == [kind]
    assert reason in studio.dead_letters()[0][1]
    assert studio.announced() == []


def test_a_file_outside_every_root_is_a_dead_letter_at_once(
    studio: FollowingStudio, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.png"
    outside.write_bytes(studio.draw("c001").read_bytes())
    (studio.root / "link.png").symlink_to(outside)
    studio.feed.of_shot(str(outside), shot="c001")
    studio.feed.of_shot(str(studio.root / "link.png"), shot="c001")

    poll_all(studio.follower())

    assert [kind for kind, _ in studio.dead_letters()] == ["PathRefused", "PathRefused"]
    assert studio.announced() == []


def test_a_damaged_file_that_a_watcher_refused_is_no_second_dead_letter(
    studio: FollowingStudio,
) -> None:
    path = studio.draw("c001")
    path.write_bytes(b"no picture at all")
    follower = studio.follower()
    studio.feed.of_shot(str(path))
    wait(studio, follower, 400)
    found = path.stat()
    seen = refuse_damaged(
        str(path),
        Stamp(size=found.st_size, mtime_ns=found.st_mtime_ns, inode=found.st_ino),
        studio.inspector.inspect([path])[0].sha256,
        "damaged",
    )

    assert [job.key for job in JobStore(studio.database).list()] == [seen.key]


def test_a_refused_row_that_is_completed_later_is_announced(studio: FollowingStudio) -> None:
    follower = studio.follower()
    row = studio.feed.of_shot("")
    wait(studio, follower, 400)
    assert len(studio.dead_letters()) == 1
    studio.feed.complete(row, path=str(studio.draw("c001")))
    studio.feed.write(EventKind.FILE_CHANGED, row=row)

    poll_all(follower)

    assert len(studio.announced()) == 1


def test_a_dead_letter_that_is_sent_back_has_its_row_read_again(studio: FollowingStudio) -> None:
    follower = studio.follower()
    path = studio.draw("c001")
    drawing = path.read_bytes()
    path.write_bytes(b"no picture at all")
    studio.feed.of_shot(str(path))
    wait(studio, follower, 400)
    path.write_bytes(drawing)
    store = JobStore(studio.database)

    store.retry(store.list()[0].key)
    poll_all(follower)

    assert len(studio.announced()) == 1
    assert studio.dead_letters() == []


@pytest.mark.parametrize(
    ("linked", "shot"), [("c002", "c002"), ("c001", "c001"), ("S01_C001", "c001"), ("", "c001")]
)
def test_the_shot_to_which_a_row_is_linked_outranks_the_paths(
    studio: FollowingStudio, linked: str, shot: str
) -> None:
    path = studio.root / "PORT/s01/c001/layout/c001_bg_v003.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(png_bytes("c001"))
    follower = studio.follower()
    studio.feed.of_shot(str(path), shot=linked)

    poll_all(follower)

    with reading(studio.database) as connection:
        (event,) = undispatched(connection, 10)
    assert isinstance(event, LayoutPublished)
    assert (event.place.shot, event.name, event.version) == (shot, "bg", 3)


def test_a_file_that_the_watcher_took_is_not_refused_for_its_row(
    studio: FollowingStudio,
) -> None:
    path = studio.root / "drawings/c001.png"
    path.parent.mkdir()
    path.write_bytes(png_bytes("c001"))
    watched = studio.settings.model_copy(
        update={
            "watch": Watch(
                folders=(WatchFolder(path=studio.root, template="{project}/{shot}.{ext}"),),
                settle=0.0,
            )
        }
    )
    follower = studio.follower()
    studio.feed.of_shot(str(path))
    assert Watcher(watched, studio.database).scan_once() == 1

    wait(studio, follower, 400)
    entries = list(follower.backfill(utc_now() - timedelta(days=1), utc_now(), dry_run=False))

    assert studio.dead_letters() == []
    assert [entry.outcome for entry in entries] == ["known"]
    assert studio.sources() == ["watch"]


def test_a_dead_letter_goes_when_another_source_takes_the_file(studio: FollowingStudio) -> None:
    path = studio.root / "drawings/c001.png"
    path.parent.mkdir()
    path.write_bytes(png_bytes("c001"))
    follower = studio.follower()
    row = studio.feed.of_shot(str(path))
    wait(studio, follower, 400)
    assert [kind for kind, _ in studio.dead_letters()] == ["PlaceUnknown"]
    known = studio.feed.rows[row]
    studio.feed.rows[row] = replace(known, project="PORT", sequence="s01", shot="c001")
    studio.feed.write(EventKind.FILE_CHANGED, row=row)

    poll_all(follower)

    assert len(studio.announced()) == 1
    assert JobStore(studio.database).list(states=(JobState.DEAD,)) == []
    said = explain(path, studio.settings, studio.database)
    assert (said.outcome, said.source) == (Outcome.TAKEN, "event_log")
    assert "The watcher does not take it" in said.message


def test_rows_are_kept_when_the_site_goes_away_before_they_are_read(
    studio: FollowingStudio,
) -> None:
    follower = studio.follower()
    poll_all(follower)
    studio.feed.of_shot(str(studio.draw("c001")))

    def fail(call: str) -> None:
        if call == "layouts":
            raise TrackerUnavailable("The site is away.")

    studio.feed.before_each_call = fail
    with pytest.raises(TrackerUnavailable):
        poll_all(follower)
    studio.feed.before_each_call = lambda _: None
    poll_all(studio.follower())

    assert len(studio.announced()) == 1


def test_a_backfill_announces_what_the_follower_would_and_nothing_twice(
    studio: FollowingStudio,
) -> None:
    long_ago = utc_now() - timedelta(days=30)
    paths = [studio.draw(f"c{index:03d}") for index in range(3)]
    for path in paths:
        studio.feed.of_shot(str(path), at=long_ago, silent=True)
    studio.feed.of_shot(str(paths[0]), at=utc_now())
    bad = studio.draw("c009")
    bad.write_bytes(b"no picture at all")
    studio.feed.of_shot(str(bad), at=long_ago, silent=True)
    follower = studio.follower()
    poll_all(follower)
    assert len(studio.announced()) == 1
    day = timedelta(days=1)

    dry = list(follower.backfill(long_ago - day, long_ago + day, dry_run=True))
    assert len(studio.announced()) == 1
    assert studio.dead_letters() == []
    real = list(follower.backfill(long_ago - day, long_ago + day, dry_run=False))
    again = list(follower.backfill(long_ago - day, long_ago + day, dry_run=False))

    assert [entry.outcome for entry in dry] == ["known", "new", "new", "refused"]
    assert [(entry.path, entry.outcome) for entry in real] == [
        (entry.path, entry.outcome) for entry in dry
    ]
    assert {entry.outcome for entry in again} == {"known"}
    assert len(studio.announced()) == 3
    assert studio.sources() == ["event_log", "backfill", "backfill"]
    assert [kind for kind, _ in studio.dead_letters()] == ["ImageUnreadable"]
    assert real[3].reason
    assert [entry.event.key for entry in real[1:3] if entry.event] == studio.announced()[1:]


def test_a_backfill_leaves_rows_without_a_type_alone(studio: FollowingStudio) -> None:
    row = studio.feed.of_shot("", typed=False)
    now = utc_now()
    assert studio.feed.layouts([row])

    entries = studio.follower().backfill(now - timedelta(days=1), now, dry_run=False)

    assert list(entries) == []
