"""A report: backgrounds that wait for another version."""

from collections.abc import Iterator

from haikei.credits.records import store
from haikei.decisions import ReviewState
from haikei.reports import (
    Column,
    Document,
    Format,
    ReportOptions,
    ReportSource,
    Table,
    compose,
)
from haikei.texts import Bilingual


class OpenRetakes:
    """The newest versions that a supervisor sent back, for the production assistant's round."""

    name = "open-retakes"
    title = Bilingual("Open retakes", "リテイク一覧")
    purpose = "Backgrounds whose newest version waits for a retake."
    formats = (Format.HTML, Format.CSV)

    def document(self, source: ReportSource, options: ReportOptions) -> Document:
        """Return the list; its rows are read while it is written."""
        columns = (
            Column(key="sequence", title=Bilingual("Sequence", "シーケンス")),
            Column(key="shot", title=Bilingual("Cut", "カット")),
            Column(key="version", title=Bilingual("Version", "バージョン")),
        )
        table = Table(key="retakes", columns=columns, rows=_rows(source))
        return compose(self, source, options, blocks=(table,))


def _rows(source: ReportSource) -> Iterator[tuple[str, str, int]]:
    for one in store.backgrounds(source.connection, source.scope):
        if one.state is ReviewState.RETAKE:
            yield (one.sequence, one.shot, one.version)
