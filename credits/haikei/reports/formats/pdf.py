"""The page of `haikei.reports.formats.html`, set on paper by WeasyPrint."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from haikei.errors import ReportError
from haikei.printable import emoji_named, printable
from haikei.reports.document.blocks import Block, Cell, Document, Style, Table
from haikei.reports.document.fonts import find_font, speaks_japanese
from haikei.reports.formats.html import html

#: Rows above which a report is not set on paper: in two languages each costs WeasyPrint 30 ms and
#: 400 KiB.
ROW_LIMIT = 1_500
#: A last page with less than this share filled is nearly empty.
NEARLY_EMPTY = 0.33
#: What is tried one after the other so that no report ends in such a page: set closer, then wider.
_SETTINGS = tuple(
    f"@page {{ margin: {margin} !important }}"
    f"body {{ font-size: {size}pt !important; line-height: {line} !important }}"
    for margin, size, line in (
        ("17mm 16mm 16mm", 8.9, 1.4),
        ("15mm 15mm 14mm", 8.6, 1.34),
        ("20mm 17mm 19mm", 9.6, 1.6),
        ("13mm 14mm 13mm", 8.2, 1.3),
        ("22mm 20mm 21mm", 10, 1.7),
    )
)
#: Longer reports are set once: to set them costs more than half a page is worth.
_MOST_PAGES = 60


def write_pdf(document: Document, path: Path, *, row_limit: int = ROW_LIMIT) -> None:
    """
    Write the document as PDF, with page numbers, running titles and repeated table heads.

    Raises:
        ReportError: it is too long for paper, or no font shows its Japanese.
    """
    path.write_bytes(lay_out(document, row_limit=row_limit).pdf())


class Pages:
    """A document that is laid out on pages, and not yet written."""

    def __init__(self, laid_out: Any) -> None:
        self._laid_out = laid_out

    @property
    def number(self) -> int:
        """How many pages it takes."""
        return len(self._laid_out.pages)

    @property
    def last_filled(self) -> float:
        """What share of the last page's height holds something; the whole of a single page."""
        last = self._laid_out.pages[-1]._page_box
        return float(last.children[0].height / last.height) if self.number > 1 else 1.0

    @property
    def ends_nearly_empty(self) -> bool:
        """Whether there is a last page that holds hardly anything."""
        return self.last_filled < NEARLY_EMPTY

    def pdf(self) -> bytes:
        """Return them as a PDF file."""
        return cast("bytes", self._laid_out.write_pdf(uncompressed_pdf=False))


def lay_out(document: Document, *, row_limit: int = ROW_LIMIT, styles: str = "") -> Pages:
    """
    Return the document on pages; a report is set closer or wider if it would end nearly empty.

    Nothing is loaded but what stands in the page: neither the network nor other files.

    Args:
        document: it is read to its end.
        row_limit: rows above which it is refused.
        styles: rules of CSS that come on top of the page's own, which is then set just so.

    Raises:
        ReportError: it is too long for paper, or no font shows its Japanese.
    """
    from weasyprint import CSS, HTML  # type: ignore[import-untyped]
    from weasyprint.urls import URLFetcher  # type: ignore[import-untyped]

    counted = _Counted(document, row_limit)
    pieces = [emoji_named(printable(piece)) for piece in html(counted.document)]
    if any(map(speaks_japanese, pieces)):
        find_font(document.font)
    fetcher = URLFetcher(allowed_protocols=("data",), allow_redirects=False)
    page = HTML(string="".join(pieces), url_fetcher=fetcher)

    def laid_out(rules: str) -> Pages:
        more = [CSS(string=rules, url_fetcher=fetcher)] if rules else []
        return Pages(page.render(stylesheets=more))

    pages = laid_out(styles)
    just_so = bool(styles) or document.style is Style.CARD or pages.number > _MOST_PAGES
    if just_so or not pages.ends_nearly_empty:
        return pages
    for rules in _SETTINGS:
        tried = laid_out(rules)
        if not tried.ends_nearly_empty:
            return tried
        pages = max(pages, tried, key=lambda one: one.last_filled)
    return pages


class _Counted:
    """A document that stops when it has more rows than fit on paper."""

    def __init__(self, document: Document, limit: int) -> None:
        self._left = limit
        self._limit = limit
        self._name = document.name
        self.document = replace(document, blocks=map(self._block, document.blocks))

    def _block(self, block: Block) -> Block:
        if isinstance(block, Table):
            return replace(block, rows=map(self._row, block.rows))
        return block

    def _row(self, row: tuple[Cell, ...]) -> tuple[Cell, ...]:
        self._left -= 1
        if self._left < 0:
            raise ReportError(
                f"{self._name} has more than {self._limit:,} rows, too many for one PDF.",
                advice="Name a part of the show with --sequence, or write it as HTML or CSV.",
            )
        return row
