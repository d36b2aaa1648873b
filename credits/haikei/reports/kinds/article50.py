"""
The sheet for Article 50 of the EU AI Act: what is recorded, stated and found in files.

It keeps law, guidance and reading apart, and draws no conclusion from any of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from haikei.credits import (
    BackgroundVersion,
    SourceType,
    StatementKind,
    System,
    overall_source_type,
)
from haikei.decisions import ReviewState
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
    Lines,
    Link,
    Notice,
    Paragraph,
    Table,
    Tone,
)
from haikei.reports.document.phrases import (
    COUNSEL_NOTE,
    DECLARED,
    KNOWN_NOTE,
    LOGGED,
    MEASURED,
    NOT_RECORDED,
    SOURCES,
    compose,
    declare,
)
from haikei.reports.facts import version_lineage
from haikei.reports.facts.ai_scan import read
from haikei.reports.facts.declared import (
    Asked,
    Declarations,
    Declared,
    answer,
    answers,
    ask,
    by_whom,
    sealed,
)
from haikei.reports.facts.file_facts import NOT_SOUGHT, SOUGHT, Looked, look, spread
from haikei.reports.facts.form_questions import (
    ARTICLE_50_APPLIES,
    ARTICLE_50_GRACE_ENDS,
    ARTICLE_50_GUIDANCE,
    ARTICLE_50_LAW,
    ARTICLE_50_READ,
    ARTICLE_50_READING,
    UNITED_KINGDOM,
    Rule,
    RuleKind,
)
from haikei.reports.facts.system_facts import facts_of, system_name
from haikei.reports.report import Format, ReportOptions, ReportSource
from haikei.texts import REVIEW_STATES, Bilingual

_IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
#: Files that are opened, spread over the show: each takes a tenth of a second or more.
_OPENED = 60
_KINDS = {
    RuleKind.LAW: Bilingual("law", "法令"),
    RuleKind.GUIDANCE: Bilingual("guidance", "指針"),
    RuleKind.CODE: Bilingual("voluntary code", "任意の行動規範"),
    RuleKind.READING: Bilingual("reading", "解釈"),
}
_FOUND = Badge(Bilingual("found", "あり"), Tone.SOLID)
_NOT_FOUND = Badge(Bilingual("not found", "なし"), Tone.ALERT)
_NOT_LOOKED = Badge(Bilingual("not looked for", "未確認"), Tone.DASHED)
_NO_FILE = Badge(Bilingual("file not at hand", "ファイル参照不可"), Tone.DASHED)
_UNREADABLE = Badge(Bilingual("file unreadable", "読み取り不可"), Tone.ALERT)


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
    assessed: Declared | None  #: the newest word on whether this picture is a deep fake
    disclosed: bool  #: whether a disclosure to the audience covers it


class Article50Report:
    """What a studio shows under Article 50 of Regulation (EU) 2024/1689."""

    name = "article-50"
    title = Bilingual("EU AI Act, Article 50: transparency", "EU AI法 第50条 透明性シート")
    purpose = (
        "Marks looked for in files, systems, deep-fake statements and disclosures, for EU law."
    )
    formats = (Format.HTML, Format.PDF, Format.CSV, Format.JSON)

    def document(self, source: ReportSource, options: ReportOptions) -> Document:
        """Return the sheet; files are opened, up to a number, and marks looked for in them."""
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
    return _Picture(
        sequence=version.part,
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
        assessed=declarations.of_picture(version.final, StatementKind.DEEPFAKE_ASSESSMENT),
        disclosed=bool(declarations.about(version, StatementKind.VIEWER_DISCLOSURE)),
    )


def _summary(pictures: list[_Picture], number: int) -> tuple[Fact, ...]:
    assessed = sum(one.assessed is not None for one in pictures)
    disclosed = sum(one.disclosed for one in pictures)

    def figure(key: str, label: Bilingual, value: int, badge: Badge = LOGGED) -> Fact:
        return Fact(key, label, Lines((Figure(value, f"{value:,}", "#pictures"), badge)))

    return (
        figure("versions", Bilingual("Backgrounds examined", "対象背景数"), number),
        figure(
            "versions_with_ai",
            Bilingual("with pixels by a trained model", "学習済みモデルによる画素あり"),
            len(pictures),
        ),
        figure(
            "assessed",
            Bilingual("with a deep-fake statement", "ディープフェイクの申告あり"),
            assessed,
            DECLARED,
        ),
        figure(
            "disclosed",
            Bilingual("covered by a stated disclosure", "視聴者への開示の申告あり"),
            disclosed,
            DECLARED,
        ),
    )


def _blocks(
    pictures: list[_Picture], declarations: Declarations, source: ReportSource
) -> Iterator[Block]:
    source.advise(ARTICLE_50_READ)
    yield from _notices(pictures, source)
    yield Heading(Bilingual("Dates", "適用日"))
    yield Facts(_dates(source.now), key="dates")
    yield Heading(
        Bilingual(
            "Role, kind of work, disclosure to the audience", "役割・作品の性質・視聴者への開示"
        )
    )
    yield answers("declared", _asked(declarations, source))
    looked = _look(pictures, source)
    yield Heading(
        Bilingual("Marks: looked for, found, not found", "ファイルのマーク：確認結果"),
        anchor="marks",
    )
    yield from _marks(pictures, looked, source)
    yield Heading(Bilingual("Systems", "システム"), anchor="systems")
    systems = dict.fromkeys(system for one in pictures for system in one.systems)
    if not systems:
        yield Paragraph(
            Bilingual("No trained model made any pixel.", "学習済みモデルによる画素はありません。")
        )
    for number, system in enumerate(systems, 1):
        yield Heading(system_name(system), level=3)
        yield Facts(facts_of(system, source), key=f"system_{number}")
    yield Heading(Bilingual("Pictures", "画像一覧"), anchor="pictures")
    yield _table(pictures, looked)
    yield Heading(Bilingual("The law, in short", "法令（要旨）"), anchor="law")
    yield _rules(ARTICLE_50_LAW)
    yield Heading(Bilingual("Guidance and code: not law", "指針・行動規範（法令ではない）"))
    yield _rules(ARTICLE_50_GUIDANCE)
    yield Heading(Bilingual("Our reading: not law, for counsel", "当方の解釈（法令ではない）"))
    yield _rules(ARTICLE_50_READING)
    yield Heading(Bilingual("United Kingdom", "英国"), anchor="uk")
    yield _rules(UNITED_KINGDOM)


def _notices(pictures: list[_Picture], source: ReportSource) -> Iterator[Block]:
    if not pictures:
        yield Notice(
            Bilingual(
                "As logged, no trained model made any pixel of these backgrounds.",
                "記録上、これらの背景に学習済みモデルによる画素はありません。",
            ),
            Tone.SOLID,
        )
        return
    fakes = sum(
        one.assessed is not None and one.assessed.statement.answer in {"yes", "unsure"}
        for one in pictures
    )
    missing = [one for one in pictures if one.assessed is None]
    undisclosed = sum(not one.disclosed for one in pictures)
    for number, text in (
        (
            fakes,
            Bilingual(
                "Of {n} pictures somebody states that they are deep fakes, or is unsure.",
                "{n}件がディープフェイク（または不明）と申告されています。",
            ),
        ),
        (
            len(missing),
            Bilingual(
                "Of {n} pictures nobody has stated whether they are deep fakes.",
                "{n}件について、ディープフェイクかどうかの申告がありません。",
            ),
        ),
        (
            undisclosed,
            Bilingual(
                "For {n} pictures no disclosure to the audience is recorded.",
                "{n}件について、視聴者への開示が記録されていません。",
            ),
        ),
    ):
        if number:
            yield Notice(text.filled(n=f"{number:,}"), Tone.ALERT)
    if missing:
        how = declare(StatementKind.DEEPFAKE_ASSESSMENT, source.scope, of=missing[0].code)
        source.advise(
            Bilingual(
                "Whoever looks at a picture states whether it is a deep fake, picture by picture: "
                f"{how} --answer …",
                f"ディープフェイクかどうかは、画像を見た人が1件ずつ申告します：{how} --answer …",
            )
        )


def _dates(now: datetime) -> tuple[Fact, ...]:
    day = now.date()
    if day < ARTICLE_50_GRACE_ENDS:
        grace = Bilingual("still running on the day of this sheet", "本書作成日現在、期間中")
    elif day == ARTICLE_50_GRACE_ENDS:
        grace = Bilingual("ends on the day of this sheet", "本書作成日に終了")
    else:
        grace = Bilingual("over on the day of this sheet", "本書作成日現在、終了")
    return (
        Fact(
            "applies_since",
            Bilingual("Article 50 applies since", "第50条の適用開始"),
            ARTICLE_50_APPLIES.isoformat(),
        ),
        Fact(
            "grace_ends",
            Bilingual(
                "Period for systems on the market before that ends, 50(2) alone",
                "それ以前に市場にあったシステムの猶予期限（50条2項のみ）",
            ),
            Lines((ARTICLE_50_GRACE_ENDS.isoformat(), grace)),
        ),
    )


def _rules(rules: tuple[Rule, ...]) -> Table:
    return Table(
        key="rules",
        columns=(
            Column(key="rule", title=Bilingual("Rule", "規定")),
            Column(key="kind", title=Bilingual("Kind", "区分")),
            Column(key="text", title=Bilingual("What it says, in short", "要旨"), wide=True),
            Column(key="applies", title=Bilingual("Applies", "適用")),
            Column(key="source", title=Bilingual("Source", "出典")),
        ),
        rows=((one.key, _KINDS[one.kind], one.text, one.applies, one.source) for one in rules),
    )


def _asked(declarations: Declarations, source: ReportSource) -> Iterator[Asked]:
    role = declarations.of(StatementKind.LEGAL_ROLE)
    exceptions = tuple(one for one in role if one.statement.subject == _EXCEPTION)
    yield ask(
        source,
        StatementKind.LEGAL_ROLE,
        Bilingual("Is the studio provider, deployer, or both?", "提供者か利用者か、両方か"),
        tuple(one for one in role if one.statement.subject != _EXCEPTION),
    )
    yield ask(
        source,
        StatementKind.LEGAL_ROLE,
        Bilingual("Is an exception of 50(2) relied on?", "50条2項の例外に依拠するか"),
        exceptions,
        subject=_EXCEPTION,
    )
    yield ask(
        source,
        StatementKind.ARTISTIC_WORK,
        Bilingual(
            "Is the work evidently artistic or fictional, 50(4)?",
            "明らかに芸術的・虚構的な作品か（50条4項）",
        ),
        declarations.of(StatementKind.ARTISTIC_WORK),
    )
    yield ask(
        source,
        StatementKind.VIEWER_DISCLOSURE,
        Bilingual(
            "Where, when and how is the audience told, 50(5); with the common icon?",
            "視聴者への開示の場所・時点・方法（50条5項）、共通アイコンの有無",
        ),
        declarations.of(StatementKind.VIEWER_DISCLOSURE),
    )


#: The subject of a statement about an exception of Article 50(2).
_EXCEPTION = "exception"


def _look(pictures: list[_Picture], source: ReportSource) -> Mapping[str, Looked | None]:
    """Return what was found in the files that were looked for, by version; None: no file there."""
    return {
        one.code: look(source, code=one.code, url=one.url, path=one.path)
        for one in spread(pictures, _OPENED)
    }


def _marks(
    pictures: list[_Picture], looked: Mapping[str, Looked | None], source: ReportSource
) -> Iterator[Block]:
    opened = [one for one in looked.values() if one is not None]
    yield Facts(_layers(pictures, opened, source), key="layers")
    yield Paragraph(
        Bilingual(
            f"Looked for in {len(opened)} of {len(pictures):,} published files, spread over the "
            "show, when this sheet was made. Of the others nothing is said here.",
            f"{len(pictures):,}件のうち{len(opened)}件の公開ファイルを本書作成時に確認。"
            "その他については何も述べません。",
        ),
        small=True,
    )
    if len(opened) < len(pictures):
        source.advise(
            Bilingual(
                f"Marks were looked for in {len(opened)} of {len(pictures):,} files: "
                "haikei verify FOLDER looks at all of them.",
                f"{len(pictures):,}件のうち{len(opened)}件のマークを確認しました。"
                "全件の確認は haikei verify フォルダ。",
            )
        )
    yield Table(
        key="looked_for",
        columns=(
            Column(key="version", title=Bilingual("Version", "バージョン"), linked=True),
            *(Column(key=one.key, title=one.label) for one in SOUGHT),
            Column(key="source_type", title=Bilingual("XMP says", "XMPの記載")),
            Column(key="problem", title=Bilingual("Problem", "問題"), wide=True),
        ),
        rows=map(_looked, opened),
        empty=Bilingual(
            "No published file was at hand.", "公開済みファイルを参照できませんでした。"
        ),
    )


def _layers(
    pictures: list[_Picture], opened: list[Looked], source: ReportSource
) -> tuple[Fact, ...]:
    marked = [one.marks for one in opened if one.marks is not None]
    if not source.settings.signing.timestamp_url:
        source.advise(
            Bilingual(
                "The settings name no time-stamp authority: set signing.timestamp_url.",
                "タイムスタンプ局の設定がありません：signing.timestamp_url を設定してください。",
            )
        )
    logged = Bilingual(
        f"{len(pictures):,} pictures, each with its entry; a log is no mark in a file",
        f"{len(pictures):,}件、それぞれ台帳番号あり（ログはファイルのマークではない）",
    )
    return (
        *(
            Fact(one.key, one.label, _layer(sum(map(one.holds, marked)), len(opened)))
            for one in SOUGHT
        ),
        *(Fact(one.key, one.label, Lines((_NOT_LOOKED, one.why))) for one in NOT_SOUGHT),
        Fact(
            "logging",
            Bilingual("Ledger (log)", "台帳（ログ）"),
            Lines((Figure(len(pictures), logged, "#pictures"), LOGGED)),
        ),
    )


def _layer(number: int, of: int) -> Cell:
    if not of:
        return Lines((_NOT_LOOKED,))
    words = Bilingual(f"in {number} of {of} files opened", f"開いた{of}件中{number}件")
    some = Badge(Bilingual("found in some", "一部にあり"), Tone.ALERT)
    return Lines((_FOUND if number == of else some if number else _NOT_FOUND, words, MEASURED))


def _looked(one: Looked) -> tuple[Cell, ...]:
    marks = one.marks
    if marks is None:
        return (
            Link(one.code, one.url),
            *(_UNREADABLE for _ in SOUGHT),
            None,
            one.problem,
        )
    return (
        Link(one.code, one.url),
        *(_FOUND if sought.holds(marks) else _NOT_FOUND for sought in SOUGHT),
        marks.xmp.digital_source_type.removeprefix(_IPTC) if marks.xmp else None,
        Lines(marks.failures) if marks.failures else None,
    )


def _found(code: str, looked: Mapping[str, Looked | None]) -> Cell:
    """Return which marks were looked for in a picture's file, and whether they are there."""
    if code not in looked:
        return _NOT_LOOKED
    one = looked[code]
    if one is None:
        return _NO_FILE
    marks = one.marks
    if marks is None:
        return _UNREADABLE
    absent = [sought.label for sought in SOUGHT if not sought.holds(marks)]
    number = len(SOUGHT) - len(absent)
    found = Bilingual(f"{number} of {len(SOUGHT)} found", f"{len(SOUGHT)}項目中{number}項目あり")
    if not absent:
        return Lines((found, MEASURED))
    names = Bilingual(
        "not found: " + "; ".join(label.en for label in absent),
        "なし：" + "、".join(label.ja for label in absent),
    )
    return Lines((found, names, MEASURED))


