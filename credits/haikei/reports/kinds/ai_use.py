"""The list of AI use that clients and academies ask for: where, with what, by whom, agreed when."""

from collections.abc import Iterator
from functools import cache, lru_cache

from haikei.credits import Operators, Role, StatementKind, operators_text
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
    Item,
    Lines,
    Link,
    Notice,
    Paragraph,
    Table,
    Tone,
)
from haikei.reports.document.phrases import (
    COUNSEL_NOTE,
    KNOWN_NOTE,
    LOGGED,
    MEASURED,
    NOT_RECORDED,
    compose,
    is_named,
    joined,
    not_recorded,
    shown,
)
from haikei.reports.facts.ai_scan import AiBackground, AiScan, scan
from haikei.reports.facts.declared import (
    Agreed,
    Approval,
    Asked,
    Declarations,
    about_what,
    answers,
    ask,
)
from haikei.reports.facts.form_questions import (
    ACADEMIES_SAY,
    ACADEMY_SOURCE,
    EMMY_SOURCE,
    NETFLIX_PRINCIPLES,
    NETFLIX_SOURCE,
)
from haikei.reports.facts.system_facts import facts_of, system_name
from haikei.reports.report import Format, ReportOptions, ReportSource
from haikei.texts import REVIEW_STATES, ROLES, Bilingual

_AGREED = {
    Agreed.BEFORE: Badge(Bilingual("before the first generation", "生成前"), Tone.OUTLINE),
    Agreed.LATE: Badge(Bilingual("NOT before the first generation", "生成前ではない"), Tone.ALERT),
    Agreed.REFUSED: Badge(Bilingual("not agreed", "不承認"), Tone.ALERT),
    Agreed.MISSING: NOT_RECORDED,
}
_FINAL = Bilingual("final: {state}", "最終（{state}）")
_TEMPORARY = Bilingual("temporary: {state}", "仮（{state}）")


class AiUseReport:
    """What Netflix, the Academy and the Television Academy ask about AI, for an episode."""

    name = "ai-use"
    title = Bilingual("Use of AI in backgrounds", "背景美術におけるAI使用報告")
    purpose = "Where AI was used, with what, by whom and agreed when, as clients and academies ask."
    formats = (Format.HTML, Format.PDF, Format.CSV, Format.JSON)

    def document(self, source: ReportSource, options: ReportOptions) -> Document:
        """Return the report; all versions are read at once, in a compact form."""
        declarations = Declarations.load(source.connection, source.scope)
        found = scan(source, declarations)
        return compose(
            self,
            source,
            options,
            facts=_summary(found),
            blocks=_blocks(found, declarations, source),
            notes=(KNOWN_NOTE, COUNSEL_NOTE),
            csv="cuts",
        )


def _summary(found: AiScan) -> tuple[Fact, ...]:
    first = found.first
    return (
        _count("cuts", Bilingual("Cuts", "カット数"), found.shots, "#sequences"),
        _count(
            "cuts_with_ai", Bilingual("Cuts with AI", "AI使用カット"), found.shots_with_ai, "#cuts"
        ),
        _count(
            "versions", Bilingual("Backgrounds examined", "対象背景数"), found.versions, "#cuts"
        ),
        _count(
            "versions_with_ai",
            Bilingual("Backgrounds with AI", "AI使用背景"),
            len(found.backgrounds),
            "#cuts",
        ),
        _count(
            "approved_with_ai",
            Bilingual("of these approved", "うち承認済み"),
            found.approved_with_ai,
            "#cuts",
        ),
        Fact(
            "first_generation",
            Bilingual("First generation", "最初の生成"),
            Lines((first.first_at, Link(first.code, first.url), LOGGED)) if first else None,
        ),
    )


def _count(key: str, label: Bilingual, number: int, target: str) -> Fact:
    return Fact(key, label, Lines((Figure(number, f"{number:,}", target), LOGGED)))


