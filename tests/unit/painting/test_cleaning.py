"""Scans are messy: what is not the drawing goes before anything is painted."""

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.painting import paint_wash, read_layout
from haikei.scenes import Scene, SceneKind, draw
from haikei.sheets import read_sheet

Pixels = NDArray[np.float32]


def paper(height: int = 180, width: int = 320) -> Pixels:
    return np.ones((height, width, 3), np.float32)


def drawn() -> Pixels:
    sheet = paper()
    cv2.rectangle(sheet, (80, 60), (200, 140), (0.1, 0.1, 0.1), 2)
    return sheet


def test_ink_is_where_the_lines_are() -> None:
    ink = read_sheet(drawn()).ink

    assert ink[60, 100] > 0.9
    assert ink[100, 140] == 0
    assert ink.dtype == np.float32


def test_yellowed_and_shaded_paper_is_flattened() -> None:
    stained = drawn() * np.array([0.96, 0.93, 0.86], np.float32)
    stained *= np.linspace(1.0, 0.7, 320, dtype=np.float32)[None, :, None]

    ink = read_sheet(stained).ink

    assert ink[60, 100] > 0.9
    assert (ink > 0.1).mean() < 1.5 * (read_sheet(drawn()).ink > 0.1).mean()


def test_coloured_guide_lines_are_removed() -> None:
    guided = drawn()
    cv2.line(guided, (10, 20), (300, 30), (0.86, 0.2, 0.2), 2, cv2.LINE_AA)
    cv2.line(guided, (10, 170), (300, 150), (0.2, 0.3, 0.9), 2, cv2.LINE_AA)

    ink = read_sheet(guided).ink

    assert ink[:50].max() < 0.3
    assert ink[145:].max() < 0.3
    assert ink[60, 100] > 0.9


def test_a_layout_that_is_coloured_all_over_keeps_its_lines() -> None:
    tinted = drawn() * np.array([0.5, 0.8, 1.0], np.float32)

    assert read_sheet(tinted).ink[60, 100] > 0.5


def test_white_lines_on_dark_ground_are_lines_too() -> None:
    ink = read_sheet(1 - drawn()).ink

    assert ink[60, 100] > 0.9
    assert ink[100, 140] == 0


def test_the_margin_around_a_camera_frame_is_left_as_paper() -> None:
    layout = draw(Scene(kind=SceneKind.VILLAGE, width=400, height=240)).picture().pixels
    framed = np.ones_like(layout)
    framed[20:220, 24:376] = layout[20:220, 24:376]
    cv2.rectangle(framed, (24, 20), (375, 219), (0.2, 0.2, 0.2), 1)
    for x in range(30, 60, 6):  # the cut number
        cv2.line(framed, (x, 5), (x + 3, 13), (0.1, 0.1, 0.1), 1)

    frame = read_sheet(framed).area
    reading = read_layout(framed, "village", lambda: None)
    wash = paint_wash(reading, season="summer", time="day", seed=0, pause=lambda: None)

    assert frame is not None
    assert abs(frame.left - 24) <= 6
    assert abs(frame.bottom - 220) <= 6
    assert wash[:12].mean() > 0.9
    assert np.ptp(wash[:12].reshape(-1, 3), axis=0).max() < 0.05
    assert wash[120:200, 60:300].std() > 0.05


def test_a_frame_with_drawing_on_both_sides_is_no_margin() -> None:
    layout = draw(Scene(kind=SceneKind.STREET, width=400, height=240)).picture().pixels.copy()
    cv2.rectangle(layout, (24, 20), (375, 219), (0.2, 0.2, 0.2), 1)

    assert read_sheet(layout).area is None
