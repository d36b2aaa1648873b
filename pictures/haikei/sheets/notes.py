"""Notes on a sheet: what is written in its margin, and on the picture itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from haikei.sheets.frame_lines import FrameLine
from haikei.sheets.sheet import Ink, Mask, PegHole, SheetNote


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoundNotes:
    """Notes, and the ink of those that stand on the picture."""

    notes: tuple[SheetNote, ...]
    mask: Mask | None
    doubts: tuple[str, ...]


def find_notes(
    drawing: Ink,
    everything: Ink,
    *,
    inside: Mask | None,
    pegs: Sequence[PegHole],
    frames: Sequence[FrameLine],
) -> FoundNotes:
    return FoundNotes(notes=(), mask=None, doubts=())
