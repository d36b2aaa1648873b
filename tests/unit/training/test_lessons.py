"""Scenes to learn from: one geometry gives the line art and a truth that agrees with it."""

from pathlib import Path

import numpy as np
import pytest

from haikei.reading import Facing, Kind
from haikei.reading.layout_reading import segment
from haikei.training.canvas import Canvas, Hand
from haikei.training.examples import draw_examples, example, load_examples, truth
from haikei.training.lessons import MAP_COLOURS, PLACES, draw_lesson

CLEAN = Hand()


def canvas() -> Canvas:
    return Canvas(180, 16 / 9, CLEAN, np.random.default_rng(1))


def test_what_is_drawn_later_covers_ink_and_truth_alike() -> None:
    paper = canvas()
    paper.fill([(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)], Kind.WALL, depth=0.5)
    paper.fill([(0.4, 0.1), (1.0, 0.1), (1.0, 0.9), (0.4, 0.9)], Kind.TREE, depth=0.2)

    lesson = paper.finish(mirrored=False)

    assert lesson.kinds[90, 50] == Kind.WALL
    assert lesson.kinds[90, 100] == Kind.TREE
    assert lesson.depth[90, 100] == pytest.approx(0.2)
    assert lesson.ink[90, 144] < 0.1  # the wall's right edge lies under the tree
    assert lesson.ink[90, 71:74].max() > 0.5  # and the tree's left edge on the wall
    assert lesson.kinds[5, 5] == Kind.UNKNOWN


def test_a_mirrored_lesson_swaps_left_and_right_faces() -> None:
    paper = canvas()
    square = [(0.1, 0.2), (0.6, 0.2), (0.6, 0.8), (0.1, 0.8)]
    paper.fill(square, Kind.WALL, depth=0.5, facing=Facing.LEFT)

    lesson = paper.finish(mirrored=True)

    assert lesson.kinds[90, -60] == Kind.WALL
    assert lesson.facing[90, -60] == Facing.RIGHT


@pytest.mark.parametrize("place", PLACES)
def test_every_place_is_drawn_whole_and_the_same_again(place: str) -> None:
    first, again = (draw_lesson(11, height=180, place=place) for _ in range(2))

    assert first.place == place
    assert np.array_equal(first.ink, again.ink)
    assert np.array_equal(first.kinds, again.kinds)
    for plane in (first.ink, first.kinds, first.depth, first.facing):
        assert plane.shape == first.ink.shape
    assert first.ink.max() > 0.2
    assert ((first.depth >= 0) & (first.depth <= 1)).all()
    assert {int(kind) for kind in np.unique(first.kinds)} <= {int(kind) for kind in Kind}


def test_there_are_more_than_twenty_places_and_a_colour_for_every_kind() -> None:
    assert len(PLACES) > 20
    assert set(MAP_COLOURS) == set(Kind)
    assert len(set(MAP_COLOURS.values())) == len(Kind)


def test_regions_follow_the_truth() -> None:
    shares: list[float] = []
    for seed in range(40, 46):
        lesson = draw_lesson(seed)
        labels = segment(lesson.ink)
        *_, purity = truth(lesson, labels)
        area = np.bincount(labels.ravel())
        shares.append(float((purity * area).sum() / area.sum()))

    assert np.mean(shares) > 0.93


def test_examples_come_back_from_their_files_as_they_were_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("haikei.training.examples.SHARD", 2)
    draw_examples(tmp_path, 2, first=100, workers=1)

    kept = load_examples(tmp_path)
    drawn = example(draw_lesson(101))

    assert len(kept) == 2
    assert np.array_equal(kept[1].kinds, drawn.kinds)
    assert np.array_equal(kept[1].features.pictures, drawn.features.pictures)
    assert np.array_equal(kept[1].features.relations.other, drawn.features.relations.other)
    assert np.allclose(kept[1].features.numbers, drawn.features.numbers, atol=0.01)