def _blocks(found: AiScan, declarations: Declarations, source: ReportSource) -> Iterator[Block]:
    yield from _notices(found, declarations)
    yield Heading(Bilingual("What the client asks", "発注者からの質問"), anchor="client")
    yield Paragraph(
        Bilingual(
            f"After Netflix, Using Generative AI in Content Production ({NETFLIX_SOURCE}). "
            "Approval comes before use wherever the result is in the picture.",
            f"Netflixのガイダンス（{NETFLIX_SOURCE}）による。最終映像に含まれる場合は、使用前の承認が必要。",
        ),
        small=True,
    )
    yield answers("client", _asked(declarations, source))
    yield Facts(_checks(found), key="checks")
    yield Heading(Bilingual("Tools", "使用ツール"), anchor="tools")
    yield from _tools(found, source)
    yield Heading(Bilingual("What the academies ask", "アカデミーからの質問"), anchor="academies")
    yield Paragraph(ACADEMIES_SAY)
    yield Paragraph(f"{ACADEMY_SOURCE}; {EMMY_SOURCE}", small=True)
    yield Facts(_academies(found), key="academies")
    yield Heading(Bilingual("Named people", "氏名のある関係者"), anchor="people")
    yield _people(found)
    yield Heading(Bilingual("By sequence", "シーケンス別"), anchor="sequences")
    yield _sequences(found)
    yield Heading(Bilingual("Backgrounds with AI", "AIを使用した背景"), anchor="cuts")
    yield _cuts(found)


def _notices(found: AiScan, declarations: Declarations) -> Iterator[Block]:
    if not found.backgrounds:
        yield Notice(
            Bilingual(
                "No trained model made any pixel of these backgrounds, as logged.",
                "記録上、これらの背景に学習済みモデルによる画素はありません。",
            ),
            Tone.SOLID,
        )
        return
    for agreed, words in (
        (
            Agreed.MISSING,
            Bilingual(
                "{n} backgrounds were generated and no approval by the client is recorded.",
                "{n}件の背景について、発注者の承認が記録されていません。",
            ),
        ),
        (
            Agreed.LATE,
            Bilingual(
                "{n} backgrounds were generated before the date of the client's approval.",
                "{n}件の背景は、発注者の承認日より前に生成されています。",
            ),
        ),
        (
            Agreed.REFUSED,
            Bilingual(
                "{n} backgrounds were generated where the client's newest word is no or unsure.",
                "{n}件の背景について、発注者の最新の回答は「不承認」または「保留」です。",
            ),
        ),
    ):
        number = found.agreed[agreed]
        if number:
            yield Notice(words.filled(n=f"{number:,}"), Tone.ALERT)
    for one in declarations.of(StatementKind.PRINCIPLE):
        statement = one.statement
        if statement.answer in {"no", "unsure"}:
            yield Notice(
                Bilingual(
                    f"Principle {statement.subject} was answered with {statement.answer} "
                    f"({about_what(statement).en}): it goes to the client before use.",
                    f"原則{statement.subject}の回答は「{statement.answer}」（{about_what(statement).ja}）："
                    "使用前に発注者への確認が必要です。",
                ),
                Tone.ALERT,
            )
        elif (
            statement.answer == "yes"
            and _principle(statement.subject) == "4"
            and found.approved_with_ai
        ):
            yield Notice(
                Bilingual(
                    f"Principle 4 (temporary only) was answered with yes, but "
                    f"{found.approved_with_ai:,} approved backgrounds hold AI pixels, as logged.",
                    f"原則4（一時使用のみ）に「yes」と回答されていますが、承認済み背景{found.approved_with_ai:,}"
                    "件にAIの画素が含まれています（自動記録）。",
                ),
                Tone.ALERT,
            )


