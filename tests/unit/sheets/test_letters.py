"""Letters are told from drawing, on lines of the drawing too, and with a network or without."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from typing_extensions import override

from haikei.reading.network import shipped_network
from haikei.scenes import SceneKind
from haikei.sheets import letter_shapes, read_sheet
from haikei.sheets.letter_network import LetterNetwork, letter_figures
from haikei.sheets.lettering import Strokes, Sums, parted, strokes_of, sums_of
from haikei.sheets.sheet import Ink
from support.layout_sheets import blank, put_drawing, put_text


def written(text: str, height: int, width: int) -> NDArray[np.float32]:
    plane = np.zeros((height, width), np.uint8)
    cv2.putText(plane, text, (60, 150), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (255,), 1, cv2.LINE_AA)
    return plane.astype(np.float32) / np.float32(255)


def test_a_line_that_crosses_another_is_taken_apart_where_they_meet() -> None:
    ink = np.zeros((400, 600), np.float32)
    cv2.line(ink, (20, 200), (580, 200), (1.0,), 2)
    cv2.line(ink, (300, 180), (300, 230), (1.0,), 2)

    whole, pieces = strokes_of(ink), parted(strokes_of(ink), 400.0)

    assert len(whole.area) == 2
    assert len(pieces.area) == 5
    numbers = [
        int(pieces.labels[y, x]) for x, y in ((100, 200), (500, 200), (300, 183), (300, 225))
    ]
    assert len(set(numbers)) == 4
    assert np.array_equal(whole.labels > 0, pieces.labels > 0)
    for one in numbers:
        rows, columns = np.nonzero(pieces.labels == one)
        assert (pieces.left[one], pieces.top[one]) == (columns.min(), rows.min())
        assert pieces.width[one] == columns.max() - columns.min() + 1
        assert pieces.height[one] == rows.max() - rows.min() + 1
        assert pieces.area[one] == len(rows)


def test_small_strokes_are_never_taken_apart() -> None:
    whole = strokes_of(written("#4x+", 400, 600))

    assert parted(whole, 400.0) is whole


def test_of_a_word_on_a_line_less_stays_than_by_rules_and_all_of_the_line() -> None:
    sheet = blank()
    put_drawing(sheet, kind=SceneKind.HILLS)
    cv2.line(sheet, (455, 10), (459, 300), (0.1, 0.1, 0.1), 2)
    drawn = 1 - sheet.min(axis=2)
    notes = put_text(sheet, "BOOK only", (400, 66), 26)
    alone = notes & (cv2.dilate(drawn, np.ones((3, 3))) < 0.2)

    reading = read_sheet(sheet, letters=shipped_network().letters)
    by_rules = read_sheet(sheet)

    left, left_by_rules = ((one.ink[alone] > 0.25).mean() for one in (reading, by_rules))
    assert left < left_by_rules
    assert (reading.ink[(drawn > 0.5) & ~notes] > 0.2).mean() > 0.995


def test_letters_are_the_same_however_often_they_are_asked() -> None:
    sheet = blank()
    put_drawing(sheet)
    put_text(sheet, "PAN 2", (300, 60), 30)
    letters = shipped_network().letters

    one, other = (read_sheet(sheet, letters=letters).ink for _ in range(2))

    assert np.array_equal(one, other)


def test_the_letters_twin_that_learns_gives_the_same_chances() -> None:
    torch = pytest.importorskip("torch")
    from haikei.training.writing import Letters, letter_weights

    torch.manual_seed(3)
    twin = Letters().eval()
    ink = written("Follow 12", 300, 500)
    strokes = strokes_of(ink)
    shown = letter_figures(ink, strokes, sums_of(ink, strokes, 300.0), 300.0)
    weights = {name: one.astype(np.float32) for name, one in letter_weights(twin).items()}

    ours = LetterNetwork(weights).chances(shown)

    assert {name: one.shape for name, one in weights.items()} == letter_shapes()
    with torch.no_grad():
        scores = twin(
            torch.from_numpy(shown.pictures).permute(0, 3, 1, 2).float() / 255,
            torch.from_numpy(shown.figures),
            torch.from_numpy(shown.groups),
            torch.from_numpy(shown.area),
        )
    assert np.abs(ours - torch.sigmoid(scores).numpy()).max() < 0.01


def test_letters_are_learnt_on_from_the_weights_that_are_there() -> None:
    pytest.importorskip("torch")
    from haikei.reading.network import WEIGHTS
    from haikei.training.writing import (
        fit_letters,
        kept_letters,
        letter_weights,
        strokes_with_truth,
    )

    start = kept_letters(WEIGHTS)
    sheets = [strokes_with_truth(seed) for seed in (1, 2)]

    same = letter_weights(fit_letters(sheets, epochs=0, seed=1, start=start))
    further = letter_weights(fit_letters(sheets, epochs=1, seed=1, start=start))

    assert all(np.array_equal(same[name], start[name].reshape(same[name].shape)) for name in same)
    assert not np.array_equal(further["letters.first.weight"], start["letters.first.weight"])
    assert np.array_equal(further["letters.mean"], same["letters.mean"])


class Chances(LetterNetwork):
    """Gives strokes chances that were set, from the left."""

    def __init__(self, *from_left: float) -> None:
        super().__init__({})
        self._from_left = from_left

    @override
    def weigh(self, ink: Ink, strokes: Strokes, sums: Sums, tall: float) -> NDArray[np.float64]:
        found = np.zeros(len(strokes.area))
        found[np.argsort(strokes.left[1:]) + 1] = self._from_left
        return found


@pytest.mark.parametrize(("ring", "number", "goes"), [(0.4, 0.9, True), (0.3, 0.4, False)])
def test_a_number_in_a_ring_goes_where_both_together_are_rather_writing(
    ring: float, number: float, *, goes: bool
) -> None:
    sheet = blank(500, 300)
    cv2.line(sheet, (20, 220), (480, 260), (0.1, 0.1, 0.1), 3)
    cv2.circle(sheet, (200, 100), 14, (0.1, 0.1, 0.1), 1)
    cv2.line(sheet, (200, 94), (200, 106), (0.1, 0.1, 0.1), 2)

    reading = read_sheet(sheet, letters=Chances(0.0, ring, number))

    assert bool(reading.ink[80:120, 180:220].max() < 0.2) is goes


def test_a_stroke_that_is_half_known_goes_with_the_word_that_it_touches() -> None:
    sheet = blank(500, 300)
    cv2.line(sheet, (20, 220), (480, 260), (0.1, 0.1, 0.1), 3)
    for x in (100, 117, 134, 400):
        cv2.circle(sheet, (x, 108), 7, (0.1, 0.1, 0.1), 1)

    reading = read_sheet(sheet, letters=Chances(0.0, 0.99, 0.3, 0.3, 0.3))

    # The word's letters go one by the other; what stands alone stays drawing.
    assert reading.ink[:200, 90:150].max() < 0.2
    assert reading.ink[:200, 390:410].max() > 0.5
