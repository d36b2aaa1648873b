"""
What a Targa file says of its alpha, which its pixels alone do not show.

Source: Truevision TGA File Format Specification 2.0, fields 5.6 (image descriptor), 8 (footer)
and 24 (attributes type of the extension area).
"""

import struct
from dataclasses import dataclass
from pathlib import Path

from haikei.errors import ImageUnreadable

_HEADER = struct.Struct("<BBB HHB HHHH BB")
_FOOTER = struct.Struct("<II18s")
_SIGNATURE = b"TRUEVISION-XFILE.\0"
_ATTRIBUTES = 494  #: from the start of the extension area
_USEFUL, _PREMULTIPLIED = 3, 4
_PALETTES = frozenset({1, 9})
_GREYS = frozenset({3, 11})


@dataclass(frozen=True, slots=True, kw_only=True)
class TargaAlpha:
    """What the last channel of a Targa file is."""

    exists: bool  #: whether it is transparency at all
    premultiplied: bool
    grey: bool  #: whether the picture is grey


def targa_alpha(path: Path) -> TargaAlpha:
    """
    Return what the last channel of a file is.

    Raises:
        ImageUnreadable: its transparency is stored in a way that is not read.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEADER.size)
        if len(head) < _HEADER.size:
            return TargaAlpha(exists=False, premultiplied=False, grey=False)
        _, _, kind, _, _, entry_bits, _, _, _, _, bits, descriptor = _HEADER.unpack(head)
        attributes = _attributes(path, file.seek(0, 2))
    alpha_bits = descriptor & 0x0F
    exists = alpha_bits > 0 and attributes not in {0, 1, 2}
    if exists and ((kind in _PALETTES and entry_bits == 32) or (bits == 16 and kind not in _GREYS)):
        raise ImageUnreadable(
            f"{path.name} has transparency in a palette or in 16 bits, which is not read.",
            advice="Save it as a Targa file of 32 bits, or as PNG.",
        )
    return TargaAlpha(
        exists=exists, premultiplied=attributes == _PREMULTIPLIED, grey=kind in _GREYS
    )


def _attributes(path: Path, size: int) -> int | None:
    """Return the attributes type, None for a file without an extension area."""
    if size < _FOOTER.size:
        return None
    with path.open("rb") as file:
        file.seek(size - _FOOTER.size)
        extension, _, signature = _FOOTER.unpack(file.read(_FOOTER.size))
        if signature != _SIGNATURE or not 0 < extension <= size - _ATTRIBUTES - 1:
            return None
        file.seek(extension + _ATTRIBUTES)
        return file.read(1)[0]
