"""A place that is drawn on the picture stands in the note, and limits what the note asks for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haikei.note_language.parser import read_notes
from haikei.presets import (
    Act,
    Quality,
    Spot,
    Subject,
    spots_of,
    with_spots,
    without_spots,
)
from haikei.texts import Language

BOX = Spot(left=120, top=305, right=450, bottom=600)
POINT = Spot(left=700, top=210, right=700, bottom=210)
_SHARES = st.integers(0, 1000)


def a_spot(one: int, other: int, above: int, below: int) -> Spot:
    return Spot(
        left=min(one, other),
        top=min(above, below),
        right=max(one, other),
        bottom=max(above, below),
    )


@pytest.mark.parametrize("language", list(Language))
@settings(deadline=None)
@given(
    spots=st.lists(
        st.builds(a_spot, _SHARES, _SHARES, _SHARES, _SHARES),
        min_size=1,
        max_size=5,
        unique=True,
    ),
    words=st.sampled_from(["make the roof red", "屋根を赤に", "less green\nmore clouds"]),
)
def test_a_note_keeps_its_words_and_places(
    language: Language, spots: list[Spot], words: str
) -> None:
    note = with_spots(words, spots, language)

    assert without_spots(note) == words
    assert list(spots_of(note)) == spots


@pytest.mark.parametrize(
    "note",
    [
        "[box 12.0,30.5-45.0,60.0 %]",
        "[枠 12.0,30.5 - 45.0,60.0 %]",
        "［枠　12.0，30.5～45.0，60.0％］",
        "【BOX: 12%, 30.5% – 45%, 60%】",
        "[box 45,60-12,30.5]",
    ],
)
def test_a_place_may_be_typed_by_hand(note: str) -> None:
    assert spots_of(f"the roof red {note}") == (BOX,)


@pytest.mark.parametrize(
    "note", ["the box 12,30-45,60", "[box]", "[c012]", "[box 12,30-45]", "[box a,b-c,d]", "[1,2]"]
)
def test_what_is_no_place_stays_a_word(note: str) -> None:
    assert spots_of(note) == ()
    assert without_spots(note) == note


def test_all_that_a_note_asks_for_is_limited_to_its_places() -> None:
    found = read_notes([with_spots("roof red, darker", [BOX], Language.EN)])

    assert found.turns == ()
    assert [(one.subject, one.act, one.within) for one in found.changes] == [
        (Subject.ROOF, Act.COLOUR, (BOX,)),
        (Subject.PICTURE, Act.TURN, (BOX,)),
    ]
    assert [one.en for one in found.asked] == [
        "roof in the box: red",
        "picture in the box: light -50 %",
    ]
    assert found.asked[0].ja == "枠内の屋根：赤"


def test_another_note_is_not_limited() -> None:
    found = read_notes([with_spots("the roof red", [POINT], Language.EN), "less green"])

    assert [one.within for one in found.changes] == [(POINT,)]
    assert [one.quality for one in found.turns] == [Quality.GREEN]


def test_the_same_change_in_two_places_is_two_changes() -> None:
    found = read_notes([with_spots("the roof darker", [one], Language.EN) for one in (BOX, POINT)])

    assert [one.within for one in found.changes] == [(BOX,), (POINT,)]


def test_what_cannot_be_limited_is_said() -> None:
    found = read_notes([with_spots("雲を増やして", [BOX], Language.JA)])

    assert not found.alters
    assert [one.ja for one in found.cannot] == ["枠内だけの雲の増減"]


def test_a_time_of_day_is_that_of_the_whole_picture() -> None:
    found = read_notes([with_spots("at night, the windows brighter", [BOX], Language.EN)])

    assert found.time == "night"
    assert [one.within for one in found.changes] == [(BOX,)]
