"""Publishing: whole or not at all, never over another file, and nothing left behind."""

import errno
import hashlib
import multiprocessing
import os
import stat
import unicodedata
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path, PurePosixPath

import pytest

from haikei.errors import AlreadyPublished, PathRefused, StorageError, StorageUnavailable
from haikei.storage import Storage
from support.storage import (
    killed_publishers,
    publish_once,
    publish_with_file_limit,
    settings_with_root,
    storage_at,
)

RELATIVE = PurePosixPath("PORT/s01/c012/background/summer_day/v001/c012_bg_summer_day_v001.png")
PICTURE = bytes(range(256)) * 8192
DIGEST = hashlib.sha256(PICTURE).hexdigest()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    path.write_bytes(PICTURE)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "root"
    path.mkdir()
    return path


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def fail_with(monkeypatch: pytest.MonkeyPatch, call: str, number: int) -> None:
    def failing(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, failing)


def test_a_published_file_has_its_bytes_its_hash_and_its_root(root: Path, source: Path) -> None:
    stored = storage_at(root).publish(source, RELATIVE)

    assert stored.path.read_bytes() == PICTURE
    assert (stored.root, stored.relative, stored.sha256) == ("main", str(RELATIVE), DIGEST)
    assert files_below(root) == {str(RELATIVE)}


def test_a_published_file_can_be_read_by_the_group_under_a_strict_umask(
    root: Path, source: Path
) -> None:
    before = os.umask(0o077)
    try:
        stored = storage_at(root).publish(source, RELATIVE)
    finally:
        os.umask(before)

    assert stored.path.stat().st_mode & stat.S_IRGRP
    for folder in stored.path.relative_to(root).parents:
        if folder != Path():
            assert stat.S_IMODE((root / folder).stat().st_mode) & 0o050 == 0o050


def test_the_same_bytes_again_are_a_success_and_touch_nothing(root: Path, source: Path) -> None:
    storage = storage_at(root)
    first = storage.publish(source, RELATIVE)
    before = first.path.stat()

    assert storage.publish(source, RELATIVE) == first
    assert first.path.stat() == before


@pytest.mark.parametrize("other", [PICTURE[::-1], b"shorter"])
def test_other_bytes_are_never_written_over(root: Path, source: Path, other: bytes) -> None:
    storage = storage_at(root)
    stored = storage.publish(source, RELATIVE)
    source.write_bytes(other)

    with pytest.raises(AlreadyPublished, match="Other bytes"):
        storage.publish(source, RELATIVE)

    assert stored.path.read_bytes() == PICTURE
    assert files_below(root) == {str(RELATIVE)}


