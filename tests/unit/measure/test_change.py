"""What a touch-up changed, whatever else happened to the picture on its way."""

import json
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haikei.images import Picture, read_picture, resize, write_picture
from haikei.measure import METHOD, Parameters, measure_change
from haikei.measure.grading import ciede2000, lab_of
from haikei.measure.outlining import regions_of
from haikei.scenes import SceneKind
from support.pictures import (
    BRUSHES,
    TRANSFORMS,
    VISIBLE,
    PaintOver,
    gamma,
    jpeg,
    paint_over,
    painting,
    shifted,
    warm,
)

SIZE = (480, 270)


@pytest.fixture(scope="module")
def port() -> Picture:
    return painting(SceneKind.PORT, season="autumn", time="day", seed=71, size=SIZE)[1]


@pytest.fixture(scope="module")
def lake() -> Picture:
    return painting(SceneKind.LAKE, season="spring", time="sunset", seed=72, size=SIZE)[1]


def flat(grey: float, *, width: int = 120, height: int = 80) -> Picture:
    return Picture(pixels=np.full((height, width, 3), grey, np.float32))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_picture_that_nobody_painted_over_counts_as_unchanged(port: Picture, name: str) -> None:
    measured = measure_change(port, TRANSFORMS[name](port))

    assert measured.change.area_ppm <= 2000
    assert measured.related
    assert not measured.full_repaint


@pytest.mark.parametrize(
    ("brush", "share"),
    [("strokes", 0.01), ("soft", 0.03), ("glaze", 0.1), ("subtle", 0.1), ("strokes", 0.4)],
)
def test_the_painted_share_is_found_to_half_a_point(
    lake: Picture, brush: str, share: float
) -> None:
    painted = paint_over(lake, brush, share, 81)

    measured = measure_change(lake, painted.picture)

    assert measured.change.area_ppm / 1e6 == pytest.approx(painted.share, abs=0.005)


@pytest.fixture(scope="module")
def painted_over(port: Picture) -> Mapping[str, PaintOver]:
    return {brush: paint_over(port, brush, 0.1, 82) for brush in BRUSHES}


@pytest.mark.parametrize(
    ("name", "brush"),
    [(name, list(BRUSHES)[n % len(BRUSHES)]) for n, name in enumerate(TRANSFORMS)],
)
def test_what_else_happened_does_not_move_the_share(
    port: Picture, painted_over: Mapping[str, PaintOver], name: str, brush: str
) -> None:
    painted = painted_over[brush]

    measured = measure_change(port, TRANSFORMS[name](painted.picture))

    assert measured.change.area_ppm / 1e6 == pytest.approx(painted.share, abs=0.005)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.4])
def test_small_dabs_are_found_to_a_tenth_of_a_point_in_a_lossless_file(
    lake: Picture, share: float
) -> None:
    painted = paint_over(lake, "dabs", share, 90)

    measured = measure_change(lake, TRANSFORMS["8 bit"](painted.picture))

    assert measured.change.area_ppm / 1e6 == pytest.approx(painted.share, abs=0.001)
    assert (measured.changed != painted.truth).mean() < 0.002


@pytest.mark.parametrize("seed", [91, 92])
@pytest.mark.parametrize(
    "name", ["JPEG q95", "JPEG q90", "0.4 px shift", "resize round trip", "3/4 size"]
)
def test_small_dabs_are_found_to_half_a_point_whatever_softened_their_outlines(
    lake: Picture, name: str, seed: int
) -> None:
    painted = paint_over(lake, "dabs", 0.1, seed)
    after = TRANSFORMS[name](painted.picture)
    small = lab_of(resize(lake, after.width, after.height))
    truth = painted.truth
    if after.width != lake.width:
        truth = ciede2000(small, lab_of(after)) > VISIBLE

    measured = measure_change(lake, after)

    assert measured.change.area_ppm / 1e6 == pytest.approx(float(truth.mean()), abs=0.005)


