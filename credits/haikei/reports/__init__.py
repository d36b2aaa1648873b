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
    from haikei.reports.document.phrases import compose, joined, share, shown, stage_names, steps
    from haikei.reports.report import find_report, reports
    from haikei.reports.report_writing import check_seal, collect_rarely, write_report

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
    "stage_names",
    "steps",
    "write_report",
]

__getattr__ = on_demand(
    __name__,
    {
        "haikei.reports.document.phrases": (
            "compose",
            "joined",
            "share",
            "shown",
            "stage_names",
            "steps",
        ),
        "haikei.reports.report": (
            "find_report",
            "reports",
        ),
        "haikei.reports.report_writing": (
            "check_seal",
            "collect_rarely",
            "write_report",
        ),
    },
)