def _asked(declarations: Declarations, source: ReportSource) -> Iterator[Asked]:
    for kind, question in (
        (
            StatementKind.INTENDED_USE,
            Bilingual("Was the intended use told before?", "使用予定は事前に通知したか"),
        ),
        (
            StatementKind.CLIENT_APPROVAL,
            Bilingual("Did the client approve, and when?", "発注者は承認したか（日付）"),
        ),
    ):
        yield ask(source, kind, question, declarations.of(kind))
    principles = declarations.of(StatementKind.PRINCIPLE)
    for asked in NETFLIX_PRINCIPLES:
        number, text = asked.key, asked.text
        yield ask(
            source,
            StatementKind.PRINCIPLE,
            Bilingual(f"{number}. {text.en}", f"{number}. {text.ja}"),
            tuple(one for one in principles if _principle(one.statement.subject) == number),
            subject=number,
        )
    known = {asked.key for asked in NETFLIX_PRINCIPLES}
    other = tuple(one for one in principles if _principle(one.statement.subject) not in known)
    if other:
        yield Asked(question=Bilingual("Another question", "その他の質問"), found=other)
    for kind, question in (
        (
            StatementKind.THIRD_PARTY_CHECK,
            Bilingual(
                "Was similarity to others' works looked for?", "第三者の著作物との類似を確認したか"
            ),
        ),
        (
            StatementKind.LIKENESS_CHECK,
            Bilingual("Were recognisable people looked for?", "実在人物の肖像を確認したか"),
        ),
    ):
        yield ask(source, kind, question, declarations.of(kind))
    corrections = declarations.of(StatementKind.CORRECTION)
    if corrections:
        yield Asked(question=Bilingual("Corrections", "訂正"), found=corrections)


def _principle(subject: str) -> str:
    """Return the principle's number; a use case may follow after a colon."""
    return subject.partition(":")[0].strip()


def _checks(found: AiScan) -> tuple[Fact, ...]:
    number = len(found.backgrounds)
    looked = sum(one.third_party for one in found.backgrounds)
    likeness = sum(one.likeness for one in found.backgrounds)
    operated = sum(bool(one.operators.people) for one in found.backgrounds)
    drawn = sum(
        any(map(is_named, one.artists)) and not one.layout_with_ai for one in found.backgrounds
    )
    with_ai = sum(one.layout_with_ai for one in found.backgrounds)
    painted = sum(bool(one.painters) for one in found.backgrounds)
    loras = tuple(
        Bilingual(f"{text} (as in {code})", f"{text}（{code} など）")
        for text, code in found.loras.items()
    )
    return (
        _share(
            "final",
            Bilingual("In the final picture: approved", "最終映像に含まれるもの（承認済み）"),
            found.approved_with_ai,
            number,
        ),
        _share(
            "third_party",
            Bilingual("Covered by a check for others' works", "類似確認の対象"),
            looked,
            number,
        ),
        _share(
            "likeness",
            Bilingual("Covered by a check for likeness", "肖像確認の対象"),
            likeness,
            number,
        ),
        _share(
            "layout",
            Bilingual(
                "A named layout artist, and no marks of AI in the layout",
                "原図担当者あり（原図にAIの記録なし）",
            ),
            drawn,
            number,
        ),
        _share(
            "layout_with_ai",
            Bilingual("Layouts that tell of AI in their own marks", "原図ファイルにAIの記録あり"),
            with_ai,
            number,
        ),
        _share(
            "operator", Bilingual("Run by a named operator", "操作者の記録あり"), operated, number
        ),
        _share(
            "touch_up", Bilingual("Painted over by people", "人による加筆あり"), painted, number
        ),
        Fact(
            "loras",
            Bilingual("LoRAs in requests", "生成要求のLoRA"),
            Lines((*(loras or (Bilingual("none", "なし"),)), LOGGED)),
        ),
    )


def _share(key: str, label: Bilingual, number: int, of: int) -> Fact:
    return Fact(key, label, Lines((Figure(number, _of(number, of), "#cuts"), LOGGED)))


def _of(number: int, of: int) -> Bilingual:
    return Bilingual(
        f"{number:,} of {of:,} backgrounds with AI", f"AI使用背景{of:,}件中{number:,}件"
    )


