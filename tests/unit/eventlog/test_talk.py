"""What people say of versions wakes the reviewer, together with the cursor that moves past it."""

from collections.abc import Generator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from haikei.database import reading, review_wakes, utc_now
from haikei.errors import TrackerUnavailable
from haikei.images import Inspector
from haikei.trackers import EventKind
from support.watching import FollowingStudio, following_studio, poll_all


@pytest.fixture(scope="module")
def inspector() -> Generator[Inspector]:
    with Inspector() as one:
        yield one


@pytest.fixture
def studio(tmp_path: Path, inspector: Inspector) -> Generator[FollowingStudio]:
    with following_studio(tmp_path, inspector=inspector) as one:
        poll_all(one.follower())
        yield one


def woken(studio: FollowingStudio) -> dict[int, str]:
    with reading(studio.database) as connection:
        rows = connection.execute(select(review_wakes.c.version_id, review_wakes.c.source))
        return {row.version_id: row.source for row in rows}


def test_a_status_that_somebody_set_wakes_its_version(studio: FollowingStudio) -> None:
    studio.feed.write(EventKind.VERSION_CHANGED, row=11)
    studio.feed.write(EventKind.VERSION_CHANGED, row=14, by_us=True)
    studio.feed.write(row=15)
    studio.feed.write(EventKind.VERSION_CHANGED)

    poll_all(studio.follower())

    assert woken(studio) == {11: "event_log"}
    assert "discussed" not in studio.feed.calls


def test_notes_and_replies_wake_what_they_are_about_in_one_call(studio: FollowingStudio) -> None:
    studio.feed.discussions = {("Note", 5): (21, 22), ("Reply", 5): (23,), ("Note", 7): (24,)}
    studio.feed.write(EventKind.NOTE_CHANGED, row=5)
    studio.feed.write(EventKind.NOTE_CHANGED, row=5)
    studio.feed.write(EventKind.REPLY_CHANGED, row=5)
    studio.feed.write(EventKind.NOTE_CHANGED, row=6)  # retired, or of no version
    studio.feed.write(EventKind.NOTE_CHANGED, row=7, by_us=True)
    studio.feed.write(row=7)

    poll_all(studio.follower())

    assert sorted(woken(studio)) == [21, 22, 23]
    assert studio.feed.calls.count("discussed") == 1


def test_what_was_said_before_the_first_start_wakes_nobody(studio: FollowingStudio) -> None:
    long_ago = utc_now() - timedelta(days=3)

    studio.feed.write(EventKind.VERSION_CHANGED, row=11, at=long_ago)
    poll_all(studio.follower())

    assert woken(studio) == {}


def test_a_note_is_not_lost_when_the_site_goes_away_before_it_is_read(
    studio: FollowingStudio,
) -> None:
    studio.feed.discussions = {("Note", 5): (21,)}
    studio.feed.write(EventKind.NOTE_CHANGED, row=5)

    def fail(name: str) -> None:
        if name == "discussed":
            raise TrackerUnavailable("no answer")

    studio.feed.before_each_call = fail
    with pytest.raises(TrackerUnavailable):
        poll_all(studio.follower())
    assert woken(studio) == {}
    studio.feed.before_each_call = lambda _: None

    poll_all(studio.follower())

    assert woken(studio) == {21: "event_log"}


def test_what_is_said_in_projects_that_are_not_heeded_wakes_nobody(studio: FollowingStudio) -> None:
    studio.feed.discussions = {("Note", 5): (21,)}
    studio.feed.write(EventKind.VERSION_CHANGED, row=11, elsewhere=True)
    studio.feed.write(EventKind.NOTE_CHANGED, row=5, elsewhere=True)
    studio.feed.write(EventKind.FILE_PUBLISHED, row=7, elsewhere=True)
    studio.feed.write(EventKind.VERSION_CHANGED, row=12)

    poll_all(studio.follower())

    assert woken(studio) == {12: "event_log"}
    assert not {"discussed", "layouts"} & set(studio.feed.calls)
