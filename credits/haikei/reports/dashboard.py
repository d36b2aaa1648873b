"""The show at a glance: what stands where, and who and what worked on it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise

from haikei.credits import ReviewState
from haikei.reports.charts import Bar, bars, columns
from haikei.reports.composing import compose
from haikei.reports.document import (
    Align,
    Block,
    Cell,
    Chart,
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
from haikei.reports.machinetime import MachineTime, machine_time
from haikei.reports.phrases import PITFALLS, STATES
from haikei.reports.report import Format, LoggedTime, ReportOptions, ReportSource
from haikei.reports.tally import AREA_EDGES, ShowTally, Trail, tally
from haikei.reports.words import Language, Text, Words, said

_RECORDS = Column(key="records", title=Words("Records", "記録"), linked=True, wide=True)
_SEQUENCES = (
    Column(key="sequence", title=Words("Sequence", "シーケンス")),
    Column(key="shots", title=Words("Cuts", "カット"), align=Align.END),
    Column(key="backgrounds", title=Words("Backgrounds", "背景"), align=Align.END),
    Column(key="versions", title=Words("Versions", "バージョン"), align=Align.END),
    *(Column(key=state.value, title=STATES[state], align=Align.END) for state in ReviewState),
    Column(key="ai", title=Words("With AI", "AI使用"), align=Align.END),
    Column(key="touched", title=Words("With touch-up", "加筆あり"), align=Align.END),
    _RECORDS,
)
_BACKGROUNDS = Words("backgrounds", "背景数")
_VERSIONS = Words("versions", "バージョン数")
#: Up to so many days each has a bar of its own; beyond, weeks and then months have.
_DAYS, _WEEKS = 62, 62 * 7
_MOST_RETAKES = 5


class Dashboard:
    """Charts that print, each over the table that it was drawn from."""

    name = "dashboard"
    title = Words("Dashboard", "ダッシュボード")
    purpose = "The show at a glance: states, versions a day, hours, tools, retakes, touch-ups."
    formats = (Format.HTML, Format.PDF, Format.JSON, Format.CSV, Format.TXT)

    def document(self, source: ReportSource, options: ReportOptions) -> Document:
        """Return the dashboard; all versions are counted, of states each background's newest."""
        from dataclasses import replace

        from haikei.credits import records

        scope = replace(source.scope, latest=False)
        show = tally(records.backgrounds(source.connection, scope), source.progress)
        facts = (
            Fact(
                "shots",
                Words("Cuts", "カット数"),
                Figure(show.shots, f"{show.shots:,}", "#sequences"),
            ),
            Fact(
                "backgrounds",
                Words("Backgrounds", "背景数"),
                Figure(show.backgrounds.count, f"{show.backgrounds.count:,}", "#sequences"),
            ),
            Fact(
                "versions",
                Words("Versions", "バージョン数"),
                Figure(show.versions.count, f"{show.versions.count:,}", "#sequences"),
            ),
            Fact("ledger", Words("Ledger entries", "台帳番号"), _span(show.versions)),
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
                Words("No background is recorded here yet.", "背景の記録はまだありません。"),
                Tone.DASHED,
            )
            return
        yield from self._states()
        yield from self._days()
        yield from self._hours()
        yield from self._machine()
        yield from self._tools()
        yield from self._retakes()
        yield from self._touch_ups()
        yield Heading(Words("By sequence", "シーケンス別"), anchor="sequences")
        yield Table(key="sequences", columns=_SEQUENCES, rows=self._sequences())

    def _states(self) -> Iterator[Block]:
        found = {state: self._show.states.get(state, Trail()) for state in ReviewState}
        yield Heading(Words("Where the backgrounds stand", "背景の進捗"))
        yield from self._bars(
            "states",
            Words("Backgrounds by state of their newest version", "最新バージョンの状況別の背景数"),
            [(STATES[state], state.value, trail) for state, trail in found.items()],
            Words("State", "状況"),
            _BACKGROUNDS,
        )

    def _days(self) -> Iterator[Block]:
        days = self._show.days
        first, last = min(days), max(days)
        length = (last - first).days + 1
        if length <= _DAYS:
            unit, step = Words("day", "日"), "day"
        elif length <= _WEEKS:
            unit, step = Words("week, from Monday", "週（月曜始まり）"), "week"
        else:
            unit, step = Words("month", "月"), "month"
        spans = _spans(days, step)
        yield Heading(Words("Versions over time", "バージョン数の推移"))
        title = Words(f"Versions made each {unit.en}", f"{unit.ja}ごとのバージョン数")
        yield Chart(
            svg=columns(
                [Bar(label=label, value=trail.count) for label, trail in spans],
                title=self._say(title),
                x_label=self._say(unit) + " (UTC)",
                y_label=self._say(_VERSIONS),
            ),
            title=title,
        )
        rows = ((label, trail.count, _records(trail)) for label, trail in spans if trail.count)
        yield Table(
            key="days",
            columns=(
                Column(key="from", title=unit),
                Column(key="versions", title=Words("Versions", "バージョン数"), align=Align.END),
                _RECORDS,
            ),
            rows=rows,
        )

    def _hours(self) -> Iterator[Block]:
        yield Heading(Words("Human hours", "人の作業時間"))
        hours = self._source.hours()
        if hours is None:
            yield Notice(
                Words(
                    "Unknown: the tracker was not asked for its time logs, or did not answer.",
                    "不明：トラッカーの作業時間を取得していません。",
                ),
                Tone.DASHED,
            )
            return
        scope = self._source.scope
        logged = [
            one
            for one in hours
            if scope.sequence in {"", one.sequence} and scope.shot in {"", one.shot}
        ]
        steps: dict[str, list[LoggedTime]] = {}
        for one in logged:
            steps.setdefault(one.step, []).append(one)
        if not steps:
            yield Paragraph(Words("No time is logged.", "作業時間の記録はありません。"))
            return
        found = sorted(
            ((step, rows, sum(row.minutes for row in rows)) for step, rows in steps.items()),
            key=lambda item: -item[2],
        )
        title = Words("Logged hours by step", "工程別の作業時間")
        other = Words("(no step)", "（工程なし）")
        yield Chart(
            svg=bars(
                [
                    Bar(label=step or self._say(other), value=minutes / 60, shown=_hours(minutes))
                    for step, _, minutes in found
                ],
                title=self._say(title),
                colour=2,
            ),
            title=title,
            note=Words(
                "From the tracker's time logs, which people write themselves.",
                "トラッカーの作業時間記録（自己申告）による。",
            ),
        )
        yield Table(
            key="hours",
            columns=(
                Column(key="step", title=Words("Step", "工程")),
                Column(key="minutes", title=Words("Hours", "時間"), align=Align.END),
                Column(key="people", title=Words("People", "人数"), align=Align.END),
                Column(key="logs", title=Words("Time logs", "記録数"), align=Align.END),
                Column(key="from", title=Words("From", "開始日")),
                Column(key="to", title=Words("To", "終了日")),
            ),
            rows=(
                (
                    step or other,
                    Figure(minutes, _hours(minutes)),
                    len({row.person for row in rows} - {""}),
                    len(rows),
                    min(row.date for row in rows).isoformat(),
                    max(row.date for row in rows).isoformat(),
                )
                for step, rows, minutes in found
            ),
        )

    def _machine(self) -> Iterator[Block]:
        yield Heading(Words("Machine hours", "機械の処理時間"))
        times = (
            (Words("AI generation", "AI生成"), "ai", self._show.ai_keys),
            (Words("Painting algorithms", "描画アルゴリズム"), "algorithm", self._show.tool_keys),
        )
        found = machine_time(
            self._source.connection,
            self._source.scope.project,
            {kind: keys for _, kind, keys in times},
        )
        rows = [(words, found[kind], len(keys)) for words, kind, keys in times if keys]
        if not rows:
            yield Paragraph(
                Words(
                    "No version was made by a machine.", "機械で制作されたバージョンはありません。"
                )
            )
            return
        yield Table(
            key="machine_hours",
            columns=(
                Column(key="kind", title=Words("Made by", "生成元")),
                Column(key="seconds", title=Words("Hours", "時間"), align=Align.END),
                Column(key="jobs", title=Words("Jobs timed", "計測ジョブ数"), align=Align.END),
                Column(key="versions", title=Words("Versions", "バージョン数"), align=Align.END),
            ),
            rows=((words, _machine_hours(time), time.jobs, count) for words, time, count in rows),
            caption=Words(
                "From each job's start to its end, waiting for files and the tracker included; "
                "versions whose job is not recorded here are unknown, not zero.",
                "各ジョブの開始から終了まで（待ち時間を含む）。ジョブの記録がないものはゼロではなく不明。",
            ),
        )

    def _tools(self) -> Iterator[Block]:
        yield Heading(Words("Models and tools", "使用モデル・ツール"))
        tools = sorted(self._show.tools.items(), key=lambda item: -item[1].count)
        found: list[tuple[Text, str, Trail]] = [
            (f"{tool.name}{' (AI)' * tool.ai}", tool.name, trail) for tool, trail in tools
        ]
        found.append((Words("no tool: by hand", "ツールなし（手描き）"), "", self._show.by_hand))
        yield from self._bars(
            "tools",
            Words("Versions by what made their pixels", "画素の生成元別バージョン数"),
            found,
            Words("Tool", "ツール"),
            _VERSIONS,
            colour=4,
        )

    def _retakes(self) -> Iterator[Block]:
        yield Heading(Words("Retakes", "リテイク"))
        classes: dict[int, Trail] = {}
        for retakes, trail in self._show.retakes.items():
            classes[min(retakes, _MOST_RETAKES)] = _joined(
                classes.get(min(retakes, _MOST_RETAKES)), trail
            )
        found = [
            (f"{number}{'+' * (number == _MOST_RETAKES)}", classes.get(number, Trail()))
            for number in range(_MOST_RETAKES + 1)
        ]
        yield from self._columns(
            "retakes",
            Words("Backgrounds by how often a retake was asked for", "リテイク回数別の背景数"),
            found,
            Words("Retakes", "リテイク回数"),
            _BACKGROUNDS,
            colour=1,
        )

    def _touch_ups(self) -> Iterator[Block]:
        yield Heading(Words("Touch-ups", "加筆"))
        if not self._show.areas and not self._show.unmeasured.count:
            yield Paragraph(Words("No touch-up is recorded.", "加筆の記録はありません。"))
            return
        found = [
            (label, self._show.areas.get(place, Trail()))
            for place, label in enumerate(_area_labels())
        ]
        yield Notice(
            Words(
                "Area is not effort: one stroke may save a picture, and a gradient may cover it.",
                "面積は労力ではありません。一筆が絵を救うことも、グラデーションが全体を覆うこともあります。",
            )
        )
        yield from self._columns(
            "touch_up_areas",
            Words("Touch-ups by the area that they changed", "変化面積別の加筆数"),
            found,
            Words("Changed locally, % of the area", "局所的に変化した面積（%）"),
            Words("touch-ups", "加筆数"),
            colour=3,
        )
        if self._show.unmeasured.count:
            count = self._show.unmeasured.count
            yield Paragraph(
                Words(
                    f"{count:,} touch-ups were not measured.",
                    f"計測されていない加筆：{count:,}件。",
                )
            )

    def _sequences(self) -> Iterator[tuple[Cell, ...]]:
        for name, one in self._show.sequences.items():
            yield (
                name or Words("(none)", "（なし）"),
                len(one.shots),
                one.backgrounds,
                one.versions.count,
                *(one.states.get(state, 0) for state in ReviewState),
                one.ai,
                one.touched,
                _records(one.versions),
            )

    def _bars(
        self,
        key: str,
        title: Words,
        found: Sequence[tuple[Text, str, Trail]],
        head: Words,
        counted: Words,
        *,
        colour: int = 0,
    ) -> Iterator[Block]:
        items = [Bar(label=self._say(words), value=trail.count) for words, _, trail in found]
        svg = bars(items, title=self._say(title), colour=colour)
        yield Chart(svg=svg, title=title)
        yield self._table(
            key, head, counted, [(Figure(code, words), trail) for words, code, trail in found]
        )

    def _columns(
        self,
        key: str,
        title: Words,
        found: Sequence[tuple[str, Trail]],
        head: Words,
        counted: Words,
        *,
        colour: int = 0,
    ) -> Iterator[Block]:
        svg = columns(
            [Bar(label=label, value=trail.count) for label, trail in found],
            title=self._say(title),
            x_label=self._say(head),
            y_label=self._say(counted),
            colour=colour,
        )
        yield Chart(svg=svg, title=title)
        yield self._table(key, head, counted, found)

    def _table(
        self, key: str, head: Words, counted: Words, found: Sequence[tuple[Item, Trail]]
    ) -> Table:
        return Table(
            key=key,
            columns=(
                Column(key="label", title=head),
                Column(
                    key="count", title=Words(counted.en.capitalize(), counted.ja), align=Align.END
                ),
                _RECORDS,
            ),
            rows=((label, trail.count, _records(trail)) for label, trail in found),
        )

    def _say(self, text: Text) -> str:
        return said(text, self._language)


