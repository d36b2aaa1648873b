"""A note that only thanks asks for nothing, is not answered, and stays to be read."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikei.note_language.parser import THANKS, only_thanks
from haikei.review.notes import NoteState
from support.studio import ReviewStudio
from support.trackers import KATO


@pytest.mark.parametrize(
    "note",
    [
        *THANKS,
        "thanks!",
        "Thank you very much.",
        "OK, thanks",
        "ＯＫ！",
        "Thanks, Sato-san!",
        "thanks @haruka",
        "thank you all",
        "ありがとう！",
        "佐藤さん、ありがとうございます。",
        "了解しました。ありがとうございます！",
        "お疲れ様です。確認しました。",
        "ありがとうございます🙏",
        "👍🏽",
    ],
)
def test_thanks_and_acknowledgements_are_known(note: str) -> None:
    assert only_thanks(note)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "!!",
        "thanks, but less green",
        "Thanks. Make it night.",
        "thank you for the clouds, more of them",
        "ok?",
        "not ok",
        "no thanks",
        "ok green",
        "夜",
        "ありがとうございます。もう少し暗く",
        "了解です、雲を増やしてください",
        "👎",
        "thanks 👎",
        "佐藤さん",
        "looks good",
        "redo",
    ],
)
def test_what_may_be_an_instruction_is_no_thanks(note: str) -> None:
    assert not only_thanks(note)


@given(st.text(max_size=100))
def test_any_text_can_be_judged(text: str) -> None:
    assert only_thanks(text) == only_thanks(f"  {text}\n")


def test_thanks_on_a_version_in_retake_starts_nothing_and_is_not_answered(
    studio: ReviewStudio,
) -> None:
    asked = studio.desk.note(1, "less green")
    studio.desk.set_status(1, "rtk")
    studio.review()
    studio.make(studio.retakes[-1])
    studio.review()

    studio.desk.note(1, "Thanks!", KATO, reply_to=asked)
    studio.desk.note(1, "ありがとう")
    studio.review()

    assert len(studio.retakes) == 1
    assert [reply.note for reply in studio.answers] == [asked]
    assert studio.desk.questions == []
    thanks = [note.text for note in studio.view().notes if note.state is NoteState.THANKS]
    assert thanks == ["Thanks!", "ありがとう"]


def test_an_instruction_beside_thanks_still_counts(studio: ReviewStudio) -> None:
    studio.desk.set_status(1, "rtk")
    studio.review()
    studio.make(studio.retakes[-1])
    studio.review()

    studio.desk.note(1, "thanks")
    studio.desk.note(1, "thanks, but less green")
    studio.review()

    (_, second) = studio.retakes
    assert second.retake is not None
    assert second.retake.instructions.text == "thanks, but less green"


def test_a_status_asks_for_a_retake_though_its_note_only_thanks(studio: ReviewStudio) -> None:
    studio.desk.note(1, "thank you")
    studio.desk.set_status(1, "rtk")
    studio.review()

    (order,) = studio.retakes
    assert order.retake is not None
    assert order.retake.notes == ("Decision:1.1",)


def test_thanks_after_an_approval_is_not_answered(studio: ReviewStudio) -> None:
    studio.desk.set_status(1, "apr")
    studio.review()
    studio.desk.now = studio.clock()
    studio.desk.note(1, "了解です")
    studio.review()

    assert studio.answers == []


def test_thanks_that_is_reworded_counts_as_it_reads_now(studio: ReviewStudio) -> None:
    studio.desk.set_status(1, "rtk")
    studio.review()
    studio.make(studio.retakes[-1])
    id_ = studio.desk.note(1, "thanks")
    studio.review()
    assert len(studio.retakes) == 1

    seen = studio.desk.versions[1]
    notes = (replace(one, text="ok; make it night") if one.id == id_ else one for one in seen.notes)
    studio.desk.versions[1] = replace(seen, notes=tuple(notes))
    studio.review()

    assert [order.time for order in studio.retakes] == ["day", "night"]
