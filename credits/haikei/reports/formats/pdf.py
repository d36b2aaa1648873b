"""
The page of `haikei.reports.formats.html`, set on paper by WeasyPrint, and end cards as pictures.

End cards of 1920 x 1080 are those pages, drawn by PDFium. A card with so much to say that it does
not fit its page is set on a larger page, and so shown smaller: nothing is cut off.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from haikei.errors import ReportError
from haikei.printable import emoji_named, printable
from haikei.reports.document.blocks import Block, Card, Cell, Document, Picture, Style, Table
from haikei.reports.document.embedding import find_font, speaks_japanese
from haikei.reports.formats.html import html

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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


WIDTH, HEIGHT = 1920, 1080
#: By how much the page grows, one after the other, until the card fits.
_LARGER = (1.0, 1.25, 1.6, 2.0, 2.6)
_PAGE_MM = (320.0, 180.0)
#: How much of the pages is filled, at least, when there are several.
_FULL = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnCard:
    """One card as a PNG."""

    name: str
    png: bytes


def png(document: Document) -> Iterator[DrawnCard]:
    """
    Yield each card of the document as a picture.

    Raises:
        ReportError: the document has no cards, one has too much for a picture, or no font shows
            Japanese.
    """
    drawn = 0
    for block in document.blocks:
        if isinstance(block, Card):
            drawn += 1
            yield DrawnCard(name=block.name, png=_drawn(document, block))
    if not drawn:
        raise ReportError(
            f"{document.name} has nothing to draw for {document.scope}.",
            advice="Check --project, --sequence and --shot.",
        )


def _drawn(document: Document, card: Card) -> bytes:
    pictures = tuple(_sharp(one, len(card.pictures)) for one in card.pictures)
    alone = replace(document, blocks=(replace(card, pictures=pictures),))
    least = 0.0
    for larger in _LARGER:
        if larger < least:
            continue
        width, height = (side * larger for side in _PAGE_MM)
        pages = lay_out(alone, styles=_page(width, height))
        if pages.number == 1:
            return _encoded(_pixels(pages.pdf()))
        # What takes so many pages fits none that has not about as much room as all of them.
        least = larger * (pages.number * _FULL) ** 0.5
    raise ReportError(
        f"The card {card.name} has more to say than fits one picture.",
        advice="Write it as PDF or HTML.",
    )


def _sharp(picture: Picture, beside: int) -> Picture:
    return replace(picture, longest=max(picture.longest, WIDTH // max(beside, 2)))


def _page(width: float, height: float) -> str:
    # Half a millimetre less than the page: a box of just its height would begin another.
    return (
        f"@page {{ size: {width:g}mm {height:g}mm !important }}"
        "body { max-width: none !important }"
        f".card {{ min-height: {height - 0.5:g}mm !important }}"
    )


def _pixels(pdf: bytes) -> "NDArray[np.uint8]":
    """Return the one page as BGR pixels of the picture's size."""
    import pypdfium2  # type: ignore[import-untyped]

    document: Any = pypdfium2.PdfDocument(pdf)
    try:
        page = document[0]
        bitmap = page.render(scale=WIDTH / page.get_width(), draw_annots=False)
        pixels: NDArray[np.uint8] = bitmap.to_numpy()[:HEIGHT, :WIDTH, :3].copy()
    finally:
        document.close()
    return pixels


def _encoded(pixels: "NDArray[np.uint8]") -> bytes:
    import cv2

    height, width = pixels.shape[:2]
    if (height, width) != (HEIGHT, WIDTH):
        pixels = cv2.copyMakeBorder(
            pixels, 0, HEIGHT - height, 0, WIDTH - width, cv2.BORDER_REPLICATE
        ).astype("uint8")
    done, encoded = cv2.imencode(".png", pixels)
    if not done:
        raise ReportError("A card cannot be written as PNG.")
    return encoded.tobytes()
