"""Layouts are read as they look, whatever program saved them."""

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from numpy.typing import NDArray
from PIL import Image
from psd_tools import PSDImage
from psd_tools.constants import ColorMode

from haikei.errors import ImageUnreadable
from haikei.images import Picture, read_picture, write_picture
from haikei.images.limits import Limits
from support.pictures import save_flat_psd

PATCH = np.array(
    [[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [[0.0, 0.0, 1.0], [0.5, 0.25, 0.75]]], dtype=np.float32
)


def save(path: Path, pixels: NDArray[np.float32], kind: str, **attributes: str | float) -> Path:
    """Save raw channel values as they are."""
    height, width, channels = pixels.shape
    spec = oiio.ImageSpec(width, height, channels, kind)
    spec.attribute("oiio:UnassociatedAlpha", 1)
    for name, value in attributes.items():
        spec.attribute(name.replace("__", ":"), value)
    output = oiio.ImageOutput.create(str(path))
    assert output is not None
    assert output.open(str(path), spec)
    assert output.write_image(np.ascontiguousarray(pixels))
    assert output.close()
    return path


@pytest.mark.parametrize(
    ("name", "kind", "step"),
    [
        ("a.png", "uint8", 1 / 255),
        ("a.png", "uint16", 1 / 65535),
        ("a.tif", "uint8", 1 / 255),
        ("a.tif", "uint16", 1 / 65535),
        ("a.tga", "uint8", 1 / 255),
    ],
)
def test_integer_files_are_srgb_and_read_exactly(
    tmp_path: Path, name: str, kind: str, step: float
) -> None:
    picture = read_picture(save(tmp_path / name, PATCH, kind))

    assert np.abs(picture.pixels - PATCH).max() <= step / 2 + 1e-6


def test_jpeg_is_read_within_its_loss(tmp_path: Path) -> None:
    flat = np.full((32, 32, 3), 0.6, dtype=np.float32)

    picture = read_picture(save(tmp_path / "a.jpg", flat, "uint8"))

    assert np.abs(picture.pixels - 0.6).max() < 0.02


def test_exr_is_scene_linear_unless_it_says_otherwise(tmp_path: Path) -> None:
    grey = np.full((4, 4, 3), 0.214041, dtype=np.float32)

    linear = read_picture(save(tmp_path / "linear.exr", grey, "half"))
    said = read_picture(
        save(tmp_path / "said.exr", grey, "half", oiio__ColorSpace="srgb_rec709_scene")
    )

    assert np.abs(linear.pixels - 0.5).max() < 1e-3  # sRGB curve, IEC 61966-2-1
    assert np.abs(said.pixels - 0.214041).max() < 1e-3


def test_acescg_is_converted_by_its_primaries(tmp_path: Path) -> None:
    red = np.zeros((4, 4, 3), dtype=np.float32)
    red[..., 0] = 0.25

    picture = read_picture(save(tmp_path / "aces.exr", red, "float", oiio__ColorSpace="ACEScg"))

    # AP1 red lies outside Rec.709: red rises above its own value, green and blue clip at 0.
    assert picture.pixels[0, 0, 0] > 0.6
    assert picture.pixels[0, 0, 1] == 0.0


def test_chromaticities_name_the_space_of_an_exr_that_says_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "ap1.exr"
    spec = oiio.ImageSpec(4, 4, 3, "float")
    ap1 = (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767)
    spec.attribute("chromaticities", "float[8]", ap1)
    red = np.zeros((4, 4, 3), dtype=np.float32)
    red[..., 0] = 0.25
    output = oiio.ImageOutput.create(str(path))
    assert output is not None
    assert output.open(str(path), spec)
    assert output.write_image(red)
    assert output.close()
    named = save(tmp_path / "named.exr", red, "float", oiio__ColorSpace="ACEScg")

    assert np.allclose(read_picture(path).pixels, read_picture(named).pixels, atol=1e-4)


def test_display_p3_profiles_are_converted(tmp_path: Path) -> None:
    path = tmp_path / "p3.png"
    spec = oiio.ImageSpec(4, 4, 3, "uint8")
    spec.attribute("oiio:ColorSpace", "srgb_p3d65_scene")
    output = oiio.ImageOutput.create(str(path))
    assert output is not None
    assert output.open(str(path), spec)
    assert output.write_image(np.full((4, 4, 3), (0.2, 0.8, 0.2), dtype=np.float32))
    assert output.close()

    picture = read_picture(path)

    # The same green is further out in Rec.709 than in P3.
    assert picture.pixels[0, 0, 1] > 0.8
    assert picture.pixels[0, 0, 0] < 0.2


def test_an_unknown_colour_space_is_refused_by_name(tmp_path: Path) -> None:
    path = save(tmp_path / "a.exr", PATCH, "half", colorInteropID="lin_studio_2009")

    with pytest.raises(ImageUnreadable, match="lin_studio_2009"):
        read_picture(path)


def test_transparent_paper_is_white(tmp_path: Path) -> None:
    pixels = np.zeros((2, 2, 4), dtype=np.float32)
    pixels[0, 0] = (0.0, 0.0, 0.0, 1.0)
    pixels[0, 1] = (1.0, 0.0, 0.0, 128 / 255)
    for name in ("a.png", "a.tga", "a.tif"):
        picture = read_picture(save(tmp_path / name, pixels, "uint8"))

        assert picture.pixels[0, 0].tolist() == [0.0, 0.0, 0.0]
        assert picture.pixels[1, 1].tolist() == [1.0, 1.0, 1.0]
        assert np.allclose(picture.pixels[0, 1], (1.0, 127 / 255, 127 / 255), atol=0.005)


def test_alpha_in_an_exr_is_premultiplied_and_composed_in_light(tmp_path: Path) -> None:
    pixels = np.full((2, 2, 4), (0.0, 0.0, 0.0, 0.5), dtype=np.float32)
    path = tmp_path / "a.exr"
    spec = oiio.ImageSpec(2, 2, 4, "half")
    output = oiio.ImageOutput.create(str(path))
    assert output is not None
    assert output.open(str(path), spec)
    assert output.write_image(pixels)
    assert output.close()

    picture = read_picture(path)

    assert np.allclose(picture.pixels, 0.7354, atol=1e-3)  # half the light, sRGB-encoded


def test_an_exr_fills_its_display_window_with_paper(tmp_path: Path) -> None:
    path = tmp_path / "window.exr"
    spec = oiio.ImageSpec(2, 2, 3, "half")
    spec.x, spec.y = 3, -1
    spec.full_width, spec.full_height = 4, 3
    output = oiio.ImageOutput.create(str(path))
    assert output is not None
    assert output.open(str(path), spec)
    assert output.write_image(np.zeros((2, 2, 3), dtype=np.float32))
    assert output.close()

    picture = read_picture(path)

    assert (picture.width, picture.height) == (4, 3)
    dark = np.argwhere(picture.pixels[..., 0] < 0.5)
    assert dark.tolist() == [[0, 3]]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16"])
def test_grey_and_palette_files_become_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.png"
    grey = Image.new("L", (8, 6), 255)
    grey.paste(0, (0, 0, 4, 6))
    if mode == "I;16":
        Image.fromarray(np.asarray(grey).astype(np.uint16) * 257).save(path)
    else:
        grey.convert(mode).save(path)

    picture = read_picture(path)

    assert picture.pixels.shape == (6, 8, 3)
    assert picture.pixels[2, 1].tolist() == [0.0, 0.0, 0.0]
    assert picture.pixels[2, 6].tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_marks_are_applied(tmp_path: Path, orientation: int) -> None:
    upright = np.zeros((16, 24, 3), dtype=np.float32)
    upright[:8, :8] = (1.0, 0.0, 0.0)
    upright[8:, 16:] = (0.0, 0.0, 1.0)
    rows = {1: 1, 2: 1, 3: -1, 4: -1, 5: 1, 6: 1, 7: -1, 8: -1}[orientation]
    columns = {1: 1, 2: -1, 3: -1, 4: 1, 5: 1, 6: -1, 7: -1, 8: 1}[orientation]
    stored = upright[::rows, ::columns]
    if orientation >= 5:
        stored = stored.transpose(1, 0, 2)

    picture = read_picture(
        save(tmp_path / "a.tif", np.ascontiguousarray(stored), "uint8", Orientation=orientation)
    )

    assert np.array_equal(picture.pixels, upright)


def layered(path: Path, **options: str) -> Path:
    document = PSDImage.new("RGB", (40, 30), color=255)
    drawing = Image.new("RGBA", (40, 30), (0, 0, 0, 0))
    drawing.paste((0, 0, 0, 255), (5, 5, 15, 25))
    document.append(document.create_pixel_layer(drawing, name="line"))
    document.save(path)
    return path


def test_a_layered_psd_gives_its_composite(tmp_path: Path) -> None:
    flat = Image.new("RGB", (40, 30), (255, 255, 255))
    flat.paste((10, 20, 30), (5, 5, 15, 25))
    document = PSDImage.frompil(flat)
    document.save(tmp_path / "a.psd")

    picture = read_picture(tmp_path / "a.psd")

    assert np.allclose(picture.pixels[10, 10] * 255, (10, 20, 30), atol=0.5)
    assert picture.pixels[0, 0].tolist() == [1.0, 1.0, 1.0]


def test_a_psd_of_sixteen_bits_gives_its_composite(tmp_path: Path) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (30, 40, 3), dtype=np.uint8)

    picture = read_picture(save_flat_psd(pixels, tmp_path / "a.psd", bits=16))

    assert np.array_equal(np.rint(picture.pixels * 255).astype(np.uint8), pixels)