def _records(trail: Trail) -> Cell:
    if not trail.count:
        return None
    links = tuple(Link(code, url) for code, url in trail.examples)
    return Lines((_span(trail), *links, *(("…",) if trail.count > len(links) else ())), inline=True)


def _span(trail: Trail) -> Words | None:
    if trail.first is None:
        return None
    if trail.first == trail.last:
        return Words(f"ledger {trail.first}", f"台帳 {trail.first}")
    return Words(
        f"ledger entries {trail.first} to {trail.last}", f"台帳 {trail.first}〜{trail.last}"
    )


def _joined(one: Trail | None, other: Trail) -> Trail:
    if one is None:
        return other
    firsts = [first for first in (one.first, other.first) if first is not None]
    lasts = [last for last in (one.last, other.last) if last is not None]
    return Trail(
        count=one.count + other.count,
        first=min(firsts, default=None),
        last=max(lasts, default=None),
        examples=[*one.examples, *other.examples][:3],
    )


def _spans(days: Mapping[date, Trail], step: str) -> list[tuple[str, Trail]]:
    """Return every span from the first to the last day, those without a version too."""
    found: dict[date, Trail] = {}
    day, last = _begin(min(days), step), max(days)
    while day <= last:
        found[day] = Trail()
        day = _begin(day + timedelta(days={"day": 1, "week": 7, "month": 32}[step]), step)
    for one in sorted(days):
        begin = _begin(one, step)
        found[begin] = _joined(found[begin], days[one]) if found[begin].count else days[one]
    form = (
        "%Y-%m" if step == "month" else "%m-%d" if len({d.year for d in found}) == 1 else "%Y-%m-%d"
    )
    return [(day.strftime(form), trail) for day, trail in found.items()]


def _begin(day: date, step: str) -> date:
    if step == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if step == "month" else day


def _area_labels() -> list[str]:
    percents = [f"{edge / 10_000:g}" for edge in AREA_EDGES]
    return ["0", *(f"{low}–{high}" for low, high in pairwise(percents))]


def _hours(minutes: int) -> str:
    return f"{minutes / 60:,.1f} h"


def _machine_hours(time: MachineTime) -> Cell:
    if not time.jobs:
        return Figure(None, Words("unknown", "不明"))
    return Figure(round(time.seconds), f"{time.seconds / 3600:,.1f} h")
