"""Changes of regions: they act where they are meant, and nowhere else."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from haikei.painting import RegionChanges, light_of, paint_full, paint_wash, read_layout
from haikei.painting.region_masks import Places
from haikei.presets import Act, Part, Quality, RegionChange, Spot, Subject
from haikei.reading import Kind, Reading, find_wires

Colours = NDArray[np.float32]
Mask = NDArray[np.bool_]
WIDTH, HEIGHT = 480, 270


def drawn(*, wires: bool) -> Colours:
    """Draw a house with a roof and windows left, a cloud right, and two wires above, or none."""
    paper = np.full((HEIGHT, WIDTH), 255, np.uint8)

    def stroke(*points: tuple[int, int], thick: int = 2) -> None:
        cv2.polylines(paper, [np.array(points, np.int32)], False, 0, thick, cv2.LINE_AA)

    stroke((0, 170), (70, 170))
    stroke((190, 170), (WIDTH, 170))
    stroke((70, 215), (70, 130), (190, 130), (190, 215), (70, 215))
    stroke((58, 130), (92, 92), (168, 92), (202, 130), (58, 130))
    stroke((90, 150), (112, 150), (112, 172), (90, 172), (90, 150))
    stroke((142, 150), (164, 150), (164, 172), (142, 172), (142, 150))
    for middle, up in ((300, 60), (322, 50), (346, 58)):
        cv2.ellipse(paper, (middle, up), (17, 14), 0, 180, 360, 0, 2, cv2.LINE_AA)
    stroke((283, 60), (363, 60))
    for up in (14, 24) if wires else ():
        across = np.arange(0, WIDTH)
        down = up + 10 * (1 - ((across - WIDTH / 2) / (WIDTH / 2)) ** 2)
        points = np.stack([across, down], axis=1).round().astype(np.int32)
        cv2.polylines(paper, [points], False, 90, 1, cv2.LINE_AA)
    return np.repeat(paper[..., None], 3, axis=2).astype(np.float32) / np.float32(255)


LAYOUT, WIRED = drawn(wires=False), drawn(wires=True)


def nothing() -> None:
    """Take no pause."""


def read(layout: Colours = LAYOUT) -> Reading:
    return read_layout(layout, "village", nothing)


def painted(
    changes: Sequence[RegionChange] = (), time: str = "day", layout: Colours = LAYOUT
) -> tuple[Colours, list[int]]:
    reading = read(layout)
    made = RegionChanges(reading, changes, light_of(time))
    base = paint_wash(reading, season="summer", time=time, seed=3, pause=nothing)
    picture = paint_full(
        reading, base, season="summer", time=time, seed=3, pause=nothing, changes=made
    )
    return picture, list(made.changed_ppm)


def lab(picture: Colours) -> Colours:
    return np.asarray(cv2.cvtColor(picture.astype(np.float32), cv2.COLOR_RGB2Lab), np.float32)


def difference(one: Colours, other: Colours) -> Colours:
    return np.asarray(np.linalg.norm(lab(one) - lab(other), axis=2), np.float32)


def grown(mask: Mask, reach: int = 7) -> Mask:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0)


def red_roof(**more: object) -> RegionChange:
    return RegionChange(subject=Subject.ROOF, act=Act.COLOUR, colour="red", **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def before() -> Colours:
    return painted()[0]


def test_a_red_roof_is_red_and_the_rest_stays(before: Colours) -> None:
    after, (ppm,) = painted([red_roof()])
    roof = read().mask(Kind.ROOF)
    assert roof.any()

    off = difference(before, after)
    inside = np.asarray(cv2.erode(roof.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0)
    assert float(lab(after)[inside][:, 1].mean()) > 25
    assert float(off[~grown(roof)].max()) < 1
    assert ppm / 1e6 == pytest.approx(float(roof.mean()), rel=0.1)


def test_a_colour_keeps_light_and_shade(before: Colours) -> None:
    after, _ = painted([red_roof()])
    roof = read().mask(Kind.ROOF)
    inside = np.asarray(cv2.erode(roof.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0)

    one, other = lab(before)[inside][:, 0], lab(after)[inside][:, 0]
    assert float(np.corrcoef(one, other)[0, 1]) > 0.9


def test_a_bluer_sky_turns_the_sky_alone(before: Colours) -> None:
    change = RegionChange(subject=Subject.SKY, act=Act.TINT, colour="blue", amount=50)
    after, _ = painted([change])
    sky = read().mask(Kind.SKY)

    off = difference(before, after)
    assert float(off[sky].mean()) > 5
    assert float(off[~grown(sky)].max()) < 1


def test_opposites_act_on_near_and_far() -> None:
    def turned(part: Part, amount: int) -> RegionChange:
        return RegionChange(
            subject=Subject.PICTURE,
            act=Act.TURN,
            quality=Quality.LIGHT.value,
            amount=amount,
            parts=(part,),
        )

    plain = lab(painted()[0])[..., 0]
    after = lab(painted([turned(Part.NEAR, -50), turned(Part.FAR, 50)])[0])[..., 0]

    assert float((after - plain)[-20:].mean()) < -6
    assert float((after - plain)[:60].mean()) > 4


def test_what_stands_apart_is_left_out(before: Colours) -> None:
    change = RegionChange(
        subject=Subject.PICTURE,
        act=Act.TURN,
        quality=Quality.LIGHT.value,
        amount=-60,
        apart=(Subject.SKY,),
    )
    after, _ = painted([change])
    sky = read().mask(Kind.SKY)

    off = difference(before, after)
    assert float(off[~grown(~sky)].max()) < 1
    assert float(off[~grown(sky)].mean()) > 5


def test_wires_are_found_and_taken_out() -> None:
    before, _ = painted(layout=WIRED)
    wires = find_wires(read(WIRED))
    assert float(wires[10:40].any(axis=0).mean()) > 0.9
    assert not wires[80:].any()

    after, (ppm,) = painted([RegionChange(subject=Subject.WIRES, act=Act.REMOVE)], layout=WIRED)
    assert ppm > 0
    # Down through the open sky nothing is left of them, nor of the strip that they cut off.
    box = (slice(5, 30), slice(120, 230))
    wired = float(lab(before)[box][..., 0].std(axis=0).mean())
    assert wired > 5
    # The sky's own fall from dark to light and its high veils remain.
    assert float(lab(after)[box][..., 0].std(axis=0).mean()) < 0.6 * wired
    assert float(difference(before, after)[60:].max()) < 1


def test_no_line_of_a_layout_without_wires_is_taken_for_one() -> None:
    assert not find_wires(read()).any()


def test_no_clouds_leave_no_ghost(before: Colours) -> None:
    reading = read()
    cloud = reading.mask(Kind.CLOUD)
    assert cloud.any()
    after, _ = painted([RegionChange(subject=Subject.CLOUDS, act=Act.REMOVE)])

    # Where the cloud was the sky is as even as beside it, and no outline is left.
    rows = np.flatnonzero(cloud.any(axis=1))
    columns = np.flatnonzero(cloud.any(axis=0))
    box = (slice(rows[0] - 4, rows[-1] + 4), slice(columns[0] - 4, columns[-1] + 4))
    assert float(lab(before)[box][..., 0].std()) > 4
    assert float(lab(after)[box][..., 0].std()) < 3.5
    ground = slice(180, HEIGHT)
    assert float(difference(before, after)[ground].max()) < 1


def test_what_is_not_in_the_picture_is_said() -> None:
    change = RegionChange(subject=Subject.FURNITURE, act=Act.COLOUR, colour="red")
    plain, _ = painted()
    after, ppm = painted([change])

    assert ppm == [0]
    assert np.array_equal(plain, after)


def test_left_and_right_tell_windows_apart() -> None:
    places = Places(read())

    def window(part: Part) -> RegionChange:
        return RegionChange(subject=Subject.WINDOW, act=Act.TURN, parts=(part,), quality="light")

    left = places.mask(window(Part.LEFT))
    assert left.any()
    assert not places.mask(window(Part.RIGHT)).any()


def test_a_change_at_another_time_of_day_acts_on_the_same_regions() -> None:
    _, (day,) = painted([red_roof()])
    _, (night,) = painted([red_roof()], time="night")

    assert day == night


def everywhere_darker(*within: Spot) -> RegionChange:
    return RegionChange(
        subject=Subject.PICTURE,
        act=Act.TURN,
        quality=Quality.LIGHT.value,
        amount=-60,
        within=within,
    )


def inside(spot: Spot) -> Mask:
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    rows = slice(round(spot.top * HEIGHT / 1000), round(spot.bottom * HEIGHT / 1000))
    mask[rows, round(spot.left * WIDTH / 1000) : round(spot.right * WIDTH / 1000)] = True
    return mask


#: The left half of the house, with half of its roof.
HALF = Spot(left=100, top=300, right=270, bottom=820)


@pytest.mark.parametrize(
    "change",
    [
        everywhere_darker(HALF),
        RegionChange(subject=Subject.ROOF, act=Act.COLOUR, colour="red", within=(HALF,)),
        RegionChange(subject=Subject.HOUSE, act=Act.REMOVE, within=(HALF,)),
        RegionChange(subject=Subject.WINDOW, act=Act.REMOVE, within=(HALF,)),
    ],
)
def test_nothing_outside_of_a_drawn_box_changes(change: RegionChange) -> None:
    before, _ = painted()
    after, (ppm,) = painted([change])
    moved = difference(before, after)

    assert ppm > 0
    assert moved[inside(HALF)].max() > 8
    assert moved[~inside(HALF)].max() == 0


def test_two_boxes_are_both_heeded() -> None:
    other = Spot(left=600, top=100, right=800, bottom=300)
    before, _ = painted()
    moved = difference(before, painted([everywhere_darker(HALF, other)])[0])

    assert moved[inside(other)].max() > 8
    assert moved[~(inside(HALF) | inside(other))].max() == 0


def test_an_arrow_picks_the_one_thing_that_it_points_at() -> None:
    at_left = Spot(left=210, top=600, right=210, bottom=600)  # the left of two windows
    before, _ = painted()
    change = RegionChange(subject=Subject.WINDOW, act=Act.COLOUR, colour="red", within=(at_left,))
    moved = difference(before, painted([change])[0])

    assert moved[155:168, 95:108].max() > 8
    assert moved[:, WIDTH // 4 + 10 :].max() == 0


def test_an_arrow_into_nothing_of_the_kind_changes_nothing() -> None:
    sky = Spot(left=900, top=50, right=900, bottom=50)
    before, _ = painted()
    change = RegionChange(subject=Subject.WINDOW, act=Act.COLOUR, colour="red", within=(sky,))
    after, ppm = painted([change])

    assert ppm == [0]
    assert np.array_equal(before, after)


def test_a_box_limits_which_wires_are_taken_out() -> None:
    left = Spot(left=0, top=0, right=400, bottom=200)
    before, _ = painted(layout=WIRED)
    change = RegionChange(subject=Subject.WIRES, act=Act.REMOVE, within=(left,))
    moved = difference(before, painted([change], layout=WIRED)[0])

    assert moved[inside(left)].max() > 8
    assert moved[~inside(left)].max() == 0


def test_a_box_around_one_of_several_things_means_that_one() -> None:
    plain, _ = painted()
    around = Spot(left=160, top=520, right=280, bottom=660)  # loosely about the left window
    picture, (ppm,) = painted(
        [RegionChange(subject=Subject.WINDOW, act=Act.COLOUR, colour="red", within=(around,))]
    )

    assert ppm > 0
    changed = difference(picture, plain)
    assert changed[152:170, 92:110].mean() > 5
    assert changed[~inside(around)].max() == 0


def test_of_what_is_larger_the_part_in_the_box_is_meant() -> None:
    plain, _ = painted()
    corner = Spot(left=700, top=0, right=1000, bottom=300)
    for subject in (Subject.SKY, Subject.PICTURE):
        change = RegionChange(
            subject=subject,
            act=Act.TURN,
            quality=Quality.LIGHT.value,
            amount=-80,
            within=(corner,),
        )
        picture, (ppm,) = painted([change])
        changed = difference(picture, plain)
        assert ppm > 0
        assert changed[5:40, 400:460].mean() > 5
        assert changed[~inside(corner)].max() == 0


def test_what_is_not_in_the_box_is_not_found() -> None:
    _, (ppm,) = painted([red_roof(within=(Spot(left=700, top=700, right=950, bottom=950),))])

    assert ppm == 0