def test_a_psd_of_layers_without_ground_stands_on_white_paper(tmp_path: Path) -> None:
    layer = Image.new("RGBA", (40, 30), (0, 0, 0, 0))
    layer.paste((200, 120, 40, 128), (5, 5, 15, 25))
    document = PSDImage.new("RGBA", (40, 30))
    document.append(document.create_pixel_layer(layer, name="paint"))
    record = document._record  # pyright: ignore[reportPrivateUsage]
    section = record.layer_and_mask_information.layer_info
    assert section is not None
    # As Photoshop stores it: below zero, the count says that the last channel is transparency,
    # and the composite's colours are laid on white.
    section.layer_count = -1
    on_white = Image.alpha_composite(Image.new("RGBA", (40, 30), "white"), layer).split()[:3]
    planes = [plane.tobytes() for plane in (*on_white, layer.getchannel("A"))]
    record.image_data.set_data(planes, record.header)
    with (tmp_path / "a.psd").open("wb") as file:
        record.write(file)

    picture = read_picture(tmp_path / "a.psd")

    assert picture.pixels[0, 0].tolist() == [1.0, 1.0, 1.0]
    assert np.allclose(picture.pixels[10, 10] * 255, (227, 187, 147), atol=1)


@pytest.mark.parametrize(
    ("mode", "channels", "name"),
    [
        (ColorMode.CMYK, 4, "CMYK"),
        (ColorMode.LAB, 3, "Lab"),
        (ColorMode.MULTICHANNEL, 3, "Multichannel"),
        (ColorMode.DUOTONE, 1, "Duotone"),
    ],
)
def test_a_psd_in_inks_is_refused_with_advice(
    tmp_path: Path, mode: ColorMode, channels: int, name: str
) -> None:
    pixels = np.full((30, 40, channels), 120, np.uint8)

    with pytest.raises(ImageUnreadable, match=f"a.psd is in {name} mode") as caught:
        read_picture(save_flat_psd(pixels, tmp_path / "a.psd", mode=mode))

    assert "Convert it to RGB" in (caught.value.advice or "")


