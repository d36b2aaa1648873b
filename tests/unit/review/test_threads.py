"""Notes on several versions, and threads that go on from one version to the next."""

from dataclasses import replace
from datetime import timedelta

import pytest

from haikei.database import review_notes
from haikei.presets import Spot, noted
from haikei.review.notes import NoteState, notes_of
from support.studio import ReviewStudio, make_version


def _link(studio: ReviewStudio, note: int, *, source: int, to: int) -> None:
    """Let a Note with all its Replies hang on another version as well."""
    thread = [one for one in studio.desk.versions[source].notes if note in {one.id, one.reply_to}]
    there = studio.desk.versions[to]
    known = {one.id for one in there.notes}
    fresh = [one for one in thread if one.id not in known]
    studio.desk.versions[to] = replace(there, notes=(*there.notes, *fresh))


def _another_cut(studio: ReviewStudio) -> int:
    version = studio.next_version
    studio.next_version += 1
    with studio.database.begin() as connection:
        make_version(connection, studio.desk, version, shot="c002")
    return version


def _retaken_once(studio: ReviewStudio, text: str = "less green") -> tuple[int, int]:
    """Let a note have led to a second version, which is linked to it; return both."""
    note = studio.desk.note(1, text)
    studio.desk.set_status(1, "rtk")
    studio.review()
    made = studio.make(studio.retakes[0])
    studio.review()
    _link(studio, note, source=1, to=made)
    return note, made


def _words(studio: ReviewStudio) -> list[str]:
    return [order.retake.instructions.text if order.retake else "" for order in studio.retakes]


def test_a_note_on_two_cuts_counts_for_each(studio: ReviewStudio) -> None:
    other = _another_cut(studio)
    note = studio.desk.note(1, "less green")
    _link(studio, note, source=1, to=other)
    studio.desk.set_status(1, "rtk")
    studio.desk.set_status(other, "rtk")
    studio.review()
    assert _words(studio) == ["less green", "less green"]
    assert {order.place.shot for order in studio.retakes} == {"c001", "c002"}
    for order in studio.retakes:
        studio.make(order)
    studio.review()
    assert [reply.note for reply in studio.answers] == [note, note]
    assert len({reply.link for reply in studio.answers}) == 2


def test_a_note_is_not_counted_again_for_the_version_that_was_made_for_it(
    studio: ReviewStudio,
) -> None:
    _, made = _retaken_once(studio)
    studio.desk.set_status(made, "rtk")
    studio.review()
    assert _words(studio) == ["less green", ""]


@pytest.mark.parametrize("text", ["less green", "less green, at night"])
@pytest.mark.parametrize("first", ["old", "new"])
def test_a_reply_and_the_status_of_the_new_version_are_one_retake(
    studio: ReviewStudio, text: str, first: str
) -> None:
    note, made = _retaken_once(studio, text)
    studio.desk.note(1, "brighter", reply_to=note)
    _link(studio, note, source=1, to=made)
    studio.desk.set_status(made, "rtk")
    studio.wake(*((1,) if first == "old" else (made,)))
    studio.reviewer().tick()
    studio.review()
    assert _words(studio) == [text, "brighter"]
    studio.make(studio.retakes[-1])
    studio.review()
    assert len(studio.retakes) == 2


def test_a_status_that_follows_a_reply_late_belongs_to_the_retake_that_is_being_made(
    studio: ReviewStudio,
) -> None:
    note, made = _retaken_once(studio)
    studio.desk.note(1, "brighter", reply_to=note)
    _link(studio, note, source=1, to=made)
    studio.review()
    assert _words(studio) == ["less green", "brighter"]
    studio.desk.set_status(made, "rtk")
    studio.review()
    studio.make(studio.retakes[-1])
    studio.review()
    assert _words(studio) == ["less green", "brighter"]


def test_a_reply_after_the_new_version_was_approved_makes_nothing(studio: ReviewStudio) -> None:
    note, made = _retaken_once(studio)
    studio.desk.set_status(made, "apr")
    studio.review()
    studio.desk.now += studio.ahead
    studio.desk.note(1, "but watch the green", reply_to=note)
    _link(studio, note, source=1, to=made)
    studio.review()
    assert len(studio.retakes) == 1


def test_a_deleted_note_that_is_restored_counts_again(studio: ReviewStudio) -> None:
    note = studio.desk.note(1, "more clouds")
    studio.review()
    before = studio.desk.versions[1]
    studio.desk.delete_note(1, note)
    studio.review()
    studio.desk.versions[1] = before
    studio.review()
    studio.desk.set_status(1, "rtk")
    studio.review()
    assert _words(studio) == ["more clouds"]


