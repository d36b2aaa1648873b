"""How large a file from outside may be, and what the process that reads it may take and see."""

import os
import sys
from dataclasses import dataclass
from typing import Protocol, Self

from haikei.errors import ImageUnreadable

MIB = 1024 * 1024
#: Bytes a pixel of the result, (height, width, 3) float32, and of the copy that turns it upright.
_RESULT = 2 * 12
#: A library decodes into memory of its own before the samples are handed over.
_COPIES = 2
#: Address space beside the pixels: the interpreter, the libraries and the readers' own buffers.
_BASE_MIB = 3072


class _Allowed(Protocol):
    """What a studio allows of its files: the settings' section `watch`."""

    @property
    def max_megapixels(self) -> int: ...

    @property
    def max_mib(self) -> int: ...

    @property
    def max_cpu_seconds(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one file may take; the defaults are those of the settings."""

    megapixels: int = 128  #: millions of pixels
    mib: int = 4096  #: memory while it is read, in MiB
    cpu_seconds: int = 120  #: of one processor

    @classmethod
    def from_settings(cls, watch: _Allowed) -> Self:
        """Return the limits that a studio has set, in `settings.watch`."""
        return cls(
            megapixels=watch.max_megapixels, mib=watch.max_mib, cpu_seconds=watch.max_cpu_seconds
        )

    @property
    def address_space(self) -> int:
        """The most that a process which opens the file may address, in bytes."""
        return (_BASE_MIB + self.mib) * MIB

    def require(self, name: str, *, width: int, height: int, sample_bytes: int) -> None:
        """
        Make sure that a picture is within the limits, from what its header announces.

        Args:
            name: of the file, for the message.
            width: in pixels.
            height: in pixels.
            sample_bytes: of one pixel with all its channels, as they are stored.

        Raises:
            ImageUnreadable: it is larger than allowed.
        """
        pixels = width * height
        size = f"{name} is {width} x {height} pixels"
        if pixels > self.megapixels * 1_000_000:
            raise ImageUnreadable(
                f"{size}, {pixels / 1e6:.0f} megapixels where {self.megapixels} are allowed.",
                advice="Publish it smaller, or raise watch.max_megapixels.",
            )
        needed = pixels * (_COPIES * sample_bytes + _RESULT) // MIB
        if needed > self.mib:
            raise ImageUnreadable(
                f"{size} and takes {needed} MiB to read where {self.mib} are allowed.",
                advice="Publish it smaller, or raise watch.max_mib.",
            )


DEFAULT_LIMITS = Limits()


def reader_environment() -> dict[str, str]:
    """Return the environment of a process that opens foreign files: it needs no secret of ours."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HAIKEI_")}
    return kept | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