@pytest.mark.parametrize(
    ("theirs", "outcome"), [(PICTURE, DIGEST), (PICTURE[::-1], "AlreadyPublished")]
)
def test_a_file_that_another_publisher_names_meanwhile_is_not_replaced(
    root: Path, source: Path, monkeypatch: pytest.MonkeyPatch, theirs: bytes, outcome: str
) -> None:
    link = os.link

    def overtaken(temporary: Path, final: Path, *, follow_symlinks: bool) -> None:
        final.write_bytes(theirs)
        link(temporary, final, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(os, "link", overtaken)

    assert publish_once(root, source, RELATIVE) == outcome
    assert (root / RELATIVE).read_bytes() == theirs
    assert files_below(root) == {str(RELATIVE)}


def test_an_answer_lost_by_the_mount_is_no_conflict(
    root: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def answered_twice(temporary: Path, final: Path, *, follow_symlinks: bool) -> None:
        link(temporary, final, follow_symlinks=follow_symlinks)
        link(temporary, final, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(os, "link", answered_twice)

    assert publish_once(root, source, RELATIVE) == DIGEST


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP])
def test_a_mount_without_hard_links_is_published_to_just_as_safely(
    root: Path, source: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    fail_with(monkeypatch, "link", number)
    assert publish_once(root, source, RELATIVE) == DIGEST
    source.write_bytes(b"other")

    assert publish_once(root, source, RELATIVE) == "AlreadyPublished"
    assert (root / RELATIVE).read_bytes() == PICTURE
    assert files_below(root) == {str(RELATIVE)}


def test_without_hard_links_too_a_file_named_meanwhile_is_not_replaced(
    root: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(_: Path, final: Path, **__: object) -> None:
        final.write_bytes(b"theirs")
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(os, "link", overtaken)

    assert publish_once(root, source, RELATIVE) == "AlreadyPublished"
    assert (root / RELATIVE).read_bytes() == b"theirs"


def test_eight_racing_publishers_of_one_path_make_one_file(root: Path, tmp_path: Path) -> None:
    sources = [tmp_path / f"picture{index}.png" for index in range(8)]
    for index, path in enumerate(sources):
        path.write_bytes(PICTURE + bytes([index % 2]))

    with ProcessPoolExecutor(8, multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(publish_once, root, path, RELATIVE) for path in sources]
        outcomes = [future.result() for future in futures]

    winner = hashlib.sha256((root / RELATIVE).read_bytes()).hexdigest()
    assert sorted(outcomes) == sorted([winner] * 4 + ["AlreadyPublished"] * 4)
    assert files_below(root) == {str(RELATIVE)}


def test_a_publisher_killed_anywhere_leaves_no_file_or_the_whole_file(
    source: Path, tmp_path: Path
) -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        cuts, finished = pool.submit(killed_publishers, tmp_path, source, RELATIVE).result()

    assert {cut.call for cut in cuts} >= {"open", "mkdir", "write", "fsync", "link", "unlink"}
    assert files_below(finished) == {str(RELATIVE)}
    for cut in cuts:
        published = cut.folder / RELATIVE
        assert not published.exists() or published.read_bytes() == PICTURE, cut.call

        storage = storage_at(cut.folder)
        storage.sweep()
        storage.publish(source, RELATIVE)

        assert files_below(cut.folder) == {str(RELATIVE)}, cut.call


def test_a_disk_that_fills_up_leaves_nothing_behind(root: Path, source: Path) -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        limit = len(PICTURE) // 2
        outcome = pool.submit(publish_with_file_limit, root, source, RELATIVE, limit).result()

    assert outcome == "StorageUnavailable"
    assert files_below(root) == set()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.ESTALE, errno.EIO])
@pytest.mark.parametrize("call", ["fsync", "link"])
def test_a_condition_that_may_pass_is_told_with_what_to_do(
    root: Path, source: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    with monkeypatch.context() as failing:
        fail_with(failing, call, number)
        with pytest.raises(StorageUnavailable) as caught:
            storage_at(root).publish(source, RELATIVE)

    assert caught.value.transient
    assert caught.value.advice
    assert str(root) in caught.value.message
    assert files_below(root) == set()
    assert storage_at(root).publish(source, RELATIVE).sha256 == DIGEST


def test_a_disk_that_gives_back_other_bytes_publishes_nothing(
    root: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rot(descriptor: int, *_: int) -> None:
        os.pwrite(descriptor, b"rot", 1000)

    monkeypatch.setattr(os, "posix_fadvise", rot)

    with pytest.raises(StorageUnavailable, match="other bytes than were written"):
        storage_at(root).publish(source, RELATIVE)

    assert files_below(root) == set()


def test_nothing_is_written_into_the_reserve(root: Path, source: Path) -> None:
    storage = Storage(settings_with_root(root, reserve_mib=1 << 40))

    with pytest.raises(StorageUnavailable, match="reserve"):
        storage.publish(source, RELATIVE)

    assert files_below(root) == set()


def test_what_cannot_pass_by_itself_is_no_transient_error(root: Path, source: Path) -> None:
    (root / "PORT").write_text("a file where a folder should be")

    with pytest.raises(StorageError) as caught:
        storage_at(root).publish(source, RELATIVE)

    assert not caught.value.transient
    with pytest.raises(StorageError):
        storage_at(root).publish(source.with_name("missing.png"), PurePosixPath("a.png"))
    with pytest.raises(StorageError, match="not a file"):
        storage_at(root).publish(root, PurePosixPath("PORT"))


@pytest.mark.parametrize("relative", ["/etc/x.png", "../x.png", "PORT/../../x.png", "."])
def test_a_path_that_leaves_the_root_is_refused(root: Path, source: Path, relative: str) -> None:
    with pytest.raises(PathRefused):
        storage_at(root).publish(source, PurePosixPath(relative))


def test_a_folder_link_that_leaves_the_root_is_refused(
    root: Path, source: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (root / "PORT").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(PathRefused, match="leads out"):
        storage_at(root).publish(source, RELATIVE)

    assert files_below(tmp_path / "elsewhere") == set()


def test_a_folder_that_stands_in_another_unicode_form_is_used(root: Path, source: Path) -> None:
    standing = unicodedata.normalize("NFD", "ガラス町")
    (root / standing).mkdir()

    stored = storage_at(root).publish(source, PurePosixPath("ガラス町/a.png"))

    assert stored.relative == f"{standing}/a.png"
    assert [path.name for path in root.iterdir() if path.name != ".haikei"] == [standing]


def test_what_is_published_once_is_made_by_the_first_and_given_to_all(
    root: Path, source: Path, tmp_path: Path
) -> None:
    storage = storage_at(root)
    second = tmp_path / "second.png"
    second.write_bytes(b"other bytes")
    asked: list[Path] = []

    def make(path: Path) -> Path:
        asked.append(path)
        return path

    first = storage.publish_once(RELATIVE, lambda: make(source))
    again = storage.publish_once(RELATIVE, lambda: make(second))

    assert asked == [source]
    assert again == first
    assert first.path.read_bytes() == PICTURE


def test_who_was_slower_gets_what_the_quicker_one_published(
    root: Path, source: Path, tmp_path: Path
) -> None:
    storage = storage_at(root)
    slower = tmp_path / "slower.png"
    slower.write_bytes(b"other bytes")

    def overtaken() -> Path:
        storage.publish(source, RELATIVE)
        return slower

    found = storage.publish_once(RELATIVE, overtaken)

    assert found.sha256 == DIGEST
