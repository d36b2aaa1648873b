"""A changed copy has nearly the fingerprint of its original; another picture has not."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest

from haikei.errors import LedgerError
from haikei.fingerprint import (
    BITS,
    SAME_DRAWING,
    Fingerprint,
    FingerprintIndex,
    Likeness,
    fingerprint,
    fingerprint_text,
    indistinct,
)
from haikei.images import Picture, resize
from support.drawings import a_drawing, cropped, recoloured
from support.pictures import gamma, jpeg, warm

CHANGES: Sequence[Callable[[Picture], Picture]] = (
    lambda one: jpeg(resize(one, one.width // 2, one.height // 2), 90),
    lambda one: jpeg(one, 40),
    lambda one: resize(one, one.width // 4, one.height // 5),
    lambda one: gamma(one, 0.8),
    lambda one: warm(gamma(one, 1.2)),
    lambda one: cropped(one, 0.05, 0.05, 0.05, 0.05),
    lambda one: cropped(one, 0.1, 0.0, 0.0, 0.1),
    lambda one: cropped(one, 0.1, 0.1, 0.1, 0.1),
    lambda one: jpeg(gamma(cropped(one, 0.02, 0.07, 0.09, 0.01), 1.1), 80),
)


def _index(*pictures: Picture) -> FingerprintIndex:
    return FingerprintIndex((number, _of(one)) for number, one in enumerate(pictures))


def _of(picture: Picture) -> Fingerprint:
    found = fingerprint(picture)
    assert found is not None
    return found


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found_among_others(change: Callable[[Picture], Picture]) -> None:
    pictures = [a_drawing(number) for number in range(6)]

    found = _index(*pictures).look_up(change(pictures[4]))

    assert [(one.number, one.likeness) for one in found] == [(4, Likeness.COPY)]
    assert found[0].distance < 0.7


@pytest.mark.parametrize("crop", np.random.default_rng(5).uniform(0, 0.1, (8, 4)).tolist())
def test_any_crop_of_up_to_a_tenth_at_each_edge_is_found(crop: list[float]) -> None:
    pictures = [a_drawing(number) for number in range(4)]

    found = _index(*pictures).look_up(cropped(pictures[1], *crop))

    assert [one.number for one in found] == [1]
    assert found[0].bits < SAME_DRAWING / 2


def test_the_same_picture_is_at_no_distance() -> None:
    (found,) = _index(a_drawing(1)).look_up(a_drawing(1))

    assert found.bits == 0
    assert found.distance < 0.01


def test_another_season_of_a_drawing_is_no_copy_but_the_same_drawing() -> None:
    summer = a_drawing(1)

    (found,) = _index(summer).look_up(recoloured(summer))

    assert found.likeness is Likeness.DRAWING
    assert found.bits <= SAME_DRAWING


def test_of_two_seasons_the_copy_is_of_its_own() -> None:
    summer = a_drawing(1)
    autumn = recoloured(summer)
    index = _index(summer, autumn)

    for number, picture in enumerate((summer, autumn)):
        copies = indistinct(index.look_up(jpeg(cropped(picture, 0.04, 0.0, 0.02, 0.03), 85)))
        assert [one.number for one in copies] == [number]


def test_two_versions_that_hardly_differ_are_not_told_apart() -> None:
    first = a_drawing(1)
    pixels = first.pixels.copy()
    pixels[80:86, 100:108] *= 0.9
    index = _index(first, Picture(pixels=pixels))

    copies = indistinct(index.look_up(jpeg(first, 80)))

    assert {one.number for one in copies} == {0, 1}


def test_more_versions_of_a_drawing_than_are_compared_at_once_are_all_found() -> None:
    index = _index(*[a_drawing(1)] * 40, *[a_drawing(number) for number in range(2, 30)])

    assert {one.number for one in index.look_up(a_drawing(1))} == set(range(40))


def test_a_stranger_is_like_nothing() -> None:
    index = _index(*[a_drawing(number) for number in range(40)])

    assert [index.look_up(a_drawing(number)) for number in range(100, 120)] == [()] * 20


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_an_even_picture_has_no_fingerprint_and_is_like_nothing(level: float) -> None:
    even = Picture(pixels=np.full((90, 160, 3), level, np.float32))

    assert fingerprint(even) is None
    assert fingerprint_text(even) == ""
    assert _index(a_drawing(1)).look_up(even) == ()


def test_an_empty_index_knows_nothing() -> None:
    assert _index().look_up(a_drawing(1)) == ()
    assert len(_index()) == 0


def test_a_fingerprint_is_read_as_it_was_written() -> None:
    picture = a_drawing(3)
    found = _of(picture)

    assert Fingerprint.read(found.text()) == found
    assert fingerprint_text(picture) == found.text()
    assert len(found.structure) * 8 - 5 == BITS


@pytest.mark.parametrize("text", ["", "haikei-fingerprint/1:", "haikei-fingerprint/9:AAAA", "!"])
def test_what_is_no_fingerprint_is_refused(text: str) -> None:
    with pytest.raises(LedgerError, match="no fingerprint"):
        Fingerprint.read(text)


def test_a_fingerprint_does_not_depend_on_the_size_of_small_pictures() -> None:
    picture = a_drawing(2)
    tiny = Picture(pixels=np.asarray(cv2.resize(picture.pixels, (96, 54)), np.float32))

    (found,) = _index(picture).look_up(tiny)

    assert found.likeness is Likeness.COPY
