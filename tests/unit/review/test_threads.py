"""Notes on several versions, and threads that go on from one version to the next."""

from dataclasses import replace
from datetime import timedelta

import pytest

from haikei.database import review_notes
from haikei.review.notes import NoteState, notes_of
from support.desk import make_version
from support.review_house import ReviewHouse


def _link(house: ReviewHouse, note: int, *, source: int, to: int) -> None:
    """Let a Note with all its Replies hang on another version as well."""
    thread = [one for one in house.desk.versions[source].notes if note in {one.id, one.reply_to}]
    there = house.desk.versions[to]
    known = {one.id for one in there.notes}
    fresh = [one for one in thread if one.id not in known]
    house.desk.versions[to] = replace(there, notes=(*there.notes, *fresh))


def _another_cut(house: ReviewHouse) -> int:
    version = house.next_version
    house.next_version += 1
    with house.database.begin() as connection:
        make_version(connection, house.desk, version, shot="c002")
    return version


def _retaken_once(house: ReviewHouse, text: str = "less green") -> tuple[int, int]:
    """Let a note have led to a second version, which is linked to it; return both."""
    note = house.desk.note(1, text)
    house.desk.set_status(1, "rtk")
    house.review()
    made = house.make(house.retakes[0])
    house.review()
    _link(house, note, source=1, to=made)
    return note, made


def _words(house: ReviewHouse) -> list[str]:
    return [order.retake.instructions.text if order.retake else "" for order in house.retakes]


def test_a_note_on_two_cuts_counts_for_each(house: ReviewHouse) -> None:
    other = _another_cut(house)
    note = house.desk.note(1, "less green")
    _link(house, note, source=1, to=other)
    house.desk.set_status(1, "rtk")
    house.desk.set_status(other, "rtk")
    house.review()
    assert _words(house) == ["less green", "less green"]
    assert {order.place.shot for order in house.retakes} == {"c001", "c002"}
    for order in house.retakes:
        house.make(order)
    house.review()
    assert [reply.note for reply in house.desk.replies] == [note, note]
    assert len({reply.link for reply in house.desk.replies}) == 2


def test_a_note_is_not_counted_again_for_the_version_that_was_made_for_it(
    house: ReviewHouse,
) -> None:
    _, made = _retaken_once(house)
    house.desk.set_status(made, "rtk")
    house.review()
    assert _words(house) == ["less green", ""]


@pytest.mark.parametrize("text", ["less green", "less green, at night"])
@pytest.mark.parametrize("first", ["old", "new"])
def test_a_reply_and_the_status_of_the_new_version_are_one_retake(
    house: ReviewHouse, text: str, first: str
) -> None:
    note, made = _retaken_once(house, text)
    house.desk.note(1, "brighter", reply_to=note)
    _link(house, note, source=1, to=made)
    house.desk.set_status(made, "rtk")
    house.wake(*((1,) if first == "old" else (made,)))
    house.reviewer().tick()
    house.review()
    assert _words(house) == [text, "brighter"]
    house.make(house.retakes[-1])
    house.review()
    assert len(house.retakes) == 2


def test_a_status_that_follows_a_reply_late_belongs_to_the_retake_that_is_being_made(
    house: ReviewHouse,
) -> None:
    note, made = _retaken_once(house)
    house.desk.note(1, "brighter", reply_to=note)
    _link(house, note, source=1, to=made)
    house.review()
    assert _words(house) == ["less green", "brighter"]
    house.desk.set_status(made, "rtk")
    house.review()
    house.make(house.retakes[-1])
    house.review()
    assert _words(house) == ["less green", "brighter"]


def test_a_reply_after_the_new_version_was_approved_makes_nothing(house: ReviewHouse) -> None:
    note, made = _retaken_once(house)
    house.desk.set_status(made, "apr")
    house.review()
    house.desk.now += house.ahead
    house.desk.note(1, "but watch the green", reply_to=note)
    _link(house, note, source=1, to=made)
    house.review()
    assert len(house.retakes) == 1


def test_a_deleted_note_that_is_restored_counts_again(house: ReviewHouse) -> None:
    note = house.desk.note(1, "more clouds")
    house.review()
    before = house.desk.versions[1]
    house.desk.delete_note(1, note)
    house.review()
    house.desk.versions[1] = before
    house.review()
    house.desk.set_status(1, "rtk")
    house.review()
    assert _words(house) == ["more clouds"]


def test_a_note_that_is_moved_to_the_right_version_counts_there(house: ReviewHouse) -> None:
    other = _another_cut(house)
    note = house.desk.note(1, "more clouds")
    house.review()
    _link(house, note, source=1, to=other)
    house.desk.delete_note(1, note)
    house.desk.set_status(other, "rtk")
    house.review()
    assert _words(house) == ["more clouds"]
    with house.database.connect() as connection:
        (left,) = notes_of(connection, 1)
    assert left.state is NoteState.WITHDRAWN


def test_a_note_that_is_reworded_too_late_is_answered_once(house: ReviewHouse) -> None:
    note = house.desk.note(1, "more clouds")
    house.desk.set_status(1, "rtk")
    house.review()
    seen = house.desk.versions[1]
    notes = [replace(one, text="more clouds, at night") for one in seen.notes if one.id == note]
    house.desk.versions[1] = replace(seen, notes=tuple(notes))
    house.review()
    house.review()
    (reply,) = house.desk.replies
    assert reply.note == note
    assert "was changed after" in reply.text
    assert len(house.retakes) == 1


def test_half_a_character_in_a_note_loses_no_word(house: ReviewHouse) -> None:
    house.desk.note(1, "more clouds\ud83d, \0brighter")
    house.desk.set_status(1, "rtk")
    house.review()
    assert _words(house) == ["more clouds?, brighter"]
    house.review()
    assert len(house.retakes) == 1


def test_a_version_that_breaks_the_reviewer_keeps_no_other_waiting(house: ReviewHouse) -> None:
    other = _another_cut(house)
    broken = house.desk.versions[1]
    house.desk.versions[1] = replace(broken, status="rtk\ud83d")
    house.desk.set_status(other, "rtk")
    house.wake(1, other)
    house.ahead += timedelta(minutes=1)
    house.reviewer().tick()
    house.ahead += timedelta(minutes=1)
    house.reviewer().tick()
    assert [order.place.shot for order in house.retakes] == ["c002"]
    house.desk.versions[1] = broken
    house.desk.set_status(1, "rtk")
    house.review()
    assert [order.place.shot for order in house.retakes] == ["c002", "c001"]


def test_no_note_is_kept_without_its_thread(house: ReviewHouse) -> None:
    other = _another_cut(house)
    note = house.desk.note(1, "less green")
    house.desk.note(1, "brighter", reply_to=note)
    _link(house, note, source=1, to=other)
    house.review()
    with house.database.connect() as connection:
        ids = set(connection.execute(review_notes.select()).scalars())
        threads = {one.thread for one in (*notes_of(connection, 1), *notes_of(connection, other))}
    assert len(ids) == 4
    assert threads == {note}
