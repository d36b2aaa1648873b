"""The sheet of one image: everything that is known of how a Version came to be, and how well."""

from collections.abc import Iterator

from haikei.credits import (
    BackgroundVersion,
    Contribution,
    ImageKind,
    ImageRecord,
    Person,
    credit_line,
    facets,
)
from haikei.errors import CreditError, ReportError
from haikei.reports.document.blocks import (
    Align,
    Badge,
    Block,
    Cell,
    Column,
    Document,
    Fact,
    Facts,
    Heading,
    Item,
    Lines,
    Link,
    Notice,
    Paragraph,
    Picture,
    Strip,
    Table,
    Tone,
)
from haikei.reports.document.phrases import (
    KNOWN_NOTE,
    PITFALLS,
    SOURCES,
    compose,
    grade,
    shown,
    steps,
    variant,
)
from haikei.reports.facts.file_facts import file_blocks, measure_blocks
from haikei.reports.facts.system_facts import facts_of, request_facts, system_name
from haikei.reports.facts.version_lineage import layout_origin, systems, touch_up_origin
from haikei.reports.kinds.breakdown import makers
from haikei.reports.report import Format, ReportOptions, ReportSource
from haikei.texts import FACETS, REVIEW_STATES, ROLES, Bilingual, Text

_LINEAGE = Bilingual("Lineage", "制作の流れ")
_FACETS = Bilingual("Who did what, and how it is known", "誰が何をしたか、その根拠")
_SYSTEMS = Bilingual("Tools", "ツール")
_HASHES = Bilingual("Images and records", "画像と記録")
_NOBODY = Bilingual("nothing recorded", "記録なし")
_COLUMNS = (
    Column(key="facet", title=Bilingual("Facet", "側面")),
    Column(key="role", title=Bilingual("Role", "役職")),
    Column(key="who", title=Bilingual("Who", "担当")),
    Column(key="step", title=Bilingual("In", "工程")),
    Column(key="grade", title=Bilingual("Known", "根拠の種別")),
    Column(key="evidence", title=Bilingual("Evidence", "根拠"), wide=True),
    Column(key="at", title=Bilingual("When", "日時")),
    Column(key="ledger", title=Bilingual("Ledger", "台帳")),
)
_IMAGES = (
    Column(key="step", title=Bilingual("Image", "画像")),
    Column(key="source_type", title=Bilingual("Made by", "生成元")),
    Column(
        key="hashes",
        title=Bilingual("SHA-256 of file, of pixels", "SHA-256（ファイル、画素）"),
        wide=True,
    ),
    Column(key="path", title=Bilingual("Path", "パス"), wide=True),
    Column(key="at", title=Bilingual("When", "日時")),
    Column(key="ledger", title=Bilingual("Ledger", "台帳"), align=Align.END),
)


class ImageSheet:
    """One Version's whole record on a sheet."""

    name = "image-sheet"
    title = Bilingual("Image sheet", "画像記録票")
    purpose = "One Version: lineage pictures, who did what, measures, tools, hashes and marks."
    formats = (Format.HTML, Format.PDF, Format.JSON, Format.TXT, Format.CSV)

    def document(self, source: ReportSource, options: ReportOptions) -> Document:
        """
        Return the sheet of the Version that `options.code` names, else of the scope's only one.

        Unnamed work does not stop it: an audit must see what is missing.

        Raises:
            ReportError: there is no such version, or the scope has several.
        """
        version = _version(source, options)
        state = REVIEW_STATES[version.state]
        seen = variant(version)
        facts = (
            Fact("version", Bilingual("Version", "バージョン"), Link(version.code, version.url)),
            Fact(
                "cut",
                Bilingual("Cut", "カット"),
                " / ".join(filter(None, (version.project, version.part, version.shot))),
            ),
            Fact("variant", Bilingual("Season and time", "季節・時間"), seen),
            Fact("state", Bilingual("Review", "確認状況"), Badge(state)),
            Fact("made_at", Bilingual("Made", "制作日時"), version.created_at),
            Fact(
                "ledger",
                Bilingual("Ledger entries", "台帳番号"),
                ", ".join(map(str, version.ledger)),
            ),
        )
        return compose(
            self,
            source,
            options,
            subtitle=Bilingual(f"{version.code} · {seen.en}", f"{version.code} ・ {seen.ja}"),
            facts=facts,
            blocks=_blocks(version, source),
            notes=(PITFALLS, KNOWN_NOTE),
            csv="contributions",
        )


