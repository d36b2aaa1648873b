"""Uploaded bytes are stored whole or not at all, below names that no client chose."""

import hashlib
import resource
from pathlib import Path

import pytest

from haikei.errors import StorageUnavailable
from haikei.sgserver.media.media_store import MediaStore, Rendition, write_atomically
from haikei.sgserver.values import Fault


@pytest.fixture
def media(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "attachments", limit=1000, reserve=0)


def _files(media: MediaStore) -> list[Path]:
    return [path for path in media.folder.rglob("*") if path.is_file()]


def test_a_finished_file_is_found_by_its_number(media: MediaStore) -> None:
    with media.receive() as arrival:
        arrival.write(b"one")
        arrival.write(b"two")
        received = arrival.finish()
    media.keep(received, 1007)

    assert media.original(1007).read_bytes() == b"onetwo"
    assert received.size == 6
    assert received.md5 == hashlib.md5(b"onetwo").hexdigest()
    assert _files(media) == [media.original(1007)]


def test_a_file_that_is_not_finished_leaves_nothing(media: MediaStore) -> None:
    with media.receive() as arrival:
        arrival.write(b"half")

    assert _files(media) == []


def test_what_a_killed_server_left_half_received_is_removed(media: MediaStore) -> None:
    (media.folder / "incoming" / "leftover").write_bytes(b"half")

    again = MediaStore(media.folder, limit=1000, reserve=0)

    assert _files(again) == []


def test_a_file_beyond_the_limit_is_refused_while_it_comes(media: MediaStore) -> None:
    with media.receive() as arrival:
        arrival.write(b"x" * 800)

        with pytest.raises(Fault, match="larger than"):
            arrival.write(b"x" * 400)

    assert _files(media) == []


def test_an_announced_size_beyond_the_limit_is_refused_at_once(media: MediaStore) -> None:
    with pytest.raises(Fault, match="larger than"):
        media.receive(expected=10_000_000)


def test_a_disk_without_room_is_reported_before_anything_is_written(tmp_path: Path) -> None:
    media = MediaStore(tmp_path / "attachments", limit=1000, reserve=2**62)

    with pytest.raises(StorageUnavailable, match="disk is full"):
        media.receive()


def test_a_disk_that_fills_up_meanwhile_is_reported(tmp_path: Path) -> None:
    media = MediaStore(tmp_path / "attachments", limit=10**6, reserve=0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    with media.receive() as arrival:
        arrival.write(b"x" * 1000)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
        try:
            with pytest.raises(StorageUnavailable, match="disk is full"):
                arrival.finish()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert _files(media) == []


def test_forgetting_removes_the_pictures_made_of_it_too(media: MediaStore) -> None:
    with media.receive() as arrival:
        arrival.write(b"x")
        media.keep(arrival.finish(), 5)
    media.rendition(5, Rendition.THUMBNAIL).write_bytes(b"y")

    media.forget(5)

    assert _files(media) == []


def test_a_finished_file_takes_no_more_bytes(media: MediaStore) -> None:
    with media.receive() as arrival:
        arrival.finish()

        with pytest.raises(ValueError, match="finished already"):
            arrival.write(b"x")
        with pytest.raises(ValueError, match="finished already"):
            arrival.finish()


def test_a_small_file_that_cannot_be_written_is_reported_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    target = tmp_path / "name"
    target.mkdir()

    with pytest.raises(StorageUnavailable, match="cannot write"):
        write_atomically(target, b"x")

    assert list(tmp_path.iterdir()) == [target]
