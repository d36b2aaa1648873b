"""The verification transcript: what was examined, with what, and what came out."""

import platform
from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.metadata import version

from haikei.credits import BackgroundVersion, CreditLine, credit_line, records
from haikei.errors import CreditError
from haikei.images import Limits
from haikei.intake import DeliveredFile, Examination, Examiner, Verdict
from haikei.provenance import trusted_roots
from haikei.reports.document.blocks import (
    Badge,
    Block,
    Cell,
    Column,
    Document,
    Fact,
    Heading,
    Lines,
    Notice,
    Table,
    Tone,
)
from haikei.reports.document.phrases import compose
from haikei.reports.report import Format, ReportOptions, ReportSource
from haikei.texts import Bilingual, Language, Text

_TITLE = Bilingual("Verification transcript", "検証記録")
_VERDICTS = {
    Verdict.OK: Bilingual("ok", "問題なし"),
    Verdict.LOOK: Bilingual("to be looked at", "要確認"),
    Verdict.UNRECORDED: Bilingual("not recorded", "記録なし"),
    Verdict.UNDECLARED_AI: Bilingual("undeclared AI", "AIの申告なし"),
    Verdict.FAILED: Bilingual("failed", "不合格"),
}
_COLUMNS = (
    Column(key="file", title=Bilingual("File and SHA-256", "ファイルとSHA-256"), wide=True),
    Column(key="verdict", title=Bilingual("Verdict", "判定")),
    Column(key="marks", title=Bilingual("Marks and steps", "署名と工程"), wide=True),
    Column(key="recorded", title=Bilingual("Recorded as", "記録")),
    Column(key="made_by", title=Bilingual("Made by", "制作者"), wide=True),
)
_FINDINGS = Column(key="findings", title=Bilingual("Findings", "指摘"))
_MISSING = Bilingual("missing", "ファイルなし")
_NOBODY = Bilingual("No background is recorded here yet.", "背景の記録はまだありません。")
_NOTES = (
    Bilingual(
        "A mark shows who signed a file and that it was not changed since; not that what is said "
        "in it is true.",
        "署名は、誰が署名し、その後変更されていないことを示します。内容の真実性は示しません。",
    ),
    Bilingual(
        "A file without signs of a trained model is no proof that none was used.",
        "AIの痕跡がないことは、AIが使われなかった証明にはなりません。",
    ),
)


def transcript_of(
    found: Sequence[Examination],
    *,
    studio: str,
    now: datetime,
    language: Language = Language.BOTH,
    scope: str = "",
) -> Document:
    """Return the document that says what was found in these files."""
    return Document(
        name="transcript",
        title=_TITLE,
        language=language,
        scope=scope or f"{len(found)} files",
        studio=studio,
        made_at=now,
        facts=_tools(found),
        blocks=_blocks(found),
        notes=_NOTES,
    )


def _tools(found: Sequence[Examination]) -> tuple[Fact, ...]:
    engines = {
        verdict.engine
        for one in found
        if one.marks is not None
        for verdict in one.marks.engines
        if verdict.available
    }
    return (
        Fact("haikei", Bilingual("Examined with", "検証ツール"), f"Haikei {version('haikei')}"),
        Fact(
            "engines",
            Bilingual("C2PA validators", "C2PA検証エンジン"),
            Lines(tuple(sorted(engines))) if engines else "–",
        ),
        Fact("python", Bilingual("On", "実行環境"), f"Python {platform.python_version()}"),
    )


