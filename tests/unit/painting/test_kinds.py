"""Every kind that a reading may name has its paint, its light and its place in the values."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from haikei.painting import notes_of, paint_full, paint_wash, read_layout
from haikei.reading import Facing, Kind, Reading
from haikei.sheets import TraceColour, TraceLines, TraceRole

Pixels = NDArray[np.float32]
ROWS, COLUMNS = 4, 8
SIZE = (272, 480)


def nothing() -> None:
    """Go on."""


def cells() -> Reading:
    """Read a sheet of 32 empty boxes."""
    layout = np.ones((*SIZE, 3), np.float32)
    for row in range(1, ROWS):
        cv2.line(layout, (0, row * 68), (480, row * 68), (0.1, 0.1, 0.1), 2)
    for column in range(1, COLUMNS):
        cv2.line(layout, (column * 60, 0), (column * 60, 272), (0.1, 0.1, 0.1), 2)
    return read_layout(layout, "", nothing)


def cell(place: int) -> tuple[slice, slice]:
    """Return the middle of a box."""
    row, column = divmod(place, COLUMNS)
    return slice(row * 68 + 16, row * 68 + 52), slice(column * 60 + 14, column * 60 + 46)


def named(kinds: dict[int, Kind], rest: Kind = Kind.GRASS) -> Reading:
    """Return the boxes with kinds given to some of them, the first being 0."""
    reading = cells()
    assert len(reading.kinds) == ROWS * COLUMNS
    given = np.full(len(reading.kinds), rest, np.int32)
    for place, kind in kinds.items():
        spot = cell(place)
        given[reading.labels[spot][18, 16]] = kind
    return replace(reading, kinds=given, sure=np.ones(len(given)))


def painted(
    reading: Reading, season: str = "summer", time: str = "day", seed: int = 3, location: str = "a"
) -> Pixels:
    wash = paint_wash(
        reading, season=season, time=time, seed=seed, pause=nothing, location=location
    )
    return paint_full(
        reading, wash, season=season, time=time, seed=seed, pause=nothing, location=location
    )


def mean(picture: Pixels, place: int) -> Pixels:
    return np.asarray(picture[cell(place)].mean(axis=(0, 1)), np.float32)


def test_no_kind_is_left_in_the_colour_of_what_is_not_read() -> None:
    picture = painted(named({int(kind): kind for kind in Kind}))
    unread = mean(picture, Kind.UNKNOWN)

    for kind in set(Kind) - {Kind.UNKNOWN}:
        assert np.abs(mean(picture, kind) - unread).max() > 0.025, kind


@pytest.mark.parametrize(("season", "time"), [("summer", "day"), ("winter", "night")])
def test_a_figure_is_left_as_paper_and_said(season: str, time: str) -> None:
    reading = named({12: Kind.FIGURE})

    picture = painted(reading, season, time)

    assert picture[cell(12)].std(axis=(0, 1)).max() < 0.04
    assert mean(picture, 12).min() > 0.8
    assert any("figure" in sentence for sentence in notes_of(reading))


def test_what_is_not_read_is_painted_quietly_in_the_colours_around_it_and_said() -> None:
    reading = named({27: Kind.UNKNOWN, 0: Kind.WALL}, Kind.GRASS)

    picture = painted(reading)

    grass, unread = mean(picture, 28), mean(picture, 27)
    assert np.abs(unread - grass).max() < 0.15
    assert picture[cell(27)].std() < picture[cell(28)].std()
    (sentence,) = notes_of(reading)
    assert "3% of the drawing could not be read (lower middle)" in sentence


def test_a_reading_without_doubts_has_nothing_to_say() -> None:
    assert notes_of(named({})) == ()


def test_the_same_location_keeps_its_colours_whatever_the_seed() -> None:
    reading = named({10: Kind.WALL, 12: Kind.ROOF, 14: Kind.DOOR})

    one, again, elsewhere = (
        paint_wash(reading, season="summer", time="day", seed=seed, pause=nothing, location=where)
        for seed, where in ((1, "UMI/s01"), (2, "UMI/s01"), (1, "KAWA/s02"))
    )

    def distance(picture: Pixels) -> float:
        return max(float(np.abs(mean(one, box) - mean(picture, box)).max()) for box in (10, 12, 14))

    assert distance(again) < 0.03
    assert distance(elsewhere) > 0.05


def test_what_one_thing_becomes_leaves_the_strokes_of_all_others_where_they_were() -> None:
    before = painted(named({9: Kind.ROOF, 30: Kind.TREE}))

    after = painted(named({9: Kind.SAND, 30: Kind.TREE}))

    far = [box for box in range(ROWS * COLUMNS) if box % COLUMNS > 3]
    assert max(float(np.abs(before - after)[cell(box)].mean()) for box in far) < 0.004
    assert np.abs(before - after)[cell(9)].mean() > 0.05


@pytest.mark.parametrize("kind", [Kind.GRASS, Kind.ROOF, Kind.EARTH, Kind.TREE, Kind.ROCK])
def test_snow_lies_on_it_in_winter(kind: Kind) -> None:
    reading = named({20: kind})

    winter, summer = (mean(painted(reading, season), 20) for season in ("winter", "summer"))

    assert winter.mean() > summer.mean() + 0.03
    assert np.ptp(winter) < max(float(np.ptp(summer)), 0.12)


def test_faces_that_look_at_the_sun_are_lit_and_those_that_look_away_are_not() -> None:
    reading = named({18: Kind.WALL, 21: Kind.WALL})
    facing = reading.facing.copy()
    facing[reading.labels[cell(18)][18, 16]] = Facing.LEFT
    facing[reading.labels[cell(21)][18, 16]] = Facing.RIGHT
    groups = np.zeros_like(reading.groups)  # one house

    picture = painted(replace(reading, facing=facing, groups=groups))

    assert abs(float(mean(picture, 18).mean() - mean(picture, 21).mean())) > 0.12


def test_a_room_has_light_from_its_windows_by_day_and_from_its_lamps_at_night() -> None:
    kinds = dict.fromkeys(range(8), Kind.CEILING)
    kinds |= dict.fromkeys(range(8, 24), Kind.ROOM_WALL)
    kinds |= {10: Kind.WINDOW, 5: Kind.LAMP}
    reading = named(kinds, Kind.FLOOR)

    day, night = (painted(reading, "summer", time) for time in ("day", "night"))

    assert mean(day, 10).mean() > mean(day, 14).mean()
    assert mean(night, 10).mean() < 0.5 * mean(day, 10).mean()
    lamp = mean(night, 5)
    assert lamp[0] > 0.8 > lamp[2]
    near, far = mean(night, 13), mean(night, 16)
    assert near.mean() > far.mean()
    assert near[0] > near[2] + 0.1


def test_a_trace_line_of_shadow_darkens_one_side_of_it() -> None:
    reading = named({}, Kind.PAVING)
    mask = np.zeros(reading.size, np.bool_)
    mask[230:232, 250:290] = True
    line = TraceLines(colour=TraceColour.BLUE, role=TraceRole.SHADOW, mask=mask, share=0.01)
    traced = replace(reading, sheet=replace(reading.sheet, traces=(line,)))

    plain, shaded = painted(reading), painted(traced)

    fallen = (plain - shaded).mean(axis=2)
    assert fallen[234:242, 260:280].mean() > 0.05
    assert abs(float(fallen[210:226, 260:280].mean())) < 0.01
    assert np.abs(fallen[:, :180]).max() < 0.01
