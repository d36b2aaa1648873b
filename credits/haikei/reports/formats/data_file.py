"""Reports as data for other programs: tables as CSV, the whole document as JSON."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from haikei.errors import ReportError
from haikei.reports.document.blocks import (
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
    Item,
    Lines,
    Link,
    Notice,
    PageBreak,
    Paragraph,
    Picture,
    RollPart,
    Strip,
    Table,
)
from haikei.texts import Bilingual, Language, Text, in_language

# Excel in Japanese reads the wide forms as the narrow ones.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_CSV_ROWS = 500
_QUOTE = '"'
#: What a cell of CSV stands in quotes for.
_QUOTED = re.compile('[,"\r\n]')
#: Cells whose texts are kept.
_KEPT = 4096


def csv_file(document: Document) -> Iterator[str]:
    """
    Yield the file, piece by piece.

    Raises:
        ReportError: the document has no table.
    """
    key = document.csv or None
    cells = _PlainCells(document.language)
    begun = False
    waiting: list[str] = []
    for block in document.blocks:
        if not isinstance(block, Table) or (key is not None and block.key != key):
            continue
        if not begun:
            key = block.key
            begun = True
            waiting.append(_csv_row([_quoted(head) for head in _heads(block)]))
        linked = [column.linked for column in block.columns]
        for row in block.rows:
            waiting.append(_csv_row(cells.row(row, linked)))
            if len(waiting) >= _CSV_ROWS:
                yield "".join(waiting)
                waiting.clear()
    if not begun:
        raise ReportError(
            f"{document.name} has no table to write as CSV.", advice="Write it as HTML or JSON."
        )
    yield "".join(waiting)


def _csv_row(cells: list[str]) -> str:
    # A line of one empty cell would be an empty line.
    return f"{','.join(cells)}\r\n" if cells != [""] else '""\r\n'


def _quoted(text: str) -> str:
    """Return a text as a cell of CSV (RFC 4180)."""
    return f'"{text.replace(_QUOTE, _QUOTE * 2)}"' if _QUOTED.search(text) else text


def _heads(table: Table) -> list[str]:
    heads: list[str] = []
    for column in table.columns:
        heads.append(column.key)
        if column.linked:
            heads.append(f"{column.key}_link")
    return heads


class _PlainCells:
    """Cells as CSV has them, in one language."""

    def __init__(self, language: Language) -> None:
        self._language = language
        #: By identity, as rows of a large show share many. Each one is held beside its text, so
        #: that no other can come by its identity.
        self._quoted: dict[int, tuple[Cell, str]] = {}
        self._plain: dict[int, tuple[Cell, str]] = {}

    def row(self, row: tuple[Cell, ...], linked: list[bool]) -> list[str]:
        """Return the cells of a row, with those of its links."""
        known = self._quoted
        cells: list[str] = []
        for cell, has_link in zip(row, linked, strict=True):
            # The kinds that nearly all cells are of come first: large shows have millions.
            found = known.get(id(cell))
            if found is not None:
                cells.append(found[1])
            elif isinstance(cell, int):
                cells.append(str(cell))
            elif isinstance(cell, str):
                cells.append(_quoted(_safe(cell)))
            else:
                text = _quoted(self._of(cell))
                if len(known) >= _KEPT:
                    known.clear()
                known[id(cell)] = cell, text
                cells.append(text)
            if has_link:
                cells.append(_quoted(_safe(_target(cell))))
        return cells

    def _of(self, cell: Cell) -> str:
        if isinstance(cell, Lines):
            return self._lines(cell)
        # Beside others, a figure without a value is not left out.
        return "" if isinstance(cell, Figure) and cell.value is None else self._item(cell)

    def _lines(self, cell: Lines) -> str:
        known = self._plain
        items: list[str] = []
        for item in cell.items:
            if isinstance(item, int):
                items.append(str(item))
            elif isinstance(item, str):
                items.append(_safe(item))
            elif (found := known.get(id(item))) is not None:
                items.append(found[1])
            else:
                text = self._item(item)
                if len(known) >= _KEPT:
                    known.clear()
                known[id(item)] = item, text
                items.append(text)
        return _safe("; ".join(items))

    def _item(self, item: Item) -> str:
        match item:
            case Bilingual():
                return _safe(in_language(item, self._language))
            case None:
                return ""
            case str() | int():
                return str(item)
            case datetime():
                return _moment(item)
            case Link() | Badge():
                return _safe(in_language(item.text, self._language))
            case Figure(value=value):
                return _safe(value) if isinstance(value, str) else str(value)


@lru_cache(maxsize=1024)
def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _target(cell: Cell) -> str:
    if isinstance(cell, Link | Figure):
        return cell.target
    if isinstance(cell, Lines):
        return "; ".join(filter(None, map(_target, cell.items)))
    return ""


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


_ROWS = 200
#: The shape of the object; it changes when a reader would have to.
FORMAT = 1


def json_file(document: Document) -> Iterator[str]:
    """Yield the object, piece by piece; a report with a shape of its own yields that."""
    if document.json is not None:
        yield from document.json
        return
    head = {
        "format": FORMAT,
        "report": document.name,
        "title": _text(document.title),
        "subtitle": _text(document.subtitle),
        "studio": document.studio,
        "client": document.client,
        "scope": document.scope,
        "made_at": document.made_at.astimezone(UTC).isoformat(timespec="seconds"),
        "facts": _facts(document.facts),
        "notes": [_text(note) for note in document.notes],
    }
    yield _dump(head)[:-1] + ',"blocks":['
    comma = "\n"
    for block in document.blocks:
        if isinstance(block, PageBreak | Chart):
            # A chart is drawn from the table beneath it.
            continue
        yield comma
        if isinstance(block, Table):
            yield from _table(block)
        else:
            yield _dump(_block(block))
        comma = ",\n"
    yield "\n]}\n"


def _table(table: Table) -> Iterator[str]:
    head = {"type": "table", "key": table.key, "caption": _text(table.caption)}
    yield _dump(head)[:-1] + ',"rows":['
    columns = [(column.key, column.linked) for column in table.columns]
    waiting: list[str] = []
    comma = "\n"
    for row in table.rows:
        plain = {
            key: _linked(cell) if linked else _cell(cell)
            for (key, linked), cell in zip(columns, row, strict=True)
        }
        waiting.append(comma + _dump(plain))
        comma = ",\n"
        if len(waiting) >= _ROWS:
            yield "".join(waiting)
            waiting.clear()
    yield "".join(waiting) + "]}"


def _block(block: Block) -> dict[str, object]:
    match block:
        case Heading():
            return {"type": "heading", "level": block.level, "text": _text(block.text)}
        case Paragraph():
            return {"type": "paragraph", "text": _text(block.text)}
        case Bullets():
            return {"type": "list", "items": [_text(item) for item in block.items]}
        case Facts():
            return {"type": "facts", "key": block.key, "values": _facts(block.items)}
        case Notice():
            return {"type": "notice", "tone": block.tone.value, "text": _text(block.text)}
        case Picture():
            return {"type": "picture", **_picture(block)}
        case Strip():
            return {"type": "pictures", "pictures": [_picture(one) for one in block.pictures]}
        case RollPart():
            return {
                "type": "role",
                "key": block.key,
                "role": _text(block.role),
                "names": [_text(name) for name in block.names],
                "notes": [_text(note) for note in block.notes],
            }
        case Card():
            return {
                "type": "card",
                "name": block.name,
                "title": _text(block.title),
                "subtitle": _text(block.subtitle),
                "pictures": [_picture(one) for one in block.pictures],
                "lines": [_text(line) for line in block.lines],
            }
        case _:
            raise AssertionError("unreachable")


def _picture(picture: Picture) -> dict[str, object]:
    there = isinstance(picture.source, bytes) or (
        isinstance(picture.source, Path) and picture.source.is_file()
    )
    return {
        "path": picture.expected,
        "there": there,
        "caption": _text(picture.caption),
        "lines": [_text(line) for line in picture.lines],
    }


def _facts(facts: tuple[Fact, ...]) -> dict[str, object]:
    return {fact.key: _cell(fact.value) for fact in facts}


def _cell(cell: Cell) -> object:
    match cell:
        case None | str() | int():
            return cell
        case datetime():
            return _moment(cell)
        case Bilingual():
            return _text(cell)
        case Link():
            return {"value": _text(cell.text), "link": cell.target}
        case Figure():
            return {"value": cell.value, "link": cell.target} if cell.target else cell.value
        case Badge():
            return _text(cell.text)
        case Lines():
            return [_cell(item) for item in cell.items]


def _linked(cell: Cell) -> object:
    match cell:
        case Link():
            return {"value": _text(cell.text), "link": cell.target}
        case Figure():
            return {"value": cell.value, "link": cell.target}
        case Lines():
            return [_linked(item) for item in cell.items]
        case _:
            return {"value": _cell(cell), "link": ""}


def _text(text: Text) -> object:
    return {"en": text.en, "ja": text.ja} if isinstance(text, Bilingual) else text


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