def test_a_note_that_is_moved_to_the_right_version_counts_there(studio: ReviewStudio) -> None:
    other = _another_cut(studio)
    note = studio.desk.note(1, "more clouds")
    studio.review()
    _link(studio, note, source=1, to=other)
    studio.desk.delete_note(1, note)
    studio.desk.set_status(other, "rtk")
    studio.review()
    assert _words(studio) == ["more clouds"]
    with studio.database.connect() as connection:
        (left,) = notes_of(connection, 1)
    assert left.state is NoteState.WITHDRAWN


def test_a_note_that_is_reworded_too_late_is_answered_once(studio: ReviewStudio) -> None:
    note = studio.desk.note(1, "more clouds")
    studio.desk.set_status(1, "rtk")
    studio.review()
    seen = studio.desk.versions[1]
    notes = [replace(one, text="more clouds, at night") for one in seen.notes if one.id == note]
    studio.desk.versions[1] = replace(seen, notes=tuple(notes))
    studio.review()
    studio.review()
    (reply,) = studio.answers
    assert reply.note == note
    assert "was changed after" in reply.text
    assert len(studio.retakes) == 1


def test_an_item_that_is_ticked_after_a_retake_was_ordered_for_it_is_no_change(
    studio: ReviewStudio,
) -> None:
    note = studio.desk.note(1, noted("", items=["more clouds", "less green"]))
    studio.desk.set_status(1, "rtk")
    studio.review()
    before = list(studio.answers)
    seen = studio.desk.versions[1]
    ticked = noted("", items=["less green"])
    notes = [replace(one, text=ticked) for one in seen.notes if one.id == note]
    studio.desk.versions[1] = replace(seen, notes=tuple(notes))
    studio.review()
    assert studio.answers == before
    assert len(studio.retakes) == 1


@pytest.mark.parametrize(
    ("spot", "side", "where"),
    [
        (Spot(left=100, top=200, right=300, bottom=400), " (in the upper left)", "in the box"),
        (Spot(left=900, top=500, right=900, bottom=500), " (in the right)", "at the arrow"),
        (Spot(left=50, top=0, right=990, bottom=200), " (in the upper part)", "in the box"),
        (Spot(left=400, top=100, right=600, bottom=900), " (in the middle)", "in the box"),
        (Spot(left=0, top=0, right=1000, bottom=990), "", "in the box"),
    ],
)
def test_a_model_that_reads_words_is_told_in_words_where_it_was_drawn(
    studio: ReviewStudio, spot: Spot, side: str, where: str
) -> None:
    studio.desk.note(1, noted("The roof dark red", drawn=[spot]))
    studio.desk.set_status(1, "rtk")
    studio.review()
    (order,) = studio.retakes
    assert order.retake is not None
    assert order.retake.words == (f"The roof dark red{side}",)
    handed = [text.en for text in order.retake.instructions.handed]
    assert handed == [f"roof {where}: dark red"]


def test_half_a_character_in_a_note_loses_no_word(studio: ReviewStudio) -> None:
    studio.desk.note(1, "more clouds\ud83d, \0brighter")
    studio.desk.set_status(1, "rtk")
    studio.review()
    assert _words(studio) == ["more clouds?, brighter"]
    studio.review()
    assert len(studio.retakes) == 1


def test_a_version_that_breaks_the_reviewer_keeps_no_other_waiting(studio: ReviewStudio) -> None:
    other = _another_cut(studio)
    broken = studio.desk.versions[1]
    studio.desk.versions[1] = replace(broken, status="rtk\ud83d")
    studio.desk.set_status(other, "rtk")
    studio.wake(1, other)
    studio.ahead += timedelta(minutes=1)
    studio.reviewer().tick()
    studio.ahead += timedelta(minutes=1)
    studio.reviewer().tick()
    assert [order.place.shot for order in studio.retakes] == ["c002"]
    studio.desk.versions[1] = broken
    studio.desk.set_status(1, "rtk")
    studio.review()
    assert [order.place.shot for order in studio.retakes] == ["c002", "c001"]


def test_no_note_is_kept_without_its_thread(studio: ReviewStudio) -> None:
    other = _another_cut(studio)
    note = studio.desk.note(1, "less green")
    studio.desk.note(1, "brighter", reply_to=note)
    _link(studio, note, source=1, to=other)
    studio.review()
    with studio.database.connect() as connection:
        ids = set(connection.execute(review_notes.select()).scalars())
        threads = {one.thread for one in (*notes_of(connection, 1), *notes_of(connection, other))}
    assert len(ids) == 4
    assert threads == {note}
