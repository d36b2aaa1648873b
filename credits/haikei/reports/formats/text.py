"""Plain text, for mails and terminals; columns line up where Japanese counts two places."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain, islice
from unicodedata import east_asian_width

from haikei.reports.document.blocks import (
    Align,
    Badge,
    Block,
    Bullets,
    Card,
    Cell,
    Chart,
    Document,
    Fact,
    Facts,
    Figure,
    Heading,
    Lines,
    Link,
    Notice,
    PageBreak,
    Paragraph,
    Picture,
    RollPart,
    Strip,
    Style,
    Table,
)
from haikei.texts import Bilingual, Language, Text, in_language

#: Rows from which a table's widths are taken; later cells that are longer stick out.
_LOOK_AHEAD = 200
_WIDEST = 48
_INDENT = "    "


def text(document: Document) -> Iterator[str]:
    """Yield the text, piece by piece; its lines end in a line feed."""
    say = _Speech(document.language)
    title = say.text(document.title)
    yield f"{title}\n{'=' * _width(title)}\n"
    under = say.text(document.subtitle) or document.scope
    yield f"{under} · {document.studio}\n"
    if document.style is not Style.ROLL:
        yield f"{say.cell(document.made_at)}\n"
    yield from say.facts(document.facts)
    yield "\n"
    for block in document.blocks:
        yield from say.block(block)
    if document.notes:
        yield "\n" + "".join(f"* {say.text(note)}\n" for note in document.notes)
    if document.contact:
        yield f"\n{document.contact}\n"


class _Speech:
    def __init__(self, language: Language) -> None:
        self._language = language

    def text(self, text: Text) -> str:
        return " ".join(in_language(text, self._language).split())

    def block(self, block: Block) -> Iterator[str]:
        match block:
            case Table():
                yield from self._table(block)
            case Facts():
                yield from self.facts(block.items)
                yield "\n"
            case _:
                yield self._plain(block)

    def _plain(self, block: Block) -> str:
        match block:
            case Heading():
                words = self.text(block.text)
                return f"\n{words}\n{('-' if block.level < 3 else '·') * _width(words)}\n"
            case Paragraph() | Notice():
                mark = "! " if isinstance(block, Notice) else ""
                return f"{mark}{self.text(block.text)}\n\n"
            case Bullets():
                return "".join(f"  - {self.text(item)}\n" for item in block.items) + "\n"
            case Picture():
                return self._picture(block) + "\n"
            case Strip():
                return "".join(self._picture(one) for one in block.pictures) + "\n"
            case Card():
                head = f"{self.text(block.title)}\n{self.text(block.subtitle)}\n"
                pictures = "".join(self._picture(one) for one in block.pictures)
                below = "".join(f"{self.text(line)}\n" for line in block.lines)
                return f"{head}{pictures}{below}\n"
            case RollPart():
                names = "".join(f"{_INDENT}{self.text(name)}\n" for name in block.names)
                notes = "".join(f"{_INDENT}{self.text(note)}\n" for note in block.notes)
                return f"{self.text(block.role)}\n{names}{notes}\n"
            case Chart():
                return ""
            case PageBreak():
                return "\n"
            case _:
                raise AssertionError("unreachable")

    def cell(self, cell: Cell) -> str:
        match cell:
            case None:
                return "-"
            case str() | Bilingual():
                return self.text(cell)
            case int():
                return f"{cell:,}"
            case datetime():
                return cell.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
            case Link() | Badge():
                return self.text(cell.text)
            case Figure():
                return self.text(cell.shown)
            case Lines():
                return (" · " if cell.inline else "; ").join(map(self.cell, cell.items))

    def facts(self, facts: tuple[Fact, ...]) -> Iterator[str]:
        labels = [self.text(fact.label) for fact in facts]
        room = max(map(_width, labels), default=0)
        for label, fact in zip(labels, facts, strict=True):
            yield f"{_padded(label, room)}  {self.cell(fact.value)}\n"

    def _table(self, table: Table) -> Iterator[str]:
        if not table.printed:
            return
        rows = (tuple(self.cell(cell) for cell in row) for row in table.rows)
        first = list(islice(rows, _LOOK_AHEAD))
        if table.caption:
            yield f"{self.text(table.caption)}\n"
        if not first:
            yield f"{self.text(table.empty) or '-'}\n\n"
            return
        heads = tuple(self.text(column.title) for column in table.columns)
        widths = [
            min(max(map(_width, column)), _WIDEST) for column in zip(heads, *first, strict=True)
        ]
        right = [column.align is Align.END for column in table.columns]
        yield _line(heads, widths, right) + "  ".join("-" * width for width in widths) + "\n"
        for row in chain(first, rows):
            yield _line(row, widths, right)
        yield "\n"

    def _picture(self, picture: Picture) -> str:
        lines = "".join(f"{_INDENT}{self.text(line)}\n" for line in picture.lines)
        path = f" [{picture.expected}]" if picture.expected else ""
        return f"{self.text(picture.caption)}{path}\n{lines}"


def _line(cells: tuple[str, ...], widths: list[int], right: list[bool]) -> str:
    padded = (
        _padded(cell, width, right=to_right)
        for cell, width, to_right in zip(cells, widths, right, strict=True)
    )
    return "  ".join(padded).rstrip() + "\n"


def _padded(words: str, room: int, *, right: bool = False) -> str:
    space = " " * max(room - _width(words), 0)
    return space + words if right else words + space


def _width(words: str) -> int:
    if words.isascii():
        return len(words)
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in words)
