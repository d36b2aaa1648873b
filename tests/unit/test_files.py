"""Files that appear whole or not at all."""

import hashlib
import threading
from pathlib import Path

import pytest

from haikei.files import sha256_of, write_whole


def test_a_file_is_replaced_as_a_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "record.json"

    write_whole(path, b"first")
    write_whole(path, b"second", durable=False)

    assert path.read_bytes() == b"second"
    assert list(tmp_path.iterdir()) == [path]
    assert sha256_of(path) == hashlib.sha256(b"second").hexdigest()


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_no_part(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.mkdir()

    with pytest.raises(OSError, match=r"record\.json"):
        write_whole(path, b"content")

    assert list(tmp_path.iterdir()) == [path]


def test_many_writers_leave_one_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    contents = [bytes([number]) * 100_000 for number in range(8)]
    threads = [threading.Thread(target=write_whole, args=(path, one)) for one in contents]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert path.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [path]
