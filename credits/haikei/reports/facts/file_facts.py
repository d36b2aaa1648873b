"""What the files of images tell by themselves, and what was measured of their pictures."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from haikei.credits import BackgroundVersion, ImageRecord, printed_person
from haikei.errors import HaikeiError
from haikei.files import sha256_of
from haikei.measurements import Change, LineRecall
from haikei.provenance import FileMarks, MarksState, names_ai, read_marks, trusted_roots
from haikei.reports.document.blocks import (
    Align,
    Badge,
    Block,
    Cell,
    Column,
    Fact,
    Facts,
    Figure,
    Heading,
    Item,
    Lines,
    Notice,
    Paragraph,
    Picture,
    Table,
    Tone,
)
from haikei.reports.document.phrases import share, steps
from haikei.reports.report import ReportSource
from haikei.texts import Bilingual

if TYPE_CHECKING:
    from haikei.provenance.filemarks import MarkedStep, NamedPerson, XmpMarks

_TITLE = Bilingual("What the file says about itself", "ファイル自身の記載")
_NAMED_TODAY = Bilingual(
    "The file names people as they were called when it was made. They stand here as credits name "
    "them today.",
    "ファイルには制作時の氏名が記載されています。ここでは現在のクレジット表記で示します。",
)
_STATES = {
    "none": Badge(Bilingual("no marks", "来歴情報なし"), Tone.DASHED),
    "trusted": Badge(Bilingual("trusted", "信頼済み"), Tone.SOLID),
    "untrusted": Badge(Bilingual("intact, signer unknown", "改変なし・署名者不明"), Tone.OUTLINE),
    "broken": Badge(Bilingual("broken", "破損・改変あり"), Tone.ALERT),
}
_STEPS = (
    Column(key="title", title=Bilingual("Step", "工程"), wide=True),
    Column(key="actions", title=Bilingual("Actions", "操作")),
    Column(key="people", title=Bilingual("People", "担当")),
    Column(key="signer", title=Bilingual("Signed by", "署名者")),
    Column(key="at", title=Bilingual("Time stamp", "タイムスタンプ")),
)


def file_blocks(image: ImageRecord, source: ReportSource) -> Iterator[Block]:
    """Yield whether the file is the recorded one, its marks by each engine, and its XMP."""
    yield Heading(_TITLE)
    path = source.find_file(image.path)
    if path is None:
        yield Notice(
            Bilingual(
                f"The file is not there: {image.path}", f"ファイルがありません：{image.path}"
            ),
            Tone.ALERT,
        )
        return
    try:
        same = sha256_of(path) == image.sha256
        marks = _marks(path, source)
    except HaikeiError as error:
        # What to do about it is for the studio alone.
        yield Notice(error.message, Tone.ALERT)
        source.advise(Bilingual(str(error), str(error)))
        return
    except OSError as error:
        yield Notice(str(error), Tone.ALERT)
        return
    if not same:
        yield Notice(
            Bilingual(
                "The file is not the one that was recorded: its hash differs.",
                "記録されたファイルと異なります（ハッシュ不一致）。",
            ),
            Tone.ALERT,
        )
    shown = _as_printed(marks, source)
    if shown != marks:
        yield Notice(_NAMED_TODAY, Tone.DASHED)
        marks = shown
    yield Facts(_facts(marks), key="marks")
    if marks.steps:
        yield Table(key="steps", columns=_STEPS, rows=map(_step, marks.steps))
    if marks.xmp is not None:
        yield Facts(_xmp(marks.xmp), key="xmp")


def _marks(path: Path, source: ReportSource) -> "FileMarks":
    from haikei.provenance import MarkSigner, read_marks

    sidecar = path.with_name(f"{path.name}.c2pa")
    return read_marks(
        path,
        trust_pem=MarkSigner.from_settings(source.settings).trust_pem,
        manifest=sidecar if sidecar.is_file() else None,
    )


def _as_printed(marks: "FileMarks", source: ReportSource) -> "FileMarks":
    """Return a file's marks with people as credits name them today, who may be withheld."""
    from haikei.credits import people

    xmp = marks.xmp
    named = [one for step in marks.steps for one in step.people]
    named += xmp.contributors if xmp is not None else ()
    today = people.look_up(source.connection, {one.id for one in named if one.id})
    other: dict[str, str] = {}

    def shown(one: "NamedPerson") -> "NamedPerson":
        if one.id not in today:
            return one
        name = printed_person(today[one.id])
        other.update({one.name: name.en, one.name_ja: name.ja})
        return replace(one, name=name.en, name_ja=name.ja if one.name_ja else "")

    steps = tuple(replace(one, people=tuple(map(shown, one.people))) for one in marks.steps)
    if xmp is not None:
        xmp = replace(xmp, contributors=tuple(map(shown, xmp.contributors)))
        credit = xmp.credit
        for before in sorted(filter(None, other), key=len, reverse=True):
            credit = other[before].join(people.occurrences(before).split(credit))
        xmp = replace(xmp, credit=credit)
    return replace(marks, steps=steps, xmp=xmp)


