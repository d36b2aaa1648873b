"""Pictures are written whole, in the colours that their format means."""

import re
import time
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from haikei.errors import StorageError, StorageUnavailable
from haikei.images import Padding, Picture, read_picture, resize, write_picture, write_review


@pytest.fixture
def picture() -> Picture:
    across = np.linspace(0.0, 1.0, 96, dtype=np.float32)
    down = np.linspace(0.0, 1.0, 54, dtype=np.float32)
    pixels = np.stack(
        [np.tile(across, (54, 1)), np.tile(down[:, None], (1, 96)), np.full((54, 96), 0.4)], axis=2
    )
    return Picture(pixels=pixels.astype(np.float32))


def header(path: Path) -> oiio.ImageSpec:
    image = oiio.ImageInput.open(str(path))
    assert image is not None
    return image.spec()


@pytest.mark.parametrize(
    ("name", "bits", "kind", "tolerance"),
    [
        ("a.png", 8, "uint8", 1 / 500),
        ("a.png", 16, "uint16", 1 / 130000),
        ("a.tif", 8, "uint8", 1 / 500),
        ("a.tiff", 16, "uint16", 1 / 130000),
        ("a.exr", 16, "half", 1e-3),
        ("a.jpg", 8, "uint8", 0.05),
    ],
)
def test_what_is_written_is_read_again(
    tmp_path: Path, picture: Picture, *, name: str, bits: int, kind: str, tolerance: float
) -> None:
    path = tmp_path / name

    write_picture(picture, path, bits=8 if bits == 8 else 16)

    assert str(header(path).format) == kind
    assert np.abs(read_picture(path).pixels - picture.pixels).max() <= tolerance


def test_exr_holds_linear_light_and_says_so(tmp_path: Path) -> None:
    grey = Picture(pixels=np.full((4, 4, 3), 0.5, dtype=np.float32))
    path = tmp_path / "a.exr"

    write_picture(grey, path)

    image = oiio.ImageInput.open(str(path))
    assert image is not None
    stored = image.read_image("float")
    assert stored is not None
    assert np.allclose(stored, 0.2140, atol=1e-3)
    assert "lin_rec709" in image.spec().get_string_attribute("oiio:ColorSpace")


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.exr"])
def test_text_is_embedded(tmp_path: Path, picture: Picture, name: str) -> None:
    record = '{"layout":"原図","seed":7}'

    write_picture(
        picture, tmp_path / name, attributes={"ImageDescription": record, "Software": "Haikei 1"}
    )

    spec = header(tmp_path / name)
    assert spec.get_string_attribute("ImageDescription") == record
    assert spec.get_string_attribute("Software") == "Haikei 1"


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.exr", "a.jpg"])
def test_the_same_picture_makes_the_same_bytes_at_any_time(
    tmp_path: Path, picture: Picture, name: str
) -> None:
    write_picture(picture, tmp_path / name)
    first = (tmp_path / name).read_bytes()

    write_picture(picture, tmp_path / name)

    assert (tmp_path / name).read_bytes() == first
    assert not re.search(rb"20\d\d:\d\d:\d\d", first), time.strftime("%Y:%m:%d")


def test_unknown_endings_are_refused(tmp_path: Path, picture: Picture) -> None:
    for name in ("a.psd", "a.webp", "a"):
        with pytest.raises(StorageError, match="not written"):
            write_picture(picture, tmp_path / name)
    with pytest.raises(StorageError, match="review"):
        write_review(picture, tmp_path / "a.exr", longest=10)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.exr", "a.jpg"])
def test_a_full_disk_is_said_and_may_pass(tmp_path: Path, picture: Picture, name: str) -> None:
    (tmp_path / name).symlink_to("/dev/full")

    with pytest.raises(StorageUnavailable, match="No space left") as caught:
        write_picture(picture, tmp_path / name)

    assert caught.value.transient


def test_a_missing_folder_is_said(tmp_path: Path, picture: Picture) -> None:
    with pytest.raises(StorageUnavailable, match="No such file"):
        write_picture(picture, tmp_path / "gone" / "a.png")


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_a_review_fits_its_longest_side(tmp_path: Path, picture: Picture, name: str) -> None:
    write_review(picture, tmp_path / name, longest=48)

    spec = header(tmp_path / name)
    assert (spec.width, spec.height) == (48, 27)
    assert str(spec.format) == "uint8"


def test_a_review_is_never_enlarged(tmp_path: Path, picture: Picture) -> None:
    write_review(picture, tmp_path / "a.png", longest=4000)

    assert header(tmp_path / "a.png").width == 96


def test_resizing_keeps_flat_colour_and_stays_in_range(picture: Picture) -> None:
    flat = Picture(pixels=np.full((30, 40, 3), 0.3, dtype=np.float32))

    assert np.allclose(resize(flat, 17, 55).pixels, 0.3, atol=1e-4)
    larger = resize(picture, 200, 100)
    assert (larger.width, larger.height) == (200, 100)
    assert larger.pixels.min() >= 0.0
    assert larger.pixels.max() <= 1.0
    assert resize(picture, 96, 54) is picture
    with pytest.raises(ValueError, match="0 x 5"):
        resize(picture, 0, 5)


def test_padding_is_cropped_to_the_very_same_pixels(picture: Picture) -> None:
    padding = Padding.to_multiple(picture, 64)

    padded = padding.pad(picture)

    assert (padded.width, padded.height) == (128, 64)
    assert np.array_equal(padded.pixels[:54, 100], picture.pixels[:, -1])
    assert np.array_equal(padded.pixels[60, :96], picture.pixels[-1])
    assert padding.crop(padded).sha256() == picture.sha256()


def test_a_size_that_fits_needs_no_padding() -> None:
    picture = Picture(pixels=np.zeros((64, 128, 3), dtype=np.float32))

    padding = Padding.to_multiple(picture, 64)

    assert padding.pad(picture) is picture
    assert padding.crop(picture) is picture
