"""A picture is looked at through a view and with an exposure, of its full depth."""

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from numpy.typing import NDArray

from haikei.images import Look, Picture, View, read_picture, write_picture


def exr(folder: Path, *levels: float) -> Path:
    """Write grey patches of linear light."""
    file = folder / "light.exr"
    row = np.repeat(np.asarray(levels, np.float32), 8)
    pixels: NDArray[np.float32] = np.repeat(np.tile(row, (8, 1))[..., None], 3, axis=2)
    spec = oiio.ImageSpec(pixels.shape[1], 8, 3, "half")
    out = oiio.ImageOutput.create("openexr")
    assert out is not None
    assert out.open(str(file), spec)
    assert out.write_image(pixels)
    assert out.close()
    return file


def patches(file: Path, look: Look) -> list[float]:
    return [round(float(one), 3) for one in read_picture(file, look=look).pixels[4, 4::8, 1]]


def test_light_above_white_is_cut_off_by_the_plain_view_and_kept_by_that_of_aces(
    tmp_path: Path,
) -> None:
    file = exr(tmp_path, 0.18, 1.0, 2.0, 4.0)
    plain, rolled = patches(file, Look()), patches(file, Look(view=View.ACES))

    assert plain == [0.461, 1.0, 1.0, 1.0]
    assert rolled == sorted(set(rolled))
    assert rolled[-1] < 1.0


def test_exposure_brings_back_what_a_plain_view_cuts_off(tmp_path: Path) -> None:
    file = exr(tmp_path, 0.5, 2.0, 4.0)

    assert patches(file, Look(stops=-2)) == [0.389, 0.735, 1.0]


def test_exposure_shows_the_steps_of_sixteen_bits(tmp_path: Path) -> None:
    file = tmp_path / "dark.png"
    ramp = np.linspace(0.02, 0.03, 64, dtype=np.float32)
    pixels = np.repeat(np.tile(ramp, (16, 1))[..., None], 3, axis=2)
    write_picture(Picture(pixels=pixels), file)

    bright = read_picture(file, look=Look(stops=5)).pixels[0, :, 0]

    assert len(np.unique(bright)) == 64
    assert bright.max() < 0.4


@pytest.mark.parametrize("view", list(View))
def test_a_picture_for_screens_needs_no_view(tmp_path: Path, view: View) -> None:
    file = tmp_path / "painted.png"
    pixels = np.full((8, 8, 3), 0.4, np.float32)
    write_picture(Picture(pixels=pixels), file)

    assert np.allclose(read_picture(file, look=Look(view=view)).pixels, 0.4, atol=1e-4)
