"""What a file may take is settled before it is decoded, and held to while it is."""

import struct
import zlib
from pathlib import Path

import numpy as np
import psutil
import pytest

from haikei.errors import ImageUnreadable
from haikei.images import Inspector, decode_picture, read_picture
from haikei.images.limits import Limits
from haikei.settings import Settings
from support.clocks import PATIENCE
from support.imagefiles import png_file


def huge(path: Path, width: int, height: int, kind: int) -> Path:
    """Write a whole PNG of white in one colour type, small on the disk."""
    row = b"\0" + b"\xff" * width * {0: 1, 2: 3}[kind]
    packer = zlib.compressobj(1)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", data), (b"IEND", b"")]
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
            for name, body in parts
        )
    )
    return path


@pytest.mark.parametrize(("side", "kind"), [(20000, 2), (32768, 0)])
def test_a_picture_of_too_many_pixels_is_refused_from_its_header(
    tmp_path: Path, side: int, kind: int
) -> None:
    path = huge(tmp_path / "huge.png", side, side, kind)
    before = psutil.Process().memory_info().rss

    with pytest.raises(ImageUnreadable, match=f"{side} x {side} pixels") as caught:
        decode_picture(path)

    assert "watch.max_megapixels" in (caught.value.advice or "")
    assert psutil.Process().memory_info().rss - before < 100 * 1024 * 1024


def test_a_picture_that_takes_too_much_memory_is_refused_from_its_header(tmp_path: Path) -> None:
    path = huge(tmp_path / "large.png", 3000, 3000, 2)

    with pytest.raises(ImageUnreadable, match="257 MiB to read where 200") as caught:
        decode_picture(path, limits=Limits(mib=200))

    assert "watch.max_mib" in (caught.value.advice or "")
    assert decode_picture(path, limits=Limits(mib=300)).picture.width == 3000


def test_the_studios_settings_are_the_limits() -> None:
    watch = {"max_mib": 11, "max_megapixels": 22, "max_cpu_seconds": 33}
    settings = Settings.model_validate(
        {
            "studio": {"state": "/tmp/state"},
            "storage": {"roots": [{"name": "p", "path": "/tmp/p"}]},
            "watch": watch,
        }
    )

    assert Limits.from_settings(settings.watch) == Limits(mib=11, megapixels=22, cpu_seconds=33)


def test_a_file_that_takes_too_much_processor_time_is_given_up(tmp_path: Path) -> None:
    # No file of ours takes minutes: the limit is set below what decoding this one takes.
    path = huge(tmp_path / "slow.png", 11000, 11000, 2)
    good = png_file(tmp_path / "good.png", np.zeros((8, 8, 3), np.uint8))

    with Inspector(Limits(cpu_seconds=0)) as inspector:
        with pytest.raises(ImageUnreadable, match="processor time"):
            inspector.read(path)
        assert inspector.read(good).picture.width == 8


def test_memory_that_runs_out_while_decoding_is_an_error_of_the_file(tmp_path: Path) -> None:
    path = huge(tmp_path / "wide.png", 9000, 9000, 2)
    before = _children()

    with Inspector(Limits(mib=2400)) as inspector:
        inspector.read(png_file(tmp_path / "good.png", np.zeros((8, 8, 3), np.uint8)))
        (child,) = _children(before)
        used = child.memory_info().vms
        child.rlimit(psutil.RLIMIT_AS, (used + 300 * 1024 * 1024, used + 300 * 1024 * 1024))
        with pytest.raises(ImageUnreadable):
            inspector.read(path)
        assert inspector.read(tmp_path / "good.png").picture.width == 8


def test_a_reader_that_nobody_asks_ends_and_another_begins(tmp_path: Path) -> None:
    path = png_file(tmp_path / "a.png", np.zeros((8, 8, 3), np.uint8))

    before = _children()
    with Inspector(idle=0.01) as inspector:
        assert inspector.read(path).picture.width == 8
        for child in _children(before):
            child.wait(PATIENCE)
        assert inspector.read(path).picture.width == 8
        assert inspector.inspect([path])[0].ok


def test_readers_are_shared_and_few(tmp_path: Path) -> None:
    path = png_file(tmp_path / "a.png", np.zeros((8, 8, 3), np.uint8))
    before = _children()

    for _ in range(5):
        read_picture(path)

    assert len(_children(before)) <= 1


def _children(known: frozenset[psutil.Process] = frozenset()) -> frozenset[psutil.Process]:
    """Return the readers that this process has started; other children are none of ours."""
    return frozenset(filter(_reads, psutil.Process().children())) - known


def _reads(process: psutil.Process) -> bool:
    try:
        return "haikei.images.sandbox" in process.cmdline()
    except psutil.Error:
        return False  # it has ended, though nobody has waited for it yet
