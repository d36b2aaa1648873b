"""The verification transcript: what was examined, with what, and what came out."""

import platform
from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.metadata import version

from haikei.intake import Examination, Verdict
from haikei.reports.document import (
    Badge,
    Block,
    Column,
    Document,
    Fact,
    Heading,
    Lines,
    Notice,
    Table,
    Tone,
)
from haikei.reports.words import Language, Words

_TITLE = Words("Verification transcript", "検証記録")
_VERDICTS = {
    Verdict.OK: Words("ok", "問題なし"),
    Verdict.LOOK: Words("to be looked at", "要確認"),
    Verdict.UNRECORDED: Words("not recorded", "記録なし"),
    Verdict.UNDECLARED_AI: Words("undeclared AI", "AIの申告なし"),
    Verdict.FAILED: Words("failed", "不合格"),
}
_NOTES = (
    Words(
        "A mark shows who signed a file and that it was not changed since; not that what is said "
        "in it is true.",
        "署名は、誰が署名し、その後変更されていないことを示します。内容の真実性は示しません。",
    ),
    Words(
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
        Fact("haikei", Words("Examined with", "検証ツール"), f"Haikei {version('haikei')}"),
        Fact(
            "engines",
            Words("C2PA validators", "C2PA検証エンジン"),
            Lines(tuple(sorted(engines))) if engines else "–",
        ),
        Fact("python", Words("On", "実行環境"), f"Python {platform.python_version()}"),
    )


def _blocks(found: Sequence[Examination]) -> Iterator[Block]:
    bad = [one for one in found if one.verdict is not Verdict.OK]
    if bad:
        yield Notice(
            Words(
                f"{len(bad)} of {len(found)} files need somebody.",
                f"{len(found)}件中{len(bad)}件に確認が必要です。",
            ),
            Tone.ALERT,
        )
    else:
        yield Notice(
            Words(f"All {len(found)} files are well.", f"{len(found)}件すべて問題ありません。"),
            Tone.SOLID,
        )
    yield Table(
        key="files",
        columns=(
            Column(key="file", title=Words("File", "ファイル"), wide=True),
            Column(key="verdict", title=Words("Verdict", "判定")),
            Column(key="marks", title=Words("Marks", "署名")),
            Column(key="steps", title=Words("Steps", "工程")),
            Column(key="recorded", title=Words("Recorded as", "記録")),
            Column(key="entry", title=Words("Ledger entry", "台帳番号")),
            Column(key="made_by", title=Words("Made by", "制作者"), wide=True),
            Column(key="declared", title=Words("Declared", "申告")),
            Column(key="sha256", title="SHA-256"),
        ),
        rows=(_row(one) for one in found),
    )
    if bad:
        yield Heading(Words("Findings", "指摘事項"))
        yield Table(
            key="findings",
            columns=(
                Column(key="file", title=Words("File", "ファイル")),
                Column(key="kind", title=Words("Finding", "種別")),
                Column(key="message", title=Words("What was found", "内容"), wide=True),
                Column(key="advice", title=Words("What to do", "対応"), wide=True),
            ),
            rows=(
                (one.path.name, problem.kind.value, problem.message, problem.advice)
                for one in bad
                for problem in one.problems
            ),
        )


def _row(one: Examination) -> tuple[str | int | Badge | Lines | Words | None, ...]:
    tone = Tone.SOLID if one.verdict is Verdict.OK else Tone.ALERT
    marks = one.marks
    credit = Words(one.credit.en, one.credit.ja) if one.credit else None
    return (
        one.path.name,
        Badge(_VERDICTS[one.verdict], tone),
        marks.state.value if marks else None,
        Lines(tuple(step.title for step in marks.steps)) if marks else None,
        one.version.code if one.version else (one.record.path if one.record else None),
        one.entry,
        credit,
        one.declared or None,
        one.sha256,
    )