def _facts(marks: "FileMarks") -> tuple[Fact, ...]:
    verdicts: list[Item] = []
    for one in marks.engines:
        failures = (*one.failures, *one.ingredient_failures)
        verdict = one.state or one.note or "–"
        verdicts.append(
            f"{one.engine}: {verdict}" + (f" ({', '.join(failures)})" if failures else "")
        )
    signs: list[Item] = [f"{sign.where}: {sign.what}" for sign in marks.ai_signs]
    return (
        Fact("c2pa", Bilingual("C2PA", "C2PA"), _STATES[marks.state.value]),
        Fact("engines", Bilingual("By each validator", "検証ツール別"), Lines(tuple(verdicts))),
        Fact(
            "ai_signs",
            Bilingual("Signs of AI", "AI使用の記載"),
            Lines(tuple(signs)) if signs else Bilingual("none", "なし"),
        ),
    )


def _step(step: "MarkedStep") -> tuple[Cell, ...]:
    actions: list[Item] = [
        " · ".join(filter(None, (one.action, one.source_type.rpartition("/")[2], one.system)))
        for one in step.actions
    ]
    people: list[Item] = [Bilingual(one.name, one.name_ja or one.name) for one in step.people]
    return (
        step.title or step.label,
        Lines(tuple(actions)),
        Lines(tuple(people)),
        step.signer,
        step.signed_at,
    )


def _xmp(xmp: "XmpMarks") -> tuple[Fact, ...]:
    people: list[Item] = [
        Bilingual(
            f"{one.name} ({', '.join(one.roles)})",
            f"{one.name_ja or one.name}（{'、'.join(one.roles)}）",
        )
        for one in xmp.contributors
    ]
    facts = (
        Fact(
            "xmp_source_type",
            Bilingual("XMP: source type", "XMP：ソース種別"),
            xmp.digital_source_type,
        ),
        Fact(
            "xmp_ai_system",
            Bilingual("XMP: AI system", "XMP：AIシステム"),
            f"{xmp.ai_system} {xmp.ai_system_version}".strip(),
        ),
        Fact("xmp_credit", Bilingual("XMP: credit", "XMP：クレジット"), xmp.credit),
    )
    named = (
        (Fact("xmp_people", Bilingual("XMP: people", "XMP：担当者"), Lines(tuple(people))),)
        if people
        else ()
    )
    return (*(fact for fact in facts if fact.value), *named)


_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Sought:
    """One mark that is looked for in a file."""

    key: str
    label: Bilingual
    holds: Callable[[FileMarks], bool]


@dataclass(frozen=True, slots=True)
class NotSought:
    """Something that nobody looked for, and why."""

    key: str
    label: Bilingual
    why: Bilingual


def _names_ai(marks: FileMarks) -> bool:
    return any(names_ai(one.source_type) for step in marks.steps for one in step.actions)


def _keeps_inputs(marks: FileMarks) -> bool:
    return len(marks.steps) > 1 or bool(marks.steps and marks.steps[-1].plain_ingredients)


