"""Closed shapes become regions, nearly closed ones too, and nothing is left out."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from haikei.reading.layout_reading import MOST, segment
from haikei.reading.shapes import measure


def sheet() -> NDArray[np.float32]:
    return np.zeros((220, 300), np.float32)


def test_a_closed_box_is_a_region_of_its_own() -> None:
    ink = sheet()
    cv2.rectangle(ink, (60, 50), (200, 150), (1.0,), 2)

    labels = segment(ink)

    assert labels.min() == 0
    assert labels.max() == 1
    assert labels[100, 130] != labels[10, 10]
    assert (labels == labels[100, 130])[55:145, 65:195].all()


def test_a_small_gap_in_an_outline_does_not_let_the_colour_out() -> None:
    ink = sheet()
    cv2.rectangle(ink, (60, 50), (200, 150), (1.0,), 2)
    ink[48:53, 120:123] = 0

    labels = segment(ink)

    assert labels[100, 130] != labels[10, 10]
    assert (labels == labels[100, 130])[60:140, 70:190].all()


def test_narrow_shapes_are_found_beside_wide_ones() -> None:
    ink = sheet()
    cv2.rectangle(ink, (60, 50), (200, 150), (1.0,), 1)
    cv2.rectangle(ink, (100, 60), (106, 140), (1.0,), 1)

    labels = segment(ink)

    assert len({int(labels[100, 103]), int(labels[100, 80]), int(labels[10, 10])}) == 3


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_blank_and_solid_sheets_are_one_region(value: float) -> None:
    assert (segment(np.full((90, 160), value, np.float32)) == 0).all()


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    density=st.floats(0.0, 1.0),
    height=st.integers(16, 90),
    width=st.integers(16, 120),
)
def test_any_ink_gives_regions_numbered_without_holes(
    seed: int, density: float, height: int, width: int
) -> None:
    random = np.random.default_rng(seed)
    ink = (random.random((height, width)) < density).astype(np.float32)

    labels = segment(ink)
    shapes = measure(labels, ink)

    assert set(np.unique(labels)) == set(range(int(labels.max()) + 1))
    assert len(shapes) <= MOST
    assert shapes.area.sum() == pytest.approx(1.0)
    for values in (shapes.solidity, shapes.straight, shapes.slimness, shapes.beside):
        assert np.isfinite(values).all()


def test_a_row_of_converging_lines_gives_the_vanishing_point() -> None:
    ink = np.zeros((540, 960), np.float32)
    point = (500, 260)
    for x in range(-400, 1400, 130):
        cv2.line(ink, point, (x, 560), (1.0,), 2, cv2.LINE_AA)

    found = measure(segment(ink), ink).vanishing

    assert found is not None
    assert found[0] == pytest.approx(500 / 540, abs=0.04)
    assert found[1] == pytest.approx(260 / 540, abs=0.04)
