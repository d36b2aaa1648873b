"""Regions are named by the network that is shipped, and by rules where a show wants no network."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from haikei.errors import ModelUnusable
from haikei.reading import Kind, Reader, read_layout
from haikei.reading.features import NUMBERS, PLACES, SHEET, features, hinted
from haikei.reading.layout_reading import segment
from haikei.reading.network import (
    WEIGHTS,
    ReadingNetwork,
    decided,
    shipped_network,
    shipped_sha256,
)
from haikei.reading.shapes import measure
from haikei.scenes import Scene, SceneKind, draw
from haikei.training.lessons import draw_lesson

HELD = 7_000_000  #: lessons that no training saw


def nothing() -> None:
    """Go on."""


def house() -> NDArray[np.float32]:
    """Draw a house on a meadow below the sky."""
    sheet = np.ones((360, 640, 3), np.float32)
    ink = (0.1, 0.1, 0.1)
    cv2.line(sheet, (0, 230), (640, 226), ink, 2)
    cv2.rectangle(sheet, (240, 180), (400, 280), (1.0, 1.0, 1.0), -1)
    cv2.rectangle(sheet, (240, 180), (400, 280), ink, 2)
    roof = np.array([(220, 180), (260, 120), (380, 120), (420, 180)], np.int32)
    cv2.fillPoly(sheet, [roof], (1.0, 1.0, 1.0))
    cv2.polylines(sheet, [roof], isClosed=True, color=ink, thickness=2)
    for left in (265, 340):
        cv2.rectangle(sheet, (left, 205), (left + 35, 240), ink, 2)
    return sheet


def kind_at(pixels: NDArray[np.float32], across: float, down: float, reader: Reader) -> Kind:
    reading = read_layout(pixels, "", nothing, reader=reader)
    height, width = reading.shape
    return Kind(reading.kinds[reading.labels[int(down * height), int(across * width)]])


def test_a_house_on_a_meadow_is_read() -> None:
    sheet = house()

    assert kind_at(sheet, 0.5, 0.1, Reader.NETWORK) is Kind.SKY
    assert kind_at(sheet, 0.5, 0.42, Reader.NETWORK) is Kind.ROOF
    assert kind_at(sheet, 0.5, 0.7, Reader.NETWORK) is Kind.WALL
    assert kind_at(sheet, 0.44, 0.62, Reader.NETWORK) is Kind.WINDOW


def test_the_network_reads_held_out_scenes_far_better_than_the_rules() -> None:
    right: dict[Reader, list[float]] = {reader: [] for reader in Reader}
    for seed in range(HELD, HELD + 16):
        lesson = draw_lesson(seed, height=360)
        use = lesson.ink < 0.2
        for reader in Reader:
            reading = read_layout(lesson.picture(), "", nothing, reader=reader)
            same = reading.kinds[reading.labels] == lesson.kinds
            right[reader].append(float(same[use].mean()))

    assert np.mean(right[Reader.NETWORK]) > np.mean(right[Reader.GEOMETRIC]) + 0.15


def test_a_reading_says_who_read_and_how_sure_it_is() -> None:
    network = read_layout(house(), "", nothing)
    rules = read_layout(house(), "", nothing, reader=Reader.GEOMETRIC)

    assert network.reader == "Haikei reading network 1"
    assert rules.reader == "geometric"
    for plane in (network.sure, network.depth):
        assert ((plane >= 0) & (plane <= 1)).all()
    assert len(set(network.sure.tolist())) > 1
    assert 0 <= network.unread <= 1


def test_the_same_drawing_is_read_the_same_again() -> None:
    lesson = draw_lesson(HELD + 3)
    labels = segment(lesson.ink)
    shown = features(labels, lesson.ink, measure(labels, lesson.ink))

    first, again = (ReadingNetwork.load(WEIGHTS).name(shown, -1) for _ in range(2))

    for one, other in ((first.kinds, again.kinds), (first.sure, again.sure)):
        assert np.array_equal(one, other)
    assert shown.numbers.shape[1] == NUMBERS
    assert shown.sheet.shape == (SHEET,)
    assert np.isfinite(shown.numbers).all()


def test_reading_needs_no_torch() -> None:
    code = (
        "import sys, numpy, haikei.reading as r;"
        "r.read_layout(numpy.ones((90, 160, 3), numpy.float32), '', lambda: None);"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("missing", "cannot be read"),
        ("cut", "are damaged"),
        ("other", "of another version"),
        ("infinite", "damaged or of another version"),
    ],
)
def test_damaged_weights_are_one_clear_error(tmp_path: Path, damage: str, said: str) -> None:
    from safetensors.numpy import load_file, save_file

    file = tmp_path / "network.safetensors"
    if damage == "cut":
        file.write_bytes(WEIGHTS.read_bytes()[:-100])
    elif damage == "other":
        save_file({"mean": np.zeros(3, np.float16)}, file)
    elif damage == "infinite":
        weights = load_file(WEIGHTS)
        weights["heads.bias"] = weights["heads.bias"].copy()
        weights["heads.bias"][0] = np.inf
        save_file(weights, file)

    with pytest.raises(ModelUnusable, match=said) as caught:
        ReadingNetwork.load(file)

    assert str(file) in str(caught.value)
    assert "geometric" in str(caught.value)


def test_the_weights_are_small_and_their_hash_is_known() -> None:
    assert WEIGHTS.stat().st_size < 10_000_000
    assert shipped_network().sha256 == shipped_sha256()
    assert len(shipped_sha256()) == 64


@pytest.mark.parametrize(
    ("hint", "place"),
    [
        ("classroom, evening", "classroom"),
        ("和室", "room"),
        ("田舎の駅", "station"),
        ("Japanese room", "room"),
        ("room", "living"),
        ("漁港", "port"),
        ("", ""),
        ("spaceship", ""),
    ],
)
def test_a_hint_names_a_place_that_the_network_knows(hint: str, place: str) -> None:
    index = hinted(hint)

    assert (PLACES[index] if index >= 0 else "") == place


def test_what_stands_in_a_margin_is_not_read() -> None:
    lesson = draw_lesson(HELD, height=440, place="street")
    height, width = lesson.ink.shape
    sheet = np.ones((height + 80, width + 120, 3), np.float32)
    sheet[40:-40, 60:-60] = lesson.picture()
    cv2.rectangle(sheet, (60, 40), (width + 60, height + 40), (0.2, 0.2, 0.2), 1)

    reading = read_layout(sheet, "", nothing)

    assert reading.frame is not None
    assert np.isfinite(reading.depth).all()
    inside = reading.kinds[reading.labels[60:-60, 80:-80]]
    truth = lesson.kinds[20:-20, 20:-20]
    # Bare ground without a hint may be of any kind that lies level.
    level = [Kind.GRASS, Kind.PAVING, Kind.EARTH, Kind.SAND, Kind.SNOW]
    ground = np.isin(inside, level) & np.isin(truth, level)
    assert ((inside == truth) | ground).mean() > 0.6


def test_regions_of_a_large_drawing_end_on_its_lines_without_stairs() -> None:
    height, width = 1080, 1920
    sheet = np.ones((height, width, 3), np.float32)
    cv2.line(sheet, (300, 0), (520, height), (0.0, 0.0, 0.0), 2, cv2.LINE_AA)

    reading = read_layout(sheet, "", nothing)

    assert reading.shape == (height, width)
    paper = reading.line < 0.1
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    left = across < 300 + 220 * down / height
    for side in (paper & left, paper & ~left):
        counts = np.bincount(reading.labels[side])
        assert counts.max() == counts.sum()


@pytest.mark.parametrize(
    ("kind", "seed", "across", "down", "wanted"),
    [
        (SceneKind.HILLS, 0, 0.76, 0.36, (Kind.TREE,)),  # a crown before the sky
        (SceneKind.VILLAGE, 2, 0.25, 0.38, (Kind.HILL, Kind.FOREST)),  # a bare far hill
        (SceneKind.VILLAGE, 2, 0.75, 0.9, (Kind.GRASS,)),  # a meadow with tufts on it
        (SceneKind.LAKE, 1, 0.3, 0.75, (Kind.WATER,)),  # ripples and a boat
    ],
)
def test_plain_drawings_are_read_by_what_stands_on_and_under_things(
    kind: SceneKind, seed: int, across: float, down: float, wanted: tuple[Kind, ...]
) -> None:
    drawing = draw(Scene(kind=kind, seed=seed)).picture().pixels

    assert kind_at(drawing, across, down, Reader.NETWORK) in wanted


def test_a_pale_pencil_in_a_printed_frame_is_read() -> None:
    pale = 1 - (1 - house()) * np.float32(0.3)
    sheet = np.ones((440, 760, 3), np.float32)
    sheet[40:-40, 60:-60] = pale
    cv2.rectangle(sheet, (60, 40), (699, 399), (0.1, 0.1, 0.1), 2)

    reading = read_layout(sheet, "", nothing)

    assert {Kind.SKY, Kind.WALL, Kind.ROOF} <= {Kind(kind) for kind in reading.kinds}


def test_ground_of_several_likely_kinds_is_ground() -> None:
    chances = np.zeros((2, len(Kind)), np.float32)
    chances[0, [Kind.ROOF, Kind.GRASS, Kind.EARTH, Kind.SAND]] = (0.3, 0.25, 0.24, 0.21)
    chances[1, [Kind.ROOF, Kind.GRASS]] = (0.6, 0.4)

    assert decided(chances).tolist() == [Kind.GRASS, Kind.ROOF]
