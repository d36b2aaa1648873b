"""Scenes are line art: reproducible, varied, clean, with hidden lines removed."""

import numpy as np
import pytest

from haikei.scenes import Scene, SceneKind, draw
from haikei.scenes.sheet import Camera, Sheet, box

KINDS = list(SceneKind)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_scene_is_drawn_with_the_same_lines(kind: SceneKind) -> None:
    scene = Scene(kind=kind, width=320, height=180, seed=5)

    assert np.array_equal(draw(scene).flattened(), draw(scene).flattened())


@pytest.mark.parametrize("kind", KINDS)
def test_another_seed_draws_another_layout(kind: SceneKind) -> None:
    first, second = (
        draw(Scene(kind=kind, width=320, height=180, seed=seed)).flattened() for seed in (1, 2)
    )

    assert not np.array_equal(first, second)


@pytest.mark.parametrize("kind", KINDS)
def test_a_layout_is_mostly_white_paper_with_dark_lines_all_over(kind: SceneKind) -> None:
    flat = draw(Scene(kind=kind, width=640, height=360, seed=1)).flattened()

    grey = flat.mean(axis=2)
    assert 0.75 < (grey > 250).mean() < 0.97
    assert (grey < 80).mean() > 0.005
    halves = [part for half in np.array_split(grey, 2) for part in np.array_split(half, 2, axis=1)]
    assert all((part < 128).mean() > 0.001 for part in halves)


@pytest.mark.parametrize(("width", "height"), [(64, 64), (160, 96), (500, 900), (1920, 1080)])
def test_scenes_are_drawn_at_any_size(width: int, height: int) -> None:
    drawing = draw(Scene(kind=SceneKind.VILLAGE, width=width, height=height))

    assert drawing.flattened().shape == (height, width, 3)
    assert drawing.picture().pixels.shape == (height, width, 3)


def test_a_size_that_no_layout_has_is_refused() -> None:
    with pytest.raises(ValueError, match="32x720"):
        Scene(kind=SceneKind.PORT, width=32)


def test_clouds_lie_on_their_own_layer_and_the_guide_frame_is_hidden() -> None:
    drawing = draw(Scene(kind=SceneKind.HILLS, width=640, height=360))

    layers = {layer.name: layer for layer in drawing.layers}
    assert list(layers) == ["clouds", "line", "book", "frame"]
    assert [layer.visible for layer in drawing.layers] == [True, True, True, False]
    assert layers["clouds"].ink[:180].any()
    assert not layers["clouds"].ink[270:].any()
    assert layers["book"].ink.any()
    reds = drawing.flattened().astype(int)
    assert (reds[..., 0] - reds[..., 2]).max() < 20


def test_what_is_drawn_later_hides_the_lines_behind_it_on_every_layer() -> None:
    sheet = Sheet(320, 180, np.random.default_rng(0))
    sheet.layer = "clouds"
    sheet.stroke(np.array([[0.0, 0.5], [1.7, 0.5]]))
    sheet.layer = "line"

    sheet.shape(box(0.5, 0.3, 0.4, 0.4))

    clouds = sheet.layers()[0].ink
    assert clouds[:, :70].any()
    assert not clouds[:, 100:150].any()


def test_a_face_behind_the_camera_is_not_drawn_and_one_through_it_is_cut() -> None:
    camera = Camera(aspect=1.6, eye=1.5, horizon=0.5, centre=0.8, focal=1.0)

    assert len(camera.face([(0, 0, -5), (1, 0, -5), (1, 1, -5)])) == 0
    crossing = camera.face([(-1, 0, -1), (1, 0, -1), (1, 0, 5), (-1, 0, 5)])
    assert len(crossing) == 4
    assert np.isfinite(crossing).all()


def test_lines_that_run_away_from_us_meet_on_the_horizon() -> None:
    camera = Camera(aspect=1.6, eye=1.5, horizon=0.4, centre=0.8, focal=1.0)

    far = camera.project([(-3, 0, 1e6), (5, 2, 1e6)])

    assert np.allclose(far, [[0.8, 0.4], [0.8, 0.4]], atol=1e-4)
