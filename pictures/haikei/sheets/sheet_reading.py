"""Read a layout sheet: paper, trace lines, frames, pegs and notes come apart from the drawing."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.sheets.frame_lines import (
    PRINTED,
    FrameLine,
    lies_over,
    painted_part,
    trace_frame,
    upright_area,
    without_lines,
)
from haikei.sheets.frames import SEARCHED, FoundFrames, find_frames, hull
from haikei.sheets.letter_network import LetterNetwork
from haikei.sheets.marks import peg_holes
from haikei.sheets.notes import FoundNotes, find_notes
from haikei.sheets.paper import LevelSheet, flatten, level, specks
from haikei.sheets.sheet import (
    Area,
    Corner,
    FrameUse,
    Ink,
    Mask,
    Paper,
    PaperTint,
    PegHole,
    SheetFrame,
    SheetReading,
    TraceColour,
    TraceLines,
    TraceRoles,
)
from haikei.sheets.trace_lines import own_colour, part_colours

DEFAULT_ROLES = TraceRoles()


def read_sheet(
    pixels: NDArray[np.float32],
    *,
    roles: TraceRoles = DEFAULT_ROLES,
    letters: LetterNetwork | None = None,
) -> SheetReading:
    """
    Take a layout sheet apart.

    Args:
        pixels: (height, width, 3), sRGB, 0 to 1.
        roles: what trace lines of each colour mean.
        letters: helps to decide what is writing on the picture; None goes by rules alone,
            without a trained model.
    """
    height, width = pixels.shape[:2]
    sheet = level(pixels)
    parted = part_colours(sheet)
    neutral = flatten(parted.grey)
    everything = neutral if parted.depth is None else np.maximum(neutral, flatten(parted.depth))
    pegs = peg_holes(everything, _brighter(pixels, sheet))
    found = find_frames(everything > 0.25, pegs)
    reach = 2.0 + 2.5 * max(1.0, max(height, width) / SEARCHED)
    outer, inner, safety = (
        tuple(trace_frame(everything, one, reach) for one in group)
        for group in (found.outer, found.inner, found.safety)
    )
    if found.doubts and not pegs and _more_outside(everything, outer):
        # Walls and windows are rectangles as well: what holds less than half of the ink is none.
        found = replace(found, outer=(), inner=(), safety=(), doubts=(_NO_FRAME,))
        outer = inner = safety = ()
    around = hull([one.quad for one in outer]) if outer else np.zeros((4, 2))
    if outer and found.ends:
        ends = tuple(trace_frame(everything, one, reach) for one in found.ends)
        if lies_over(everything, ends, around):
            outer = ends
    inner = tuple(
        one for one in inner if lies_over(everything, (one,), around, unmet=one.drawn > UNBROKEN)
    )
    safety = tuple(one for one in safety if _is_ruled(one) or lies_over(everything, (one,), around))
    inside = painted_part((height, width), outer) if outer else None
    within = neutral if inside is None else np.where(inside, neutral, np.float32(0))
    masks = dict(parted.masks)
    own = own_colour(within, {one: _cut(mask, inside) for one, mask in masks.items()})
    ink = neutral
    if own is not None and parted.depth is not None:
        ink = np.maximum(neutral, np.where(masks.pop(own), flatten(parted.depth), 0))
    ink, dusty = _dusted(np.asarray(ink, np.float32), sheet)
    drawing = ink if inside is None else np.where(inside, ink, np.float32(0)).astype(np.float32)
    ruled = (*inner, *safety, *(outer if len(outer) > 1 else ()))
    drawing = without_lines(drawing, ruled, around)
    area = None if inside is None else upright_area(inside)
    whole = area or Area(left=0, top=0, right=width, bottom=height)
    notes = find_notes(drawing, everything, inside=inside, area=whole, pegs=pegs, letters=letters)
    drawing = np.where(notes.mask, np.float32(0), drawing) if notes.mask is not None else drawing
    return SheetReading(
        size=(height, width),
        ink=np.ascontiguousarray(drawing, np.float32),
        area=area,
        inside=None if inside is None or _is_upright(inside) else inside,
        frames=_frames(outer, inner, safety, width),
        pegs=pegs,
        paper=Paper(tint=sheet.tint, colour=sheet.colour, specks=dusty),
        traces=_traces(masks, roles, inside),
        notes=notes.notes,
        drawn_in=own,
        doubts=_doubts(sheet, found, pegs, own, notes, outer, inner, inside),
    )


UNBROKEN = 0.97  #: the part of a ruled frame that is drawn
_NO_FRAME = "A frame was not believed: most of the drawing lies outside it. All of it is painted."


def _more_outside(ink: Ink, outer: Sequence[FrameLine]) -> bool:
    """Tell whether more ink lies outside frames than inside; their own lines count for neither."""
    if not outer:
        return False
    inside = painted_part(ink.shape, outer)
    edge = cv2.dilate(inside.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    return float(ink[~edge].sum()) > float(ink[inside].sum())


def line_art(pixels: NDArray[np.float32]) -> Ink:
    """Return the drawing of a layout alone: (height, width), 0 paper to 1 full line."""
    return read_sheet(pixels).ink


def _brighter(pixels: NDArray[np.float32], sheet: LevelSheet) -> Mask | None:
    """Return where a sheet is lighter than its paper; None where paper is white."""
    if sheet.tint is PaperTint.DARK or min(sheet.colour) > 0.965:
        return None
    # Holes are large: every other pixel shows them.
    channels = cv2.split(np.ascontiguousarray(pixels[::2, ::2]))
    over = [one - np.float32(paper) for one, paper in zip(channels, sheet.colour, strict=True)]
    least = np.asarray(cv2.min(cv2.min(over[0], over[1]), over[2]), np.float32)
    most = np.asarray(cv2.max(cv2.max(over[0], over[1]), over[2]), np.float32)
    found: Mask = (least > -0.01) & (most > 0.4 * (1 - min(sheet.colour)))
    return found


def _cut(mask: Mask, inside: Mask | None) -> Mask:
    return mask if inside is None else mask & inside


def _dusted(ink: Ink, sheet: LevelSheet) -> tuple[Ink, int]:
    if not sheet.scanned:
        return ink, 0
    dust = specks(ink)
    if dust is None:
        return ink, 0
    count, _ = cv2.connectedComponents(dust.astype(np.uint8), connectivity=8)
    return np.where(dust, np.float32(0), ink).astype(np.float32), count - 1


def _is_upright(inside: Mask) -> bool:
    area = upright_area(inside)
    return bool(inside[area.top : area.bottom, area.left : area.right].all())


def _is_ruled(frame: FrameLine) -> bool:
    """Tell whether a safety frame is ruled from corner to corner, on hardly any drawing."""
    return frame.drawn > UNBROKEN and frame.stray < PRINTED


def _frames(
    outer: Sequence[FrameLine], inner: Sequence[FrameLine], safety: Sequence[FrameLine], width: int
) -> tuple[SheetFrame, ...]:
    cameras = (*outer, *inner)
    named = len(cameras) > 1
    return tuple(
        SheetFrame(
            name=chr(ord("A") + index) if named and index < len(cameras) else "",
            use=FrameUse.CAMERA if index < len(cameras) else FrameUse.SAFETY,
            corners=_corners(one),
            printed=one.stray <= PRINTED * max(1.0, width / 1280),
            score=round(one.drawn, 3),
        )
        for index, one in enumerate((*cameras, *safety))
    )


def _corners(frame: FrameLine) -> tuple[Corner, Corner, Corner, Corner]:
    one, two, three, four = (
        Corner(x=round(float(x), 2), y=round(float(y), 2)) for x, y in frame.quad
    )
    return one, two, three, four


def _traces(
    masks: dict[TraceColour, Mask], roles: TraceRoles, inside: Mask | None
) -> tuple[TraceLines, ...]:
    return tuple(
        TraceLines(
            colour=colour,
            role=roles.of(colour),
            mask=mask,
            share=float(mask.mean() if inside is None else mask[inside].mean()),
        )
        for colour, mask in masks.items()
    )


def _doubts(
    sheet: LevelSheet,
    found: FoundFrames,
    pegs: Sequence[PegHole],
    own: TraceColour | None,
    notes: FoundNotes,
    outer: Sequence[FrameLine],
    inner: Sequence[FrameLine],
    inside: Mask | None,
) -> tuple[str, ...]:
    doubts = [*found.doubts, *notes.doubts]
    if pegs and not outer:
        doubts.append("The sheet has peg holes, and no frame was found: all of it is painted.")
    if len(outer) + len(inner) > 1:
        doubts.append("Several camera frames: their names follow from left to right, unread.")
    if own is not None:
        doubts.append(f"The drawing seems to be made in {own.value} pencil: it is kept as drawing.")
    if sheet.tint is PaperTint.UNKNOWN:
        doubts.append("No paper is to be seen: coloured lines were not taken apart.")
    if inside is not None and float(inside.mean()) < 0.25:
        doubts.append("The frame takes less than a quarter of the sheet.")
    return tuple(doubts)
