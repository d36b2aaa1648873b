"""Foreign files are opened in a process of their own, which may die without harm."""

import os
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import psutil
import pytest

from haikei.images import Inspector, Picture, write_picture
from haikei.images.limits import Limits
from support.clocks import eventually

NOISE = Picture(pixels=np.random.default_rng(1).random((48, 64, 3)).astype(np.float32))


@pytest.fixture(scope="module")
def inspector() -> object:
    with Inspector() as one:
        yield one


def holds(process: psutil.Process, path: Path) -> bool:
    try:
        return any(Path(file.path) == path for file in process.open_files())
    except (psutil.Error, OSError):
        return False


def when_reading(path: Path, act: Callable[[psutil.Process], None]) -> threading.Thread:
    """Act on the image process as soon as it has `path` open."""

    def reader() -> psutil.Process | None:
        return next((one for one in psutil.Process().children() if holds(one, path)), None)

    def wait() -> None:
        act(eventually(reader, f"a reader of {path.name}", pause=0))

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def slow_file(path: Path) -> Path:
    """A file that takes seconds to hash and no room on the disk."""
    with path.open("wb") as file:
        file.truncate(6 * 1024**3)
    return path


def test_a_good_file_is_described(tmp_path: Path, inspector: Inspector) -> None:
    path = tmp_path / "原図.png"
    write_picture(NOISE, path, bits=8)

    (found,) = inspector.inspect([path])

    status = path.stat()
    assert found.ok, found.reason
    assert found.path == path
    assert found.sha256 == sha256(path.read_bytes()).hexdigest()
    assert (found.size, found.mtime_ns, found.inode) == (
        status.st_size,
        status.st_mtime_ns,
        status.st_ino,
    )
    assert (found.width, found.height, found.format) == (64, 48, "png")


@pytest.mark.parametrize("ending", ["png", "tif", "jpg", "exr"])
def test_decoding_finds_truncated_files(tmp_path: Path, inspector: Inspector, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    write_picture(NOISE, path, bits=8)
    assert inspector.inspect([path], decode=True)[0].ok
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * 0.7)])

    (found,) = inspector.inspect([path], decode=True)

    assert not found.ok
    assert "damaged or incomplete" in found.reason or "cannot be opened" in found.reason
    assert found.sha256 == sha256(path.read_bytes()).hexdigest()


def test_answers_come_in_order_and_bad_files_harm_no_others(
    tmp_path: Path, inspector: Inspector
) -> None:
    paths: list[Path] = []
    for number in range(600):
        path = tmp_path / f"{number}.png"
        if number % 7 == 3:
            path.write_bytes(b"no image")
        elif number % 7 != 5:
            write_picture(NOISE, path, bits=8)
        paths.append(path)

    found = inspector.inspect(paths)

    assert [one.path for one in found] == paths
    assert [one.ok for one in found] == [number % 7 not in {3, 5} for number in range(600)]
    assert found[5].reason.startswith("vanished")


def test_what_is_no_file_is_refused_at_once(tmp_path: Path, inspector: Inspector) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "empty.png").touch()
    (tmp_path / "circle.png").symlink_to(tmp_path / "circle.png")
    names = ["pipe.png", "folder.png", "empty.png", "circle.png", "cut\udc8c.png"]

    found = inspector.inspect([tmp_path / name for name in names])

    assert not any(one.ok for one in found)
    assert found[0].reason == found[1].reason == "is no regular file"
    assert found[2].reason == "is empty"
    assert "cannot be opened" in found[3].reason
    assert found[4].reason.startswith("vanished")


def test_a_picture_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    write_picture(Picture(pixels=np.ones((800, 800, 3), dtype=np.float32)), path, bits=8)

    with Inspector(Limits(mib=1)) as inspector:
        (found,) = inspector.inspect([path], decode=True)

    assert not found.ok
    assert found.sha256


def test_a_file_that_changes_meanwhile_is_not_taken(tmp_path: Path) -> None:
    path = slow_file(tmp_path / "slow.png")

    with Inspector() as inspector:
        inspector.inspect([])
        thread = when_reading(path, lambda _: os.truncate(path, 100))
        (found,) = inspector.inspect([path])
        thread.join()

    assert not found.ok
    assert found.reason.startswith("changed")


def test_a_file_that_goes_away_meanwhile_is_not_taken(tmp_path: Path) -> None:
    path = slow_file(tmp_path / "slow.png")

    def remove(_: psutil.Process) -> None:
        with path.open("r+b") as file:
            # Gone first, then short: whoever comes to its end in between finds no name either.
            path.unlink()
            file.truncate(100)

    with Inspector() as inspector:
        thread = when_reading(path, remove)
        (found,) = inspector.inspect([path])
        thread.join()

    assert found.reason.startswith("vanished")


def test_a_file_that_kills_the_reader_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    good = tmp_path / "good.png"
    write_picture(NOISE, good, bits=8)
    deadly = slow_file(tmp_path / "deadly.png")

    with Inspector() as inspector:
        thread = when_reading(deadly, lambda child: child.kill())
        found = inspector.inspect([good, deadly, good])
        thread.join()

    assert [one.ok for one in found] == [True, False, True]
    assert "signal 9" in found[1].reason


def test_a_file_that_hangs_the_reader_is_given_up(tmp_path: Path) -> None:
    good = tmp_path / "good.png"
    write_picture(NOISE, good, bits=8)
    endless = slow_file(tmp_path / "endless.png")

    with Inspector(timeout=1.5) as inspector:
        thread = when_reading(endless, lambda child: child.suspend())
        found = inspector.inspect([good, endless, good])
        thread.join()

    assert [one.ok for one in found] == [True, False, True]
    assert "1.5 s" in found[1].reason


def test_the_reader_ends_with_its_inspector(tmp_path: Path) -> None:
    good = tmp_path / "good.png"
    write_picture(NOISE, good, bits=8)
    before = {child.pid for child in psutil.Process().children()}
    with Inspector() as inspector:
        inspector.inspect([good])
        mine = [child for child in psutil.Process().children() if child.pid not in before]
        assert len(mine) == 1

    assert not mine[0].is_running()


def test_the_reader_knows_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAIKEI_TRACKER__KEY", "top secret")
    good = tmp_path / "good.png"
    write_picture(NOISE, good, bits=8)
    before = {child.pid for child in psutil.Process().children()}

    with Inspector() as inspector:
        inspector.inspect([good])
        (mine,) = (child for child in psutil.Process().children() if child.pid not in before)
        environment = mine.environ()

    assert "HAIKEI_TRACKER__KEY" not in environment
