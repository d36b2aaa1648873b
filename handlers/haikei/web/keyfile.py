"""The key under which sessions are signed: made on first use, readable by its owner alone."""

import os
import secrets
import threading
from contextlib import suppress
from pathlib import Path

from haikei.errors import StateError

_BYTES = 32


def session_key(folder: Path) -> bytes:
    """
    Return the key that is kept in a folder.

    Raises:
        StateError: it can be neither read nor made.
    """
    path = folder / "web-sessions.key"
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as error:
        raise StateError(f"No key for sessions can be kept in {folder}: {error}.") from error
    if len(key) < _BYTES:
        raise StateError(
            f"The key {path} is damaged.", advice="Remove it; people then sign in anew."
        )
    return key


def _make(path: Path) -> None:
    mine = path.with_name(f".{path.name}-{os.getpid()}-{threading.get_ident()}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(secrets.token_bytes(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # Of two servers that start at once, one makes the key and the other takes it.
        with suppress(FileExistsError):
            path.hardlink_to(mine)
    finally:
        mine.unlink(missing_ok=True)
