"""380 notes, half of them Japanese, and what comes of each: done, handed on, beyond, or asked."""

from pathlib import Path

import pytest

from haikei.jobs.job import Instructions
from haikei.note_language.parser import is_japanese, read_notes
from haikei.presets import (
    Abilities,
    Act,
    Part,
    Quality,
    RegionChange,
    Spot,
    Subject,
    noted,
    only_ticked,
    split_noted,
)

HERE = Path(__file__).parent
MODEL = Abilities(reads=True, negates=True)
PLAIN_MODEL = Abilities(reads=True)


def table(name: str) -> list[tuple[str, str]]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    parts = [line.partition("\t") for line in lines if line and not line.startswith("#")]
    return [(note, expected) for note, _, expected in parts]


def shown(found: Instructions) -> set[str]:
    """Return instructions in the notation of the tables."""
    parts = {f"season:{found.season}"} if found.season else set[str]()
    parts |= {f"time:{found.time}"} if found.time else set()
    parts |= {"seed:new"} if found.new_seed else set()
    parts |= {"seed:keep"} if found.keep_seed else set()
    parts |= {f"{turn.quality.value}{turn.amount:+d}" for turn in found.turns}
    parts |= {shown_change(change) for change in found.changes}
    if found.cannot and (found.asked or found.beyond):
        parts.add("x")
    return parts or {"?"}


def shown_change(change: RegionChange) -> str:
    where = "".join((change.subject.value, *(f"@{part.value}" for part in change.parts)))
    apart = "".join(f" !{one.value}" for one in change.apart)
    match change.act:
        case Act.REMOVE:
            return f"-{where}{apart}"
        case Act.TURN:
            return f"{where}.{change.quality}{change.amount:+d}{apart}"
        case Act.TINT:
            return f"{where}~{change.colour} {change.amount}{apart}"
        case Act.COLOUR:
            return f"{where}={f'{change.shade} {change.colour}'.strip()} {change.amount}{apart}"


@pytest.mark.parametrize(("note", "expected"), [*table("notes.tsv"), *table("fresh.tsv")])
def test_a_note_asks_for_what_it_says(note: str, expected: str) -> None:
    assert shown(read_notes([note])) == set(expected.split(", "))


def test_notes_that_nobody_looked_at_while_building_are_read_as_well() -> None:
    read = [
        shown(read_notes([note])) == set(want.split(", ")) for note, want in table("unseen.tsv")
    ]

    assert len(read) == 100
    assert sum(read) >= 98


def test_half_of_the_notes_are_japanese() -> None:
    notes = [note for note, _ in table("notes.tsv")]
    japanese = sum(is_japanese(note) for note in notes)

    assert len(notes) >= 200
    assert 0.4 < japanese / len(notes) < 0.6


@pytest.mark.parametrize("name", ["notes.tsv", "unseen.tsv"])
def test_a_model_is_handed_what_it_can_read(name: str) -> None:
    for note, expected in table(name):
        found = read_notes([note], MODEL)
        assert found.changes == ()
        if expected == "?":
            continue
        assert found.cannot == ()
        assert found.alters, note


def test_a_model_without_a_negative_prompt_cannot_leave_things_out() -> None:
    found = read_notes(["remove the power lines, the roof red"], PLAIN_MODEL)

    assert [text.en for text in found.handed] == ["roof: red"]
    assert [text.en for text in found.cannot] == ["power lines: removed"]


def test_what_is_left_out_is_named_for_a_negative_prompt() -> None:
    assert read_notes(["remove the telephone wires"], MODEL).unwanted == ("telephone wires",)
    assert read_notes(["電線を消して"], MODEL).unwanted == ("power lines",)
    assert read_notes(["remove the dragon"], MODEL).unwanted == ("dragon",)


def test_qualities_that_no_generator_turns_are_said_to_be_beyond() -> None:
    abilities = Abilities(turns=(Quality.LIGHT,))
    found = read_notes(["brighter, less green"], abilities)

    assert [turn.quality for turn in found.turns] == [Quality.LIGHT]
    assert [text.en for text in found.cannot] == ["less green -50 %"]


def test_clouds_that_are_taken_out_are_not_also_turned() -> None:
    found = read_notes(["more clouds", "no clouds"])

    assert shown(found) == {"-clouds"}


@pytest.mark.parametrize(
    ("note", "japanese"), [("屋根を赤に", True), ("The roof red", False), ("skyを青く", True)]
)
def test_the_language_of_a_note_is_that_of_its_answer(note: str, *, japanese: bool) -> None:
    assert is_japanese(note) is japanese


BOX = Spot(left=100, top=200, right=300, bottom=405)


def drawn(text: str, *places: Spot, unread: tuple[str, ...] = ()) -> Instructions:
    return read_notes([noted(text, drawn=places or (BOX,), unread=unread)])


def test_all_of_a_note_is_meant_where_somebody_drew() -> None:
    found = drawn("The roof dark red, please; the trees on the left darker.")

    assert [(one.subject, one.parts, one.within) for one in found.changes] == [
        (Subject.ROOF, (), (BOX,)),
        (Subject.TREE, (Part.LEFT,), (BOX,)),
    ]
    assert any("roof in the box" in text for text in found.understood)
    assert found.cannot == ()


def test_a_wish_for_the_picture_is_one_for_what_is_drawn_on() -> None:
    found = drawn("暗く")

    (change,) = found.changes
    assert (change.subject, change.quality, change.within) == (
        Subject.PICTURE,
        Quality.LIGHT.value,
        (BOX,),
    )
    assert found.turns == ()


def test_a_drawing_without_a_wish_is_said_not_to_be_read() -> None:
    alone, beside = drawn(""), drawn("snow")

    assert not alone.alters
    assert [text.en for text in alone.cannot] == ["what is drawn at 10-30 % across, 20-40.5 % down"]
    assert beside.cannot


def test_a_model_is_not_said_to_be_handed_what_nobody_can_read() -> None:
    text = noted("The sky darker", unread=["the attached file 参考[1].png"])
    found = read_notes([text], MODEL)

    assert [text.en for text in found.cannot] == ["the attached file 参考 1 .png"]
    assert all("attached" not in text.en for text in found.handed)


def test_open_items_of_a_checklist_are_wishes_like_all_others() -> None:
    text = noted("Nearly there.", items=["roof dark red", "remove the power lines"])

    assert {one.subject for one in read_notes([text]).changes} == {Subject.ROOF, Subject.WIRES}
    assert only_ticked(text, noted("Nearly there.", items=["roof dark red"]))
    assert not only_ticked(text, noted("Nearly.", items=["roof dark red"]))
    assert not only_ticked(text, noted("Nearly there.", items=["roof dark red", "more haze"]))
    assert not only_ticked(text, text)


def test_what_was_added_to_a_note_is_read_back_as_it_was() -> None:
    places = (BOX, Spot(left=700, top=0, right=700, bottom=0))
    text = noted(" Roof red\n", items=["a", " "], drawn=places, unread=["x"])

    assert split_noted(text) == ("Roof red\na", places, ("x",))
    assert split_noted("Roof red") == ("Roof red", (), ())
    assert noted("  ") == ""
