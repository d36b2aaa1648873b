"""The frame of a sheet is found wherever it is, and nothing that is drawn is taken for one."""

import cv2
import numpy as np
import pytest

from haikei.scenes import SceneKind
from haikei.sheets import FrameUse, SheetReading, line_art, read_sheet
from support.layout_sheets import (
    BLACK,
    FRAME,
    HEIGHT,
    WIDTH,
    Box,
    blank,
    put_drawing,
    put_frame,
    put_pegs,
    put_text,
    turned,
    turned_point,
)


def cameras(reading: SheetReading) -> list[tuple[float, float, float, float]]:
    """Return the bounds of the camera's frames."""
    found: list[tuple[float, float, float, float]] = []
    for frame in reading.frames:
        if frame.use is FrameUse.CAMERA:
            x, y = [p.x for p in frame.corners], [p.y for p in frame.corners]
            found.append((min(x), min(y), max(x), max(y)))
    return found


def recall(ink: np.ndarray, drawn: np.ndarray, box: Box) -> float:
    """Return the part of a drawing's strokes inside a box that is left in the ink."""
    inner = (slice(box[1] + 6, box[3] - 5), slice(box[0] + 6, box[2] - 5))
    there = cv2.dilate((ink[inner] > 0.2).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    wanted = drawn[inner] > 0.5
    return float((there & wanted).sum() / wanted.sum())


@pytest.mark.parametrize(
    "box", [FRAME, (60, 120, 660, 570), (220, 200, 862, 473), (100, 90, 800, 620)]
)
def test_frames_of_usual_ratios_are_found_off_centre(box: Box) -> None:
    sheet = blank()
    drawn = put_drawing(sheet, box)
    put_frame(sheet, box)
    put_text(sheet, "C-012", (300, 20))

    reading = read_sheet(sheet)

    assert len(cameras(reading)) == 1
    assert np.abs(np.array(cameras(reading)[0]) - box).max() < 1.0
    assert reading.area is not None
    assert 0 < reading.area.left - box[0] < 6
    assert 0 < box[3] - reading.area.bottom + 1 < 6
    assert recall(reading.ink, drawn, box) > 0.995
    assert reading.ink[: box[1]].max() == 0


@pytest.mark.parametrize("degrees", [-4.0, -1.3, 0.7, 3.5])
def test_a_frame_that_lies_askew_is_found_with_its_angle(degrees: float) -> None:
    sheet = blank()
    put_drawing(sheet)
    put_frame(sheet)
    put_pegs(sheet)

    reading = read_sheet(turned(sheet, degrees))

    (frame,) = (one for one in reading.frames if one.use is FrameUse.CAMERA)
    wanted = [
        turned_point(x, y, degrees)
        for x, y in (FRAME[:2], (FRAME[2], FRAME[1]), FRAME[2:], (FRAME[0], FRAME[3]))
    ]
    found = [(p.x, p.y) for p in frame.corners]
    assert np.abs(np.array(wanted) - found).max() < 1.5
    assert frame.rotation == pytest.approx(-degrees, abs=0.2)
    assert frame.ratio == pytest.approx(16 / 9, rel=0.01)
    assert frame.printed
    assert reading.inside is not None
    assert reading.ink[~reading.inside].max() == 0


def test_a_faint_and_a_coloured_frame_are_frames_too() -> None:
    for colour in ((0.62, 0.62, 0.62), (0.3, 0.5, 0.95), (0.9, 0.35, 0.35)):
        sheet = blank()
        put_drawing(sheet)
        put_frame(sheet, colour=colour, thick=1)
        put_pegs(sheet, 600)

        reading = read_sheet(sheet)

        assert cameras(reading), colour
        assert np.abs(np.array(cameras(reading)[0]) - FRAME).max() < 1.5


def test_the_safety_frame_is_never_the_crop() -> None:
    sheet = blank()
    put_drawing(sheet)
    put_frame(sheet)
    put_frame(sheet, (142, 168, 758, 514), thick=1)
    put_pegs(sheet)

    reading = read_sheet(sheet)

    assert np.abs(np.array(cameras(reading)[0]) - FRAME).max() < 1.0
    assert [one.use for one in reading.frames].count(FrameUse.SAFETY) == 1
    line = reading.ink[172:510, 140:145]
    assert (line > 0.3).mean() < 0.25, "the line of the safety frame is still there"


def test_two_frames_of_a_pan_are_painted_together() -> None:
    sheet = blank(1300, 560)
    first, second = (60, 140, 700, 500), (420, 140, 1060, 500)
    put_drawing(sheet, (60, 140, 1060, 500), SceneKind.STREET)
    put_frame(sheet, first)
    put_frame(sheet, second)
    put_pegs(sheet)

    reading = read_sheet(sheet)

    assert reading.area is not None
    assert abs(reading.area.left - 60) < 6
    assert abs(reading.area.right - 1060) < 6
    assert {one.name for one in reading.frames if one.use is FrameUse.CAMERA} >= {"A", "B"}
    assert any("camera frames" in doubt for doubt in reading.doubts)


def test_a_smaller_frame_of_a_truck_up_is_inside_of_the_first() -> None:
    sheet = blank()
    drawn = put_drawing(sheet, kind=SceneKind.STREET)
    put_frame(sheet)
    inner = (260, 220, 600, 411)
    put_frame(sheet, inner)
    put_pegs(sheet)

    reading = read_sheet(sheet)

    assert reading.area is not None
    assert abs(reading.area.right - FRAME[2]) < 6
    assert len(cameras(reading)) == 2
    assert np.abs(np.array(cameras(reading)[1]) - inner).max() < 1.0
    assert left_of(reading, inner, drawn) < 0.1
    # Strokes that cross its lines go on; what runs along beneath them cannot.
    assert recall(reading.ink, drawn, FRAME) > 0.965


def left_of(reading: SheetReading, box: Box, drawn: np.ndarray) -> float:
    """Return the part of a frame's lines that is still there, beside drawing."""
    plane = np.zeros(drawn.shape, np.uint8)
    cv2.rectangle(plane, box[:2], box[2:], color=1, thickness=1)
    free = (plane > 0) & (cv2.dilate((drawn > 0.2).astype(np.uint8), np.ones((5, 5))) == 0)
    return float((reading.ink[free] > 0.25).mean())


def test_lines_that_a_hand_ruled_past_the_corners_are_a_frame_too() -> None:
    sheet = blank()
    drawn = np.zeros(sheet.shape[:2], np.float32)
    for y in range(170, 560, 60):
        for plane in (sheet, drawn):
            ink = BLACK if plane is sheet else (1.0,)
            cv2.line(plane, (120, y), (780, y - 45), ink, 2)
    put_frame(sheet)
    left, top, right, bottom = inner = (260, 220, 600, 411)
    for start, end in (
        ((left - 12, top), (right + 9, top)), ((left - 7, bottom), (right + 14, bottom)),
        ((left, top - 11), (left, bottom + 8)), ((right, top - 6), (right, bottom + 13)),
    ):  # fmt: skip
        cv2.line(sheet, start, end, BLACK, 1)
    put_pegs(sheet)

    reading = read_sheet(sheet)

    assert len(cameras(reading)) == 2
    assert left_of(reading, inner, drawn) < 0.1


@pytest.mark.parametrize("thick", [1, 3, 5])
def test_a_frame_is_found_along_the_middle_of_its_line_and_none_of_it_is_painted(
    thick: int,
) -> None:
    sheet = blank()
    put_frame(sheet, thick=thick)
    cv2.circle(sheet, (450, 340), 90, BLACK, 2)
    put_pegs(sheet)

    reading = read_sheet(sheet)

    assert np.abs(np.array(cameras(reading)[0]) - FRAME).max() < 1.0
    assert reading.area is not None
    edge = reading.ink.copy()
    edge[240:440, 350:550] = 0
    assert edge.max() < 0.2


def test_the_ends_of_a_pan_lose_the_lines_that_stand_on_the_picture() -> None:
    # 2000 : 720 is no camera's ratio, 1280 : 720 is one: whoever rules these two means a PAN.
    sheet = blank(1300, 560)
    first, second = (60, 140, 700, 500), (420, 140, 1060, 500)
    drawn = put_drawing(sheet, (60, 140, 1060, 500), SceneKind.VILLAGE)
    put_frame(sheet, first, thick=1)
    put_frame(sheet, second, thick=1)
    put_pegs(sheet)

    reading = read_sheet(sheet)

    assert sorted(round(one[0], -1) for one in cameras(reading)) == [60, 420]
    assert left_of(reading, first, drawn) < 0.1
    assert left_of(reading, second, drawn) < 0.1


@pytest.mark.parametrize("x", [300, 452, 620])
def test_a_post_from_top_to_bottom_of_the_picture_makes_no_second_frame(x: int) -> None:
    sheet = blank()
    drawn = put_drawing(sheet, kind=SceneKind.VILLAGE)
    for edge in (x, x + 14):
        cv2.line(sheet, (edge, FRAME[1]), (edge, FRAME[3]), BLACK, 2)
        cv2.line(drawn, (edge, FRAME[1]), (edge, FRAME[3]), (1.0,), 2)
    put_frame(sheet)
    put_pegs(sheet)

    reading = read_sheet(sheet)

    assert len(reading.frames) == 1
    assert recall(reading.ink, drawn, FRAME) > 0.99


@pytest.mark.parametrize("kind", list(SceneKind))
def test_a_bare_drawing_has_no_frame(kind: SceneKind) -> None:
    sheet = blank()
    put_drawing(sheet, (0, 0, WIDTH, HEIGHT), kind)

    reading = read_sheet(sheet)

    assert reading.area is None
    assert reading.frames == ()
    assert reading.notes == ()


def test_a_window_a_wall_and_a_door_are_no_frames() -> None:
    room = blank()
    cv2.rectangle(room, (180, 90), (720, 440), color=BLACK, thickness=2)
    for corner, far in (
        ((180, 90), (0, 0)),
        ((720, 90), (899, 0)),
        ((180, 440), (0, 639)),
        ((720, 440), (899, 639)),
    ):
        cv2.line(room, corner, far, color=BLACK, thickness=2)
    cv2.rectangle(room, (260, 150), (580, 330), color=BLACK, thickness=2)
    cv2.rectangle(room, (620, 200), (690, 440), color=BLACK, thickness=2)
    for x in range(-300, 1200, 90):
        cv2.line(room, (450 + (x - 450) // 3, 440), (x, 639), color=BLACK, thickness=1)

    assert read_sheet(room).area is None


def test_one_thing_on_empty_paper_is_no_frame() -> None:
    lone = blank()
    cv2.rectangle(lone, (300, 200), (560, 400), color=BLACK, thickness=2)
    cv2.rectangle(lone, (310, 210), (550, 390), color=BLACK, thickness=1)
    cv2.line(lone, (430, 210), (430, 390), color=BLACK, thickness=1)

    reading = read_sheet(lone)

    assert reading.area is None
    assert reading.ink[300, 430] > 0.5


def test_a_sheet_with_pegs_and_no_frame_is_painted_whole_and_says_so() -> None:
    sheet = blank()
    put_drawing(sheet, (0, 90, WIDTH, HEIGHT))
    put_pegs(sheet)

    reading = read_sheet(sheet)

    assert reading.area is None
    assert len(reading.pegs) == 3
    assert any("no frame was found" in doubt for doubt in reading.doubts)


@pytest.mark.parametrize("size", [(16, 16), (40, 300), (300, 20), (64, 64)])
def test_sheets_of_any_size_are_read(size: tuple[int, int]) -> None:
    reading = read_sheet(np.ones((*size, 3), np.float32))

    assert reading.ink.shape == size
    assert reading.area is None


def test_line_art_is_the_drawing_alone() -> None:
    sheet = blank()
    drawn = put_drawing(sheet)
    put_frame(sheet)
    put_pegs(sheet)
    cv2.line(sheet, (200, 300), (500, 420), color=(0.9, 0.2, 0.2), thickness=2)

    ink = line_art(sheet)

    assert recall(ink, drawn, FRAME) > 0.99
    assert ink[:140].max() == 0
