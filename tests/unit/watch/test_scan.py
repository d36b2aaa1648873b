import os
from collections.abc import Iterable
from pathlib import Path

from haikei.sources.watch.root import LayoutNames
from haikei.sources.watch.scan import Listing, Tree
from support.storage import without_privileges

NAMES = LayoutNames(extensions=("png",), ignore=(".*",))


def _files(listings: Iterable[Listing]) -> set[str]:
    return {f"{listing.folder}/{name}" for listing in listings for name in listing.files}


def _put(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"picture")
    return str(path)


def _still(tree: Tree) -> None:
    # Folders that changed are listed once more by the next pass.
    list(tree.changed())


def test_a_full_walk_lists_every_file_that_can_be_a_layout(tmp_path: Path) -> None:
    expected = {
        _put(tmp_path / "a/b/c/1.png"),
        _put(tmp_path / "a/2.png"),
        _put(tmp_path / "3.png"),
    }
    _put(tmp_path / "a/notes.txt")
    _put(tmp_path / ".hidden/4.png")
    tree = Tree(str(tmp_path), NAMES)

    assert _files(tree.full()) == expected
    assert tree.folders == 4


def test_a_folder_pass_lists_only_what_changed(tmp_path: Path) -> None:
    _put(tmp_path / "a/1.png")
    _put(tmp_path / "b/2.png")
    tree = Tree(str(tmp_path), NAMES)
    list(tree.full())
    _still(tree)
    assert _files(tree.changed()) == set()

    new = _put(tmp_path / "b/c/d/3.png")

    assert new in _files(tree.changed())
    assert str(tmp_path / "a/1.png") not in _files(tree.changed())


def test_a_change_within_the_tick_of_a_listing_is_found_by_the_next_pass(tmp_path: Path) -> None:
    _put(tmp_path / "a/1.png")
    folder = tmp_path / "a"
    tree = Tree(str(tmp_path), NAMES)
    list(tree.full())
    times = folder.stat()

    new = _put(folder / "2.png")
    os.utime(folder, ns=(times.st_atime_ns, times.st_mtime_ns))

    assert new in _files(tree.changed())


def test_a_folder_of_which_an_event_told_is_listed_with_all_that_is_new_below(
    tmp_path: Path,
) -> None:
    tree = Tree(str(tmp_path), NAMES)
    list(tree.full())
    new = {_put(tmp_path / "a/1.png"), _put(tmp_path / "a/b/c/2.png")}

    assert _files(tree.new(str(tmp_path / "a"))) == new
    assert _files(tree.new(str(tmp_path / "a"))) == set()
    assert _files(tree.new(str(tmp_path / "never"))) == set()


def test_a_folder_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    _put(tmp_path / "a/b/1.png")
    tree = Tree(str(tmp_path), NAMES)
    list(tree.full())

    (tmp_path / "a").rename(tmp_path.parent / f"{tmp_path.name}-moved")
    list(tree.changed())

    assert tree.folders == 1
    list(tree.full())
    assert tree.folders == 1


def test_a_walk_forgets_folders_that_it_did_not_meet(tmp_path: Path) -> None:
    _put(tmp_path / "a/1.png")
    tree = Tree(str(tmp_path), NAMES)
    list(tree.full())

    (tmp_path / "a").rename(tmp_path.parent / f"{tmp_path.name}-away")
    list(tree.full())

    assert tree.folders == 1


def test_an_unreadable_folder_hides_nothing_else_and_is_found_when_it_opens(
    tmp_path: Path,
) -> None:
    closed = tmp_path / "closed"
    inside = _put(closed / "1.png")
    other = _put(tmp_path / "open/2.png")
    closed.chmod(0)
    tree = Tree(str(tmp_path), NAMES)

    with without_privileges():
        before = _files(tree.full())
        _still(tree)
        closed.chmod(0o700)
        after = _files(tree.changed())

    assert before == {other}
    assert after == {inside}


def test_folder_links_are_not_entered_and_other_things_are_no_files(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    _put(outside / "1.png")
    top = tmp_path / "top"
    top.mkdir()
    (top / "link").symlink_to(outside)
    (top / "loop").symlink_to(top)
    (top / "dangling.png").symlink_to(top / "nothing")
    (top / "endless.png").symlink_to(top / "endless.png")
    (top / "folder.png").symlink_to(top)
    os.mkfifo(top / "pipe.png")

    assert _files(Tree(str(top), NAMES).full()) == set()


def test_a_tree_inside_another_is_left_to_its_own_scan(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    _put(inner / "1.png")
    outer = _put(tmp_path / "2.png")

    assert _files(Tree(str(tmp_path), NAMES, apart=frozenset({str(inner)})).full()) == {outer}
