"""Notes on a sheet: what is written in its margin, and on the picture itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.sheets.letter_network import JOINED, LEAST_SHOWN, LetterNetwork
from haikei.sheets.lettering import (
    LARGEST,
    LINKED,
    Strokes,
    Sums,
    Words,
    letter_sized,
    parted,
    strokes_of,
    sums_of,
    usual_height,
    words_of,
    written,
)
from haikei.sheets.sheet import Area, Ink, Mask, NoteKind, PegHole, SheetNote

MARGIN_SEARCHED = 800  #: pixels of the longer side where notes in the margin are looked for
DOUBTFUL, LIKELY, SURE = 0.2, 0.5, 0.95  #: chances: with the rules, beside a word, and alone
NEXT_TO_SURE = 0.05  #: the chance from which on a stroke goes with a letter that it touches
RINGS, MOST_IN_RING = (0.02, 0.13), 6  #: of a sheet's height, and strokes of what a ring holds
TOUCHING, TALLER = 0.25, 3.0  #: of that letter's size: how far it may be, and how long
#: The part of a drawing that may be writing before it is a doubt, by rules and by the network.
MOST_BY_RULES, MOST_WRITTEN = 0.35, 0.6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoundNotes:
    """Notes, and the ink of those that stand on the picture."""

    notes: tuple[SheetNote, ...]
    mask: Mask | None  #: None where nothing is written on the picture
    doubts: tuple[str, ...]


def find_notes(
    drawing: Ink,
    everything: Ink,
    *,
    inside: Mask | None,
    area: Area,
    pegs: Sequence[PegHole],
    letters: LetterNetwork | None,
) -> FoundNotes:
    """
    Find notes on the picture and in the margin around it.

    Args:
        drawing: the ink within the frame.
        everything: all ink of the sheet.
        inside: the painted part; None where all of the sheet is.
        area: the upright rectangle around it.
        pegs: the holes, which are no notes.
        letters: decides what is writing; None goes by rules.
    """
    on_picture, mask = _on_picture(drawing, area, letters)
    notes = list(on_picture)
    doubts: list[str] = []
    if mask is not None:
        taken = float(drawing[mask].sum()) / max(float(drawing.sum()), 1e-6)
        if taken > (MOST_BY_RULES if letters is None else MOST_WRITTEN):
            # Hardly a picture is mostly writing: what was found is kept, and reported.
            mask = None
            doubts.append("Much of the drawing looks like writing: it is kept as drawing.")
    if on_picture and mask is not None:
        words = "a note" if len(on_picture) == 1 else f"{len(on_picture)} notes"
        doubts.append(f"The picture has {words} on it, taken out: what it says is not followed.")
    if inside is not None:
        margin, overrun = _in_margin(everything, inside, pegs)
        notes += margin
        if overrun:
            doubts.append("The drawing goes on outside of the frame: that part is left as paper.")
    return FoundNotes(notes=tuple(notes), mask=mask, doubts=tuple(doubts))


def _on_picture(
    drawing: Ink, area: Area, letters: LetterNetwork | None
) -> tuple[list[SheetNote], Mask | None]:
    crop = (slice(area.top, area.bottom), slice(area.left, area.right))
    ink = np.ascontiguousarray(drawing[crop])
    tall = usual_height(ink, drawing)
    strokes = strokes_of(ink)
    chances: NDArray[np.float64] | None = None
    if letters is None:
        sums = sums_of(ink, strokes, tall)
    else:
        strokes = parted(strokes, tall)
        sums = sums_of(ink, strokes, tall)
        chances = letters.weigh(ink, strokes, sums, tall)
    chosen, arrows = _by_rules(strokes, sums, tall, chances)
    if chances is not None:
        # Rather a letter that stays than a window that goes: rules alone are not believed.
        chosen = (chosen & (chances > DOUBTFUL)) | (chances > SURE)
        chosen |= _in_rings(strokes, chances, tall)
        chosen = _with_neighbours(strokes, chances, chosen, tall)
    arrows &= ~chosen
    if not chosen.any():
        return [], None
    notes = [
        SheetNote(kind=NoteKind.ARROW, box=_box_of(strokes, int(one), area), inside=True)
        for one in np.flatnonzero(arrows)
    ]
    notes += [
        SheetNote(kind=NoteKind.TEXT, box=one, inside=True)
        for one in _boxes(chosen[strokes.labels] & (strokes.labels > 0), area)
    ]
    chosen |= arrows
    chosen[0] = False
    own = chosen[strokes.labels].astype(np.uint8)
    # With the soft edge around each stroke, but nothing of its neighbours.
    soft = (cv2.dilate(own, np.ones((5, 5), np.uint8)) > 0) & (
        (strokes.labels == 0) | chosen[strokes.labels]
    )
    mask = np.zeros(drawing.shape, np.bool_)
    mask[crop] = soft
    return notes, mask


def _in_rings(strokes: Strokes, chances: NDArray[np.float64], tall: float) -> NDArray[np.bool_]:
    """
    Return rings and what stands in them, where both together are rather writing than drawing.

    BOOKs, cels and frames are numbered so, and either alone may be a clock's or a wheel's.
    """
    wide, high, area = strokes.width, strokes.height, strokes.area
    longest = np.maximum(wide, high)
    rings = (chances > DOUBTFUL) & (longest > RINGS[0] * tall) & (longest < RINGS[1] * tall)
    # As wide as high, and next to nothing of its box is ink.
    rings &= (np.minimum(wide, high) > 0.7 * longest) & (area < 0.35 * wide * high)
    rings[0] = False
    found = np.zeros(len(area), np.bool_)
    right, bottom = strokes.left + wide, strokes.top + high
    for ring in np.flatnonzero(rings):
        edge_x, edge_y = 0.08 * wide[ring], 0.08 * high[ring]
        held = (strokes.left >= strokes.left[ring] + edge_x) & (right <= right[ring] - edge_x)
        held &= (strokes.top >= strokes.top[ring] + edge_y) & (bottom <= bottom[ring] - edge_y)
        held[0] = False
        if not 0 < held.sum() <= MOST_IN_RING:
            continue
        held[ring] = True
        weight = np.sqrt(area[held])
        if float((chances[held] * weight).sum()) > LIKELY * float(weight.sum()):
            found |= held
    return found


def _with_neighbours(
    strokes: Strokes, chances: NDArray[np.float64], chosen: NDArray[np.bool_], tall: float
) -> NDArray[np.bool_]:
    """
    Return chosen strokes and those that touch their word: what is half known goes by its letters.

    Two thresholds with a way from one to the other are Canny's hysteresis (1986).
    """
    found = chosen.copy()
    found[0] = False
    longest = np.maximum(strokes.width, strokes.height)
    waiting = np.flatnonzero(~found & (chances > NEXT_TO_SURE) & (longest < JOINED * tall))
    known = np.flatnonzero(found)
    while len(waiting) and len(known):
        size = np.maximum(longest[known], LEAST_SHOWN * tall)
        near = _apart(strokes, waiting, known) < TOUCHING * size
        near &= longest[waiting][:, None] < TALLER * size
        known, waiting = waiting[near.any(axis=1)], waiting[~near.any(axis=1)]
        found[known] = True
    return found


def _apart(
    strokes: Strokes, some: NDArray[np.int64], others: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return how far the boxes of some strokes lie from those of others, in pixels."""
    across = _between(strokes.left, strokes.width, some, others)
    down = _between(strokes.top, strokes.height, some, others)
    return np.asarray(np.hypot(across, down), np.float64)


