"""
Put a file where it is published: whole or not at all, durable, and never over another.

Each write below a root first puts a small file into `<root>/.haikei/writing/`, locked for as long
as its writer lives, so that what a killed process leaves behind is found and removed. The sweep
looks at these marks alone, never through the whole tree.
"""

import fcntl
import hashlib
import os
import platform
import re
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

import structlog

from haikei.errors import AlreadyPublished, StorageError, StorageUnavailable
from haikei.files import sha256_of
from haikei.storage.folders import (
    entries,
    explained,
    grant,
    make_folder,
    name_exclusively,
    sync_folder,
)

log = structlog.get_logger()

WRITING = PurePosixPath(".haikei/writing")

_HOST = re.sub(r"[^A-Za-z0-9-]", "-", platform.node()) or "localhost"
_PROCESS = secrets.token_hex(4)
_NAME = re.compile(r"([A-Za-z0-9-]+)\.(\d+)\.([0-9a-f]{8})\.([0-9a-f]{12})")

#: Seconds for which a mark is left alone though nobody seems to hold it: a process id is used
#: again, and a lock on a network mount may be local to its host.
_DOUBT_HERE = 60.0
_DOUBT_ELSEWHERE = 24 * 3600.0


class WritingMark:
    """
    A locked file that says: this process is writing below this root.

    Used as a context manager; it is gone when the block ends, however it ends.
    """

    def __init__(self, root: Path) -> None:
        self._serial = secrets.token_hex(6)
        name = f"{_HOST}.{os.getpid()}.{_PROCESS}.{self._serial}"
        self.path = root / WRITING / name
        self._descriptor = -1

    @property
    def temporary_name(self) -> str:
        """The name, in any folder below the root, of the temporary file this mark stands for."""
        return _temporary_name(self._serial)

    def __enter__(self) -> Self:
        make_folder(self.path.parent, group=0o070)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._descriptor = os.open(self.path, flags, 0o666)
        grant(self.path, 0o060)
        _lock(self._descriptor)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def write(self, text: str, *, durable: bool) -> None:
        """Put `text` into the mark; `durable` also against loss of power."""
        os.write(self._descriptor, text.encode())
        if durable:
            os.fsync(self._descriptor)