@pytest.mark.parametrize("name", ["a.jpg", "a.tif"])
def test_other_files_in_inks_are_refused_as_well(tmp_path: Path, name: str) -> None:
    Image.new("CMYK", (40, 30), (10, 80, 120, 0)).save(tmp_path / name)

    with pytest.raises(ImageUnreadable, match=f"{name} is in CMYK mode"):
        read_picture(tmp_path / name)


def test_a_psd_without_its_composite_is_refused_with_advice(tmp_path: Path) -> None:
    from psd_tools.constants import Resource
    from psd_tools.psd.image_resources import ImageResource, VersionInfo

    document = PSDImage.open(layered(tmp_path / "a.psd"))
    document.image_resources[Resource.VERSION_INFO] = ImageResource(
        key=Resource.VERSION_INFO.value,
        data=VersionInfo(
            version=1, has_composite=False, writer="w", reader="r", file_version=1
        ).tobytes(),
    )
    document.save(tmp_path / "b.psd")

    with pytest.raises(ImageUnreadable, match="Maximize Compatibility"):
        read_picture(tmp_path / "b.psd")


@pytest.mark.parametrize("ending", ["png", "tif", "jpg", "tga", "exr", "psd"])
@pytest.mark.parametrize("kept", [0.0, 0.02, 0.4, 0.9])
def test_truncated_files_are_refused(tmp_path: Path, ending: str, kept: float) -> None:
    noise = np.random.default_rng(1).random((60, 80, 3)).astype(np.float32)
    path = tmp_path / f"a.{ending}"
    if ending == "psd":
        PSDImage.frompil(Image.fromarray((noise * 255).astype(np.uint8))).save(path)
    else:
        save(path, noise, "half" if ending == "exr" else "uint8")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])

    with pytest.raises(ImageUnreadable) as caught:
        read_picture(path)

    assert path.name in caught.value.message
    assert caught.value.advice


