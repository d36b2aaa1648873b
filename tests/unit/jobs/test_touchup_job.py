"""A touch-up comes home by itself: what it is on is found, or people are asked."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from haikei.credits import Grade, Person, Relation, people
from haikei.database import notices, reading
from haikei.errors import NothingPainted, TrackerUnavailable
from haikei.events import Source, TouchUpPublished
from haikei.images import read_picture, write_picture
from haikei.jobs import Job, JobKind, JobState, TouchUpOrder
from haikei.jobs.touchup import compare, open_questions, shown_by, take_in
from haikei.provenance import MarkedIngredient, mark
from haikei.provenance.formats.png import read_metadata, write_xmp
from haikei.trackers import PaintOver
from support.jobs import (
    PLACE,
    RIKU,
    SAKURA,
    JobStudio,
    QuestionTracker,
    announce_touch_up,
    another_drawing,
    file_of,
    job_studios,
    make_background,
    paint,
    touch_up_event,
    version_of,
    versions,
)
from support.pictures import Dab, layered_psd, save_psd
from support.signing import mark_request


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[JobStudio]:
    people = [
        {"name": "Sakura Ito", "name_ja": "伊藤さくら", "logins": ["sakura.ito"]},
        {"name": "Riku Mori", "id": "HumanUser:22"},
    ]
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)(people=people)


@pytest.fixture
def tracker(studio: JobStudio) -> QuestionTracker:
    return make_background(studio)


def touch_ups(studio: JobStudio) -> list[Job]:
    return [job for job in studio.store.list() if job.kind is JobKind.TOUCH_UP]


def note_of(studio: JobStudio, number: int) -> str:
    return version_of(studio, number).final.contributions[0].evidence.note


def painters(studio: JobStudio, number: int) -> list[str]:
    images = version_of(studio, number).images
    found = (
        one.actor.name
        for image in images
        for one in image.contributions
        if one.role.value == "touch_up" and isinstance(one.actor, Person)
    )
    return list(found)


@pytest.mark.usefixtures("tracker")
def test_what_the_name_of_a_file_says_is_enough(studio: JobStudio) -> None:
    file = paint(studio, version_of(studio, 1), "mine.png")

    announce_touch_up(
        studio,
        touch_up_event(file, season="summer", time="day", version=1, artist_name="Sakura_Ito"),
    )

    assert versions(studio) == ["c001_bg_summer_day_v001", "c001_bg_summer_day_v002"]
    assert painters(studio, 2) == ["Sakura Ito"]
    assert "found by the file's name" in note_of(studio, 2)
    (job,) = touch_ups(studio)
    assert (job.state, job.version_code) == (JobState.DONE, "c001_bg_summer_day_v002")


@pytest.mark.usefixtures("tracker")
def test_the_trackers_link_outranks_the_name_and_a_second_artist_is_added(
    studio: JobStudio,
) -> None:
    first = version_of(studio, 1)
    announce_touch_up(
        studio, touch_up_event(paint(studio, first, "a.png"), version=1, artist=SAKURA)
    )
    second = version_of(studio, 2)
    file = paint(studio, second, "b.png", at=80)

    announce_touch_up(
        studio,
        touch_up_event(
            file, version=1, artist=RIKU, published_file=9, versions=(77, second.tracker_id)
        ),
    )

    third = version_of(studio, 3)
    assert third.final.ingredients[0].sha256 == second.final.sha256
    assert painters(studio, 3) == ["Sakura Ito", "Riku Mori"]
    assert "tracker's link of PublishedFile 9" in note_of(studio, 3)


@pytest.mark.usefixtures("tracker")
def test_marks_that_a_paint_program_kept_tell_the_parent(studio: JobStudio, tmp_path: Path) -> None:
    parent = version_of(studio, 1)
    below = file_of(studio, parent)
    kept = mark(
        mark_request(
            paint(studio, parent, "plain.png"),
            tmp_path / "painted.png",
            ingredients=(
                MarkedIngredient(path=below, relation=Relation.PARENT, title=parent.code),
            ),
        ),
        studio.tools.marks(),
    )

    announce_touch_up(studio, touch_up_event(kept.path, artist=SAKURA))

    assert "found by the C2PA marks in the file" in note_of(studio, 2)


@pytest.mark.usefixtures("tracker")
def test_xmp_that_a_paint_program_kept_tells_the_parent(studio: JobStudio, tmp_path: Path) -> None:
    parent = version_of(studio, 1)
    plain, file = paint(studio, parent, "plain.png", at=60), tmp_path / "kept.png"
    with file_of(studio, parent).open("rb") as published:
        packet = read_metadata(published).xmp
    assert packet is not None
    with plain.open("rb") as source, file.open("wb") as target:
        write_xmp(source, target, packet)

    announce_touch_up(studio, touch_up_event(file, artist=SAKURA))

    assert "found by the XMP in the file" in note_of(studio, 2)


@pytest.mark.usefixtures("tracker")
def test_a_psd_that_says_what_its_own_parent_was_is_not_passed_over(
    studio: JobStudio, tmp_path: Path
) -> None:
    """Nothing is written into a PSD: the next artist's program finds the first version's XMP."""
    with file_of(studio, version_of(studio, 1)).open("rb") as published:
        packet = read_metadata(published).xmp
    assert packet is not None

    def paint_in_photoshop(over: int, dab: Dab, artist: Person, name: str) -> None:
        picture = read_picture(file_of(studio, version_of(studio, over)))
        file = save_psd(layered_psd(picture, [dab]), tmp_path / name, xmp=packet)
        announce_touch_up(studio, touch_up_event(file, artist=artist))

    red = Dab(box=(0.1, 0.1, 0.3, 0.4), colour=(230, 40, 40))
    green = Dab(box=(0.6, 0.5, 0.9, 0.9), colour=(40, 160, 60))
    paint_in_photoshop(1, red, SAKURA, "a.psd")
    paint_in_photoshop(2, green, RIKU, "b.psd")
    paint_in_photoshop(1, green, RIKU, "c.psd")

    assert [painters(studio, number) for number in (2, 3, 4)] == [
        ["Sakura Ito"],
        ["Sakura Ito", "Riku Mori"],
        ["Riku Mori"],
    ]
    assert "found by the XMP in the file" in note_of(studio, 2)
    assert "which 2 versions hold, and by the paint it shows" in note_of(studio, 3)
    assert "which 3 versions hold, and by the paint it shows" in note_of(studio, 4)


@pytest.mark.parametrize("name", ["Midjourney v7", "Adobe Firefly", "ミッドジャーニー"])
@pytest.mark.usefixtures("tracker")
def test_whom_a_layer_of_a_psd_is_called_after_is_nobody_who_painted(
    studio: JobStudio, tmp_path: Path, name: str
) -> None:
    with file_of(studio, version_of(studio, 1)).open("rb") as published:
        packet = read_metadata(published).xmp
    assert packet is not None
    picture = read_picture(file_of(studio, version_of(studio, 1)))
    red = Dab(box=(0.1, 0.1, 0.3, 0.4), colour=(230, 40, 40))
    document = layered_psd(picture, [red], layer=name)
    file = save_psd(document, tmp_path / "a.psd", xmp=packet)

    announce_touch_up(studio, touch_up_event(file, artist=SAKURA))

    assert painters(studio, 2) == ["Sakura Ito"]
    with reading(studio.database) as connection:
        assert name not in {one.name for one in people.everyone(connection)}


@pytest.mark.parametrize("name", ["Midjourney v7", "Adobe Firefly", "ミッドジャーニー"])
@pytest.mark.usefixtures("tracker")
def test_a_paint_over_that_the_tracker_has_from_a_machine_credits_nobody(
    studio: JobStudio, name: str
) -> None:
    """By the row's `created_by`, and by what the file is called."""
    place: Any = {"season": "summer", "time": "day", "version": 1}
    linked = paint(studio, version_of(studio, 1), "a.png")
    named = paint(studio, version_of(studio, 1), "b.png", at=60)

    person = Person(id="HumanUser:99", name=name)
    announce_touch_up(studio, touch_up_event(linked, artist=person, **place))
    announce_touch_up(studio, touch_up_event(named, artist_name=name.replace(" ", "_"), **place))

    by_name, by_link = touch_ups(studio)
    for dead in (by_name, by_link):
        assert (dead.state, dead.error_kind) == (JobState.DEAD, "CreditError")
    assert f"{name!r} is the name of a machine" in by_link.error
    assert "in its name is nobody we know" in by_name.error
    assert len(versions(studio)) == 1


