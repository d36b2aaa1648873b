"""What people say of versions wakes the reviewer, together with the cursor that moves past it."""

from collections.abc import Generator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from haikei.database import reading, review_wakes, utc_now
from haikei.errors import TrackerUnavailable
from haikei.images import Inspector
from support.watching import FollowingStudio, following_studio, poll_all

STATUS = "sg_status_list"


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
    studio.feed.write("Shotgun_Version_Change", entity=11, attribute=STATUS)
    studio.feed.write("Shotgun_Version_Change", entity=12, attribute="description")
    studio.feed.write("Shotgun_Version_Change", entity=13, attribute=STATUS, in_create=True)
    studio.feed.write("Shotgun_Version_Change", entity=14, attribute=STATUS, by_us=True)
    studio.feed.write("Shotgun_Version_New", entity=15)
    studio.feed.write("Shotgun_Version_Change", attribute=STATUS)

    poll_all(studio.follower())

    assert woken(studio) == {11: "event_log"}
    assert "discussed" not in studio.feed.calls


def test_notes_and_replies_wake_what_they_are_about_in_one_call(studio: FollowingStudio) -> None:
    studio.feed.talk = {("Note", 5): (21, 22), ("Reply", 5): (23,), ("Note", 7): (24,)}
    studio.feed.write("Shotgun_Note_New", entity=5)
    studio.feed.write("Shotgun_Note_Change", entity=5, attribute="content")
    studio.feed.write("Shotgun_Reply_New", entity=5)
    studio.feed.write("Shotgun_Note_New", entity=6)  # retired, or of no version
    studio.feed.write("Shotgun_Note_New", entity=7, by_us=True)
    studio.feed.write("Shotgun_Note_Retirement", entity=7)

    poll_all(studio.follower())

    assert sorted(woken(studio)) == [21, 22, 23]
    assert studio.feed.calls.count("discussed") == 1


def test_what_was_said_before_the_first_start_wakes_nobody(studio: FollowingStudio) -> None:
    long_ago = utc_now() - timedelta(days=3)

    studio.feed.write("Shotgun_Version_Change", entity=11, attribute=STATUS, at=long_ago)
    poll_all(studio.follower())

    assert woken(studio) == {}


def test_a_note_is_not_lost_when_the_site_goes_away_before_it_is_read(
    studio: FollowingStudio,
) -> None:
    studio.feed.talk = {("Note", 5): (21,)}
    studio.feed.write("Shotgun_Note_New", entity=5)

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
    studio.feed.talk = {("Note", 5): (21,)}
    studio.feed.write("Shotgun_Version_Change", entity=11, attribute=STATUS, elsewhere=True)
    studio.feed.write("Shotgun_Note_New", entity=5, elsewhere=True)
    studio.feed.write("Shotgun_PublishedFile_New", entity=7, elsewhere=True)
    studio.feed.write("Shotgun_Version_Change", entity=12, attribute=STATUS)

    poll_all(studio.follower())

    assert woken(studio) == {12: "event_log"}
    assert not {"discussed", "layouts"} & set(studio.feed.calls)
