"""What a program did to a picture that was only saved anew is credited to nobody."""

import unicodedata
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from haikei.errors import NothingPainted, ParentUnknown
from haikei.images import Picture, read_picture, write_picture
from haikei.jobs import TouchUpOrder
from haikei.jobs.touchup import TakenIn, take_in
from support.jobs import SAKURA, JobStudio, file_of, job_studios, make_background, version_of

Pixels = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobStudio]:
    with ExitStack() as stack:
        studio = job_studios(stack, tmp_path_factory.mktemp("studio"))()
        make_background(studio).add_person(SAKURA, "sakura")
        yield studio


def background(studio: JobStudio) -> Pixels:
    return read_picture(file_of(studio, version_of(studio, 1))).pixels


def hand_in(studio: JobStudio, pixels: Pixels, name: str, *, quality: int = 0) -> TakenIn:
    path = studio.settings.studio.state.parent / name
    if quality:
        bgr = cv2.cvtColor(np.rint(pixels * 255).astype(np.uint8), cv2.COLOR_RGB2BGR)
        _, content = cv2.imencode(path.suffix, bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
        path.write_bytes(content.tobytes())
    else:
        write_picture(Picture(pixels=np.ascontiguousarray(pixels, np.float32)), path, bits=8)
    order = TouchUpOrder(file=path, of="c001_bg_summer_day_v001", artists=(SAKURA,))
    return take_in(order, studio.tools)


def again_as_jpeg(pixels: Pixels, quality: int) -> Pixels:
    codes = cv2.cvtColor(np.rint(pixels * 255).astype(np.uint8), cv2.COLOR_RGB2BGR)
    _, made = cv2.imencode(".jpg", codes, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(made, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.float32) / np.float32(255)


def at_half_size(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.resize(pixels, (120, 80), interpolation=cv2.INTER_AREA), np.float32)


def one_pixel(pixels: Pixels) -> Pixels:
    changed = pixels.copy()
    changed[50, 50] = 1 - changed[50, 50]
    return changed


def dust(pixels: Pixels) -> Pixels:
    changed = pixels.copy()
    changed[80:83, 80:83] = 0
    return changed


def in_colours(pixels: Pixels, method: Image.Quantize, dither: Image.Dither) -> Pixels:
    shown = Image.fromarray(np.rint(pixels * 255).astype(np.uint8))
    palette = shown.quantize(256, method=method)
    made = shown.quantize(palette=palette, dither=dither).convert("RGB")
    return np.asarray(made, np.float32) / np.float32(255)


SAVINGS: dict[str, Callable[[Pixels], Pixels]] = {
    "as JPEG of quality 30, and then as PNG": lambda pixels: again_as_jpeg(pixels, 30),
    "as JPEG of quality 60, and then as PNG": lambda pixels: again_as_jpeg(pixels, 60),
    "mirrored": lambda pixels: pixels[:, ::-1],
    "turned upside down": lambda pixels: pixels[::-1, ::-1],
    "cropped on all sides": lambda pixels: pixels[8:-8, 12:-12],
    "cropped on one side": lambda pixels: pixels[:, :-6],
    "with a border": lambda pixels: np.pad(pixels, ((4, 4), (4, 4), (0, 0))),
    "mirrored, with a border": lambda pixels: np.pad(pixels[:, ::-1], ((0, 0), (0, 9), (0, 0))),
    "with one other pixel": one_pixel,
    "with a speck of dust": dust,
    "at half size": at_half_size,
    "in 256 colours": lambda pixels: in_colours(
        pixels, Image.Quantize.MEDIANCUT, Image.Dither.NONE
    ),
    "in 256 colours, dithered": lambda pixels: in_colours(
        pixels, Image.Quantize.MEDIANCUT, Image.Dither.FLOYDSTEINBERG
    ),
    "in 256 colours of an octree, dithered": lambda pixels: in_colours(
        pixels, Image.Quantize.FASTOCTREE, Image.Dither.FLOYDSTEINBERG
    ),
}


@pytest.mark.parametrize("saving", SAVINGS)
def test_a_picture_that_was_only_saved_credits_nobody(studio: JobStudio, saving: str) -> None:
    pixels = SAVINGS[saving](background(studio))
    with pytest.raises(NothingPainted, match="nobody is credited"):
        hand_in(studio, pixels, f"{list(SAVINGS).index(saving)}.png")


@pytest.mark.parametrize("quality", [20, 45, 60, 90])
def test_no_quality_of_jpeg_is_taken_for_painting(studio: JobStudio, quality: int) -> None:
    with pytest.raises(NothingPainted, match="nobody is credited"):
        hand_in(studio, background(studio), f"q{quality}.jpg", quality=quality)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_no_spelling_of_a_name_makes_a_copy_a_painting(studio: JobStudio, form: str) -> None:
    name = unicodedata.normalize(form, f"ガラス-{form}.png")  # type: ignore[arg-type]
    with pytest.raises(NothingPainted, match="nobody is credited"):
        hand_in(studio, background(studio), name)


@pytest.mark.parametrize(
    ("saving", "words"),
    [
        ("as JPEG of quality 30, and then as PNG", "as JPEG of about quality 30"),
        ("mirrored", "mirrored"),
        ("with a border", "with a border"),
    ],
)
def test_what_was_painted_before_such_a_saving_is_measured_without_it(
    studio: JobStudio, saving: str, words: str
) -> None:
    pixels = background(studio).copy()
    # Elsewhere each time: what another test has handed in already is no painting any more.
    left = 20 + 70 * [*SAVINGS].index(saving) % 140
    pixels[40:80, left : left + 60] = (0.9, 0.2, len(saving) / 50)
    painted = 40 * 60 / (160 * 240)

    done = hand_in(studio, SAVINGS[saving](pixels), f"painted {saving}.png")

    assert painted * 0.7 < done.change.area_ppm / 1e6 < painted * 1.6
    (part,) = done.background.final.contributions
    assert words in part.evidence.note


def test_a_stroke_on_a_picture_in_few_dithered_colours_is_measured(studio: JobStudio) -> None:
    pixels = background(studio).copy()
    pixels[100:130, 20:80] = (0.1, 0.3, 0.9)
    painted = 30 * 60 / (160 * 240)

    done = hand_in(studio, SAVINGS["in 256 colours, dithered"](pixels), "stroke.png")

    assert painted * 0.7 < done.change.area_ppm / 1e6 < painted * 1.3


def test_another_drawing_is_not_explained_by_any_saving(studio: JobStudio) -> None:
    other = np.random.default_rng(5).uniform(0, 1, (16, 24, 3)).astype(np.float32)
    pixels = np.repeat(np.repeat(other, 10, axis=0), 10, axis=1)
    with pytest.raises(ParentUnknown, match="does not show what"):
        hand_in(studio, pixels, "other.png")
