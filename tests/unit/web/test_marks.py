"""What is drawn on a page becomes places; what is no drawing of ours is refused."""

import json

import pytest

from haikei.errors import ReviewError
from haikei.presets import Spot
from haikei.web.pages.marks import MOST_MARKS, MOST_POINTS, Mark, MarkKind, read_marks

BOX = Spot(left=120, top=305, right=450, bottom=600)
POINT = Spot(left=700, top=210, right=700, bottom=210)


def test_marks_of_a_form_become_places() -> None:
    sent = json.dumps(
        [
            {"kind": "box", "points": [[450, 600], [120, 305]]},
            {"kind": "arrow", "points": [[500, 500], [700, 210]]},
            {"kind": "line", "points": [[100, 100], [200, 300], [150, 0]]},
            {"kind": "box", "points": [[5, 5], [6, 6]]},
        ]
    )

    assert [one.spot for one in read_marks(sent)] == [
        BOX,
        POINT,
        Spot(left=85, top=0, right=215, bottom=315),
    ]
    assert read_marks("") == read_marks("[]") == ()
    assert Mark(kind=MarkKind.BOX, points=((0, 0), (9, 9))).spot.is_point is False


@pytest.mark.parametrize(
    "sent",
    [
        "{",
        "{}",
        '[{"kind": "box"}]',
        '[{"kind": "circle", "points": [[1, 1], [2, 2]]}]',
        '[{"kind": "box", "points": [[1, 1], [2, 1001]]}]',
        '[{"kind": "box", "points": [[1, 1], [2, -1]]}]',
        '[{"kind": "box", "points": [[1, 1], [2.5, 3]]}]',
        '[{"kind": "box", "points": [[1, 1]]}]',
        '[{"kind": "box", "points": [[1, 1], [2, 2]], "text": "<b>"}]',
        json.dumps([{"kind": "line", "points": [[1, 1]] * (MOST_POINTS + 1)}]),
        json.dumps([{"kind": "box", "points": [[1, 1], [50, 50]]}] * (MOST_MARKS + 1)),
        "[" + " " * 70_000 + "]",
        "[" * 20_000,
    ],
)
def test_a_drawing_that_is_none_of_ours_is_refused(sent: str) -> None:
    with pytest.raises(ReviewError, match="could not be read"):
        read_marks(sent)
