"""Structures of image files are read within bounds, whatever bytes they hold."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haikei.errors import MarksUnreadable
from haikei.provenance.formats.detection import file_format, read_metadata
from haikei.provenance.formats.jpeg import SIGNATURE as JPEG
from haikei.provenance.formats.png import SIGNATURE as PNG
from support.signing import write_noise

PACKET = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>'
)
FORMATS = ("png", "jpg", "tif")


def _with_packet(source: Path, target: Path, packet: bytes = PACKET) -> Path:
    write = file_format(source).write_xmp
    assert write is not None
    with source.open("rb") as file, target.open("wb") as out:
        write(file, out, packet)
    return target


def _pixels(path: Path) -> bytes:
    decoded = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert decoded is not None
    return np.ascontiguousarray(decoded).tobytes()


def _tiff(order: str, *, big: bool) -> bytes:
    # One strip of 2 by 1 grey pixels, in either byte order and size.
    entries = [(256, 3, 1, 2), (257, 3, 1, 1), (258, 3, 1, 8), (262, 3, 1, 1), (277, 3, 1, 1)]
    start = 16 if big else 8
    entries += [(273, 4, 1, start), (278, 3, 1, 1), (279, 4, 1, 2)]
    entry = order + ("HHQ" if big else "HHI")
    pointer = order + ("Q" if big else "I")
    head = (b"II" if order == "<" else b"MM") + struct.pack(
        order + ("HHHQ" if big else "HI"), *((43, 8, 0, start + 2) if big else (42, start + 2))
    )
    body = struct.pack(order + ("Q" if big else "H"), len(entries))
    for tag, kind, count, value in sorted(entries):
        inline = struct.pack(order + ("H" if kind == 3 else "I"), value)
        body += struct.pack(entry, tag, kind, count) + inline.ljust(8 if big else 4, b"\0")
    return head + b"\x11\x22" + body + struct.pack(pointer, 0)


@pytest.mark.parametrize("ending", FORMATS)
def test_a_packet_goes_in_and_comes_out_and_no_pixel_changes(tmp_path: Path, ending: str) -> None:
    plain = write_noise(1, tmp_path / f"a.{ending}")

    marked = _with_packet(plain, tmp_path / f"b.{ending}")

    assert read_metadata(marked).xmp == PACKET
    assert _pixels(marked) == _pixels(plain)


@pytest.mark.parametrize("ending", FORMATS)
def test_a_second_packet_takes_the_place_of_the_first(tmp_path: Path, ending: str) -> None:
    plain = write_noise(1, tmp_path / f"a.{ending}")
    once = _with_packet(plain, tmp_path / f"b.{ending}", PACKET.replace(b"adobe", b"other"))

    twice = _with_packet(once, tmp_path / f"c.{ending}")

    assert read_metadata(twice).xmp == PACKET
    if ending != "tif":  # TIFF files keep what stood in them, out of reach
        assert b"other:ns:meta" not in twice.read_bytes()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_tiff_of_every_byte_order_and_size_is_written(
    tmp_path: Path, order: str, big: bool
) -> None:
    plain = tmp_path / "a.tif"
    plain.write_bytes(_tiff(order, big=big))

    marked = _with_packet(plain, tmp_path / "b.tif")

    assert read_metadata(marked).xmp == PACKET
    assert _pixels(marked) == b"\x11\x22"


def test_a_packet_too_large_for_jpeg_is_refused(tmp_path: Path) -> None:
    plain = write_noise(1, tmp_path / "a.jpg")

    with pytest.raises(MarksUnreadable, match="JPEG holds"):
        _with_packet(plain, tmp_path / "b.jpg", PACKET + b" " * 70_000)


def test_exif_stays_in_front_of_the_packet(tmp_path: Path) -> None:
    plain = write_noise(1, tmp_path / "a.jpg")
    data = plain.read_bytes()
    exif = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    plain.write_bytes(data[:2] + segment + data[2:])

    marked = _with_packet(plain, tmp_path / "b.jpg").read_bytes()

    assert marked.index(b"Exif\0\0") < marked.index(b"http://ns.adobe.com/xap/1.0/")


MALFORMED = {
    "png without header": PNG + b"\0\0\0\0IEND\xaeB`\x82",
    "png cut off": PNG + b"\0\0\0\rIHDR",
    "png with a chunk of 4 GB": PNG + b"\0\0\0\rIHDR" + b"\0" * 17 + b"\xff\xff\xff\xffiTXt",
    "jpeg cut off": JPEG,
    "jpeg with a segment of no length": JPEG + b"\xe1\0\0",
    "jpeg with a segment beyond its end": JPEG + b"\xe1\xff\xff" + b"x",
    "tiff cut off": b"II*\0\x08",
    "tiff with a directory outside": b"II*\0\xff\xff\xff\xff",
    "tiff with 65535 tags": b"II*\0\x08\0\0\0\xff\xff",
    "tiff whose packet has 4 GB": b"II*\0\x08\0\0\0"
    + struct.pack("<HHHII", 1, 700, 1, 0xFFFFFFFF, 0)
    + b"\0\0\0\0",
    "exr cut off": b"v/1\x01\x02\0\0\0chan",
    "exr with an attribute of 4 GB": b"v/1\x01\x02\0\0\0a\0string\0\xff\xff\xff\xff",
    "psd cut off": b"8BPS\0\x01",
    "psd with a resource beyond its section": b"8BPS"
    + b"\0" * 22
    + struct.pack(">II", 0, 12)
    + b"8BIM\x04\x24\0\0\xff\xff\xff\xff",
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_file_is_one_clear_error(tmp_path: Path, what: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(MALFORMED[what])

    with pytest.raises(MarksUnreadable, match=str(path)):
        read_metadata(path)


def test_a_file_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(MarksUnreadable, match="cannot be read"):
        read_metadata(tmp_path / "nothing.png")


def test_a_compressed_text_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    import zlib

    path = write_noise(1, tmp_path / "a.png")
    data = path.read_bytes()
    bomb = b"zTXt" + b"workflow\0\0" + zlib.compress(b"\0" * 40_000_000, 9)
    chunk = struct.pack(">I", len(bomb) - 4) + bomb + struct.pack(">I", zlib.crc32(bomb))
    path.write_bytes(data[:33] + chunk + data[33:])

    with pytest.raises(MarksUnreadable, match="compressed PNG text has more than"):
        read_metadata(path)


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "exr"])
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(place=st.integers(0, 1500), damage=st.binary(min_size=1, max_size=12))
def test_a_damaged_file_is_read_or_refused(
    tmp_path: Path, ending: str, place: int, damage: bytes
) -> None:
    whole = tmp_path / f"whole.{ending}"
    if not whole.exists():
        write_noise(1, whole, width=16, height=16)
    data = whole.read_bytes()
    at = place % len(data)
    damaged = tmp_path / f"damaged.{ending}"
    damaged.write_bytes(data[:at] + damage + data[at + len(damage) :])
    try:
        read_metadata(damaged)
        if file_format(damaged).write_xmp is not None:
            _with_packet(damaged, tmp_path / f"out.{ending}")
    except MarksUnreadable:
        return


def _png_pieces(path: Path) -> list[tuple[bytes, bytes, bytes]]:
    data, place, found = path.read_bytes(), 8, list[tuple[bytes, bytes, bytes]]()
    while place < len(data):
        size, kind = struct.unpack(">I4s", data[place : place + 8])
        body, check = data[place + 8 : place + 8 + size], data[place + 8 + size : place + 12 + size]
        found.append((kind, body, check))
        place += 12 + size
    return found


def _png_of(path: Path, pieces: list[tuple[bytes, bytes, bytes]]) -> Path:
    chunks = [struct.pack(">I4s", len(body), kind) + body + check for kind, body, check in pieces]
    path.write_bytes(PNG + b"".join(chunks))
    return path


def _in_small_pieces(path: Path, target: Path, *, size: int, damaged: int = -1) -> Path:
    pieces = _png_pieces(path)
    stream = b"".join(body for kind, body, _ in pieces if kind == b"IDAT")
    cut: list[tuple[bytes, bytes, bytes]] = []
    for number, start in enumerate(range(0, len(stream), size)):
        body = stream[start : start + size]
        check = zlib.crc32(b"IDAT" + body) ^ (number == damaged)
        cut.append((b"IDAT", body, struct.pack(">I", check)))
    return _png_of(target, [pieces[0], *cut, pieces[-1]])


def test_pixels_in_hundreds_of_chunks_become_few_and_stay_the_same_bytes(tmp_path: Path) -> None:
    plain = _in_small_pieces(write_noise(1, tmp_path / "a.png"), tmp_path / "b.png", size=50)
    before = [body for kind, body, _ in _png_pieces(plain) if kind == b"IDAT"]

    marked = _with_packet(plain, tmp_path / "c.png")

    after = [body for kind, body, _ in _png_pieces(marked) if kind == b"IDAT"]
    assert len(before) > 8
    assert len(after) == 1
    assert b"".join(after) == b"".join(before)
    assert _pixels(marked) == _pixels(plain)


def test_a_damaged_chunk_of_pixels_gets_no_new_checksum(tmp_path: Path) -> None:
    plain = _in_small_pieces(
        write_noise(1, tmp_path / "a.png"), tmp_path / "b.png", size=50, damaged=3
    )
    kept = [one for one in _png_pieces(plain) if one[0] == b"IDAT"][3]

    marked = _with_packet(plain, tmp_path / "c.png")

    after = [one for one in _png_pieces(marked) if one[0] == b"IDAT"]
    assert kept in after
    assert len(after) == 3
    stream = b"".join(body for kind, body, _ in _png_pieces(plain) if kind == b"IDAT")
    assert b"".join(body for _, body, _ in after) == stream
