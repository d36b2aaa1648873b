"""The show at a glance, and the page that leads to all reports of a show."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from haikei.decisions import ReviewState
from haikei.reports.document.blocks import (
    Align,
    Badge,
    Block,
    Cell,
    Column,
    Document,
    Fact,
    Figure,
    Heading,
    Item,
    Lines,
    Link,
    Notice,
    Paragraph,
    Table,
    Tone,
)
from haikei.reports.document.phrases import PITFALLS, compose
from haikei.reports.facts.hours import human_hours, machine_hours
from haikei.reports.facts.tally import (
    AREA_EDGES,
    RECORDS,
    ShowTally,
    Trail,
    bar_blocks,
    column_blocks,
    day_blocks,
    records_of,
    span_of,
    tally,
)
from haikei.reports.report import Format, Report, ReportOptions, ReportSource
from haikei.texts import REVIEW_STATES, Bilingual, Language, Text

_SEQUENCES = (
    Column(key="sequence", title=Bilingual("Sequence", "シーケンス")),
    Column(key="shots", title=Bilingual("Cuts", "カット"), align=Align.END),
    Column(key="backgrounds", title=Bilingual("Backgrounds", "背景"), align=Align.END),
    Column(key="versions", title=Bilingual("Versions", "バージョン"), align=Align.END),
    *(
        Column(key=state.value, title=REVIEW_STATES[state], align=Align.END)
        for state in ReviewState
    ),
    Column(key="ai", title=Bilingual("With AI", "AI使用"), align=Align.END),
    Column(key="touched", title=Bilingual("With touch-up", "加筆あり"), align=Align.END),
    RECORDS,
)
_BACKGROUNDS = Bilingual("backgrounds", "背景数")
_MOST_RETAKES = 5


class Dashboard:
    """Charts that print, each over the table that it was drawn from."""

    name = "dashboard"
    title = Bilingual("Dashboard", "ダッシュボード")
    purpose = "The show at a glance: states, versions a day, hours, tools, retakes, touch-ups."
    formats = (Format.HTML, Format.PDF, Format.JSON, Format.CSV, Format.TXT)

    def document(self, source: ReportSource, options: ReportOptions) -> Document:
        """Return the dashboard; all versions are counted, of states each background's newest."""
        from haikei.credits import records

        scope = replace(source.scope, latest=False)
        show = tally(records.backgrounds(source.connection, scope), source.progress)
        standing = records.standings(source.connection, source.scope.project)
        facts = (
            Fact(
                "shots",
                Bilingual("Cuts", "カット数"),
                Figure(show.shots, f"{show.shots:,}", "#sequences"),
            ),
            Fact(
                "backgrounds",
                Bilingual("Backgrounds", "背景数"),
                Figure(show.backgrounds.count, f"{show.backgrounds.count:,}", "#sequences"),
            ),
            Fact(
                "versions",
                Bilingual("Versions", "バージョン数"),
                Figure(show.versions.count, f"{show.versions.count:,}", "#sequences"),
            ),
            Fact("ledger", Bilingual("Ledger entries", "台帳番号"), span_of(show.versions)),
            Fact(
                "confirmed",
                Bilingual("People who confirmed their credits", "クレジットを確認した人"),
                f"{sum(one.is_done for one in standing):,} / {len(standing):,}",
            ),
        )
        page = _Dashboard(source, options.language, show)
        return compose(
            self,
            source,
            options,
            facts=facts,
            blocks=page.blocks(),
            notes=(PITFALLS,),
            csv="sequences",
        )