def test_files_damaged_at_random_are_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    generator = np.random.default_rng(7)
    noise = generator.random((24, 32, 3)).astype(np.float32)
    for ending in ("png", "tif", "tga", "jpg", "exr", "psd"):
        path = tmp_path / f"a.{ending}"
        if ending == "psd":
            PSDImage.frompil(Image.fromarray((noise * 255).astype(np.uint8))).save(path)
        else:
            save(path, noise, "half" if ending == "exr" else "uint8")
        whole = np.frombuffer(path.read_bytes(), dtype=np.uint8)
        for _ in range(40):
            damaged = whole.copy()
            places = generator.integers(0, min(len(whole), 400), size=6)
            damaged[places] = generator.integers(0, 256, size=6, dtype=np.uint8)
            path.write_bytes(damaged.tobytes())
            try:
                picture = read_picture(path, limits=Limits(mib=64))
            except ImageUnreadable as error:
                assert error.advice  # noqa: PT017 - either outcome is right, others are not
            else:
                assert np.isfinite(picture.pixels).all()


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("hello", encoding="utf-8")
    disguised = tmp_path / "notes.png"
    disguised.write_text("hello", encoding="utf-8")
    jpeg = save(tmp_path / "a.jpg", PATCH, "uint8")
    renamed = tmp_path / "b.png"
    renamed.write_bytes(jpeg.read_bytes())

    for path in (text, disguised, renamed, tmp_path / "missing.png"):
        with pytest.raises(ImageUnreadable):
            read_picture(path)


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageUnreadable, match="UTF-8"):
        read_picture(tmp_path / "cut\udc8c.png")


def test_japanese_names_are_read(tmp_path: Path) -> None:
    path = save(tmp_path / "原図_港町.png", PATCH, "uint8")

    assert read_picture(path).width == 2


def test_pictures_larger_than_allowed_are_refused(tmp_path: Path) -> None:
    blank = np.ones((800, 800, 3), dtype=np.float32)
    path = save(tmp_path / "a.png", blank, "uint8")

    with pytest.raises(ImageUnreadable, match=r"max_mib|limit"):
        read_picture(path, limits=Limits(mib=1))

    assert read_picture(path, limits=Limits(mib=19)).width == 800


def test_not_a_number_becomes_a_number(tmp_path: Path) -> None:
    pixels = PATCH.copy()
    pixels[0, 0] = np.nan
    pixels[1, 1] = np.inf

    picture = read_picture(save(tmp_path / "a.exr", pixels, "float"))

    assert np.isfinite(picture.pixels).all()


def test_a_picture_without_colour_channels_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "depth.exr"
    spec = oiio.ImageSpec(2, 2, 1, "float")
    spec.channelnames = ("Z",)
    spec.z_channel = 0
    output = oiio.ImageOutput.create(str(path))
    assert output is not None
    assert output.open(str(path), spec)
    assert output.write_image(np.zeros((2, 2, 1), dtype=np.float32))
    assert output.close()

    with pytest.raises(ImageUnreadable, match="no colour"):
        read_picture(path)


def test_the_hash_of_pixels_survives_a_file(tmp_path: Path) -> None:
    noise = Picture(pixels=np.random.default_rng(3).random((20, 30, 3)).astype(np.float32))

    for name in ("a.png", "a.tif"):
        write_picture(noise, tmp_path / name)

        assert read_picture(tmp_path / name).sha256() == noise.sha256()
