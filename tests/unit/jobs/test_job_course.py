"""A job goes from event to Version in steps; cut anywhere, it resumes and does nothing twice."""

import dataclasses
import hashlib
import json
import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from haikei.cli import app
from haikei.credits import Grade, Person, SourceType, credit_line, records
from haikei.database import image_records, ledger
from haikei.errors import TrackerRejected, TrackerUnavailable
from haikei.generators import ProgressCallback
from haikei.images import Picture, read_picture, write_picture
from haikei.jobs import JobState, Step
from haikei.jobs.progress import WorkerStopping
from haikei.ledger import entry, verify
from haikei.settings import Settings
from haikei.trackers.memory import MemoryTracker
from support.jobs import (
    RIKU,
    JobStudio,
    Killed,
    OpenJobStudio,
    QuestionTracker,
    announce,
    job_studios,
    put_layout,
)
from support.trackers import AOI


@pytest.fixture
def open_studio(tmp_path: Path) -> Iterator[OpenJobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)


@pytest.fixture
def studio(open_studio: OpenJobStudio) -> JobStudio:
    return open_studio()


def test_a_layout_becomes_a_version_in_review_with_files_credits_and_records(
    studio: JobStudio,
) -> None:
    key = studio.publish()

    job = studio.store.get(key)
    assert (job.state, job.progress, job.error) == (JobState.DONE, 1.0, "")
    assert job.version_code == "c001_bg_summer_day_v001"
    request = studio.tracker.published[key]
    assert [image.type for image in request.images] == ["Background", "Background Stage"]
    assert request.credit_en == (
        "Background: Layout Aoi Sato · Painting algorithm Flat 1 (run by pipeline)"
    )
    assert "佐藤葵" in request.credit_ja
    assert request.source_type == "algorithmicMedia"
    assert [path.name for path in studio.files] == [
        "c001_bg_summer_day_v001.png",
        "c001_bg_summer_day_v001.png.json",
        "c001_bg_summer_day_v001_gen1.png",
        "c001_bg_summer_day_v001_layout.png",
    ]
    with studio.database.begin() as connection:
        assert verify(connection) == 3
        kinds = connection.execute(select(image_records.c.kind)).scalars().all()
    assert sorted(kinds) == ["background", "generation", "layout"]


def test_a_generator_is_asked_once_a_stage_what_may_run_and_once_what_makes_its_pixels(
    studio: JobStudio,
) -> None:
    studio.publish()

    assert studio.generator.described == 2 * 2


def test_a_layout_that_changes_after_it_was_checked_is_published_as_it_was_announced(
    studio: JobStudio,
) -> None:
    event = put_layout(studio.settings)
    announced = read_picture(event.layout).sha256()
    announce(studio.database, event)

    def replace(_stage: str, _progress: ProgressCallback) -> None:
        event.layout.write_bytes(b"another")

    studio.generator.before = replace

    studio.work()

    assert studio.store.counts()[JobState.DONE] == 1
    assert read_picture(studio.files[-1]).sha256() == announced


def test_the_sealed_record_is_the_one_the_version_names(studio: JobStudio) -> None:
    key = studio.publish()

    with studio.database.begin() as connection:
        sealed = connection.execute(
            select(ledger.c.payload).where(ledger.c.key == f"{key}/background")
        ).scalar_one()
    digest = hashlib.sha256(sealed.encode()).hexdigest()
    request = studio.tracker.published[key]
    assert digest == request.record_sha256
    assert request.record_link.endswith("/c001_bg_summer_day_v001.png.json")
    with studio.database.begin() as connection:
        assert entry(connection, request.ledger_index or 0).payload == sealed
    record = json.loads(sealed)
    assert record["sha256"] == hashlib.sha256(studio.files[0].read_bytes()).hexdigest()
    assert record["pixels_sha256"] == read_picture(studio.files[0]).sha256()


@pytest.mark.parametrize("step", [step for step in Step if step not in {Step.DETECT, Step.TAKE_IN}])
def test_a_kill_between_effect_and_checkpoint_of_any_step_makes_nothing_twice(
    studio: JobStudio, step: Step
) -> None:
    studio.engine.cut = step.value

    key = studio.publish()

    assert studio.store.get(key).state is JobState.DONE
    assert studio.generator.made == ["gen1", "gen2"]
    assert len(studio.tracker.published) == 1
    assert len(studio.files) == 4
    with studio.database.begin() as connection:
        assert verify(connection) == 3