#: What is looked for in a published file, whoever asks.
SOUGHT = (
    Sought(
        "c2pa",
        Bilingual("C2PA manifest, signer trusted", "C2PA（署名者信頼済み）"),
        lambda marks: marks.state is MarksState.TRUSTED,
    ),
    Sought("c2pa_ai", Bilingual("C2PA names AI", "C2PAのAI記載"), _names_ai),
    Sought(
        "xmp",
        Bilingual("XMP source type names AI", "XMPソース種別のAI記載"),
        lambda marks: marks.xmp is not None and names_ai(marks.xmp.digital_source_type),
    ),
    Sought(
        "xmp_system",
        Bilingual("XMP names the system", "XMPのシステム名"),
        lambda marks: marks.xmp is not None and bool(marks.xmp.ai_system),
    ),
    Sought(
        "time_stamp",
        Bilingual("RFC 3161 time stamp", "RFC 3161 タイムスタンプ"),
        lambda marks: bool(marks.steps) and marks.steps[-1].signed_at is not None,
    ),
    Sought("input_marks", Bilingual("Inputs kept in it", "入力素材の保持"), _keeps_inputs),
)
NOT_SOUGHT = (
    NotSought(
        "watermark",
        Bilingual("Imperceptible watermark", "不可視の電子透かし"),
        Bilingual(
            "Haikei embeds none and has no detector of others'.",
            "Haikeiは透かしを埋め込まず、他社の透かしの検出手段も持ちません。",
        ),
    ),
    NotSought(
        "icon",
        Bilingual("Common icon", "共通アイコン"),
        Bilingual(
            "Haikei draws none on pictures; where the work shows one is for people to state.",
            "Haikeiは画像に描き込みません。作品での表示は人が申告します。",
        ),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What one file that was opened says."""

    code: str
    url: str
    marks: FileMarks | None
    problem: str = ""  #: why it could not be read


def spread(items: Sequence[_Item], most: int) -> tuple[_Item, ...]:
    """Return at most so many of the items, evenly spread, the first and the last among them."""
    if len(items) <= most:
        return tuple(items)
    return tuple(items[place * (len(items) - 1) // (most - 1)] for place in range(most))


def look(source: ReportSource, *, code: str, url: str, path: str) -> Looked | None:
    """Return what a published file says about itself; None where the file is not at hand."""
    file = source.find_file(path)
    if file is None:
        return None
    marks, problem = _read(source, file)
    return Looked(code=code, url=url, marks=marks, problem=problem)


def _read(source: ReportSource, file: Path) -> tuple[FileMarks | None, str]:
    try:
        roots = trusted_roots(source.settings)
        marks = read_marks(file, trust_pem=roots.signers, timestamp_trust_pem=roots.time_stamps)
    except HaikeiError as error:
        source.advise(Bilingual(str(error), str(error)))
        return None, error.message
    return marks, ""


_MEASURES = Bilingual("Measures", "測定値")
_NOT_MEASURED = Bilingual(
    "Nothing was measured: there is no touch-up, and the layout's lines were not looked for.",
    "測定値なし：加筆がなく、原図の線の照合も行われていません。",
)
_REGIONS = (
    Column(key="x", title=Bilingual("Left", "左"), align=Align.END),
    Column(key="y", title=Bilingual("Top", "上"), align=Align.END),
    Column(key="width", title=Bilingual("Width", "幅"), align=Align.END),
    Column(key="height", title=Bilingual("Height", "高さ"), align=Align.END),
    Column(key="pixels", title=Bilingual("Changed pixels", "変化した画素数"), align=Align.END),
)
#: Of the largest regions so many are listed.
_LISTED = 12


def measure_blocks(version: BackgroundVersion, source: ReportSource) -> Iterator[Block]:
    """Yield each measure with its method, its parameters and its picture."""
    yield Heading(_MEASURES, anchor="measures")
    nothing = True
    for image, name in zip(version.images, steps(version), strict=True):
        for change in _changes(image):
            nothing = False
            yield Heading(
                Bilingual(f"Where {name.en} changed the picture", f"{name.ja}による変化箇所"),
                level=3,
            )
            yield from _change(change, image, source)
        for recall in _recalls(image):
            nothing = False
            yield Heading(
                Bilingual(f"The layout's lines in {name.en}", f"{name.ja}における原図の線"), level=3
            )
            yield _recall(recall)
    if nothing:
        yield Paragraph(_NOT_MEASURED)


def _changes(image: ImageRecord) -> tuple[Change, ...]:
    """Return the image's measured changes; artists who worked together share one."""
    found = (one.evidence.change for one in image.contributions)
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _recalls(image: ImageRecord) -> tuple[LineRecall, ...]:
    found = (one.evidence.recall for one in image.contributions)
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _change(change: Change, image: ImageRecord, source: ReportSource) -> Iterator[Block]:
    count = len(change.regions)
    yield Facts(
        (
            Fact(
                "area_ppm",
                Bilingual("Changed locally", "局所的な変化"),
                Figure(
                    change.area_ppm,
                    Bilingual(
                        f"{share(change.area_ppm)} of the area, in {count} "
                        f"region{'' if count == 1 else 's'}",
                        f"面積の{share(change.area_ppm)}、{count}か所",
                    ),
                ),
            ),
            Fact(
                "global_milli_de",
                Bilingual("Grade of the whole picture", "全体の色調整"),
                Figure(change.global_milli_de, f"median ΔE00 {change.global_milli_de / 1000:.2f}"),
            ),
            Fact(
                "shift_milli_px",
                Bilingual("Moved by", "位置ずれ"),
                Figure(change.shift_milli_px, f"{change.shift_milli_px / 1000:.2f} px"),
            ),
            Fact("method", Bilingual("Method", "方法"), change.method),
            Fact("parameters", Bilingual("Parameters", "パラメータ"), change.parameters),
            Fact(
                "map_sha256",
                Bilingual("Change map, SHA-256", "変化マップのSHA-256"),
                change.map_sha256,
            ),
        ),
        key="change",
    )
    expected = change_map_path(image.path)
    yield Picture(
        source=source.find_file(expected),
        expected=expected,
        longest=720,
        caption=Bilingual(
            "Change map: what differs from the image before", "変化マップ：前の画像との差"
        ),
    )
    regions = change.regions
    more = len(regions) - _LISTED
    yield Table(
        key="regions",
        columns=_REGIONS,
        rows=((one.x, one.y, one.width, one.height, one.pixels) for one in regions[:_LISTED]),
        caption=Bilingual(
            "Regions in pixels, the largest first"
            + (f"; {more} more are not listed" if more > 0 else ""),
            "領域（画素、大きい順）" + (f"、ほか{more}か所" if more > 0 else ""),
        ),
        empty=Bilingual("No region changed.", "変化した領域はありません。"),
    )


def change_map_path(path: str) -> str:
    """Return where the picture of an image's change map is published, below the storage root."""
    return f"{path.rpartition('.')[0] or path}_change.png"


def _recall(recall: LineRecall) -> Facts:
    seen, near = f"{recall.observed_ppm / 1e6:.3f}", recall.tolerance_px
    return Facts(
        (
            Fact(
                "observed_ppm",
                Bilingual("Lines with an edge near them", "近くに輪郭のある線"),
                Figure(
                    recall.observed_ppm,
                    Bilingual(
                        f"{seen} of line pixels, within {near} px",
                        f"線の画素の{seen}（{near} px以内）",
                    ),
                ),
            ),
            Fact(
                "chance_ppm",
                Bilingual("By chance", "偶然の場合"),
                Figure(
                    recall.chance_ppm,
                    f"{recall.chance_ppm / 1e6:.3f} ± {recall.chance_sd_ppm / 1e6:.3f}",
                ),
            ),
            Fact(
                "lift_ppm",
                Bilingual("Above chance (0 chance, 1 all lines)", "偶然との差（0＝偶然、1＝全線）"),
                Figure(recall.lift_ppm, f"{recall.lift_ppm / 1e6:.3f}"),
            ),
            Fact("method", Bilingual("Method", "方法"), recall.method),
        ),
        key="line_recall",
    )
