"""Type-checked, never run: what a package with a report relies on."""

from collections.abc import Callable, Iterator
from typing import assert_type

from haikei.reports import (
    Column,
    Document,
    Format,
    Report,
    ReportOptions,
    ReportSource,
    Table,
    compose,
    find_report,
    reports,
)
from haikei.texts import Bilingual, Language


class Cuts:
    """A report as a studio writes it: it inherits nothing from Haikei."""

    name = "cuts"
    title = Bilingual("Cuts", "カット")
    purpose = "All cuts."
    formats = (Format.HTML, Format.CSV)

    def document(self, source: ReportSource, options: ReportOptions) -> Document:
        assert_type(options.language, Language)
        columns = (Column(key="shot", title=Bilingual("Cut", "カット")),)
        table = Table(key="cuts", columns=columns, rows=self._rows(source))
        return compose(self, source, options, blocks=(table,))

    def _rows(self, source: ReportSource) -> Iterator[tuple[str, ...]]:
        yield (source.scope.project,)


class Untitled:
    """No report: lists could not name it."""

    name = "untitled"
    purpose = "Nothing."
    formats = (Format.HTML,)

    def document(self, source: ReportSource, options: ReportOptions) -> Document:
        raise NotImplementedError(source, options)


#: What an entry point of the group `haikei.reports` names.
entry_point: Callable[[], Report] = Cuts

refused: Report = Untitled()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


def use(source: ReportSource, options: ReportOptions) -> None:
    assert_type(reports(), tuple[Report, ...])
    report = find_report("cuts")
    assert_type(report, Report)
    assert_type(report.title, Bilingual)
    assert_type(report.formats, tuple[Format, ...])
    assert_type(report.document(source, options), Document)
