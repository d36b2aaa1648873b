"""
What reports say alike: how a document begins, how people, kinds and grades are named in it, and
what to do about what is not recorded.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from haikei import formats
from haikei.credits import (
    BackgroundVersion,
    Grade,
    ImageKind,
    ImageRecord,
    Person,
    Scope,
    SourceType,
    StatementKind,
    naming,
    printed_person,
)
from haikei.formats import format_of
from haikei.reports.document.blocks import Badge, Block, Document, Fact, Lines, Style, Tone
from haikei.reports.report import Report, ReportOptions, ReportSource
from haikei.settings import PersonEntry
from haikei.texts import GRADES, IMAGE_KINDS, NOT_DECLARED_HOW, Bilingual, Text, variant_text

#: In the words of IPTC, shortened.
SOURCES = {
    SourceType.DIGITAL_CREATION: Bilingual("drawn by a human", "人による描画"),
    SourceType.PRINT: Bilingual("scanned from paper", "紙からのスキャン"),
    SourceType.HUMAN_EDITS: Bilingual("edited by a human", "人による加筆・修正"),
    SourceType.ALGORITHMIC: Bilingual(
        "algorithm without training data", "学習データを用いないアルゴリズム"
    ),
    SourceType.NOT_DECLARED: NOT_DECLARED_HOW,
    SourceType.TRAINED: Bilingual("trained model", "学習済みモデル"),
    SourceType.COMPOSITE_TRAINED: Bilingual(
        "augmented by a trained model", "学習済みモデルによる加工"
    ),
}
_LAYOUT = IMAGE_KINDS[ImageKind.LAYOUT]
_TOUCH_UP = Bilingual("Touch-up {number}", "加筆 {number}")
_TOUCH_UP_ONLY = IMAGE_KINDS[ImageKind.TOUCH_UP]
_PAINTED = Bilingual("Background art", "背景")
_AI = Bilingual("AI generation {number}", "AI生成 {number}")
_AI_ONLY = Bilingual("AI generation", "AI生成")
_ALGORITHM = Bilingual("Painting algorithm {number}", "描画アルゴリズム {number}")
_BOOKS = Bilingual("BOOK layers", "BOOK分け")
_ALGORITHM_ONLY = Bilingual("Painting algorithm", "描画アルゴリズム")
_ONLY = {_AI: _AI_ONLY, _ALGORITHM: _ALGORITHM_ONLY, _TOUCH_UP: _TOUCH_UP_ONLY}

#: The pitfalls of measuring, under every report that shows a share of an area.
PITFALLS = Bilingual(
    "How to read measures: area is not effort (one stroke may save a picture); a repaint that "
    "matches the picture below counts zero, a deletion counts as change, a grade of the whole "
    "picture is work but not local; generative fill looks like human work unless it is declared; "
    "lines that are seen again do not say who drew them; hours are reported by people; thresholds "
    "move figures. Never rank artists by them; one image says nothing about an episode.",
    "数値の読み方：面積は労力ではない（一筆が絵を救うこともある）。下の絵と同じ描き直しはゼロ、削除は変化、"
    "全体の色調整は作業だが局所変化ではない。生成塗りつぶしは申告がなければ人の作業に見える。線の再現は誰が"
    "描いたかを示さない。時間は自己申告であり、しきい値で数値は動く。作家の順位づけに使わないこと。一枚の"
    "数値から話数全体は語れない。",
)


def steps(version: BackgroundVersion) -> tuple[Bilingual, ...]:
    """Return what each image of a version is called, in order; several of one kind are numbered."""
    kinds = [_kind(image) for image in version.images]
    named: list[Bilingual] = []
    for place, kind in enumerate(kinds):
        if kind in _ONLY and kinds.count(kind) > 1:
            named.append(kind.filled(number=kinds[: place + 1].count(kind)))
        else:
            named.append(_ONLY.get(kind, kind))
    return tuple(named)


#: What people call the steps of a picture at their desk, whatever makes them.
_BASE = Bilingual("Base paint", "下塗り")
_FINISH = Bilingual("Finish", "仕上げ")


def stage_names(version: BackgroundVersion) -> tuple[Bilingual, ...]:
    """
    Return what an art director calls each image of a version, in order.

    What generators make is base paint, and the last of it is the finish; what a trained model
    made says so.
    """
    names = list(steps(version))
    made = [
        place
        for place, image in enumerate(version.images)
        if image.kind not in {ImageKind.LAYOUT, ImageKind.TOUCH_UP}
        and image.system is not None
        and not _is_layered(image)
    ]
    for count, place in enumerate(made, 1):
        last, several = count == len(made), len(made) > 2
        name = _FINISH if last else _BASE
        if several and not last:
            name = Bilingual(f"{name.en} {count}", f"{name.ja} {count}")
        if version.images[place].source_type.is_ai:
            name = Bilingual(f"{name.en} (AI)", f"{name.ja}（AI）")
        names[place] = name
    return tuple(names)


def _is_layered(image: ImageRecord) -> bool:
    """Tell whether an image is the finish once more, with its BOOKs as layers."""
    return image.kind is ImageKind.GENERATION and format_of(image.path) is formats.PSD


def _kind(image: ImageRecord) -> Bilingual:
    if _is_layered(image):
        return _BOOKS
    if image.kind is ImageKind.LAYOUT:
        return _LAYOUT
    if image.kind is ImageKind.TOUCH_UP:
        return _TOUCH_UP
    if image.system is None:
        return _PAINTED
    return _AI if image.source_type.is_ai else _ALGORITHM


def variant(version: BackgroundVersion) -> Bilingual:
    """Return a version's season and time of day."""
    return variant_text(version.season, version.time)


