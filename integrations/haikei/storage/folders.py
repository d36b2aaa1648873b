"""Folders on a shared mount: made for the group, found by name, and synced."""

import contextlib
import os
import stat
import unicodedata
from pathlib import Path


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
