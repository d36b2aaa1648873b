"""Thumbnails look like their pictures, whatever size and format these have."""

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from haikei.errors import ImageUnreadable
from haikei.sgserver.media.media_store import MediaStore, Rendition
from haikei.sgserver.media.thumbnails import can_show, make_renditions
from support.sites import write_image


def _keep(media: MediaStore, source: Path) -> None:
    with media.receive() as arrival:
        arrival.write(source.read_bytes())
        media.keep(arrival.finish(), 7)


def _pixels(path: Path) -> np.ndarray:
    pixels = oiio.ImageBuf(str(path)).get_pixels("float")
    assert pixels is not None
    return np.asarray(pixels)


@pytest.fixture
def media(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "attachments", limit=10**9, reserve=0)


@pytest.mark.parametrize(
    ("width", "height", "thumbnail", "review"),
    [
        (2401, 1351, (480, 270), (1920, 1080)),
        (1280, 720, (480, 270), (1280, 720)),
        (300, 1200, (120, 480), (300, 1200)),
        (5000, 1, (480, 1), (1920, 1)),
        (64, 48, (64, 48), (64, 48)),
    ],
)
def test_both_pictures_have_their_size_and_look(
    media: MediaStore,
    tmp_path: Path,
    width: int,
    height: int,
    thumbnail: tuple[int, int],
    review: tuple[int, int],
) -> None:
    source = write_image(tmp_path / "large.png", width=width, height=height)
    _keep(media, source)

    make_renditions(media, 7, "large.png")

    for rendition, size in ((Rendition.THUMBNAIL, thumbnail), (Rendition.REVIEW, review)):
        pixels = _pixels(media.rendition(7, rendition))
        assert pixels.shape[1::-1] == size
        assert np.abs(pixels.mean((0, 1)) - _pixels(source).mean((0, 1))).max() < 0.02
        assert pixels[:, 0].mean() < pixels[:, -1].mean()
    assert list((media.folder / "incoming").iterdir()) == []


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "tga", "exr"])
def test_every_format_of_a_layout_can_be_shown(
    media: MediaStore, tmp_path: Path, ending: str
) -> None:
    _keep(media, write_image(tmp_path / f"picture.{ending}"))

    make_renditions(media, 7, f"picture.{ending.upper()}")

    assert media.rendition(7, Rendition.THUMBNAIL).exists()
    assert can_show(f"a.{ending}")


def test_what_is_no_picture_makes_none(media: MediaStore, tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_bytes(b"words" * 100)
    _keep(media, words)

    for name in ("words.png", "words.txt", "words"):
        with pytest.raises(ImageUnreadable):
            make_renditions(media, 7, name)
    with pytest.raises(ImageUnreadable, match="no bytes"):
        make_renditions(media, 8, "gone.png")
    assert not media.rendition(7, Rendition.THUMBNAIL).exists()
    assert not can_show("movie.mov")
