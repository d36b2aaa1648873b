"""
End cards as pictures of 1920 x 1080, one a card, drawn with Pillow.

The ground is dark and the margins are wide, as in a film's end credits; names stand under each
picture in both languages.
"""

import io
from bisect import bisect_left
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING

from haikei.errors import ReportError
from haikei.reports.document import Card, Document, Picture
from haikei.reports.embedding import Embedded, Missing, embed
from haikei.reports.fonts import Font, find_font
from haikei.reports.words import Language, Text, Words, said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

WIDTH, HEIGHT = 1920, 1080
_MARGIN = 110
_GAP = 54
#: Kept free below the names, for the card's own lines.
_FOOT = 130
_LEADING = 1.42
_GROUND = (12, 13, 15)
_INK = (241, 238, 230)
_SOFT = (163, 158, 148)
_FRAME = (44, 45, 49)
#: More pictures than this stand in two rows.
_ACROSS = 4
_MORE = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnCard:
    """One card as a PNG."""

    name: str
    png: bytes


def png(document: Document) -> "Iterator[DrawnCard]":
    """
    Yield each card of the document as a picture.

    Raises:
        ReportError: the document has no cards, or no font shows Japanese.
    """
    drawer = _Drawer(document)
    drawn = 0
    for block in document.blocks:
        if isinstance(block, Card):
            drawn += 1
            yield DrawnCard(name=block.name, png=drawer.card(block))
    if not drawn:
        raise ReportError(
            f"{document.name} has nothing to draw for {document.scope}.",
            advice="Check --project, --sequence and --shot.",
        )


