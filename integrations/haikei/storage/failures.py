"""Turn what the operating system says of a mount into what a person can do about it."""

import errno
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from haikei.errors import StorageError, StorageUnavailable

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
        raise StorageError(
            message, advice="Check the folder and what the account Haikei runs as may do there."
        ) from error