@pytest.mark.usefixtures("tracker")
def test_where_paint_hides_what_a_psd_was_painted_over_people_are_asked(
    studio: JobStudio, tmp_path: Path
) -> None:
    with file_of(studio, version_of(studio, 1)).open("rb") as published:
        packet = read_metadata(published).xmp
    assert packet is not None
    dab = Dab(box=(0.2, 0.2, 0.6, 0.6), colour=(230, 40, 40))
    over = Dab(box=(0.1, 0.1, 0.7, 0.7), colour=(40, 160, 60))
    for name, artist, paint_of in (("a.psd", SAKURA, [dab]), ("b.psd", RIKU, [dab, over])):
        picture = read_picture(file_of(studio, version_of(studio, 1)))
        file = save_psd(layered_psd(picture, paint_of), tmp_path / name, xmp=packet)
        announce_touch_up(studio, touch_up_event(file, artist=artist))

    dead = touch_ups(studio)[0]
    assert dead.error_kind == "ParentUnknown"
    assert "may be painted over any of c001_bg_summer_day_v001, c001_bg" in dead.error
    assert len(versions(studio)) == 2


@pytest.mark.usefixtures("tracker")
def test_a_picture_alone_is_known_by_what_it_shows(studio: JobStudio) -> None:
    announce_touch_up(
        studio, touch_up_event(paint(studio, version_of(studio, 1), "x.png"), artist=SAKURA)
    )

    assert "found by what it shows" in note_of(studio, 2)


