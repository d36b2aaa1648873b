"""A storage root that is unmounted leaves an empty folder, which is no root."""

from pathlib import Path, PurePosixPath

import pytest

from haikei.errors import StorageUnavailable
from support.storage import storage_at


def test_an_empty_folder_where_our_files_were_is_not_published_into(tmp_path: Path) -> None:
    root, source = tmp_path / "show", tmp_path / "picture.png"
    source.write_bytes(b"pixels")
    root.mkdir()
    storage = storage_at(root)
    storage.require_root()
    storage.publish(source, PurePosixPath("a/one.png"))
    storage.require_root()

    root.rename(tmp_path / "unmounted")
    root.mkdir()
    with pytest.raises(StorageUnavailable, match="its folder is empty now"):
        storage.require_root()
    with pytest.raises(StorageUnavailable):
        storage.publish(source, PurePosixPath("a/two.png"))
    assert list(root.iterdir()) == []

    root.rmdir()
    (tmp_path / "unmounted").rename(root)
    storage.publish(source, PurePosixPath("a/two.png"))
    assert (root / "a/two.png").is_file()
