"""Version numbers: no two publishers ever share one, whatever is cut off where."""

import ctypes
import errno
import multiprocessing
import os
import unicodedata
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from haikei.errors import PathRefused, StorageError, StorageUnavailable
from haikei.show import Place
from haikei.storage import Storage
from support.storage import PLACE, claim_many, killed_claimers, settings_with_root, storage_at


def claim(storage: Storage, key: str, *, place: Place = PLACE, at_least: int = 0) -> int:
    return storage.claim_version(place=place, stream="summer_day", key=key, at_least=at_least)


def test_numbers_count_from_one_and_a_key_keeps_its_own(tmp_path: Path) -> None:
    storage = storage_at(tmp_path)

    assert [claim(storage, key) for key in ("a", "b", "c", "a", "b")] == [1, 2, 3, 1, 2]


def test_a_number_is_above_the_trackers_highest(tmp_path: Path) -> None:
    storage = storage_at(tmp_path)

    assert claim(storage, "a", at_least=41) == 42
    assert claim(storage, "b") == 43
    assert claim(storage, "a", at_least=99) == 42


@pytest.mark.parametrize("found", ["v012", "v012/c012_bg_summer_day_v012.png"])
def test_a_number_is_above_what_stands_on_disk(tmp_path: Path, found: str) -> None:
    path = tmp_path / "PORT/s01/c012/background/summer_day" / found
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir()
    (path.parent / "v9x").mkdir()

    assert claim(storage_at(tmp_path), "a") == 13


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("{project}/[{sequence}/]{shot}/bg_{season}_{time}_v{version}.{ext}", "port/S01/C012/bg_"),
        ("{project}/[{episode}/]{shot}/bg[_{sequence}]_{season}_{time}_v{version}.{ext}", ""),
    ],
)
def test_numbers_on_disk_are_found_through_optional_parts_in_any_letter_case(
    tmp_path: Path, template: str, found: str
) -> None:
    folder = tmp_path / (found or "PORT/c012/bg_s01_")
    folder.parent.mkdir(parents=True)
    (folder.parent / f"{folder.name}summer_day_v7.png").touch()
    settings = settings_with_root(
        tmp_path, background=template, stage=template.replace("_v{", "_{stage}_v{")
    )

    assert claim(Storage(settings), "a") == 8


def test_numbers_on_disk_are_found_in_flat_file_names_of_the_same_stream(tmp_path: Path) -> None:
    settings = settings_with_root(
        tmp_path, background="{project}/bg/{ext}/{shot}_{season}_{time}_v{version}.{ext}"
    )
    folder = tmp_path / "PORT/bg/png"
    folder.mkdir(parents=True)
    for name in ("c012_summer_day_v5.png", "c012_winter_day_v8.png", "c013_summer_day_v9.png"):
        (folder / name).touch()

    assert claim(Storage(settings), "a") == 6


def test_shots_sequences_and_streams_are_numbered_apart(tmp_path: Path) -> None:
    storage = storage_at(tmp_path)
    claim(storage, "a")

    assert claim(storage, "b", place=Place(project="PORT", sequence="s01", shot="c013")) == 1
    assert claim(storage, "c", place=Place(project="PORT", sequence="s02", shot="c012")) == 1
    assert storage.claim_version(place=PLACE, stream="winter_day", key="d", at_least=0) == 1


def test_streams_that_share_a_path_share_their_numbers(tmp_path: Path) -> None:
    storage = Storage(settings_with_root(tmp_path, background="{shot}_v{version}.{ext}"))

    first = storage.claim_version(place=PLACE, stream="summer_day", key="a", at_least=0)
    second = storage.claim_version(place=PLACE, stream="winter_day", key="b", at_least=0)

    assert (first, second) == (1, 2)


def test_letter_case_and_unicode_form_make_no_second_shot(tmp_path: Path) -> None:
    storage = storage_at(tmp_path)
    composed = Place(project="港", sequence="S01", shot="ガ12")
    decomposed = Place(project="港", sequence="s01", shot=unicodedata.normalize("NFD", "ガ12"))

    assert claim(storage, "a", place=composed) == 1
    assert claim(storage, "b", place=decomposed) == 2


def test_a_name_that_would_leave_the_claims_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PathRefused):
        claim(storage_at(tmp_path), "a", place=Place(project="..", sequence="s", shot="c"))


def test_a_root_that_is_away_may_come_back(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="not there"):
        claim(storage_at(tmp_path / "unmounted"), "a")


def test_eight_racing_publishers_never_share_a_number(tmp_path: Path) -> None:
    publishers, count = 8, 50
    with ProcessPoolExecutor(publishers, multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(claim_many, tmp_path, index, count) for index in range(publishers)]
        claimed = [pair for future in futures for pair in future.result()]

    numbers: dict[str, set[int]] = defaultdict(set)
    for key, number in claimed:
        numbers[key].add(number)
    assert all(len(of_one_key) == 1 for of_one_key in numbers.values())
    assert len({number for of_one_key in numbers.values() for number in of_one_key}) == len(numbers)
    assert len(numbers) == publishers * 40 + 10


def test_a_publisher_killed_anywhere_gets_its_number_when_it_runs_again(tmp_path: Path) -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        cuts, _ = pool.submit(killed_claimers, tmp_path, "job").result()

    assert {cut.call for cut in cuts} >= {"open", "mkdir", "write", "fsync", "link", "unlink"}
    for cut in cuts:
        storage = storage_at(cut.folder)
        storage.sweep()
        other = claim(storage, "another job", at_least=6)
        mine = claim(storage, "job", at_least=6)

        assert {other, mine} == {7, 8}, cut.call
        assert claim(storage, "job", at_least=30) == mine
        assert list((cut.folder / ".haikei/writing").iterdir()) == []


def test_a_mount_that_cannot_create_names_exclusively_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OldKernel:
        def renameat2(self, *_: object) -> int:
            ctypes.set_errno(errno.EINVAL)
            return -1

    def old_kernel(*_: object, **__: object) -> OldKernel:
        return OldKernel()

    def no_links(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", no_links)
    monkeypatch.setattr(ctypes, "CDLL", old_kernel)

    with pytest.raises(StorageError, match="neither link nor rename") as caught:
        claim(storage_at(tmp_path), "a")

    assert not caught.value.transient