def test_variants_of_one_layout_share_its_record(open_studio: OpenJobStudio) -> None:
    variants = [{"season": "summer"}, {"season": "winter", "time": "night"}]
    studio = open_studio(routes=[{"recipe": "flat", "variants": variants}])

    studio.publish()

    assert studio.store.counts()[JobState.DONE] == 2
    with studio.database.begin() as connection:
        assert verify(connection) == 5


def test_an_error_that_can_pass_is_tried_again(studio: JobStudio) -> None:
    studio.tracker.failures = [TrackerUnavailable("maintenance"), TrackerUnavailable("maintenance")]

    key = studio.publish()

    assert studio.store.get(key).state is JobState.DONE


def test_an_error_that_cannot_pass_is_a_dead_letter_at_once(studio: JobStudio) -> None:
    studio.tracker.unknown_shots = frozenset({"c001"})

    job = studio.store.get(studio.publish())

    assert (job.state, job.error_kind, job.attempts) == (JobState.DEAD, "PlaceUnknown", 1)
    assert studio.tracker.calls == 1


def test_an_unforeseen_error_is_a_dead_letter_with_its_name(studio: JobStudio) -> None:
    studio.tracker.failures = [ZeroDivisionError("division by zero")]

    job = studio.store.get(studio.publish())

    assert (job.state, job.error_kind) == (JobState.DEAD, "ZeroDivisionError")
    assert "division by zero" in job.error


def test_a_retried_job_uses_the_pictures_that_it_had_made(studio: JobStudio) -> None:
    answers: list[Exception] = [TrackerRejected("no such status")]
    studio.generator.before = lambda stage, _: (
        studio.tracker.failures.extend(answers) if stage == "gen2" else None
    )
    key = studio.publish()
    assert studio.store.get(key).step is Step.INTEGRATE
    before = [path.read_bytes() for path in studio.files]

    studio.store.retry(key)
    studio.work()

    assert studio.store.get(key).state is JobState.DONE
    assert studio.store.get(key).run == 2
    assert studio.generator.made == ["gen1", "gen2"]
    assert [path.read_bytes() for path in studio.files] == before


def test_a_retry_publishes_the_same_bytes_though_the_artist_changed(studio: JobStudio) -> None:
    studio.generator.before = lambda stage, _: (
        studio.tracker.failures.append(TrackerRejected("no")) if stage == "gen2" else None
    )
    key = studio.publish()
    studio.tracker.artists = (AOI, AOI)

    studio.store.retry(key)
    studio.work()

    assert studio.store.get(key).state is JobState.DONE


def test_the_folder_of_a_done_job_is_removed_and_that_of_a_dead_one_kept(studio: JobStudio) -> None:
    done = studio.publish("c001")
    studio.generator.before = lambda _stage, _progress: studio.tracker.failures.append(
        TrackerRejected("no")
    )
    dead = studio.publish("c002")

    assert not studio.tools.folder(done).exists()
    assert studio.tools.folder(dead).is_dir()


def test_a_waiting_job_that_is_cancelled_never_runs(studio: JobStudio) -> None:
    announce(studio.database, put_layout(studio.settings))
    studio.dispatcher.tick()
    key = studio.store.list()[0].key

    studio.store.cancel(key)
    studio.work()

    assert studio.store.get(key).state is JobState.CANCELLED
    assert studio.tracker.calls == 0


def test_a_job_that_is_cancelled_while_it_generates_stops_there(studio: JobStudio) -> None:
    def cancel(stage: str, progress: ProgressCallback) -> None:
        studio.store.cancel(studio.store.list()[0].key)
        studio.tools.stop.wait(0.25)

    studio.generator.before = cancel

    key = studio.publish()

    assert studio.store.get(key).state is JobState.CANCELLED
    assert studio.generator.made == []


def test_a_job_that_is_cancelled_between_steps_stops_at_the_next(studio: JobStudio) -> None:
    def cancel(stage: str, progress: ProgressCallback) -> None:
        if stage == "gen2":
            studio.store.cancel(studio.store.list()[0].key)

    studio.generator.before = cancel

    key = studio.publish()

    assert studio.store.get(key).state is JobState.CANCELLED
    assert studio.files == []


