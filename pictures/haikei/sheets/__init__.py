"""What stands on a layout sheet: the drawing, frames, pegs, notes, trace lines and paper."""

from haikei.sheets.letter_network import LetterNetwork, letter_shapes
from haikei.sheets.overlay import draw_overlay
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
from haikei.sheets.text_reading import SheetText, can_read_texts, read_texts, with_texts

__all__ = [
    "Area",
    "Corner",
    "FrameUse",
    "LetterNetwork",
    "NoteKind",
    "Paper",
    "PaperTint",
    "PegHole",
    "PegShape",
    "SheetFrame",
    "SheetNote",
    "SheetReading",
    "SheetText",
    "TraceColour",
    "TraceLines",
    "TraceRole",
    "TraceRoles",
    "can_read_texts",
    "draw_overlay",
    "letter_shapes",
    "line_art",
    "read_sheet",
    "read_texts",
    "with_texts",
]
