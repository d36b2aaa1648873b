"""The list of backgrounds in which no trained model made any pixel, and of those where one did."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from haikei.credits import (
    BackgroundVersion,
    ImageKind,
    Person,
    SourceType,
    StatementKind,
)
from haikei.decisions import ReviewState
from haikei.ledger import size
from haikei.ledger.signing import Signer
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
from haikei.reports.document.phrases import (
    DECLARED,
    KNOWN_NOTE,
    LOGGED,
    NOT_RECORDED,
    SOURCES,
    compose,
    declare,
    joined,
)
from haikei.reports.facts import version_lineage
from haikei.reports.facts.ai_scan import read
from haikei.reports.facts.declared import Declarations, Declared, by_whom, sealed
from haikei.reports.facts.system_facts import system_name
from haikei.reports.report import Format, ReportOptions, ReportSource
from haikei.reports.report_writing import seal
from haikei.texts import REVIEW_STATES, Bilingual

_YES = {"yes", ""}
_MOST = 12  # contradictions that are written out; the rest is counted


@dataclass(frozen=True, slots=True, kw_only=True)
class _Examined:
    """One version, and why it can or cannot be attested."""

    sequence: str
    shot: str
    code: str
    url: str
    state: ReviewState
    sha256: str
    pixels_sha256: str
    sources: tuple[SourceType, ...]  #: of each image, in order
    layout: Bilingual | None  #: how it came to be; None where there is none
    touch_ups: tuple[Bilingual, ...]  #: how they were made, and who says so
    tools: tuple[str, ...]  #: programs without a trained model
    artists: tuple[Person, ...]
    reasons: tuple[Bilingual, ...]  #: why it cannot be attested; empty where it can
    stated: Declared | None  #: the newest statement that no AI was used
    contradicted: bool  #: it was stated, and the record shows otherwise
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lists:
    attested: tuple[_Examined, ...]
    refused: tuple[_Examined, ...]


class NoAiReport:
    """What a studio attests where a client wants no AI; it is signed as a file."""

    name = "no-ai"
    title = Bilingual("Made without AI: attestation", "AI不使用証明")
    purpose = "Backgrounds without any pixel by a trained model, signed; and those with, with why."
    formats = (Format.HTML, Format.PDF, Format.CSV, Format.JSON)

    def document(self, source: ReportSource, options: ReportOptions) -> Document:
        """Return both lists; all versions are read at once, in a compact form."""
        declarations = Declarations.load(source.connection, source.scope)
        examined = tuple(_examine(version, declarations) for version in read(source))
        lists = _Lists(
            attested=tuple(one for one in examined if not one.reasons),
            refused=tuple(one for one in examined if one.reasons),
        )
        return compose(
            self,
            source,
            options,
            facts=_summary(lists),
            blocks=_blocks(lists, source),
            notes=(KNOWN_NOTE,),
            csv="backgrounds",
            sign=partial(_sign, source),
        )


def _sign(source: ReportSource, path: Path) -> Path:
    return seal(
        path,
        Signer(source.settings),
        report=NoAiReport.name,
        studio=source.settings.studio.name,
        scope=source.scope.name,
        ledger_size=size(source.connection),
        made_at=source.now,
    )


def _examine(version: BackgroundVersion, declarations: Declarations) -> _Examined:
    stated = [
        one
        for one in declarations.about(version, StatementKind.NO_AI)
        if one.statement.answer or one.statement.text
    ]
    newest = stated[0] if stated else None
    machine = tuple(_machine(version))
    reasons = (*machine, *_gaps(version))
    if newest is not None and newest.statement.answer not in _YES:
        reasons = (
            *reasons,
            Bilingual(
                f"it was declared that this is not so (ledger entry {newest.entry})",
                f"AI不使用ではないと申告（台帳番号 {newest.entry}）",
            ),
        )
    return _Examined(
        sequence=version.part,
        shot=version.shot,
        code=version.code,
        url=version.url,
        state=version.state,
        sha256=version.final.sha256,
        pixels_sha256=version.final.pixels_sha256,
        sources=tuple(dict.fromkeys(image.source_type for image in version.images)),
        layout=version_lineage.layout_origin(version) if version_lineage.layouts(version) else None,
        touch_ups=tuple(
            dict.fromkeys(
                version_lineage.touch_up_origin(version, image)
                for image in version_lineage.touch_ups(version)
            )
        ),
        tools=tuple(
            system_name(one)
            for one in version_lineage.systems(version)
            if not one.source_type.is_ai
        ),
        artists=tuple(
            {
                one.actor.id: one.actor
                for image in version.images
                for one in (*version_lineage.drawings(image), *version_lineage.paintings(image))
                if isinstance(one.actor, Person)
            }.values()
        ),
        reasons=reasons,
        stated=newest,
        contradicted=bool(machine) and newest is not None and newest.statement.answer in _YES,
        entries=version.ledger,
    )


def _machine(version: BackgroundVersion) -> Iterator[Bilingual]:
    """Yield where a trained model made pixels."""
    for image, entry in version_lineage.ai_images(version):
        system = image.system
        name = system_name(system) if system else image.source_type.value
        yield Bilingual(
            f"a trained model made pixels: {name} (ledger entry {entry})",
            f"学習済みモデルによる画素あり：{name}（台帳番号 {entry}）",
        )


def _gaps(version: BackgroundVersion) -> Iterator[Bilingual]:
    """Yield what the records do not tell about the making."""
    if version.images[0].kind is not ImageKind.LAYOUT and version.images[0].ingredients:
        yield Bilingual("no layout is recorded", "原図の記録なし")
    for sha256 in version_lineage.loose_ends(version):
        yield Bilingual(
            f"it was made from an image that is not recorded ({sha256[:12]}…)",
            f"記録のない画像から作成（{sha256[:12]}…）",
        )


def _summary(lists: _Lists) -> tuple[Fact, ...]:
    attested, refused = len(lists.attested), len(lists.refused)
    stated = sum(one.stated is not None for one in lists.attested)
    contradicted = sum(one.contradicted for one in lists.refused)

    def figure(key: str, label: Bilingual, value: int, badge: Badge) -> Fact:
        return Fact(key, label, Lines((Figure(value, f"{value:,}", "#list"), badge)))

    return (
        figure("attested", Bilingual("Attested: no AI", "AI不使用と証明"), attested, LOGGED),
        figure("stated", Bilingual("of these also declared", "うち申告あり"), stated, DECLARED),
        figure("not_attested", Bilingual("Not attested", "証明不可"), refused, LOGGED),
        figure(
            "contradicted",
            Bilingual("Declared, but not so", "申告と記録の矛盾"),
            contradicted,
            LOGGED,
        ),
    )


def _blocks(lists: _Lists, source: ReportSource) -> Iterator[Block]:
    contradicted = [one for one in lists.refused if one.contradicted and one.stated]
    for one in contradicted[:_MOST]:
        entry = one.stated.entry if one.stated else 0
        yield Notice(
            Bilingual(
                f"{one.code}: declared to be without AI (ledger entry {entry}), but the record "
                "shows a trained model.",
                f"{one.code}：AI不使用と申告（台帳番号 {entry}）されていますが、"
                "記録では学習済みモデルが使われています。",
            ),
            Tone.ALERT,
        )
    rest = len(contradicted) - _MOST
    if rest > 0:
        yield Notice(Bilingual(f"and {rest:,} more.", f"ほか{rest:,}件。"), Tone.ALERT)
    yield Paragraph(
        Bilingual(
            "Attested means: the records of every step are there, and in none of them a trained "
            "model made pixels. What a layout was drawn with outside this pipeline is known only "
            "where somebody declared it, and each says so.",
            "証明とは、全工程の記録があり、いずれの工程でも学習済みモデルによる画素がないことを意味します。"
            "パイプライン外での原図の作画方法は、申告がある場合にのみ確認でき、各項目に記載しています。",
        )
    )
    undeclared = sum(one.stated is None for one in lists.attested)
    if undeclared:
        how = declare(StatementKind.NO_AI, source.scope)
        source.advise(
            Bilingual(
                f"For {undeclared:,} backgrounds nobody declared that no AI was used: {how}",
                f"{undeclared:,}件の背景にAI不使用の申告がありません：{how}",
            )
        )
    yield Paragraph(
        Bilingual(
            "This list is signed: the file beside it that ends in .sig holds the signature over "
            "its SHA-256.",
            "この一覧には署名があります（同名の .sig ファイル）。",
        ),
        small=True,
    )
    yield Heading(Bilingual("Attested: made without AI", "AI不使用と証明された背景"), anchor="list")
    yield _table(lists.attested, refused=False)
    yield Heading(Bilingual("Not attested", "証明できない背景"))
    yield _table(lists.refused, refused=True)


def _table(rows: tuple[_Examined, ...], *, refused: bool) -> Table:
    return Table(
        key="backgrounds",
        columns=(
            Column(key="attested", title=Bilingual("No AI", "AI不使用")),
            Column(key="sequence", title=Bilingual("Sequence", "シーケンス")),
            Column(key="shot", title=Bilingual("Cut", "カット")),
            Column(key="version", title=Bilingual("Version", "バージョン"), linked=True),
            Column(key="state", title=Bilingual("State", "状態")),
            Column(key="made", title=Bilingual("How it was made", "制作方法"), wide=True),
            Column(
                key="people", title=Bilingual("Drawn, painted by", "作画・彩色"), wide=not refused
            ),
            Column(key="declared", title=Bilingual("Declared by", "申告者")),
            Column(key="why_not", title=Bilingual("Why not", "証明できない理由"), wide=refused),
            Column(key="sha256", title=Bilingual("SHA-256 of the file", "ファイルのSHA-256")),
            Column(key="pixels_sha256", title=Bilingual("of its pixels", "画素のSHA-256")),
            Column(key="entries", title=Bilingual("Ledger entries", "台帳番号"), align=Align.END),
        ),
        rows=map(_row, rows),
    )


_ATTESTED = Badge(Bilingual("attested", "証明"), Tone.SOLID)
_LAYOUT = Bilingual("layout: {origin}", "原図：{origin}")
_TOUCH_UP = Bilingual("touch-up: {origin}", "加筆：{origin}")
_NOT = Badge(Bilingual("no", "不可"), Tone.ALERT)


@lru_cache(maxsize=1024)
def _filled(phrase: Bilingual, origin: Bilingual) -> Bilingual:
    return phrase.filled(origin=origin)


@lru_cache(maxsize=1024)
def _how(made: tuple[Item, ...]) -> Lines:
    return Lines(made, inline=True)


def _row(one: _Examined) -> tuple[Cell, ...]:
    sources = (SOURCES[source] for source in one.sources if source is not SourceType.NOT_DECLARED)
    layout = () if one.layout is None else (_filled(_LAYOUT, one.layout),)
    touched = (_filled(_TOUCH_UP, origin) for origin in one.touch_ups)
    made: tuple[Item, ...] = (*layout, *sources, *touched, *one.tools, LOGGED)
    return (
        _NOT if one.reasons else _ATTESTED,
        one.sequence,
        one.shot,
        Link(one.code, one.url),
        REVIEW_STATES[one.state],
        _how(made),
        joined(one.artists) if one.artists else NOT_RECORDED,
        Lines((*by_whom(one.stated).items, *sealed(one.stated).items))
        if one.stated
        else NOT_RECORDED,
        Lines(one.reasons) if one.reasons else None,
        Figure(one.sha256, f"{one.sha256[:12]}…"),
        Figure(one.pixels_sha256, f"{one.pixels_sha256[:12]}…"),
        Lines(one.entries),
    )
