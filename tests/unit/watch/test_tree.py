import os
import resource
import shutil
import threading
from pathlib import Path

import pytest

from haikei.settings import PathTemplate
from haikei.sources.watch.observer import Hints, TreeObserver, WatchedTree
from haikei.sources.watch.root import LayoutNames, WatchedRoot
from support.clocks import eventually


def _tree(folder: Path, hints: Hints) -> WatchedTree:
    root = WatchedRoot(
        path=str(folder), rules=(PathTemplate("{project}/{shot}.png"),), native=True, settle=0.1
    )
    names = LayoutNames(extensions=("png",), ignore=(".*",))
    return WatchedTree(root, names, hints, apart=frozenset())


def test_a_tree_is_walked_when_it_is_new_and_left_alone_while_it_is_heard(tmp_path: Path) -> None:
    tree = _tree(tmp_path, Hints(threading.Event()))

    assert tree.supervise()
    assert not tree.supervise()
    tree.stop()


def test_events_are_hints_at_files_and_folders(tmp_path: Path) -> None:
    hints = Hints(threading.Event())
    tree = _tree(tmp_path, hints)
    tree.supervise()
    seen: set[str] = set()

    def hinted(path: Path) -> bool:
        seen.update(hints.take())
        return str(path) in seen

    (tmp_path / "a").mkdir()
    eventually(lambda: hinted(tmp_path / "a"))
    (tmp_path / "a/1.png").write_bytes(b"1")
    eventually(lambda: hinted(tmp_path / "a/1.png"))
    (tmp_path / "a/1.png").rename(tmp_path / "a/2.png")
    eventually(lambda: hinted(tmp_path / "a/2.png"))
    tree.stop()


def test_reading_a_file_is_no_event(tmp_path: Path) -> None:
    hints = Hints(threading.Event())
    path = tmp_path / "1.png"
    path.write_bytes(b"1")
    tree = _tree(tmp_path, hints)
    tree.supervise()

    path.read_bytes()
    (tmp_path / "2.png").write_bytes(b"2")
    seen: set[str] = set()

    def hinted() -> bool:
        seen.update(hints.take())
        return str(tmp_path / "2.png") in seen

    eventually(hinted)
    tree.stop()
    assert str(path) not in seen


def test_a_folder_that_was_removed_and_made_anew_is_heard_and_walked_again(tmp_path: Path) -> None:
    folder = tmp_path / "show"
    folder.mkdir()
    tree = _tree(folder, Hints(threading.Event()))
    tree.supervise()

    shutil.rmtree(folder)
    folder.mkdir()
    eventually(tree.supervise)

    assert not tree.supervise()
    tree.stop()


def test_a_folder_that_is_away_is_told_once_and_walked_when_it_is_back(tmp_path: Path) -> None:
    folder = tmp_path / "show"
    tree = _tree(folder, Hints(threading.Event()))

    assert not tree.supervise()
    assert not tree.supervise()
    assert tree.away
    folder.mkdir()
    assert tree.supervise()
    assert not tree.away
    tree.stop()


def test_a_kernel_that_gives_no_watches_leaves_the_scans(tmp_path: Path) -> None:
    tree = _tree(tmp_path, Hints(threading.Event()))
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = max(int(name) for name in os.listdir("/proc/self/fd"))  # noqa: PTH208 - no real files
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
    try:
        assert taken >= 2
        first = tree.supervise()
        second = tree.supervise()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    assert first  # it was never walked
    assert not second  # nothing was missed that a scan would not find
    tree.supervise()
    assert not tree.supervise()
    tree.stop()


def test_an_observer_of_a_missing_folder_says_so(tmp_path: Path) -> None:
    observer = TreeObserver(str(tmp_path / "missing"), Hints(threading.Event()))

    with pytest.raises(FileNotFoundError):
        observer.start()

    assert not observer.alive
    observer.stop()
