"""What every report's document begins with: the studio, the scope, the moment."""

from collections.abc import Callable, Iterable
from pathlib import Path

from haikei.reports.document import Block, Document, Fact, Style
from haikei.reports.report import Report, ReportOptions, ReportSource
from haikei.reports.words import Text


def compose(
    report: Report,
    source: ReportSource,
    options: ReportOptions,
    *,
    blocks: Iterable[Block],
    subtitle: Text = "",
    facts: tuple[Fact, ...] = (),
    notes: tuple[Text, ...] = (),
    style: Style = Style.REPORT,
    csv: str = "",
    json: Iterable[str] | None = None,
    sign: Callable[[Path], Path] | None = None,
) -> Document:
    """Return the report's document with the head that its source and the settings give it."""
    look = source.settings.reports
    return Document(
        name=report.name,
        title=report.title,
        subtitle=subtitle,
        language=options.language,
        scope=source.scope.name,
        studio=source.settings.studio.name,
        made_at=source.now,
        client=look.client,
        contact=look.contact,
        logo=look.logo,
        font=look.font,
        style=style,
        csv=csv,
        json=json,
        sign=sign,
        facts=facts,
        blocks=blocks,
        notes=notes,
    )
