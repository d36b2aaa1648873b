"""What tells one state of a file from another without reading it."""

import os
from typing import NamedTuple


class Stamp(NamedTuple):
    """Size, time and identity of a file; two looks that give the same saw the same content."""

    size: int  #: bytes
    mtime_ns: int  #: last change, nanoseconds since 1970 by the file server's clock
    inode: int


def stamp_of(stat: os.stat_result) -> Stamp:
    """Return the stamp in what `lstat` said."""
    return Stamp(stat.st_size, stat.st_mtime_ns, stat.st_ino)


def printable(path: str) -> str:
    """
    Return a path as text that a database and a terminal can take.

    Names on Linux are bytes; those that are no UTF-8 are shown with their bytes escaped.
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")
