"""Read a layout sheet: paper, trace lines, frames, pegs and notes come apart from the drawing."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.sheets.frame_lines import (
    PRINTED,
    FrameLine,
    painted_part,
    trace_frame,
    upright_area,
    without_lines,
)
from haikei.sheets.frames import SEARCHED, FoundFrames, find_frames
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


def read_sheet(pixels: NDArray[np.float32], *, roles: TraceRoles = DEFAULT_ROLES) -> SheetReading:
    """
    Take a layout sheet apart.

    Args:
        pixels: (height, width, 3), sRGB, 0 to 1.
        roles: what trace lines of each colour mean.
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
    inside = painted_part((height, width), outer) if outer else None
    within = neutral if inside is None else np.where(inside, neutral, np.float32(0))
    masks = dict(parted.masks)
    own = own_colour(within, {one: _cut(mask, inside) for one, mask in masks.items()})
    ink = neutral
    if own is not None and parted.depth is not None:
        ink = np.maximum(neutral, np.where(masks.pop(own), flatten(parted.depth), 0))
    ink, dusty = _dusted(np.asarray(ink, np.float32), sheet)
    drawing = ink if inside is None else np.where(inside, ink, np.float32(0)).astype(np.float32)
    drawing = without_lines(drawing, (*inner, *safety, *(outer if len(outer) > 1 else ())))
    notes = find_notes(drawing, everything, inside=inside, pegs=pegs, frames=(*outer, *inner))
    drawing = np.where(notes.mask, np.float32(0), drawing) if notes.mask is not None else drawing
    return SheetReading(
        size=(height, width),
        ink=np.ascontiguousarray(drawing, np.float32),
        area=None if inside is None else upright_area(inside),
        inside=None if inside is None or _is_upright(inside) else inside,
        frames=_frames(outer, inner, safety, width),
        pegs=pegs,
        paper=Paper(tint=sheet.tint, colour=sheet.colour, specks=dusty),
        traces=_traces(masks, roles, inside),
        notes=notes.notes,
        drawn_in=own,
        doubts=_doubts(sheet, found, pegs, own, notes, outer, inner, inside),
    )


def line_art(pixels: NDArray[np.float32]) -> Ink:
    """Return the drawing of a layout alone: (height, width), 0 paper to 1 full line."""
    return read_sheet(pixels).ink


def _brighter(pixels: NDArray[np.float32], sheet: LevelSheet) -> Mask | None:
    """Return where a sheet is lighter than its paper; None where paper is white."""
    paper = np.array(sheet.colour, np.float32)
    if sheet.tint is PaperTint.DARK or float(paper.min()) > 0.965:
        return None
    found: Mask = (pixels - paper).min(axis=2) > -0.01
    found &= (pixels - paper).max(axis=2) > 0.4 * (1 - float(paper.min()))
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


def area_or_all(reading: SheetReading) -> Area:
    """Return the upright rectangle that is painted: the whole sheet where it has no frame."""
    height, width = reading.size
    return reading.area or Area(left=0, top=0, right=width, bottom=height)
