"""The page that leads to all reports of a show."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from haikei.reports.composing import compose
from haikei.reports.document import Badge, Cell, Column, Document, Item, Lines, Link, Table, Tone
from haikei.reports.report import Format, Report, ReportOptions, ReportSource
from haikei.reports.words import Words

_COLUMNS = (
    Column(key="report", title=Words("Report", "報告書")),
    Column(key="purpose", title=Words("What it is for", "用途"), wide=True),
    Column(key="files", title=Words("Files", "ファイル"), wide=True),
)
_NONE = Badge(Words("not made", "未作成"), Tone.DASHED)


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeReport:
    """What became of one report."""

    report: Report
    files: tuple[str, ...]  #: their names, beside the index
    refusals: tuple[str, ...]  #: why it could not be made, or not in every format


class Index:
    """
    All reports of a show, each with its files.

    Args:
        made: in the order in which they are listed.
    """

    name = "index"
    title = Words("Credits and audits", "クレジットと監査")
    purpose = "Leads to all reports of a show."
    formats = (Format.HTML,)

    def __init__(self, made: Sequence[MadeReport]) -> None:
        self._made = tuple(made)

    def document(self, source: ReportSource, options: ReportOptions) -> Document:
        """Return the list."""
        table = Table(key="reports", columns=_COLUMNS, rows=self._rows())
        return compose(self, source, options, blocks=(table,))

    def _rows(self) -> Iterator[tuple[Cell, ...]]:
        for one in self._made:
            links: tuple[Item, ...] = tuple(Link(file, file) for file in one.files)
            found: tuple[Item, ...] = (*links, *one.refusals) if links else (_NONE, *one.refusals)
            yield one.report.title, f"{one.report.name}: {one.report.purpose}", Lines(found)
