"""Whatever is handed over as a layout is painted: any size, any content."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from haikei.painting import paint_full, paint_wash, read_layout
from haikei.reading.classes import place_word
from haikei.scenes import Scene, SceneKind, draw

Pixels = NDArray[np.float32]


def nothing() -> None:
    """Go on."""


def paint(layout: Pixels, place: str = "", season: str = "summer", time: str = "day") -> Pixels:
    reading = read_layout(layout, place, nothing)
    wash = paint_wash(reading, season=season, time=time, seed=1, pause=nothing)
    full = paint_full(reading, wash, season=season, time=time, seed=1, pause=nothing)
    for picture in (wash, full):
        assert picture.shape == layout.shape
        assert picture.dtype == np.float32
        assert np.isfinite(picture).all()
        assert picture.min() >= 0
        assert picture.max() <= 1
    return full


def strange(name: str, height: int, width: int) -> Pixels:
    random = np.random.default_rng(7)
    sheets = {
        "blank": np.ones((height, width, 3)),
        "black": np.zeros((height, width, 3)),
        "grey": np.full((height, width, 3), 0.5),
        "red": np.broadcast_to([1.0, 0.0, 0.0], (height, width, 3)),
        "noise": random.random((height, width, 3)),
        "speckle": np.repeat(random.random((height, width, 1)) > 0.5, 3, axis=2),
    }
    return np.ascontiguousarray(sheets[name], np.float32)


@pytest.mark.parametrize("name", ["blank", "black", "grey", "red", "noise", "speckle"])
@pytest.mark.parametrize("place", ["", "port", "station"])
def test_sheets_without_a_drawing_are_painted_all_the_same(name: str, place: str) -> None:
    paint(strange(name, 120, 200), place, season="winter", time="night")


@pytest.mark.parametrize(
    ("width", "height"), [(64, 64), (65, 97), (160, 96), (96, 400), (700, 64), (1280, 720)]
)
def test_pictures_of_any_size_are_painted(width: int, height: int) -> None:
    layout = draw(Scene(kind=SceneKind.STATION, width=width, height=height)).picture().pixels

    paint(layout, "station", time="sunset")


def test_a_very_large_layout_is_painted_with_its_own_fine_lines() -> None:
    layout = np.ones((1440, 2560, 3), np.float32)
    cv2.rectangle(layout, (750, 560), (1810, 1250), (0.1, 0.1, 0.1), 3)
    cv2.line(layout, (875, 625), (1685, 1190), (0.1, 0.1, 0.1), 1, cv2.LINE_AA)

    full = paint(layout, "village")

    across = full[906:909, 1260:1300].mean(axis=2)
    assert across.min() < float(np.median(across)) - 0.04


def test_what_was_added_to_a_large_wash_by_hand_keeps_its_fine_detail() -> None:
    layout = np.ones((1300, 2000, 3), np.float32)
    reading = read_layout(layout, "", nothing)
    assert reading.shape != reading.size
    wash = paint_wash(reading, season="summer", time="day", seed=1, pause=nothing)
    touched = wash.copy()
    touched[1100, 300:600] = 0.0

    plain, after = (
        paint_full(reading, base, season="summer", time="day", seed=1, pause=nothing)
        for base in (wash, touched)
    )

    gone = (plain - after)[1100, 350:550].mean()
    beside = (plain - after)[1104, 350:550].mean()
    assert gone > 0.15
    assert beside < 0.3 * gone


@pytest.mark.parametrize(
    ("hint", "word"),
    [
        ("port", "port"),
        ("Harbour front", "port"),
        ("田舎の駅", "station"),
        ("mountain LAKE", "lake"),
        ("lake", "lake"),
        ("", ""),
        ("spaceship", ""),
    ],
)
def test_a_free_hint_names_a_known_place_or_none(hint: str, word: str) -> None:
    assert place_word(hint) == word


def test_the_number_of_threads_changes_no_pixel() -> None:
    layout = draw(Scene(kind=SceneKind.PORT, width=480, height=270)).picture().pixels
    before = cv2.getNumThreads()
    try:
        pictures: list[Pixels] = []
        for threads in (1, 4):
            cv2.setNumThreads(threads)
            for other in ("blank", "grey"):  # so that the layout is read afresh
                paint(strange(other, 64, 64))
            pictures.append(paint(layout, "port"))
    finally:
        cv2.setNumThreads(before)

    assert np.array_equal(pictures[0], pictures[1])


def test_a_reading_is_kept_for_the_stage_that_follows() -> None:
    layout = draw(Scene(kind=SceneKind.HILLS, width=200, height=120)).picture().pixels

    first = read_layout(layout, "hills", nothing)

    assert read_layout(layout.copy(), "hills", nothing) is first
    assert read_layout(layout, "village", nothing) is not first
    changed = layout.copy()
    changed[60, :] = 0
    assert read_layout(changed, "hills", nothing) is not first
