"""A storage root is the one that was published to, and no empty folder or other disk instead."""

import json
from pathlib import Path, PurePosixPath

import pytest

from haikei.errors import StorageError, StorageUnavailable
from support.storage import storage_at

MARK = PurePosixPath(".haikei/storage.json")


@pytest.mark.parametrize("began_while_away", [False, True])
def test_an_empty_folder_where_our_files_were_is_not_published_into(
    tmp_path: Path, *, began_while_away: bool
) -> None:
    root, source = tmp_path / "show", tmp_path / "picture.png"
    source.write_bytes(b"pixels")
    root.mkdir()
    storage = storage_at(root)
    mark = storage.mark(new=True)
    storage.publish(source, PurePosixPath("a/one.png"))

    root.rename(tmp_path / "unmounted")
    with pytest.raises(StorageUnavailable, match="is not there"):
        storage.require_root()
    root.mkdir()
    if began_while_away:
        storage = storage_at(root)
        storage.expect(mark)
    with pytest.raises(StorageUnavailable, match=r"storage\.json is not there.*Mount the storage"):
        storage.require_root()
    with pytest.raises(StorageUnavailable):
        storage.publish(source, PurePosixPath("a/two.png"))
    assert list(root.iterdir()) == []

    root.rmdir()
    (tmp_path / "unmounted").rename(root)
    storage.publish(source, PurePosixPath("a/two.png"))
    assert (root / "a/two.png").is_file()


def test_another_disk_with_files_of_ours_is_not_the_one_that_is_expected(tmp_path: Path) -> None:
    one, other = storage_at(tmp_path / "one"), storage_at(tmp_path / "other")
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    wanted, found = one.mark(new=True), other.mark(new=True)
    assert wanted == storage_at(tmp_path / "one").mark(new=False)

    other.expect(wanted)
    with pytest.raises(StorageUnavailable, match=found) as refused:
        other.require_root()

    advice = (refused.value.advice or "").partition("write ")[2]
    (tmp_path / "other" / MARK).write_text(advice.removesuffix(" into that file."))
    other.require_root()


def test_a_disk_that_must_have_been_used_gets_no_mark_while_it_is_empty(tmp_path: Path) -> None:
    root = tmp_path / "show"
    root.mkdir()
    with pytest.raises(StorageUnavailable, match="holds nothing of what was published"):
        storage_at(root).mark(new=False)
    assert list(root.iterdir()) == []

    (root / ".haikei").mkdir()
    mark = storage_at(root).mark(new=False)
    assert json.loads((root / MARK).read_text()) == {"id": mark}


def test_a_damaged_mark_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / MARK).parent.mkdir()
    (tmp_path / MARK).write_text("{")

    with pytest.raises(StorageError, match=r"storage\.json cannot be read"):
        storage_at(tmp_path).require_root()
