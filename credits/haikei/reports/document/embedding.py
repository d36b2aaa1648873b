"""
What pages carry within: pictures as small JPEGs, fonts that the system has, and charts.

A frame says what picture is missing; Japanese names never print as empty boxes.
"""

import base64
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path

from haikei.errors import ImageUnreadable, ReportError
from haikei.reports.document.blocks import Picture
from haikei.texts import Bilingual

_QUALITY = 86
_NOT_THERE = Bilingual("picture not found", "画像が見つかりません")
_UNREADABLE = Bilingual("picture cannot be read", "画像を読み込めません")


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """A picture ready to be shown."""

    jpeg: bytes
    width: int
    height: int

    @property
    def uri(self) -> str:
        """The picture as a `data:` URI."""
        return "data:image/jpeg;base64," + base64.b64encode(self.jpeg).decode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What is printed in place of a picture."""

    reason: Bilingual
    path: str  #: of what should be there; may be empty


def embed(picture: Picture) -> Embedded | Missing:
    """Return the picture as a JPEG at its shown size, or what to say in its place."""
    source = picture.source
    path = picture.expected or (source.name if isinstance(source, Path) else "")
    if source is None or (isinstance(source, Path) and not source.is_file()):
        return Missing(reason=_NOT_THERE, path=path)
    try:
        return _encoded(source, picture.longest)
    except (ImageUnreadable, OSError):
        return Missing(reason=_UNREADABLE, path=path)


def _encoded(source: Path | bytes, longest: int) -> Embedded:
    import cv2
    import numpy as np

    if isinstance(source, bytes):
        pixels = cv2.imdecode(np.frombuffer(source, np.uint8), cv2.IMREAD_COLOR)
        if pixels is None:
            message = "The picture in memory is no PNG or JPEG."
            raise ImageUnreadable(message)
    else:
        from haikei.images import read_picture

        read = read_picture(source)
        eight = np.rint(np.clip(read.pixels, 0.0, 1.0) * 255.0).astype(np.uint8)
        pixels = np.ascontiguousarray(eight[..., ::-1])
    height, width = pixels.shape[:2]
    scale = longest / max(height, width)
    if scale < 1.0:
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    done, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        message = "The picture cannot be made smaller."
        raise ImageUnreadable(message)
    height, width = pixels.shape[:2]
    return Embedded(jpeg=encoded.tobytes(), width=width, height=height)


#: Kana, ideographs and their punctuation, full-width forms.
_JAPANESE = re.compile("[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
_NO_FAMILY = re.compile(r"[^\w .-]")
_ADVICE = "Install a Japanese font, such as Debian's fonts-noto-cjk, or name one: reports.font."
_SERIF = "Noto Serif CJK JP,Hiragino Mincho ProN,Yu Mincho,serif"
_SANS = "Noto Sans CJK JP,Hiragino Sans,Yu Gothic,sans-serif"


@dataclass(frozen=True, slots=True, kw_only=True)
class Font:
    """A font file and which of its faces."""

    file: Path
    face: int


def speaks_japanese(text: str) -> bool:
    """Tell whether a text has letters that only a Japanese font shows."""
    return _JAPANESE.search(text) is not None


@lru_cache(maxsize=8)
def find_font(family: str = "", *, serif: bool = False, bold: bool = False) -> Font:
    """
    Return the font for names in Latin and Japanese script, as fontconfig chooses it.

    Args:
        family: wanted first; empty for none.
        serif: whether strokes end in serifs where no family is found.
        bold: the heavier weight.

    Raises:
        ReportError: no font of the system has Japanese letters, or fontconfig is missing.
    """
    wanted = _NO_FAMILY.sub("", family)
    first = f"{wanted}," if wanted else ""
    weight = ":weight=bold" if bold else ""
    pattern = f"{first}{_SERIF if serif else _SANS}:lang=ja{weight}"
    try:
        done = subprocess.run(
            ["fc-match", "-f", "%{file}\n%{index}\n%{lang}", pattern],  # noqa: S607 - by PATH
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ReportError(
            f"Fonts cannot be looked up: {error}.", advice="Install fontconfig (fc-match)."
        ) from error
    file, index, languages = (*done.stdout.split("\n"), "", "", "")[:3]
    if "ja" not in languages.split("|"):
        raise ReportError("No font of this machine has Japanese letters.", advice=_ADVICE)
    # The upper half of the number names an instance of a variable font.
    return Font(file=Path(file), face=int(index) & 0xFFFF)


_WIDTH = 760
_WIDEST = 84
_INK, _SOFT, _RULE = "#1d1c1a", "#6b6760", "#ddd8cc"
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#8c6d1f", "#7a7a7a")
_FAMILY = "Noto Sans CJK JP, Hiragino Sans, Yu Gothic, sans-serif"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: `shown` is its value as people read it."""

    label: str
    value: float
    shown: str = ""


