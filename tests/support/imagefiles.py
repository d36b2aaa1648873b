"""Image files written byte by byte: what programs store, and our own libraries never would."""

import io
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

Bytes8 = NDArray[np.uint8]
Samples = (
    NDArray[np.uint8]
    | NDArray[np.uint16]
    | NDArray[np.uint32]
    | NDArray[np.int16]
    | NDArray[np.float32]
)
Columns = tuple[tuple[float, float, float], ...]

#: Red, green and blue in XYZ, adapted to D50.
SRGB: Columns = (
    (0.43607, 0.22249, 0.01392),
    (0.38515, 0.71687, 0.09708),
    (0.14307, 0.06061, 0.7141),
)
P3: Columns = (
    (0.51512, 0.2412, -0.00105),
    (0.29198, 0.69225, 0.04189),
    (0.1571, 0.06657, 0.78407),
)
ADOBE: Columns = (
    (0.60974, 0.31111, 0.01947),
    (0.20528, 0.62567, 0.06087),
    (0.14919, 0.06322, 0.74457),
)
PROPHOTO: Columns = (
    (0.79767, 0.28804, 0.0),
    (0.13519, 0.71188, 0.0),
    (0.03134, 9e-05, 0.82491),
)
REC2020: Columns = (
    (0.67348, 0.27904, -0.00193),
    (0.16566, 0.67535, 0.02998),
    (0.12505, 0.04561, 0.79686),
)


def drawing(width: int = 480, height: int = 270) -> Bytes8:
    """Return a drawing: black lines, three paints, and a grey ramp, on white paper."""
    sheet = np.full((height, width, 3), 255, np.uint8)
    sheet[149:151, :] = 0
    sheet[60:150, 59:61] = sheet[60:150, 179:181] = 0
    sheet[59:61, 60:180] = 0
    sheet[240:262, 20:220] = np.linspace(0, 255, 200).astype(np.uint8)[None, :, None]
    sheet[200:230, 20:60] = (230, 160, 40)
    sheet[200:230, 70:110] = (40, 120, 200)
    sheet[200:230, 120:160] = (60, 160, 70)
    return sheet


def png_file(
    path: Path,
    samples: Samples,
    *,
    profile: bytes | None = None,
    chunks: Sequence[tuple[bytes, bytes]] = (),
) -> Path:
    """Write (height, width, 1 to 4) samples of 8 or 16 bits, with chunks before them."""
    height, width, channels = samples.shape
    bits = 8 * samples.dtype.itemsize
    rows = samples.astype(">u2" if bits == 16 else "u1").reshape(height, -1)
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    body = b"".join(b"\0" + row.tobytes() for row in rows)
    icc = [(b"iCCP", b"own\0\0" + zlib.compress(profile))] if profile else []
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)),
        *icc,
        *chunks,
        (b"IDAT", zlib.compress(body, 1)),
        (b"IEND", b""),
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts))
    return path


def tiff_file(
    path: Path,
    samples: Samples,
    *,
    profile: bytes | None = None,
    extra: int | None = None,
    photometric: int | None = None,
    more: Sequence[tuple[Samples, int]] = (),
    subfile: int = 0,
) -> Path:
    """
    Write an uncompressed little-endian TIFF.

    Args:
        path: of the file.
        samples: (height, width, channels); of the first page.
        profile: an ICC profile.
        extra: what the last channel is: 0 unspecified, 1 premultiplied, 2 straight alpha.
        photometric: by default grey or RGB.
        more: further pages, each with its NewSubfileType.
        subfile: the first page's.
    """
    out = bytearray(b"II*\0\0\0\0\0")
    link = 4
    for page, kind in ((samples, subfile), *more):
        link = _tiff_page(out, link, page, kind, profile, extra, photometric)
    path.write_bytes(out)
    return path


#: Of TIFF's SampleFormat: numbers with a sign, and floating point.
_SAMPLE = {"i": 2, "f": 3}


