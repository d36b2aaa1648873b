"""Put a file where it is published: whole or not at all, durable, and never over another."""

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from haikei.errors import AlreadyPublished, StorageError, StorageUnavailable
from haikei.files import sha256_of
from haikei.storage.folders import explained, grant, make_folder, name_exclusively, sync_folder
from haikei.storage.writing_marks import WritingMark

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
