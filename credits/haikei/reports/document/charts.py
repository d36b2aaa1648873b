"""
Charts as SVG: bars with labelled axes and values, readable in print and without colour.

Colours are those of Okabe and Ito, which people with any colour vision tell apart; on a page the
styles may replace them for a dark ground. Source: https://jfly.uni-koeln.de/color/
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

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