def _table(pictures: list[_Picture], looked: Mapping[str, Looked | None]) -> Table:
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
            Column(key="assessment", title=Bilingual("Who states it, when", "申告者・日付")),
            Column(key="marks", title=Bilingual("Marks looked for", "マークの確認"), wide=True),
            Column(key="disclosed", title=Bilingual("Audience told", "開示")),
            Column(key="sha256", title="SHA-256"),
            Column(key="entry", title=Bilingual("Ledger entry", "台帳番号"), align=Align.END),
        ),
        rows=(_row(one, looked) for one in pictures),
        empty=Bilingual(
            "None was made with a trained model.", "学習済みモデルによるものはありません。"
        ),
    )


_DISCLOSED = Badge(Bilingual("declared", "申告あり"), Tone.DASHED)


def _row(one: _Picture, looked: Mapping[str, Looked | None]) -> tuple[Cell, ...]:
    assessment = one.assessed.statement if one.assessed else None
    return (
        one.sequence,
        one.shot,
        Link(one.code, one.url),
        REVIEW_STATES[one.state],
        Figure(one.source_type.value, SOURCES[one.source_type], _IPTC + one.source_type.value),
        ", ".join(map(system_name, one.systems)),
        one.made_at,
        answer(assessment.answer, alert=assessment.answer in {"yes", "unsure"})
        if assessment
        else NOT_RECORDED,
        Lines((assessment.text, *by_whom(one.assessed).items, *sealed(one.assessed).items))
        if assessment and one.assessed
        else None,
        _found(one.code, looked),
        _DISCLOSED if one.disclosed else NOT_RECORDED,
        Figure(one.sha256, f"{one.sha256[:12]}…"),
        one.entry,
    )
