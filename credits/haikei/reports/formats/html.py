"""
A page that stands alone: styles and pictures inside it, no scripts, nothing loaded from elsewhere.

Everything that comes from records is escaped, and the page's own content security policy forbids
what it does not hold itself.
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from html import escape
from importlib.resources import files
from itertools import chain, islice

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
    Item,
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
from haikei.reports.document.embedding import Embedded, embed
from haikei.texts import Bilingual, Language, Text, in_language

_SANS = (
    '"Noto Sans CJK JP", "Noto Sans JP", "Hiragino Sans", "Yu Gothic", "Noto Sans", system-ui,'
    " sans-serif"
)
_SERIF = (
    '"Noto Serif CJK JP", "Noto Serif JP", "Hiragino Mincho ProN", "Yu Mincho", "Noto Serif",'
    " Georgia, serif"
)
#: Elsewhere, in the page, or a file beside it.
_SAFE_TARGET = re.compile(r"(?:(?:https?://|#)\S*|[\w.-]+)\Z", re.IGNORECASE)
#: What `html.escape` looks for, one after the other.
_MARKUP = re.compile("[&<>\"']")
_FAMILY = re.compile(r"[\w .-]+")
_MADE = Bilingual("Made by Haikei", "Haikei作成")
_CONTACT = Bilingual("Questions", "お問い合わせ")
_CLIENT = Bilingual("For", "提出先")
_NONE = Bilingual("None.", "該当なし")
#: A role with more names than this is set in columns.
_MANY = 12
#: Rows that are joined into one piece of the page.
_ROWS = 200
#: Cells that are kept as they were set.
_KEPT = 4096
#: A report with a table of more columns than this, where two of numbers count as one, is printed on
#: landscape pages.
_UPRIGHT = 8
#: A table of fewer rows and at most so many columns is kept on one page.
_SHORT, _NARROW = 8, 4


def html(document: Document) -> Iterator[str]:
    """Yield the page, piece by piece; joined they are one HTML document in UTF-8."""
    page = _Page(document.language)
    yield page.begin(document)
    for block in document.blocks:
        yield from page.block(block)
    yield page.end(document)


def _styles(document: Document) -> str:
    own = f'"{document.font}", ' if _FAMILY.fullmatch(document.font) else ""
    names = ["report.css"]
    if document.style is not Style.REPORT:
        names.append(f"{document.style.value}.css")
    folder = files("haikei.reports") / "styles"
    sheets = "\n".join((folder / name).read_text(encoding="utf-8") for name in names)
    return f":root {{ --sans: {own}{_SANS}; --serif: {own}{_SERIF}; }}\n{sheets}"


class _Page:
    def __init__(self, language: Language) -> None:
        self._language = language
        #: Cells as they were set, by identity: rows of a large show share many. Each one is held
        #: beside its text, so that no other can come by its identity.
        self._set: dict[int, tuple[Cell, str]] = {}

    def begin(self, document: Document) -> str:
        styles = _styles(document)
        digest = base64.b64encode(hashlib.sha256(styles.encode()).digest()).decode("ascii")
        policy = (
            f"default-src 'none'; img-src data:; style-src 'sha256-{digest}';"
            " base-uri 'none'; form-action 'none'"
        )
        language = "ja" if self._language is Language.JA else "en"
        title = in_language(document.title, self._language)
        running = escape(f"{title} · {document.scope} · {document.studio}")
        made = escape(f"{_moment(document.made_at)} · {in_language(_MADE, self._language)}")
        return (
            f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="referrer" content="no-referrer">\n'
            f"<title>{escape(title)} · {escape(document.scope)}</title>\n"
            f"<style>{styles}</style></head>\n"
            f'<body class="style-{document.style.value}">\n'
            f'<p class="running title" aria-hidden="true">{running}</p>'
            f'<p class="running made" aria-hidden="true">{made}</p>\n'
            f'<header><div class="head"><div class="studio">{escape(document.studio)}</div>'
            f"{self._logo(document)}</div>\n<h1>{self._text(document.title)}</h1>\n"
            f'<p class="subtitle">{self._text(document.subtitle or document.scope)}</p>\n'
            f"{self._facts(document.facts, lead=True)}</header>\n<main>\n"
        )

    def end(self, document: Document) -> str:
        notes = "".join(f"<p>{self._text(note)}</p>" for note in document.notes)
        last = [f"{_moment(document.made_at)} · {in_language(_MADE, self._language)}"]
        if document.client:
            last.append(f"{in_language(_CLIENT, self._language)}: {document.client}")
        if document.contact:
            last.append(f"{in_language(_CONTACT, self._language)}: {document.contact}")
        return (
            f'</main>\n<footer class="notes">{notes}<p>{escape(" · ".join(last))}</p></footer>\n'
            "</body></html>\n"
        )

    def block(self, block: Block) -> Iterator[str]:
        match block:
            case Table():
                yield from self._table(block)
            case Card():
                yield self._card(block)
            case _:
                yield self._plain(block)

    def _heading(self, heading: Heading) -> str:
        anchor = f' id="{escape(heading.anchor)}"' if heading.anchor else ""
        level = 3 if heading.level > 2 else 2
        return f"<h{level}{anchor}>{self._text(heading.text)}</h{level}>\n"

    def _plain(self, block: Block) -> str:
        match block:
            case Heading():
                return self._heading(block)
            case Paragraph():
                kind = ' class="small"' if block.small else ""
                return f"<p{kind}>{self._text(block.text)}</p>\n"
            case Bullets():
                items = "".join(f"<li>{self._text(item)}</li>" for item in block.items)
                return f"<ul>{items}</ul>\n"
            case Facts():
                return self._facts(block.items)
            case Notice():
                return (
                    f'<div class="notice {block.tone.value}" role="note">'
                    f"<p>{self._text(block.text)}</p></div>\n"
                )
            case Picture():
                return self._figure(block) + "\n"
            case Strip():
                return self._strip(block)
            case Chart():
                return self._chart(block)
            case RollPart():
                return self._part(block)
            case PageBreak():
                return '<div class="break"></div>\n'
            case _:
                raise AssertionError("unreachable")

    def _text(self, text: Text) -> str:
        return _escaped(text) if isinstance(text, str) else _words(text, self._language)

    def _cell(self, cell: Cell) -> str:
        # The kinds that nearly all cells are of come first: large shows have millions.
        if isinstance(cell, str):
            return _escaped(cell)
        if isinstance(cell, int):
            return f"{cell:,}"
        known = self._set.get(id(cell))
        return self._new(cell) if known is None else known[1]

    def _new(self, cell: Cell) -> str:
        text = self._lines(cell) if isinstance(cell, Lines) else self._other(cell)
        if len(self._set) >= _KEPT:
            self._set.clear()
        self._set[id(cell)] = cell, text
        return text

    def _lines(self, cell: Lines) -> str:
        known = self._set
        shown: list[str] = []
        # As `_cell` does, without a call for each: nearly all that is set stands in lines.
        for item in cell.items:
            if isinstance(item, int):
                shown.append(f"{item:,}")
            elif isinstance(item, str):
                shown.append(_escaped(item))
            elif (found := known.get(id(item))) is not None:
                shown.append(found[1])
            else:
                shown.append(self._new(item))
        if cell.inline:
            return f'<span class="row">{" · ".join(shown)}</span>'
        inside = "</div><div>".join(shown)
        return f"<div>{inside}</div>" if shown else ""

    def _other(self, item: Item) -> str:
        match item:
            case str() | Bilingual():
                return self._text(item)
            case None:
                return '<span class="none">–</span>'
            case int():
                return f"{item:,}"
            case datetime():
                return _moment(item)
            case Link():
                return self._link(item.text, item.target)
            case Figure():
                return self._link(item.shown, item.target)
            case Badge():
                return f'<span class="badge {item.tone.value}">{self._text(item.text)}</span>'

    def _link(self, text: Text, target: str) -> str:
        shown = self._text(text)
        if not _SAFE_TARGET.match(target):
            return shown
        return f'<a href="{_escaped(target)}" rel="noreferrer">{shown}</a>'

    def _facts(self, facts: tuple[Fact, ...], *, lead: bool = False) -> str:
        if not facts:
            return ""
        rows = "".join(
            f"<dt>{self._text(fact.label)}</dt><dd>{self._cell(fact.value)}</dd>" for fact in facts
        )
        kind = ' class="lead"' if lead else ""
        return f"<dl{kind}>{rows}</dl>\n"

    def _table(self, table: Table) -> Iterator[str]:
        if not table.printed:
            return
        rows = iter(table.rows)
        first = next(rows, None)
        if first is None:
            yield f'<p class="empty">{self._text(table.empty or _NONE)}</p>\n'
            return
        classes = [
            " ".join(name for name in (column.align.value, "wide" * column.wide) if name)
            for column in table.columns
        ]
        caption = f"<caption>{self._text(table.caption)}</caption>" if table.caption else ""
        heads = "".join(
            f'<th scope="col" class="{kind}">{self._text(column.title)}</th>'
            for kind, column in zip(classes, table.columns, strict=True)
        )
        begin = list(islice(rows, _SHORT))
        short = len(begin) < _SHORT and len(table.columns) <= _NARROW
        numbers = sum(column.align is Align.END for column in table.columns)
        wide = len(table.columns) - numbers / 2 > _UPRIGHT
        kind = "wide" if wide else "short" if short else ""
        yield (
            f'<div class="scroll"><table class="{kind}">{caption}<thead><tr>{heads}</tr></thead>\n'
            "<tbody>\n"
        )
        # A row's pieces are joined with those of many others: long cells are copied only once.
        opened = [f'</td><td class="{kind}">' for kind in classes]
        opened[:1] = [f'<tr><td class="{kind}">' for kind in classes[:1]]
        waiting: list[str] = []
        for number, row in enumerate(chain((first,), begin, rows), 1):
            self._row(row, opened, waiting)
            if number % _ROWS == 0:
                yield "".join(waiting)
                waiting.clear()
        waiting.append("</tbody></table></div>\n")
        yield "".join(waiting)

    def _row(self, row: tuple[Cell, ...], opened: list[str], waiting: list[str]) -> None:
        known = self._set
        for start, cell in zip(opened, row, strict=True):
            found = known.get(id(cell))
            waiting.append(start)
            waiting.append(self._cell(cell) if found is None else found[1])
        waiting.append("</td></tr>\n")

    def _figure(self, picture: Picture) -> str:
        shown = embed(picture)
        caption = self._text(picture.caption)
        if isinstance(shown, Embedded):
            alt = escape(in_language(picture.caption, self._language))
            image = (
                f'<img src="{shown.uri}" width="{shown.width}" height="{shown.height}" alt="{alt}">'
            )
            path = ""
        else:
            image = f'<div class="missing" role="img"><span>{self._text(shown.reason)}</span></div>'
            path = f'<div class="path">{escape(shown.path)}</div>' if shown.path else ""
        lines = "".join(f"<div>{self._text(line)}</div>" for line in picture.lines) + path
        under = f"<strong>{caption}</strong>{lines}" if caption or lines else ""
        return f"<figure>{image}<figcaption>{under}</figcaption></figure>"

    def _strip(self, strip: Strip) -> str:
        arrow = '<div class="arrow" aria-hidden="true">→</div>' if strip.arrows else ""
        return (
            f'<div class="strip n{len(strip.pictures)}">'
            + arrow.join(self._figure(picture) for picture in strip.pictures)
            + "</div>\n"
        )

    def _card(self, card: Card) -> str:
        below = "".join(f'<p class="below">{self._text(line)}</p>' for line in card.lines)
        return (
            f'<section class="card"><h2>{self._text(card.title)}</h2>'
            f'<p class="subtitle">{self._text(card.subtitle)}</p>'
            f"{self._strip(Strip(pictures=card.pictures))}{below}</section>\n"
        )

    def _chart(self, chart: Chart) -> str:
        note = f'<p class="small">{self._text(chart.note)}</p>' if chart.note else ""
        return (
            f'<figure class="chart"><strong>{self._text(chart.title)}</strong>'
            f"{chart.svg}{note}</figure>\n"
        )

    def _part(self, part: RollPart) -> str:
        many = " many" if len(part.names) > _MANY else ""
        names = "".join(f"<div>{self._text(name)}</div>" for name in part.names)
        notes = "".join(f'<div class="note">{self._text(note)}</div>' for note in part.notes)
        return (
            f'<div class="part{many}"><div class="role">{self._text(part.role)}</div>'
            f'<div class="names">{names}{notes}</div></div>\n'
        )

    def _logo(self, document: Document) -> str:
        if document.logo is None:
            return ""
        shown = embed(Picture(source=document.logo, longest=480))
        if not isinstance(shown, Embedded):
            return ""
        return f'<img class="logo" src="{shown.uri}" alt="{escape(document.studio)}">'


def _escaped(text: str) -> str:
    return escape(text) if _MARKUP.search(text) else text


def _words(words: Bilingual, language: Language) -> str:
    if language is Language.BOTH:
        en, ja = words.en, words.ja
        if en and ja and en != ja:
            if _MARKUP.search(en + ja):
                en, ja = escape(en), escape(ja)
            return f'{en}<span class="ja" lang="ja">{ja}</span>'
    return _escaped(in_language(words, language))


@lru_cache(maxsize=1024)
def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).isoformat(' ', 'minutes').removesuffix('+00:00')} UTC"
