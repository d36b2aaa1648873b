"""What stands on a layout sheet: the drawing, frames, pegs, notes, trace lines and paper."""

from haikei.sheets.sheet import (
    Area,
    Corner,
    FrameUse,
    NoteKind,
    Paper,
    PaperTint,
    PegHole,
    PegShape,
    SheetFrame,
    SheetNote,
    SheetReading,
    TraceColour,
    TraceLines,
    TraceRole,
    TraceRoles,
)
from haikei.sheets.sheet_reading import line_art, read_sheet

__all__ = [
    "Area",
    "Corner",
    "FrameUse",
    "NoteKind",
    "Paper",
    "PaperTint",
    "PegHole",
    "PegShape",
    "SheetFrame",
    "SheetNote",
    "SheetReading",
    "TraceColour",
    "TraceLines",
    "TraceRole",
    "TraceRoles",
    "line_art",
    "read_sheet",
]
