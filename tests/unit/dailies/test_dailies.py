"""A playlist a day and show, finished once, whatever is cut, late or away."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from haikei.credits import records
from haikei.dailies.summary import COLUMNS, LINES
from haikei.database import jobs, review_notes, utc_now
from haikei.decisions import ReviewState
from haikei.errors import TrackerUnavailable
from haikei.jobs import JobState, add_job, touch_up_row
from haikei.settings import Settings
from haikei.show import Place
from support.jobs import SAKURA, Killed, touch_up_event
from support.studio import DailiesStudio, ReviewStudio, make_version


def with_dailies(settings: Settings, **changes: object) -> Settings:
    """Return settings whose dailies differ."""
    dailies = settings.review.dailies.model_copy(update=changes)
    review = settings.review.model_copy(update={"dailies": dailies})
    return settings.model_copy(update={"review": review})


def test_new_versions_are_collected_in_cut_order_as_they_arrive(studio: DailiesStudio) -> None:
    morning = studio.at(23, 9)
    studio.publish(1, "c002", at=morning)
    studio.publish(2, "c001", at=morning, season="winter")
    dailies = studio.dailies()
    assert dailies.tick(morning) == 2
    assert studio.playlists.shown == {"akane backgrounds 2026-11-23": (2, 1)}

    studio.publish(3, "c001", at=morning)
    studio.publish(4, "c001", at=morning, number=2)
    studio.publish(5, "c001", at=morning, sequence="ep00")
    studio.publish(6, "c001", at=morning, project="midori")

    assert dailies.tick(morning + timedelta(seconds=1)) == 0
    assert dailies.tick(morning + timedelta(seconds=20)) == 4
    assert dailies.tick(morning + timedelta(seconds=40)) == 0
    assert studio.playlists.shown == {
        "akane backgrounds 2026-11-23": (5, 3, 4, 2, 1),
        "midori backgrounds 2026-11-23": (6,),
    }


def test_a_version_that_the_tracker_does_not_show_yet_waits(studio: DailiesStudio) -> None:
    told = studio.publish(1, at=studio.at(23, 9))
    with studio.database.begin() as connection:
        connection.exec_driver_sql("UPDATE backgrounds SET tracker_id = NULL")
    assert studio.tick(studio.at(23, 9)) == 0

    studio.show(told, 1)

    assert studio.tick(studio.at(23, 18, 5)) == 1
    assert list(studio.playlists.shown) == ["akane backgrounds 2026-11-24"]


def test_the_close_brings_a_contact_sheet_and_a_summary_once(studio: DailiesStudio) -> None:
    first = studio.publish(1, "c001", at=studio.at(23, 9))
    second = studio.publish(2, "c002", at=studio.at(23, 9))
    studio.publish(3, "c003", at=studio.at(23, 10))
    with studio.database.begin() as connection:
        records.decide(connection, first.key, ReviewState.APPROVED)
        records.decide(connection, second.key, ReviewState.RETAKE)
        connection.execute(
            review_notes.insert().values(
                id="Note:1",
                version_id=2,
                background_key=second.key,
                text="?",
                state="asked",
                written_at=utc_now(),
                seen_at=utc_now(),
            )
        )
    settings = with_dailies(studio.settings, supervisors=("mori", "kato"))
    for minutes in range(0, 120, 10):
        studio.dailies(settings).tick(studio.at(23, 17, 0) + timedelta(minutes=minutes))

    assert studio.playlists.sheets == [(500, "Contact sheet 2026-11-23.jpg")]
    (note,) = studio.answer(studio.at(23, 19))
    assert note.to == ("mori", "kato")
    assert [(row.type, row.id) for row in note.links] == [("Playlist", 500)]
    assert note.subject == "akane backgrounds 2026-11-23: 3 new versions"
    for line in (
        "In review (チェック中): 1",
        "Approved (承認済み): 1",
        "Retake (リテイク): 1",
        "- c001_bg_summer_day_v001 https://tracker.test/detail/Version/1",
        "Playlist: http://tracker.test/detail/Playlist/500",
    ):
        assert line in note.text.splitlines()
    questions = note.text.partition("A person must decide")[2]
    assert "- c002_bg_summer_day_v001" in questions
    assert "c003" not in questions


def test_the_summary_lists_touch_ups_that_wait_for_an_answer(
    studio: DailiesStudio, tmp_path: Path
) -> None:
    studio.publish(1, "c001", at=studio.at(23, 9))
    here, elsewhere = tmp_path / "mine.png", tmp_path / "theirs.png"
    for file, place in ((here, "akane"), (elsewhere, "umi")):
        file.write_bytes(place.encode())
        event = touch_up_event(
            file, artist=SAKURA, place=Place(project=place, sequence="ep01", shot="c001")
        )
        with studio.database.begin() as connection:
            add_job(connection, touch_up_row(event, 10, studio.at(23, 10)))
            connection.execute(
                update(jobs)
                .where(jobs.c.key == event.key)
                .values(
                    state=JobState.DEAD.value,
                    error_kind="ParentUnknown",
                    question_url="https://tracker.test/detail/Note/7",
                )
            )
    for minutes in range(0, 120, 10):
        studio.tick(studio.at(23, 17, 0) + timedelta(minutes=minutes))

    (note,) = studio.answer(studio.at(23, 19))
    questions = note.text.partition("Touch-ups that wait for an answer")[2]
    assert (
        "- akane/ep01/c001: mine.png by Sakura Ito: What was it painted over? Link the published"
    ) in questions
    assert "https://tracker.test/detail/Note/7" in questions
    assert "theirs.png" not in note.text


def test_a_day_without_new_versions_makes_nothing(studio: DailiesStudio) -> None:
    for hours in range(72):
        assert studio.tick(studio.at(22, 0) + timedelta(hours=hours)) == 0

    assert studio.playlists.shown == {}


def test_what_comes_after_the_close_is_shown_the_next_day(studio: DailiesStudio) -> None:
    studio.publish(1, "c001", at=studio.at(23, 9))
    studio.tick(studio.at(23, 9))
    studio.tick(studio.at(23, 18))
    studio.publish(2, "c002", at=studio.at(23, 17, 59))
    studio.tick(studio.at(23, 18, 1))
    studio.publish(3, "c003", at=studio.at(24, 0))
    studio.tick(studio.at(24, 0, 1))
    studio.tick(studio.at(24, 18))

    assert studio.playlists.shown == {
        "akane backgrounds 2026-11-23": (1,),
        "akane backgrounds 2026-11-24": (2, 3),
    }
    subjects = [note.subject for note in studio.answer(studio.at(24, 19))]
    assert sorted(subjects) == [
        "akane backgrounds 2026-11-23: 1 new version",
        "akane backgrounds 2026-11-24: 2 new versions",
    ]


def test_a_clock_that_is_set_back_opens_no_finished_day_again(studio: DailiesStudio) -> None:
    studio.publish(1, "c001", at=studio.at(23, 9))
    studio.tick(studio.at(23, 9))
    studio.tick(studio.at(23, 18))
    studio.publish(2, "c002", at=studio.at(23, 9))

    studio.tick(studio.at(23, 10))

    assert studio.playlists.shown["akane backgrounds 2026-11-23"] == (1,)
    assert studio.playlists.shown["akane backgrounds 2026-11-24"] == (2,)


def test_a_day_that_ended_while_nothing_ran_is_finished_late(studio: DailiesStudio) -> None:
    studio.publish(1, "c001", at=studio.at(20, 9))
    studio.tick(studio.at(20, 9))
    studio.publish(2, "c002", at=studio.at(20, 17))

    studio.tick(studio.at(23, 9))

    assert len(studio.playlists.sheets) == 1
    assert studio.playlists.shown["akane backgrounds 2026-11-23"] == (2,)


def test_a_version_that_was_deleted_in_the_tracker_keeps_nothing_else_out(
    studio: DailiesStudio,
) -> None:
    for number in (1, 2, 3):
        studio.publish(number, f"c00{number}", at=studio.at(23, 9))
    del studio.desk.versions[2]
    studio.tick(studio.at(23, 9))
    assert list(studio.playlists.shown["akane backgrounds 2026-11-23"]) == [1, 3]

    del studio.desk.versions[1]
    studio.tick(studio.at(23, 18))

    assert list(studio.playlists.shown["akane backgrounds 2026-11-23"]) == [3]
    (note,) = studio.answer(studio.at(23, 19))
    assert note.subject.endswith("1 new version")


def test_a_day_of_which_everything_was_deleted_ends_without_a_word(studio: DailiesStudio) -> None:
    studio.publish(1, at=studio.at(23, 9))
    studio.desk.versions.clear()

    studio.tick(studio.at(23, 9))
    studio.tick(studio.at(23, 18))

    assert studio.playlists.shown == {}
    assert studio.answer(studio.at(23, 19)) == []
    assert studio.tick(studio.at(23, 20)) == 0


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("cut", range(1, 5))
@pytest.mark.parametrize("failure", [Killed, lambda: TrackerUnavailable("It is away.")])
def test_a_restart_at_any_moment_makes_nothing_twice(
    studio: DailiesStudio, when: str, cut: int, failure: Callable[[], BaseException]
) -> None:
    count = 0

    def fail() -> None:
        nonlocal count
        count += 1
        if count == cut:
            raise failure()

    setattr(studio.playlists, when, fail)
    studio.publish(1, "c002", at=studio.at(23, 9))
    studio.publish(2, "c001", at=studio.at(23, 9))
    with capture_logs():
        for minutes in range(0, 60, 20):
            moment = studio.at(23, 17, 30) + timedelta(minutes=minutes)
            for _ in range(2):
                try:
                    studio.tick(moment)
                except Killed:
                    continue

    assert studio.playlists.shown == {"akane backgrounds 2026-11-23": (2, 1)}
    assert studio.playlists.sheets == [(500, "Contact sheet 2026-11-23.jpg")]
    assert len(studio.answer(studio.at(23, 20))) == 1
    assert list(studio.days()) == ["2026-11-23"]


def test_one_show_that_fails_keeps_no_other_waiting(studio: DailiesStudio) -> None:
    studio.publish(1, at=studio.at(23, 9))
    studio.publish(2, at=studio.at(23, 9), project="midori")
    failures = [TrackerUnavailable("It is away.")]

    def fail() -> None:
        if failures:
            raise failures.pop()

    studio.playlists.before = fail
    dailies = studio.dailies()
    with capture_logs() as lines:
        assert dailies.tick(studio.at(23, 9)) == 1

    assert [line["event"] for line in lines if line["log_level"] == "warning"] == ["dailies_failed"]
    assert dailies.tick(studio.at(23, 9, 1)) == 1


def test_many_processes_at_once_make_one_playlist_one_sheet_and_one_note(
    studio: DailiesStudio,
) -> None:
    for number in range(6):
        studio.publish(number + 1, f"c00{number}", at=studio.at(23, 9))
    meet = threading.Barrier(4)
    problems: list[BaseException] = []

    def work() -> None:
        dailies = studio.dailies()
        try:
            meet.wait()
            for minutes in range(4):
                dailies.tick(studio.at(23, 17, 58) + timedelta(minutes=minutes))
        except BaseException as error:  # noqa: BLE001 - looked at in the test's own thread
            problems.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    studio.tick(studio.at(23, 18, 30))

    assert problems == []
    assert studio.playlists.shown == {"akane backgrounds 2026-11-23": (1, 2, 3, 4, 5, 6)}
    assert studio.playlists.sheets == [(500, "Contact sheet 2026-11-23.jpg")]
    assert len(studio.answer(studio.at(23, 19))) == 1


def test_playlists_of_one_name_are_one_playlist(studio: DailiesStudio) -> None:
    settings = with_dailies(studio.settings, name="{project} review")
    for number, day in ((1, 23), (2, 24)):
        studio.publish(number, f"c00{9 - number}", at=studio.at(day, 9))
        studio.dailies(settings).tick(studio.at(day, 9))
        studio.dailies(settings).tick(studio.at(day, 18))

    assert studio.playlists.shown == {"akane review": (2, 1)}
    assert [name for _, name in studio.playlists.sheets] == [
        "Contact sheet 2026-11-23.jpg",
        "Contact sheet 2026-11-24.jpg",
    ]
    assert len(studio.answer(studio.at(24, 19))) == 2


def test_braces_in_a_name_are_left_alone(studio: DailiesStudio) -> None:
    settings = with_dailies(studio.settings, name="{project.__class__} {0} {date}")
    studio.publish(1, at=studio.at(23, 9))

    studio.dailies(settings).tick(studio.at(23, 9))

    assert list(studio.playlists.shown) == ["{project.__class__} {0} 2026-11-23"]


def test_a_studio_without_dailies_has_none_and_without_notes_no_note(studio: DailiesStudio) -> None:
    studio.publish(1, at=studio.at(23, 9))

    assert studio.dailies(with_dailies(studio.settings, enabled=False)).tick(studio.at(23, 18)) == 0
    assert studio.playlists.shown == {}
    quiet = with_dailies(studio.settings, note=False)
    studio.dailies(quiet).tick(studio.at(24, 9))
    studio.dailies(quiet).tick(studio.at(24, 18))
    assert len(studio.playlists.sheets) == 1
    assert studio.answer(studio.at(24, 19)) == []


def test_sheets_show_layout_and_result_and_say_what_cannot_be_read(studio: DailiesStudio) -> None:
    told = studio.publish(1, "c001", at=studio.at(23, 9))
    root = studio.settings.storage.roots[0].path
    for image in (told.images[0], told.final):
        file = root / image.path
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), np.full((90, 160, 3), 90, np.uint8))
    studio.publish(2, "c002", at=studio.at(23, 9))

    studio.tick(studio.at(23, 17))
    studio.tick(studio.at(23, 18))

    ((width, height),) = studio.playlists.sizes
    assert width == 2 * (16 + 2 * (320 + 16))
    assert height > 180


def test_a_full_day_has_several_sheets(studio: DailiesStudio) -> None:
    count = COLUMNS * LINES + 1
    for number in range(count):
        studio.publish(number + 1, f"c{number:03}", at=studio.at(23, 9))

    studio.tick(studio.at(23, 17))
    studio.tick(studio.at(23, 18))

    assert [name for _, name in studio.playlists.sheets] == [
        "Contact sheet 2026-11-23 1.jpg",
        "Contact sheet 2026-11-23 2.jpg",
    ]


def test_what_is_long_known_is_not_new(studio: DailiesStudio) -> None:
    studio.publish(1, "c001", at=studio.at(1, 9))

    assert studio.tick(studio.at(23, 9)) == 0


def test_a_version_keeps_its_day_when_the_close_is_moved(studio: DailiesStudio) -> None:
    told = studio.publish(1, "c001", at=studio.at(23, 9))
    studio.tick(studio.at(23, 9))

    studio.dailies(with_dailies(studio.settings, close_at="12:00")).tick(studio.at(23, 13))

    assert studio.days() == {"2026-11-23": [told.key]}
    assert len(studio.playlists.sheets) == 1


def test_retakes_are_named_with_what_they_are_retakes_of(studio: DailiesStudio) -> None:
    with studio.database.begin() as connection:
        order = make_version(connection, studio.desk, 1)
    review = ReviewStudio(
        settings=studio.settings, database=studio.database, desk=studio.desk, order=order
    )
    for version, words in ((1, "less green"), (2, "more clouds")):
        studio.desk.set_status(version, "rtk")
        studio.desk.note(version, words)
        review.review()
        if version == 1:
            review.make(review.retakes[0])

    studio.tick(studio.at(2, 11))
    studio.tick(studio.at(2, 18))

    (note,) = studio.answer(utc_now())
    lines = note.text.splitlines()
    code = "c001_bg_summer_day_v00"
    assert f"- {code}1 https://tracker.test/detail/Version/1" in lines
    assert (
        f"- {code}2, retake of (リテイク元) {code}1 https://tracker.test/detail/Version/2" in lines
    )
    assert "Retakes being made (作成中のリテイク): 1" in lines
