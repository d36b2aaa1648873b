"""
Texts on a sheet, read by RapidOCR where it is installed (the extra `ocr`), and never by itself.

Each text keeps the score that the library gives it, and nothing is decided by a text alone: a cut
number that differs from the file's name is a doubt, never a refusal.
"""

import re
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haikei.errors import SettingsError
from haikei.sheets.sheet import Area, NoteKind, SheetNote, SheetReading

TRUSTED = 0.8  #: the score from which on a text is compared to a file's name
_CUT = re.compile(r"(?:^|[\s_.#-])(?:cut|[CcＣ])[\s_.-]*0*(\d{1,4})(?=\D|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetText:
    """One line of text."""

    text: str
    score: float  #: 0 to 1, as the library says
    box: Area


def can_read_texts() -> bool:
    """Tell whether the extra `ocr` is installed."""
    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


def read_texts(pixels: NDArray[np.float32]) -> tuple[SheetText, ...]:
    """
    Read all lines of text on a picture, (height, width, 3), sRGB, 0 to 1.

    Raises:
        SettingsError: the library is not installed.
    """
    if not can_read_texts():
        raise SettingsError(
            "Texts on sheets cannot be read: RapidOCR is not installed.",
            advice="Install it with `pip install 'haikei[ocr]'`, or leave --ocr out.",
        )
    height, width = pixels.shape[:2]
    image = np.ascontiguousarray((pixels[..., ::-1] * 255).round().astype(np.uint8))
    found = _engine()(image)
    if found.boxes is None:
        return ()
    return tuple(
        SheetText(text=str(text), score=float(score), box=_box(np.asarray(corners), width, height))
        for corners, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
    )


def with_texts(
    reading: SheetReading, texts: tuple[SheetText, ...], *, file_name: str = ""
) -> SheetReading:
    """
    Put texts to the notes where they stand, and compare the cut number to a file's name.

    A text where no note was found becomes a note of its own; on the picture it is a doubt too,
    since its ink was left in the drawing.
    """
    notes = [*reading.notes]
    doubts = [*reading.doubts]
    for one in texts:
        best = max(
            range(len(notes)), key=lambda index: _shared(notes[index].box, one.box), default=None
        )
        if best is not None and _shared(notes[best].box, one.box) > 0.4:
            note = notes[best]
            joined = f"{note.text} {one.text}".strip()
            score = one.score if not note.text else min(note.score, one.score)
            notes[best] = replace(note, text=joined, score=round(score, 3))
            continue
        inside = reading.area is None or _shared(reading.area, one.box) > 0.5
        notes.append(
            SheetNote(
                kind=NoteKind.TEXT,
                box=one.box,
                inside=inside,
                text=one.text,
                score=round(one.score, 3),
            )
        )
        if inside and one.score >= TRUSTED:
            doubts.append(
                f"{one.text!r} seems to be written on the picture; its ink is left in it."
            )
    doubts += _cut_doubts(texts, file_name)
    return replace(reading, notes=tuple(notes), doubts=tuple(doubts))


def cut_numbers(text: str) -> frozenset[int]:
    """Return the cut numbers that a text or a file's name has: C-012, c12, cut_012 …"""
    return frozenset(int(number) for number in _CUT.findall(text))


def _cut_doubts(texts: tuple[SheetText, ...], file_name: str) -> list[str]:
    named = cut_numbers(PurePath(file_name).stem)
    if not named:
        return []
    read = {
        number: one
        for one in texts
        if one.score >= TRUSTED
        for number in cut_numbers(one.text)
        # "Shared with C-008" names another cut, and means it.
        if "兼用" not in one.text and "see" not in one.text.lower()
    }
    if not read or named & set(read):
        return []
    text = next(iter(read.values()))
    doubt = (
        f"The sheet seems to say {text.text!r} (score {text.score:.2f}), "
        f"and the file is called {PurePath(file_name).name}: is it this cut's?"
    )
    return [doubt]


@cache
def _engine() -> Any:
    import logging

    module = import_module("rapidocr")
    engine = module.RapidOCR()
    logging.getLogger("RapidOCR").setLevel(logging.WARNING)
    return engine


def _box(corners: NDArray[np.float64], width: int, height: int) -> Area:
    left, top = np.floor(corners.min(axis=0)).astype(int)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int)
    return Area(
        left=max(0, int(left)),
        top=max(0, int(top)),
        right=min(width, int(right)),
        bottom=min(height, int(bottom)),
    )


def _shared(around: Area, box: Area) -> float:
    """Return the part of a box that another holds."""
    wide = min(around.right, box.right) - max(around.left, box.left)
    high = min(around.bottom, box.bottom) - max(around.top, box.top)
    area = max(1, (box.right - box.left) * (box.bottom - box.top))
    return max(0, wide) * max(0, high) / area