def _between(
    first: NDArray[np.int64],
    length: NDArray[np.int64],
    some: NDArray[np.int64],
    others: NDArray[np.int64],
) -> NDArray[np.int64]:
    one, other = first[some][:, None], first[others]
    after, before = one - other - length[others], other - one - length[some][:, None]
    return np.asarray(np.maximum(np.maximum(after, before), 0), np.int64)


def _by_rules(
    strokes: Strokes, sums: Sums, tall: float, chances: NDArray[np.float64] | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which strokes are writing and which are leader lines; pieces only by chances."""
    chosen = np.zeros(len(strokes.area), np.bool_)
    arrows = np.zeros_like(chosen)
    letter = letter_sized(strokes, tall) & ~strokes.piece
    believed = ~strokes.piece if chances is None else ~strokes.piece | (chances > LIKELY)
    for linked in LINKED:
        words = words_of(strokes, sums, letter, tall, linked)
        high, wide = strokes.labels.shape
        for index in np.flatnonzero(written(words, tall, (high, wide))):
            chosen |= (words.of == index) | _beside(strokes, words, int(index))
            arrows |= _leaders(strokes, words, int(index))
    return chosen & believed, arrows & believed


def _beside(strokes: Strokes, words: Words, index: int) -> NDArray[np.bool_]:
    """Return small strokes that stand in line with a word: dots, dashes, single letters."""
    size = float(words.size[index])
    left, top = float(words.left[index]), float(words.top[index])
    right, bottom = float(words.right[index]), float(words.bottom[index])
    along, across = 1.1 * size, 0.3 * size
    level = right - left >= bottom - top
    reach_x, reach_y = (along, across) if level else (across, along)
    longest = np.maximum(strokes.width, strokes.height)
    near = (strokes.left >= left - reach_x) & (strokes.left + strokes.width <= right + reach_x)
    near &= (strokes.top >= top - reach_y) & (strokes.top + strokes.height <= bottom + reach_y)
    # A stroke of some other, larger group is that group's.
    own = words.of == index
    small = own | (words.count[words.of] <= 3) | (words.of == 0)
    return np.asarray(near & (longest <= 1.8 * size) & small, np.bool_)


def _leaders(strokes: Strokes, words: Words, index: int) -> NDArray[np.bool_]:
    """Return straight lines that begin at a word and touch nothing else."""
    size = float(words.size[index])
    reach = 0.9 * size
    longest = np.maximum(strokes.width, strokes.height)
    near = (strokes.left < words.right[index] + reach) & (
        strokes.left + strokes.width > words.left[index] - reach
    )
    near &= (strokes.top < words.bottom[index] + reach) & (
        strokes.top + strokes.height > words.top[index] - reach
    )
    near &= (longest > 1.2 * size) & (longest < 9 * size) & (words.of == 0)
    near[0] = False
    found = np.zeros(len(near), np.bool_)
    for one in np.flatnonzero(near):
        found[one] = _is_leader(strokes, words, int(one), index, reach)
    return found


def _is_leader(strokes: Strokes, words: Words, one: int, index: int, reach: float) -> bool:
    y, x = int(strokes.top[one]), int(strokes.left[one])
    part = strokes.labels[y : y + int(strokes.height[one]), x : x + int(strokes.width[one])] == one
    points = np.argwhere(part)[:, ::-1].astype(np.float32) + np.array([x, y], np.float32)
    (_, _), (wide, high), _ = cv2.minAreaRect(points)
    if min(wide, high) > max(4.0, 0.14 * max(wide, high)):
        return False
    axis = points - points.mean(axis=0)
    _, _, turns = np.linalg.svd(axis, full_matrices=False)
    along = axis @ turns[0]
    ends = points[[int(along.argmin()), int(along.argmax())]]
    low = np.array([words.left[index], words.top[index]]) - reach
    high_corner = np.array([words.right[index], words.bottom[index]]) + reach
    at = [bool((end > low).all() and (end < high_corner).all()) for end in ends]
    return at[0] != at[1]


def _boxes(chosen: Mask, area: Area) -> Iterator[Area]:
    """Yield a box around each line of writing."""
    reach = max(3, round(0.02 * chosen.shape[0]))
    near = cv2.dilate(chosen.astype(np.uint8), np.ones((reach, reach), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    half = reach // 2
    for x, y, wide, high, _ in stats[1:]:
        yield Area(
            left=area.left + max(0, int(x) + half - 1),
            top=area.top + max(0, int(y) + half - 1),
            right=area.left + min(chosen.shape[1], int(x + wide) - half + 1),
            bottom=area.top + min(chosen.shape[0], int(y + high) - half + 1),
        )


def _box_of(strokes: Strokes, one: int, area: Area) -> Area:
    left, top = area.left + int(strokes.left[one]), area.top + int(strokes.top[one])
    return Area(
        left=left,
        top=top,
        right=left + int(strokes.width[one]),
        bottom=top + int(strokes.height[one]),
    )


def _in_margin(
    everything: Ink, inside: Mask, pegs: Sequence[PegHole]
) -> tuple[list[SheetNote], bool]:
    """Return boxes around what stands outside of the frame, and whether drawing does."""
    height, width = everything.shape
    part = min(1.0, MARGIN_SEARCHED / max(height, width))
    shape = (max(1, round(width * part)), max(1, round(height * part)))
    small = cv2.resize(everything, shape, interpolation=cv2.INTER_AREA) > 0.12
    # The frame's own line is no note.
    grown = cv2.resize(inside.astype(np.uint8), shape, interpolation=cv2.INTER_NEAREST)
    small &= cv2.dilate(grown, np.ones((11, 11), np.uint8)) == 0
    for one in pegs:
        rows = slice(max(0, int(one.box.top * part) - 2), int(one.box.bottom * part) + 3)
        small[rows, max(0, int(one.box.left * part) - 2) : int(one.box.right * part) + 3] = False
    found: list[SheetNote] = []
    overrun = 0.0
    for note, long in _groups(small, part, (height, width)):
        if long:
            overrun += (note.box.right - note.box.left) * (note.box.bottom - note.box.top)
        else:
            found.append(note)
    around = float((~inside).sum())
    return found, overrun > 0.15 * max(around, 1.0)


def _groups(small: Mask, part: float, size: tuple[int, int]) -> Iterator[tuple[SheetNote, bool]]:
    height, width = small.shape
    reach = max(3, round(0.012 * width))
    near = cv2.dilate(small.astype(np.uint8), np.ones((reach, 2 * reach), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    ink = np.bincount(labels[small], minlength=len(stats))
    for index in range(1, len(stats)):
        x, y, wide, high, _ = (int(one) for one in stats[index])
        if ink[index] < 8 or max(wide - 2 * reach, high - reach) < 0.006 * width:
            continue  # dust
        box = Area(
            left=max(0, int((x + reach) / part)),
            top=max(0, int((y + reach / 2) / part)),
            right=min(size[1], int((x + wide - reach) / part) + 1),
            bottom=min(size[0], int((y + high - reach / 2) / part) + 1),
        )
        if box.right <= box.left or box.bottom <= box.top:
            continue
        tall = high > 0.16 * height and wide > 0.16 * width
        flat = high - reach <= 3 or wide - 2 * reach <= 3
        kind = NoteKind.RULED if flat or ink[index] < 0.06 * wide * high else NoteKind.TEXT
        yield SheetNote(kind=kind, box=box, inside=False), tall and high > LARGEST * height
