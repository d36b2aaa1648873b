"""Reports for people and machines: one document, written as HTML, PDF, CSV, JSON or text."""

from typing import TYPE_CHECKING

from haikei.doors import on_demand
from haikei.reports.document.blocks import (
    Align,
    Badge,
    Block,
    Bullets,
    Card,
    Cell,
    Chart,
    Column,
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
    Tone,
)
from haikei.reports.report import Format, LoggedTime, Report, ReportOptions, ReportSource

if TYPE_CHECKING:
    from haikei.reports.document.composing import compose, joined, shown
    from haikei.reports.document.phrases import share, steps
    from haikei.reports.registry import find_report, reports
    from haikei.reports.report_signature import check_seal
    from haikei.reports.report_writing import collect_rarely, write_report

__all__ = [
    "Align",
    "Badge",
    "Block",
    "Bullets",
    "Card",
    "Cell",
    "Chart",
    "Column",
    "Document",
    "Fact",
    "Facts",
    "Figure",
    "Format",
    "Heading",
    "Item",
    "Lines",
    "Link",
    "LoggedTime",
    "Notice",
    "PageBreak",
    "Paragraph",
    "Picture",
    "Report",
    "ReportOptions",
    "ReportSource",
    "RollPart",
    "Strip",
    "Style",
    "Table",
    "Tone",
    "check_seal",
    "collect_rarely",
    "compose",
    "find_report",
    "joined",
    "reports",
    "share",
    "shown",
    "steps",
    "write_report",
]

__getattr__ = on_demand(
    __name__,
    {
        "haikei.reports.document.composing": ("compose", "joined", "shown"),
        "haikei.reports.document.phrases": ("share", "steps"),
        "haikei.reports.registry": (
            "find_report",
            "reports",
        ),
        "haikei.reports.report_signature": ("check_seal",),
        "haikei.reports.report_writing": (
            "collect_rarely",
            "write_report",
        ),
    },
)
