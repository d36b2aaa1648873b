"""Layered Photoshop files, as other programs open them."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import OpenImageIO as oiio
import pytest
from numpy.typing import NDArray
from psd_tools import PSDImage

from haikei.errors import ImageUnreadable, StorageError, StorageUnavailable
from haikei.images import (
    Layer,
    Picture,
    merged,
    read_layered,
    read_picture,
    write_layered,
)
from haikei.provenance.formats import read_metadata

SIZE = (90, 60)
NAMES = ("原図", "下塗り", "BOOK1 手前の木", "線画 🌳")
BOTH_DEPTHS = pytest.mark.parametrize("bits", [8, 16])
Depth = Literal[8, 16]


def painted(number: int) -> Picture:
    across, down = np.meshgrid(np.linspace(0, 1, SIZE[0]), np.linspace(0, 1, SIZE[1]))
    channels = [(across + number / 7) % 1, (down * number / 3) % 1, (across * down + 0.3) % 1]
    return Picture(pixels=np.stack(channels, axis=-1).astype(np.float32))


def cover(left: int) -> NDArray[np.float32]:
    made = np.zeros(SIZE[::-1], np.float32)
    made[10:40, left : left + 30] = np.linspace(0, 1, 30)
    return made


@pytest.fixture
def layers() -> list[Layer]:
    covers = (None, None, cover(5), cover(25))
    return [
        Layer(name=name, picture=painted(number), cover=one, visible=number != 3)
        for number, (name, one) in enumerate(zip(NAMES, covers, strict=True))
    ]


def steps(found: NDArray[Any], wanted: NDArray[Any]) -> float:
    """Return the largest difference, in steps of 255."""
    return float(np.abs(found.astype(np.float64) - wanted).max()) * 255


@BOTH_DEPTHS
def test_layers_keep_their_names_order_pixels_and_alpha(
    layers: list[Layer], tmp_path: Path, bits: Depth
) -> None:
    write_layered(layers, tmp_path / "cut.psd", bits=bits)
    opened = PSDImage.open(tmp_path / "cut.psd")

    assert (opened.size, opened.depth) == (SIZE, bits)
    assert tuple(one.name for one in opened) == NAMES
    assert [one.visible for one in opened] == [True, True, True, False]
    for found, wanted in zip(opened, layers, strict=True):
        pixels = found.numpy()
        assert pixels is not None
        there = np.s_[found.top : found.bottom, found.left : found.right]
        assert steps(pixels[..., :3], wanted.picture.pixels[there]) < 0.51
        if wanted.cover is not None:
            assert steps(pixels[..., 3], wanted.cover[there]) < 0.51
            assert found.width < SIZE[0]


@BOTH_DEPTHS
def test_what_is_seen_is_what_programs_compose_of_the_layers(
    layers: list[Layer], tmp_path: Path, bits: Depth
) -> None:
    write_layered(layers, tmp_path / "cut.psd", bits=bits)
    composed = np.asarray(PSDImage.open(tmp_path / "cut.psd").composite(force=True).convert("RGB"))
    shown = read_picture(tmp_path / "cut.psd").pixels

    assert steps(shown, merged(layers).pixels) < 0.51
    assert steps(shown, composed / 255) < 1.6


@BOTH_DEPTHS
def test_another_reader_finds_the_same_layers(
    layers: list[Layer], tmp_path: Path, bits: Depth
) -> None:
    write_layered(layers, tmp_path / "cut.psd", bits=bits)
    straight = oiio.ImageSpec()
    straight.attribute("oiio:UnassociatedAlpha", 1)
    file = oiio.ImageInput.open(str(tmp_path / "cut.psd"), straight)
    assert file is not None

    for number, wanted in enumerate(layers, 1):
        assert file.seek_subimage(number, 0)
        spec = file.spec()
        assert spec.get_string_attribute("oiio:subimagename") == wanted.name
        there = np.s_[spec.y : spec.y + spec.height, spec.x : spec.x + spec.width]
        pixels = file.read_image("float")
        assert pixels is not None
        # Where nothing is seen, it has no colour.
        seen = pixels[..., 3:] > 0
        assert steps(pixels[..., :3] * seen, wanted.picture.pixels[there] * seen) < 0.51
    assert not file.seek_subimage(len(layers) + 1, 0)


def test_the_same_layers_make_the_same_bytes(layers: list[Layer], tmp_path: Path) -> None:
    for name in ("a.psd", "b.psd"):
        write_layered(layers, tmp_path / name)

    assert (tmp_path / "a.psd").read_bytes() == (tmp_path / "b.psd").read_bytes()


@BOTH_DEPTHS
def test_a_file_gives_the_layers_back_that_it_was_written_of(
    layers: list[Layer], bits: Depth, tmp_path: Path
) -> None:
    path = tmp_path / "layers.psd"
    write_layered(layers, path, bits=bits)
    found = read_layered(path)

    assert [(one.name, one.visible) for one in found] == [(one.name, one.visible) for one in layers]
    assert [one.cover is None for one in found] == [one.cover is None for one in layers]
    for one, wanted in zip(found, layers, strict=True):
        covered = np.ones(SIZE[::-1], np.float32) if wanted.cover is None else wanted.cover
        there = covered > 0
        assert steps(one.picture.pixels[there], wanted.picture.pixels[there]) <= 0.5
        if one.cover is not None:
            assert steps(one.cover, covered) <= 0.5


@pytest.mark.parametrize("kept", [0, 100, 3_000])
def test_layers_of_a_damaged_file_are_not_read(
    layers: list[Layer], kept: int, tmp_path: Path
) -> None:
    path = tmp_path / "layers.psd"
    write_layered(layers, path)
    path.write_bytes(path.read_bytes()[:kept])

    with pytest.raises(ImageUnreadable, match=r"layers\.psd"):
        read_layered(path)


def test_an_empty_layer_stays_among_the_others(tmp_path: Path) -> None:
    nothing = np.zeros(SIZE[::-1], np.float32)
    made = [
        Layer(name="BG", picture=painted(1)),
        Layer(name="BOOK", picture=painted(2), cover=nothing),
    ]
    write_layered(made, tmp_path / "cut.psd")

    assert [one.name for one in PSDImage.open(tmp_path / "cut.psd")] == ["BG", "BOOK"]
    assert steps(read_picture(tmp_path / "cut.psd").pixels, painted(1).pixels) < 0.01


def test_metadata_stands_in_the_file(layers: list[Layer], tmp_path: Path) -> None:
    write_layered(layers, tmp_path / "cut.psd", xmp=b"<x:xmpmeta/>")

    assert read_metadata(tmp_path / "cut.psd").xmp == b"<x:xmpmeta/>"


def test_what_a_psd_cannot_hold_is_refused(tmp_path: Path) -> None:
    wide = Layer(name="PAN", picture=Picture(pixels=np.zeros((1, 30_001, 3), np.float32)))
    with pytest.raises(StorageError, match="30001 x 1"):
        write_layered([wide], tmp_path / "cut.psd")
    with pytest.raises(ValueError, match="another size"):
        write_layered([wide, Layer(name="BG", picture=painted(1))], tmp_path / "cut.psd")
    with pytest.raises(StorageUnavailable, match="cannot be written"):
        write_layered([Layer(name="BG", picture=painted(1))], tmp_path / "no" / "cut.psd")
    assert list(tmp_path.iterdir()) == []
