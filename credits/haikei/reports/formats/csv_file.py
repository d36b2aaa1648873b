"""
One of the document's tables as CSV, for spreadsheets and programs.

Lines end in CRLF (RFC 4180). Text that a
spreadsheet would take for a formula begins with an apostrophe.
Source: https://owasp.org/www-community/attacks/CSV_Injection
"""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime

from haikei.errors import ReportError
from haikei.reports.document.blocks import Badge, Cell, Document, Figure, Lines, Link, Table
from haikei.texts import Bilingual, Language, in_language

# Excel in Japanese reads the wide forms as the narrow ones.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_ROWS = 500


def csv_file(document: Document) -> Iterator[str]:
    """
    Yield the file, piece by piece.

    Raises:
        ReportError: the document has no table.
    """
    key = document.csv or None
    begun = False
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    for block in document.blocks:
        if not isinstance(block, Table) or (key is not None and block.key != key):
            continue
        if not begun:
            key = block.key
            begun = True
            writer.writerow(_heads(block))
        linked = [column.linked for column in block.columns]
        for number, row in enumerate(block.rows):
            writer.writerow(_row(row, linked, document.language))
            if number % _ROWS == 0:
                yield _taken(buffer)
    if not begun:
        raise ReportError(
            f"{document.name} has no table to write as CSV.", advice="Write it as HTML or JSON."
        )
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _heads(table: Table) -> list[str]:
    heads: list[str] = []
    for column in table.columns:
        heads.append(column.key)
        if column.linked:
            heads.append(f"{column.key}_link")
    return heads


def _row(row: tuple[Cell, ...], linked: list[bool], language: Language) -> list[object]:
    cells: list[object] = []
    for cell, has_link in zip(row, linked, strict=True):
        cells.append(_plain(cell, language))
        if has_link:
            cells.append(_safe(_target(cell)))
    return cells


def _plain(cell: Cell, language: Language) -> object:
    match cell:
        case Bilingual():
            return _safe(in_language(cell, language))
        case Lines():
            return _safe("; ".join([str(_plain(item, language)) for item in cell.items]))
        case None:
            return ""
        case str():
            return _safe(cell)
        case int():
            return cell
        case datetime():
            return cell.astimezone(UTC).isoformat(timespec="seconds")
        case Link():
            return _safe(in_language(cell.text, language))
        case Figure(value=value):
            return _safe(value) if isinstance(value, str) else value
        case Badge():
            return _safe(in_language(cell.text, language))


def _target(cell: Cell) -> str:
    if isinstance(cell, Link | Figure):
        return cell.target
    if isinstance(cell, Lines):
        return "; ".join(filter(None, map(_target, cell.items)))
    return ""


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