class _Drawer:
    def __init__(self, document: Document) -> None:
        self._language = document.language
        self._studio = document.studio
        self._serif = find_font(document.font, serif=True)
        self._sans = find_font(document.font)

    def card(self, card: Card) -> bytes:
        from PIL import Image, ImageDraw

        image = Image.new("RGB", (WIDTH, HEIGHT), _GROUND)
        draw = ImageDraw.Draw(image)
        room = WIDTH - 2 * _MARGIN
        _write(draw, (_MARGIN, 84), self._say(card.title), _font(self._serif, 46), _INK, room)
        subtitle = self._say(card.subtitle)
        _write(draw, (_MARGIN, 152), subtitle, _font(self._sans, 23), _SOFT, room)
        self._pictures(image, draw, card.pictures)
        below = [words for line in card.lines for words in self._both(line)]
        font, lines = self._fitting(below, self._sans, range(20, 7, -2), room, _FOOT - 44)
        y = HEIGHT - 34 - round(font.size * _LEADING) * len(lines)
        for line in lines:
            y = _centred(draw, (WIDTH // 2, y), line, font, _SOFT, room)
        out = io.BytesIO()
        image.save(out, "PNG", optimize=False, compress_level=6)
        return out.getvalue()

    def _pictures(self, image: "Image", draw: "ImageDraw", pictures: tuple[Picture, ...]) -> None:
        if not pictures:
            return
        lines = ceil(len(pictures) / _ACROSS)
        across = ceil(len(pictures) / lines)
        width = min((WIDTH - 2 * _MARGIN - _GAP * (across - 1)) // across, 760)
        top, bottom = 236, HEIGHT - _FOOT
        height = (bottom - top) // lines
        number = 0
        for line in range(lines):
            row = pictures[number : number + across]
            used = width * len(row) + _GAP * (len(row) - 1)
            x = (WIDTH - used) // 2
            y = top + line * height
            room = min(height - 190, width)
            shown = [embed(_sized(picture, width)) for picture in row]
            tallest = max(
                (_fitted(one, width, room)[1] if isinstance(one, Embedded) else width * 9 // 16)
                for one in shown
            )
            if lines == 1:
                y += max((height - tallest - 190) // 2 - 20, 0)
            for place, (picture, one) in enumerate(zip(row, shown, strict=True)):
                box = (x, y, width, min(tallest, room))
                self._picture(image, draw, picture, one, box, end=top + (line + 1) * height)
                if place + 1 < len(row):
                    _arrow(draw, x + width + _GAP // 2, y + min(tallest, room) // 2)
                x += width + _GAP
            number += len(row)

    def _picture(
        self,
        image: "Image",
        draw: "ImageDraw",
        picture: Picture,
        shown: Embedded | Missing,
        box: tuple[int, int, int, int],
        *,
        end: int,
    ) -> None:
        from PIL import Image

        x, y, width, height = box
        if isinstance(shown, Embedded):
            size = _fitted(shown, width, height)
            with Image.open(io.BytesIO(shown.jpeg)) as opened:
                small = opened.convert("RGB").resize(size, Image.Resampling.LANCZOS)
            image.paste(small, (x + (width - size[0]) // 2, y + (height - size[1]) // 2))
        else:
            draw.rectangle((x, y, x + width - 1, y + height - 1), outline=_FRAME, width=2)
            place = (x + width // 2, y + height // 2 - 40)
            reason, medium = self._say(shown.reason), _font(self._sans, 18)
            below = _centred(draw, place, reason, medium, _SOFT, width - 24, lines=2)
            fine = _font(self._sans, 14)
            _centred(draw, (place[0], below + 6), shown.path, fine, _SOFT, width - 24, lines=4)
        middle, below = x + width // 2, y + height + 22
        caption = self._say(picture.caption)
        below = _centred(draw, (middle, below), caption, _font(self._sans, 20), _SOFT, width)
        below += 10
        names = [words for line in picture.lines for words in self._both(line)]
        font, lines = self._fitting(names, self._serif, range(26, 8, -2), width, end - below)
        for line in lines:
            below = _centred(draw, (middle, below), line, font, _INK, width)

    def _fitting(
        self, texts: list[str], face: Font, sizes: range, room: int, height: int
    ) -> "tuple[FreeTypeFont, list[str]]":
        """Return all texts in lines, at the largest size at which none of them is cut off."""
        font, lines = _font(face, sizes[-1]), list[str]()
        for points in sizes:
            font = _font(face, points)
            lines = [line for text in texts for line in _broken(text, font, room, len(text))]
            if len(lines) * round(points * _LEADING) <= height:
                break
        return font, lines

    def _say(self, text: Text) -> str:
        return said(text, self._language)

    def _both(self, text: Text) -> tuple[str, ...]:
        if isinstance(text, Words) and self._language is Language.BOTH and text.en != text.ja:
            return tuple(words for words in (text.en, text.ja) if words)
        return (said(text, self._language),)


def _sized(picture: Picture, width: int) -> Picture:
    return replace(picture, longest=max(picture.longest, width))


@lru_cache(maxsize=64)
def _font(font: Font, size: int) -> "FreeTypeFont":
    from PIL import ImageFont

    return ImageFont.truetype(str(font.file), size, index=font.face)


def _fitted(shown: Embedded, width: int, height: int) -> tuple[int, int]:
    scale = min(width / shown.width, height / shown.height)
    return max(round(shown.width * scale), 1), max(round(shown.height * scale), 1)


def _write(
    draw: "ImageDraw",
    place: tuple[int, int],
    words: str,
    font: "FreeTypeFont",
    colour: tuple[int, int, int],
    room: int,
) -> None:
    draw.text(place, _broken(words, font, room, 1)[0], font=font, fill=colour)


def _centred(
    draw: "ImageDraw",
    place: tuple[int, int],
    words: str,
    font: "FreeTypeFont",
    colour: tuple[int, int, int],
    room: int,
    *,
    lines: int = 1,
) -> int:
    x, y = place
    for line in _broken(words, font, room, lines):
        draw.text((x, y), line, font=font, fill=colour, anchor="ma")
        y += round(font.size * _LEADING)
    return y


def _broken(words: str, font: "FreeTypeFont", room: int, most: int) -> list[str]:
    """Return at most so many lines that fit the room; what is left out shows as an ellipsis."""
    lines: list[str] = []
    rest = " ".join(words.split())
    while rest and len(lines) < most:
        # By halving, up to what letters of a fifth of an em would reach: shaping takes long.
        lengths = range(1, min(len(rest), room * 5 // round(font.size) + 2) + 1)
        end = max(
            bisect_left(lengths, x=True, key=lambda end: font.getlength(rest[:end]) > room), 1
        )
        if end < len(rest):
            space = rest.rfind(" ", 0, end + 1)
            end = space if space > end // 3 else end
        lines.append(rest[:end].strip())
        rest = rest[end:].strip()
    if rest and lines:
        last = lines[-1]
        while last and font.getlength(last + _MORE) > room:
            last = last[:-1]
        lines[-1] = last + _MORE
    return lines or [""]


def _arrow(draw: "ImageDraw", x: int, y: int) -> None:
    draw.line((x - 14, y, x + 12, y), fill=_SOFT, width=2)
    draw.line((x + 4, y - 8, x + 13, y, x + 4, y + 8), fill=_SOFT, width=2, joint="curve")