def share(ppm: int) -> str:
    """Return millionths of an image's area as people read them."""
    percent = ppm / 10_000
    if ppm == 0:
        return "0 %"
    return f"{percent:.2f} %" if percent < 1 else f"{percent:.1f} %"


CONFIRMED = Badge(GRADES[Grade.CONFIRMED], Tone.SOLID)
MEASURED = Badge(GRADES[Grade.MEASURED], Tone.SOLID)
LOGGED = Badge(GRADES[Grade.LOGGED], Tone.OUTLINE)
DECLARED = Badge(GRADES[Grade.DECLARED], Tone.DASHED)
NOT_RECORDED = Badge(Bilingual("not recorded", "記録なし"), Tone.DASHED)
#: The sentence under every report that tells the three apart.
KNOWN_NOTE = Bilingual(
    "Confirmed: the person themself agreed to it. Measured: computed from the files by a named "
    "method. Logged: written by a machine when it "
    "happened. Declared: said by a person, who answers for it. Not recorded: nobody knows from "
    "these records, and nothing is guessed.",
    "本人確認：本人が自分のクレジットとして確認したもの。測定：名前のある方法でファイルから計算したもの。自動記録：その時点で機械が書いたもの。申告：本人が責任を"
    "もって述べたもの。記録なし：この記録からはわからず、推測もしません。",
)
#: What every report for a legal purpose says of itself.
COUNSEL_NOTE = Bilingual(
    "This report collects records. It is no legal advice: counsel decides what follows from them.",
    "本書は記録をまとめたものであり、法的助言ではありません。判断は法律の専門家にご確認ください。",
)
_GRADES = {
    Grade.CONFIRMED: CONFIRMED,
    Grade.MEASURED: MEASURED,
    Grade.LOGGED: LOGGED,
    Grade.DECLARED: DECLARED,
}


def grade(known: Grade) -> Badge:
    """Return the badge of a grade."""
    return _GRADES[known]


def not_recorded(why: Text) -> Lines:
    """Return what stands in place of a fact that nobody recorded, with why."""
    return Lines((NOT_RECORDED, why))


