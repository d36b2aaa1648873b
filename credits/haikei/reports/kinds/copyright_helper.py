"""The copyright helper: for each work what people made, what to exclude, and the evidence."""

from collections.abc import Iterator
from functools import lru_cache, partial

from haikei.credits import Person, operators_text, records
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
    DECLARED,
    KNOWN_NOTE,
    LOGGED,
    MEASURED,
    NOT_RECORDED,
    PITFALLS,
    StudioPeople,
    compose,
    grade,
    joined,
    share,
    shown,
    variant,
)
from haikei.reports.facts.ai_scan import read, version_named
from haikei.reports.facts.form_questions import JAPAN_COPYRIGHT_SOURCE, US_COPYRIGHT_SOURCE
from haikei.reports.facts.system_facts import system_name
from haikei.reports.facts.works import (
    Drawing,
    Instruction,
    PaintOver,
    Work,
    WorkSelection,
    author_created,
    material_excluded,
    not_claimed,
    work_of,
)
from haikei.reports.report import Format, ReportOptions, ReportSource
from haikei.texts import REVIEW_STATES, Bilingual

#: Works that get a sheet each, besides their rows in the list.
_SHEETS = 12
_LONGEST_PROMPT = 400
_NOT_CLAIMED = Bilingual("Not claimed, and why", "主張しない部分")
_NOTHING = Badge(
    Bilingual("nothing can be claimed from the records", "記録からは主張不可"), Tone.ALERT
)
_NONE = Bilingual("none: no machine made pixels, as logged", "なし（機械による画素なし）")
_PAYS = {
    "employee": Bilingual("employee: work made for hire", "従業員（職務著作）"),
    "work_for_hire": Bilingual("work made for hire under contract", "契約による職務著作"),
    "freelance": Bilingual("freelance: see the assignment", "フリーランス（譲渡契約を参照）"),
}


class CopyrightReport:
    """What a registration needs, per work; it claims nothing that the records do not show."""

    name = "copyright"
    title = Bilingual("Copyright: human and machine parts", "著作権：人の部分と機械の部分")
    purpose = "Per work the human part, the AI part to exclude, and the evidence, for registration."
    formats = (Format.HTML, Format.PDF, Format.CSV, Format.JSON)

    def document(self, source: ReportSource, options: ReportOptions) -> Document:
        """
        Return the report; works are read while it is written.

        Raises:
            ReportError: one version is asked for that is not recorded.
        """
        number = 1 if options.code else records.count(source.connection, source.scope)
        return compose(
            self,
            source,
            options,
            facts=(
                Fact(
                    "works",
                    Bilingual("Works", "作品数"),
                    Lines((Figure(number, f"{number:,}", "#works"), LOGGED)),
                ),
                Fact("us", Bilingual("United States", "米国"), US_COPYRIGHT_SOURCE),
                Fact("japan", Bilingual("Japan", "日本"), JAPAN_COPYRIGHT_SOURCE),
            ),
            blocks=_blocks(_Works(source, options.code), number),
            notes=(PITFALLS, KNOWN_NOTE, COUNSEL_NOTE),
            csv="works",
        )


class _Works:
    """The works that are reported on; each look reads them anew."""

    def __init__(self, source: ReportSource, code: str) -> None:
        self._source = source
        self._one = (version_named(source, code),) if code else None
        #: What the settings say of how the studio has the rights to what people made.
        self.rights = lru_cache(maxsize=1024)(
            partial(_rights, StudioPeople(source.settings.people))
        )

    def __iter__(self) -> Iterator[Work]:
        before: Work | None = None
        for version in self._one or read(self._source):
            before = work_of(version, before)
            yield before


def _blocks(works: _Works, number: int) -> Iterator[Block]:
    yield Notice(
        Bilingual(
            "What a machine generated is excluded where it is more than de minimis; prompts alone "
            "give no authorship. Only what a person made and what is seen in the picture is "
            "claimed here.",
            "機械生成部分は（ごくわずかな場合を除き）除外します。プロンプトのみでは著作者性は認められません。"
            "人が作り、画面に現れている部分のみを記載します。",
        )
    )
    if number <= _SHEETS:
        for work in works:
            yield Heading(work.version.code)
            yield Paragraph(_place(work), small=True)
            yield Facts(_sheet(work, works), key=work.version.code)
    yield Heading(Bilingual("Works", "作品一覧"), anchor="works")
    yield _table(works)


