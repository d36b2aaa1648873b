"""
Bits of C2PA's boxes that no hash covers and no engine looks at.

A description box begins with its type and one byte of toggles, of which ISO 19566-5 reserves the
upper three: they shall be zero. In the boxes of the store, of its manifests and of their parts, the
byte stands outside everything that is signed.
"""

import mmap
import re
from pathlib import Path

_RESERVED = re.compile(
    rb"jumdc2..\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71[\x20-\xff]",
    re.DOTALL,
)


def reserved_bits_set(path: Path, store: bytes | None) -> bool:
    """
    Tell whether a reserved bit is set in the marks of a file, or in `store`, its sidecar's bytes.

    Raises:
        OSError: the file cannot be read.
    """
    if store is not None:
        return _RESERVED.search(store) is not None
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return _RESERVED.search(data) is not None
