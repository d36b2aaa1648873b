"""What people draw in Kitsu's player: where it is, whatever the shape and its transformation."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from haikei.presets import Spot, noted, with_spots
from haikei.texts import Language
from haikei.trackers.kitsu.drawings import drawings_on, places_of
from haikei.trackers.kitsu.rows import PreviewRow
from haikei.web.pages.marks import read_marks

CANVAS = {"canvasWidth": 1000, "canvasHeight": 500}


def preview(*objects: Any, annotations: Any = None, width: int = 0, height: int = 0) -> PreviewRow:
    drawn = [{"time": 0, "drawing": {"objects": list(objects)}}]
    return PreviewRow.model_validate(
        {
            "id": "p1",
            "task_id": "t1",
            "created_at": datetime(2026, 5, 1, tzinfo=UTC),
            "data": None,
            "width": width,
            "height": height,
            "annotations": drawn if annotations is None else annotations,
        }
    )


def place(shape: dict[str, Any]) -> Spot:
    (found,) = places_of(drawings_on(preview({"id": "a", **CANVAS, **shape})))
    return found


@pytest.mark.parametrize(
    "shape",
    [
        {"type": "rect", "left": 200, "top": 100, "width": 100, "height": 50},
        {"type": "Rect", "left": 200, "top": 100, "width": 50, "height": 25, "scaleX": 2,
         "scaleY": 2},
        {"type": "rect", "left": 250, "top": 125, "width": 100, "height": 50, "originX": "center",
         "originY": "center"},
        {"type": "rect", "left": 300, "top": 150, "width": 100, "height": 50, "angle": 180},
        {"type": "rect", "left": 300, "top": 100, "width": 50, "height": 100, "angle": 90},
        {"type": "ellipse", "left": 200, "top": 100, "rx": 50, "ry": 25},
        {"type": "polygon", "points": [{"x": 200, "y": 150}, {"x": 300, "y": 100}]},
        {"type": "group", "left": 200, "top": 100, "width": 100, "height": 50, "objects": []},
    ],
    ids=lambda shape: f"{shape['type']} {len(shape)}",
)  # fmt: skip
def test_a_shape_is_where_it_is_seen(shape: dict[str, Any]) -> None:
    assert place(shape) == Spot(left=200, top=200, right=300, bottom=300)


@pytest.mark.parametrize(
    "shape",
    [
        {"type": "path", "left": 200, "top": 100, "width": 100, "height": 50, "path": []},
        {"type": "path", "path": [["M", 200, 100], ["Q", 9, 9, 300, 120], ["L", 250, 150], ["z"]]},
        {"type": "PSStroke", "strokePoints": [{"x": 200, "y": 100}, {"x": 300, "y": 150}]},
        {"type": "line", "x1": 300, "y1": 100, "x2": 200, "y2": 150},
    ],
    ids=lambda shape: f"{shape['type']} {len(shape)}",
)
def test_a_stroke_by_hand_reaches_beyond_itself_as_on_the_page(shape: dict[str, Any]) -> None:
    assert place(shape) == Spot(left=185, top=185, right=315, bottom=315)


@pytest.mark.parametrize("kind", ["rect", "circle", "path"])
def test_a_dot_is_a_small_box_and_no_point(kind: str) -> None:
    dot = {"type": kind, "left": 200, "top": 100, "width": 0, "height": 0, "path": []}

    assert place(dot) == Spot(left=185, top=185, right=215, bottom=215)


def test_a_circle_has_a_radius() -> None:
    shape = {"type": "circle", "left": 200, "top": 100, "radius": 50, "width": 0, "height": 0}

    assert place(shape) == Spot(left=200, top=200, right=300, bottom=400)


def test_an_arrow_means_what_it_points_at() -> None:
    line = {"left": 200, "top": 100, "width": 600, "height": 300}
    there = {"type": "arrow", "x1": 0, "y1": 0, "x2": 600, "y2": 300}
    back = {"type": "arrow", "x1": 600, "y1": 300, "x2": 0, "y2": 0}

    assert place({**there, **line}) == Spot(left=800, top=800, right=800, bottom=800)
    assert place({**back, **line}) == Spot(left=200, top=200, right=200, bottom=200)


def test_an_arrow_that_ends_beside_the_picture_points_at_its_edge_or_at_nothing() -> None:
    line = {"type": "arrow", "left": 500, "top": 100, "height": 300, "x1": 0, "y1": 0, "y2": 300}
    far = {**CANVAS, **line, "width": 700, "x2": 700}
    (beside,) = drawings_on(preview(far))

    assert place({**line, "width": 530, "x2": 530}) == Spot(
        left=1000, top=800, right=1000, bottom=800
    )
    assert beside.unread == "a drawing of the kind arrow"


def test_without_a_canvas_the_size_of_the_picture_counts() -> None:
    shape = {"type": "rect", "left": 200, "top": 100, "width": 100, "height": 50}
    known = preview(shape, width=1000, height=500)
    (unknown,) = drawings_on(preview(shape))

    assert places_of(drawings_on(known)) == (Spot(left=200, top=200, right=300, bottom=300),)
    assert unknown.unread == "a drawing of the kind rect"


def test_what_runs_over_the_edge_ends_there_and_what_is_beside_is_not_read() -> None:
    over = {"type": "rect", "left": -50, "top": 400, "width": 100, "height": 500}
    (beside,) = drawings_on(
        preview({**CANVAS, "type": "rect", "left": 2000, "top": 0, "width": 5, "height": 5})
    )

    assert place(over) == Spot(left=0, top=800, right=50, bottom=1000)
    assert beside.unread


def test_words_among_a_drawing_point_at_what_they_stand_on_where_nothing_else_is_drawn() -> None:
    text = {**CANVAS, "type": "i-text", "text": " roof\n red ", "left": 0, "top": 0, "width": 90,
            "height": 20}  # fmt: skip
    circle = {**CANVAS, "type": "circle", "left": 500, "top": 250, "radius": 50}
    (words,) = drawings_on(preview(text))

    assert words.words == "roof red"
    assert places_of([words]) == (Spot(left=45, top=20, right=45, bottom=20),)
    assert places_of(drawings_on(preview(text, circle))) == (
        Spot(left=500, top=500, right=600, bottom=700),
    )


def _frame(left: int, top: int, size: int) -> dict[str, int]:
    return {"left": left, "top": top, "width": size, "height": size}


def test_boxes_that_overlap_stay_as_they_are_drawn() -> None:
    boxes = [
        {**CANVAS, "type": "rect", **_frame(100 * index, 100 * index, 150)} for index in (1, 2)
    ]

    assert places_of(drawings_on(preview(*boxes))) == (
        Spot(left=100, top=200, right=250, bottom=500),
        Spot(left=200, top=400, right=350, bottom=700),
    )


@pytest.mark.parametrize(
    ("shape", "mark"),
    [
        (
            {"type": "rect", "left": 120, "top": 150, "width": 330, "height": 150},
            {"kind": "box", "points": [[450, 600], [120, 300]]},
        ),
        (
            {"type": "arrow", "left": 100, "top": 50, "width": 600, "height": 55, "x2": 600,
             "y2": 55},
            {"kind": "arrow", "points": [[100, 100], [700, 210]]},
        ),
        (
            {"type": "path", "path": [["M", 100, 50], ["L", 200, 150], ["L", 150, 0]]},
            {"kind": "line", "points": [[100, 100], [200, 300], [150, 0]]},
        ),
    ],
    ids=["box", "arrow", "line"],
)  # fmt: skip
def test_what_is_drawn_in_kitsu_and_on_our_page_stands_in_the_note_in_the_same_words(
    shape: dict[str, Any], mark: dict[str, Any]
) -> None:
    spots = [one.spot for one in read_marks(json.dumps([mark]))]

    assert noted("darker", drawn=[place(shape)]) == with_spots("darker", spots, Language.EN)


def test_strokes_that_touch_are_one_place() -> None:
    strokes = [
        {**CANVAS, "type": "path", "path": [], **_frame(100 + 40 * index, 100, 50)}
        for index in range(5)
    ]
    far = {**CANVAS, "type": "path", "path": [], "left": 900, "top": 400, "width": 50, "height": 50}

    assert len(places_of(drawings_on(preview(*strokes, far)))) == 2


def test_very_many_places_lose_none() -> None:
    dots = [
        {**CANVAS, "type": "path", "path": [], **_frame(40 * index, 20 * index, 5)}
        for index in range(24)
    ]
    places = places_of(drawings_on(preview(*dots)))

    assert len(places) == 12
    assert max(one.right for one in places) == 940


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "rect", "left": "far", "top": 0, "width": 5, "height": 5},
        {"type": "rect", "left": float("nan"), "top": 0, "width": 5, "height": 5},
        {"type": "rect", "left": 1e400, "top": 0, "width": 5, "height": 5},
        {"type": "path", "path": "M 0 0"},
        {"type": "stamp", "left": 0, "top": 0, "width": 5, "height": 5},
        {"type": None},
        {},
    ],
)
def test_what_cannot_be_read_is_said_to_be_so(broken: dict[str, Any]) -> None:
    (found,) = drawings_on(preview({**CANVAS, **broken}))

    assert found.unread.startswith("a drawing of the kind ")
    assert places_of([found]) == ()


@pytest.mark.parametrize(
    "odd", ["", [], [None], [{"drawing": None}], [{"drawing": {"objects": 3}}]]
)
def test_annotations_of_another_shape_are_no_drawings(odd: Any) -> None:
    assert drawings_on(preview(annotations=odd)) == ()


def test_a_drawing_without_an_id_keeps_the_one_that_follows_from_it() -> None:
    shape = {**CANVAS, "type": "rect", "left": 1, "top": 1, "width": 5, "height": 5}
    (once,), (again,) = drawings_on(preview(shape)), drawings_on(preview(dict(shape)))
    (other,) = drawings_on(preview({**shape, "left": 2}))

    assert once.uid == again.uid != other.uid
