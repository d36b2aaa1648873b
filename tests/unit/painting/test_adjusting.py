"""What a retake asks for is seen in the picture, and nothing else is touched."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from haikei.painting import AS_IT_IS, Adjusting, Reading, paint_full, paint_wash, read_layout
from haikei.presets import Quality
from haikei.reading.kinds import Kind
from haikei.scenes import Scene, SceneKind, draw

Pixels = NDArray[np.float32]


@pytest.fixture(scope="module")
def reading() -> Reading:
    scene = Scene(kind=SceneKind.VILLAGE, width=480, height=270, seed=3)
    return read_layout(draw(scene).picture().pixels, "village", lambda: None)


def finished(reading: Reading, adjusting: Adjusting) -> Pixels:
    def pause() -> None:
        return

    wash = paint_wash(
        reading, season="summer", time="day", seed=5, pause=pause, adjusting=adjusting
    )
    return paint_full(reading, wash, season="summer", time="day", seed=5, pause=pause)


def lab(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2Lab), np.float32)


def greenness(pixels: Pixels, reading: Reading) -> float:
    return float(-lab(pixels)[..., 1][reading.mask(Kind.GRASS)].mean())


def cloud_share(pixels: Pixels, reading: Reading) -> float:
    sky = reading.mask(Kind.SKY, Kind.CLOUD)
    return float((np.hypot(lab(pixels)[..., 1], lab(pixels)[..., 2])[sky] < 15).mean())


def lightness(pixels: Pixels, _: Reading) -> float:
    return float(lab(pixels)[..., 0].mean())


def warmth(pixels: Pixels, _: Reading) -> float:
    return float(lab(pixels)[..., 2].mean())


def chroma(pixels: Pixels, _: Reading) -> float:
    return float(np.hypot(lab(pixels)[..., 1], lab(pixels)[..., 2]).mean())


def contrast(pixels: Pixels, _: Reading) -> float:
    return float(lab(pixels)[..., 0].std())


def haze(pixels: Pixels, reading: Reading) -> float:
    return -chroma(pixels[: int(reading.size[0] * 0.7)], reading)


@pytest.mark.parametrize(
    ("quality", "measure"),
    [
        (Quality.GREEN, greenness),
        (Quality.CLOUDS, cloud_share),
        (Quality.LIGHT, lightness),
        (Quality.WARMTH, warmth),
        (Quality.SATURATION, chroma),
        (Quality.CONTRAST, contrast),
        (Quality.HAZE, haze),
    ],
)
def test_more_of_a_quality_is_more_and_less_is_less(
    reading: Reading, quality: Quality, measure: Callable[[Pixels, Reading], float]
) -> None:
    less, plain, more = (
        measure(finished(reading, Adjusting(**{quality.value: amount})), reading)
        for amount in (-0.6, 0.0, 0.6)
    )

    assert less < plain < more


def test_asking_for_nothing_changes_nothing(reading: Reading) -> None:
    def pause() -> None:
        return

    plain = paint_wash(reading, season="summer", time="day", seed=5, pause=pause)
    asked = paint_wash(
        reading, season="summer", time="day", seed=5, pause=pause, adjusting=AS_IT_IS
    )

    np.testing.assert_array_equal(plain, asked)


def test_less_green_leaves_the_sky_as_it_is(reading: Reading) -> None:
    sky = reading.mask(Kind.SKY)

    plain, less = (finished(reading, Adjusting(green=amount)) for amount in (0.0, -0.8))

    assert np.abs(plain - less)[sky].mean() < 0.01


def test_every_quality_has_its_place_in_the_painter() -> None:
    assert {quality.value for quality in Quality} == set(Adjusting.__slots__)