def sweep(root: Path) -> tuple[Path, ...]:
    """Remove what dead writers left below `root`, and return it; a live writer's is untouched."""
    removed: list[Path] = []
    folder = root / WRITING
    for name in entries(folder):
        found = _NAME.fullmatch(name)
        if found is None:
            continue
        owner = _Owner(
            host=found[1], pid=int(found[2]), process=found[3], temporary=_temporary_name(found[4])
        )
        try:
            removed += _sweep_mark(root, folder / name, owner)
        except FileNotFoundError:
            continue  # its writer came to its end meanwhile
        except OSError as error:
            log.warning("sweep_failed", mark=str(folder / name), error=str(error))
    return tuple(removed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Owner:
    host: str
    pid: int
    process: str
    temporary: str


def _sweep_mark(root: Path, mark: Path, owner: _Owner) -> list[Path]:
    descriptor = os.open(mark, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        locked = _lock(descriptor)
        age = time.time() - os.fstat(descriptor).st_mtime
        if locked is False or not _abandoned(owner, locked=locked is True, age=age):
            return []
        relative = PurePosixPath(os.read(descriptor, 1 << 16).decode(errors="replace"))
        left = root / relative
        removed: list[Path] = []
        # The mark is only believed when it names a file that this very writer would have made.
        if left.name == owner.temporary and left.parent.resolve().is_relative_to(root.resolve()):
            try:
                left.unlink()
            except FileNotFoundError:
                log.debug("sweep_found_nothing", mark=str(mark))
            else:
                removed.append(left)
        mark.unlink()
        log.info("swept", mark=str(mark), removed=[str(path) for path in removed])
        return removed
    finally:
        os.close(descriptor)


def _abandoned(owner: _Owner, *, locked: bool, age: float) -> bool:
    if owner.host != _HOST:
        return locked and age > _DOUBT_ELSEWHERE
    if owner.pid == os.getpid():
        # Same number, another life: usual in containers, where we are often process 1.
        return owner.process != _PROCESS
    if not _runs(owner.pid):
        return True
    return locked and age > _DOUBT_HERE


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _lock(descriptor: int) -> bool | None:
    """Take the lock: True when taken, False when another holds it, None when there are no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _temporary_name(serial: str) -> str:
    return f".haikei-{serial}.part"


_CHUNK = 1 << 20
_MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One file to publish."""

    source: Path
    root: Path
    relative: PurePosixPath  #: below the root
    reserve: int  #: bytes that must stay free


def publish(publication: Publication) -> str:
    """
    Copy the source to its published path and return the SHA-256 of its bytes.

    The same bytes there already are a success and are left as they are. A cut at any point leaves
    either no file or the whole file under the published name.

    Raises:
        AlreadyPublished: other bytes stand there.
        StorageUnavailable: the disk is full or the mount is away; nothing is left behind.
        StorageError: the source cannot be read, or the path cannot be written.
    """
    final = publication.root / publication.relative
    with explained("Reading", publication.source):
        size = publication.source.stat().st_size
    with explained("Reading", final):
        before = _published_digest(final, size)
    if before is not None:
        return _agreed(publication.source, before, final)
    with explained("Publishing", final):
        make_folder(final.parent, group=0o050)
        _check_space(final.parent, size, publication.reserve)
        with WritingMark(publication.root) as mark:
            temporary = final.with_name(mark.temporary_name)
            mark.write(str(publication.relative.with_name(temporary.name)), durable=False)
            try:
                digest = _copy(publication.source, temporary)
                named = name_exclusively(temporary, final)
            finally:
                temporary.unlink(missing_ok=True)
            sync_folder(final.parent)
        if named:
            return digest
        after = _digest(final)
    if after == digest:
        return digest
    raise _occupied(final)


def _agreed(source: Path, published: str, final: Path) -> str:
    with explained("Reading", source):
        if _digest(source) == published:
            return published
    raise _occupied(final)


def _occupied(final: Path) -> AlreadyPublished:
    return AlreadyPublished(
        f"Other bytes are published at {final}.",
        advice="Publish under a new version number; a published file never changes.",
    )


def _published_digest(final: Path, size: int) -> str | None:
    """Return the digest of what is published at `final`; empty when its size differs already."""
    try:
        published = final.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _digest(final) if published.st_size == size else ""


def _check_space(folder: Path, size: int, reserve: int) -> None:
    free = shutil.disk_usage(folder).free
    if free - size < reserve:
        raise StorageUnavailable(
            f"{folder} has {free // _MIB} MiB free: {size // _MIB + 1} MiB are to be written "
            f"and {reserve // _MIB} MiB are kept in reserve.",
            advice="Free some space there, or lower storage.reserve_mib.",
        )


def _copy(source: Path, temporary: Path) -> str:
    """Copy, sync, read back and compare; return the SHA-256 of the bytes."""
    digest = hashlib.sha256()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with source.open("rb") as reader, os.fdopen(os.open(temporary, flags, 0o666), "wb") as writer:
        while chunk := reader.read(_CHUNK):
            digest.update(chunk)
            writer.write(chunk)
        writer.flush()
        descriptor = writer.fileno()
        grant(temporary, 0o040)
        os.fsync(descriptor)
        # What is read back should come from the disk, not from memory.
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    if _digest(temporary) != digest.hexdigest():
        raise StorageUnavailable(
            f"{temporary.parent} gave back other bytes than were written.",
            advice="Check the disk or the mount; the file was not published.",
        )
    return digest.hexdigest()


def _digest(path: Path) -> str:
    if not path.is_file():
        raise StorageError(f"{path} is not a file.")
    return sha256_of(path)