def _version(source: ReportSource, options: ReportOptions) -> BackgroundVersion:
    from haikei.credits import records

    if options.code:
        project = source.scope.project
        found = records.named(source.connection, options.code, project=project)
        if found is None:
            raise ReportError(
                f"No version {options.code!r} is recorded in {source.scope.project}.",
                advice="Give the code of a Version as the tracker shows it: --of CODE.",
            )
        return found
    some = records.backgrounds(source.connection, source.scope)
    first, second = next(some, None), next(some, None)
    if first is None or second is not None:
        few = "several versions are" if second else "no version is"
        raise ReportError(
            f"An image sheet is about one version, and {few} recorded there.",
            advice="Name one: --of CODE.",
        )
    return first


def _blocks(version: BackgroundVersion, source: ReportSource) -> Iterator[Block]:
    yield from _credits(version)
    yield Heading(_LINEAGE)
    yield Strip(pictures=tuple(_picture(image, name, source) for image, name in _named(version)))
    yield Heading(_FACETS)
    yield Table(key="contributions", columns=_COLUMNS, rows=_contributions(version, source))
    yield from measure_blocks(version, source)
    yield Heading(_SYSTEMS)
    yield from _tools(version, source)
    yield Heading(_HASHES)
    yield Table(key="images", columns=_IMAGES, rows=_images(version))
    yield from file_blocks(version.final, source)


def _credits(version: BackgroundVersion) -> Iterator[Block]:
    try:
        line = credit_line(version.images)
    except CreditError as error:
        yield Notice(str(error), Tone.ALERT)
    else:
        yield Notice(Bilingual(line.en, line.ja))


def _named(version: BackgroundVersion) -> Iterator[tuple[ImageRecord, Bilingual]]:
    return zip(version.images, steps(version), strict=True)


def _picture(image: ImageRecord, name: Text, source: ReportSource) -> Picture:
    return Picture(
        source=source.find_file(image.path),
        expected=image.path,
        caption=name,
        lines=makers(image),
    )


def _contributions(version: BackgroundVersion, source: ReportSource) -> Iterator[tuple[Cell, ...]]:
    from haikei.credits import records

    named = dict(zip((image.key for image in version.images), steps(version), strict=True))
    seals = dict(zip((image.key for image in version.images), version.ledger, strict=True))
    for summary in facets(version):
        state = summary.text
        side = Lines((FACETS[summary.facet], Bilingual(f"→ {state.en}", f"→ {state.ja}")))
        if not summary.parts:
            yield side, "", _NOBODY, "", None, "", None, None
        for number, part in enumerate(summary.parts):
            image, one = part.image, part.contribution
            entries = records.seals(source.connection, seals[image.key])
            entry = entries[image.contributions.index(one)]
            yield (side if number == 0 else "", *_contribution(one, named[image.key], entry))


def _contribution(one: Contribution, step: Bilingual, entry: int) -> tuple[Cell, ...]:
    who = shown(one.actor) if isinstance(one.actor, Person) else system_name(one.actor)
    evidence = one.evidence
    details: list[Item] = [evidence.source]
    if evidence.note:
        details.append(evidence.note)
    if evidence.minutes is not None:
        minutes = evidence.minutes
        details.append(Bilingual(f"{minutes} minutes, self-reported", f"{minutes}分（自己申告）"))
    if evidence.sha256:
        details.append(f"sha256 {evidence.sha256}")
    if evidence.change is not None or evidence.recall is not None:
        details.append(Link(Bilingual("see the measures", "測定値を参照"), "#measures"))
    return (
        ROLES[one.role].heading,
        who,
        step,
        grade(one.grade),
        Lines(tuple(details)),
        one.at,
        entry,
    )


def _tools(version: BackgroundVersion, source: ReportSource) -> Iterator[Block]:
    found = systems(version)
    if not found:
        yield Paragraph(
            Bilingual(
                "No program or model made any pixels of it, as far as is recorded.",
                "記録上、画素を生成したプログラムやモデルはありません。",
            )
        )
    for system in found:
        yield Heading(system_name(system), level=3)
        yield Facts(facts_of(system, source), key="system")
    for image, name in _named(version):
        facts = request_facts(image)
        if facts:
            yield Heading(Bilingual(f"What was asked: {name.en}", f"生成条件：{name.ja}"), level=3)
            yield Facts(facts, key="request")


def _images(version: BackgroundVersion) -> Iterator[tuple[Cell, ...]]:
    for (image, name), entry in zip(_named(version), version.ledger, strict=True):
        hashes: tuple[Item, ...] = (image.sha256, image.pixels_sha256)
        drawn = image.kind is ImageKind.LAYOUT
        origin = layout_origin(version) if drawn else SOURCES[image.source_type]
        if image.kind is ImageKind.TOUCH_UP:
            origin = touch_up_origin(version, image)
        source = Lines((origin, image.source_type.value))
        yield name, source, Lines(hashes), image.path, image.created_at, entry
