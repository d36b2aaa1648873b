"""Folders that cannot be read, for tests that may run as root too."""

import ctypes
import struct
from collections.abc import Generator
from contextlib import contextmanager

# Linux capabilities, version 3 (capget(2)): DAC_OVERRIDE is bit 1, DAC_READ_SEARCH bit 2.
_VERSION = 0x20080522
_ACCESS = 0b110


@contextmanager
def without_privileges() -> Generator[None]:
    """Have file modes count for this thread even if it belongs to root."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = ctypes.create_string_buffer(struct.pack("Ii", _VERSION, 0))
    before = ctypes.create_string_buffer(24)
    assert libc.capget(header, before) == 0
    words = list(struct.unpack("6I", before.raw[:24]))
    words[0] &= ~_ACCESS
    assert libc.capset(header, ctypes.create_string_buffer(struct.pack("6I", *words))) == 0
    try:
        yield
    finally:
        assert libc.capset(header, before) == 0
