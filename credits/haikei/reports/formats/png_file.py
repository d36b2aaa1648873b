"""
End cards as pictures of 1920 x 1080: the pages of `haikei.reports.formats.pdf`, drawn by PDFium.

A card with so much to say that it does not fit its page is set on a larger page, and so shown
smaller: nothing is cut off.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from haikei.errors import ReportError
from haikei.reports.document.blocks import Card, Document, Picture
from haikei.reports.formats.pdf import lay_out

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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
