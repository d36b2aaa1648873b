"""The log for guilds: who is covered, what was declared when, who ran each AI step, credit kept."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from operator import or_

from haikei.credits import (
    BackgroundVersion,
    Operators,
    Person,
    Role,
    StatementKind,
    operators_text,
)
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
    NOT_RECORDED,
    StudioPeople,
    compose,
    is_named,
    joined,
    shown,
)
from haikei.reports.facts import version_lineage
from haikei.reports.facts.ai_scan import read
from haikei.reports.facts.declared import Asked, Declarations, answers, ask
from haikei.reports.facts.form_questions import TAG_SOURCE
from haikei.reports.facts.system_facts import system_name
from haikei.reports.report import Format, ReportOptions, ReportSource
from haikei.settings import PersonEntry
from haikei.texts import ROLES, Bilingual

_KEPT = Bilingual("yes: named in the credits", "あり（クレジット記載）")
_WITHHELD = Bilingual("withheld at the person's own request", "本人の希望により非表示")
_NOT_KEPT = Badge(Bilingual("NO: no name is recorded", "なし（氏名の記録なし）"), Tone.ALERT)


@dataclass(slots=True, kw_only=True)
class _Covered:
    """One person under a guild's agreement."""

    entry: PersonEntry
    person: Person | None = None  #: None: nothing of theirs is recorded here
    roles: dict[Role, None] = field(default_factory=dict)
    versions: int = 0
    with_ai: int = 0
    operated: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _AiWork:
    """One version with AI on which covered people worked."""

    sequence: str
    shot: str
    code: str
    url: str
    covered: tuple[Person, ...]
    systems: str
    steps: int
    operators: Operators
    first_at: datetime
    notified: bool  #: a notice is dated before the first generation
    entries: tuple[int, ...]


@dataclass(slots=True, kw_only=True)
class _Log:
    covered: dict[str, _Covered] = field(default_factory=dict)  #: by the entry's name
    unknown: dict[str, Person] = field(default_factory=dict)  #: of whom the settings say nothing
    works: list[_AiWork] = field(default_factory=list)
    versions: int = 0
    ai_steps: int = 0
    pipeline_steps: int = 0  #: of those, run by the pipeline itself
    unrecorded_steps: int = 0  #: of those, run elsewhere by nobody knows whom


class UnionLogReport:
    """What a guild may ask under its agreement; TAG's clause stands behind the columns."""

    name = "union-log"
    title = Bilingual("Notices to guilds, and credit kept", "組合への通知とクレジットの記録")
    purpose = "Covered people, notices and consultations, operators of AI steps, credit kept."
    formats = (Format.HTML, Format.PDF, Format.CSV, Format.JSON)

    def document(self, source: ReportSource, options: ReportOptions) -> Document:
        """Return the log; versions on which covered people worked are kept in a compact form."""
        declarations = Declarations.load(source.connection, source.scope)
        log = _read(source, declarations)
        return compose(
            self,
            source,
            options,
            facts=_summary(log),
            blocks=_blocks(log, declarations, source),
            notes=(KNOWN_NOTE, COUNSEL_NOTE),
            csv="works",
        )


def _read(source: ReportSource, declarations: Declarations) -> _Log:
    people = StudioPeople(source.settings.people)
    log = _Log()
    for entry in people.entries:
        if entry.union:
            log.covered[entry.name] = _Covered(entry=entry)
    for version in read(source):
        _add(log, version, people, declarations)
    return log


