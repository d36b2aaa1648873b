"""Give a finished file its name, and never anybody else's."""

import ctypes
import errno
import os
from pathlib import Path

from haikei.errors import StorageError

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
        # An NFS client that sends the link again after a lost answer is told that it exists.
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
