"""
The whole document as one JSON object, for programs.

Blocks stand in order under `blocks`, each with its `type`; a table's rows are objects by the keys
of its columns, and cells of linked columns are `{"value": …, "link": …}`. Text that has two
languages is `{"en": …, "ja": …}`.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

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
from haikei.texts import Bilingual, Text

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
            return cell.astimezone(UTC).isoformat(timespec="seconds")
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