@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:0"])
def test_dabs_count_alike_whether_or_not_a_file_halves_the_resolution_of_colour(
    lake: Picture, sampling: str
) -> None:
    painted = paint_over(lake, "dabs", 0.1, 93)
    code = np.rint(painted.picture.pixels[..., ::-1] * 255).astype(np.uint8)
    factor = {
        "4:4:4": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
        "4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    }[sampling]
    options = [cv2.IMWRITE_JPEG_QUALITY, 99, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, int(factor)]
    _, stream = cv2.imencode(".jpg", code, options)
    back = cv2.imdecode(stream, cv2.IMREAD_COLOR)
    assert back is not None
    after = np.ascontiguousarray(back[..., ::-1], np.float32) / np.float32(255)

    measured = measure_change(lake, Picture(pixels=after))

    assert measured.change.area_ppm / 1e6 == pytest.approx(painted.share, abs=0.005)


def test_the_changed_pixels_are_those_that_were_painted(port: Picture) -> None:
    painted = paint_over(port, "strokes", 0.1, 83)

    found = measure_change(port, jpeg(shifted(painted.picture, 1, 0), 90)).changed

    truth = np.roll(painted.truth, 1, axis=1)
    assert (found & truth).sum() / (found | truth).sum() > 0.9


def test_a_shift_is_told_to_a_tenth_of_a_pixel(port: Picture) -> None:
    painted = paint_over(port, "glaze", 0.1, 84).picture

    for right, down in ((1.0, 1.0), (0.4, -0.3), (-7.0, 3.5)):
        placed = measure_change(port, shifted(painted, right, down)).placement
        assert (placed.right, placed.down) == pytest.approx((right, down), abs=0.1)


def test_a_change_of_colour_over_the_whole_picture_is_told_apart(port: Picture) -> None:
    still = measure_change(port, port).change
    graded = measure_change(port, warm(port)).change

    assert (still.global_milli_de, still.shift_milli_px) == (0, 0)
    assert graded.global_milli_de > 3000
    assert graded.area_ppm < 2000


def test_large_paint_overs_in_one_colour_are_not_taken_for_a_grade(lake: Picture) -> None:
    painted = paint_over(lake, "subtle", 0.4, 85)

    measured = measure_change(lake, warm(painted.picture))

    assert measured.change.area_ppm / 1e6 == pytest.approx(painted.share, abs=0.01)


def test_a_picture_delivered_at_another_size_is_measured_at_that_size(port: Picture) -> None:
    painted = paint_over(port, "strokes", 0.1, 86)
    larger = resize(painted.picture, 720, 405)

    measured = measure_change(port, larger)

    assert measured.changed.shape == (405, 720)
    assert (measured.placement.scale_x, measured.placement.scale_y) == (1.5, 1.5)
    assert measured.change.area_ppm / 1e6 == pytest.approx(painted.share, abs=0.01)


def test_canvas_that_was_added_counts_as_changed_and_the_rest_does_not(port: Picture) -> None:
    wide = np.pad(port.pixels, ((0, 0), (0, 64), (0, 0)), mode="reflect")

    measured = measure_change(port, Picture(pixels=wide))

    assert measured.placement.scale_x == 1.0
    assert measured.change.area_ppm / 1e6 == pytest.approx(64 / 544, abs=0.005)


def test_a_crop_of_the_picture_is_laid_where_it_was_cut(port: Picture) -> None:
    cut = Picture(pixels=np.ascontiguousarray(port.pixels[20:250, 60:420]))

    measured = measure_change(port, cut)

    assert (measured.placement.right, measured.placement.down) == (-60, -20)
    assert measured.change.area_ppm < 2000


def test_a_full_repaint_says_so_and_compares_colours_as_they_are(
    port: Picture, lake: Picture
) -> None:
    # The same drawing in other paint, with nothing left of the first.
    swirled = np.ascontiguousarray(np.roll(lake.pixels, 90, axis=1)[::-1]) * np.float32(0.6)
    mixed = Picture(pixels=(swirled + port.pixels * np.float32(0.4)).astype(np.float32))

    measured = measure_change(port, mixed)

    assert measured.full_repaint
    assert measured.related
    assert measured.change.area_ppm > 600_000
    assert measured.change.global_milli_de == 0


def test_another_picture_is_not_related(port: Picture, lake: Picture) -> None:
    measured = measure_change(port, lake)

    assert not measured.related
    assert measured.similarity_ppm < 100_000


@pytest.mark.parametrize("brush", ["strokes", "dabs"])
def test_a_picture_painted_over_by_two_fifths_is_still_related(port: Picture, brush: str) -> None:
    painted = paint_over(port, brush, 0.4, 87).picture

    assert measure_change(port, jpeg(gamma(painted, 1.1), 90)).related


def test_a_change_of_a_flat_picture_is_found() -> None:
    pixels = flat(0.5).pixels.copy()
    pixels[20:40, 30:60] = (0.8, 0.2, 0.2)

    measured = measure_change(flat(0.5), Picture(pixels=pixels))

    (region,) = measured.change.regions
    found = (region.x, region.y, region.x + region.width, region.y + region.height)
    assert found == pytest.approx((30, 20, 60, 40), abs=1)
    assert measured.changed[20:40, 30:60].all()


@settings(deadline=None, max_examples=20)
@given(width=st.integers(1, 40), height=st.integers(1, 40), seed=st.integers(0, 99))
def test_pictures_of_any_small_size_can_be_measured(width: int, height: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    before = Picture(pixels=random.random((height, width, 3), dtype=np.float32))
    after = Picture(pixels=random.random((height, width, 3), dtype=np.float32))

    assert measure_change(before, before).change.area_ppm == 0
    assert 0 <= measure_change(before, after).change.area_ppm <= 1_000_000


@pytest.mark.parametrize("name", ["grey.png", "deep.tif", "half.exr", "small.jpg"])
def test_the_file_format_makes_no_change(port: Picture, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    grey = Picture(pixels=np.repeat(port.pixels.mean(axis=2, keepdims=True), 3, axis=2))
    before = grey if name == "grey.png" else port
    write_picture(before, path)

    assert measure_change(before, read_picture(path)).change.area_ppm <= 500


def test_the_same_pictures_give_the_same_numbers_and_say_how_they_were_made(
    port: Picture,
) -> None:
    after = jpeg(paint_over(port, "dabs", 0.03, 88).picture, 90)

    first, second = measure_change(port, after), measure_change(port, after)

    assert first.change == second.change
    assert np.array_equal(first.delta_e, second.delta_e)
    assert first.change.method == METHOD == "haikei-change/2"
    assert json.loads(first.change.parameters)["threshold"] == "4.0"
    assert first.change.parameters == Parameters().as_json()


def test_the_largest_regions_are_listed_and_the_rest_counted() -> None:
    mask = np.zeros((100, 200), bool)
    for n in range(10):
        mask[5:15, n * 20 : n * 20 + 2 + n] = True

    regions, more = regions_of(mask, together=2, most=4)

    assert [region.width for region in regions] == [11, 10, 9, 8]
    assert regions[0].pixels == 110
    assert more == 6


def test_spots_that_lie_together_are_one_region() -> None:
    mask = np.zeros((60, 60), bool)
    mask[10:14, 10:14] = mask[10:14, 17:20] = mask[40:50, 40:50] = True

    regions, _ = regions_of(mask, together=5, most=9)

    assert [(region.x, region.width, region.pixels) for region in regions] == [
        (40, 10, 100),
        (10, 10, 28),
    ]


def test_the_number_of_threads_does_not_matter(port: Picture) -> None:
    after = warm(paint_over(port, "glaze", 0.1, 89).picture)
    expected = measure_change(port, after).change
    before = cv2.getNumThreads()
    cv2.setNumThreads(1 if before > 1 else 3)
    try:
        assert measure_change(port, after).change == expected
    finally:
        cv2.setNumThreads(before)