def bars(items: Sequence[Bar], *, title: str, colour: int = 0) -> str:
    """Return bars that lie, one under the other, for things with names."""
    row, left = 27, 236
    height = row * len(items) + 8
    most = max((item.value for item in items), default=0.0) or 1.0
    parts = [_open(height, title)]
    room = _WIDTH - left - 100
    for number, item in enumerate(items):
        y = 4 + number * row
        long = max(item.value / most * room, 1.0 if item.value else 0.0)
        parts.append(
            _text(left - 10, y + 16, _short(item.label, 36), anchor="end", soft=False)
            + _rect(left, y + 3, long, row - 9, colour)
            + _text(left + long + 7, y + 16, item.shown or f"{item.value:,.0f}", soft=True)
        )
    parts.append(_line(left, 0, left, height))
    return "".join(parts) + "</svg>"


def columns(
    items: Sequence[Bar], *, title: str, x_label: str, y_label: str, colour: int = 0
) -> str:
    """Return bars that stand side by side, for what follows in time or in size."""
    left, right, top, bottom, tall = 58, 8, 36, 52, 190
    height = top + tall + bottom
    ticks = _ticks(max((item.value for item in items), default=0.0))
    most = ticks[-1]
    step = (_WIDTH - left - right) / max(len(items), 1)
    parts = [_open(height, title), _text(left, 14, y_label, soft=True)]
    for tick in ticks:
        y = top + tall - tick / most * tall
        parts.append(_line(left, y, _WIDTH - right, y, kind="grid"))
        parts.append(_text(left - 8, y + 4, f"{tick:,.0f}", anchor="end", soft=True))
    every = max(1, -(-len(items) // 12))
    for number, item in enumerate(items):
        x = left + number * step
        long = item.value / most * tall
        wide = min(max(step * 0.8, 0.6), _WIDEST)
        parts.append(_rect(x + (step - wide) / 2, top + tall - long, wide, long, colour))
        if len(items) <= 12 and item.value:
            middle = x + step / 2
            shown = item.shown or f"{item.value:,.0f}"
            parts.append(_text(middle, top + tall - long - 6, shown, anchor="middle", soft=False))
        if number % every == 0:
            parts.append(
                _text(x + step / 2, top + tall + 18, item.label, anchor="middle", soft=True)
            )
    parts.append(_line(left, top + tall, _WIDTH - right, top + tall))
    middle = left + (_WIDTH - left - right) / 2
    parts.append(_text(middle, height - 10, x_label, anchor="middle", soft=True))
    return "".join(parts) + "</svg>"


def _ticks(most: float) -> list[float]:
    """Return four to six round numbers from 0 to at least `most`."""
    if most <= 4:
        return [float(tick) for tick in range(max(int(-(-most // 1)), 1) + 1)]
    size = 10.0 ** (len(str(int(most))) - 1)
    for part in (0.2, 0.25, 0.5, 1.0, 2.0):
        step = part * size
        if step >= 1 and step == int(step) and most / step <= 5:
            break
    else:
        step = 2 * size
    count = int(-(-most // step))
    return [step * number for number in range(count + 1)]


def _open(height: float, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:g}"'
        f' width="{_WIDTH}" height="{height:g}" role="img" aria-label="{escape(title)}"'
        f' font-family="{_FAMILY}" font-size="12.5">'
    )


def _text(x: float, y: float, words: str, *, soft: bool, anchor: str = "start") -> str:
    colour, kind = (_SOFT, ' class="soft"') if soft else (_INK, "")
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"{kind}>'
        f"{escape(words)}</text>"
    )


def _rect(x: float, y: float, width: float, height: float, colour: int) -> str:
    number = colour % len(_COLOURS)
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
        f' fill="{_COLOURS[number]}" class="s{number + 1}"/>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, *, kind: str = "axis") -> str:
    colour = _SOFT if kind == "axis" else _RULE
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"'
        f' stroke-width="1" class="{kind}"/>'
    )


def _short(words: str, most: int) -> str:
    wide = 0
    for number, letter in enumerate(words):
        wide += 1 if letter.isascii() else 2
        if wide > most:
            return words[: max(number - 1, 1)] + "…"
    return words