def _tiff_page(
    out: bytearray,
    link: int,
    samples: Samples,
    subfile: int,
    profile: bytes | None,
    extra: int | None,
    photometric: int | None,
) -> int:
    height, width, channels = samples.shape
    size = samples.dtype.itemsize
    strip = len(out)
    out += samples.astype(samples.dtype.newbyteorder("<")).tobytes()
    bits = len(out)
    out += struct.pack(f"<{channels}H", *[8 * size] * channels)
    icc = len(out)
    out += profile or b""
    out += b"\0" * (len(out) % 2)
    colours = channels - (extra is not None)
    entries = [
        (254, 4, 1, subfile),
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, channels, bits if channels > 2 else 8 * size * (65537 if channels == 2 else 1)),
        (259, 3, 1, 1),
        (262, 3, 1, photometric if photometric is not None else 1 if colours == 1 else 2),
        (273, 4, 1, strip),
        (277, 3, 1, channels),
        (278, 4, 1, height),
        (279, 4, 1, samples.nbytes),
        *([(338, 3, 1, extra)] if extra is not None else []),
        *([(339, 3, 1, _SAMPLE[samples.dtype.kind])] if samples.dtype.kind != "u" else []),
        *([(34675, 7, len(profile), icc)] if profile else []),
    ]
    struct.pack_into("<I", out, link, len(out))
    out += struct.pack("<H", len(entries))
    for tag, kind, count, value in entries:
        out += struct.pack("<HHII", tag, kind, count, value)
    out += b"\0\0\0\0"
    return len(out) - 4


def tga_file(
    path: Path, samples: Bytes8, *, alpha_bits: int, attributes: int | None = None
) -> Path:
    """Write (height, width, 1 to 4) as uncompressed Targa; with an extension area if asked."""
    height, width, channels = samples.shape
    order = [2, 1, 0, 3] if channels == 4 else [2, 1, 0] if channels == 3 else range(channels)
    kind = 2 if channels >= 3 else 3
    head = struct.pack(
        "<BBBHHBHHHHBB", 0, 0, kind, 0, 0, 0, 0, 0, width, height, 8 * channels, alpha_bits | 0x20
    )
    out = head + np.ascontiguousarray(samples[..., list(order)]).tobytes()
    if attributes is not None:
        area = bytearray(495)
        struct.pack_into("<H", area, 0, 495)
        area[494] = attributes
        out += bytes(area) + struct.pack("<II", len(out), 0) + b"TRUEVISION-XFILE.\0"
    path.write_bytes(out)
    return path


def psd_file(
    path: Path,
    planes: Sequence[Samples],
    *,
    mode: int = 3,
    profile: bytes | None = None,
    layer: Sequence[Samples] | None = None,
    transparency: bool = False,
    large: bool = False,
) -> Path:
    """
    Write a Photoshop file with an uncompressed merged picture.

    Args:
        path: of the file.
        planes: of the merged picture, each (height, width).
        mode: 1 grey, 3 RGB.
        profile: an ICC profile.
        layer: red, green, blue and alpha of one layer as large as the picture.
        transparency: whether the merged picture's last channel is its transparency.
        large: write a PSB.
    """
    height, width = planes[0].shape
    bits = 8 * planes[0].dtype.itemsize
    resources = b""
    if transparency:
        resources += _resource(1006, b"\x0cTransparency")
    if profile:
        resources += _resource(1039, profile)
    layers = b"" if layer is None else _layers(layer, -1 if transparency else 1, large=large)
    wide = ">Q" if large else ">I"
    out = b"8BPS" + struct.pack(
        ">H6xHIIHH", 2 if large else 1, len(planes), height, width, bits, mode
    )
    out += struct.pack(">II", 0, len(resources)) + resources
    out += struct.pack(wide, len(layers)) + layers + struct.pack(">H", 0)
    for plane in planes:
        out += plane.astype(plane.dtype.newbyteorder(">")).tobytes()
    path.write_bytes(out)
    return path


def _resource(number: int, data: bytes) -> bytes:
    padding = b"\0" * (len(data) % 2)
    return b"8BIM" + struct.pack(">HHI", number, 0, len(data)) + data + padding


