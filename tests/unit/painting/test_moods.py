"""Season and time of day show in the picture, on any stage."""

from itertools import combinations
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from haikei.painting import paint_full, paint_wash, read_layout
from haikei.scenes import Scene, SceneKind, draw

SEASONS = ("spring", "summer", "autumn", "winter")
TIMES = ("morning", "day", "sunset", "night")
Pixels = NDArray[np.float32]


class Painted(NamedTuple):
    wash: Pixels
    full: Pixels


def nothing() -> None:
    """Go on."""


def paint(kind: SceneKind, season: str, time: str, *, seed: int = 3) -> Painted:
    layout = draw(Scene(kind=kind, width=480, height=270, seed=1)).picture().pixels
    reading = read_layout(layout, kind.value, nothing)
    wash = paint_wash(reading, season=season, time=time, seed=seed, pause=nothing)
    full = paint_full(reading, wash, season=season, time=time, seed=seed, pause=nothing)
    return Painted(wash=wash, full=full)


@pytest.fixture(scope="module")
def village() -> dict[tuple[str, str], Painted]:
    return {
        (season, time): paint(SceneKind.VILLAGE, season, time)
        for season in SEASONS
        for time in TIMES
    }


def sky(picture: Pixels) -> NDArray[np.float32]:
    return np.asarray(picture[:70].mean(axis=(0, 1)), np.float32)


def ground(picture: Pixels) -> NDArray[np.float32]:
    return np.asarray(picture[190:].mean(axis=(0, 1)), np.float32)


def warmth(colour: NDArray[np.float32]) -> float:
    return float(colour[0] - colour[2])


def test_every_season_and_time_looks_different(village: dict[tuple[str, str], Painted]) -> None:
    for (one, first), (other, second) in combinations(village.items(), 2):
        distance = float(np.abs(first.full - second.full).mean())
        assert distance > 0.015, (one, other)


@pytest.mark.parametrize("season", SEASONS)
def test_night_is_the_darkest_and_bluest_time(
    village: dict[tuple[str, str], Painted], season: str
) -> None:
    for stage in range(2):
        night = village[season, "night"][stage]
        for time in ("morning", "day", "sunset"):
            other = village[season, time][stage]
            assert sky(night).mean() < 0.6 * sky(other).mean()
            assert ground(night).mean() < 0.75 * ground(other).mean()
        assert warmth(sky(night)) < -0.1


@pytest.mark.parametrize("season", SEASONS)
def test_sunset_is_warmer_than_day_in_the_sky_and_on_the_ground(
    village: dict[tuple[str, str], Painted], season: str
) -> None:
    for stage in range(2):
        sunset, day = (village[season, time][stage] for time in ("sunset", "day"))
        assert (
            warmth(sunset[60:120].mean(axis=(0, 1))) > warmth(day[60:120].mean(axis=(0, 1))) + 0.1
        )
        assert warmth(ground(sunset)) > warmth(ground(day)) + 0.04


@pytest.mark.parametrize("time", TIMES)
def test_winter_ground_is_paler_and_less_coloured_than_in_any_other_season(
    village: dict[tuple[str, str], Painted], time: str
) -> None:
    for stage in range(2):
        winter = ground(village["winter", time][stage])
        for season in ("spring", "summer", "autumn"):
            other = ground(village[season, time][stage])
            assert winter.mean() > other.mean()


def test_summer_ground_is_green_and_autumn_ground_is_golden(
    village: dict[tuple[str, str], Painted],
) -> None:
    summer = ground(village["summer", "day"].full)
    autumn = ground(village["autumn", "day"].full)

    assert summer[1] > summer[0] > summer[2]
    assert autumn[0] > autumn[1] > autumn[2]


def test_windows_are_lit_at_night() -> None:
    night = paint(SceneKind.PORT, "summer", "night").wash

    lit = (night[..., 0] > 0.75) & (night[..., 2] < night[..., 0] - 0.2)
    assert lit.mean() > 0.002


def test_clouds_that_are_drawn_become_white_clouds() -> None:
    scene = Scene(kind=SceneKind.HILLS, width=480, height=270, seed=1)
    drawing = draw(scene)
    outlines, _ = cv2.findContours(
        (drawing.layers[0].ink > 60).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    cloud = np.zeros((270, 480), np.uint8)
    cv2.drawContours(cloud, [max(outlines, key=cv2.contourArea)], -1, (1,), -1)
    inside = cv2.erode(cloud, np.ones((9, 9), np.uint8)) > 0

    day = paint(SceneKind.HILLS, "summer", "day").full

    assert np.median(day[inside], axis=0).min() > 0.8
    assert day[2:6, :60].mean(axis=(0, 1))[0] < 0.6


def test_water_mirrors_what_stands_above_it() -> None:
    plain = paint(SceneKind.LAKE, "summer", "day")

    def contrast(picture: Pixels) -> float:
        rows = picture[140:200].mean(axis=2)
        return float(np.abs(np.diff(rows, axis=0)).mean())

    assert contrast(plain.full) > 1.3 * contrast(plain.wash)


@pytest.mark.parametrize("kind", list(SceneKind))
def test_the_drawn_lines_are_kept_in_the_finished_painting(kind: SceneKind) -> None:
    layout = draw(Scene(kind=kind, width=640, height=360, seed=1)).picture().pixels
    reading = read_layout(layout, kind.value, nothing)
    full = paint_full(
        reading,
        paint_wash(reading, season="summer", time="day", seed=1, pause=nothing),
        season="summer",
        time="day",
        seed=1,
        pause=nothing,
    )

    grey = full.mean(axis=2)
    dark = grey < np.minimum(np.roll(grey, 4, axis=0), np.roll(grey, -4, axis=0)) - 0.03
    dark |= grey < np.minimum(np.roll(grey, 4, axis=1), np.roll(grey, -4, axis=1)) - 0.03
    line = layout.mean(axis=2) < 0.4
    line[: int(0.35 * 360)] = False  # lines in the sky are meant to fade
    recall = float(dark[line].mean())
    chance = float(dark[~line][::7].mean())
    assert recall > 0.5
    assert recall > 4 * chance
