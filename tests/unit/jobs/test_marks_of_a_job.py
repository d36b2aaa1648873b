"""What a job's files say about themselves, and what it does where they cannot say it."""

from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path

import pytest

from haikei.credits import (
    WITHHELD,
    WITHHELD_JA,
    Grade,
    ImageKind,
    Relation,
    Role,
    SourceType,
    people,
    records,
)
from haikei.decisions import ReviewState
from haikei.errors import TrackerRejected
from haikei.files import sha256_of
from haikei.fingerprint import fingerprint_text
from haikei.images import read_picture
from haikei.jobs import JobState, Step
from haikei.jobs.lanes import Lane
from haikei.provenance import FileMarks, MarksState, read_marks
from haikei.provenance.formats.png import write_xmp
from support.clocks import eventually
from support.jobs import (
    JobStudio,
    OpenJobStudio,
    announce,
    job_studios,
    lane_of,
    put_layout,
    working,
)
from support.pictures import rewrite_chunks
from support.trackers import AOI


@pytest.fixture
def open_studio(tmp_path: Path) -> Iterator[OpenJobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)


@pytest.fixture
def studio(open_studio: OpenJobStudio) -> JobStudio:
    return open_studio()


def _marks(studio: JobStudio, path: Path) -> FileMarks:
    return read_marks(path, trust_pem=studio.tools.marks().trust_pem)


def test_every_picture_stands_on_the_marks_of_those_before_it(studio: JobStudio) -> None:
    studio.publish()

    background, record, gen1, layout = studio.files
    marks = {path: _marks(studio, path) for path in (background, gen1, layout)}
    assert {one.state for one in marks.values()} == {MarksState.TRUSTED}
    assert [len(marks[path].steps) for path in (layout, gen1, background)] == [1, 2, 3]
    assert record.suffix == ".json"
    actions = [step.actions[-1].source_type for step in marks[background].steps]
    assert actions == ["", "algorithmicMedia", "algorithmicMedia"]
    xmp = marks[background].xmp
    assert xmp is not None
    assert xmp.credit == studio.tracker.published[studio.key].credit_en
    assert xmp.digital_source_type.endswith("/algorithmicMedia")


def test_the_artists_own_file_is_left_as_it_is(studio: JobStudio) -> None:
    event = put_layout(studio.settings)
    before = event.layout.read_bytes()
    announce(studio.database, event)

    studio.work()

    assert event.layout.read_bytes() == before
    assert _marks(studio, event.layout).state is MarksState.NONE


def test_records_name_files_with_their_marks_and_pixels_without(studio: JobStudio) -> None:
    studio.publish()

    background, _, gen1, layout = studio.files
    with studio.database.begin() as connection:
        version = records.background(connection, studio.key)
    assert version is not None
    assert [image.kind for image in version.images] == [
        ImageKind.LAYOUT,
        ImageKind.GENERATION,
        ImageKind.BACKGROUND,
    ]
    for image, path in zip(version.images, (layout, gen1, background), strict=True):
        assert image.sha256 == sha256_of(path)
        picture = read_picture(path)
        assert image.pixels_sha256 == picture.sha256()
        assert image.fingerprint == fingerprint_text(picture) != ""
    drawn, first, last = version.images
    assert [(one.sha256, one.relation) for one in first.ingredients] == [
        (drawn.sha256, Relation.INPUT)
    ]
    assert [(one.sha256, one.relation) for one in last.ingredients] == [
        (first.sha256, Relation.PARENT),
        (drawn.sha256, Relation.INPUT),
    ]


def test_the_version_says_who_did_what_and_how_that_is_known(studio: JobStudio) -> None:
    studio.publish()

    with studio.database.begin() as connection:
        version = records.background(connection, studio.key)
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
    seen = [one for one in last.contributions if one.evidence.recall is not None]
    assert [(one.actor, one.grade) for one in seen] == [(AOI, Grade.LOGGED)]
    request = studio.tracker.published[studio.key]
    assert "genzu: Aoi Sato (HumanUser:7)" in request.roles.splitlines()
    assert "painting_algorithm: Flat 1" in request.roles.splitlines()
    assert (version.tracker_id, version.state) == (1, ReviewState.IN_REVIEW)
    assert version.url == studio.store.get(studio.key).version_url


def test_a_layout_of_this_studios_other_name_for_drawing_is_credited_so(
    open_studio: OpenJobStudio,
) -> None:
    studio = open_studio(credits={"layout_role": "layout"})

    studio.publish()

    assert "layout: Aoi Sato (HumanUser:7)" in studio.tracker.published[studio.key].roles


