"""From notes to the next version: what is asked, on top of what, and how it is answered."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from haikei.credits import records
from haikei.database import jobs
from haikei.jobs.job import JobOrder, JobState, RetakeOrder, Turn
from haikei.jobs.table import JobStore
from haikei.presets import Quality
from haikei.review.notes import NoteState
from haikei.review.retakes import WORDS_IN_ALL, added_up
from support.desk import KATO, MORI, end_badly
from support.records import a_background, a_chain, save_background
from support.review_house import ReviewHouse


def asked(order: JobOrder) -> RetakeOrder:
    assert order.retake is not None
    return order.retake


def turns(order: JobOrder) -> dict[str, int]:
    return {turn.quality.value: turn.amount for turn in asked(order).turns}


def retake(house: ReviewHouse, *notes: str, version: int = 1) -> JobOrder:
    """Ask for a retake in these words and return its order."""
    for text in notes:
        house.desk.note(version, text)
    house.desk.set_status(version, "rtk")
    house.review()
    return house.retakes[-1]


def test_all_notes_that_wait_make_one_retake(house: ReviewHouse) -> None:
    house.desk.note(1, "less green")
    first = house.desk.versions[1].notes[0].id
    house.desk.note(1, "and at sunset", KATO, reply_to=first)

    order = retake(house)

    assert len(house.retakes) == 1
    assert (order.season, order.time, turns(order)) == ("summer", "sunset", {"green": -50})
    assert asked(order).instructions.text == "less green\nand at sunset"
    assert {person.id for person in asked(order).asked_by} == {MORI.id, KATO.id}
    assert set(asked(order).notes) == {
        f"Note:{first}",
        f"Reply:{first + 1} of Note:{first}",
        "Decision:1.1",
    }


def test_the_layout_and_its_place_stay_and_the_seed_is_another(house: ReviewHouse) -> None:
    order = retake(house, "less green")

    before = house.order
    assert (order.layout, order.layout_sha256, order.event_key, order.place, order.recipe) == (
        before.layout,
        before.layout_sha256,
        before.event_key,
        before.place,
        before.recipe,
    )
    assert order.seed != before.seed
    assert order.key != before.key
    assert order.priority < before.priority


def test_a_note_can_keep_the_seed(house: ReviewHouse) -> None:
    assert retake(house, "keep the seed, less green").seed == house.order.seed


def test_a_retake_without_a_word_is_another_seed(house: ReviewHouse) -> None:
    order = retake(house)

    assert order.seed != house.order.seed
    assert asked(order).instructions.text == ""
    assert [person.id for person in asked(order).asked_by] == [MORI.id]
    house.make(order)
    house.review()
    assert len(house.retakes) == 1


def test_a_retake_waits_for_the_notes_that_belong_to_it(
    open_house: Callable[..., ReviewHouse],
) -> None:
    house = open_house(review={"settle": 30})
    house.desk.set_status(1, "rtk")
    house.wake()
    house.reviewer().tick()
    assert house.retakes == []
    house.desk.note(1, "less green")

    house.review()

    (order,) = house.retakes
    assert turns(order) == {"green": -50}


def test_notes_on_a_version_that_nobody_wants_retaken_wait(house: ReviewHouse) -> None:
    house.desk.note(1, "less green")
    house.review()
    assert house.retakes == []
    assert [note.state for note in house.view().notes] == [NoteState.WAITING]

    assert turns(retake(house)) == {"green": -50}


def test_a_note_that_is_reworded_counts_as_it_reads_now(house: ReviewHouse) -> None:
    house.desk.note(1, "less green")
    house.review()
    house.desk.delete_note(1, house.desk.versions[1].notes[0].id)
    house.desk.note(1, "more green")

    assert turns(retake(house)) == {"green": 50}


def test_every_thread_is_answered_once_with_the_new_version(house: ReviewHouse) -> None:
    first = house.desk.note(1, "less green")
    house.desk.note(1, "much less", reply_to=first)
    second = house.desk.note(1, "make it night", KATO)
    order = retake(house)

    house.make(order)
    house.review()
    house.review()

    assert sorted(reply.note for reply in house.desk.replies) == [first, second]
    for reply in house.desk.replies:
        assert reply.link is not None
        assert reply.link.name == "c001_bg_summer_night_v001"
        assert "less green" in reply.text
        assert "night" in reply.text
    view = house.view()
    assert {note.state for note in view.notes} == {NoteState.DONE}
    assert all("c001_bg_summer_night_v001" in note.answer for note in view.notes)
    assert [one.code for one in view.retakes] == ["c001_bg_summer_night_v001"]


def test_a_note_while_the_retake_is_made_becomes_the_next_one_on_top(house: ReviewHouse) -> None:
    first = retake(house, "less green")
    house.desk.note(1, "brighter")
    house.review()
    assert len(house.retakes) == 1

    house.make(first)
    house.review()

    second = house.retakes[1]
    assert asked(second).parent_version_code == "c001_bg_summer_day_v002"
    assert asked(second).instructions.text == "brighter"
    assert turns(second) == {"green": -50, "light": 50}
    assert asked(second).words == ("less green", "brighter")


def test_a_later_note_goes_on_where_the_last_retake_went(house: ReviewHouse) -> None:
    house.make(retake(house, "make it night"))
    house.review()

    house.desk.note(1, "brighter")
    house.review()

    second = house.retakes[1]
    assert second.time == "night"
    assert asked(second).parent_version_code == "c001_bg_summer_night_v001"


def test_a_retake_of_an_old_version_goes_on_from_the_newest(house: ReviewHouse) -> None:
    newest = house.make(retake(house, "less green"))
    house.review()
    house.make(retake(house, "brighter", version=newest))
    house.review()

    house.desk.note(1, "warmer")
    house.review()

    third = house.retakes[2]
    assert asked(third).parent_version_code == "c001_bg_summer_day_v003"
    assert turns(third) == {"green": -50, "light": 50, "warmth": 50}


def test_opposite_wishes_cancel(house: ReviewHouse) -> None:
    newest = house.make(retake(house, "less green"))
    house.review()

    assert turns(retake(house, "more green", version=newest)) == {}


def test_turns_add_up_to_no_more_than_all() -> None:
    strong = (Turn(quality=Quality.GREEN, amount=-80),)

    assert added_up(strong, strong) == (Turn(quality=Quality.GREEN, amount=-100),)


def test_words_reach_a_prompt_in_one_short_line(house: ReviewHouse) -> None:
    order = retake(house, "a torii\n\x00gate\u202e on the hill", "x " * 5000, "no power lines")

    words = asked(order).words
    assert words[0] == "a torii gate on the hill"
    assert sum(map(len, words)) <= WORDS_IN_ALL
    assert asked(order).unwanted == ("power lines",)


@pytest.mark.parametrize("state", [JobState.DEAD, JobState.CANCELLED, JobState.SKIPPED])
def test_a_retake_that_ends_badly_is_told_once(house: ReviewHouse, state: JobState) -> None:
    order = retake(house, "less green")

    end_badly(house.database, order.key, state)
    house.review()
    house.review()

    (question,) = house.desk.questions
    assert [link.id for link in question.links] == [1]
    assert house.desk.replies == []
    assert [note.state for note in house.view().notes] == [NoteState.FAILED]


def test_the_next_retake_takes_over_the_notes_of_a_dead_one(house: ReviewHouse) -> None:
    dead = retake(house, "less green")
    end_badly(house.database, dead.key)
    house.review()

    house.desk.note(1, "brighter")
    house.review()

    second = house.retakes[1]
    assert turns(second) == {"green": -50, "light": 50}
    assert JobStore(house.database).get(dead.key).state is JobState.SKIPPED
    house.make(second)
    house.review()
    assert len(house.desk.replies) == 2


def test_a_dead_retake_that_is_let_run_again_is_answered(house: ReviewHouse) -> None:
    dead = retake(house, "less green")
    end_badly(house.database, dead.key)
    house.review()
    JobStore(house.database).retry(dead.key)

    house.make(dead)
    house.review()

    assert len(house.desk.replies) == 1


def test_more_retakes_than_allowed_are_a_question(open_house: Callable[..., ReviewHouse]) -> None:
    house = open_house(review={"max_retakes": 1})
    house.make(retake(house, "less green"))
    house.review()

    house.desk.note(1, "brighter")
    house.review()
    house.review()

    assert len(house.retakes) == 1
    (question,) = house.desk.questions
    assert "max_retakes" in question.text
    assert house.view().notes[-1].state is NoteState.ASKED


def test_a_version_that_was_painted_by_hand_is_left_to_its_artist(house: ReviewHouse) -> None:
    with house.database.begin() as connection:
        painted = a_background("c001", version=2, images=a_chain("painted"), tracker_id=5)
        save_background(connection, painted)
        records.published(connection, painted.key, tracker_id=5, url="")
    house.desk.show(5, painted.key, painted.code)
    note = house.desk.note(5, "less green")
    house.desk.set_status(5, "rtk")

    house.review()
    house.review()

    assert house.retakes == []
    assert [reply.note for reply in house.desk.replies] == [note]
    assert "by hand" in house.desk.replies[0].text


def test_a_version_that_no_job_made_is_a_question(house: ReviewHouse) -> None:
    with house.database.begin() as connection:
        connection.execute(jobs.delete())

    house.desk.note(1, "less green")
    house.desk.set_status(1, "rtk")
    house.review()
    house.review()

    assert len(house.desk.questions) == 1


def test_a_killed_reviewer_leaves_nothing_half_done(house: ReviewHouse) -> None:
    class Killed(BaseException):
        pass

    def die() -> None:
        house.desk.after_write = lambda: None
        raise Killed

    house.make(retake(house, "less green"))
    house.desk.after_write = die
    with pytest.raises(Killed):
        house.review()

    house.review()

    assert len(house.desk.replies) == 1
    with house.database.connect() as connection:
        states = connection.execute(select(jobs.c.state)).scalars().all()
    assert states == [JobState.DONE.value] * 2


def test_two_versions_of_a_cut_are_retaken_one_after_the_other(house: ReviewHouse) -> None:
    newest = house.make(retake(house, "less green"))
    house.review()
    house.desk.note(1, "warmer")
    house.desk.note(newest, "brighter")
    house.desk.set_status(newest, "rtk")

    house.review()

    assert len(house.retakes) == 2
    house.make(house.retakes[1])
    house.review()
    assert turns(house.retakes[2]) == {"green": -50, "warmth": 50, "light": 50}