def _blocks(found: Sequence[Examination]) -> Iterator[Block]:
    bad = [one for one in found if one.verdict is not Verdict.OK]
    if bad:
        yield Notice(
            Bilingual(
                f"{len(bad)} of {len(found)} files need somebody.",
                f"{len(found)}件中{len(bad)}件に確認が必要です。",
            ),
            Tone.ALERT,
        )
    else:
        yield Notice(
            Bilingual(f"All {len(found)} files are well.", f"{len(found)}件すべて問題ありません。"),
            Tone.SOLID,
        )
    yield Table(
        key="files",
        columns=_COLUMNS,
        rows=(_row(one) for one in found),
    )
    if bad:
        yield Heading(Bilingual("Findings", "指摘事項"))
        yield Table(
            key="findings",
            columns=(
                Column(key="file", title=Bilingual("File", "ファイル")),
                Column(key="kind", title=Bilingual("Finding", "種別")),
                Column(key="message", title=Bilingual("What was found", "内容"), wide=True),
            ),
            rows=(
                (one.path.name, problem.kind.value, problem.message)
                for one in bad
                for problem in one.problems
            ),
        )


def _row(one: Examination) -> tuple[Cell, ...]:
    tone = Tone.SOLID if one.verdict is Verdict.OK else Tone.ALERT
    marks = one.marks
    steps = tuple(step.title for step in marks.steps) if marks else ()
    recorded = one.version.code if one.version else (one.record.path if one.record else "")
    declared = (
        Bilingual(f"declared: {one.declared}", f"申告：{one.declared}") if one.declared else ""
    )
    return (
        Lines((one.path.name, one.sha256)),
        Badge(_VERDICTS[one.verdict], tone),
        Lines((marks.state.value, *steps)) if marks else None,
        Lines(tuple(filter(None, (recorded, _entry(one.entry), declared)))),
        _words(one.credit),
    )


def _entry(number: int | None) -> Text:
    return "" if number is None else Bilingual(f"ledger entry {number}", f"台帳番号 {number}")


def _words(credit: CreditLine | None) -> Bilingual | None:
    return Bilingual(credit.en, credit.ja) if credit else None


class VerificationReport:
    """Every published background of a show, examined as an outsider would."""

    name = "verification"
    title = _TITLE
    purpose = "Every published file examined: its marks, its bytes, its entry in the ledger."
    formats = (Format.HTML, Format.PDF, Format.CSV, Format.JSON)

    def document(self, source: ReportSource, options: ReportOptions) -> Document:
        """
        Return the transcript; files are read while it is written.

        Raises:
            SettingsError: certificates that the settings name cannot be read.
        """
        roots = trusted_roots(source.settings)
        examiner = Examiner(
            trust_pem=roots.signers,
            timestamp_trust_pem=roots.time_stamps,
            own_trust_pem=roots.own,
            people_trust_pem=roots.people,
            studio=source.settings.studio.name,
            connection=source.connection,
            limits=Limits.from_settings(source.settings.watch),
        )
        table = Table(
            key="files",
            columns=(*_COLUMNS, _FINDINGS),
            rows=_show(source, examiner),
            empty=_NOBODY,
        )
        return compose(self, source, options, blocks=(table,), notes=_NOTES)


def _show(source: ReportSource, examiner: Examiner) -> Iterator[tuple[Cell, ...]]:
    listed = records.backgrounds(source.connection, source.scope)
    for number, found in enumerate(listed, start=1):
        path = source.find_file(found.final.path)
        if path is None:
            yield _missing(found)
        else:
            one = examiner.examine(DeliveredFile(path=path, relative=found.final.path))
            for problem in one.problems:
                todo = f"{path.name}: {problem.advice}"
                source.advise(Bilingual(todo, todo))
            yield (*_row(one), Lines(tuple(problem.message for problem in one.problems)))
        source.progress(number)


def _missing(version: BackgroundVersion) -> tuple[Cell, ...]:
    try:
        credit = credit_line(version.images)
    except CreditError:
        credit = None
    return (
        Lines((version.final.path, version.final.sha256)),
        Badge(_MISSING, Tone.ALERT),
        None,
        Lines((version.code, _entry(version.ledger[-1]))),
        _words(credit),
        Bilingual("The file is not at its place.", "所定の場所にファイルがありません。"),
    )