def test_a_trained_model_makes_the_whole_a_composite(studio: JobStudio) -> None:
    studio.generator.source_type = SourceType.TRAINED

    studio.publish()

    request = studio.tracker.published[studio.key]
    assert request.source_type == "compositeWithTrainedAlgorithmicMedia"
    assert "ai_generation: Flat 1" in request.roles.splitlines()
    marks = _marks(studio, studio.files[0])
    assert marks.says_ai
    assert marks.xmp is not None
    assert marks.xmp.ai_system == "Flat"


def test_variants_stand_on_one_marked_copy_of_their_layout(open_studio: OpenJobStudio) -> None:
    variants = [{"season": "summer"}, {"season": "winter", "time": "night"}]
    studio = open_studio(routes=[{"recipe": "flat", "variants": variants}])

    studio.publish()

    copies = [path for path in studio.files if path.stem.endswith("_layout")]
    assert len(copies) == 2
    assert copies[0].read_bytes() == copies[1].read_bytes()
    with studio.database.begin() as connection:
        assert len(records.backgrounds_with(connection, sha256_of(copies[0]))) == 2


def test_a_layout_with_another_name_in_its_marks_is_refused_with_the_reason(
    studio: JobStudio,
) -> None:
    studio.publish("c001")
    marked = studio.files[-1]
    event = put_layout(studio.settings, "c002")
    forged = rewrite_chunks(marked.read_bytes(), b"Aoi Sato", b"Boi Sato")
    announce(studio.database, studio.replace_layout(event, forged))

    studio.work()

    job = studio.store.list()[0]
    assert (job.state, job.step, job.error_kind) == (JobState.DEAD, Step.VALIDATE, "MarksBroken")
    assert "do not hold" in job.error


def test_a_layout_with_sound_marks_keeps_them_below_ours(studio: JobStudio) -> None:
    studio.publish("c001")
    marked = studio.files[-1]
    event = put_layout(studio.settings, "c002")
    announce(studio.database, studio.replace_layout(event, marked.read_bytes()))

    studio.work()

    (copy,) = (path for path in studio.files if path.name == "c002_bg_summer_day_v001_layout.png")
    marks = _marks(studio, copy)
    assert marks.state is MarksState.TRUSTED
    assert len(marks.steps) == 2


@pytest.mark.parametrize("name", ["Midjourney v7", "Adobe Firefly", "ミッドジャーニー"])
def test_whom_a_layouts_xmp_calls_its_creator_is_nobody_who_drew(
    studio: JobStudio, name: str
) -> None:
    event = put_layout(studio.settings, "c002")
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator><rdf:Seq>'
        f"<rdf:li>{name}</rdf:li></rdf:Seq></dc:creator></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    signed = BytesIO()
    write_xmp(BytesIO(event.layout.read_bytes()), signed, packet.encode())
    announce(studio.database, studio.replace_layout(event, signed.getvalue()))

    studio.work()

    job = studio.store.list()[0]
    assert job.state is JobState.DONE, job.error
    with studio.database.begin() as connection:
        assert name not in {one.name for one in people.everyone(connection)}
    for path in studio.files:
        if path.name.startswith("c002_bg_summer") and path.suffix == ".png":
            marks = _marks(studio, path)
            assert marks.xmp is not None
            assert marks.xmp.creators == (AOI.name,)
            assert name not in {one.name for one in marks.xmp.contributors}


def test_without_the_time_stamp_authority_nothing_is_signed_or_published(
    open_studio: OpenJobStudio,
) -> None:
    studio = open_studio(signing={"timestamp_url": "http://127.0.0.1:9/"})

    with working(studio):
        eventually(lambda: "time-stamp" in lane_of(studio, Lane.STEPS).fault, "a lane that is held")

        job = studio.store.list()[0]
        assert (job.state, job.step) == (JobState.RUNNING, Step.EXTRACT)
        assert studio.files == []


def test_exr_backgrounds_carry_their_marks_beside_them(open_studio: OpenJobStudio) -> None:
    root = open_studio().settings.storage.roots[0]
    storage = {"roots": [root.model_dump()], "reserve_mib": 0, "format": "exr"}
    studio = open_studio(storage=storage)

    studio.publish()

    names = [path.name for path in studio.files]
    assert "c001_bg_summer_day_v001.exr" in names
    assert "c001_bg_summer_day_v001.c2pa" in names
    (background,) = (path for path in studio.files if path.suffix == ".exr")
    manifest = background.with_suffix(".c2pa")
    trust = studio.tools.marks().trust_pem
    assert read_marks(background, trust_pem=trust, manifest=manifest).state is MarksState.TRUSTED
    with studio.database.begin() as connection:
        version = records.background(connection, studio.key)
    assert version is not None
    assert version.final.pixels_sha256 == read_picture(background).sha256()


