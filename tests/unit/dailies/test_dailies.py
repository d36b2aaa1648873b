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

from haikei.credits import ReviewState, records
from haikei.dailies.summary import COLUMNS, LINES
from haikei.database import jobs, review_notes, utc_now
from haikei.errors import TrackerUnavailable
from haikei.jobs.inbox import add_job
from haikei.jobs.job import JobState
from haikei.jobs.table import touch_up_row
from haikei.settings import Settings
from haikei.show import Place
from support.dailies_house import DailiesHouse
from support.desk import make_version
from support.homecoming import SAKURA, painted
from support.jobs import Killed
from support.review_house import ReviewHouse


def with_dailies(settings: Settings, **changes: object) -> Settings:
    """Return settings whose dailies differ."""
    dailies = settings.review.dailies.model_copy(update=changes)
    review = settings.review.model_copy(update={"dailies": dailies})
    return settings.model_copy(update={"review": review})


def test_new_versions_are_collected_in_cut_order_as_they_arrive(house: DailiesHouse) -> None:
    morning = house.at(23, 9)
    house.publish(1, "c002", at=morning)
    house.publish(2, "c001", at=morning, season="winter")
    dailies = house.dailies()
    assert dailies.tick(morning) == 2
    assert house.playlists.shown == {"akane backgrounds 2026-11-23": (2, 1)}

    house.publish(3, "c001", at=morning)
    house.publish(4, "c001", at=morning, number=2)
    house.publish(5, "c001", at=morning, sequence="ep00")
    house.publish(6, "c001", at=morning, project="midori")

    assert dailies.tick(morning + timedelta(seconds=1)) == 0
    assert dailies.tick(morning + timedelta(seconds=20)) == 4
    assert dailies.tick(morning + timedelta(seconds=40)) == 0
    assert house.playlists.shown == {
        "akane backgrounds 2026-11-23": (5, 3, 4, 2, 1),
        "midori backgrounds 2026-11-23": (6,),
    }


def test_a_version_that_the_tracker_does_not_show_yet_waits(house: DailiesHouse) -> None:
    told = house.publish(1, at=house.at(23, 9))
    with house.database.begin() as connection:
        connection.exec_driver_sql("UPDATE backgrounds SET tracker_id = NULL")
    assert house.tick(house.at(23, 9)) == 0

    house.show(told, 1)

    assert house.tick(house.at(23, 18, 5)) == 1
    assert list(house.playlists.shown) == ["akane backgrounds 2026-11-24"]


def test_the_close_brings_a_contact_sheet_and_a_summary_once(house: DailiesHouse) -> None:
    first = house.publish(1, "c001", at=house.at(23, 9))
    second = house.publish(2, "c002", at=house.at(23, 9))
    house.publish(3, "c003", at=house.at(23, 10))
    with house.database.begin() as connection:
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
    settings = with_dailies(house.settings, supervisors=("mori", "kato"))
    for minutes in range(0, 120, 10):
        house.dailies(settings).tick(house.at(23, 17, 0) + timedelta(minutes=minutes))

    assert house.playlists.attached == [(500, "Contact sheet 2026-11-23.jpg")]
    (note,) = house.answer(house.at(23, 19))
    assert note.to == ("mori", "kato")
    assert [(row.type, row.id) for row in note.links] == [("Playlist", 500)]
    assert note.subject == "akane backgrounds 2026-11-23: 3 new versions"
    for line in (
        "In review (レビュー待ち): 1",
        "Approved (承認済み): 1",
        "Retake (リテイク): 1",
        "- c001_bg_summer_day_v001 https://tracker.test/detail/Version/1",
        "Playlist: http://127.0.0.1:8770/detail/Playlist/500",
    ):
        assert line in note.text.splitlines()
    questions = note.text.partition("A person must decide")[2]
    assert "- c002_bg_summer_day_v001" in questions
    assert "c003" not in questions


def test_the_summary_lists_touch_ups_that_wait_for_an_answer(
    house: DailiesHouse, tmp_path: Path
) -> None:
    house.publish(1, "c001", at=house.at(23, 9))
    here, elsewhere = tmp_path / "mine.png", tmp_path / "theirs.png"
    for file, place in ((here, "akane"), (elsewhere, "umi")):
        file.write_bytes(place.encode())
        event = painted(
            file, artist=SAKURA, place=Place(project=place, sequence="ep01", shot="c001")
        )
        with house.database.begin() as connection:
            add_job(connection, touch_up_row(event, 10, house.at(23, 10)))
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
        house.tick(house.at(23, 17, 0) + timedelta(minutes=minutes))

    (note,) = house.answer(house.at(23, 19))
    questions = note.text.partition("Touch-ups that wait for an answer")[2]
    assert (
        "- akane/ep01/c001: mine.png by Sakura Ito: What was it painted over? Link the published"
    ) in questions
    assert "https://tracker.test/detail/Note/7" in questions
    assert "theirs.png" not in note.text


def test_a_day_without_new_versions_makes_nothing(house: DailiesHouse) -> None:
    for hours in range(72):
        assert house.tick(house.at(22, 0) + timedelta(hours=hours)) == 0

    assert house.playlists.shown == {}