def _add(
    log: _Log, version: BackgroundVersion, people: StudioPeople, declarations: Declarations
) -> None:
    log.versions += 1
    made = version_lineage.ai_images(version)
    covered: dict[str, Person] = {}
    operators = reduce(or_, (image.operators for image, _ in made), Operators())
    operating = {person.id for person in operators.people}
    for one in version_lineage.contributions(version):
        person = one.actor
        if not isinstance(person, Person):
            continue
        entry = people.find(person)
        if entry is None:
            log.unknown.setdefault(person.id, person)
        elif entry.union:
            covered[entry.name] = person
            log.covered[entry.name].roles[one.role] = None
    for name, person in covered.items():
        mine = log.covered[name]
        mine.person = person
        mine.versions += 1
        mine.with_ai += bool(made)
        mine.operated += person.id in operating
    log.ai_steps += len(made)
    log.pipeline_steps += sum(image.operators.by_pipeline for image, _ in made)
    log.unrecorded_steps += sum(image.operators.unrecorded for image, _ in made)
    first_at = version_lineage.first_ai_at(made)
    if first_at is None or not covered:
        return
    notices = declarations.about(version, StatementKind.UNION_NOTICE)
    log.works.append(
        _AiWork(
            sequence=version.part,
            shot=version.shot,
            code=version.code,
            url=version.url,
            covered=tuple(covered.values()),
            systems=", ".join(
                system_name(one)
                for one in version_lineage.systems(version)
                if one.source_type.is_ai
            ),
            steps=len(made),
            operators=operators,
            first_at=first_at,
            notified=any(one.statement.at < first_at for one in notices),
            entries=tuple(entry for _, entry in made),
        )
    )


def _summary(log: _Log) -> tuple[Fact, ...]:
    named = log.ai_steps - log.pipeline_steps - log.unrecorded_steps

    def figure(
        key: str, label: Bilingual, value: int, shown_as: Bilingual | str, target: str
    ) -> Fact:
        return Fact(key, label, Lines((Figure(value, shown_as, target), LOGGED)))

    return (
        Fact(
            "covered",
            Bilingual("Covered people", "組合の対象者"),
            Lines((Figure(len(log.covered), f"{len(log.covered):,}", "#people"), DECLARED)),
        ),
        figure(
            "works_with_ai",
            Bilingual("Their backgrounds with AI", "対象者が関わったAI使用背景"),
            len(log.works),
            f"{len(log.works):,}",
            "#works",
        ),
        figure(
            "operated",
            Bilingual("AI steps with a named operator", "操作者の記録があるAI工程"),
            named,
            Bilingual(f"{named:,} of {log.ai_steps:,}", f"{log.ai_steps:,}件中{named:,}件"),
            "#works",
        ),
    )


def _blocks(log: _Log, declarations: Declarations, source: ReportSource) -> Iterator[Block]:
    yield Paragraph(
        Bilingual(
            "An AI system is no person; using one does not affect anybody's rights, credit among "
            f"them; notice is given in writing ({TAG_SOURCE}).",
            f"AIシステムは人ではなく、その使用はクレジットを含む本人の権利に影響しない。通知は書面で行う"
            f"（{TAG_SOURCE}）。",
        ),
        small=True,
    )
    if log.unknown or not log.covered:
        source.advise(
            Bilingual(
                "Whom an agreement covers stands in [[people]] of the settings: union and "
                "classification.",
                "協約の対象者は設定の [[people]] の union と classification に記入します。",
            )
        )
    yield from _notices(log, declarations)
    yield Heading(Bilingual("Notices and consultations", "通知と協議"), anchor="notices")
    yield answers("statements", _asked(declarations, source))
    yield Heading(Bilingual("Covered people", "対象者"), anchor="people")
    yield _people(log)
    yield Heading(
        Bilingual("Their backgrounds with AI", "対象者が関わったAI使用背景"), anchor="works"
    )
    yield _works(log)


def _notices(log: _Log, declarations: Declarations) -> Iterator[Block]:
    if not log.covered:
        yield Notice(
            Bilingual(
                "Nobody is recorded as covered by an agreement.",
                "協約の対象者の記録がありません。",
            ),
            Tone.ALERT,
        )
    if log.unknown:
        number = len(log.unknown)
        yield Notice(
            Bilingual(
                f"For {number:,} people who worked on these backgrounds it is not recorded "
                "whether an agreement covers them.",
                f"{number:,}人について、協約の対象かどうかの記録がありません。",
            ),
            Tone.DASHED,
        )
    late = sum(not one.notified for one in log.works)
    if late:
        dated = bool(declarations.of(StatementKind.UNION_NOTICE))
        yield Notice(
            Bilingual(
                f"{late:,} backgrounds were generated before the date of a notice that covers them."
                if dated
                else f"{late:,} backgrounds were generated and no notice is recorded.",
                f"{late:,}件の背景は、対象となる通知の日付より前に生成されています。"
                if dated
                else f"{late:,}件の背景について、通知が記録されていません。",
            ),
            Tone.ALERT,
        )
    if log.pipeline_steps:
        yield Notice(
            Bilingual(
                f"{log.pipeline_steps:,} AI steps were run by the pipeline and name no operator.",
                f"{log.pipeline_steps:,}件のAI工程はパイプラインが自動実行し、操作者の記録がありません。",
            )
        )
    if log.unrecorded_steps:
        yield Notice(
            Bilingual(
                f"{log.unrecorded_steps:,} AI steps were run outside of the pipeline, and who ran "
                "them is not recorded.",
                f"{log.unrecorded_steps:,}件のAI工程はパイプライン外で実行され、操作者の記録がありません。",
            )
        )


