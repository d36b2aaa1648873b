"""From notes to the next version: what is asked, on top of what, and how it is answered."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from haikei.credits import records
from haikei.database import jobs
from haikei.jobs import JobOrder, JobState, JobStore, RetakeOrder, Turn, order_text
from haikei.presets import Quality
from haikei.review.notes import NoteState
from haikei.review.retakes import WORDS_IN_ALL, added_up
from support.records import a_background, a_chain, save_background
from support.studio import ReviewStudio, end_badly
from support.trackers import KATO, MORI


def asked(order: JobOrder) -> RetakeOrder:
    assert order.retake is not None
    return order.retake


def turns(order: JobOrder) -> dict[str, int]:
    return {turn.quality.value: turn.amount for turn in asked(order).turns}


def retake(studio: ReviewStudio, *notes: str, version: int = 1) -> JobOrder:
    """Ask for a retake in these words and return its order."""
    for text in notes:
        studio.desk.note(version, text)
    studio.desk.set_status(version, "rtk")
    studio.review()
    return studio.retakes[-1]


def test_all_notes_that_wait_make_one_retake(studio: ReviewStudio) -> None:
    studio.desk.note(1, "less green")
    first = studio.desk.versions[1].notes[0].id
    studio.desk.note(1, "and at sunset", KATO, reply_to=first)

    order = retake(studio)

    assert len(studio.retakes) == 1
    assert (order.season, order.time, turns(order)) == ("summer", "sunset", {"green": -50})
    assert asked(order).instructions.text == "less green\nand at sunset"
    assert {person.id for person in asked(order).asked_by} == {MORI.id, KATO.id}
    assert set(asked(order).notes) == {
        f"Note:{first}",
        f"Reply:{first + 1} of Note:{first}",
        "Decision:1.1",
    }


def test_the_layout_its_place_and_the_seed_stay(studio: ReviewStudio) -> None:
    order = retake(studio, "less green")

    before = studio.order
    assert (order.layout, order.layout_sha256, order.event_key, order.place, order.recipe) == (
        before.layout,
        before.layout_sha256,
        before.event_key,
        before.place,
        before.recipe,
    )
    assert order.seed == before.seed
    assert order.key != before.key
    assert order.priority < before.priority


def test_a_note_can_ask_for_another_seed(studio: ReviewStudio) -> None:
    assert retake(studio, "another seed, less green").seed != studio.order.seed


def test_a_retake_without_a_word_is_another_seed(studio: ReviewStudio) -> None:
    order = retake(studio)

    assert order.seed != studio.order.seed
    assert asked(order).instructions.text == ""
    assert [person.id for person in asked(order).asked_by] == [MORI.id]
    studio.make(order)
    studio.review()
    assert len(studio.retakes) == 1


def test_a_retake_waits_for_the_notes_that_belong_to_it(
    open_studio: Callable[..., ReviewStudio],
) -> None:
    studio = open_studio(review={"settle": 30})
    studio.desk.set_status(1, "rtk")
    studio.wake()
    studio.reviewer().tick()
    assert studio.retakes == []
    studio.desk.note(1, "less green")

    studio.review()

    (order,) = studio.retakes
    assert turns(order) == {"green": -50}


def test_notes_on_a_version_that_nobody_wants_retaken_wait(studio: ReviewStudio) -> None:
    studio.desk.note(1, "less green")
    studio.review()
    assert studio.retakes == []
    assert [note.state for note in studio.view().notes] == [NoteState.WAITING]

    assert turns(retake(studio)) == {"green": -50}


def test_a_note_that_is_reworded_counts_as_it_reads_now(studio: ReviewStudio) -> None:
    studio.desk.note(1, "less green")
    studio.review()
    studio.desk.delete_note(1, studio.desk.versions[1].notes[0].id)
    studio.desk.note(1, "more green")

    assert turns(retake(studio)) == {"green": 50}


def test_every_thread_is_answered_once_with_the_new_version(studio: ReviewStudio) -> None:
    first = studio.desk.note(1, "less green")
    studio.desk.note(1, "much less", reply_to=first)
    second = studio.desk.note(1, "make it night", KATO)
    order = retake(studio)

    studio.make(order)
    studio.review()
    studio.review()

    assert sorted(reply.note for reply in studio.answers) == [first, second]
    for reply in studio.answers:
        assert reply.link is not None
        assert reply.link.name == "c001_bg_summer_night_v001"
        assert "less green" in reply.text
        assert "night" in reply.text
    view = studio.view()
    assert {note.state for note in view.notes} == {NoteState.DONE}
    assert all("c001_bg_summer_night_v001" in note.answer for note in view.notes)
    assert [one.code for one in view.retakes] == ["c001_bg_summer_night_v001"]


def test_a_note_while_the_retake_is_made_becomes_the_next_one_on_top(studio: ReviewStudio) -> None:
    first = retake(studio, "less green")
    studio.desk.note(1, "brighter")
    studio.review()
    assert len(studio.retakes) == 1

    studio.make(first)
    studio.review()

    second = studio.retakes[1]
    assert asked(second).parent_version_code == "c001_bg_summer_day_v002"
    assert asked(second).instructions.text == "brighter"
    assert turns(second) == {"green": -50, "light": 50}
    assert asked(second).words == ("less green", "brighter")


def test_a_later_note_goes_on_where_the_last_retake_went(studio: ReviewStudio) -> None:
    studio.make(retake(studio, "make it night"))
    studio.review()

    studio.desk.note(1, "brighter")
    studio.review()

    second = studio.retakes[1]
    assert second.time == "night"
    assert asked(second).parent_version_code == "c001_bg_summer_night_v001"


def test_a_retake_of_an_old_version_goes_on_from_the_newest(studio: ReviewStudio) -> None:
    newest = studio.make(retake(studio, "less green"))
    studio.review()
    studio.make(retake(studio, "brighter", version=newest))
    studio.review()

    studio.desk.note(1, "warmer")
    studio.review()

    third = studio.retakes[2]
    assert asked(third).parent_version_code == "c001_bg_summer_day_v003"
    assert turns(third) == {"green": -50, "light": 50, "warmth": 50}


def test_opposite_wishes_cancel(studio: ReviewStudio) -> None:
    newest = studio.make(retake(studio, "less green"))
    studio.review()

    assert turns(retake(studio, "more green", version=newest)) == {}


def test_turns_add_up_to_no_more_than_all() -> None:
    strong = (Turn(quality=Quality.GREEN, amount=-80),)

    assert added_up(strong, strong) == (Turn(quality=Quality.GREEN, amount=-100),)


def test_words_reach_a_prompt_in_one_short_line(studio: ReviewStudio) -> None:
    order = retake(studio, "a torii\n\x00gate\u202e on the hill", "x " * 5000, "no power lines")

    words = asked(order).words
    assert words[0] == "a torii gate on the hill"
    assert sum(map(len, words)) <= WORDS_IN_ALL
    assert asked(order).unwanted == ("power lines",)


def with_painter(studio: ReviewStudio) -> None:
    """Let the first version be one that the painter made."""
    order = replace(studio.order, recipe="watercolour")
    with studio.database.begin() as connection:
        connection.execute(
            update(jobs).where(jobs.c.key == order.key).values(order_json=order_text(order))
        )


def test_a_retake_is_answered_at_once_with_what_is_done_and_what_cannot_be(
    studio: ReviewStudio,
) -> None:
    with_painter(studio)
    order = retake(studio, "the roof red, remove the power lines", "ドラゴンを足して、空を青く")

    english, japanese = [reply.text for reply in studio.desk.replies]
    assert "I will: roof: red; power lines: removed; sky: blue." in english
    assert "I can't do, or did not understand: ドラゴンを足して." in english
    assert "変更します：屋根：赤、電線：消去、空：青。" in japanese
    assert [one.subject for one in asked(order).changes] == ["roof", "wires", "sky"]
    assert order.seed == studio.order.seed


def test_a_note_that_is_not_read_is_asked_about_and_makes_nothing(studio: ReviewStudio) -> None:
    with_painter(studio)
    note = studio.desk.note(1, "なんだか寂しい")
    studio.desk.set_status(1, "rtk")
    studio.review()
    studio.review()

    assert studio.retakes == []
    (question,) = studio.desk.replies
    assert question.note == note
    assert "何を、どこで、どう変えますか" in question.text
    assert [one.state for one in studio.view().notes] == [NoteState.ASKED]
    assert studio.view().notes[0].answer == question.text

    studio.desk.note(1, "屋根を赤く", reply_to=note)
    studio.review()
    (order,) = studio.retakes
    assert [one.subject for one in asked(order).changes] == ["roof"]


def test_changes_add_up_over_retakes(studio: ReviewStudio) -> None:
    with_painter(studio)
    newest = studio.make(retake(studio, "the roof red, the sky darker, no clouds"))
    studio.review()

    order = retake(studio, "the roof blue, the sky a bit brighter, more clouds", version=newest)

    changes = {(one.subject.value, one.act.value): one for one in asked(order).changes}
    assert changes["roof", "colour"].colour == "blue"
    assert changes["sky", "turn"].amount == -25
    assert ("clouds", "remove") not in changes
    assert turns(order) == {"clouds": 50}


@pytest.mark.parametrize("state", [JobState.DEAD, JobState.CANCELLED, JobState.SKIPPED])
def test_a_retake_that_ends_badly_is_told_once(studio: ReviewStudio, state: JobState) -> None:
    order = retake(studio, "less green")

    end_badly(studio.database, order.key, state)
    studio.review()
    studio.review()

    (question,) = studio.desk.questions
    assert [link.id for link in question.links] == [1]
    assert studio.answers == []
    assert [note.state for note in studio.view().notes] == [NoteState.FAILED]


def test_the_next_retake_takes_over_the_notes_of_a_dead_one(studio: ReviewStudio) -> None:
    dead = retake(studio, "less green")
    end_badly(studio.database, dead.key)
    studio.review()

    studio.desk.note(1, "brighter")
    studio.review()

    second = studio.retakes[1]
    assert turns(second) == {"green": -50, "light": 50}
    assert JobStore(studio.database).get(dead.key).state is JobState.SKIPPED
    studio.make(second)
    studio.review()
    assert len(studio.answers) == 2


def test_a_dead_retake_that_is_let_run_again_is_answered(studio: ReviewStudio) -> None:
    dead = retake(studio, "less green")
    end_badly(studio.database, dead.key)
    studio.review()
    JobStore(studio.database).retry(dead.key)

    studio.make(dead)
    studio.review()

    assert len(studio.answers) == 1


def test_more_retakes_than_allowed_are_a_question(open_studio: Callable[..., ReviewStudio]) -> None:
    studio = open_studio(review={"max_retakes": 1})
    studio.make(retake(studio, "less green"))
    studio.review()

    studio.desk.note(1, "brighter")
    studio.review()
    studio.review()

    assert len(studio.retakes) == 1
    (question,) = studio.desk.questions
    assert "max_retakes" in question.text
    assert studio.view().notes[-1].state is NoteState.ASKED


def test_a_version_that_was_painted_by_hand_is_left_to_its_artist(studio: ReviewStudio) -> None:
    with studio.database.begin() as connection:
        painted = a_background("c001", version=2, images=a_chain("painted"), tracker_id=5)
        save_background(connection, painted)
        records.published(connection, painted.key, tracker_id=5, url="")
    studio.desk.show(5, painted.key, painted.code)
    note = studio.desk.note(5, "less green")
    studio.desk.set_status(5, "rtk")

    studio.review()
    studio.review()

    assert studio.retakes == []
    assert [reply.note for reply in studio.answers] == [note]
    assert "is an artist's own" in studio.answers[0].text


def test_a_version_that_no_job_made_is_a_question(studio: ReviewStudio) -> None:
    with studio.database.begin() as connection:
        connection.execute(jobs.delete())

    studio.desk.note(1, "less green")
    studio.desk.set_status(1, "rtk")
    studio.review()
    studio.review()

    assert len(studio.desk.questions) == 1


def test_a_killed_reviewer_leaves_nothing_half_done(studio: ReviewStudio) -> None:
    class Killed(BaseException):
        pass

    def die() -> None:
        studio.desk.after_write = lambda: None
        raise Killed

    studio.make(retake(studio, "less green"))
    studio.desk.after_write = die
    with pytest.raises(Killed):
        studio.review()

    studio.review()

    assert len(studio.answers) == 1
    with studio.database.connect() as connection:
        states = connection.execute(select(jobs.c.state)).scalars().all()
    assert states == [JobState.DONE.value] * 2


def test_two_versions_of_a_cut_are_retaken_one_after_the_other(studio: ReviewStudio) -> None:
    newest = studio.make(retake(studio, "less green"))
    studio.review()
    studio.desk.note(1, "warmer")
    studio.desk.note(newest, "brighter")
    studio.desk.set_status(newest, "rtk")

    studio.review()

    assert len(studio.retakes) == 2
    studio.make(studio.retakes[1])
    studio.review()
    assert turns(studio.retakes[2]) == {"green": -50, "warmth": 50, "light": 50}
