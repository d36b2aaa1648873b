"""Notes are found in the margin and on the picture, and taken out of the drawing only."""

import numpy as np
import pytest

from haikei.errors import SettingsError
from haikei.scenes import SceneKind
from haikei.sheets import (
    Area,
    NoteKind,
    SheetText,
    can_read_texts,
    draw_overlay,
    read_sheet,
    read_texts,
    with_texts,
)
from haikei.sheets.text_reading import cut_numbers
from support.layout_sheets import FRAME, blank, put_drawing, put_frame, put_pegs, put_text


def sheet_with_notes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a sheet, its drawing, and where notes are written on the picture."""
    sheet = blank()
    drawn = put_drawing(sheet, kind=SceneKind.HILLS)
    put_frame(sheet)
    put_pegs(sheet)
    put_text(sheet, "C-012   6+12", (140, 100))
    notes = put_text(sheet, "BOOK only", (655, 180), 21)
    return sheet, drawn, notes


def test_notes_in_the_margin_are_boxes_and_no_drawing() -> None:
    sheet, _, _ = sheet_with_notes()

    reading = read_sheet(sheet)

    outside = [one for one in reading.notes if not one.inside]
    assert any(one.box.left < 200 and one.box.bottom < 145 for one in outside)
    assert not any(one.box.top > FRAME[3] + 10 for one in outside)


def test_a_note_on_the_picture_goes_and_the_drawing_stays() -> None:
    sheet, drawn, notes = sheet_with_notes()

    reading = read_sheet(sheet)

    inside = [one for one in reading.notes if one.inside]
    assert any(one.kind is NoteKind.TEXT for one in inside)
    assert any("note" in doubt for doubt in reading.doubts)
    alone = notes & (drawn < 0.1)
    assert (reading.ink[alone] > 0.25).mean() < 0.05
    wanted = (drawn > 0.5) & ~notes
    wanted[: FRAME[1] + 6], wanted[FRAME[3] - 5 :] = False, False
    wanted[:, : FRAME[0] + 6], wanted[:, FRAME[2] - 5 :] = False, False
    assert (reading.ink[wanted] > 0.2).mean() > 0.985


def test_the_overlay_marks_what_was_found_and_nothing_else() -> None:
    sheet, _, _ = sheet_with_notes()

    shown = draw_overlay(sheet, read_sheet(sheet))

    assert shown.shape == sheet.shape
    assert np.abs(shown[340, FRAME[0]] - (0.86, 0.0, 0.75)).max() < 0.3
    assert shown[10, 10].max() < 0.7, "the margin is dimmed"
    assert np.array_equal(shown[400:420, 420:440], sheet[400:420, 420:440])


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("C-012", {12}),
        ("C012", {12}),
        ("ep03_c012_t02", {12}),
        ("cut 7", {7}),
        ("BOOK 1", set[int]()),
        ("#12-129", set[int]()),
        ("6+12", set[int]()),
    ],
)
def test_cut_numbers_are_read_from_texts_and_names(text: str, numbers: set[int]) -> None:
    assert cut_numbers(text) == numbers


def read_text(text: str, score: float = 0.97) -> SheetText:
    return SheetText(text=text, score=score, box=Area(left=140, top=100, right=220, bottom=130))


def test_another_cut_number_than_the_files_is_a_doubt() -> None:
    sheet, _, _ = sheet_with_notes()
    reading = read_sheet(sheet)

    other = with_texts(reading, (read_text("C-014"),), file_name="ep03_C012_t01.png")
    same = with_texts(reading, (read_text("C-012"),), file_name="ep03_C012_t01.png")
    unsure = with_texts(reading, (read_text("C-014", 0.5),), file_name="ep03_C012_t01.png")
    shared = with_texts(reading, (read_text("兼用 C-014"),), file_name="ep03_C012_t01.png")

    assert any("C-014" in doubt and "C012" in doubt for doubt in other.doubts)
    for one in (same, unsure, shared):
        assert one.doubts == reading.doubts


def test_texts_keep_their_score_and_stand_at_their_notes() -> None:
    sheet, _, _ = sheet_with_notes()
    reading = read_sheet(sheet)

    found = with_texts(reading, (read_text("C-012", 0.91),))

    assert len(found.notes) == len(reading.notes)
    (note,) = (one for one in found.notes if one.text)
    assert note.text == "C-012"
    assert note.score == 0.91


@pytest.mark.skipif(can_read_texts(), reason="the extra haikei[ocr] is installed")
def test_reading_texts_without_the_library_says_what_to_install() -> None:
    with pytest.raises(SettingsError, match="RapidOCR is not installed"):
        read_texts(blank())


@pytest.mark.skipif(not can_read_texts(), reason="needs the extra haikei[ocr]")
def test_printed_texts_are_read_with_their_scores() -> None:
    sheet, _, _ = sheet_with_notes()

    texts = read_texts(sheet)

    assert any("C-012" in one.text and one.score > 0.8 for one in texts)