def _asked(declarations: Declarations, source: ReportSource) -> Iterator[Asked]:
    for kind, question in (
        (
            StatementKind.UNION_NOTICE,
            Bilingual("Which notices were given?", "どのような通知を行ったか"),
        ),
        (
            StatementKind.UNION_CONSULTATION,
            Bilingual("Which consultations were held?", "どのような協議を行ったか"),
        ),
    ):
        yield ask(source, kind, question, declarations.of(kind))


def _people(log: _Log) -> Table:
    return Table(
        key="people",
        columns=(
            Column(key="name", title=Bilingual("Name", "氏名"), wide=True),
            Column(key="union", title=Bilingual("Guild", "組合")),
            Column(key="classification", title=Bilingual("Classification", "職種区分")),
            Column(key="roles", title=Bilingual("Roles", "役職")),
            Column(key="versions", title=Bilingual("Backgrounds", "背景数"), align=Align.END),
            Column(key="with_ai", title=Bilingual("with AI", "うちAI使用"), align=Align.END),
            Column(key="operated", title=Bilingual("AI steps run in", "AI操作"), align=Align.END),
            Column(key="credit", title=Bilingual("Credit kept", "クレジット維持")),
        ),
        rows=map(_person, log.covered.values()),
    )


def _person(one: _Covered) -> tuple[Cell, ...]:
    person, entry = one.person, one.entry
    if person is None:
        hidden = Person(id="", name=entry.name, name_ja=entry.name_ja, opt_out=entry.opt_out)
        name, credit = shown(hidden), None
    else:
        name = shown(person)
        credit = _KEPT if is_named(person) else _WITHHELD if person.opt_out else _NOT_KEPT
    roles = tuple(ROLES[role].heading for role in one.roles)
    return (
        name,
        entry.union,
        entry.classification or NOT_RECORDED,
        Lines(roles) if roles else None,
        one.versions,
        one.with_ai,
        one.operated,
        credit,
    )


def _works(log: _Log) -> Table:
    return Table(
        key="works",
        columns=(
            Column(key="sequence", title=Bilingual("Sequence", "シーケンス")),
            Column(key="shot", title=Bilingual("Cut", "カット")),
            Column(key="version", title=Bilingual("Version", "バージョン"), linked=True),
            Column(key="covered", title=Bilingual("Covered people", "対象者"), wide=True),
            Column(key="tool", title=Bilingual("AI system", "AIシステム")),
            Column(key="steps", title=Bilingual("AI steps", "AI工程"), align=Align.END),
            Column(key="operator", title=Bilingual("Operator", "操作者")),
            Column(key="first_at", title=Bilingual("First generated", "生成日時")),
            Column(key="notice", title=Bilingual("Notice before", "事前通知")),
            Column(key="entries", title=Bilingual("Ledger entries", "台帳番号"), align=Align.END),
        ),
        rows=map(_work, log.works),
        empty=Bilingual(
            "No background of covered people was made with AI.",
            "対象者が関わったAI使用背景はありません。",
        ),
    )


_NOTIFIED = Badge(Bilingual("yes", "あり"), Tone.DASHED)


def _work(one: _AiWork) -> tuple[Cell, ...]:
    return (
        one.sequence,
        one.shot,
        Link(one.code, one.url),
        joined(one.covered),
        one.systems,
        one.steps,
        operators_text(one.operators, bare=True),
        one.first_at,
        _NOTIFIED if one.notified else NOT_RECORDED,
        Lines(one.entries),
    )
