"""
Folders and names on a shared mount: made for the group, never anybody else's, plain errors.

A storage root says which of its folders a path is below, and what its place in a show is.
"""

import contextlib
import ctypes
import errno
import os
import stat
import unicodedata
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from haikei.errors import PathRefused, StorageDenied, StorageError, StorageUnavailable
from haikei.names import plain_name
from haikei.settings import StorageRoot
from haikei.show import Place


def composed(name: str) -> str:
    """Return `name` in Unicode form NFC; some file systems and tools decompose accents and kana."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def entries(folder: Path) -> list[str]:
    """Return the names in a folder, none when there is no such folder."""
    try:
        return [entry.name for entry in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []


def existing(folder: Path, name: str) -> Path:
    """Return the path of `name` in `folder`, as the disk spells it when it is there already."""
    path = folder / name
    if name.isascii() or os.path.lexists(path):
        return path
    wanted = composed(name)
    return next((folder / entry for entry in entries(folder) if composed(entry) == wanted), path)


def existing_folder(folder: Path, name: str) -> Path:
    """
    Return the path of a folder in `folder`, as the disk spells it when it is there already.

    Letter case does not count where no folder has the very name: `port` and `PORT` are one show.
    """
    path = existing(folder, name)
    if os.path.lexists(path):
        return path
    wanted = plain_name(name)
    alike = sorted(entry for entry in entries(folder) if plain_name(entry) == wanted)
    return next((one for one in (folder / entry for entry in alike) if one.is_dir()), path)


def make_folder(folder: Path, *, group: int) -> None:
    """
    Make a folder and those above it; the entry of each new one is synced to disk.

    Args:
        folder: what to make; it may stand already.
        group: permission bits that the group gets on each new folder, whatever the umask says.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent, group=group)
    try:
        folder.mkdir()
    except FileExistsError:
        return
    grant(folder, group)
    sync_folder(folder.parent)


def grant(path: Path, bits: int) -> None:
    """Add permission bits, whatever the umask says, where the mount keeps permissions at all."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & bits != bits:
        with contextlib.suppress(PermissionError):
            path.chmod(mode | bits)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# <linux/fs.h> and <fcntl.h>
_RENAME_NOREPLACE = 1
_AT_FDCWD = -100

_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
_NO_EXCLUSIVE_RENAME = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})


def name_exclusively(temporary: Path, final: Path) -> bool:
    """
    Give the file at `temporary` the name `final` too, in one step; return False if it is taken.

    A hard link does it on local disks and on NFS, where a rename would silently replace. Mounts
    that refuse links (SMB, FAT) get renameat2(2) with RENAME_NOREPLACE, which moves the file.

    Raises:
        StorageError: the file system can do neither.
        OSError: anything else that the system says.
    """
    try:
        os.link(temporary, final, follow_symlinks=False)
    except FileExistsError:
        # An NFS client that sends the link again after a lost answer gets EEXIST.
        return temporary.samefile(final)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return _rename_exclusively(temporary, final)
    return True


def _rename_exclusively(temporary: Path, final: Path) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    source, target = os.fsencode(temporary), os.fsencode(final)
    if libc.renameat2(_AT_FDCWD, source, _AT_FDCWD, target, _RENAME_NOREPLACE) == 0:
        return True
    number = ctypes.get_errno()
    if number == errno.EEXIST:
        return False
    if number in _NO_EXCLUSIVE_RENAME:
        raise StorageError(
            f"The file system of {final.parent} can neither link nor rename without replacing.",
            advice="Publish to a mount that supports hard links.",
        )
    raise OSError(number, os.strerror(number), str(final))


_REMOUNT = "Check that the mount is there and its server answers."

#: Conditions that pass when somebody, or time, repairs them.
_PASSING: Mapping[int, str] = {
    errno.ENOSPC: "Free some space there.",
    errno.EDQUOT: "Free some space there, or raise the quota.",
    errno.EFBIG: "Raise the limit on file sizes for the account Haikei runs as.",
    errno.EROFS: "Check why the file system became read-only.",
    errno.EIO: "Check the disk, and that the mount's server answers.",
    errno.ESTALE: "Mount it again: the server no longer knows this folder.",
    errno.ENODEV: _REMOUNT,
    errno.ENXIO: _REMOUNT,
    errno.ENOTCONN: _REMOUNT,
    errno.EHOSTDOWN: _REMOUNT,
    errno.EHOSTUNREACH: _REMOUNT,
    errno.ETIMEDOUT: _REMOUNT,
}


@contextmanager
def explained(doing: str, path: Path) -> Generator[None]:
    """
    Raise what goes wrong inside as a storage error that names `path` and says what to do.

    Raises:
        StorageUnavailable: it may pass: full, over quota, read-only, away.
        StorageError: it will not pass by itself, such as a missing permission.
    """
    try:
        yield
    except OSError as error:
        message = f"{doing} {path} failed: {error.strerror or error}."
        advice = _PASSING.get(error.errno or 0)
        if advice is not None:
            raise StorageUnavailable(message, advice=advice) from error
        kind = StorageDenied if isinstance(error, PermissionError) else StorageError
        raise kind(
            message, advice="Check the folder and what the account Haikei runs as may do there."
        ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedLayout:
    """What a layout's path says of it."""

    place: Place
    name: str  #: the layout's stream, such as `bg`; empty when the template has none
    version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A path below a root."""

    root: StorageRoot
    relative: PurePosixPath

    @property
    def path(self) -> Path:
        """The path through the root as the settings spell it."""
        return self.root.path / self.relative


class Roots:
    """
    The mounted storage roots.

    Paths are compared name by name after symbolic links are resolved, so `/mnt/show2` is not below
    `/mnt/show`, and a link cannot lead out. Where roots are nested, the deepest one counts, as it
    does for the tracker. Roots that are symbolic links are resolved once.
    """

    def __init__(self, roots: Sequence[StorageRoot]) -> None:
        resolved = [(_folded(root.path.resolve()), root) for root in roots]
        self._deepest_first = sorted(resolved, key=lambda pair: -len(pair[0]))

    def locate(self, path: Path) -> Located | None:
        """Return where `path` is, or None when it is below no root or cannot be a path at all."""
        try:
            resolved = path.resolve() if path.is_absolute() else None
            os.fsencode(path).decode("utf-8")
        except (OSError, RuntimeError, ValueError):
            return None  # a loop of links, a null character, bytes that are no UTF-8
        if resolved is None or _loops(resolved):
            return None
        parts = _folded(resolved)
        for root_parts, root in self._deepest_first:
            depth = len(root_parts)
            if len(parts) > depth and parts[:depth] == root_parts:
                return Located(root=root, relative=PurePosixPath(*resolved.parts[depth:]))
        return None

    def require(self, path: Path) -> Located:
        """
        Return where `path` is.

        Raises:
            PathRefused: it is below no root.
        """
        located = self.locate(path)
        if located is None:
            known = ", ".join(str(root.path) for _, root in self._deepest_first)
            raise PathRefused(
                f"{str(path)!r} is below no storage root ({known}).",
                advice="Move the file, or add its mount to storage.roots in the settings.",
            )
        return located


def _loops(path: Path) -> bool:
    """Tell whether links lead in a circle: Python 3.13 and newer resolve them without an error."""
    try:
        path.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def _folded(path: Path) -> tuple[str, ...]:
    return tuple(composed(part) for part in path.parts)