def _tools(found: AiScan, source: ReportSource) -> Iterator[Block]:
    if not found.systems:
        yield Paragraph(Bilingual("No tool made any pixels.", "画素を生成したツールはありません。"))
    order = sorted(
        found.systems.items(), key=lambda item: (not item[0].source_type.is_ai, item[0].name)
    )
    for number, (system, use) in enumerate(order, 1):
        yield Heading(system_name(system), level=3)
        used = Lines(
            (
                Figure(
                    use.versions,
                    Bilingual(f"{use.versions:,} backgrounds", f"背景{use.versions:,}件"),
                    "#cuts",
                ),
                Bilingual(f"{use.images:,} images", f"画像{use.images:,}枚"),
                Bilingual(
                    f"first {_day(use.first)} ({use.first_code}), last {_day(use.last)}",
                    f"初回 {_day(use.first)}（{use.first_code}）、最終 {_day(use.last)}",
                ),
                LOGGED,
            )
        )
        facts = (
            Fact("used", Bilingual("Used for", "使用"), used),
            *facts_of(system, source),
        )
        yield Facts(facts, key=f"tool_{number}")


def _day(moment: object) -> str:
    return str(moment)[:10]


def _academies(found: AiScan) -> tuple[Fact, ...]:
    deciders = [
        person
        for person, roles in found.people.items()
        if roles[Role.APPROVAL] or roles[Role.RETAKE] or roles[Role.SELECTION]
    ]
    trained = [system_name(one) for one in found.systems if one.source_type.is_ai]
    other = [system_name(one) for one in found.systems if not one.source_type.is_ai]
    named = sum(map(is_named, found.people))
    return (
        Fact(
            "where",
            Bilingual("Where was it used?", "どこで使用したか"),
            Lines(
                (
                    Figure(
                        found.shots_with_ai,
                        Bilingual(
                            f"backgrounds of {found.shots_with_ai:,} of {found.shots:,} cuts",
                            f"全{found.shots:,}カット中{found.shots_with_ai:,}カットの背景",
                        ),
                        "#cuts",
                    ),
                    LOGGED,
                )
            ),
        ),
        Fact(
            "tool",
            Bilingual("With which tool?", "どのツールか"),
            Lines(
                (
                    Link(", ".join(trained) or Bilingual("none", "なし"), "#tools"),
                    *(
                        (
                            Bilingual(
                                f"whose pixels no trained model makes: {', '.join(other)}",
                                f"学習済みモデルが画素を作らないもの：{', '.join(other)}",
                            ),
                        )
                        if other
                        else ()
                    ),
                    LOGGED,
                )
            ),
        ),
        Fact(
            "who_decided",
            Bilingual("Who decided?", "誰が判断したか"),
            Lines((joined(deciders), LOGGED))
            if deciders
            else not_recorded(
                Bilingual(
                    "Approvals and retakes by named people are logged from the tracker.",
                    "承認・リテイクはトラッカーから自動で記録されます。",
                )
            ),
        ),
        Fact(
            "people",
            Bilingual("How many people are named?", "氏名のある関係者数"),
            Lines((Figure(named, f"{named:,}", "#people"), LOGGED)),
        ),
    )


def _people(found: AiScan) -> Table:
    def rows() -> Iterator[tuple[Cell, ...]]:
        for role, name in ROLES.items():
            mine = [
                (person, roles[Role(role)])
                for person, roles in found.people.items()
                if roles[Role(role)]
            ]
            for person, number in sorted(mine, key=lambda item: (-item[1], item[0].id)):
                yield (name.heading, shown(person), number)

    return Table(
        key="people",
        columns=(
            Column(key="role", title=Bilingual("Role", "役職")),
            Column(key="name", title=Bilingual("Name", "氏名"), wide=True),
            Column(key="backgrounds", title=Bilingual("Backgrounds", "背景数"), align=Align.END),
        ),
        rows=rows(),
    )


def _sequences(found: AiScan) -> Table:
    titles = (
        ("cuts", Bilingual("Cuts", "カット数")),
        ("cuts_with_ai", Bilingual("Cuts with AI", "AI使用カット")),
        ("versions", Bilingual("Backgrounds", "背景数")),
        ("versions_with_ai", Bilingual("with AI", "うちAI使用")),
        ("approved_with_ai", Bilingual("approved with AI", "うち承認済み")),
    )
    return Table(
        key="sequences",
        columns=(
            Column(key="sequence", title=Bilingual("Sequence", "シーケンス"), wide=True),
            *(Column(key=key, title=title, align=Align.END) for key, title in titles),
        ),
        rows=(
            (
                name or "–",
                len(count.shots),
                len(count.shots_with_ai),
                count.versions,
                count.versions_with_ai,
                count.approved_with_ai,
            )
            for name, count in found.sequences.items()
        ),
    )