def test_an_unrelated_picture_asks_once_and_is_never_guessed(
    studio: JobStudio, tracker: QuestionTracker, tmp_path: Path
) -> None:
    file = tmp_path / "other.png"
    write_picture(another_drawing(), file, bits=8)
    tracker.desk.failures.append(TrackerUnavailable("away"))

    announce_touch_up(studio, touch_up_event(file, artist=SAKURA))
    studio.store.retry(touch_ups(studio)[0].key)
    studio.work()

    (job,) = touch_ups(studio)
    assert (job.state, job.error_kind) == (JobState.DEAD, "ParentUnknown")
    with reading(studio.database) as connection:
        (question,) = open_questions(connection, PLACE.project)
        told = connection.execute(select(notices).order_by(notices.c.key)).all()
    assert (question.place, question.file, question.artist) == (PLACE, "other.png", "Sakura Ito")
    assert question.url == "http://tracker.test/detail/Note/1"
    assert "Link the published file to the version's file" in question.todo
    # Once for each time that it was tried, with the one Note.
    assert [(one.kind, one.text, one.url) for one in told] == [
        ("touch_up", question.text, question.url)
    ] * 2
    (note,) = tracker.desk.notes.values()
    assert "Nothing tells which version of PORT/s01/c001 other.png is painted over" in note.text
    assert [link.type for link in note.links] == ["Version", "Shot"]
    assert versions(studio) == ["c001_bg_summer_day_v001"]


