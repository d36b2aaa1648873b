"""Files that appear whole, and what names them: the hash of their bytes."""

import hashlib
import os
import threading
from pathlib import Path


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