def _layers(planes: Sequence[Samples], count: int, *, large: bool) -> bytes:
    height, width = planes[0].shape
    wide = "Q" if large else "I"
    size = height * width * planes[0].dtype.itemsize
    record = struct.pack(">IIIIH", 0, 0, height, width, 4)
    for channel in (0, 1, 2, -1):
        record += struct.pack(f">h{wide}", channel, 2 + size)
    name = b"\4line\0\0\0"
    extra = struct.pack(">II", 0, 0) + name
    record += b"8BIMnorm" + bytes([255, 0, 0, 0]) + struct.pack(">I", len(extra)) + extra
    body = struct.pack(">h", count) + record
    for plane in planes:
        body += struct.pack(">H", 0) + plane.astype(plane.dtype.newbyteorder(">")).tobytes()
    body += b"\0" * (len(body) % 2)
    return struct.pack(f">{wide}", len(body)) + body + struct.pack(">I", 0)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def icc_of(
    name: str,
    columns: Columns | None,
    *,
    gamma: float | None = None,
    curve: Sequence[float] = (),
) -> bytes:
    """
    Return an ICC v2 profile of curves and a matrix, or of one curve for grey.

    Args:
        name: what the profile calls itself.
        columns: red, green and blue in XYZ; None for grey.
        gamma: the curve as an exponent.
        curve: the curve as a table from 0 to 1, where there is no exponent.
    """
    if gamma == 1.0:
        trc = b"curv\0\0\0\0" + struct.pack(">I", 0)
    elif gamma is not None:
        trc = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    else:
        values = [round(value * 65535) for value in curve]
        trc = b"curv\0\0\0\0" + struct.pack(f">I{len(values)}H", len(values), *values)
    tags = [(b"kTRC", trc)]
    if columns is not None:
        names = (b"rXYZ", b"gXYZ", b"bXYZ")
        tags = [(tag, _xyz(column)) for tag, column in zip(names, columns, strict=True)]
        tags += [(tag, trc) for tag in (b"rTRC", b"gTRC", b"bTRC")]
    return _profile(name, b"GRAY" if columns is None else b"RGB ", b"XYZ ", tags)


def icc_of_table() -> bytes:
    """Return an ICC v2 profile that is a table to Lab, as printers and cameras have them."""
    grid = Image.fromarray(
        np.array([[[r, g, b] for r in (0, 255) for g in (0, 255) for b in (0, 255)]], np.uint8)
    )
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    corners = ImageCms.profileToProfile(grid, srgb, lab, outputMode="LAB")
    assert corners is not None
    # Pillow keeps a* and b* as signed bytes; the table has them moved by 128.
    table = np.asarray(corners).copy()
    table[..., 1:] ^= 0x80
    ramp = bytes(range(256)) * 3
    identity = struct.pack(">9i", *(65536 if index % 4 == 0 else 0 for index in range(9)))
    lut = b"mft1\0\0\0\0\3\3\2\0" + identity + ramp + table.tobytes() + ramp
    return _profile("A table", b"RGB ", b"Lab ", [(b"A2B0", lut)])


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _profile(
    name: str, space: bytes, connection: bytes, tags: Sequence[tuple[bytes, bytes]]
) -> bytes:
    text = name.encode() + b"\0"
    described = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(8 + 3 + 67)
    every = [
        (b"desc", described),
        (b"cprt", b"text\0\0\0\0own test\0"),
        (b"wtpt", _xyz((0.9642, 1.0, 0.8249))),
        *tags,
    ]
    place = 128 + 4 + 12 * len(every)
    table, data = struct.pack(">I", len(every)), b""
    for tag, value in every:
        padded = value + b"\0" * (-len(value) % 4)
        table += tag + struct.pack(">II", place + len(data), len(padded))
        data += padded
    head = struct.pack(">I4x4s", 128 + len(table) + len(data), b"\2\x10\0\0")
    head += b"mntr" + space + connection + bytes(12) + b"acsp" + bytes(28)
    head += struct.pack(">3i", *(round(value * 65536) for value in (0.9642, 1.0, 0.8249)))
    return head.ljust(128, b"\0") + table + data


def by_littlecms(colours: Bytes8, profile: bytes | None) -> Bytes8:
    """Return straight (height, width, 1 or 3) as sRGB, by Pillow's LittleCMS alone."""
    grey = colours.shape[2] == 1
    image = Image.fromarray(colours[..., 0] if grey else colours)
    if profile is None:
        return np.asarray(image.convert("RGB"))
    converted = ImageCms.profileToProfile(
        image,
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
    )
    assert converted is not None
    return np.asarray(converted)