def test_a_wrong_link_is_not_believed_and_people_are_asked(
    studio: JobStudio, tracker: QuestionTracker, tmp_path: Path
) -> None:
    announce_touch_up(
        studio,
        touch_up_event(paint(studio, version_of(studio, 1), "a.png"), version=1, artist=SAKURA),
    )
    file = tmp_path / "other.png"
    write_picture(another_drawing(), file, bits=8)
    wrong = touch_up_event(
        file, artist=RIKU, published_file=9, versions=(version_of(studio, 2).tracker_id,)
    )

    announce_touch_up(studio, wrong)

    assert touch_ups(studio)[0].error_kind == "ParentUnknown"
    assert len(tracker.desk.notes) == 1
    assert len(versions(studio)) == 2


@pytest.mark.usefixtures("tracker")
def test_nobody_is_taken_in_unnamed_until_the_tracker_says_who_it_was(studio: JobStudio) -> None:
    file = paint(studio, version_of(studio, 1), "mine.png")
    from_folder = touch_up_event(file, version=1, artist_name="somebody")
    announce_touch_up(studio, from_folder)
    (dead,) = touch_ups(studio)
    assert (dead.state, dead.error_kind) == (JobState.DEAD, "CreditError")
    assert "somebody" in dead.error

    announce_touch_up(
        studio, touch_up_event(file, artist=RIKU, published_file=5, source=Source.EVENT_LOG)
    )

    (job,) = touch_ups(studio)
    assert (job.state, painters(studio, 2)) == (JobState.DONE, ["Riku Mori"])
    announce_touch_up(studio, from_folder)
    assert len(versions(studio)) == 2


def of_several(studio: JobStudio, tracker: QuestionTracker, file: Path) -> TouchUpPublished:
    """Return the event of a row that a script published for a task of two people."""
    both = PaintOver(artists=(), source="Task:5 assignee", versions=(), candidates=(SAKURA, RIKU))
    row = tracker.feed.publish(str(file), place=PLACE, painted=both, silent=True)
    nothing = touch_up_event(file, published_file=row, version=1, source=Source.EVENT_LOG)
    return replace(nothing, candidates=both.candidates, artist_source=both.source)


def test_of_several_on_the_task_nobody_is_credited_until_the_tracker_names_one(
    studio: JobStudio, tracker: QuestionTracker
) -> None:
    event = of_several(studio, tracker, paint(studio, version_of(studio, 1), "mine.png"))

    announce_touch_up(studio, event)

    (dead,) = touch_ups(studio)
    assert (dead.state, dead.error_kind) == (JobState.DEAD, "PainterUnnamed")
    assert "Sakura Ito (HumanUser:21), Riku Mori (HumanUser:22)" in dead.error
    assert len(versions(studio)) == 1
    (question,) = tracker.desk.notes.values()
    assert question.subject == "Who painted mine.png?"
    with reading(studio.database) as connection:
        (asked,) = open_questions(connection, PLACE.project)
    assert asked.artist == "(not yet named)"

    row = event.published_file or 0
    alone = PaintOver(artists=(RIKU,), source="Task:5 assignee", versions=())
    tracker.feed.rows[row] = replace(tracker.feed.rows[row], painted=alone)
    studio.store.retry(dead.key)
    studio.work()

    (job,) = touch_ups(studio)
    assert (job.state, painters(studio, 2)) == (JobState.DONE, ["Riku Mori"])
    assert len(tracker.desk.notes) == 1


def test_a_name_in_the_path_answers_which_of_several_painted(
    studio: JobStudio, tracker: QuestionTracker
) -> None:
    event = of_several(studio, tracker, paint(studio, version_of(studio, 1), "mine.png"))

    announce_touch_up(studio, replace(event, artist_name="Riku_Mori"))

    assert painters(studio, 2) == ["Riku Mori"]
    assert tracker.desk.notes == {}