def _place(work: Work) -> Bilingual:
    version = work.version
    kind, state = variant(version), REVIEW_STATES[version.state]
    place = " / ".join(filter(None, (version.part, version.shot)))
    return Bilingual(f"{place} · {kind.en} · {state.en}", f"{place}・{kind.ja}・{state.ja}")


def _sheet(work: Work, works: _Works) -> tuple[Fact, ...]:
    return (
        Fact("author_created", "Author Created", _created(work)),
        Fact("material_excluded", "Material Excluded", material_excluded(work) or _NONE),
        Fact(
            "not_claimed",
            _NOT_CLAIMED,
            _lines(not_claimed(work)),
        ),
        Fact("layout", Bilingual("Layout", "原図"), _drawings(work.drawings, work.layout_origin)),
        Fact(
            "recall",
            Bilingual("Lines seen in the picture", "画面に現れた線"),
            _lines(_recall(work)),
        ),
        Fact("touch_up", Bilingual("Touch-ups", "加筆・修正"), _lines(_paintings(work))),
        Fact("selection", Bilingual("Selection", "選択"), _lines(_chosen(work))),
        Fact("instructions", Bilingual("Instructions", "指示"), _lines(_told(work))),
        Fact("tries", Bilingual("Tries", "試行回数"), _tries(work.passes, work.version.version)),
        Fact(
            "rights",
            Bilingual("How the studio has the rights", "権利の帰属"),
            works.rights(work.people),
        ),
        Fact("entries", Bilingual("Ledger entries", "台帳番号"), Lines(work.version.ledger)),
    )


def _table(works: _Works) -> Table:
    return Table(
        key="works",
        columns=(
            Column(key="version", title=Bilingual("Work", "作品"), linked=True),
            Column(key="state", title=Bilingual("State", "状態")),
            Column(key="author_created", title="Author Created"),
            Column(key="material_excluded", title="Material Excluded"),
            Column(key="not_claimed", title=_NOT_CLAIMED),
            Column(key="layout", title=Bilingual("Layout", "原図")),
            Column(key="recall", title=Bilingual("Lines seen", "線の再現")),
            Column(key="touch_up", title=Bilingual("Touch-ups", "加筆・修正")),
            Column(key="selection", title=Bilingual("Selection", "選択")),
            Column(key="tries", title=Bilingual("Instructions, tries", "指示・試行回数")),
            Column(key="rights", title=Bilingual("Rights", "権利")),
            Column(key="entries", title=Bilingual("Ledger entries", "台帳番号"), align=Align.END),
        ),
        rows=_rows(works),
    )


def _rows(works: _Works) -> Iterator[tuple[Cell, ...]]:
    # Equal cells are one object from one row to the next: it is set only once.
    before: Work | None = None
    drawn: Cell = None
    for work in works:
        version = work.version
        if (
            before is None
            or work.drawings is not before.drawings
            or work.layout_origin is not before.layout_origin
        ):
            drawn = _drawings(work.drawings, work.layout_origin, short=True)
        before = work
        yield (
            Link(version.code, version.url),
            REVIEW_STATES[version.state],
            _created(work),
            material_excluded(work) or _NONE,
            _left_out(not_claimed(work)),
            drawn,
            _lines(_recall(work, short=True)),
            _lines(_paintings(work, short=True)),
            _lines(_chosen(work)),
            _tries(work.passes, version.version),
            works.rights(work.people),
            Lines(version.ledger),
        )


def _created(work: Work) -> Cell:
    return author_created(work) or _NOTHING


def _lines(items: tuple[Item, ...]) -> Cell:
    return Lines(items) if items else None


@lru_cache(maxsize=1024)
def _left_out(items: tuple[Bilingual, ...]) -> Cell:
    return _lines(items)


def _entry(number: int) -> Bilingual:
    return Bilingual(f"entry {number}", f"台帳番号 {number}")


def _drawings(drawings: tuple[Drawing, ...], origin: Bilingual, *, short: bool = False) -> Cell:
    found = (_drawing(one, short=short) for one in drawings)
    return Lines((*(item for items in found for item in items), origin))