def test_a_cancelled_job_can_be_tried_again(studio: JobStudio) -> None:
    announce(studio.database, put_layout(studio.settings))
    studio.dispatcher.tick()
    key = studio.store.list()[0].key
    studio.store.cancel(key)
    studio.work()

    studio.store.retry(key)
    studio.work()

    assert studio.store.get(key).state is JobState.DONE


def test_a_worker_that_stops_leaves_its_step_to_the_next_one(studio: JobStudio) -> None:
    def stop(stage: str, progress: ProgressCallback) -> None:
        studio.stop.set()

    studio.generator.before = stop
    with pytest.raises(WorkerStopping):
        studio.publish()
    key = studio.store.list()[0].key
    assert studio.store.get(key).state is JobState.RUNNING

    studio.stop.clear()
    studio.generator.before = None
    studio.engine.queue = [studio.engine.tasks[studio.engine.current]]
    studio.work()

    assert studio.store.get(key).state is JobState.DONE


def test_a_job_that_kills_its_worker_again_and_again_is_a_dead_letter(studio: JobStudio) -> None:
    announce(studio.database, put_layout(studio.settings))
    studio.dispatcher.tick()
    deaths: list[str] = []

    def die(stage: str, progress: ProgressCallback) -> None:
        deaths.append(stage)
        raise Killed

    studio.generator.before = die
    studio.work()

    job = studio.store.list()[0]
    assert (job.state, job.step, job.error_kind) == (JobState.DEAD, Step.GENERATE, "JobError")
    assert len(deaths) == 4
    assert "died 4 times" in job.error


def test_an_ai_recipe_in_a_project_without_ai_is_refused(open_studio: OpenJobStudio) -> None:
    studio = open_studio(policy={"no_ai_projects": ["PO*"]})
    studio.generator.source_type = SourceType.TRAINED

    job = studio.store.get(studio.publish())

    assert (job.state, job.step, job.error_kind) == (
        JobState.DEAD,
        Step.VALIDATE,
        "PolicyRefusal",
    )
    assert "PORT takes no AI" in job.error
    assert studio.generator.made == []


@pytest.mark.parametrize(
    ("source", "licence", "data"),
    [
        (SourceType.TRAINED, "", ""),
        (SourceType.TRAINED, "MIT", " "),
        (SourceType.COMPOSITE_TRAINED, "", "Own paintings."),
    ],
)
def test_a_trained_system_without_a_licence_and_its_data_makes_nothing(
    studio: JobStudio, source: SourceType, licence: str, data: str
) -> None:
    studio.generator.source_type = source
    studio.generator.licence, studio.generator.data = licence, data

    job = studio.store.get(studio.publish())

    assert (job.state, job.step, job.error_kind) == (
        JobState.DEAD,
        Step.VALIDATE,
        "PolicyRefusal",
    )
    assert "a trained system without a licence or a statement of what it was" in job.error
    assert studio.generator.made == []


@pytest.mark.parametrize("name", ["Midjourney v7", "Adobe Firefly", "ミッドジャーニー"])
@pytest.mark.parametrize("japanese", [False, True])
def test_a_layout_that_the_tracker_assigns_to_a_machine_makes_nothing(
    studio: JobStudio, name: str, *, japanese: bool
) -> None:
    person = Person(id="HumanUser:9", name="Aoi" if japanese else name)
    studio.tracker.artists = (replace(person, name_ja=name) if japanese else person,)

    job = studio.store.get(studio.publish())

    assert (job.state, job.error_kind) == (JobState.DEAD, "PolicyRefusal")
    assert "is a generator, not a person" in job.error or "that is a generator" in job.error
    assert studio.generator.made == []


def test_a_layout_that_was_saved_again_is_made_as_it_is_now_without_a_dead_letter(
    studio: JobStudio,
) -> None:
    event = put_layout(studio.settings)
    announce(studio.database, event)
    put_layout(studio.settings, shade=0.1)

    studio.work()

    now, before = studio.store.list()
    assert (before.state, before.error, before.error_kind) == (JobState.SKIPPED, "", "Superseded")
    assert "saved again" in before.note
    assert now.state is JobState.DONE
    assert len(studio.tracker.published) == 1


