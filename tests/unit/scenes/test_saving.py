"""Layouts come back from disk as they were drawn."""

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from numpy.typing import NDArray
from psd_tools import PSDImage

from haikei.errors import StorageUnavailable
from haikei.images import read_picture
from haikei.scenes import LayoutDrawing, Scene, SceneKind, draw, save_layout


@pytest.fixture(scope="module")
def drawing() -> LayoutDrawing:
    return draw(Scene(kind=SceneKind.PORT, width=320, height=180, seed=3))


def composite(path: Path) -> NDArray[np.uint8]:
    image = oiio.ImageInput.open(str(path))
    assert image is not None
    pixels = image.read_image(0, 0, 0, 3, "uint8")
    image.close()
    return np.asarray(pixels, np.uint8)


@pytest.mark.parametrize("name", ["layout.png", "layout.tif", "layout.psd"])
def test_every_format_reads_back_as_the_flattened_drawing(
    drawing: LayoutDrawing, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "cut" / name

    save_layout(drawing, path)

    assert np.array_equal(composite(path), drawing.flattened())
    assert np.array_equal(
        np.rint(read_picture(path).pixels * 255).astype(np.uint8), drawing.flattened()
    )
    assert [file.name for file in path.parent.iterdir()] == [name]


def test_a_tiff_has_sixteen_bits_and_a_png_eight(drawing: LayoutDrawing, tmp_path: Path) -> None:
    formats: dict[str, str] = {}
    for name in ("a.png", "a.tif"):
        save_layout(drawing, tmp_path / name)
        image = oiio.ImageInput.open(str(tmp_path / name))
        assert image is not None
        formats[name] = str(image.spec().format)
        image.close()

    assert formats == {"a.png": "uint8", "a.tif": "uint16"}


def test_a_layered_file_has_japanese_layer_names_and_a_hidden_frame(
    drawing: LayoutDrawing, tmp_path: Path
) -> None:
    path = tmp_path / "layout.psd"

    save_layout(drawing, path)

    layers = list(PSDImage.open(path))
    assert [layer.name for layer in layers] == ["用紙", "雲", "原図", "BOOK", "フレーム"]
    assert [layer.visible for layer in layers] == [True, True, True, True, False]


def test_the_layers_of_a_layered_file_add_up_to_its_composite(
    drawing: LayoutDrawing, tmp_path: Path
) -> None:
    path = tmp_path / "layout.psd"
    save_layout(drawing, path)

    flat = np.full((180, 320, 3), 255.0)
    for layer in PSDImage.open(path):
        image = layer.topil()
        if not layer.visible or image is None:
            continue
        pixels = np.asarray(image.convert("RGBA"), np.float64)
        left, top, right, bottom = layer.bbox
        cover = pixels[..., 3:] / 255
        part = flat[top:bottom, left:right]
        part += (pixels[..., :3] - part) * cover

    assert np.abs(flat - drawing.flattened()).max() <= 1


def test_an_unknown_suffix_is_refused(drawing: LayoutDrawing, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.png, \.tif or \.psd"):
        save_layout(drawing, tmp_path / "layout.clip")


def test_a_file_that_cannot_be_written_leaves_nothing_behind(
    drawing: LayoutDrawing, tmp_path: Path
) -> None:
    # A folder stands where the file should go, so that the last step fails.
    (tmp_path / "layout.psd").mkdir()

    with pytest.raises(StorageUnavailable, match="layout"):
        save_layout(drawing, tmp_path / "layout.psd")

    assert [file.name for file in tmp_path.iterdir()] == ["layout.psd"]