def declare(kind: StatementKind, scope: Scope, *, subject: str = "", of: str = "") -> str:
    """
    Return the command that records a statement about a part of the show, or about a version's
    picture. It is for whoever runs a report, and stands in none.
    """
    command = f"haikei credits declare {kind.value} --project {_quoted(scope.project)}"
    if scope.episode and not of:
        command += f" --episode {_quoted(scope.episode)}"
    if scope.sequence and not of:
        command += f" --sequence {_quoted(scope.sequence)}"
    if scope.shot and not of:
        command += f" --shot {_quoted(scope.shot)}"
    if of:
        command += f" --of {_quoted(of)}"
    if subject:
        command += f" --subject {_quoted(subject)}"
    return f"{command} --by … --text …"


def _quoted(name: str) -> str:
    plain = name.replace("-", "").replace("_", "").isalnum()
    return name if plain else "'" + name.replace("'", "'\\''") + "'"


def compose(
    report: Report,
    source: ReportSource,
    options: ReportOptions,
    *,
    blocks: Iterable[Block],
    subtitle: Text = "",
    facts: tuple[Fact, ...] = (),
    notes: tuple[Text, ...] = (),
    style: Style = Style.REPORT,
    csv: str = "",
    json: Iterable[str] | None = None,
    sign: Callable[[Path], Path] | None = None,
) -> Document:
    """Return the report's document with the head that its source and the settings give it."""
    look = source.settings.reports
    return Document(
        name=report.name,
        title=report.title,
        subtitle=subtitle,
        language=options.language,
        scope=source.scope.name,
        studio=source.settings.studio.name,
        made_at=source.now,
        client=look.client,
        contact=look.contact,
        logo=look.logo,
        font=look.font,
        style=style,
        csv=csv,
        json=json,
        sign=sign,
        facts=facts,
        blocks=blocks,
        notes=notes,
    )


WITHHELD = Bilingual(naming.WITHHELD, naming.WITHHELD_JA)
NOT_NAMED = Bilingual("(not named)", "（記名なし）")
_NOBODY = "person:unnamed"


@lru_cache(maxsize=4096)
def is_named(person: Person) -> bool:
    """Whether a name is printed for this person."""
    unknown = person.opt_out or person.is_asked_for or person.id == _NOBODY
    return bool(printed_person(person).en) and not unknown


@lru_cache(maxsize=4096)
def shown(person: Person) -> Bilingual:
    """
    Return a person's name in both languages.

    Nothing else of a person who wants no name is shown, their id neither: it may be a name.
    """
    if is_named(person) or person.is_asked_for:
        return printed_person(person)
    return WITHHELD if person.opt_out and person.id != _NOBODY else NOT_NAMED


def joined(people: Iterable[Person]) -> Bilingual:
    """Return names in a row, each once."""
    return _joined(tuple(people))


@lru_cache(maxsize=1024)
def _joined(people: tuple[Person, ...]) -> Bilingual:
    names = tuple(dict.fromkeys(map(shown, people)))
    return Bilingual(", ".join(name.en for name in names), "、".join(name.ja for name in names))


class StudioPeople:
    """What the settings say about people, found by their ids, names and logins."""

    def __init__(
        self, entries: Sequence[PersonEntry], readings: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.entries = tuple(entries)
        self._readings = readings
        self._found: dict[str, PersonEntry | None] = {}

    def find(self, person: Person) -> PersonEntry | None:
        """Return what the studio says about a person; None where it says nothing."""
        if person.id not in self._found:
            names = (person.name, person.name_ja)
            meant = (entry for entry in self.entries if entry.means(person.id, names))
            self._found[person.id] = next(meant, None)
        return self._found[person.id]

    def reading(self, person: Person) -> str:
        """Return a name's reading in kana: the studio's own, else the tracker's; else nothing."""
        entry = self.find(person)
        own = entry.reading if entry is not None else ""
        return own or self._readings.get(person.id, "")
