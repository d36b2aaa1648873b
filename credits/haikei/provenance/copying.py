"""Copy stretches of files without reading them at once."""

from typing import BinaryIO

from haikei.errors import MarksUnreadable

_BLOCK = 1024 * 1024


def copy_range(source: BinaryIO, target: BinaryIO, start: int, end: int) -> None:
    """
    Append the bytes from `start` up to `end` to the target.

    Raises:
        MarksUnreadable: the source ends before them.
    """
    source.seek(start)
    left = end - start
    while left > 0:
        block = source.read(min(left, _BLOCK))
        if not block:
            raise MarksUnreadable("The file became shorter while it was read.")
        target.write(block)
        left -= len(block)
