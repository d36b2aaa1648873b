"""The picture of a change: grey, tinted, numbered, and the same bytes each time."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from haikei.images import Picture, read_picture
from haikei.measure import measure_change, write_change_map
from haikei.measure.change import TINT


def pictures() -> tuple[Picture, Picture]:
    random = np.random.default_rng(5)
    before = random.uniform(0.3, 0.6, (180, 320, 3)).astype(np.float32)
    after = before.copy()
    after[40:80, 60:140] = (0.1, 0.2, 0.9)
    after[120:140, 200:230] = (0.9, 0.9, 0.1)
    return Picture(pixels=before), Picture(pixels=after)


def test_changed_pixels_are_tinted_and_all_else_is_grey(tmp_path: Path) -> None:
    before, after = pictures()
    path = tmp_path / "map.png"

    write_change_map(measure_change(before, after), after, path)

    drawn = read_picture(path).pixels
    assert drawn.shape[1] == 320
    assert drawn.shape[0] > 180
    inside = drawn[65:75, 80:130].mean(axis=(0, 1))
    assert inside[0] > inside[1] + 0.15 > inside[2] + 0.3
    assert tuple(np.argsort(inside)) == tuple(np.argsort(TINT))
    outside = drawn[85:115, 10:190]
    assert np.ptp(outside, axis=2).max() < 0.02


def test_the_same_change_makes_the_same_bytes_and_the_hash_is_theirs(tmp_path: Path) -> None:
    before, after = pictures()
    measured = measure_change(before, after)

    first = write_change_map(measured, after, tmp_path / "one.png")
    second = write_change_map(measured, after, tmp_path / "two.png")

    assert first == second == hashlib.sha256((tmp_path / "one.png").read_bytes()).hexdigest()


def test_a_large_picture_gets_a_map_that_is_not_larger_than_a_screen(tmp_path: Path) -> None:
    before = Picture(pixels=np.full((300, 4000, 3), 0.5, np.float32))

    write_change_map(measure_change(before, before), before, tmp_path / "map.png")

    assert read_picture(tmp_path / "map.png").width == 1920


def test_a_picture_of_another_size_is_refused(tmp_path: Path) -> None:
    before, after = pictures()
    other = Picture(pixels=np.zeros((10, 10, 3), np.float32))

    with pytest.raises(ValueError, match="320"):
        write_change_map(measure_change(before, after), other, tmp_path / "map.png")
