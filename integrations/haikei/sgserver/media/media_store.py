"""
The bytes uploaded to the site, by attachment number, and addresses that open one of
them for a while.
"""

import errno
import hashlib
import hmac
import os
import secrets
import shutil
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from haikei.errors import StorageUnavailable
from haikei.sgserver.values import failed

_MIB = 1024 * 1024
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Rendition(StrEnum):
    """What is made of an uploaded image; the value ends its file name."""

    THUMBNAIL = "thumbnail.jpg"  #: what lists show
    REVIEW = "review.jpg"  #: what a person looks at in a browser


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A complete file that has no number yet."""

    path: Path
    size: int  #: bytes
    md5: str  #: hexadecimal; cloud storages call it the ETag


class Arrival:
    """
    A file that is coming in, below its own random name; gone unless it is finished.

    Raises:
        Fault: it grows beyond the limit.
        StorageUnavailable: the disk is full.
    """

    def __init__(self, path: Path, *, limit: int) -> None:
        self._path = path
        self._limit = limit
        self._size = 0
        self._digest = hashlib.md5(usedforsecurity=False)
        self._file: BinaryIO | None = path.open("xb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.abandon()

    def write(self, chunk: bytes) -> None:
        """Append bytes."""
        if self._file is None:
            message = "this file is finished already"
            raise ValueError(message)
        self._size += len(chunk)
        if self._size > self._limit:
            raise failed(f"The file is larger than {self._limit // _MIB} MiB, the site's limit.")
        self._digest.update(chunk)
        try:
            self._file.write(chunk)
        except OSError as error:
            raise _disk_error(error, self._path) from error

    def finish(self) -> Received:
        """Bring the file to the disk for good and hand it over."""
        if self._file is None:
            message = "this file is finished already"
            raise ValueError(message)
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _disk_error(error, self._path) from error
        self._file.close()
        self._file = None
        return Received(path=self._path, size=self._size, md5=self._digest.hexdigest())

    def abandon(self) -> None:
        """Throw away what came, unless it was finished."""
        if self._file is not None:
            self._file.close()
            self._file = None
            self._path.unlink(missing_ok=True)


class MediaStore:
    """
    One folder with everything that was uploaded.

    Names in it are numbers that the site gave and random words, never what a client sent.

    Args:
        folder: made when it is not there; what a killed server left half received is removed.
        limit: bytes that one file may have.
        reserve: bytes that must stay free on the disk.
    """

    def __init__(self, folder: Path, *, limit: int, reserve: int) -> None:
        self.folder = folder
        self.limit = limit
        self._reserve = reserve
        self._incoming = folder / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)
        for leftover in self._incoming.iterdir():
            leftover.unlink()

    def receive(self, expected: int = 0) -> Arrival:
        """
        Open a file for bytes that come in.

        Args:
            expected: bytes that the client announced, 0 for unknown.

        Raises:
            Fault: more is announced than the site takes.
            StorageUnavailable: the disk has no room for it.
        """
        if expected > self.limit + _MIB:  # the form around a file is small
            raise failed(f"The file is larger than {self.limit // _MIB} MiB, the site's limit.")
        if shutil.disk_usage(self._incoming).free - expected < self._reserve:
            raise StorageUnavailable(
                f"The site's disk is full: {self.folder}.", advice="Free some space and try again."
            )
        return Arrival(self._incoming / secrets.token_hex(16), limit=self.limit)

    def keep(self, received: Received, attachment: int) -> None:
        """Give a file its number."""
        target = self.original(attachment)
        target.parent.mkdir(exist_ok=True)
        received.path.replace(target)
        _sync_folder(target.parent)

    def original(self, attachment: int) -> Path:
        """Return where an attachment's bytes stand, or would stand."""
        return self.folder / f"{attachment % 1000:03d}" / str(attachment)

    def rendition(self, attachment: int, rendition: Rendition) -> Path:
        """Return where a picture made of an attachment stands, or would stand."""
        original = self.original(attachment)
        return original.with_name(f"{original.name}.{rendition}")

    def forget(self, attachment: int) -> None:
        """Remove an attachment's bytes."""
        self.original(attachment).unlink(missing_ok=True)
        for rendition in Rendition:
            self.rendition(attachment, rendition).unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write a small file so that it is there whole or not at all, also after a power cut."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        temporary.touch(mode, exist_ok=False)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _disk_error(error, path) from error
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _disk_error(error: OSError, path: Path) -> Exception:
    if error.errno in _FULL:
        return StorageUnavailable(
            f"The site's disk is full: {path.parent}.", advice="Free some space and try again."
        )
    return StorageUnavailable(
        f"The site cannot write to {path.parent}: {error.strerror}.",
        advice="Check the folder and its permissions.",
    )


#: Seconds that a signed address holds at least; the real site's hold this long.
LIFETIME = 900


class AddressSigner:
    """
    Signs paths with HMAC-SHA256 under the site's own key.

    The end of an address's life is rounded up to whole lifetimes, so that the same picture keeps
    its address for a while and browsers can cache it.
    """

    def __init__(self, key: bytes, *, lifetime: int = LIFETIME) -> None:
        self._key = key
        self._lifetime = lifetime

    @classmethod
    def open(cls, key_file: Path, *, lifetime: int = LIFETIME) -> "AddressSigner":
        """Use the key in that file; make one when there is none."""
        if not key_file.exists():
            write_atomically(key_file, secrets.token_bytes(32), mode=0o600)
        return cls(key_file.read_bytes(), lifetime=lifetime)

    def sign(self, path: str) -> str:
        """Return the path with the query that opens it."""
        expires = (int(time.time()) // self._lifetime + 2) * self._lifetime
        return f"{path}?expires={expires}&signature={self.signature(f'{path}:{expires}')}"

    def holds(self, path: str, *, expires: str | None, signature: str | None) -> bool:
        """Tell whether this path was signed and its time is not over."""
        if not expires or not signature or not expires.isascii() or not expires.isdigit():
            return False
        return self.is_signature(signature, of=f"{path}:{expires}") and int(expires) > time.time()

    def is_signature(self, signature: str, *, of: str) -> bool:
        """Tell whether a text was signed by this site."""
        return hmac.compare_digest(self.signature(of).encode(), signature.encode())

    def signature(self, text: str) -> str:
        """Return the signature of any text, in hexadecimal."""
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
