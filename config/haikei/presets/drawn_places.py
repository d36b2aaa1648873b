"""
Places that somebody drew on a picture, as they stand in a note: `[box 12.0,30.5-45.0,60.0 %]`.

The numbers are percent of the picture, from the left and from the top. A Note that carries its
place in words is whole in every tracker, may be corrected there, and may be typed by hand. What
a tracker's own player draws is put into the same words by its adapter, with `noted`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from haikei.texts import Bilingual, Language

#: How far the place of a free line reaches beyond it, in thousandths.
REACH = 15
#: What is drawn smaller than this, in thousandths, is no box: a slip of the hand, or a dot.
LEAST = 8
#: Thousandths of the picture before which something lies to its left or top, and behind which not.
_UPPER, _LOWER = 380, 620
#: What spans more than this, in thousandths, is on neither side.
_SPANS = 600
_BOX, _POINT = ("box", "枠"), ("point", "点")
_NUMBER = r"\s*(\d{1,3}(?:[.．]\d{1,2})?)\s*[%％]?\s*"
_PLACE = re.compile(
    rf"[\[［【]\s*(?P<kind>{'|'.join((*_BOX, *_POINT))})\s*[:：]?{_NUMBER}[,，、]{_NUMBER}"
    rf"(?:[-–~〜～―]{_NUMBER}[,，、]{_NUMBER})?[\]］】]",
    re.IGNORECASE,
)
#: Lines that a tracker's adapter adds to a note's text, for what people added without words.
_UNREAD, _ITEM = "not read", "- [ ] "
_BRACKETS = re.compile(r"[\[\]]")
_ADDED = re.compile(rf"^[ \t]*\[{_UNREAD}: ([^\]\n]*)\][ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place that somebody drew on a picture, in thousandths of its width and height."""

    left: int
    top: int
    right: int  #: a point where it is `left`, and `bottom` is `top`
    bottom: int

    @property
    def is_point(self) -> bool:
        """Whether one thing is pointed at, and no area is drawn."""
        return self.left == self.right and self.top == self.bottom

    @property
    def name(self) -> str:
        """The place in figures: by which two of them differ."""
        return f"{self.left},{self.top}-{self.right},{self.bottom}"

    @property
    def text(self) -> Bilingual:
        """The place as people read it."""
        across, down = _percent(self.left, self.right), _percent(self.top, self.bottom)
        return Bilingual(f"{across} % across, {down} % down", f"横{across}%・縦{down}%")

    @property
    def side(self) -> str:
        """The part of the picture in words, for a model that knows no percentages; empty: all."""
        wide, tall = self.right - self.left > _SPANS, self.bottom - self.top > _SPANS
        if wide and tall:
            return ""
        across, down = (self.left + self.right) / 2, (self.top + self.bottom) / 2
        vertical = "" if tall else "upper" if down < _UPPER else "lower" if down > _LOWER else ""
        horizontal = (
            "" if wide else "left" if across < _UPPER else "right" if across > _LOWER else ""
        )
        if not horizontal and not wide:
            horizontal = "middle"
        if vertical and not horizontal:
            return f"{vertical} part"
        return " ".join(filter(None, (vertical, horizontal))) or "middle"


def with_spots(note: str, spots: Sequence[Spot], language: Language) -> str:
    """Return a note with the places that it is about below its words."""
    ja = language is Language.JA
    places = " ".join(_written(one, _POINT[ja] if one.is_point else _BOX[ja]) for one in spots)
    return "\n".join(filter(None, (note.rstrip(), places)))


def without_spots(note: str) -> str:
    """Return a note without the places that were drawn for it."""
    return "\n".join(line.rstrip() for line in _PLACE.sub("", note).splitlines()).strip()


def spots_of(note: str) -> tuple[Spot, ...]:
    """Return the places that a note names in figures, each once."""
    found: list[Spot] = []
    for match in _PLACE.finditer(note):
        numbers = [_thousandths(one) for one in match.groups()[1:] if one is not None]
        left, top, right, bottom = numbers if len(numbers) == 4 else numbers * 2
        found.append(
            Spot(
                left=min(left, right),
                top=min(top, bottom),
                right=max(left, right),
                bottom=max(top, bottom),
            )
        )
    return tuple(dict.fromkeys(found))


def where_drawn(spots: Sequence[Spot]) -> Bilingual:
    """Return what a change is limited to, as people read it: "in the box"."""
    points = sum(one.is_point for one in spots)
    if points == len(spots):
        return Bilingual("at the arrow", "矢印の先")
    if points:
        return Bilingual("in the drawn places", "描き込んだ所")
    return Bilingual("in the box" if len(spots) == 1 else "in the boxes", "枠内")


def noted(
    text: str,
    *,
    items: Iterable[str] = (),
    drawn: Sequence[Spot] = (),
    unread: Iterable[str] = (),
) -> str:
    """
    Return a note's text with what was added to it besides, each in words that are read again.

    Args:
        text: as it was written.
        items: of a checklist, those that are still to be done.
        drawn: where somebody drew on the picture for it.
        unread: what was added and cannot be read, such as an attached file.
    """
    lines = [text.rstrip()] if text.strip() else []
    lines += [f"{_ITEM}{' '.join(item.split())}" for item in items if item.strip()]
    words = with_spots("\n".join(lines), drawn, Language.EN)
    added = [f"[{_UNREAD}: {' '.join(_BRACKETS.sub(' ', one).split())}]" for one in unread]
    return "\n".join(filter(None, (words, *added)))


def split_noted(text: str) -> tuple[str, tuple[Spot, ...], tuple[str, ...]]:
    """Return the words of a note, where it was drawn, and what was added that is not read."""
    unread = tuple(_ADDED.findall(text))
    words = without_spots(_ADDED.sub("", text))
    return re.sub(rf"(?m)^[ \t]*{re.escape(_ITEM)}", "", words).strip(), spots_of(text), unread


def only_ticked(before: str, now: str) -> bool:
    """Tell whether a note differs from what it was by done items of its checklist alone."""
    lines = now.splitlines()
    gone = [line for line in before.splitlines() if line not in lines]
    kept = [line for line in before.splitlines() if line in lines]
    return kept == lines and bool(gone) and all(line.startswith(_ITEM) for line in gone)


def _written(spot: Spot, word: str) -> str:
    start = f"{spot.left / 10:.1f},{spot.top / 10:.1f}"
    end = "" if spot.is_point else f"-{spot.right / 10:.1f},{spot.bottom / 10:.1f}"
    return f"[{word} {start}{end} %]"


def _thousandths(number: str) -> int:
    return min(1000, round(float(number.replace("．", ".")) * 10))


def _percent(start: int, end: int) -> str:
    return f"{start / 10:g}" if start == end else f"{start / 10:g}-{end / 10:g}"