def test_a_truncated_layout_is_refused_before_anything_is_made(studio: JobStudio) -> None:
    event = put_layout(studio.settings, size=(640, 360))
    whole = event.layout.read_bytes()
    event.layout.write_bytes(whole[: len(whole) // 2])
    half = hashlib.sha256(event.layout.read_bytes()).hexdigest()
    announce(studio.database, dataclasses.replace(event, sha256=half))

    studio.work()

    job = studio.store.list()[0]
    assert (job.state, job.error_kind) == (JobState.DEAD, "ImageUnreadable")


def test_a_sheet_without_a_drawing_is_asked_about_until_the_studio_wants_it_painted(
    open_studio: OpenJobStudio,
) -> None:
    studio = open_studio()
    event = put_layout(studio.settings, size=(640, 360))
    write_picture(Picture(pixels=np.full((360, 640, 3), 0.97, np.float32)), event.layout)
    blank = hashlib.sha256(event.layout.read_bytes()).hexdigest()
    announce(studio.database, dataclasses.replace(event, sha256=blank))
    studio.work()
    job = studio.store.list()[0]

    assert (job.state, job.error_kind) == (JobState.DEAD, "SheetBlank")
    assert "There is no drawing on this sheet" in job.error
    assert "policy.blank_sheets" in job.error

    willing = open_studio(policy={"blank_sheets": "paint"})
    willing.store.retry(job.key)
    willing.work()

    assert willing.store.counts()[JobState.DONE] == 1


def test_a_layout_without_route_is_a_dead_letter_until_there_is_one(
    open_studio: OpenJobStudio,
) -> None:
    studio = open_studio(routes=[{"project": "OTHER", "recipe": "flat"}])
    key = studio.publish()
    assert studio.store.get(key).step is Step.DETECT

    better = open_studio()
    better.store.retry(key)
    better.work()

    assert better.store.counts()[JobState.DONE] == 1
    assert better.store.counts()[JobState.DEAD] == 0


def answer(studio: JobStudio, asked: str, *artists: str) -> None:
    """Call the command that a question names, with other artists if there are any."""
    site = studio.tracker
    site.add_person(AOI, "aoi")
    site.add_person(RIKU, "riku")
    site.credits.persons["森陸"] = RIKU

    def open_site(_: Settings) -> MemoryTracker:
        return site

    command = shlex.split(asked.partition("--artist: haikei")[2].partition(", then haikei")[0])
    if artists:
        at = command.index("--artist")
        command = [*command[:at], *artists, *command[command.index("--by") :]]
    command[command.index("--by") + 1] = "HumanUser:22"
    settings = studio.settings.studio.state.parent / "haikei.toml"
    settings.write_text(
        f'[studio]\nname = "Test"\nstate = "{studio.settings.studio.state}"\n'
        f'[[storage.roots]]\nname = "primary"\npath = "{studio.settings.storage.roots[0].path}"\n',
        encoding="utf-8",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("haikei.trackers.load_tracker", open_site)
        done = CliRunner().invoke(app, [*command, "--settings", str(settings)])
    assert done.exit_code == 0, (done.output, done.exception)
    assert "Riku Mori" in done.output


def drawn_by(studio: JobStudio, key: str) -> dict[str, Grade]:
    """Return who is recorded as the artist of a version's layout, by id, and how that is known."""
    with studio.database.begin() as connection:
        version = records.background(connection, key)
    assert version is not None
    parts = version.images[0].contributions
    return {one.actor.id: one.grade for one in parts if isinstance(one.actor, Person)}


@pytest.mark.parametrize("copied", ["the same bytes", "saved again"])
def test_the_same_layout_by_somebody_else_asks_and_credits_nobody_anew(
    studio: JobStudio, copied: str
) -> None:
    tracker = QuestionTracker()
    studio.tracker = tracker
    made = studio.publish("c001")
    first = put_layout(studio.settings, "c001")
    second = put_layout(studio.settings, "c002")
    if copied == "saved again":
        write_picture(read_picture(first.layout), second.layout, bits=16)
    content = (first if copied == "the same bytes" else second).layout.read_bytes()
    tracker.artists = (RIKU,)
    announce(studio.database, studio.replace_layout(second, content))
    studio.work()

    (job,) = [one for one in studio.store.list() if one.place.shot == "c002"]
    assert (job.state, job.error_kind) == (JobState.DEAD, "LayoutDisputed")
    assert "by Aoi Sato, and is published as drawn by Riku Mori" in job.error
    (note,) = tracker.desk.notes.values()
    assert note.subject == "Who drew c002_bg_v001.png?"
    assert "--shot c002 --image" in note.text
    assert list(tracker.published) == [made]

    answer(studio, note.text)
    studio.store.retry(job.key)
    studio.work()

    assert studio.store.get(job.key).state is JobState.DONE
    assert "Layout Aoi Sato, Riku Mori" in tracker.published[job.key].credit_en
    assert "Riku" not in tracker.published[made].credit_en


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ((), {"HumanUser:7": Grade.DECLARED, "HumanUser:22": Grade.DECLARED}),
        (("--artist", "森陸"), {"HumanUser:22": Grade.DECLARED}),
        (("--artist", "riku", "--artist", "HumanUser:22"), {"HumanUser:22": Grade.DECLARED}),
    ],
    ids=["both", "only the second, by name", "the same by login and id"],
)
def test_the_same_drawing_by_a_second_person_on_one_cut_asks_once(
    studio: JobStudio, others: tuple[str, ...], said: dict[str, Grade]
) -> None:
    tracker = QuestionTracker()
    studio.tracker = tracker
    watched = put_layout(studio.settings)
    first = dataclasses.replace(watched, published_file=9, published_by="HumanUser:7")
    second = dataclasses.replace(watched, published_file=12, published_by="HumanUser:22")

    for event in (watched, first, first):
        announce(studio.database, event)
    studio.work()
    tracker.artists = (RIKU,)
    for event in (second, second, watched):
        announce(studio.database, event)
    studio.work()

    asked, made = sorted(studio.store.list(), key=lambda job: job.state)
    assert (made.state, asked.state) == (JobState.DONE, JobState.DEAD)
    assert asked.error_kind == "LayoutDisputed"
    assert "for PORT/s01/c001 by HumanUser:7 (PublishedFile 9) and is recorded as" in asked.error
    (note,) = tracker.desk.notes.values()
    assert note.subject == "Who drew c001_bg_v001.png?"

    answer(studio, note.text, *others)
    studio.store.retry(asked.key)
    studio.work()

    assert studio.store.get(asked.key).state is JobState.DONE
    assert drawn_by(studio, asked.key) == said
    # The same drawing is the same people's work in the version from before.
    stays = {"HumanUser:7": Grade.LOGGED} if "HumanUser:7" in said else {}
    assert drawn_by(studio, made.key) == {**said, **stays}
    with studio.database.begin() as connection:
        before = records.background(connection, made.key)
    assert before is not None
    line = credit_line(before.images).en
    assert ("Aoi Sato" in line, "Riku Mori" in line) == ("HumanUser:7" in said, True)
    stated = tracker.credits.stated["Version", before.tracker_id or 0]
    assert stated.credit_en == line
    assert (tracker.published[asked.key].credit_en.count("Riku Mori")) == 1


def test_before_the_first_drawing_is_a_version_the_second_asks_as_well(studio: JobStudio) -> None:
    tracker = QuestionTracker()
    studio.tracker = tracker
    watched = put_layout(studio.settings)
    first = dataclasses.replace(watched, published_file=9, published_by="HumanUser:7")
    second = dataclasses.replace(watched, published_file=12, published_by="HumanUser:22")

    for event in (first, second):
        announce(studio.database, event)
    studio.work()

    asked, made = sorted(studio.store.list(), key=lambda job: job.state)
    assert (made.state, asked.state) == (JobState.DONE, JobState.DEAD)
    assert "by HumanUser:22 as drawn by Aoi Sato" in asked.error
    assert "--artist HumanUser:7 --artist HumanUser:22 --by" in asked.error
    assert len(tracker.published) == len(tracker.desk.notes) == 1


def test_a_declared_artist_who_refuses_generators_is_heeded(open_studio: OpenJobStudio) -> None:
    riku = {"name": "Mori Riku", "logins": ["riku"], "consent": False}
    studio = open_studio(people=[riku])
    studio.tracker = tracker = QuestionTracker()
    tracker.add_person(RIKU, "riku")
    watched = put_layout(studio.settings)
    first = dataclasses.replace(watched, published_file=9, published_by="HumanUser:7")
    second = dataclasses.replace(watched, published_file=12, published_by="HumanUser:22")
    for event in (first, second):
        announce(studio.database, event)
    studio.work()
    asked = next(one for one in studio.store.list() if one.state is JobState.DEAD)

    answer(studio, asked.error)
    studio.store.retry(asked.key)
    studio.work()

    refused = studio.store.get(asked.key)
    assert (refused.state, refused.error_kind) == (JobState.DEAD, "PolicyRefusal")
    assert "Mori Riku does not consent" in refused.error
