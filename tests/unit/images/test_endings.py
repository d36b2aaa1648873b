import struct
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from psd_tools import PSDImage

from haikei.images import Inspector, Limits
from haikei.images.endings import cut_short
from haikei.images.imagefile import OpenImage, open_image
from haikei.images.sandbox import inspect_file
from support.pictures import png_bytes

LIMITS = Limits(mib=64)


def _said(path: Path, kind: str) -> str:
    with path.open("rb") as file:
        return cut_short(file.fileno(), kind)


def _jpeg(path: Path) -> None:
    spec = oiio.ImageSpec(64, 48, 3, "uint8")
    out = oiio.ImageOutput.create("jpeg")
    assert out is not None
    out.open(str(path), spec)
    out.write_image(np.random.default_rng(1).random((48, 64, 3), np.float32))
    out.close()


def _psd(path: Path) -> None:
    PSDImage.new("RGB", (64, 48), color=128).save(path)


def _raw_psd(path: Path) -> None:
    header = struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3, 8, 8, 8, 3)
    path.write_bytes(header + bytes(12) + bytes(2) + bytes(3 * 8 * 8))


def _psb(path: Path) -> None:
    header = struct.pack(">4sH6xHIIHH", b"8BPS", 2, 3, 4, 4, 8, 3)
    rows = struct.pack(">12I", *([2] * 12))
    path.write_bytes(header + bytes(16) + b"\0\1" + rows + bytes(24))


def _zipped_psd(path: Path) -> None:
    header = struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3, 4, 4, 8, 3)
    path.write_bytes(header + bytes(12) + b"\0\2" + bytes(1))


def _png(path: Path) -> None:
    path.write_bytes(png_bytes("whole"))


WRITERS: list[tuple[str, Callable[[Path], None]]] = [
    ("png", _png),
    ("jpeg", _jpeg),
    ("psd", _psd),
    ("psd", _raw_psd),
    ("psd", _psb),
    ("psd", _zipped_psd),
]


@pytest.mark.parametrize(("kind", "make"), WRITERS)
def test_a_whole_file_is_not_cut_short(
    tmp_path: Path, kind: str, make: Callable[[Path], None]
) -> None:
    path = tmp_path / "whole"
    make(path)

    assert _said(path, kind) == ""


@pytest.mark.parametrize(("kind", "make"), WRITERS)
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.7, 0.99])
def test_a_file_that_ends_anywhere_earlier_is_cut_short(
    tmp_path: Path, kind: str, make: Callable[[Path], None], share: float
) -> None:
    path = tmp_path / "cut"
    make(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])

    assert "incomplete" in _said(path, kind)


def test_bytes_behind_the_end_of_a_png_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "longer.png"
    path.write_bytes(png_bytes("longer") + b"a program's own notes" * 10)

    assert _said(path, "png") == ""


def test_other_formats_are_left_to_their_decoders(tmp_path: Path) -> None:
    path = tmp_path / "cut.exr"
    path.write_bytes(b"v/1")

    assert _said(path, "openexr") == ""


def test_the_reader_looks_at_ends_where_it_is_asked_to(tmp_path: Path) -> None:
    path = tmp_path / "cut.png"
    path.write_bytes(png_bytes("cut")[:-20])

    with Inspector(LIMITS) as inspector:
        (header,) = inspector.inspect([path])
        (whole,) = inspector.inspect([path], whole=True)

    assert header.ok
    assert not whole.ok
    assert "cut.png ends too early" in whole.reason


def test_a_file_that_is_finished_after_it_was_hashed_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "half.png"
    path.write_bytes(png_bytes("port")[:-20])

    def finish_and_open(file: Path, *, limits: Limits) -> AbstractContextManager[OpenImage]:
        file.write_bytes(png_bytes("port"))
        return open_image(file, limits=limits)

    monkeypatch.setattr("haikei.images.sandbox.open_image", finish_and_open)

    found = inspect_file(path, decode=False, whole=True, alive=lambda: None, **asdict(LIMITS))

    assert not found["ok"]
    assert str(found["reason"]).startswith("changed")