def test_a_conversion_for_a_task_of_several_asks_nobody(
    studio: JobStudio, tracker: QuestionTracker, tmp_path: Path
) -> None:
    saved = tmp_path / "saved.tif"
    write_picture(read_picture(file_of(studio, version_of(studio, 1))), saved, bits=8)

    announce_touch_up(studio, of_several(studio, tracker, saved))

    (job,) = touch_ups(studio)
    assert (job.state, len(versions(studio))) == (JobState.SKIPPED, 1)
    assert "conversion" in job.note


def test_our_own_picture_is_no_touch_up(studio: JobStudio, tracker: QuestionTracker) -> None:
    announce_touch_up(
        studio, touch_up_event(file_of(studio, version_of(studio, 1)), artist=SAKURA, version=1)
    )

    assert touch_ups(studio) == []
    assert tracker.desk.notes == {}


@pytest.mark.usefixtures("tracker")
def test_a_kill_after_it_was_taken_in_makes_no_second_version(studio: JobStudio) -> None:
    file = paint(studio, version_of(studio, 1), "mine.png")
    studio.engine.cut = "take_in"

    announce_touch_up(studio, touch_up_event(file, version=1, artist=SAKURA))

    assert len(versions(studio)) == 2
    assert touch_ups(studio)[0].state is JobState.DONE


@pytest.mark.parametrize(
    "known", [{"version": 1, "artist_name": "Sakura_Ito"}, {"artist": SAKURA, "published_file": 9}]
)
def test_an_untouched_copy_from_every_source_is_answered_as_a_conversion(
    studio: JobStudio, tracker: QuestionTracker, tmp_path: Path, known: dict[str, object]
) -> None:
    file = tmp_path / "saved.tif"
    write_picture(read_picture(file_of(studio, version_of(studio, 1))), file, bits=8)

    announce_touch_up(studio, touch_up_event(file, **known))  # type: ignore[arg-type]

    (job,) = touch_ups(studio)
    assert (job.state, job.error_kind) == (JobState.SKIPPED, "NothingPainted")
    assert "It is a conversion, saved by Sakura Ito" in job.note
    (note,) = tracker.desk.notes.values()
    assert note.subject == "saved.tif is a conversion: nothing was painted"
    assert f"haikei touchup {file} --of c001_bg_summer_day_v001 --artist" in note.text
    assert versions(studio) == ["c001_bg_summer_day_v001"]
    with reading(studio.database) as connection:
        assert open_questions(connection, PLACE.project) == ()
        assert connection.execute(select(notices)).all() == []


def test_the_same_file_by_a_second_person_asks_and_the_answer_is_declared(
    studio: JobStudio, tracker: QuestionTracker
) -> None:
    file = paint(studio, version_of(studio, 1), "mine.png")
    announce_touch_up(studio, touch_up_event(file, version=1, artist_name="Sakura_Ito"))
    made = version_of(studio, 2)

    announce_touch_up(studio, touch_up_event(file, version=1, artist=RIKU, published_file=9))

    (job,) = touch_ups(studio)
    assert (job.state, job.error_kind) == (JobState.DEAD, "PainterDisputed")
    assert painters(studio, 2) == ["Sakura Ito"]
    (note,) = tracker.desk.notes.values()
    assert note.subject == "Who painted mine.png?"
    assert "--artist HumanUser:22 --reason" in note.text
    with reading(studio.database) as connection:
        assert len(open_questions(connection, PLACE.project)) == 1

    answer = TouchUpOrder(
        file=file, of="c001_bg_summer_day_v001", artists=(RIKU,), reason="we shared the sky"
    )
    take_in(answer, studio.tools)

    assert painters(studio, 2) == ["Sakura Ito", "Riku Mori"]
    added = version_of(studio, 2).final.contributions[-1]
    assert (added.grade, "we shared the sky" in added.evidence.note) == (Grade.DECLARED, True)
    assert version_of(studio, 2).final.sha256 == made.final.sha256
    assert touch_ups(studio)[0].state is JobState.DONE


