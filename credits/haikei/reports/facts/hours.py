"""How long people and machines worked: logged by people, timed by machines, or unknown."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, String, select, type_coerce

from haikei.database import jobs
from haikei.reports.document.blocks import (
    Align,
    Block,
    Cell,
    Chart,
    Column,
    Figure,
    Notice,
    Paragraph,
    Table,
    Tone,
)
from haikei.reports.document.embedding import Bar, bars
from haikei.reports.facts.tally import RECORDS, ShowTally, records_of
from haikei.reports.report import LoggedTime, ReportSource
from haikei.texts import Bilingual, Language, in_language


@dataclass(slots=True, kw_only=True)
class MachineTime:
    """The sum over some jobs."""

    jobs: int = 0
    seconds: float = 0.0  #: wall time from a job's start to its end


def machine_time(
    connection: Connection, project: str, kinds: Mapping[str, AbstractSet[str]]
) -> Mapping[str, MachineTime]:
    """
    Return, for each kind, the time of the jobs with its keys; jobs that are not recorded count not.

    Args:
        connection: to the studio's database.
        project: whose jobs.
        kinds: keys of jobs by kind.
    """
    found = {kind: MachineTime() for kind in kinds}
    rows = connection.execute(
        select(
            jobs.c.key,
            type_coerce(jobs.c.started_at, String),
            type_coerce(jobs.c.finished_at, String),
        ).where(
            jobs.c.project == project,
            jobs.c.started_at.is_not(None),
            jobs.c.finished_at.is_not(None),
        )
    )
    for key, started, finished in rows:
        for kind, keys in kinds.items():
            if key in keys:
                time = found[kind]
                time.jobs += 1
                span = datetime.fromisoformat(finished) - datetime.fromisoformat(started)
                time.seconds += max(span.total_seconds(), 0.0)
    return found


def human_hours(source: ReportSource, language: Language) -> Iterator[Block]:
    """Yield the tracker's time logs by pipeline step; never by person."""
    hours = source.hours()
    if hours is None:
        yield Notice(
            Bilingual(
                "Unknown: the tracker was not asked for its time logs, or did not answer.",
                "不明：トラッカーの作業時間を取得していません。",
            ),
            Tone.DASHED,
        )
        return
    scope = source.scope
    logged = [
        one
        for one in hours
        if scope.episode in {"", one.episode}
        and scope.sequence in {"", one.sequence}
        and scope.shot in {"", one.shot}
    ]
    steps: dict[str, list[LoggedTime]] = {}
    for one in logged:
        steps.setdefault(one.step, []).append(one)
    if not steps:
        yield Paragraph(Bilingual("No time is logged.", "作業時間の記録はありません。"))
        return
    found = sorted(
        ((step, rows, sum(row.minutes for row in rows)) for step, rows in steps.items()),
        key=lambda item: -item[2],
    )
    title = Bilingual("Logged hours by step", "工程別の作業時間")
    other = Bilingual("(no step)", "（工程なし）")
    yield Chart(
        svg=bars(
            [
                Bar(
                    label=step or in_language(other, language),
                    value=minutes / 60,
                    shown=_hours(minutes),
                )
                for step, _, minutes in found
            ],
            title=in_language(title, language),
            colour=2,
        ),
        title=title,
        note=Bilingual(
            "From the tracker's time logs, which people write themselves.",
            "トラッカーの作業時間記録（自己申告）による。",
        ),
    )
    yield Table(
        key="hours",
        columns=(
            Column(key="step", title=Bilingual("Step", "工程")),
            Column(key="minutes", title=Bilingual("Hours", "時間"), align=Align.END),
            Column(key="people", title=Bilingual("People", "人数"), align=Align.END),
            Column(key="logs", title=Bilingual("Time logs", "記録数"), align=Align.END),
            Column(key="from", title=Bilingual("From", "開始日")),
            Column(key="to", title=Bilingual("To", "終了日")),
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


def machine_hours(source: ReportSource, show: ShowTally) -> Iterator[Block]:
    """Yield the time of the jobs that made the versions, by the kind of tool."""
    times = (
        (Bilingual("AI generation", "AI生成"), "ai", show.by_ai),
        (Bilingual("Painting algorithms", "描画アルゴリズム"), "algorithm", show.by_algorithm),
    )
    found = machine_time(
        source.connection,
        source.scope.project,
        {kind: made.keys for _, kind, made in times},
    )
    rows = [(words, found[kind], made.versions) for words, kind, made in times if made.keys]
    if not rows:
        yield Paragraph(
            Bilingual(
                "No version was made by a machine.", "機械で制作されたバージョンはありません。"
            )
        )
        return
    yield Table(
        key="machine_hours",
        columns=(
            Column(key="kind", title=Bilingual("Made by", "生成元")),
            Column(key="seconds", title=Bilingual("Hours", "時間"), align=Align.END),
            Column(key="jobs", title=Bilingual("Jobs timed", "計測ジョブ数"), align=Align.END),
            Column(key="versions", title=Bilingual("Versions", "バージョン数"), align=Align.END),
            RECORDS,
        ),
        rows=(
            (words, _machine_hours(time), time.jobs, trail.count, records_of(trail))
            for words, time, trail in rows
        ),
        caption=Bilingual(
            "From each job's start to its end, waiting for files and the tracker included; "
            "versions whose job is not recorded here are unknown, not zero.",
            "各ジョブの開始から終了まで（待ち時間を含む）。ジョブの記録がないものはゼロではなく不明。",
        ),
    )


def _hours(minutes: int) -> str:
    return f"{minutes / 60:,.1f} h"


def _machine_hours(time: MachineTime) -> Cell:
    if not time.jobs:
        return Figure(None, Bilingual("unknown", "不明"))
    return Figure(round(time.seconds), f"{time.seconds / 3600:,.1f} h")
