"""The sheet for Article 50 of the EU AI Act and its code of practice."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from haikei.credits import (
    BackgroundVersion,
    ReviewState,
    SourceType,
    StatementKind,
    System,
    overall_source_type,
)
from haikei.provenance import MarksState
from haikei.reports.document.blocks import (
    Align,
    Badge,
    Block,
    Cell,
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
    Paragraph,
    Table,
    Tone,
)
from haikei.reports.document.composing import compose, shown
from haikei.reports.document.phrases import (
    COUNSEL_NOTE,
    DECLARED,
    KNOWN_NOTE,
    LOGGED,
    MEASURED,
    NOT_RECORDED,
    SOURCES,
    declare,
)
from haikei.reports.facts import version_lineage
from haikei.reports.facts.ai_scan import read
from haikei.reports.facts.declared import Asked, Declarations, Declared, answer, answers, sealed
from haikei.reports.facts.file_facts import SAMPLE, Looked, look, spread
from haikei.reports.facts.questions import ARTICLE_50_RULES
from haikei.reports.facts.system_facts import facts_of, system_name
from haikei.reports.report import Format, ReportOptions, ReportSource
from haikei.texts import REVIEW_STATES, Bilingual

_PRESENT = Badge(Bilingual("present", "あり"), Tone.SOLID)
_ABSENT = Badge(Bilingual("absent", "なし"), Tone.DASHED)
_IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Picture:
    """What the sheet says of one version."""

    sequence: str
    shot: str
    code: str
    url: str
    state: ReviewState
    entry: int  #: of its own image
    path: str
    sha256: str
    source_type: SourceType  #: of the picture as a whole
    systems: tuple[System, ...]
    made_at: datetime
    assessed: Declared | None  #: the newest word on whether it is a deep fake
    told: bool  #: whether a disclosure to the audience covers it


class Article50Report:
    """What a studio shows under Article 50 of Regulation (EU) 2024/1689."""

    name = "article-50"
    title = Bilingual("EU AI Act, Article 50: transparency", "EU AI法 第50条 透明性シート")
    purpose = "Marks in files, systems, deep-fake assessments and disclosures under EU law."
    formats = (Format.HTML, Format.PDF, Format.CSV, Format.JSON)

    def document(self, source: ReportSource, options: ReportOptions) -> Document:
        """Return the sheet; a few of the files are opened and their marks read."""
        declarations = Declarations.load(source.connection, source.scope)
        pictures: list[_Picture] = []
        number = 0
        for version in read(source):
            number += 1
            picture = _picture(version, declarations)
            if picture is not None:
                pictures.append(picture)
        return compose(
            self,
            source,
            options,
            facts=_summary(pictures, number),
            blocks=_blocks(pictures, declarations, source),
            notes=(KNOWN_NOTE, COUNSEL_NOTE),
            csv="pictures",
        )


def _picture(version: BackgroundVersion, declarations: Declarations) -> _Picture | None:
    made = version_lineage.ai_images(version)
    first = version_lineage.first_ai_at(made)
    if first is None:
        return None
    assessed = declarations.about(version, StatementKind.DEEPFAKE_ASSESSMENT)
    return _Picture(
        sequence=version.sequence,
        shot=version.shot,
        code=version.code,
        url=version.url,
        state=version.state,
        entry=version.ledger[-1],
        path=version.final.path,
        sha256=version.final.sha256,
        source_type=overall_source_type(version.images),
        systems=tuple(one for one in version_lineage.systems(version) if one.source_type.is_ai),
        made_at=first,
        assessed=assessed[0] if assessed else None,
        told=bool(declarations.about(version, StatementKind.VIEWER_DISCLOSURE)),
    )


def _summary(pictures: list[_Picture], number: int) -> tuple[Fact, ...]:
    assessed = sum(one.assessed is not None for one in pictures)
    told = sum(one.told for one in pictures)

    def figure(key: str, label: Bilingual, value: int, badge: Badge = LOGGED) -> Fact:
        return Fact(key, label, Lines((Figure(value, f"{value:,}", "#pictures"), badge)))

    return (
        figure("versions", Bilingual("Backgrounds examined", "対象背景数"), number),
        figure(
            "versions_with_ai",
            Bilingual("synthetic or manipulated by AI", "AI生成・加工"),
            len(pictures),
        ),
        figure(
            "assessed",
            Bilingual("assessed for deep fakes", "ディープフェイク評価済み"),
            assessed,
            DECLARED,
        ),
        figure(
            "disclosed",
            Bilingual("covered by a disclosure", "視聴者への開示の対象"),
            told,
            DECLARED,
        ),
    )


def _blocks(
    pictures: list[_Picture], declarations: Declarations, source: ReportSource
) -> Iterator[Block]:
    yield from _notices(pictures)
    yield Heading(Bilingual("What is law, and what is reading", "法令と解釈"), anchor="law")
    yield _rules()
    yield Heading(Bilingual("Role, and disclosure to the audience", "役割と視聴者への開示"))
    yield answers("declared", _asked(declarations, source))
    yield Heading(Bilingual("Marks in the files", "ファイルのマーク"), anchor="marks")
    yield from _marks(pictures, source)
    yield Heading(Bilingual("Systems", "システム"), anchor="systems")
    systems = dict.fromkeys(system for one in pictures for system in one.systems)
    if not systems:
        yield Paragraph(
            Bilingual("No trained model was used.", "学習済みモデルは使われていません。")
        )
    for number, system in enumerate(systems, 1):
        yield Heading(system_name(system), level=3)
        yield Facts(facts_of(system, source.settings), key=f"system_{number}")
    yield Heading(Bilingual("Pictures", "画像一覧"), anchor="pictures")
    yield _table(pictures)


def _notices(pictures: list[_Picture]) -> Iterator[Block]:
    if not pictures:
        yield Notice(
            Bilingual(
                "No trained model made any pixel of these backgrounds, as logged: nothing here is "
                "synthetic in the sense of Article 50.",
                "記録上、学習済みモデルによる画素はなく、第50条の合成コンテンツに該当するものはありません。",
            ),
            Tone.SOLID,
        )
        return
    fakes = sum(
        one.assessed is not None and one.assessed.statement.answer in {"yes", "unsure"}
        for one in pictures
    )
    if fakes:
        yield Notice(
            Bilingual(
                f"{fakes:,} pictures were assessed as deep fakes, or unsure: disclose each.",
                f"{fakes:,}件がディープフェイク（または不明）と評価されています。開示が必要です。",
            ),
            Tone.ALERT,
        )
    missing = sum(one.assessed is None for one in pictures)
    if missing:
        yield Notice(
            Bilingual(
                f"For {missing:,} pictures no assessment for deep fakes is recorded.",
                f"{missing:,}件について、ディープフェイク評価が記録されていません。",
            ),
            Tone.ALERT,
        )
    untold = sum(not one.told for one in pictures)
    if untold:
        yield Notice(
            Bilingual(
                f"For {untold:,} pictures no disclosure to the audience is recorded.",
                f"{untold:,}件について、視聴者への開示が記録されていません。",
            ),
            Tone.ALERT,
        )


def _rules() -> Table:
    law, reading = Bilingual("law", "法令"), Bilingual("reading or voluntary", "解釈・任意")
    return Table(
        key="rules",
        columns=(
            Column(key="rule", title=Bilingual("Rule", "規定")),
            Column(key="kind", title=Bilingual("Kind", "区分")),
            Column(key="text", title=Bilingual("What it says, in short", "要旨"), wide=True),
            Column(key="source", title=Bilingual("Source", "出典"), wide=True),
        ),
        rows=(
            (
                rule.key,
                Badge(law, Tone.SOLID) if rule.is_law else Badge(reading, Tone.DASHED),
                rule.text,
                rule.source,
            )
            for rule in ARTICLE_50_RULES
        ),
    )


def _asked(declarations: Declarations, source: ReportSource) -> Iterator[Asked]:
    for kind, question in (
        (
            StatementKind.LEGAL_ROLE,
            Bilingual("Is the studio provider or deployer?", "スタジオは提供者か利用者か"),
        ),
        (
            StatementKind.VIEWER_DISCLOSURE,
            Bilingual("Where is the audience told?", "視聴者への開示場所"),
        ),
    ):
        how = declare(kind, source.scope)
        yield Asked(question=question, found=declarations.of(kind), how=how)


def _marks(pictures: list[_Picture], source: ReportSource) -> Iterator[Block]:
    sample = [
        found
        for one in spread(pictures)
        if (found := look(source, code=one.code, url=one.url, entry=one.entry, path=one.path))
        is not None
    ]
    yield Facts(_layers(pictures, sample, source), key="layers")
    yield Paragraph(
        Bilingual(
            f"Measured on {len(sample)} of {len(pictures):,} files, spread over the show (at most "
            f"{SAMPLE} are opened). `haikei verify FOLDER` examines all of them.",
            f"{len(pictures):,}件のうち{len(sample)}件を開いて確認（最大{SAMPLE}件）。全件の検証は"
            "「haikei verify フォルダ」。",
        ),
        small=True,
    )
    yield Table(
        key="sample",
        columns=(
            Column(key="version", title=Bilingual("Version", "バージョン"), linked=True),
            Column(key="state", title="C2PA"),
            Column(key="source_type", title=Bilingual("XMP source type", "XMPソースタイプ")),
            Column(key="system", title=Bilingual("XMP system", "XMPシステム")),
            Column(key="time_stamp", title=Bilingual("Time stamp", "タイムスタンプ")),
            Column(key="steps", title=Bilingual("Steps kept", "保持された工程"), align=Align.END),
            Column(key="problem", title=Bilingual("Problem", "問題"), wide=True),
            Column(key="entry", title=Bilingual("Ledger entry", "台帳番号"), align=Align.END),
        ),
        rows=map(_looked, sample),
        empty=Bilingual(
            "No published file was at hand.", "公開済みファイルを参照できませんでした。"
        ),
    )


def _layers(
    pictures: list[_Picture], sample: list[Looked], source: ReportSource
) -> tuple[Fact, ...]:
    marked = [one.marks for one in sample if one.marks is not None]
    of = len(sample)
    xmp = sum(one.xmp is not None and bool(one.xmp.digital_source_type) for one in marked)
    c2pa = sum(one.state is MarksState.TRUSTED for one in marked)
    stamped = sum(bool(one.steps) and one.steps[-1].signed_at is not None for one in marked)
    kept = sum(
        len(one.steps) > 1 or bool(one.steps and one.steps[-1].plain_ingredients) for one in marked
    )
    stamps = source.settings.signing.timestamp_url
    return (
        Fact(
            "xmp",
            Bilingual("XMP with IPTC AI fields", "XMP（IPTC AI項目）"),
            _layer(xmp, of),
        ),
        Fact(
            "c2pa",
            Bilingual("Signed C2PA manifests, trusted", "署名付きC2PAマニフェスト（信頼済み）"),
            _layer(c2pa, of),
        ),
        Fact(
            "time_stamp",
            Bilingual("RFC 3161 time stamps", "RFC 3161 タイムスタンプ"),
            Lines(
                (
                    *_layer(stamped, of).items,
                    Bilingual(
                        f"the settings name an authority: {stamps}",
                        f"設定のタイムスタンプ局：{stamps}",
                    )
                    if stamps
                    else Bilingual(
                        "the settings name no authority: set signing.timestamp_url",
                        "タイムスタンプ局の設定なし：signing.timestamp_url を設定してください",
                    ),
                )
            ),
        ),
        Fact(
            "input_marks",
            Bilingual("Marks of inputs kept", "入力素材のマークの保持"),
            _layer(kept, of),
        ),
        Fact(
            "watermark",
            Bilingual("Imperceptible watermark", "不可視の電子透かし"),
            Lines(
                (
                    _ABSENT,
                    Bilingual(
                        "Haikei writes none; the code asks for one.",
                        "Haikeiは透かしを埋め込みません。行動規範は透かしを求めています。",
                    ),
                )
            ),
        ),
        Fact(
            "logging",
            Bilingual("Ledger (logging layer)", "台帳（ログ）"),
            Lines(
                (
                    _PRESENT,
                    Figure(
                        len(pictures),
                        Bilingual(
                            f"{len(pictures):,} pictures, each with its entry",
                            f"{len(pictures):,}件、それぞれ台帳番号あり",
                        ),
                        "#pictures",
                    ),
                    LOGGED,
                )
            ),
        ),
    )


def _layer(number: int, of: int) -> Lines:
    if not of:
        return Lines((Badge(Bilingual("not examined", "未確認"), Tone.DASHED),))
    words = Bilingual(f"in {number} of {of} files examined", f"確認した{of}件中{number}件")
    return Lines((_PRESENT if number == of else _ABSENT, words, MEASURED))


def _looked(one: Looked) -> tuple[Cell, ...]:
    marks = one.marks
    last = marks.steps[-1] if marks and marks.steps else None
    problem: tuple[Item, ...] = (one.problem,) if one.problem else ()
    if marks:
        problem = (*problem, *marks.failures)
    return (
        Link(one.code, one.url),
        Badge(
            marks.state.value if marks else Bilingual("unreadable", "読み取り不可"),
            Tone.SOLID if marks and marks.state is MarksState.TRUSTED else Tone.ALERT,
        ),
        marks.xmp.digital_source_type.removeprefix(_IPTC) if marks and marks.xmp else None,
        f"{marks.xmp.ai_system} {marks.xmp.ai_system_version}".strip()
        if marks and marks.xmp
        else None,
        last.signed_at if last else None,
        len(marks.steps) if marks else None,
        Lines(problem) if problem else None,
        one.entry,
    )


def _table(pictures: list[_Picture]) -> Table:
    return Table(
        key="pictures",
        columns=(
            Column(key="sequence", title=Bilingual("Sequence", "シーケンス")),
            Column(key="shot", title=Bilingual("Cut", "カット")),
            Column(key="version", title=Bilingual("Version", "バージョン"), linked=True),
            Column(key="state", title=Bilingual("State", "状態")),
            Column(key="source_type", title=Bilingual("Source type", "ソースタイプ"), linked=True),
            Column(key="system", title=Bilingual("System and version", "システム・版")),
            Column(key="made_at", title=Bilingual("Generated", "生成日時")),
            Column(key="deep_fake", title=Bilingual("Deep fake?", "ディープフェイク")),
            Column(key="assessment", title=Bilingual("Assessment", "評価")),
            Column(key="disclosed", title=Bilingual("Audience told", "開示")),
            Column(key="sha256", title="SHA-256"),
            Column(key="entry", title=Bilingual("Ledger entry", "台帳番号"), align=Align.END),
        ),
        rows=map(_row, pictures),
        empty=Bilingual(
            "None was made with a trained model.", "学習済みモデルによるものはありません。"
        ),
    )


_TOLD = Badge(Bilingual("declared", "申告あり"), Tone.DASHED)


def _row(one: _Picture) -> tuple[Cell, ...]:
    said = one.assessed.statement if one.assessed else None
    return (
        one.sequence,
        one.shot,
        Link(one.code, one.url),
        REVIEW_STATES[one.state],
        Figure(one.source_type.value, SOURCES[one.source_type], _IPTC + one.source_type.value),
        ", ".join(map(system_name, one.systems)),
        one.made_at,
        answer(said.answer, alert=said.answer in {"yes", "unsure"}) if said else NOT_RECORDED,
        Lines((said.text, shown(said.by), *sealed(one.assessed).items))
        if said and one.assessed
        else None,
        _TOLD if one.told else NOT_RECORDED,
        Figure(one.sha256, f"{one.sha256[:12]}…"),
        one.entry,
    )
