"""The sweep removes what dead writers left, and never what a living one is writing."""

import os
import platform
import re
import time
from pathlib import Path, PurePosixPath
from threading import Event, Thread

import pytest

from haikei.errors import StorageUnavailable
from support.clocks import PATIENCE
from support.storage import storage_at

HERE = re.sub(r"[^A-Za-z0-9-]", "-", platform.node()) or "localhost"
RELATIVE = PurePosixPath("PORT/a.png")


def leave(root: Path, *, host: str, pid: int, age: float = 0.0, process: str = "0" * 8) -> Path:
    """Put a mark and its temporary file where a killed writer would have left them."""
    temporary = root / "PORT/.haikei-00112233aabb.part"
    mark = root / ".haikei/writing" / f"{host}.{pid}.{process}.00112233aabb"
    for path, text in ((temporary, "half a pictu"), (mark, "PORT/.haikei-00112233aabb.part")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    then = time.time() - age
    os.utime(mark, (then, then))
    return temporary


def a_dead_process() -> int:
    child = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(child, 0)
    return child


def test_what_a_dead_process_left_is_removed(tmp_path: Path) -> None:
    temporary = leave(tmp_path, host=HERE, pid=a_dead_process())

    assert storage_at(tmp_path).sweep() == (temporary,)

    assert not temporary.exists()
    assert list((tmp_path / ".haikei/writing").iterdir()) == []
    assert storage_at(tmp_path).sweep() == ()


def test_what_an_earlier_life_of_our_own_process_number_left_is_removed(tmp_path: Path) -> None:
    temporary = leave(tmp_path, host=HERE, pid=os.getpid())

    assert storage_at(tmp_path).sweep() == (temporary,)


@pytest.mark.parametrize(("age", "removed"), [(5.0, False), (3600.0, True)])
def test_a_process_number_in_use_again_is_doubted_for_a_while(
    tmp_path: Path, *, age: float, removed: bool
) -> None:
    temporary = leave(tmp_path, host=HERE, pid=os.getppid(), age=age)

    storage_at(tmp_path).sweep()

    assert temporary.exists() is not removed


@pytest.mark.parametrize(("age", "removed"), [(3600.0, False), (2 * 86400.0, True)])
def test_another_hosts_files_are_left_for_a_day(
    tmp_path: Path, *, age: float, removed: bool
) -> None:
    temporary = leave(tmp_path, host="render-07", pid=1, age=age)

    storage_at(tmp_path).sweep()

    assert temporary.exists() is not removed


def test_what_a_living_publisher_writes_is_never_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, source = tmp_path / "root", tmp_path / "picture.png"
    root.mkdir()
    source.write_bytes(b"picture")
    writing, swept = Event(), Event()
    link = os.link

    def waiting(temporary: Path, final: Path, *, follow_symlinks: bool) -> None:
        writing.set()
        swept.wait(PATIENCE)
        link(temporary, final, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(os, "link", waiting)
    publisher = Thread(target=storage_at(root).publish, args=(source, RELATIVE))
    publisher.start()
    try:
        assert writing.wait(PATIENCE)
        mark = next((root / ".haikei/writing").iterdir())
        os.utime(mark, (0, 0))
        assert storage_at(root).sweep() == ()
    finally:
        swept.set()
        publisher.join(PATIENCE)

    assert (root / RELATIVE).read_bytes() == b"picture"


@pytest.mark.parametrize(
    "text",
    [
        "PORT/c012_bg_v001.png",
        "../.haikei-00112233aabb.part",
        "PORT/.haikei-ffffffffffff.part",
        "\xff\xfe",
        "",
    ],
)
def test_a_mark_that_names_another_file_removes_nothing_but_itself(
    tmp_path: Path, text: str
) -> None:
    root = tmp_path / "root"
    bystanders = [
        root / "PORT/c012_bg_v001.png",
        tmp_path / ".haikei-00112233aabb.part",
        root / "PORT/.haikei-ffffffffffff.part",
    ]
    leave(root, host=HERE, pid=a_dead_process())
    for path in bystanders:
        path.write_text("not ours to remove")
    mark = next((root / ".haikei/writing").iterdir())
    mark.write_text(text, encoding="latin-1")

    assert storage_at(root).sweep() == ()

    assert all(path.exists() for path in bystanders)
    assert not mark.exists()


def test_a_stranger_in_the_folder_of_marks_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / ".haikei/writing"
    (folder / f"{HERE}.{a_dead_process()}.00000000.00112233aabb").mkdir(parents=True)
    (folder / "README").write_text("what is this?")

    assert storage_at(tmp_path).sweep() == ()

    assert len(list(folder.iterdir())) == 2


def test_a_root_that_is_away_is_not_swept(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable):
        storage_at(tmp_path / "unmounted").sweep()
