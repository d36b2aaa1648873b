"""What was read of a layout sheet: frames, pegs, notes, trace lines, paper and doubts."""

from dataclasses import dataclass
from enum import StrEnum
from math import atan2, degrees, hypot

import numpy as np
from numpy.typing import NDArray

Ink = NDArray[np.float32]  #: (height, width), 0 paper to 1 full line
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """An upright rectangle in pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Corner:
    """A point of the sheet in pixels, sub-pixel; the centre of the first pixel is (0, 0)."""

    x: float
    y: float


class FrameUse(StrEnum):
    """What a frame on a sheet is for."""

    CAMERA = "camera"
    SAFETY = "safety"  #: a line a little inside a camera's frame: never the crop


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetFrame:
    """A frame, along the middle of its line."""

    name: str  #: A, B … where the sheet has several camera frames, or empty
    use: FrameUse
    corners: tuple[Corner, Corner, Corner, Corner]  #: clockwise from the top left one
    printed: bool  #: by a printer or ruler; else by a free hand
    score: float  #: how well its four sides are drawn, 0 to 1

    @property
    def width(self) -> float:
        """The length of the upper side."""
        first, second, *_ = self.corners
        return hypot(second.x - first.x, second.y - first.y)

    @property
    def height(self) -> float:
        """The length of the left side."""
        first, last = self.corners[0], self.corners[3]
        return hypot(last.x - first.x, last.y - first.y)

    @property
    def ratio(self) -> float:
        """Width over height."""
        return self.width / max(self.height, 1e-6)

    @property
    def rotation(self) -> float:
        """Degrees that the frame is turned clockwise."""
        first, second, *_ = self.corners
        return degrees(atan2(second.y - first.y, second.x - first.x))


class PaperTint(StrEnum):
    """
    The colour of the paper.

    It says whose correction a sheet may be, and never whose it is: studios differ.
    """

    WHITE = "white"
    RED = "red"  #: pink too
    YELLOW = "yellow"
    GREEN = "green"
    BLUE = "blue"
    DARK = "dark"  #: drawn light on dark
    UNKNOWN = "unknown"  #: no paper to be seen: coloured all over


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """The paper of a sheet."""

    tint: PaperTint
    colour: tuple[float, float, float]  #: sRGB, 0 to 1
    specks: int  #: pieces of dust that were removed


class TraceColour(StrEnum):
    """The colour of lines that are no drawing."""

    RED = "red"
    BLUE = "blue"
    GREEN = "green"
    BROWN = "brown"


class TraceRole(StrEnum):
    """What lines of a colour mean; studios differ, so that it can be set."""

    LIGHT = "light"  #: edges of light, highlights
    SHADOW = "shadow"  #: edges of shadow
    BORDER = "border"  #: other borders of colours


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceRoles:
    """What each colour means."""

    red: TraceRole = TraceRole.LIGHT
    blue: TraceRole = TraceRole.SHADOW
    green: TraceRole = TraceRole.BORDER
    brown: TraceRole = TraceRole.BORDER

    def of(self, colour: TraceColour) -> TraceRole:
        """Return what lines of a colour mean."""
        match colour:
            case TraceColour.RED:
                return self.red
            case TraceColour.BLUE:
                return self.blue
            case TraceColour.GREEN:
                return self.green
            case TraceColour.BROWN:
                return self.brown


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TraceLines:
    """All lines of one colour that were taken out of the drawing, and kept."""

    colour: TraceColour
    role: TraceRole
    mask: Mask  #: (height, width) of the sheet
    share: float  #: of the painted part that they cover


class PegShape(StrEnum):
    """The shape of a peg hole."""

    ROUND = "round"
    OBLONG = "oblong"


@dataclass(frozen=True, slots=True, kw_only=True)
class PegHole:
    """A hole that holds the sheet on the peg bar."""

    shape: PegShape
    box: Area
    dark: bool  #: scanned on a dark lid


class NoteKind(StrEnum):
    """What a note on the sheet is."""

    TEXT = "text"
    RULED = "ruled"  #: lines of a form, ticks, crosses
    ARROW = "arrow"  #: arrows and leader lines


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetNote:
    """Something written on the sheet that is no drawing."""

    kind: NoteKind
    box: Area
    inside: bool  #: on the picture, not in the margin
    text: str = ""  #: as it was read; empty where nothing was
    score: float = 0.0  #: how sure the reader of `text` is, 0 to 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SheetReading:
    """A layout sheet taken apart, at its own size; nothing of it is thrown away in silence."""

    size: tuple[int, int]  #: (height, width)
    ink: Ink  #: the drawing alone, with the margin around it empty
    area: Area | None  #: what is to be painted, upright, where a margin lies around it
    inside: Mask | None  #: the same, exactly, where frames are turned; None for all of `area`
    frames: tuple[SheetFrame, ...]
    pegs: tuple[PegHole, ...]
    paper: Paper
    traces: tuple[TraceLines, ...]
    notes: tuple[SheetNote, ...]
    drawn_in: TraceColour | None  #: the colour of a drawing that is made in one coloured pencil
    doubts: tuple[str, ...]  #: what is not sure, one sentence each

    def edges(self, role: TraceRole) -> Mask | None:
        """Return where trace lines of a role lie; None where there are none."""
        meant = [one.mask for one in self.traces if one.role is role]
        if not meant:
            return None
        found = meant[0].copy()
        for mask in meant[1:]:
            found |= mask
        return found

    @property
    def light_edges(self) -> Mask | None:
        """Where edges of light are drawn."""
        return self.edges(TraceRole.LIGHT)

    @property
    def shadow_edges(self) -> Mask | None:
        """Where edges of shadow are drawn."""
        return self.edges(TraceRole.SHADOW)
