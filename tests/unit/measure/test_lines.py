"""The layout's lines in a picture, against what chance gives."""

import numpy as np
import pytest

from haikei.images import Picture, resize
from haikei.measure import line_recall
from haikei.scenes import SceneKind
from support.pictures import painting


@pytest.fixture(scope="module")
def cut() -> tuple[Picture, Picture]:
    return painting(SceneKind.STATION, season="summer", time="day", seed=91, size=(640, 360))


def test_a_painting_of_the_layout_keeps_its_lines(cut: tuple[Picture, Picture]) -> None:
    recall = line_recall(*cut)

    assert recall.observed_ppm > 780_000
    assert recall.lift_ppm > 700_000
    assert recall.tolerance_px == 2


def test_the_painting_upside_down_keeps_none(cut: tuple[Picture, Picture]) -> None:
    layout, image = cut

    recall = line_recall(layout, Picture(pixels=np.ascontiguousarray(image.pixels[::-1])))

    assert abs(recall.lift_ppm) < 250_000


def test_noise_has_a_high_recall_and_no_lift(cut: tuple[Picture, Picture]) -> None:
    layout, _ = cut
    noise = np.random.default_rng(3).random(layout.pixels.shape, dtype=np.float32)

    recall = line_recall(layout, Picture(pixels=noise))

    assert recall.observed_ppm > 700_000
    assert abs(recall.lift_ppm) < 100_000


def test_the_chance_level_is_the_same_each_time_and_at_another_size(
    cut: tuple[Picture, Picture],
) -> None:
    layout, image = cut

    assert line_recall(layout, image) == line_recall(layout, image)
    larger = line_recall(layout, resize(image, 960, 540))
    assert larger.lift_ppm == pytest.approx(line_recall(layout, image).lift_ppm, abs=60_000)


def test_an_empty_layout_and_an_empty_picture_have_no_lines_in_common() -> None:
    blank = Picture(pixels=np.ones((60, 80, 3), np.float32))
    lined = np.ones((60, 80, 3), np.float32)
    lined[30, 10:70] = 0

    assert line_recall(blank, Picture(pixels=lined)).observed_ppm == 0
    assert line_recall(Picture(pixels=lined), blank).observed_ppm == 0
