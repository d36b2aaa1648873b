"""The demonstration's paint-overs: real strokes, in their places, the same each time."""

from pathlib import Path

import numpy as np
import pytest

from haikei.demo.paint_overs import PAINT_OVERS, PaintOver, disc, paint
from haikei.demo.studio import CUTS
from haikei.files import sha256_of
from haikei.images import Picture, read_picture, write_picture


@pytest.fixture
def background(tmp_path: Path) -> Path:
    ramp = np.linspace(0.2, 0.8, 320, dtype=np.float32)
    pixels = np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], (180, 320, 3)))
    path = tmp_path / "background.png"
    write_picture(Picture(pixels=pixels.copy()), path)
    return path


@pytest.mark.parametrize("over", PAINT_OVERS, ids=lambda over: over.brush.__name__)
def test_a_paint_over_changes_some_of_a_background_and_is_the_same_again(
    over: PaintOver, background: Path, tmp_path: Path
) -> None:
    before = background.read_bytes()

    paint(over, background, tmp_path / "artists" / "one.png")
    paint(over, background, tmp_path / "artists" / "two.png")

    assert background.read_bytes() == before
    one = tmp_path / "artists" / "one.png"
    assert sha256_of(one) == sha256_of(one.with_name("two.png"))
    changed = (read_picture(one).pixels != read_picture(background).pixels).any(axis=-1)
    assert 0.001 < changed.mean() < 0.4


def test_paint_overs_are_of_cuts_of_the_demonstration() -> None:
    cuts = {(cut.project, cut.sequence, cut.shot) for cut in CUTS}

    assert {over.cut for over in PAINT_OVERS} <= cuts
    assert len({over.cut for over in PAINT_OVERS}) < len(PAINT_OVERS)


def test_a_stroke_beyond_the_edge_paints_what_is_inside() -> None:
    pixels = np.zeros((20, 20, 3), np.float32)

    disc((0.0, 0.0), 6.0).paint(pixels, (1.0, 0.5, 0.0), 1.0)
    disc((-50.0, -50.0), 6.0, soft=2.0).paint(pixels, (1.0, 1.0, 1.0), 1.0)

    assert tuple(pixels[0, 0]) == (1.0, 0.5, 0.0)
    assert not pixels[10:].any()
