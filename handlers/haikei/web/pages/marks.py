"""What somebody draws on the picture of a page, as its form sends it."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from haikei.errors import ReviewError
from haikei.presets import LEAST, REACH, Spot

#: Marks of one note, points of one mark, and characters of what a form sends.
MOST_MARKS, MOST_POINTS, MOST_TEXT = 20, 400, 60_000


class MarkKind(StrEnum):
    """What somebody drew."""

    BOX = "box"
    ARROW = "arrow"
    LINE = "line"


_Share = Annotated[int, Field(ge=0, le=1000)]


class _SentMark(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    kind: MarkKind = Field(strict=False)
    points: list[tuple[_Share, _Share]] = Field(min_length=2, max_length=MOST_POINTS, strict=False)


_SENT = TypeAdapter(Annotated[list[_SentMark], Field(max_length=MOST_MARKS)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One thing that was drawn; points in thousandths of the picture's width and height."""

    kind: MarkKind
    points: tuple[tuple[int, int], ...]  #: of a box two corners, of an arrow its foot and tip

    @property
    def spot(self) -> Spot:
        """The place that is meant: what an arrow points at, and what lies inside of the rest."""
        if self.kind is MarkKind.ARROW:
            x, y = self.points[-1]
            return Spot(left=x, top=y, right=x, bottom=y)
        reach = REACH if self.kind is MarkKind.LINE else 0
        across, down = zip(*self.points, strict=True)
        return Spot(
            left=max(0, min(across) - reach),
            top=max(0, min(down) - reach),
            right=min(1000, max(across) + reach),
            bottom=min(1000, max(down) + reach),
        )


def read_marks(sent: str) -> tuple[Mark, ...]:
    """
    Return what was drawn, as a page's form sends it; empty for nothing.

    Raises:
        ReviewError: it is no drawing of ours, or too much of one.
    """
    if not sent.strip():
        return ()
    try:
        # What is too long ends within a text, and is no JSON.
        marks = _SENT.validate_json(sent[:MOST_TEXT])
    except ValidationError as error:
        raise ReviewError(
            "What was drawn could not be read; nothing was written.",
            advice=f"Draw it again: at most {MOST_MARKS} marks, each of a few strokes.",
        ) from error
    found = (Mark(kind=one.kind, points=tuple(one.points)) for one in marks)
    return tuple(one for one in found if _extent(one) >= LEAST)


def _extent(mark: Mark) -> float:
    across, down = zip(*mark.points, strict=True)
    return math.hypot(max(across) - min(across), max(down) - min(down))