def test_what_comes_after_the_close_is_shown_the_next_day(house: DailiesHouse) -> None:
    house.publish(1, "c001", at=house.at(23, 9))
    house.tick(house.at(23, 9))
    house.tick(house.at(23, 18))
    house.publish(2, "c002", at=house.at(23, 17, 59))
    house.tick(house.at(23, 18, 1))
    house.publish(3, "c003", at=house.at(24, 0))
    house.tick(house.at(24, 0, 1))
    house.tick(house.at(24, 18))

    assert house.playlists.shown == {
        "akane backgrounds 2026-11-23": (1,),
        "akane backgrounds 2026-11-24": (2, 3),
    }
    subjects = [note.subject for note in house.answer(house.at(24, 19))]
    assert sorted(subjects) == [
        "akane backgrounds 2026-11-23: 1 new version",
        "akane backgrounds 2026-11-24: 2 new versions",
    ]


def test_a_clock_that_is_set_back_opens_no_finished_day_again(house: DailiesHouse) -> None:
    house.publish(1, "c001", at=house.at(23, 9))
    house.tick(house.at(23, 9))
    house.tick(house.at(23, 18))
    house.publish(2, "c002", at=house.at(23, 9))

    house.tick(house.at(23, 10))

    assert house.playlists.shown["akane backgrounds 2026-11-23"] == (1,)
    assert house.playlists.shown["akane backgrounds 2026-11-24"] == (2,)


def test_a_day_that_ended_while_nothing_ran_is_finished_late(house: DailiesHouse) -> None:
    house.publish(1, "c001", at=house.at(20, 9))
    house.tick(house.at(20, 9))
    house.publish(2, "c002", at=house.at(20, 17))

    house.tick(house.at(23, 9))

    assert len(house.playlists.attached) == 1
    assert house.playlists.shown["akane backgrounds 2026-11-23"] == (2,)


def test_a_version_that_was_deleted_in_the_tracker_keeps_nothing_else_out(
    house: DailiesHouse,
) -> None:
    for number in (1, 2, 3):
        house.publish(number, f"c00{number}", at=house.at(23, 9))
    del house.desk.versions[2]
    house.tick(house.at(23, 9))
    assert list(house.playlists.shown["akane backgrounds 2026-11-23"]) == [1, 3]

    del house.desk.versions[1]
    house.tick(house.at(23, 18))

    assert list(house.playlists.shown["akane backgrounds 2026-11-23"]) == [3]
    (note,) = house.answer(house.at(23, 19))
    assert note.subject.endswith("1 new version")


def test_a_day_of_which_everything_was_deleted_ends_without_a_word(house: DailiesHouse) -> None:
    house.publish(1, at=house.at(23, 9))
    house.desk.versions.clear()

    house.tick(house.at(23, 9))
    house.tick(house.at(23, 18))

    assert house.playlists.shown == {}
    assert house.answer(house.at(23, 19)) == []
    assert house.tick(house.at(23, 20)) == 0


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("cut", range(1, 5))
@pytest.mark.parametrize("failure", [Killed, lambda: TrackerUnavailable("It is away.")])
def test_a_restart_at_any_moment_makes_nothing_twice(
    house: DailiesHouse, when: str, cut: int, failure: Callable[[], BaseException]
) -> None:
    count = 0

    def fail() -> None:
        nonlocal count
        count += 1
        if count == cut:
            raise failure()

    setattr(house.playlists, when, fail)
    house.publish(1, "c002", at=house.at(23, 9))
    house.publish(2, "c001", at=house.at(23, 9))
    with capture_logs():
        for minutes in range(0, 60, 20):
            moment = house.at(23, 17, 30) + timedelta(minutes=minutes)
            for _ in range(2):
                try:
                    house.tick(moment)
                except Killed:
                    continue

    assert house.playlists.shown == {"akane backgrounds 2026-11-23": (2, 1)}
    assert house.playlists.attached == [(500, "Contact sheet 2026-11-23.jpg")]
    assert len(house.answer(house.at(23, 20))) == 1
    assert list(house.days()) == ["2026-11-23"]


def test_one_show_that_fails_keeps_no_other_waiting(house: DailiesHouse) -> None:
    house.publish(1, at=house.at(23, 9))
    house.publish(2, at=house.at(23, 9), project="midori")
    failures = [TrackerUnavailable("It is away.")]

    def fail() -> None:
        if failures:
            raise failures.pop()

    house.playlists.before = fail
    dailies = house.dailies()
    with capture_logs() as lines:
        assert dailies.tick(house.at(23, 9)) == 1

    assert [line["event"] for line in lines if line["log_level"] == "warning"] == ["dailies_failed"]
    assert dailies.tick(house.at(23, 9, 1)) == 1


