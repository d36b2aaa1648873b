"""The end roll: everyone who had a part in the show's backgrounds, as a film names them."""

from collections.abc import Iterator
from dataclasses import replace

from haikei.credits import (
    BackgroundVersion,
    CreditsRoll,
    Person,
    RollEntry,
    RollSection,
    operators_text,
)
from haikei.names import plain_name
from haikei.reports.document.blocks import (
    Align,
    Block,
    Cell,
    Column,
    Document,
    Paragraph,
    RollPart,
    Style,
    Table,
)
from haikei.reports.document.phrases import StudioPeople, compose
from haikei.reports.report import Format, ReportOptions, ReportSource
from haikei.settings import PersonEntry
from haikei.texts import Bilingual

_EMPTY = Bilingual("No background is recorded here yet.", "背景の記録はまだありません。")
_COLUMNS = (
    Column(key="role", title=Bilingual("Role", "役職")),
    Column(key="role_en", title=Bilingual("Role in English", "役職（英語）")),
    Column(key="role_ja", title=Bilingual("Role in Japanese", "役職（日本語）")),
    Column(key="name_en", title=Bilingual("Name in English", "氏名（英語）")),
    Column(key="name_ja", title=Bilingual("Name in Japanese", "氏名（日本語）")),
    Column(key="reading", title=Bilingual("Reading", "読み")),
    Column(key="employer", title=Bilingual("Employer", "所属")),
    Column(key="operated_by", title=Bilingual("Operated by", "操作")),
    Column(key="images", title=Bilingual("Images", "画像数"), align=Align.END),
)
#: ァ to ヶ, and the hiragana of each.
_HIRAGANA = {sign: sign - 0x60 for sign in range(0x30A1, 0x30F7)}
#: More operators than this stand in their own section only.
_BESIDE_A_TOOL = 3


class CreditsRollReport:
    """Names by role, in the order of an end roll."""

    name = "credits-roll"
    title = Bilingual("Background Art", "背景美術")
    purpose = "The end roll of a show's backgrounds; refused while human work is unnamed."
    formats = (Format.HTML, Format.PDF, Format.TXT, Format.CSV, Format.JSON)

    def document(self, source: ReportSource, options: ReportOptions) -> Document:
        """
        Return the roll of a show, a sequence or a cut.

        Raises:
            CreditError: human work has no name and no opt-out; the message lists it.
        """
        from haikei.credits import records, roll

        versions = _counted(source, records.backgrounds(source.connection, source.scope))
        made = roll(versions, staff=source.settings.credits.staff)
        people = StudioPeople(source.settings.people, source.readings())
        if options.by_reading:
            made = _by_reading(made, people)
        return compose(
            self,
            source,
            options,
            style=Style.ROLL,
            blocks=_blocks(made, people),
            notes=(_counts(made),) if made.sections else (),
        )


def _counted(
    source: ReportSource, versions: Iterator[BackgroundVersion]
) -> Iterator[BackgroundVersion]:
    for number, version in enumerate(versions, 1):
        yield version
        if number % 1000 == 0:
            source.progress(number)


def _counts(made: CreditsRoll) -> Bilingual:
    return Bilingual(
        f"Collected from the records of {made.images:,} images in {made.versions:,} versions.",
        f"{made.versions:,}バージョン、{made.images:,}枚の画像の記録から作成。",
    )


def _blocks(made: CreditsRoll, people: StudioPeople) -> Iterator[Block]:
    if not made.sections:
        yield Paragraph(_EMPTY)
    for section in made.sections:
        yield from _parts(section, people)
    yield Table(key="names", columns=_COLUMNS, rows=_rows(made, people), printed=False)


def _parts(section: RollSection, people: StudioPeople) -> Iterator[RollPart]:
    """Yield a section: the studio's own people, then those of each other employer."""
    employers: dict[str, list[RollEntry]] = {"": []}
    for entry in section.entries:
        employers.setdefault(_employer(entry, people), []).append(entry)
    for employer, entries in employers.items():
        if not entries:
            continue
        title = section.title
        if employer:
            title = Bilingual(f"{title.en} · {employer}", f"{title.ja}・{employer}")
        yield RollPart(key=section.role.value, role=title, names=tuple(map(_printed, entries)))


def _listed(entry: RollEntry, people: StudioPeople) -> PersonEntry | None:
    one = _one(entry)
    return None if one is None else people.find(one)


def _one(entry: RollEntry) -> Person | None:
    if entry.withheld or len(entry.ids) != 1:
        return None
    return Person(id=entry.ids[0], name=entry.name.en, name_ja=entry.name.ja)


def _employer(entry: RollEntry, people: StudioPeople) -> str:
    found = _listed(entry, people)
    return found.employer if found else ""


def _reading(entry: RollEntry, people: StudioPeople) -> str:
    one = _one(entry)
    return "" if one is None else people.reading(one)


def _by_reading(made: CreditsRoll, people: StudioPeople) -> CreditsRoll:
    """Return the roll with each section in the order of 五十音; who has no reading comes after."""

    def place(entry: RollEntry) -> tuple[bool, bool, str]:
        kana = plain_name(_reading(entry, people)).translate(_HIRAGANA)
        return entry.withheld, not kana, kana

    sections = (
        replace(section, entries=tuple(sorted(section.entries, key=place)))
        for section in made.sections
    )
    return replace(made, sections=tuple(sections))


def _printed(entry: RollEntry) -> Bilingual:
    ran = entry.operators
    # Beside a tool that nobody but the pipeline ran, a film prints nothing.
    if len(ran.people) > _BESIDE_A_TOOL or not (ran.people or ran.unrecorded):
        return entry.name
    words = operators_text(ran)
    return Bilingual(f"{entry.name.en} ({words.en})", f"{entry.name.ja}（{words.ja}）")


def _rows(made: CreditsRoll, people: StudioPeople) -> Iterator[tuple[Cell, ...]]:
    for section in made.sections:
        for entry in section.entries:
            yield (
                section.role.value,
                section.title.en,
                section.title.ja,
                entry.name.en,
                entry.name.ja,
                _reading(entry, people),
                _employer(entry, people),
                operators_text(entry.operators, bare=True),
                entry.images,
            )