@pytest.mark.usefixtures("tracker")
def test_a_file_name_with_several_artists_names_each_and_none_in_part(studio: JobStudio) -> None:
    file = paint(studio, version_of(studio, 1), "ours.png")
    known = {"version": 1, "artist": SAKURA, "published_file": 9}

    announce_touch_up(
        studio,
        touch_up_event(file, artist_name="Sakura_Ito+nobody", **known),  # type: ignore[arg-type]
    )
    (job,) = touch_ups(studio)
    assert (job.state, job.error_kind) == (JobState.DEAD, "CreditError")
    assert "'nobody' in its name is nobody we know" in job.error

    announce_touch_up(
        studio,
        touch_up_event(file, artist_name="Sakura_Ito+Riku_Mori", **known),  # type: ignore[arg-type]
    )
    assert painters(studio, 2) == ["Sakura Ito", "Riku Mori"]
    assert {one.grade for one in version_of(studio, 2).final.contributions} == {Grade.DECLARED}


@pytest.mark.usefixtures("tracker")
def test_who_published_in_the_tracker_is_logged_and_only_the_area_measured(
    studio: JobStudio,
) -> None:
    file = paint(studio, version_of(studio, 1), "mine.png")

    announce_touch_up(studio, touch_up_event(file, version=1, artist=SAKURA, published_file=9))

    (painted,) = version_of(studio, 2).final.contributions
    assert (painted.grade, painted.evidence.source) == (Grade.LOGGED, "PublishedFile:9 created_by")
    assert painted.evidence.change is not None


@pytest.mark.parametrize("name", ["", "xyz_nobody", "Midjourney", "Sakura_Ito+nobody"])
def test_an_untouched_copy_is_a_conversion_whoever_saved_it(
    studio: JobStudio, tracker: QuestionTracker, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "saved.tif"
    write_picture(read_picture(file_of(studio, version_of(studio, 1))), file, bits=8)

    announce_touch_up(studio, touch_up_event(file, version=1, artist_name=name))

    (job,) = touch_ups(studio)
    assert (job.state, job.error_kind) == (JobState.SKIPPED, "NothingPainted")
    assert (name or "somebody whom nothing names") in job.note
    (note,) = tracker.desk.notes.values()
    assert note.subject == "saved.tif is a conversion: nothing was painted"
    assert "--artist" in note.text
    assert versions(studio) == ["c001_bg_summer_day_v001"]
    with reading(studio.database) as connection:
        assert {one.name for one in people.everyone(connection)} == {"Aoi Sato"}


@pytest.mark.usefixtures("tracker")
def test_a_changed_file_whose_artist_nobody_knows_still_asks_for_the_name(
    studio: JobStudio,
) -> None:
    file = paint(studio, version_of(studio, 1), "mine.png")

    announce_touch_up(studio, touch_up_event(file, version=1, artist_name="xyz_nobody"))

    (job,) = touch_ups(studio)
    assert (job.state, job.error_kind) == (JobState.DEAD, "CreditError")
    assert "'xyz_nobody' in its name is nobody we know" in job.error


@pytest.mark.parametrize("artist", ["Nobody We Know", "Midjourney v7"])
def test_nothing_painted_needs_no_artist_in_a_command_either(
    studio: JobStudio, tracker: QuestionTracker, tmp_path: Path, artist: str
) -> None:
    del tracker
    file = tmp_path / "saved.png"
    write_picture(read_picture(file_of(studio, version_of(studio, 1))), file, bits=8)
    order = TouchUpOrder(file=file, of="c001_bg_summer_day_v001", artists=(artist,))

    with pytest.raises(NothingPainted, match=f"saved by '{artist}'; nobody is credited"):
        take_in(order, studio.tools)
    examined = compare(order, studio.tools, tmp_path / "compared")
    assert shown_by(examined, studio.tools) is not None