def _drawing(one: Drawing, *, short: bool) -> tuple[Item, ...]:
    how = (
        Bilingual("drawn on paper, scanned", "紙に描きスキャン")
        if one.on_paper
        else Bilingual("drawn digitally", "デジタル作画")
    )
    return (
        joined(one.artists) if one.artists else NOT_RECORDED,
        *(() if short else (how, one.path, f"SHA-256 {one.sha256}")),
        one.at,
        _entry(one.entry),
        LOGGED,
    )


def _recall(work: Work, *, short: bool = False) -> tuple[Item, ...]:
    recall = work.recall
    if recall is None or work.recall_entry is None:
        return (NOT_RECORDED,) if work.drawings else ()
    return (
        Figure(
            recall.observed_ppm,
            Bilingual(
                f"{share(recall.observed_ppm)} of the lines", f"線の{share(recall.observed_ppm)}"
            ),
        ),
        Bilingual(
            f"chance {share(recall.chance_ppm)} ± {share(recall.chance_sd_ppm)}",
            f"偶然 {share(recall.chance_ppm)} ± {share(recall.chance_sd_ppm)}",
        ),
        *(() if short else (recall.method,)),
        _entry(work.recall_entry),
        MEASURED,
    )


def _paintings(work: Work, *, short: bool = False) -> tuple[Item, ...]:
    found = (_painting(one, short=short) for one in work.paint_overs)
    return tuple(item for items in found for item in items)


def _painting(one: PaintOver, *, short: bool) -> tuple[Item, ...]:
    who = joined(one.artists) if one.artists else NOT_RECORDED
    file = () if short else (one.path, f"SHA-256 {one.sha256}")
    head: tuple[Item, ...] = (who, one.origin, *file, one.at, _entry(one.entry))
    if one.change is None:
        return (*head, DECLARED if one.whole else NOT_RECORDED)
    regions = len(one.change.regions)
    return (
        *head,
        Figure(
            one.change.area_ppm,
            Bilingual(
                f"{share(one.change.area_ppm)} of the area, regions: {regions}",
                f"面積の{share(one.change.area_ppm)}、{regions}箇所",
            ),
        ),
        *(() if short else (one.change.method,)),
        MEASURED,
    )


def _chosen(work: Work) -> tuple[Item, ...]:
    return tuple(item for one in work.selections for item in _choice(one))


def _choice(one: WorkSelection) -> tuple[Item, ...]:
    made = one.contribution
    who = shown(made.actor) if isinstance(made.actor, Person) else system_name(made.actor)
    why = made.evidence.note or made.evidence.source
    return (who, why, made.at, _entry(one.entry), grade(made.grade))


def _told(work: Work) -> tuple[Item, ...]:
    instructions = work.instructions
    if not instructions:
        return (NOT_RECORDED,) if work.trained else ()
    return tuple(item for one in instructions for item in _instruction(one))


def _instruction(one: Instruction) -> tuple[Item, ...]:
    ran = operators_text(one.operators)
    prompt = one.prompt[:_LONGEST_PROMPT] + ("…" if len(one.prompt) > _LONGEST_PROMPT else "")
    negative = one.negative_prompt[:_LONGEST_PROMPT]
    return (
        system_name(one.system) if one.system else NOT_RECORDED,
        Bilingual(f"prompt: {prompt or 'none'}", f"プロンプト：{prompt or 'なし'}"),
        *((Bilingual(f"without: {negative}", f"除外：{negative}"),) if negative else ()),
        Bilingual(f"{ran.en}; who wrote it is not recorded", f"{ran.ja}（執筆者の記録なし）"),
        _entry(one.entry),
        LOGGED,
    )


@lru_cache(maxsize=1024)
def _tries(passes: int, version: int) -> Cell:
    return Lines(
        (
            Bilingual(f"{passes} pass{'es' * (passes != 1)}", f"生成{passes}回"),
            Bilingual(f"version {version}", f"第{version}版"),
            LOGGED,
        )
    )


def _rights(people: StudioPeople, whose: tuple[Person, ...]) -> Cell:
    items: list[Item] = []
    declared = False
    for person in whose:
        entry = people.find(person)
        who = shown(person)
        declared = declared or bool(entry and entry.pays)
        if entry is None or not entry.pays:
            items.append(Bilingual(f"{who.en}: not recorded", f"{who.ja}：記録なし"))
        else:
            pays = _PAYS[entry.pays]
            items.append(Bilingual(f"{who.en}: {pays.en}", f"{who.ja}：{pays.ja}"))
    return Lines((*items, DECLARED if declared else NOT_RECORDED)) if items else None
