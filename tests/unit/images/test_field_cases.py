"""Files as programs and phones really store them, each with the value that artists see."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from haikei.errors import ImageUnreadable
from haikei.images import Inspector, decode_picture, read_picture
from support.imagefiles import (
    ADOBE,
    P3,
    PROPHOTO,
    SRGB,
    Bytes8,
    drawing,
    icc_of,
    png_file,
    psd_file,
    tga_file,
    tiff_file,
)

ORANGE, MIDDLE, PAPER = (210, 40), (250, 120), (5, 300)
SHEET = drawing()
BLACK = np.zeros_like(SHEET)
COVER = (255 - SHEET.mean(axis=2)).astype(np.uint8)
COVER[100:130, 200:460] = 128
HALF = (110, 300)
ADVICE_LIMIT = 300


def seen(path: Path, place: tuple[int, int]) -> list[int]:
    """Return what a person sees at a place, in 255."""
    pixels: NDArray[np.float32] = decode_picture(path).picture.pixels
    return [round(float(value) * 255) for value in pixels[place]]


def near(found: list[int], right: tuple[int, int, int], step: int = 1) -> bool:
    return all(abs(a - b) <= step for a, b in zip(found, right, strict=True))


def jpeg(pixels: Bytes8, **more: object) -> bytes:
    memory = io.BytesIO()
    Image.fromarray(pixels).save(memory, "JPEG", quality=92, subsampling=0, **more)
    return memory.getvalue()


def refusal(path: Path) -> ImageUnreadable:
    with pytest.raises(ImageUnreadable) as caught:
        decode_picture(path)
    assert path.name in caught.value.message
    assert caught.value.advice
    assert len(str(caught.value)) < ADVICE_LIMIT
    assert "\n" not in str(caught.value)
    return caught.value


# --- transparency


@pytest.mark.parametrize(
    "profile",
    [
        None,
        icc_of("Display P3", P3, gamma=2.2),
        icc_of("Adobe RGB (1998)", ADOBE, gamma=2.19921875),
        icc_of("linear", SRGB, gamma=1.0),
    ],
    ids=["untagged", "Display P3", "Adobe RGB", "linear"],
)
def test_half_covered_black_is_the_same_grey_whatever_the_profile(
    tmp_path: Path, profile: bytes | None
) -> None:
    soft = np.dstack([BLACK, COVER])
    png = png_file(tmp_path / "a.png", soft, profile=profile)
    tif = tiff_file(tmp_path / "a.tif", soft, profile=profile, extra=2)
    psd = psd_file(
        tmp_path / "a.psd",
        [*[255 - COVER] * 3, COVER],
        profile=profile,
        layer=[*[np.zeros_like(COVER)] * 3, COVER],
        transparency=True,
    )

    for path in (png, tif, psd):
        assert seen(path, HALF) == [127, 127, 127], path.name
        assert seen(path, PAPER) == [255, 255, 255]


def test_a_merged_picture_that_is_not_blended_with_white_is_taken_as_it_is(tmp_path: Path) -> None:
    orange = [np.full_like(COVER, value) for value in (230, 160, 40)]
    for name, paint in (("black", [np.zeros_like(COVER)] * 3), ("orange", orange)):
        path = psd_file(
            tmp_path / f"{name}.psd", [*paint, COVER], layer=[*paint, COVER], transparency=True
        )
        share = 128 / 255
        right = tuple(round(int(one[0, 0]) * share + 255 * (1 - share)) for one in paint)

        assert near(seen(path, HALF), (right[0], right[1], right[2]))


def test_a_saved_selection_of_a_photoshop_file_is_no_transparency(tmp_path: Path) -> None:
    planes = [SHEET[..., 0], SHEET[..., 1], SHEET[..., 2], np.zeros_like(COVER)]
    path = psd_file(tmp_path / "a.psd", planes, layer=[*planes[:3], np.full_like(COVER, 255)])

    assert seen(path, ORANGE) == [230, 160, 40]


def test_a_channel_of_a_tiff_that_is_no_alpha_is_left_out(tmp_path: Path) -> None:
    path = tiff_file(tmp_path / "a.tif", np.dstack([SHEET, COVER]), extra=0)

    assert seen(path, ORANGE) == [230, 160, 40]


@pytest.mark.parametrize("fourth", [0, 128])
def test_a_targa_file_without_alpha_bits_is_opaque(tmp_path: Path, fourth: int) -> None:
    path = tga_file(
        tmp_path / "a.tga", np.dstack([SHEET, np.full_like(COVER, fourth)]), alpha_bits=0
    )

    assert seen(path, ORANGE) == [230, 160, 40]


def test_a_targa_file_whose_alpha_is_empty_shows_its_colours(tmp_path: Path) -> None:
    path = tga_file(tmp_path / "a.tga", np.dstack([SHEET, np.zeros_like(COVER)]), alpha_bits=8)

    assert seen(path, ORANGE) == [230, 160, 40]


@pytest.mark.parametrize(("attributes", "right"), [(0, 0), (2, 0), (3, 127), (4, 127)])
def test_a_targa_file_says_what_its_alpha_is_for(
    tmp_path: Path, attributes: int, right: int
) -> None:
    path = tga_file(
        tmp_path / "a.tga", np.dstack([BLACK, COVER]), alpha_bits=8, attributes=attributes
    )

    assert seen(path, HALF) == [right] * 3


def test_grey_targa_files_with_alpha_are_lines_on_paper(tmp_path: Path) -> None:
    path = tga_file(tmp_path / "a.tga", np.dstack([BLACK[..., 0], COVER]), alpha_bits=8)

    assert seen(path, HALF) == [127, 127, 127]
    assert seen(path, PAPER) == [255, 255, 255]


# --- colour


@pytest.mark.parametrize(
    ("profile", "orange", "middle"),
    [
        (icc_of("sRGB-elle-V2-g10.icc", SRGB, gamma=1.0), (244, 208, 110), 188),
        (icc_of("ProPhoto RGB", PROPHOTO, gamma=1.8), (255, 158, 0), 146),
        (icc_of("Generic RGB Profile", SRGB, gamma=1.8), (235, 176, 53), 146),
    ],
    ids=["linear", "ProPhoto", "gamma 1.8"],
)
def test_profiles_convert_by_what_they_hold(
    tmp_path: Path, profile: bytes, orange: tuple[int, int, int], middle: int
) -> None:
    deep = SHEET.astype(np.uint16) * 257
    files = [
        png_file(tmp_path / "a.png", SHEET, profile=profile),
        png_file(tmp_path / "b.png", deep, profile=profile),
        tiff_file(tmp_path / "a.tif", SHEET, profile=profile),
        psd_file(tmp_path / "a.psd", list(np.moveaxis(SHEET, 2, 0)), profile=profile),
    ]

    for path in files:
        assert near(seen(path, ORANGE), orange), path.name
        assert near(seen(path, MIDDLE), (middle, middle, middle)), path.name


def test_what_a_png_says_beside_profiles_counts_in_the_standards_order(tmp_path: Path) -> None:
    def chunks(*named: tuple[bytes, bytes]) -> list[int]:
        return seen(png_file(tmp_path / "a.png", SHEET, chunks=named), ORANGE)

    primaries = b"".join(
        struct.pack(">I", value)
        for value in (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
    )
    linear, usual = struct.pack(">I", 100000), struct.pack(">I", 45455)

    assert near(chunks((b"gAMA", linear)), (244, 208, 110))
    assert chunks((b"gAMA", usual), (b"cHRM", primaries)) == [230, 160, 40]
    assert chunks((b"sRGB", b"\0"), (b"gAMA", linear)) == [230, 160, 40]
    assert near(chunks((b"cICP", bytes([1, 8, 0, 1])), (b"sRGB", b"\0")), (244, 208, 110))
    assert chunks((b"cICP", bytes([1, 13, 0, 1])), (b"gAMA", linear)) == [230, 160, 40]
    assert chunks((b"cICP", bytes([12, 13, 0, 1])))[0] > 230  # Display P3 reaches further


@pytest.mark.parametrize("transfer", [16, 18])
def test_hdr_video_in_a_png_is_refused(tmp_path: Path, transfer: int) -> None:
    path = png_file(tmp_path / "a.png", SHEET, chunks=[(b"cICP", bytes([9, transfer, 0, 1]))])

    assert "HDR" in str(refusal(path))


@pytest.mark.parametrize(
    ("profile", "word"),
    [(b"no profile at all", "cannot be read"), (icc_of("grey", None, gamma=2.2), "is for grey")],
)
def test_a_profile_that_cannot_be_used_is_refused(
    tmp_path: Path, profile: bytes, word: str
) -> None:
    assert word in str(refusal(png_file(tmp_path / "a.png", SHEET, profile=profile)))


def test_a_profile_chunk_that_cannot_be_unpacked_is_refused(tmp_path: Path) -> None:
    refusal(png_file(tmp_path / "a.png", SHEET, chunks=[(b"iCCP", b"own\0\0garbage")]))


def test_a_gain_map_leaves_the_picture_alone(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    gain = jpeg(np.zeros((135, 240, 3), np.uint8))
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-'
        b'rdf-syntax-ns#"><rdf:Description xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" '
        b'hdrgm:Version="1.0" hdrgm:GainMapMin="0" hdrgm:GainMapMax="2" hdrgm:HDRCapacityMax="2"/>'
        b"</rdf:RDF></x:xmpmeta>"
    )
    body = b"http://ns.adobe.com/xap/1.0/\0" + xmp
    segment = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    gain = gain[:2] + segment + gain[2:]
    primary = jpeg(SHEET)
    primary = primary[:2] + segment + primary[2:]
    index_length = 8 + 2 + 36 + 4 + 32
    total = len(primary) + 4 + 4 + index_length
    index = b"MM\0*" + struct.pack(">IH", 8, 3)
    index += struct.pack(">HHI4s", 0xB000, 7, 4, b"0100")
    index += struct.pack(">HHII", 0xB001, 4, 1, 2)
    index += struct.pack(">HHIII", 0xB002, 7, 32, 50, 0)
    index += struct.pack(">IIIHH", 0x030000, total, 0, 0, 0)
    index += struct.pack(">IIIHH", 0, len(gain), total - 10, 0, 0)
    mpf = b"\xff\xe2" + struct.pack(">H", len(index) + 6) + b"MPF\0" + index
    path.write_bytes(primary[:2] + mpf + primary[2:] + gain)

    assert near(seen(path, ORANGE), (230, 160, 40), 3)
    assert near(seen(path, MIDDLE), (128, 128, 128), 2)


@pytest.mark.parametrize("photometric", [8, 9])
def test_a_tiff_in_lab_is_refused(tmp_path: Path, photometric: int) -> None:
    path = tiff_file(tmp_path / "a.tif", SHEET, photometric=photometric)

    assert "Lab mode" in refusal(path).message
    assert "RGB" in (refusal(path).advice or "")


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint32])
def test_a_tiff_in_which_white_is_zero_is_turned_over(tmp_path: Path, kind: type[np.uint8]) -> None:
    most = np.iinfo(kind).max
    grey = np.full((8, 8, 1), most // 5, kind)

    assert seen(tiff_file(tmp_path / "a.tif", grey, photometric=0), (4, 4)) == [204, 204, 204]


def test_a_tiff_of_light_in_which_white_is_zero_is_turned_over(tmp_path: Path) -> None:
    grey = np.full((8, 8, 1), 0.8, np.float32)

    # 0.2 in linear light, as IEC 61966-2-1 encodes it.
    assert seen(tiff_file(tmp_path / "a.tif", grey, photometric=0), (4, 4)) == [124, 124, 124]


def test_a_tiff_of_light_is_encoded_as_its_profile_says(tmp_path: Path) -> None:
    values = np.full((8, 8, 3), 0.5, np.float32)
    encoded = tiff_file(tmp_path / "a.tif", values, profile=icc_of("sRGB", SRGB, gamma=2.2))
    linear = tiff_file(tmp_path / "b.tif", values, profile=icc_of("linear", SRGB, gamma=1.0))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    assert near(seen(encoded, (4, 4)), (128, 128, 128), 2)
    assert seen(tiff_file(tmp_path / "c.tif", values, profile=srgb), (4, 4)) == [128, 128, 128]
    assert seen(linear, (4, 4)) == [188, 188, 188]
    assert seen(tiff_file(tmp_path / "d.tif", values), (4, 4)) == [188, 188, 188]


def test_numbers_below_zero_are_refused(tmp_path: Path) -> None:
    path = tiff_file(tmp_path / "a.tif", np.full((8, 8, 3), -7, np.int16))

    assert "int16" in refusal(path).message


def test_any_primaries_of_an_exr_are_converted(tmp_path: Path) -> None:
    spec = oiio.ImageSpec(4, 4, 3, "float")
    rec2020 = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290)
    spec.attribute("chromaticities", "float[8]", rec2020)
    output = oiio.ImageOutput.create("a.exr")
    assert output is not None
    output.open(str(tmp_path / "a.exr"), spec)
    output.write_image(np.full((4, 4, 3), (0.2, 0.6, 0.2), np.float32))
    output.close()

    # Source of the right value: the matrix of ITU-R BT.2087, then IEC 61966-2-1.
    assert near(seen(tmp_path / "a.exr", (2, 2)), (0, 211, 111))


# --- files that are more than one picture


def test_a_thumbnail_in_front_is_passed_over(tmp_path: Path) -> None:
    small = np.ascontiguousarray(SHEET[::6, ::6])
    path = tmp_path / "a.tif"
    tiff_file(path, small, more=[(SHEET, 0)])
    marked = tmp_path / "b.tif"
    tiff_file(marked, SHEET, more=[(np.ascontiguousarray(SHEET.repeat(2, 0)), 1)])

    assert decode_picture(path).picture.width == 480
    assert decode_picture(marked).picture.height == 270
    assert not decode_picture(marked).note


def test_a_thumbnail_alone_is_no_picture(tmp_path: Path) -> None:
    path = tiff_file(tmp_path / "a.tif", SHEET, subfile=1)

    assert "thumbnail" in refusal(path).message


@pytest.mark.parametrize(
    ("name", "head", "holds"),
    [
        ("a.jpg", b"\0\0\0\x18ftypheic", "HEIF"),
        ("a.jpg", b"\0\0\0\x18ftypavif", "AVIF"),
        ("a.png", b"RIFF\x40\0\0\0WEBPVP8 ", "WebP"),
        ("a.png", b"\xff\xd8\xff\xe0", "JPEG"),
        ("a.psd", b"II*\0", "TIFF"),
        ("a.tif", b"\x89PNG\r\n\x1a\n", "PNG"),
        ("a.exr", b"SDPX", "DPX"),
    ],
)
def test_a_file_that_holds_another_format_than_its_name_says_is_told_so(
    tmp_path: Path, name: str, head: bytes, holds: str
) -> None:
    path = tmp_path / name
    path.write_bytes(head + bytes(500))

    found = refusal(path)
    assert f"holds {holds}" in found.message
    assert "Save it as" in (found.advice or "")


def test_of_several_full_pages_the_first_is_read_and_that_is_said(tmp_path: Path) -> None:
    path = tiff_file(tmp_path / "a.tif", SHEET, more=[(BLACK, 0)])

    decoded = decode_picture(path)
    with Inspector() as inspector:
        (found,) = inspector.inspect([path])

    assert decoded.picture.pixels[PAPER].tolist() == [1.0, 1.0, 1.0]
    assert decoded.note == found.note == "a.tif holds 2 pages; page 1 is read."


def test_of_several_parts_of_an_exr_the_one_with_colours_is_read(tmp_path: Path) -> None:
    depth, colour = oiio.ImageSpec(4, 4, 1, "float"), oiio.ImageSpec(4, 4, 3, "half")
    depth.channelnames = ("Z",)
    depth.attribute("oiio:subimagename", "depth")
    colour.attribute("oiio:subimagename", "beauty")
    output = oiio.ImageOutput.create("a.exr")
    assert output is not None
    output.open(str(tmp_path / "a.exr"), (depth, colour))
    output.write_image(np.ones((4, 4, 1), np.float32))
    output.open(str(tmp_path / "a.exr"), colour, "AppendSubimage")
    output.write_image(np.zeros((4, 4, 3), np.float32))
    output.close()

    assert seen(tmp_path / "a.exr", (2, 2)) == [0, 0, 0]


# --- Photoshop without its merged picture


@pytest.mark.parametrize("paper", [255, 128, 0])
@pytest.mark.parametrize("large", [False, True])
def test_layers_under_a_blank_merged_picture_are_refused(
    tmp_path: Path, paper: int, large: bool
) -> None:
    blank = [np.full_like(COVER, paper)] * 3
    layer = [*[np.zeros_like(COVER)] * 3, COVER]
    name = "a.psb" if large else "a.psd"

    error = refusal(psd_file(tmp_path / name, blank, layer=layer, large=large))

    assert "Maximize Compatibility" in (error.advice or "")


def test_a_blank_sheet_with_an_empty_layer_is_a_blank_sheet(tmp_path: Path) -> None:
    white, clear = [np.full_like(COVER, 255)] * 3, [np.zeros_like(COVER)] * 4

    picture = decode_picture(psd_file(tmp_path / "a.psd", white, layer=clear)).picture

    assert (picture.pixels == 1.0).all()


def test_a_large_document_is_read(tmp_path: Path) -> None:
    path = psd_file(tmp_path / "a.psb", list(np.moveaxis(SHEET, 2, 0)), large=True)

    assert seen(path, ORANGE) == [230, 160, 40]


# --- files that other readers call damaged


def test_padding_between_the_segments_of_a_jpeg_does_no_harm(tmp_path: Path) -> None:
    whole = jpeg(SHEET)
    place = whole.index(b"\xff\xdb")
    path = tmp_path / "a.jpg"
    for padding in (b"\0" * 8, b"\xff" * 5, b"\0\xff\0"):
        path.write_bytes(whole[:place] + padding + whole[place:])

        assert near(seen(path, ORANGE), (230, 160, 40), 3)


@pytest.mark.parametrize("progressive", [False, True])
def test_damage_within_the_pixels_of_a_jpeg_is_found(tmp_path: Path, progressive: bool) -> None:
    whole = bytearray(jpeg(SHEET, progressive=progressive))
    middle = len(whole) // 2
    whole[middle : middle + 200] = bytes(200)
    path = tmp_path / "a.jpg"
    path.write_bytes(whole)
    end = tmp_path / "b.jpg"
    thumbnail = b"\xff\xe1\0\x06ab\xff\xd9"
    end.write_bytes(jpeg(SHEET)[:2] + thumbnail + jpeg(SHEET)[2:-400])

    refusal(path)
    refusal(end)


@pytest.mark.parametrize(("compression", "word"), [("zstd", "zstd"), ("lzma", "lzma")])
def test_a_compression_that_is_not_read_is_named(
    tmp_path: Path, compression: str, word: str
) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(SHEET).save(path, compression=compression)

    error = refusal(path)

    assert word in error.message
    assert "LZW" in (error.advice or "")


def test_a_jpeg_that_is_coded_in_a_rare_way_is_named(tmp_path: Path) -> None:
    whole = jpeg(SHEET)
    path = tmp_path / "a.jpg"
    path.write_bytes(whole.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc3\0\x11\x08"))

    assert "lossless" in refusal(path).message


@pytest.mark.parametrize("ending", ["png", "tif", "jpg", "tga", "exr", "psd"])
def test_what_is_said_of_truncated_files_is_short(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    noise = np.random.default_rng(5).integers(0, 256, (400, 300, 3), dtype=np.uint8)
    if ending == "psd":
        psd_file(path, list(np.moveaxis(noise, 2, 0)))
    elif ending == "tif":
        Image.fromarray(noise).save(path, compression="tiff_lzw", tiffinfo={278: 1})
    else:
        output = oiio.ImageOutput.create(str(path))
        assert output is not None
        output.open(str(path), oiio.ImageSpec(300, 400, 3, "half" if ending == "exr" else "uint8"))
        output.write_image(noise.astype(np.float32) / 255)
        output.close()
    whole = path.read_bytes()
    for kept in (0.1, 0.5, 0.9):
        path.write_bytes(whole[: int(len(whole) * kept)])
        refusal(path)


def test_a_picture_is_the_same_through_the_process_that_reads_for_us(tmp_path: Path) -> None:
    path = png_file(tmp_path / "a.png", SHEET, profile=icc_of("Display P3", P3, gamma=2.2))

    read = read_picture(path)

    assert np.array_equal(read.pixels, decode_picture(path).picture.pixels)
    assert not read.pixels.flags.writeable


def test_interlaced_and_indexed_png_files_with_transparency_are_read(tmp_path: Path) -> None:
    image = Image.fromarray(np.zeros((8, 8), np.uint8), "P")
    image.putpalette([0, 0, 0] * 256)
    image.save(tmp_path / "a.png", transparency=bytes([128] * 256))
    grey = np.zeros((8, 8, 1), np.uint16)
    path = png_file(tmp_path / "b.png", grey, chunks=[(b"tRNS", b"\0\0")])

    assert seen(tmp_path / "a.png", (4, 4)) == [127, 127, 127]
    assert seen(path, (4, 4)) == [255, 255, 255]
    # One pass of Adam7 holds a picture of one pixel whole.
    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 1)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0\x0a\x14\x1e")), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    (tmp_path / "c.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    assert seen(tmp_path / "c.png", (0, 0)) == [10, 20, 30]