def test_many_processes_at_once_make_one_playlist_one_sheet_and_one_note(
    house: DailiesHouse,
) -> None:
    for number in range(6):
        house.publish(number + 1, f"c00{number}", at=house.at(23, 9))
    meet = threading.Barrier(4)
    problems: list[BaseException] = []

    def work() -> None:
        dailies = house.dailies()
        try:
            meet.wait()
            for minutes in range(4):
                dailies.tick(house.at(23, 17, 58) + timedelta(minutes=minutes))
        except BaseException as error:  # noqa: BLE001 - looked at in the test's own thread
            problems.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    house.tick(house.at(23, 18, 30))

    assert problems == []
    assert house.playlists.shown == {"akane backgrounds 2026-11-23": (1, 2, 3, 4, 5, 6)}
    assert house.playlists.attached == [(500, "Contact sheet 2026-11-23.jpg")]
    assert len(house.answer(house.at(23, 19))) == 1


def test_playlists_of_one_name_are_one_playlist(house: DailiesHouse) -> None:
    settings = with_dailies(house.settings, name="{project} review")
    for number, day in ((1, 23), (2, 24)):
        house.publish(number, f"c00{9 - number}", at=house.at(day, 9))
        house.dailies(settings).tick(house.at(day, 9))
        house.dailies(settings).tick(house.at(day, 18))

    assert house.playlists.shown == {"akane review": (2, 1)}
    assert [name for _, name in house.playlists.attached] == [
        "Contact sheet 2026-11-23.jpg",
        "Contact sheet 2026-11-24.jpg",
    ]
    assert len(house.answer(house.at(24, 19))) == 2


def test_braces_in_a_name_are_left_alone(house: DailiesHouse) -> None:
    settings = with_dailies(house.settings, name="{project.__class__} {0} {date}")
    house.publish(1, at=house.at(23, 9))

    house.dailies(settings).tick(house.at(23, 9))

    assert list(house.playlists.shown) == ["{project.__class__} {0} 2026-11-23"]


def test_a_studio_without_dailies_has_none_and_without_notes_no_note(house: DailiesHouse) -> None:
    house.publish(1, at=house.at(23, 9))

    assert house.dailies(with_dailies(house.settings, enabled=False)).tick(house.at(23, 18)) == 0
    assert house.playlists.shown == {}
    quiet = with_dailies(house.settings, note=False)
    house.dailies(quiet).tick(house.at(24, 9))
    house.dailies(quiet).tick(house.at(24, 18))
    assert len(house.playlists.attached) == 1
    assert house.answer(house.at(24, 19)) == []


def test_sheets_show_layout_and_result_and_say_what_cannot_be_read(house: DailiesHouse) -> None:
    told = house.publish(1, "c001", at=house.at(23, 9))
    root = house.settings.storage.roots[0].path
    for image in (told.images[0], told.final):
        file = root / image.path
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), np.full((90, 160, 3), 90, np.uint8))
    house.publish(2, "c002", at=house.at(23, 9))

    house.tick(house.at(23, 17))
    house.tick(house.at(23, 18))

    ((width, height),) = house.playlists.sizes
    assert width == 2 * (16 + 2 * (320 + 16))
    assert height > 180


def test_a_full_day_has_several_sheets(house: DailiesHouse) -> None:
    count = COLUMNS * LINES + 1
    for number in range(count):
        house.publish(number + 1, f"c{number:03}", at=house.at(23, 9))

    house.tick(house.at(23, 17))
    house.tick(house.at(23, 18))

    assert [name for _, name in house.playlists.attached] == [
        "Contact sheet 2026-11-23 1.jpg",
        "Contact sheet 2026-11-23 2.jpg",
    ]


def test_what_is_long_known_is_not_new(house: DailiesHouse) -> None:
    house.publish(1, "c001", at=house.at(1, 9))

    assert house.tick(house.at(23, 9)) == 0


def test_a_version_keeps_its_day_when_the_close_is_moved(house: DailiesHouse) -> None:
    told = house.publish(1, "c001", at=house.at(23, 9))
    house.tick(house.at(23, 9))

    house.dailies(with_dailies(house.settings, close_at="12:00")).tick(house.at(23, 13))

    assert house.days() == {"2026-11-23": [told.key]}
    assert len(house.playlists.attached) == 1


def test_retakes_are_named_with_what_they_are_retakes_of(house: DailiesHouse) -> None:
    with house.database.begin() as connection:
        order = make_version(connection, house.desk, 1)
    review = ReviewHouse(
        settings=house.settings, database=house.database, desk=house.desk, order=order
    )
    for version, words in ((1, "less green"), (2, "more clouds")):
        house.desk.set_status(version, "rtk")
        house.desk.note(version, words)
        review.review()
        if version == 1:
            review.make(review.retakes[0])

    house.tick(house.at(2, 11))
    house.tick(house.at(2, 18))

    (note,) = house.answer(utc_now())
    lines = note.text.splitlines()
    code = "c001_bg_summer_day_v00"
    assert f"- {code}1 https://tracker.test/detail/Version/1" in lines
    assert (
        f"- {code}2, retake of (リテイク元) {code}1 https://tracker.test/detail/Version/2" in lines
    )
    assert "Retakes being made (作成中のリテイク): 1" in lines