def test_an_artist_who_does_not_want_to_be_named_is_withheld(open_studio: OpenJobStudio) -> None:
    studio = open_studio(people=[{"name": "Aoi Sato", "opt_out": "letter of 2026-10-02"}])

    studio.publish()

    request = studio.tracker.published[studio.key]
    assert "Aoi" not in request.credit_en + request.credit_ja + request.roles
    assert "withheld" in request.credit_en


@pytest.mark.parametrize("how", ["opt_out", "erase", "rename"])
def test_a_name_that_was_decided_on_here_outweighs_the_trackers_in_later_marks(
    studio: JobStudio, how: str
) -> None:
    studio.publish("c001")
    with studio.database.begin() as connection:
        if how == "rename":
            people.rename(connection, AOI.id, name="Aoi Abe", name_ja="阿部葵")
        else:
            decide = people.erase if how == "erase" else people.opt_out
            decide(connection, AOI.id, "letter of 2026-10-02")

    studio.publish("c002")

    (path,) = [one for one in studio.files if one.name.startswith("c002_bg_summer_day_v001.png")][
        :1
    ]
    marks = _marks(studio, path)
    assert marks.xmp is not None
    called = ("Aoi Abe", "阿部葵", AOI.id) if how == "rename" else (WITHHELD, WITHHELD_JA, "")
    for named in (marks.steps[0].people, marks.xmp.contributors):
        assert [(one.name, one.name_ja, one.id) for one in named] == [called]
    for told in (b"Aoi Sato", "佐藤葵".encode()):
        assert told not in path.read_bytes()


def test_where_the_studio_allows_it_nobody_is_named_and_no_credit_printed(
    open_studio: OpenJobStudio,
) -> None:
    studio = open_studio(policy={"unnamed_layouts": "allow"})
    studio.tracker.artists = ()

    studio.publish()

    request = studio.tracker.published[studio.key]
    assert studio.store.get(studio.key).state is JobState.DONE
    assert (request.credit_en, request.credit_ja) == ("", "")


def test_a_job_that_is_cancelled_after_it_was_recorded_is_no_part_of_the_show(
    studio: JobStudio,
) -> None:
    def cancel(stage: str, _: object) -> None:
        if stage == "gen2":
            studio.tracker.failures.append(TrackerRejected("no such status"))

    studio.generator.before = cancel
    key = studio.publish()
    assert studio.store.get(key).step is Step.INTEGRATE
    studio.store.skip(key, "cut from the film")

    with studio.database.begin() as connection:
        omitted = records.background(connection, key)
    assert omitted is not None
    assert (omitted.state, omitted.tracker_id) == (ReviewState.OMITTED, None)

    studio.store.retry(key)
    studio.work()

    with studio.database.begin() as connection:
        wanted = records.background(connection, key)
    assert wanted is not None
    assert (wanted.state, wanted.tracker_id) == (ReviewState.IN_REVIEW, 1)


def test_what_was_signed_is_published_though_the_worker_died_before(studio: JobStudio) -> None:
    studio.engine.cut = Step.EXTRACT.value

    studio.publish()

    assert [_marks(studio, path).state for path in studio.files if path.suffix == ".png"] == [
        MarksState.TRUSTED
    ] * 3


def test_a_layout_whose_format_holds_no_marks_has_them_beside_its_copy(studio: JobStudio) -> None:
    event = put_layout(studio.settings)
    other = studio.as_tga(event)
    announce(studio.database, other)

    studio.work()

    assert studio.store.counts()[JobState.DONE] == 1
    (copy,) = (
        path for path in studio.files if path.stem.endswith("_layout") if path.suffix == ".tga"
    )
    assert copy.read_bytes() == other.layout.read_bytes()
    assert copy.with_suffix(".xmp") in studio.files
    drawn, background = _marks(studio, copy), _marks(studio, studio.files[0])
    assert (drawn.state, background.state) == (MarksState.TRUSTED, MarksState.TRUSTED)
    assert background.steps[0].title == other.layout.stem
    assert len(background.steps) == 3
    assert [person.name for person in background.steps[0].people] == ["Aoi Sato"]
    assert not list(other.layout.parent.glob("*.c2pa"))
    with studio.database.begin() as connection:
        assert len(records.backgrounds_with(connection, other.sha256)) == 1
