"""Refusals heal when the file moves or the setting changes; a newer save replaces a job."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert

from haikei.database import files
from haikei.events import LayoutPublished, Source
from haikei.files import sha256_of
from haikei.generators import ProgressCallback
from haikei.jobs import Job, JobState
from haikei.jobs.engine import Dispatcher
from haikei.jobs.healing import heal, unplaced
from haikei.show import Place
from haikei.trackers import PublishRequest, PublishResult
from support.jobs import JobStudio, OpenJobStudio, announce, job_studios, put_layout


@pytest.fixture
def open_studio(tmp_path: Path) -> Iterator[OpenJobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)


@pytest.fixture
def studio(open_studio: OpenJobStudio) -> JobStudio:
    return open_studio()


def _states(studio: JobStudio) -> list[str]:
    """Return the states of all jobs, the oldest first."""
    return [job.state.value for job in reversed(studio.store.list())]


def _superseded(studio: JobStudio) -> list[Job]:
    return [job for job in studio.store.list() if job.error_kind == "Superseded"]


def _saved_again(studio: JobStudio, shade: float) -> LayoutPublished:
    return put_layout(studio.settings, shade=shade)


def test_a_second_save_replaces_a_job_that_waits(studio: JobStudio) -> None:
    announce(studio.database, put_layout(studio.settings))
    studio.dispatcher.tick()
    announce(studio.database, _saved_again(studio, 0.2))

    studio.work()

    assert _states(studio) == ["skipped", "done"]
    assert [job.error for job in _superseded(studio)] == [""]


def test_a_second_save_replaces_a_job_whose_picture_is_being_made(studio: JobStudio) -> None:
    def save(stage: str, _progress: ProgressCallback) -> None:
        if stage == "gen1" and len(studio.store.list()) == 1:
            announce(studio.database, _saved_again(studio, 0.2))
            studio.dispatcher.take_events()

    studio.generator.before = save

    studio.publish()

    assert _states(studio) == ["skipped", "done"]
    assert len(studio.tracker.published) == 1


def test_a_job_that_publishes_already_is_finished_beside_the_newer_one(studio: JobStudio) -> None:
    publish = studio.tracker.publish
    saved: list[LayoutPublished] = []

    def save_and_publish(request: PublishRequest) -> PublishResult:
        if not saved:
            saved.append(_saved_again(studio, 0.2))
            announce(studio.database, *saved)
            studio.dispatcher.take_events()
        return publish(request)

    studio.tracker.publish = save_and_publish  # type: ignore[method-assign]

    studio.publish()

    assert _states(studio) == ["done", "done"]


def test_what_was_saved_back_is_made_after_all(studio: JobStudio) -> None:
    first = put_layout(studio.settings)
    announce(studio.database, first)
    studio.dispatcher.tick()
    announce(studio.database, _saved_again(studio, 0.2))
    studio.dispatcher.tick()
    again = put_layout(studio.settings)
    assert again.sha256 == first.sha256
    announce(studio.database, again)

    studio.work()

    assert _states(studio) == ["done", "skipped"]
    assert studio.store.list()[1].run == 2


def test_two_saves_that_wait_together_become_the_newer_one(studio: JobStudio) -> None:
    announce(studio.database, put_layout(studio.settings))
    announce(studio.database, _saved_again(studio, 0.2))

    studio.work()

    assert _states(studio) == ["skipped", "done"]


def test_a_dead_letter_for_its_place_goes_when_its_file_is_moved(studio: JobStudio) -> None:
    studio.tracker.unknown_shots = frozenset({"c001"})
    event = put_layout(studio.settings)
    announce(studio.database, event)
    studio.work()
    assert _states(studio) == ["dead"]
    right = event.layout.parents[1].with_name("c002") / "layout" / "c002_bg_v001.png"
    right.parent.mkdir(parents=True)
    event.layout.rename(right)
    announce(
        studio.database,
        replace(event, layout=right, place=Place(project="PORT", sequence="s01", shot="c002")),
    )

    studio.work()

    assert _states(studio) == ["skipped", "done"]
    assert str(right) in _superseded(studio)[0].note


def test_a_copy_elsewhere_takes_no_dead_letter_along(studio: JobStudio) -> None:
    studio.tracker.unknown_shots = frozenset({"c001"})
    event = put_layout(studio.settings)
    announce(studio.database, event)
    studio.work()
    announce(
        studio.database,
        replace(
            event, place=Place(project="PORT", sequence="s01", shot="c002"), layout=_copy(event)
        ),
    )

    studio.work()

    assert _states(studio) == ["dead", "done"]


def _copy(event: LayoutPublished) -> Path:
    copy = event.layout.with_name("c002_bg_v001.png")
    copy.write_bytes(event.layout.read_bytes())
    return copy


def test_a_file_that_vanished_goes_on_from_its_new_name(studio: JobStudio) -> None:
    event = put_layout(studio.settings)
    moved = event.layout.with_name("c001_bg_v002.png")
    event.layout.rename(moved)
    announce(studio.database, event)
    studio.work()
    dead = studio.store.get(studio.key)
    assert (dead.state, dead.error_kind) == (JobState.DEAD, "LayoutChanged")

    announce(studio.database, replace(event, layout=moved, version=2))
    studio.work()

    done = studio.store.get(studio.key)
    assert (done.state, done.run, done.layout) == (JobState.DONE, 2, str(moved))


def test_a_retry_asks_the_settings_of_today(open_studio: OpenJobStudio) -> None:
    before = open_studio(routes=[{"project": "OTHER", "recipe": "flat"}])
    announce(before.database, put_layout(before.settings))
    before.work()
    (dead,) = before.store.list()
    assert dead.state is JobState.DEAD
    today = open_studio(routes=[{"recipe": "flat", "priority": 7}])

    today.store.retry(dead.key)
    today.work()

    (done,) = today.store.list()
    assert (done.state, done.priority) == (JobState.DONE, 7)


def test_a_retry_makes_the_recipe_that_the_settings_ask_for_now(open_studio: OpenJobStudio) -> None:
    before = open_studio()
    before.tracker.unknown_shots = frozenset({"c001"})
    dead = before.publish()
    recipes = {
        "other": {"stages": [{"name": "gen1", "generator": "flat", "options": {"level": 1}}]}
    }
    today = open_studio(recipes=recipes, routes=[{"recipe": "other"}])

    today.store.retry(dead)
    today.work()

    assert today.store.get(dead).error_kind == "Superseded"
    (done,) = today.store.list(states=(JobState.DONE,))
    assert done.recipe == "other"


def test_changed_settings_have_refusals_for_place_tried_again_once(
    open_studio: OpenJobStudio,
) -> None:
    before = open_studio(routes=[{"project": "OTHER", "recipe": "flat"}])
    before.tracker.unknown_shots = frozenset({"c002"})
    announce(before.database, put_layout(before.settings))
    before.work()
    assert heal(before.settings, before.database) == 0
    today = open_studio()

    assert heal(today.settings, today.database) == 1
    assert heal(today.settings, today.database) == 0
    today.work()

    assert _states(today) == ["done"]


def test_what_a_person_took_away_is_not_announced_anew_by_other_settings(
    studio: JobStudio,
) -> None:
    studio.tracker.unknown_shots = frozenset({"c001"})
    event = put_layout(studio.settings)
    announce(studio.database, event)
    studio.work()
    with studio.database.begin() as connection:
        assert unplaced(connection, {event.key}) == {event.key}

    studio.store.skip(studio.store.list()[0].key, "a test scan")

    with studio.database.begin() as connection:
        assert unplaced(connection, {event.key}) == set()


def test_one_file_that_two_sources_place_otherwise_is_one_job(studio: JobStudio) -> None:
    seen = put_layout(studio.settings)
    linked = replace(
        seen,
        place=Place(project="PORT", sequence="s01", shot="PORT_c001"),
        published_file=12,
        source=Source.EVENT_LOG,
    )
    announce(studio.database, seen, linked)

    studio.work()

    assert _states(studio) == ["skipped", "done"]
    assert studio.store.list(states=(JobState.DONE,))[0].place.shot == "PORT_c001"


@pytest.mark.parametrize("worked", [False, True], ids=["together", "a version by then"])
def test_a_file_that_the_tracker_placed_first_stays_its_shots_when_a_watcher_sees_it(
    studio: JobStudio, *, worked: bool
) -> None:
    seen = put_layout(studio.settings)
    there = Place(project="PORT", sequence="s01", shot="c002")
    linked = replace(seen, place=there, published_file=12, source=Source.EVENT_LOG)
    announce(studio.database, linked)
    if worked:
        studio.work()

    announce(studio.database, seen)
    studio.work()

    assert [one.place.shot for one in studio.store.list()] == ["c002"]
    assert _states(studio) == ["done"]


def test_a_version_of_a_watched_file_is_not_made_again_for_its_row(studio: JobStudio) -> None:
    seen = put_layout(studio.settings)
    announce(studio.database, seen)
    studio.work()
    with studio.database.begin() as connection:
        connection.execute(
            insert(files).values(
                path=str(seen.layout),
                size=1,
                mtime_ns=1,
                inode=1,
                sha256=seen.sha256,
                state="published",
                event_key=seen.key,
                seen_at=seen.at,
            )
        )
    there = replace(seen.place, shot="PORT_c001")
    announce(studio.database, replace(seen, place=there, published_file=12))

    studio.work()

    assert _states(studio) == ["done"]


def test_a_file_that_was_saved_again_outside_of_watched_folders_is_announced_by_its_job(
    studio: JobStudio,
) -> None:
    event = put_layout(studio.settings)
    announce(studio.database, replace(event, published_file=12, source=Source.EVENT_LOG))
    studio.dispatcher.tick()
    now = sha256_of(_saved_again(studio, 0.2).layout)

    studio.work()

    assert _states(studio) == ["skipped", "done"]
    assert now != event.sha256
    dispatcher = Dispatcher(studio.settings, studio.database, studio.engine, ahead=9)
    assert dispatcher.take_events() == 0
