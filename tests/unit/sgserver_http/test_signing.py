"""A signed address opens one path, for a while."""

import stat
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from haikei.sgserver.media.media_store import LIFETIME, AddressSigner


def _query(address: str) -> tuple[str, str, str]:
    parts = urlsplit(address)
    query = parse_qs(parts.query)
    return parts.path, query["expires"][0], query["signature"][0]


def test_a_signed_path_holds_for_at_least_one_lifetime_and_at_most_two() -> None:
    signer = AddressSigner(b"k" * 32)

    before = time.time()
    path, expires, signature = _query(signer.sign("/file_serve/thumbnail/3"))
    after = time.time()

    assert signer.holds(path, expires=expires, signature=signature)
    assert before + LIFETIME <= int(expires) <= after + 2 * LIFETIME


def test_the_same_picture_keeps_its_address_for_a_while() -> None:
    signer = AddressSigner(b"k" * 32, lifetime=3600 * 24 * 365)

    assert signer.sign("/a") == signer.sign("/a")


@pytest.mark.parametrize("change", ["path", "expires", "signature", "key", "none", "odd"])
def test_nothing_about_an_address_can_be_changed(change: str) -> None:
    signer = AddressSigner(b"k" * 32)
    path, expires, signature = _query(signer.sign("/file_serve/thumbnail/3"))

    holds = {
        "path": lambda: signer.holds(path + "0", expires=expires, signature=signature),
        "expires": lambda: signer.holds(path, expires=f"{expires}0", signature=signature),
        "signature": lambda: signer.holds(path, expires=expires, signature=signature[:-1]),
        "key": lambda: AddressSigner(b"l" * 32).holds(path, expires=expires, signature=signature),
        "none": lambda: signer.holds(path, expires=None, signature=None),
        "odd": lambda: signer.holds(path, expires="٣", signature="é"),
    }[change]()

    assert not holds


def test_an_address_whose_time_is_over_opens_nothing() -> None:
    signer = AddressSigner(b"k" * 32)
    past = str(int(time.time()) - 1)

    right = signer.signature(f"/a:{past}")

    assert not signer.holds("/a", expires=past, signature=right)


def test_the_key_is_made_once_and_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    key = tmp_path / "signing.key"

    first = AddressSigner.open(key).signature("text")
    again = AddressSigner.open(key).signature("text")

    assert first == again
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
