"""
What a report says, apart from how it looks: a head, and blocks in order.

Blocks and rows may be generators. A document is read once, from the beginning to the end, so that
a report on a whole show never stands in memory.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from haikei.texts import Language, Text


class Style(StrEnum):
    """What a document looks like."""

    REPORT = "report"
    ROLL = "roll"  #: a film's end roll: centred, light on dark on a screen
    CARD = "card"  #: end cards: a dark ground in 16:9, also in print


class Align(StrEnum):
    """To which side a column's cells stand."""

    START = "start"
    END = "end"  #: for numbers


class Tone(StrEnum):
    """How strongly a badge speaks. Never from red to green: grades are no verdicts."""

    SOLID = "solid"  #: measured, signed, present
    OUTLINE = "outline"  #: logged
    DASHED = "dashed"  #: declared, unknown
    ALERT = "alert"  #: something that a reader must look at


@dataclass(frozen=True, slots=True)
class Link:
    """Text that leads to a record; anything but http, https and places in the page is only text."""

    text: Text
    target: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A value for machines, as people read it, and the record that shows it."""

    value: int | float | str | None
    shown: Text
    target: str = ""


@dataclass(frozen=True, slots=True)
class Badge:
    """A short word in a frame, such as a grade of evidence."""

    text: Text
    tone: Tone = Tone.OUTLINE


@dataclass(frozen=True, slots=True)
class Lines:
    """Several things in one cell, each on its own line."""

    items: tuple["Item", ...]
    inline: bool = False  #: on one line instead, as far as it reaches


Item = Text | int | datetime | Link | Figure | Badge | None
Cell = Item | Lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: `key` is its name in CSV and JSON, `title` what people read."""

    key: str
    title: Text
    align: Align = Align.START
    linked: bool = False  #: CSV gets a second column `KEY_link` with the links' targets
    wide: bool = False  #: may take the room that others leave


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """
    Rows under heads. Each row has as many cells as there are columns.

    Tables with the same `key` are parts of one. CSV holds one key's alone, under one head: the
    document's `csv`, else the first.
    """

    key: str
    columns: tuple[Column, ...]
    rows: Iterable[tuple[Cell, ...]]
    caption: Text = ""
    empty: Text = ""  #: printed in place of a table without rows
    printed: bool = True  #: False: for programs alone (CSV, JSON); pages show it in another way


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a part; level 2 or 3, for 1 is the document's own."""

    text: Text
    level: int = 2
    anchor: str = ""  #: by which links in the page find it


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A few sentences."""

    text: Text
    small: bool = False


@dataclass(frozen=True, slots=True)
class Bullets:
    """A short list."""

    items: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """One label and what stands beside it; `key` is its name in JSON."""

    key: str
    label: Text
    value: Cell


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels and values under each other."""

    items: tuple[Fact, ...]
    key: str = "facts"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a reader must not miss."""

    text: Text
    tone: Tone = Tone.OUTLINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """
    One picture. A file that is missing or unreadable shows as a frame that says so.

    `source` is a file, or an encoded image (PNG or JPEG), or None where there is nothing to show.
    """

    source: Path | bytes | None
    caption: Text = ""
    lines: tuple[Text, ...] = ()  #: under the caption, such as names
    expected: str = ""  #: what should be there: a path, printed when it is missing
    longest: int = 960  #: the longer side in pixels at which it is shown at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """Pictures side by side, in the order in which each was made from the one before."""

    pictures: tuple[Picture, ...]
    arrows: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A drawing in SVG by `haikei.reports.document.embedding`, which escapes what it writes."""

    svg: str
    title: Text
    note: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RollPart:
    """One role of an end roll and those who had it; each name is printed in its own language."""

    key: str
    role: Text
    names: tuple[Text, ...]
    notes: tuple[Text, ...] = ()  #: under the names, such as whom they work for


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One end card: how one picture came to be. Each stands on a page of its own."""

    name: str  #: a file's name for it, without an ending
    title: Text
    subtitle: Text = ""
    pictures: tuple[Picture, ...]
    lines: tuple[Text, ...] = ()  #: under all pictures


@dataclass(frozen=True, slots=True)
class PageBreak:
    """In print, what follows begins a new page."""


Block = (
    Heading
    | Paragraph
    | Bullets
    | Facts
    | Notice
    | Table
    | Picture
    | Strip
    | Chart
    | RollPart
    | Card
    | PageBreak
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One report, ready to be written once in one format."""

    name: str  #: the report's, such as `credits-roll`
    title: Text
    subtitle: Text = ""
    language: Language
    scope: str  #: what of which show, such as `porto / sq010`
    studio: str
    made_at: datetime
    client: str = ""
    contact: str = ""
    logo: Path | None = None
    font: str = ""  #: a family put before the system's own
    style: Style = Style.REPORT
    csv: str = ""  #: the key of the table that CSV holds; empty: the first one's
    facts: tuple[Fact, ...] = ()
    blocks: Iterable[Block] = field(default=())
    notes: tuple[Text, ...] = ()  #: small print at the end: how figures are meant
    #: The JSON file, piece by piece, of a report whose shape is somebody's standard.
    json: Iterable[str] | None = None
    #: Signs a written file, and returns where the signature stands.
    sign: Callable[[Path], Path] | None = None
