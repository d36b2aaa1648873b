"""A job goes from event to Version in steps; cut anywhere, it resumes and does nothing twice."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import select

from haikei.credits import SourceType
from haikei.database import image_records, ledger
from haikei.errors import TrackerRejected, TrackerUnavailable
from haikei.generators import ProgressCallback
from haikei.images import read_picture
from haikei.jobs import JobState, Step
from haikei.jobs.progress import WorkerStopping
from haikei.ledger import entry, verify
from support.house import House, OpenHouse, opening
from support.jobs import Killed, announce, put_layout
from support.tracker import MemoryTracker


@pytest.fixture
def open_house(tmp_path: Path) -> Iterator[OpenHouse]:
    with ExitStack() as stack:
        yield opening(stack, tmp_path)


@pytest.fixture
def house(open_house: OpenHouse) -> House:
    return open_house()


def test_a_layout_becomes_a_version_in_review_with_files_credits_and_records(house: House) -> None:
    key = house.publish()

    job = house.store.get(key)
    assert (job.state, job.progress, job.error) == (JobState.DONE, 1.0, "")
    assert job.version_code == "c001_bg_summer_day_v001"
    request = house.tracker.published[key]
    assert [image.type for image in request.images] == ["Background", "Background Stage"]
    assert request.credit_en == (
        "Background: Layout Aoi Sato · Painting algorithm Flat 1 (run by pipeline)"
    )
    assert "佐藤葵" in request.credit_ja
    assert request.source_type == "algorithmicMedia"
    assert [path.name for path in house.files] == [
        "c001_bg_summer_day_v001.png",
        "c001_bg_summer_day_v001.png.json",
        "c001_bg_summer_day_v001_gen1.png",
        "c001_bg_summer_day_v001_layout.png",
    ]
    with house.database.begin() as connection:
        assert verify(connection) == 3
        kinds = connection.execute(select(image_records.c.kind)).scalars().all()
    assert sorted(kinds) == ["background", "generation", "layout"]


def test_the_sealed_record_is_the_one_the_version_names(house: House) -> None:
    key = house.publish()

    with house.database.begin() as connection:
        sealed = connection.execute(
            select(ledger.c.payload).where(ledger.c.key == f"{key}/background")
        ).scalar_one()
    digest = hashlib.sha256(sealed.encode()).hexdigest()
    request = house.tracker.published[key]
    assert digest == request.record_sha256
    assert request.record_link.endswith("/c001_bg_summer_day_v001.png.json")
    with house.database.begin() as connection:
        assert entry(connection, request.ledger_index or 0).payload == sealed
    record = json.loads(sealed)
    assert record["sha256"] == hashlib.sha256(house.files[0].read_bytes()).hexdigest()
    assert record["pixels_sha256"] == read_picture(house.files[0]).sha256()


@pytest.mark.parametrize("step", [step for step in Step if step not in {Step.DETECT, Step.TAKE_IN}])
def test_a_kill_between_effect_and_checkpoint_of_any_step_makes_nothing_twice(
    house: House, step: Step
) -> None:
    house.engine.cut = step.value

    key = house.publish()

    assert house.store.get(key).state is JobState.DONE
    assert house.generator.made == ["gen1", "gen2"]
    assert len(house.tracker.published) == 1
    assert len(house.files) == 4
    with house.database.begin() as connection:
        assert verify(connection) == 3


def test_variants_of_one_layout_share_its_record(open_house: OpenHouse) -> None:
    variants = [{"season": "summer"}, {"season": "winter", "time": "night"}]
    house = open_house(routes=[{"recipe": "flat", "variants": variants}])

    house.publish()

    assert house.store.counts()[JobState.DONE] == 2
    with house.database.begin() as connection:
        assert verify(connection) == 5


def test_an_error_that_can_pass_is_tried_again(house: House) -> None:
    house.tracker.failures = [TrackerUnavailable("maintenance"), TrackerUnavailable("maintenance")]

    key = house.publish()

    assert house.store.get(key).state is JobState.DONE


def test_an_error_that_does_not_pass_is_a_dead_letter_after_its_tries(house: House) -> None:
    house.tracker.failures = [TrackerUnavailable("maintenance") for _ in range(3)]

    job = house.store.get(house.publish())

    assert (job.state, job.step, job.attempts) == (JobState.DEAD, Step.COLLECT, 3)
    assert (job.error, job.error_kind) == ("maintenance", "TrackerUnavailable")


def test_an_error_that_cannot_pass_is_a_dead_letter_at_once(house: House) -> None:
    house.tracker.unknown_shots = frozenset({"c001"})

    job = house.store.get(house.publish())

    assert (job.state, job.error_kind, job.attempts) == (JobState.DEAD, "PlaceUnknown", 1)
    assert house.tracker.calls == 1


def test_an_unforeseen_error_is_a_dead_letter_with_its_name(house: House) -> None:
    house.tracker.failures = [ZeroDivisionError("division by zero")]

    job = house.store.get(house.publish())

    assert (job.state, job.error_kind) == (JobState.DEAD, "ZeroDivisionError")
    assert "division by zero" in job.error


def test_a_retried_job_uses_the_pictures_that_it_had_made(house: House) -> None:
    answers: list[Exception] = [TrackerRejected("no such status")]
    house.generator.before = lambda stage, _: (
        house.tracker.failures.extend(answers) if stage == "gen2" else None
    )
    key = house.publish()
    assert house.store.get(key).step is Step.INTEGRATE
    before = [path.read_bytes() for path in house.files]

    house.store.retry(key)
    house.work()

    assert house.store.get(key).state is JobState.DONE
    assert house.store.get(key).run == 2
    assert house.generator.made == ["gen1", "gen2"]
    assert [path.read_bytes() for path in house.files] == before


def test_a_retry_publishes_the_same_bytes_though_the_artist_changed(house: House) -> None:
    house.generator.before = lambda stage, _: (
        house.tracker.failures.append(TrackerRejected("no")) if stage == "gen2" else None
    )
    key = house.publish()
    house.tracker.artists = (*MemoryTracker().artists, *MemoryTracker().artists)

    house.store.retry(key)
    house.work()

    assert house.store.get(key).state is JobState.DONE


def test_the_folder_of_a_done_job_is_removed_and_that_of_a_dead_one_kept(house: House) -> None:
    done = house.publish("c001")
    house.generator.before = lambda _stage, _progress: house.tracker.failures.append(
        TrackerRejected("no")
    )
    dead = house.publish("c002")

    assert not house.tools.folder(done).exists()
    assert house.tools.folder(dead).is_dir()


def test_a_waiting_job_that_is_cancelled_never_runs(house: House) -> None:
    announce(house.database, put_layout(house.settings))
    house.dispatcher.tick()
    key = house.store.list()[0].key

    house.store.cancel(key)
    house.work()

    assert house.store.get(key).state is JobState.CANCELLED
    assert house.tracker.calls == 0


def test_a_job_that_is_cancelled_while_it_generates_stops_there(house: House) -> None:
    def cancel(stage: str, progress: ProgressCallback) -> None:
        house.store.cancel(house.store.list()[0].key)
        house.tools.stop.wait(0.25)

    house.generator.before = cancel

    key = house.publish()

    assert house.store.get(key).state is JobState.CANCELLED
    assert house.generator.made == []


def test_a_job_that_is_cancelled_between_steps_stops_at_the_next(house: House) -> None:
    def cancel(stage: str, progress: ProgressCallback) -> None:
        if stage == "gen2":
            house.store.cancel(house.store.list()[0].key)

    house.generator.before = cancel

    key = house.publish()

    assert house.store.get(key).state is JobState.CANCELLED
    assert house.files == []


def test_a_cancelled_job_can_be_tried_again(house: House) -> None:
    announce(house.database, put_layout(house.settings))
    house.dispatcher.tick()
    key = house.store.list()[0].key
    house.store.cancel(key)
    house.work()

    house.store.retry(key)
    house.work()

    assert house.store.get(key).state is JobState.DONE


def test_a_worker_that_stops_leaves_its_step_to_the_next_one(house: House) -> None:
    def stop(stage: str, progress: ProgressCallback) -> None:
        house.stop.set()

    house.generator.before = stop
    with pytest.raises(WorkerStopping):
        house.publish()
    key = house.store.list()[0].key
    assert house.store.get(key).state is JobState.RUNNING

    house.stop.clear()
    house.generator.before = None
    house.engine.queue = [house.engine.tasks[house.engine.current]]
    house.work()

    assert house.store.get(key).state is JobState.DONE


def test_a_job_that_kills_its_worker_again_and_again_is_a_dead_letter(house: House) -> None:
    announce(house.database, put_layout(house.settings))
    house.dispatcher.tick()
    deaths: list[str] = []

    def die(stage: str, progress: ProgressCallback) -> None:
        deaths.append(stage)
        raise Killed

    house.generator.before = die
    house.work()

    job = house.store.list()[0]
    assert (job.state, job.step, job.error_kind) == (JobState.DEAD, Step.GENERATE, "JobError")
    assert len(deaths) == 4
    assert "died 4 times" in job.error


def test_an_ai_recipe_in_a_project_without_ai_is_refused(open_house: OpenHouse) -> None:
    house = open_house(policy={"no_ai_projects": ["PO*"]})
    house.generator.source_type = SourceType.TRAINED

    job = house.store.get(house.publish())

    assert (job.state, job.step, job.error_kind) == (
        JobState.DEAD,
        Step.VALIDATE,
        "PolicyRefusal",
    )
    assert "PORT takes no AI" in job.error
    assert house.generator.made == []


def test_a_layout_that_changed_since_it_was_announced_is_refused(house: House) -> None:
    event = put_layout(house.settings)
    announce(house.database, event)
    put_layout(house.settings, shade=0.1)

    house.work()

    job = house.store.list()[0]
    assert (job.state, job.error_kind) == (JobState.DEAD, "LayoutChanged")


def test_a_truncated_layout_is_refused_before_anything_is_made(house: House) -> None:
    event = put_layout(house.settings, size=(640, 360))
    whole = event.layout.read_bytes()
    event.layout.write_bytes(whole[: len(whole) // 2])
    half = hashlib.sha256(event.layout.read_bytes()).hexdigest()
    announce(house.database, dataclasses.replace(event, sha256=half))

    house.work()

    job = house.store.list()[0]
    assert (job.state, job.error_kind) == (JobState.DEAD, "ImageUnreadable")


def test_a_layout_without_route_is_a_dead_letter_until_there_is_one(open_house: OpenHouse) -> None:
    house = open_house(routes=[{"project": "OTHER", "recipe": "flat"}])
    key = house.publish()
    assert house.store.get(key).step is Step.DETECT

    better = open_house()
    better.store.retry(key)
    better.work()

    assert better.store.counts()[JobState.DONE] == 1
    assert better.store.counts()[JobState.DEAD] == 0
