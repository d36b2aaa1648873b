"""Colours on a sheet: trace lines are kept by what they mean, tints of paper are named."""

import cv2
import numpy as np
import pytest

from haikei.sheets import PaperTint, TraceColour, TraceRole, TraceRoles, read_sheet
from support.layout_sheets import FRAME, blank, put_drawing, put_frame, put_pegs

RED, BLUE, GREEN, BROWN = (0.88, 0.2, 0.2), (0.2, 0.35, 0.9), (0.15, 0.62, 0.3), (0.5, 0.3, 0.15)
COLOURS = {
    TraceColour.RED: RED,
    TraceColour.BLUE: BLUE,
    TraceColour.GREEN: GREEN,
    TraceColour.BROWN: BROWN,
}


@pytest.mark.parametrize("colour", list(TraceColour))
def test_trace_lines_are_no_drawing_and_are_kept_with_their_role(colour: TraceColour) -> None:
    sheet = blank()
    put_drawing(sheet)
    put_frame(sheet)
    before = read_sheet(sheet).ink
    cv2.line(sheet, (200, 240), (640, 300), color=COLOURS[colour], thickness=2)

    reading = read_sheet(sheet)

    (trace,) = reading.traces
    assert trace.colour is colour
    assert trace.mask[262:276, 400:420].any()
    assert trace.role is TraceRoles().of(colour)
    assert (reading.ink[250:290, 300:500] > before[250:290, 300:500] + 0.3).mean() < 0.002


def test_roles_of_colours_can_be_set() -> None:
    sheet = blank()
    put_drawing(sheet)
    cv2.line(sheet, (200, 60), (640, 90), color=RED, thickness=2)

    usual = read_sheet(sheet)
    other = read_sheet(sheet, roles=TraceRoles(red=TraceRole.SHADOW))

    assert usual.light_edges is not None
    assert usual.shadow_edges is None
    assert other.shadow_edges is not None
    assert other.light_edges is None
    assert np.array_equal(usual.light_edges, other.shadow_edges)


@pytest.mark.parametrize("colour", [BLUE, RED, BROWN])
def test_a_drawing_in_one_coloured_pencil_is_the_drawing(
    colour: tuple[float, float, float],
) -> None:
    sheet = blank()
    plane = blank()
    ink = put_drawing(plane)
    sheet *= 1 - (1 - np.array(colour, np.float32)) * ink[..., None]
    put_frame(sheet)
    put_pegs(sheet)

    reading = read_sheet(sheet)

    assert reading.drawn_in is not None
    assert any("pencil" in doubt for doubt in reading.doubts)
    wanted = ink > 0.7
    wanted[: FRAME[1] + 6], wanted[FRAME[3] - 5 :] = False, False
    wanted[:, : FRAME[0] + 6], wanted[:, FRAME[2] - 5 :] = False, False
    assert (reading.ink[wanted] > 0.2).mean() > 0.98


@pytest.mark.parametrize(
    ("tint", "colour"),
    [
        (PaperTint.WHITE, (1.0, 1.0, 1.0)),
        (PaperTint.WHITE, (0.96, 0.94, 0.9)),
        (PaperTint.RED, (1.0, 0.82, 0.85)),
        (PaperTint.RED, (0.98, 0.68, 0.7)),
        (PaperTint.YELLOW, (1.0, 0.95, 0.62)),
        (PaperTint.GREEN, (0.8, 0.97, 0.82)),
        (PaperTint.BLUE, (0.78, 0.9, 1.0)),
    ],
)
def test_the_tint_of_paper_is_named_and_leaves_the_drawing_alone(
    tint: PaperTint, colour: tuple[float, float, float]
) -> None:
    sheet = blank()
    put_drawing(sheet)
    put_frame(sheet)
    cv2.line(sheet, (200, 240), (640, 300), color=RED, thickness=2)
    plain = read_sheet(sheet)

    tinted = read_sheet(sheet * np.array(colour, np.float32))

    assert tinted.paper.tint is tint
    assert [one.colour for one in tinted.traces] == [TraceColour.RED]
    assert np.abs(tinted.ink - plain.ink).mean() < 0.004


@pytest.mark.parametrize("tint", [(1.0, 0.72, 0.74), (1.0, 0.96, 0.68), (0.84, 0.97, 0.84)])
def test_black_lines_on_tinted_paper_are_no_trace_lines_in_a_jpeg(
    tint: tuple[float, float, float],
) -> None:
    # JPEG keeps colour at half the size of light: thin black lines take that of their paper.
    sheet = blank()
    drawn = put_drawing(sheet)
    cv2.line(sheet, (200, 500), (400, 470), (0.86, 0.1, 0.1), 3)
    put_frame(sheet)
    put_pegs(sheet)
    paper = (255 * sheet * np.array(tint, np.float32)).round().astype(np.uint8)
    _, packed = cv2.imencode(".jpg", paper[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    pixels = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    assert pixels is not None

    reading = read_sheet((pixels[..., ::-1] / 255).astype(np.float32))

    red = next(one for one in reading.traces if one.colour is TraceColour.RED)
    assert red.mask[460:510, 190:410].sum() > 300
    drawing = cv2.dilate((drawn > 0.5).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    drawing[455:515, 185:415] = False
    taken = np.logical_or.reduce([one.mask for one in reading.traces]) & drawing
    assert taken.sum() < 0.002 * drawing.sum()


def test_dust_of_a_scanner_goes_and_is_counted() -> None:
    random = np.random.default_rng(3)
    sheet = blank()
    put_drawing(sheet)
    put_frame(sheet)
    clean = read_sheet(sheet).ink
    places = random.integers((180, 140), (500, 760), (30, 2))
    for y, x in places:
        sheet[y : y + 2, x : x + 1] = 0.3
    sheet = np.clip(sheet + random.normal(0, 0.012, sheet.shape), 0, 1).astype(np.float32)

    reading = read_sheet(sheet)

    assert reading.paper.specks > 8
    assert ((reading.ink > 0.4) & (clean < 0.05)).sum() < 30


@pytest.mark.parametrize("white", [False, True])
@pytest.mark.parametrize("y", [40, 600])
def test_peg_holes_are_found_at_either_edge(y: int, *, white: bool) -> None:
    sheet = blank()
    put_drawing(sheet)
    put_frame(sheet)
    put_pegs(sheet, y, white=white)

    reading = read_sheet(sheet)

    assert [one.shape.value for one in reading.pegs] == ["oblong", "round", "oblong"]
    assert all(one.dark is not white for one in reading.pegs)
    assert all(abs((one.box.top + one.box.bottom) / 2 - y) < 4 for one in reading.pegs)