def _cuts(found: AiScan) -> Table:
    return Table(
        key="cuts",
        columns=(
            Column(key="sequence", title=Bilingual("Sequence", "シーケンス")),
            Column(key="shot", title=Bilingual("Cut", "カット")),
            Column(key="version", title=Bilingual("Version", "バージョン"), linked=True),
            Column(key="use", title=Bilingual("Final or temporary", "最終／仮")),
            Column(key="tool", title=Bilingual("Tool", "ツール")),
            Column(key="passes", title=Bilingual("Passes", "生成回数"), align=Align.END),
            Column(key="first_at", title=Bilingual("First generated", "生成日時")),
            Column(key="approval", title=Bilingual("Client's approval", "発注者の承認")),
            Column(key="operator", title=Bilingual("Operator", "操作者")),
            Column(key="layout", title=Bilingual("Layout by", "原図")),
            Column(key="layout_made", title=Bilingual("How it was drawn", "原図の描き方")),
            Column(key="touch_up", title=Bilingual("Painted over by", "加筆")),
            Column(key="checks", title=Bilingual("Checked", "確認")),
            Column(key="entries", title=Bilingual("Ledger entries", "台帳番号"), align=Align.END),
        ),
        rows=map(_row, found.backgrounds),
        empty=Bilingual("No background was made with AI.", "AIを使用した背景はありません。"),
    )


_THIRD_PARTY = Bilingual("others' works", "類似")
_LIKENESS = Bilingual("likeness", "肖像")


def _row(one: AiBackground) -> tuple[Cell, ...]:
    checks = ((_THIRD_PARTY,) if one.third_party else ()) + ((_LIKENESS,) if one.likeness else ())
    return (
        one.sequence,
        one.shot,
        Link(one.code, one.url),
        _use(one.state),
        ", ".join(map(system_name, one.systems)),
        one.passes,
        one.first_at,
        _approval(one.approval),
        _ran(one.operators),
        joined(one.artists) if one.artists else NOT_RECORDED,
        one.layout,
        _touch_up(one),
        Lines(checks) if checks else NOT_RECORDED,
        Lines(one.entries),
    )


@lru_cache(maxsize=1024)
def _ran(operators: Operators) -> Bilingual:
    return operators_text(operators, bare=True)


def _approval(approval: Approval) -> Cell:
    badge = _AGREED[approval.agreed]
    if approval.declared is None:
        return badge
    one = approval.declared
    paper = one.statement.reference or one.statement.text
    items: list[Item] = [
        badge,
        f"{one.statement.at.date().isoformat()} {paper}",
        Bilingual(f"entry {one.entry}", f"台帳番号 {one.entry}"),
    ]
    if approval.agreed is Agreed.BEFORE and not approval.sealed_before:
        items.append(Bilingual("by its own date; sealed later", "日付による（記録は生成後）"))
    return Lines(tuple(items))


def _touch_up(one: AiBackground) -> Cell:
    if not one.painters:
        return None
    people = joined(one.painters)
    if one.area_ppm is None:
        return Lines((people, *one.touch_up)) if one.touch_up else people
    share = f"{one.area_ppm / 10_000:.1f} %"
    area = Figure(one.area_ppm, Bilingual(f"{share} of the area", f"面積の{share}"))
    return Lines((people, area, MEASURED, *one.touch_up))


@cache
def _use(state: ReviewState) -> Bilingual:
    """Return whether a background in this state is in the final picture or a temporary one."""
    if state is ReviewState.OMITTED:
        return REVIEW_STATES[state]
    phrase = _FINAL if state is ReviewState.APPROVED else _TEMPORARY
    return phrase.filled(state=REVIEW_STATES[state])
