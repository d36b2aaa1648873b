"""What a job's files say about themselves, and what it does where they cannot say it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from haikei.credits import Grade, ImageKind, Relation, ReviewState, Role, SourceType, records
from haikei.errors import TrackerRejected
from haikei.files import sha256_of
from haikei.images import read_picture
from haikei.jobs import JobState, Step
from haikei.provenance import FileMarks, MarksState, read_marks
from support.house import House, OpenHouse, opening
from support.jobs import announce, put_layout
from support.pngfile import rewrite_chunks
from support.tracker import AOI


@pytest.fixture
def open_house(tmp_path: Path) -> Iterator[OpenHouse]:
    with ExitStack() as stack:
        yield opening(stack, tmp_path)


@pytest.fixture
def house(open_house: OpenHouse) -> House:
    return open_house()


def _marks(house: House, path: Path) -> FileMarks:
    return read_marks(path, trust_pem=house.tools.marks().trust_pem)


def test_every_picture_stands_on_the_marks_of_those_before_it(house: House) -> None:
    house.publish()

    background, record, gen1, layout = house.files
    marks = {path: _marks(house, path) for path in (background, gen1, layout)}
    assert {one.state for one in marks.values()} == {MarksState.TRUSTED}
    assert [len(marks[path].steps) for path in (layout, gen1, background)] == [1, 2, 3]
    assert record.suffix == ".json"
    actions = [step.actions[-1].source_type for step in marks[background].steps]
    assert actions == ["digitalCreation", "algorithmicMedia", "algorithmicMedia"]
    xmp = marks[background].xmp
    assert xmp is not None
    assert xmp.credit == house.tracker.published[house.key].credit_en
    assert xmp.digital_source_type.endswith("/algorithmicMedia")


def test_the_artists_own_file_is_left_as_it_is(house: House) -> None:
    event = put_layout(house.settings)
    before = event.layout.read_bytes()
    announce(house.database, event)

    house.work()

    assert event.layout.read_bytes() == before
    assert _marks(house, event.layout).state is MarksState.NONE


def test_records_name_files_with_their_marks_and_pixels_without(house: House) -> None:
    house.publish()

    background, _, gen1, layout = house.files
    with house.database.begin() as connection:
        version = records.background(connection, house.key)
    assert version is not None
    assert [image.kind for image in version.images] == [
        ImageKind.LAYOUT,
        ImageKind.GENERATION,
        ImageKind.BACKGROUND,
    ]
    for image, path in zip(version.images, (layout, gen1, background), strict=True):
        assert image.sha256 == sha256_of(path)
        assert image.pixels_sha256 == read_picture(path).sha256()
    drawn, first, last = version.images
    assert [(one.sha256, one.relation) for one in first.ingredients] == [
        (drawn.sha256, Relation.INPUT)
    ]
    assert [(one.sha256, one.relation) for one in last.ingredients] == [
        (first.sha256, Relation.PARENT),
        (drawn.sha256, Relation.INPUT),
    ]


def test_the_version_says_who_did_what_and_how_that_is_known(house: House) -> None:
    house.publish()

    with house.database.begin() as connection:
        version = records.background(connection, house.key)
    assert version is not None
    drawn, first, last = version.images
    assert [(one.role, one.actor, one.grade) for one in drawn.contributions] == [
        (Role.GENZU, AOI, Grade.LOGGED)
    ]
    (made,) = first.contributions
    assert (made.role, made.grade, made.evidence.source) == (
        Role.PAINTING_ALGORITHM,
        Grade.LOGGED,
        "generation request",
    )
    assert len(made.evidence.sha256) == 64
    measured = [one for one in last.contributions if one.grade is Grade.MEASURED]
    assert [one.actor for one in measured] == [AOI]
    assert measured[0].evidence.recall is not None
    request = house.tracker.published[house.key]
    assert "genzu: Aoi Sato (HumanUser:7)" in request.roles.splitlines()
    assert "painting_algorithm: Flat 1" in request.roles.splitlines()
    assert (version.tracker_id, version.state) == (1, ReviewState.IN_REVIEW)
    assert version.url == house.store.get(house.key).version_url


def test_a_layout_of_this_studios_other_name_for_drawing_is_credited_so(
    open_house: OpenHouse,
) -> None:
    house = open_house(credits={"layout_role": "layout"})

    house.publish()

    assert "layout: Aoi Sato (HumanUser:7)" in house.tracker.published[house.key].roles


def test_a_trained_model_makes_the_whole_a_composite(house: House) -> None:
    house.generator.source_type = SourceType.TRAINED

    house.publish()

    request = house.tracker.published[house.key]
    assert request.source_type == "compositeWithTrainedAlgorithmicMedia"
    assert "ai_generation: Flat 1" in request.roles.splitlines()
    marks = _marks(house, house.files[0])
    assert marks.says_ai
    assert marks.xmp is not None
    assert marks.xmp.ai_system == "Flat"


def test_variants_stand_on_one_marked_copy_of_their_layout(open_house: OpenHouse) -> None:
    variants = [{"season": "summer"}, {"season": "winter", "time": "night"}]
    house = open_house(routes=[{"recipe": "flat", "variants": variants}])

    house.publish()

    copies = [path for path in house.files if path.stem.endswith("_layout")]
    assert len(copies) == 2
    assert copies[0].read_bytes() == copies[1].read_bytes()
    with house.database.begin() as connection:
        assert len(records.backgrounds_with(connection, sha256_of(copies[0]))) == 2


def test_a_layout_with_another_name_in_its_marks_is_refused_with_the_reason(house: House) -> None:
    house.publish("c001")
    marked = house.files[-1]
    event = put_layout(house.settings, "c002")
    forged = rewrite_chunks(marked.read_bytes(), b"Aoi Sato", b"Boi Sato")
    announce(house.database, house.replace_layout(event, forged))

    house.work()

    job = house.store.list()[0]
    assert (job.state, job.step, job.error_kind) == (JobState.DEAD, Step.VALIDATE, "MarksBroken")
    assert "do not hold" in job.error


def test_a_layout_with_sound_marks_keeps_them_below_ours(house: House) -> None:
    house.publish("c001")
    marked = house.files[-1]
    event = put_layout(house.settings, "c002")
    announce(house.database, house.replace_layout(event, marked.read_bytes()))

    house.work()

    (copy,) = (path for path in house.files if path.name == "c002_bg_summer_day_v001_layout.png")
    marks = _marks(house, copy)
    assert marks.state is MarksState.TRUSTED
    assert len(marks.steps) == 2


def test_without_the_time_stamp_authority_nothing_is_signed_or_published(
    open_house: OpenHouse,
) -> None:
    house = open_house(signing={"timestamp_url": "http://127.0.0.1:9/"})

    house.publish()

    job = house.store.list()[0]
    assert (job.state, job.step, job.attempts) == (JobState.DEAD, Step.EXTRACT, 3)
    assert job.error_kind == "SigningUnavailable"
    assert house.files == []


def test_exr_backgrounds_carry_their_marks_beside_them(open_house: OpenHouse) -> None:
    root = open_house().settings.storage.roots[0]
    storage = {"roots": [root.model_dump()], "reserve_mib": 0, "format": "exr"}
    house = open_house(storage=storage)

    house.publish()

    names = [path.name for path in house.files]
    assert "c001_bg_summer_day_v001.exr" in names
    assert "c001_bg_summer_day_v001.c2pa" in names
    (background,) = (path for path in house.files if path.suffix == ".exr")
    manifest = background.with_suffix(".c2pa")
    trust = house.tools.marks().trust_pem
    assert read_marks(background, trust_pem=trust, manifest=manifest).state is MarksState.TRUSTED
    with house.database.begin() as connection:
        version = records.background(connection, house.key)
    assert version is not None
    assert version.final.pixels_sha256 == read_picture(background).sha256()


def test_an_artist_who_does_not_want_to_be_named_is_withheld(open_house: OpenHouse) -> None:
    house = open_house(people=[{"name": "Aoi Sato", "opt_out": "letter of 2026-10-02"}])

    house.publish()

    request = house.tracker.published[house.key]
    assert "Aoi" not in request.credit_en + request.credit_ja + request.roles
    assert "withheld" in request.credit_en


def test_where_the_studio_allows_it_nobody_is_named_and_no_credit_printed(
    open_house: OpenHouse,
) -> None:
    house = open_house(policy={"unnamed_layouts": "allow"})
    house.tracker.artists = ()

    house.publish()

    request = house.tracker.published[house.key]
    assert house.store.get(house.key).state is JobState.DONE
    assert (request.credit_en, request.credit_ja) == ("", "")


def test_a_job_that_is_cancelled_after_it_was_recorded_is_no_part_of_the_show(
    house: House,
) -> None:
    def cancel(stage: str, _: object) -> None:
        if stage == "gen2":
            house.tracker.failures.append(TrackerRejected("no such status"))

    house.generator.before = cancel
    key = house.publish()
    assert house.store.get(key).step is Step.INTEGRATE
    house.store.skip(key, "cut from the film")

    with house.database.begin() as connection:
        omitted = records.background(connection, key)
    assert omitted is not None
    assert (omitted.state, omitted.tracker_id) == (ReviewState.OMITTED, None)

    house.store.retry(key)
    house.work()

    with house.database.begin() as connection:
        wanted = records.background(connection, key)
    assert wanted is not None
    assert (wanted.state, wanted.tracker_id) == (ReviewState.IN_REVIEW, 1)


def test_what_was_signed_is_published_though_the_worker_died_before(house: House) -> None:
    house.engine.cut = Step.EXTRACT.value

    house.publish()

    assert [_marks(house, path).state for path in house.files if path.suffix == ".png"] == [
        MarksState.TRUSTED
    ] * 3


def test_a_layout_whose_format_holds_no_marks_has_them_beside_its_copy(house: House) -> None:
    event = put_layout(house.settings)
    other = house.as_tga(event)
    announce(house.database, other)

    house.work()

    assert house.store.counts()[JobState.DONE] == 1
    (copy,) = (
        path for path in house.files if path.stem.endswith("_layout") if path.suffix == ".tga"
    )
    assert copy.read_bytes() == other.layout.read_bytes()
    assert copy.with_suffix(".xmp") in house.files
    drawn, background = _marks(house, copy), _marks(house, house.files[0])
    assert (drawn.state, background.state) == (MarksState.TRUSTED, MarksState.TRUSTED)
    assert background.steps[0].title == other.layout.stem
    assert len(background.steps) == 3
    assert [person.name for person in background.steps[0].people] == ["Aoi Sato"]
    assert not list(other.layout.parent.glob("*.c2pa"))
    with house.database.begin() as connection:
        assert len(records.backgrounds_with(connection, other.sha256)) == 1