class _Dashboard:
    def __init__(self, source: ReportSource, language: Language, show: ShowTally) -> None:
        self._source = source
        self._language = language
        self._show = show

    def blocks(self) -> Iterator[Block]:
        if not self._show.versions.count:
            yield Notice(
                Bilingual("No background is recorded here yet.", "背景の記録はまだありません。"),
                Tone.DASHED,
            )
            return
        yield from self._states()
        yield Heading(Bilingual("Versions over time", "バージョン数の推移"))
        yield from day_blocks(self._show.days, self._language)
        yield Heading(Bilingual("Human hours", "人の作業時間"))
        yield from human_hours(self._source, self._language)
        yield Heading(Bilingual("Machine hours", "機械の処理時間"))
        yield from machine_hours(self._source, self._show)
        yield from self._tools()
        yield from self._retakes()
        yield from self._touch_ups()
        yield Heading(Bilingual("By sequence", "シーケンス別"), anchor="sequences")
        yield Table(key="sequences", columns=_SEQUENCES, rows=self._sequences())

    def _states(self) -> Iterator[Block]:
        found = {state: self._show.states.get(state, Trail()) for state in ReviewState}
        yield Heading(Bilingual("Where the backgrounds stand", "背景の進捗"))
        yield from bar_blocks(
            self._language,
            key="states",
            title=Bilingual(
                "Backgrounds by state of their newest version", "最新バージョンの状況別の背景数"
            ),
            found=[(REVIEW_STATES[state], state.value, trail) for state, trail in found.items()],
            head=Bilingual("State", "状況"),
            counted=_BACKGROUNDS,
            colour=0,
        )

    def _tools(self) -> Iterator[Block]:
        yield Heading(Bilingual("Models and tools", "使用モデル・ツール"))
        tools = sorted(self._show.tools.items(), key=lambda item: -item[1].count)
        found: list[tuple[Text, str, Trail]] = [
            (f"{tool.name}{' (AI)' * tool.ai}", tool.name, trail) for tool, trail in tools
        ]
        found.append((Bilingual("no tool recorded", "ツールの記録なし"), "", self._show.by_hand))
        yield from bar_blocks(
            self._language,
            key="tools",
            title=Bilingual("Versions by what made their pixels", "画素の生成元別バージョン数"),
            found=found,
            head=Bilingual("Tool", "ツール"),
            counted=Bilingual("versions", "バージョン数"),
            colour=4,
        )

    def _retakes(self) -> Iterator[Block]:
        yield Heading(Bilingual("Retakes", "リテイク"))
        classes: dict[int, Trail] = {}
        for retakes, trail in self._show.retakes.items():
            place = min(retakes, _MOST_RETAKES)
            classes[place] = classes.get(place, Trail()).joined(trail)
        found = [
            (f"{number}{'+' * (number == _MOST_RETAKES)}", classes.get(number, Trail()))
            for number in range(_MOST_RETAKES + 1)
        ]
        yield from column_blocks(
            self._language,
            key="retakes",
            title=Bilingual(
                "Backgrounds by how often a retake was asked for", "リテイク回数別の背景数"
            ),
            found=found,
            head=Bilingual("Retakes", "リテイク回数"),
            counted=_BACKGROUNDS,
            colour=1,
        )

    def _touch_ups(self) -> Iterator[Block]:
        yield Heading(Bilingual("Touch-ups", "加筆"))
        if not self._show.areas and not self._show.unmeasured.count:
            yield Paragraph(Bilingual("No touch-up is recorded.", "加筆の記録はありません。"))
            return
        found = [
            (label, self._show.areas.get(place, Trail()))
            for place, label in enumerate(_area_labels())
        ]
        yield Notice(
            Bilingual(
                "Area is not effort: one stroke may save a picture, and a gradient may cover it.",
                "面積は労力ではありません。一筆が絵を救うことも、グラデーションが全体を覆うこともあります。",
            )
        )
        yield from column_blocks(
            self._language,
            key="touch_up_areas",
            title=Bilingual("Touch-ups by the area that they changed", "変化面積別の加筆数"),
            found=found,
            head=Bilingual("Changed locally, % of the area", "局所的に変化した面積（%）"),
            counted=Bilingual("touch-ups", "加筆数"),
            colour=3,
        )
        if self._show.unmeasured.count:
            count = self._show.unmeasured.count
            yield Paragraph(
                Bilingual(
                    f"{count:,} touch-ups were not measured.",
                    f"計測されていない加筆：{count:,}件。",
                )
            )

    def _sequences(self) -> Iterator[tuple[Cell, ...]]:
        for name, one in self._show.sequences.items():
            yield (
                name or Bilingual("(none)", "（なし）"),
                len(one.shots),
                one.backgrounds,
                one.versions.count,
                *(one.states.get(state, 0) for state in ReviewState),
                one.ai,
                one.touched,
                records_of(one.versions),
            )


def _area_labels() -> list[str]:
    percents = [f"{edge / 10_000:g}" for edge in AREA_EDGES]
    return ["0", *(f"{low}–{high}" for low, high in pairwise(percents))]


_COLUMNS = (
    Column(key="report", title=Bilingual("Report", "報告書")),
    Column(key="purpose", title=Bilingual("What it is for", "用途"), wide=True),
    Column(key="files", title=Bilingual("Files", "ファイル"), wide=True),
)
_NONE = Badge(Bilingual("not made", "未作成"), Tone.DASHED)


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
    title = Bilingual("Credits and audits", "クレジットと監査")
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
