"""A touch-up comes home: measured, marked, named, and on top of all that was there."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from haikei.credits import (
    WITHHELD,
    BackgroundVersion,
    Facet,
    FacetState,
    Grade,
    ImageKind,
    Person,
    Relation,
    Role,
    SourceType,
    credit_line,
    facets,
    people,
    records,
)
from haikei.errors import (
    CreditError,
    ImageUnreadable,
    MarksBroken,
    NothingPainted,
    PainterDisputed,
    TouchUpRefused,
    TrackerUnavailable,
)
from haikei.files import sha256_of
from haikei.fingerprint import fingerprint_text
from haikei.images import Picture, read_picture, write_picture
from haikei.jobs import JobKind, JobState, TouchUpOrder
from haikei.jobs.touchup import compare, take_in
from haikei.ledger import size
from haikei.provenance import MarksState, read_marks
from haikei.scenes import Scene, SceneKind, draw
from support.jobs import JobStudio, OpenJobStudio, announce, job_studios, put_layout
from support.records import a_contribution

SAKURA = Person(id="HumanUser:21", name="Sakura Ito", name_ja="伊藤さくら")
RIKU = Person(id="HumanUser:22", name="Riku Mori", name_ja="森陸")


@pytest.fixture
def open_studio(tmp_path: Path) -> Iterator[OpenJobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)


@pytest.fixture
def studio(open_studio: OpenJobStudio) -> JobStudio:
    return open_studio()


@pytest.fixture
def parent(studio: JobStudio) -> BackgroundVersion:
    return published(studio)


def published(studio: JobStudio) -> BackgroundVersion:
    """Return a background that the job made of a layout with something drawn in it."""
    event = put_layout(studio.settings, size=(240, 160))
    drawn = np.random.default_rng(7).uniform(0.2, 1.0, (20, 30, 3)).astype(np.float32)
    pixels = np.repeat(np.repeat(drawn, 8, axis=0), 8, axis=1)
    write_picture(Picture(pixels=pixels), event.layout, bits=8)
    announce(studio.database, studio.replace_layout(event, event.layout.read_bytes()))
    studio.work()
    version = standing(studio, "c001_bg_summer_day_v001")
    assert version is not None
    return version


def standing(studio: JobStudio, code: str) -> BackgroundVersion | None:
    with studio.database.begin() as connection:
        return records.by_code(connection, code)


def file_of(studio: JobStudio, version: BackgroundVersion) -> Path:
    return studio.settings.storage.roots[0].path / version.final.path


def paint(
    studio: JobStudio, version: BackgroundVersion, name: str, *, at: int = 20, colour: float = 0.9
) -> Path:
    """Return an artist's file: the version's picture with a square painted on it."""
    pixels = read_picture(file_of(studio, version)).pixels.copy()
    pixels[at : at + 40, at : at + 60] = (colour, 0.2, 0.1)
    path = studio.settings.studio.state.parent / name
    write_picture(Picture(pixels=pixels), path)
    return path


def order(file: Path, of: str, artist: Person | str = SAKURA, **others: object) -> TouchUpOrder:
    return TouchUpOrder(file=file, of=of, artists=(artist,), **others)  # type: ignore[arg-type]


def test_a_paint_over_becomes_the_next_version_on_top_of_its_parent(
    studio: JobStudio, parent: BackgroundVersion
) -> None:
    file = paint(studio, parent, "mine.png")
    before = file.read_bytes()

    taken = take_in(order(file, parent.code, minutes=45, tool="Krita 5.2"), studio.tools)

    assert taken.created
    assert (taken.code, taken.background.version) == ("c001_bg_summer_day_v002", 2)
    assert taken.background.images[:-1] == parent.images
    final = taken.background.final
    assert (final.kind, final.source_type) == (ImageKind.TOUCH_UP, SourceType.NOT_DECLARED)
    assert [(one.sha256, one.relation) for one in final.ingredients] == [
        (parent.final.sha256, Relation.PARENT)
    ]
    (painted,) = final.contributions
    assert (painted.role, painted.actor, painted.grade) == (
        Role.TOUCH_UP,
        SAKURA,
        Grade.DECLARED,
    )
    assert painted.evidence.minutes == 45
    assert "Krita 5.2" in painted.evidence.note
    assert painted.evidence.sha256 == hashlib.sha256(before).hexdigest()
    assert taken.change.area_ppm / 1e6 == pytest.approx(2400 / 38400, abs=0.005)
    assert taken.change.map_sha256 == sha256_of(taken.change_map)
    assert file.read_bytes() == before


def test_the_marked_file_holds_the_same_pixels_and_the_whole_chain(
    studio: JobStudio, parent: BackgroundVersion
) -> None:
    file = paint(studio, parent, "mine.png")

    taken = take_in(order(file, parent.code), studio.tools)

    assert np.array_equal(read_picture(taken.path).pixels, read_picture(file).pixels)
    marks = read_marks(taken.path, trust_pem=studio.tools.marks().trust_pem)
    assert marks.state is MarksState.TRUSTED
    assert len(marks.steps) == len(parent.images) + 1
    newest = next(step for step in marks.steps if step.title == taken.code)
    opened, drawing = newest.actions
    assert opened.action == "c2pa.opened"
    assert (drawing.action, drawing.source_type) == ("c2pa.edited", "composite")
    assert "not declared how it was made" in drawing.description
    assert drawing.regions == len(taken.change.regions) == 1
    assert sha256_of(taken.path) == taken.background.final.sha256


def test_the_record_beside_the_file_and_the_ledger_hold_what_was_measured(
    studio: JobStudio, parent: BackgroundVersion
) -> None:
    with studio.database.begin() as connection:
        entries = size(connection)

    taken = take_in(order(paint(studio, parent, "mine.png"), parent.code), studio.tools)

    assert [path.name for path in taken.files] == [
        "c001_bg_summer_day_v002.png",
        "c001_bg_summer_day_v002.png.json",
        "c001_bg_summer_day_v002_change.png",
    ]
    record = json.loads(taken.files[1].read_text("utf-8"))["record"]
    (painted,) = record["images"][-1]["contributions"]
    assert painted["evidence"]["change"]["area_ppm"] == taken.change.area_ppm
    with studio.database.begin() as connection:
        assert size(connection) == entries + 1
    assert taken.background.ledger[-1] == entries


def test_the_tracker_shows_the_version_by_its_painter_on_top_of_the_parent(
    studio: JobStudio, parent: BackgroundVersion
) -> None:
    taken = take_in(order(paint(studio, parent, "mine.png"), parent.code), studio.tools)

    request = studio.tracker.published[taken.background.key]
    assert (request.code, request.artist) == (taken.code, SAKURA)
    assert [image.type for image in request.images] == ["Background Touch-up"]
    assert request.images[0].file.path == taken.path
    assert "touch_up: Sakura Ito (HumanUser:21)" in request.roles.splitlines()
    assert "Sakura Ito" in request.credit_en
    assert "伊藤さくら" in request.credit_ja
    assert "% of the area" in request.description
    assert taken.background.tracker_id is not None
    known = standing(studio, taken.code)
    assert known is not None
    assert known.tracker_id == taken.background.tracker_id
    assert request.layout.path.parent.name == "layout"


def test_the_same_file_again_returns_what_stands(
    studio: JobStudio, parent: BackgroundVersion
) -> None:
    wanted = order(paint(studio, parent, "mine.png"), parent.code)
    first = take_in(wanted, studio.tools)
    files = studio.files

    again = take_in(wanted, studio.tools)

    assert not again.created
    assert again.background == first.background
    assert again.change == first.change
    assert studio.files == files


def test_the_file_of_another_artist_is_not_taken_in_twice(
    studio: JobStudio, parent: BackgroundVersion
) -> None:
    file = paint(studio, parent, "mine.png")
    take_in(order(file, parent.code), studio.tools)

    with pytest.raises(PainterDisputed, match="by Sakura Ito, and not by Riku Mori") as asked:
        take_in(order(file, parent.code, RIKU), studio.tools)
    assert f"--of {parent.code} --artist HumanUser:22 --reason" in str(asked.value)

    both = take_in(order(file, parent.code, RIKU, reason="we shared the sky"), studio.tools)

    assert not both.created
    first, second = both.background.final.contributions
    assert (first.actor, second.actor) == (SAKURA, RIKU)
    assert second.grade is Grade.DECLARED
    assert "reason as declared: we shared the sky" in second.evidence.note
    again = take_in(order(file, parent.code, RIKU), studio.tools)
    assert again.background == both.background


def test_whoever_approved_a_touch_up_is_not_taken_for_one_who_painted_it(
    studio: JobStudio, parent: BackgroundVersion
) -> None:
    file = paint(studio, parent, "mine.png")
    taken = take_in(order(file, parent.code), studio.tools)
    with studio.database.begin() as connection:
        approved = a_contribution(Role.APPROVAL, RIKU, source="Version status")
        records.contribute(connection, taken.background.final.key, approved)

    with pytest.raises(PainterDisputed, match="by Sakura Ito, and not by Riku Mori"):
        take_in(order(file, parent.code, RIKU), studio.tools)
    both = take_in(order(file, parent.code, RIKU, reason="we shared the sky"), studio.tools)

    painted = [one for one in both.background.final.contributions if one.role is Role.TOUCH_UP]
    assert [one.actor for one in painted] == [SAKURA, RIKU]


@pytest.mark.parametrize("erased", [False, True])
def test_marks_do_not_name_who_was_withheld_here_and_is_named_by_the_tracker(
    studio: JobStudio, parent: BackgroundVersion, *, erased: bool
) -> None:
    take_in(order(paint(studio, parent, "first.png"), parent.code), studio.tools)
    with studio.database.begin() as connection:
        decide = people.erase if erased else people.opt_out
        decide(connection, SAKURA.id, "letter of 2026-10-02")

    file = paint(studio, parent, "second.png", at=90, colour=0.1)
    taken = take_in(order(file, parent.code), studio.tools)

    assert b"Sakura" not in taken.path.read_bytes()
    assert "伊藤さくら".encode() not in taken.path.read_bytes()
    assert WITHHELD.encode() in taken.path.read_bytes()


def test_marks_name_people_as_they_were_renamed_here(
    studio: JobStudio, parent: BackgroundVersion
) -> None:
    take_in(order(paint(studio, parent, "first.png"), parent.code), studio.tools)
    with studio.database.begin() as connection:
        people.rename(connection, SAKURA.id, name="Sakura Abe")

    file = paint(studio, parent, "second.png", at=90, colour=0.1)
    taken = take_in(order(file, parent.code), studio.tools)

    assert b"Sakura Abe" in taken.path.read_bytes()
    assert b"Sakura Ito" not in taken.path.read_bytes()


def test_the_touch_up_of_another_artist_is_not_taken_in_on_another_version(
    studio: JobStudio, parent: BackgroundVersion
) -> None:
    file = paint(studio, parent, "mine.png")
    theirs = take_in(order(file, parent.code), studio.tools)
    other = take_in(
        order(paint(studio, parent, "other.png", at=90, colour=0.1), parent.code, RIKU),
        studio.tools,
    )

    with pytest.raises(PainterDisputed, match=f"as {theirs.code} by Sakura Ito"):
        take_in(order(file, other.code, RIKU), studio.tools)
    with pytest.raises(NothingPainted, match=f"shows what {theirs.code} shows"):
        take_in(order(file, other.code, SAKURA), studio.tools)


def test_several_artists_of_one_touch_up_are_each_named(
    studio: JobStudio, parent: BackgroundVersion
) -> None:
    file = paint(studio, parent, "ours.png")
    shared = TouchUpOrder(file=file, of=parent.code, artists=(SAKURA, RIKU, SAKURA))

    taken = take_in(shared, studio.tools)

    final = taken.background.final
    assert [(one.actor, one.grade) for one in final.contributions] == [
        (SAKURA, Grade.DECLARED),
        (RIKU, Grade.DECLARED),
    ]
    assert "Touch-up Sakura Ito, Riku Mori" in credit_line(taken.background.images).en
    marks = read_marks(taken.path, trust_pem=studio.tools.marks().trust_pem)
    assert {person.name for person in marks.steps[-1].people} == {"Sakura Ito", "Riku Mori"}


def test_a_second_artist_is_named_beside_the_first(
    studio: JobStudio, parent: BackgroundVersion
) -> None:
    first = take_in(order(paint(studio, parent, "one.png"), parent.code), studio.tools)
    file = paint(studio, first.background, "two.png", at=90, colour=0.1)

    second = take_in(order(file, first.code, RIKU), studio.tools)

    assert second.code == "c001_bg_summer_day_v003"
    line = credit_line(second.background.images)
    assert "Sakura Ito" in line.en
    assert "Riku Mori" in line.en
    assert "Aoi Sato" in line.en
    (painted,) = second.background.final.contributions
    assert painted.actor == RIKU
    marks = read_marks(second.path, trust_pem=studio.tools.marks().trust_pem)
    assert marks.state is MarksState.TRUSTED
    assert len(marks.steps) == len(parent.images) + 2


@pytest.mark.parametrize("how", ["same.png", "deep.tif", "q90.jpg", "float.exr", "words.png"])
def test_a_file_in_which_nothing_was_painted_is_a_conversion_and_credits_nobody(
    studio: JobStudio, parent: BackgroundVersion, how: str
) -> None:
    file = studio.settings.studio.state.parent / how
    words = {"Description": "my work"} if how == "words.png" else {}
    picture = read_picture(file_of(studio, parent))
    write_picture(picture, file, bits=16 if how == "deep.tif" else 8, attributes=words)
    files, entries = studio.files, ledger_size(studio)

    with pytest.raises(NothingPainted, match="saved by Sakura Ito; nobody is credited") as answer:
        take_in(order(file, parent.code), studio.tools)

    assert "--artist HumanUser:21 --reason" in str(answer.value)
    assert (studio.files, ledger_size(studio)) == (files, entries)
    (job,) = [one for one in studio.store.list() if one.kind is JobKind.TOUCH_UP]
    assert (job.state, job.layout) == (JobState.SKIPPED, str(file))
    assert "saved by Sakura Ito" in job.note


def test_a_conversion_is_insisted_on_with_a_reason_and_credited_as_declared(
    studio: JobStudio, parent: BackgroundVersion
) -> None:
    file = studio.settings.studio.state.parent / "faint.png"
    write_picture(read_picture(file_of(studio, parent)), file, bits=8)

    taken = take_in(
        order(file, parent.code, reason="one stroke, too faint", grade=Grade.LOGGED), studio.tools
    )

    (painted,) = taken.background.final.contributions
    assert (painted.actor, painted.grade) == (SAKURA, Grade.DECLARED)
    assert "reason as declared: one stroke, too faint" in painted.evidence.note
    sealed = json.loads(taken.path.with_name(f"{taken.path.name}.json").read_text())
    assert "too faint" in json.dumps(sealed)
    (touched,) = [one for one in facets(taken.background) if one.facet is Facet.TOUCH_UP]
    assert (touched.state, touched.grade) == (FacetState.DECLARED, Grade.DECLARED)
    assert b"declared by a person; no change was measured" in taken.path.read_bytes()


def test_an_earlier_version_saved_again_is_no_touch_up_of_a_later_one(
    studio: JobStudio, parent: BackgroundVersion
) -> None:
    later = take_in(order(paint(studio, parent, "one.png"), parent.code), studio.tools)
    file = studio.settings.studio.state.parent / "old.jpg"
    write_picture(read_picture(file_of(studio, parent)), file)

    with pytest.raises(NothingPainted, match=f"shows what {parent.code} shows"):
        take_in(order(file, later.code, RIKU), studio.tools)


def ledger_size(studio: JobStudio) -> int:
    with studio.database.begin() as connection:
        return size(connection)


def test_the_parent_can_be_named_by_its_file(studio: JobStudio, parent: BackgroundVersion) -> None:
    taken = take_in(order(paint(studio, parent, "mine.png"), parent.final.sha256), studio.tools)

    assert taken.background.images[:-1] == parent.images


@pytest.mark.parametrize("of", ["c009_bg_summer_day_v001", "0" * 64, ""])
def test_a_version_that_nobody_knows_is_refused(
    studio: JobStudio, parent: BackgroundVersion, of: str
) -> None:
    with pytest.raises(TouchUpRefused, match="No version of ours"):
        take_in(order(paint(studio, parent, "mine.png"), of), studio.tools)


def test_a_step_on_the_way_is_no_version(studio: JobStudio, parent: BackgroundVersion) -> None:
    with pytest.raises(TouchUpRefused, match="by its code"):
        take_in(order(paint(studio, parent, "mine.png"), parent.images[1].sha256), studio.tools)


def test_an_unrelated_picture_is_refused_and_leaves_nothing(
    studio: JobStudio, parent: BackgroundVersion, tmp_path: Path
) -> None:
    scene = draw(Scene(kind=SceneKind.LAKE, width=240, height=160, seed=3))
    path = tmp_path / "other.png"
    write_picture(scene.picture(), path)
    files = studio.files

    with pytest.raises(TouchUpRefused, match="does not show what c001_bg_summer_day_v001 shows"):
        take_in(order(path, parent.code), studio.tools)

    assert studio.files == files
    assert standing(studio, "c001_bg_summer_day_v002") is None


def test_the_version_itself_is_no_paint_over(studio: JobStudio, parent: BackgroundVersion) -> None:
    with pytest.raises(TouchUpRefused, match="nothing was painted"):
        take_in(order(file_of(studio, parent), parent.code), studio.tools)


def test_nothing_is_signed_on_top_of_a_parent_that_was_tampered_with(
    studio: JobStudio, parent: BackgroundVersion
) -> None:
    file = paint(studio, parent, "mine.png")
    path = file_of(studio, parent)
    content = bytearray(path.read_bytes())
    content[-30] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)

    with pytest.raises(MarksBroken):
        take_in(order(file, parent.code), studio.tools)


def test_another_picture_in_the_parents_place_is_refused(
    studio: JobStudio, parent: BackgroundVersion
) -> None:
    file = paint(studio, parent, "mine.png")
    path = file_of(studio, parent)
    path.chmod(0o644)
    write_picture(read_picture(file), path)

    with pytest.raises(TouchUpRefused, match="was changed"):
        take_in(order(file, parent.code), studio.tools)


def test_a_file_that_is_no_picture_is_refused(
    studio: JobStudio, parent: BackgroundVersion, tmp_path: Path
) -> None:
    path = tmp_path / "notes.png"
    path.write_bytes(b"not a picture")

    with pytest.raises(ImageUnreadable):
        take_in(order(path, parent.code), studio.tools)
    with pytest.raises(ImageUnreadable, match="cannot be read"):
        take_in(order(tmp_path / "gone.png", parent.code), studio.tools)


def test_nobody_paints_without_a_name(studio: JobStudio, parent: BackgroundVersion) -> None:
    file = paint(studio, parent, "mine.png")

    for nobody in ("", Person(id="HumanUser:9", name="")):
        with pytest.raises(CreditError):
            take_in(order(file, parent.code, nobody), studio.tools)


def test_a_name_is_looked_up_in_the_settings(open_studio: OpenJobStudio) -> None:
    studio = open_studio(
        people=[{"name": "Sakura Ito", "name_ja": "伊藤さくら", "logins": ["sakura"]}]
    )
    parent = published(studio)

    taken = take_in(order(paint(studio, parent, "mine.png"), parent.code, "sakura"), studio.tools)

    (person,) = taken.background.final.people
    assert (person.name, person.name_ja) == ("Sakura Ito", "伊藤さくら")


def test_declared_generative_fill_is_recorded_as_the_tools_part(
    studio: JobStudio, parent: BackgroundVersion
) -> None:
    file = paint(studio, parent, "mine.png")

    taken = take_in(
        order(file, parent.code, tool="Adobe Photoshop 27.0", used_generative_fill=True),
        studio.tools,
    )

    final = taken.background.final
    assert final.source_type is SourceType.COMPOSITE_TRAINED
    painted, filled = final.contributions
    assert painted.actor == SAKURA
    assert (filled.role, filled.grade) == (Role.AI_GENERATION, Grade.DECLARED)
    request = studio.tracker.published[taken.background.key]
    assert request.source_type == "compositeWithTrainedAlgorithmicMedia"
    fill = "Generative fill of Adobe Photoshop 27.0"
    assert f"AI generation {fill} (operator not recorded)" in request.credit_en
    assert f"{fill}（操作者の記録なし）" in request.credit_ja
    assert "Flat 1 (run by pipeline)" in request.credit_en
    marks = read_marks(taken.path, trust_pem=studio.tools.marks().trust_pem)
    assert marks.state is MarksState.TRUSTED
    assert marks.says_ai
    assert (marks.steps[-1].model, marks.steps[-1].oversight) == (fill, "")


def test_a_model_that_the_file_itself_names_is_recorded_undeclared(
    studio: JobStudio, parent: BackgroundVersion
) -> None:
    file = paint(studio, parent, "mine.png")
    said = {"parameters": "a harbour\nSteps: 20, Sampler: Euler a, CFG scale: 7"}
    write_picture(read_picture(file), file, attributes=said)

    final = take_in(order(file, parent.code), studio.tools).background.final

    assert final.source_type is SourceType.COMPOSITE_TRAINED
    assert final.contributions[1].grade is Grade.LOGGED
    assert "marks in the file" in final.contributions[1].evidence.source


@pytest.mark.parametrize("ending", ["tif", "jpg", "exr"])
def test_other_formats_come_home_in_their_own(
    studio: JobStudio, parent: BackgroundVersion, ending: str
) -> None:
    file = paint(studio, parent, f"mine.{ending}")

    taken = take_in(order(file, parent.code), studio.tools)

    assert taken.path.suffix == f".{ending}"
    assert taken.background.final.pixels_sha256 == read_picture(file).sha256()
    assert taken.background.final.fingerprint == fingerprint_text(read_picture(file)) != ""
    marks = read_marks(taken.path, trust_pem=studio.tools.marks().trust_pem)
    assert marks.state in {MarksState.TRUSTED, MarksState.UNTRUSTED}
    assert taken.change.area_ppm / 1e6 == pytest.approx(2400 / 38400, abs=0.006)
    if ending == "exr":
        assert taken.path.read_bytes() == file.read_bytes()
        assert {path.suffix for path in taken.files} >= {".c2pa", ".xmp"}
        review = studio.tracker.published[taken.background.key].review_image
        assert review.suffix == ".jpg"


def test_when_the_tracker_is_away_the_next_try_goes_on_from_there(
    studio: JobStudio, parent: BackgroundVersion
) -> None:
    wanted = order(paint(studio, parent, "mine.png"), parent.code)
    studio.tracker.failures = [TrackerUnavailable("away")]
    with pytest.raises(TrackerUnavailable):
        take_in(wanted, studio.tools)
    assert standing(studio, "c001_bg_summer_day_v002") is None

    taken = take_in(wanted, studio.tools)

    assert taken.background.tracker_id is not None


def test_a_crash_between_record_and_tracker_makes_nothing_twice(
    studio: JobStudio, parent: BackgroundVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = order(paint(studio, parent, "mine.png"), parent.code)
    with monkeypatch.context() as patch:

        def away(_: object) -> None:
            raise TrackerUnavailable("away")

        patch.setattr(studio.tracker, "publish", away, raising=True)
        with pytest.raises(TrackerUnavailable):
            take_in(wanted, studio.tools)
    recorded = standing(studio, "c001_bg_summer_day_v002")
    assert recorded is not None
    assert recorded.tracker_id is None
    with studio.database.begin() as connection:
        entries = size(connection)

    taken = take_in(wanted, studio.tools)

    assert taken.background.final == recorded.final
    assert taken.background.tracker_id is not None
    with studio.database.begin() as connection:
        assert size(connection) == entries


def test_comparing_alone_writes_nothing(
    studio: JobStudio, parent: BackgroundVersion, tmp_path: Path
) -> None:
    file = paint(studio, parent, "mine.png")
    files = studio.files

    examined = compare(order(file, parent.code), studio.tools, tmp_path / "copy")

    assert examined.measured.change.area_ppm / 1e6 == pytest.approx(2400 / 38400, abs=0.005)
    assert studio.files == files
    assert standing(studio, "c001_bg_summer_day_v002") is None
