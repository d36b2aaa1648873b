"""A note's words become what is asked of the next version, and nothing is guessed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haikei.note_language.parser import read_notes
from haikei.presets import Quality


def turned(*notes: str) -> dict[str, int]:
    return {turn.quality.value: turn.amount for turn in read_notes(notes).turns}


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("less green, more clouds", {"green": -50, "clouds": 50}),
        ("too much green. a lot brighter!", {"green": -50, "light": 80}),
        ("slightly warmer", {"warmth": 25}),
        ("much less haze", {"haze": -80}),
        ("half the clouds", {"clouds": -50}),
        ("緑を抑えて、雲を増やして", {"green": -50, "clouds": 50}),
        ("もう少し暗く", {"light": -25}),
        ("彩度をかなり下げて", {"saturation": -80}),
        ("ＬＥＳＳ ＧＲＥＥＮ", {"green": -50}),
        ("It isn’t bright enough", {"light": 50}),
        ("not enough clouds", {"clouds": 50}),
        ("the green is too strong", {"green": -50}),
        ("turn down the green", {"green": -50}),
        ("brighter not greener", {"light": 50}),
        ("雲が足りない", {"clouds": 50}),
        ("雲は少なくていい", {"clouds": -50}),
        ("もう少し明るくしてもらえませんか", {"light": 25}),
    ],
)
def test_qualities_are_turned(note: str, expected: dict[str, int]) -> None:
    assert turned(note) == expected


@pytest.mark.parametrize(
    ("note", "season", "time"),
    [
        ("Make it night", "", "night"),
        ("make it sunset please", "", "sunset"),
        ("夕方にしてください", "", "sunset"),
        ("夜景に変更", "", "night"),
        ("snowy winter version", "winter", ""),
        ("秋の朝にして", "", "morning"),
        ("change sunset to night", "", "night"),
        ("make it night instead of sunset", "", "night"),
        ("make it sunset rather than night", "", "sunset"),
        ("from the night to morning", "", "morning"),
        ("夕方ではなく夜に", "", "night"),
        ("昼から夜に", "", "night"),
    ],
)
def test_a_season_or_time_that_is_asked_for_is_taken(note: str, season: str, time: str) -> None:
    found = read_notes([note])

    assert (found.season, found.time) == (season, time)


@pytest.mark.parametrize(
    "note",
    [
        "I like the sunset",
        "keep the night",
        "夕方の光がいい",
        "not too dark",
        "don't make it darker",
        "don’t add more clouds",
        "no more clouds",
        "not greener",
        "Never make it night",
        "no snow",
        "without snow",
        "The greens shouldn't be more saturated",
        "雲を増やさないで",
        "緑を減らさないでください",
        "雲は増やさなくていいです",
        "明るくしないで",
        "暗くなりすぎないように",
        "夜にしないで",
        "夜にはしない",
        "",
        "。、！",
    ],
)
def test_praise_and_refusals_ask_for_no_change(note: str) -> None:
    found = read_notes([note])

    assert (found.season, found.time, found.turns) == ("", "", ())


def test_what_is_not_understood_is_kept_as_it_was_written() -> None:
    found = read_notes(["It feels lonely somehow", "less green"])

    assert found.text == "It feels lonely somehow\nless green"
    assert found.understood == ("less green -50 % (緑減 -50 %)",)
    assert [text.en for text in found.cannot] == ["it feels lonely somehow"]


def test_a_later_note_replaces_the_time_and_adds_to_a_quality() -> None:
    found = read_notes(["make it night, darker", "make it morning", "darker still, a lot darker"])

    assert found.time == "morning"
    assert turned("darker", "darker", "a lot darker") == {"light": -100}


def test_notes_may_speak_of_the_seed() -> None:
    assert not read_notes(["darker"]).new_seed
    assert read_notes(["another seed, darker"]).new_seed
    assert read_notes(["keep the seed, but darker"]).keep_seed
    assert read_notes(["構図はそのまま、もっと明るく"]).keep_seed


def test_what_must_not_be_seen_is_named() -> None:
    assert read_notes(["no people", "remove the boat"]).unwanted == ("people", "boat")


# How long it takes is not what is tested.
@settings(deadline=None)
@given(st.lists(st.text(max_size=200), max_size=5))
def test_any_text_can_be_read_and_stays_within_bounds(notes: list[str]) -> None:
    found = read_notes(notes)

    assert all(-100 <= turn.amount <= 100 and turn.amount for turn in found.turns)
    assert len({turn.quality for turn in found.turns}) == len(found.turns) <= len(Quality)
    assert read_notes(notes) == found
