"""Files that appear whole, keys that are kept in them, and the hash of their bytes."""

import hashlib
import os
import secrets
import threading
from contextlib import suppress
from pathlib import Path

from haikei.errors import StateError

_KEY_BYTES = 32


def sha256_of(path: Path) -> str:
    """
    Return the SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_whole(path: Path, content: bytes, *, durable: bool = True) -> None:
    """
    Write a file that is there with all its bytes or not at all; one of that name is replaced.

    Args:
        path: its folder must exist. Of several writers at once the last one wins.
        content: all bytes.
        durable: against loss of power as well.

    Raises:
        OSError: it cannot be written.
    """
    mark = f"{os.getpid()}.{threading.get_ident()}"
    temporary = path.with_name(f".{path.name}.{mark}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def secret_key(path: Path, *, advice: str) -> bytes:
    """
    Return the key of 32 random bytes that is kept in a file of its owner's; made if need be.

    Args:
        path: the file.
        advice: what to do with a damaged one.

    Raises:
        StateError: it can be neither read nor made.
    """
    try:
        if not path.exists():
            _make_key(path)
        key = path.read_bytes()
    except OSError as error:
        raise StateError(f"The key {path} can be neither read nor made: {error}.") from error
    if len(key) < _KEY_BYTES:
        raise StateError(f"The key {path} is damaged.", advice=advice)
    return key


def _make_key(path: Path) -> None:
    mine = path.with_name(f".{path.name}-{os.getpid()}-{threading.get_ident()}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # Of two processes that start at once, one makes the key and the other takes it.
        with suppress(FileExistsError):
            path.hardlink_to(mine)
    finally:
        mine.unlink(missing_ok=True)
