"""
What the records show of the human and the machine part of one work, and the texts of
a US registration.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from haikei.credits import (
    BackgroundVersion,
    Contribution,
    ImageKind,
    ImageRecord,
    Operators,
    Person,
    Role,
    SourceType,
    System,
    is_ai,
)
from haikei.measurements import Change, LineRecall
from haikei.reports.document.phrases import is_named, joined
from haikei.reports.facts import version_lineage
from haikei.reports.facts.system_facts import system_name
from haikei.texts import Bilingual

_REQUEST: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])
# One object for each of these, whichever work it describes: what is set once is taken again.
_NOT_MEASURED = Bilingual(
    "The layout: not recorded whether its lines are seen in the picture; measure it "
    "before claiming it.",
    "原図：その線が画面に現れているか測定されていません。主張する前に測定が必要です。",
)
_NOT_SEEN = Bilingual(
    "The layout: its lines are not seen in the picture more than chance would have it.",
    "原図：その線は、偶然を超えて画面に現れているとは認められません。",
)
_NOBODY = Bilingual(
    "What was painted: nobody is named for it.", "彩色・加筆部分：担当者の記名がありません。"
)
_PROMPTS = Bilingual(
    "Prompts: instructions alone make nobody the author.",
    "プロンプト：指示のみでは著作者になりません。",
)
_SELECTING = Bilingual(
    "Selecting one picture of several: kept as evidence, not claimed by itself.",
    "複数候補からの選択：証拠として保存し、単独では主張しません。",
)
#: Lines are taken as seen where they are found more often than chance by this many deviations.
_SIGMAS = 3
#: And by at least this share of the way from chance to all of them.
_LEAST_LIFT_PPM = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A layout that a person drew."""

    artists: tuple[Person, ...]
    path: str
    sha256: str
    at: datetime
    on_paper: bool
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaintOver:
    """What people changed in one step, or painted from nothing."""

    artists: tuple[Person, ...]  #: empty where nobody is named
    change: Change | None  #: None: nothing was measured
    whole: bool  #: the picture was painted, not painted over
    by_hand: bool  #: somebody declares that it was made by hand
    origin: Bilingual  #: how it was made, and who says so
    path: str
    sha256: str
    at: datetime
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """The prompt of a system in one pass."""

    system: System | None
    prompt: str
    negative_prompt: str
    seed: str
    operators: Operators
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkSelection:
    """A choice that a person made among candidates, or a decision about the result."""

    contribution: Contribution
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One background as a work."""

    version: BackgroundVersion
    drawings: tuple[Drawing, ...]
    layout_origin: Bilingual  #: how the layout came to be
    recall: LineRecall | None
    recall_entry: int | None
    paint_overs: tuple[PaintOver, ...]
    selections: tuple[WorkSelection, ...]
    passes: int  #: of generation, each by an instruction
    trained: tuple[System, ...]
    algorithms: tuple[System, ...]

    @property
    def lines_seen(self) -> bool | None:
        """Whether the layout's lines are seen in the picture; None: nobody measured it."""
        if not (self.trained or self.algorithms):
            return True if self.drawings else None
        if self.recall is None:
            return None
        margin = self.recall.observed_ppm - self.recall.chance_ppm
        return (
            margin > _SIGMAS * self.recall.chance_sd_ppm and self.recall.lift_ppm >= _LEAST_LIFT_PPM
        )

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """The instructions, in the order of the passes; each look reads the requests anew."""
        return tuple(_instructions(self.version))

    @property
    def people(self) -> tuple[Person, ...]:
        """Whose work a claim would name: who drew and who painted."""
        found = [person for one in self.drawings for person in one.artists]
        found += [person for one in self.paint_overs for person in one.artists]
        return tuple({person.id: person for person in found}.values())


def work_of(version: BackgroundVersion, before: Work | None = None) -> Work:
    """
    Return what the records of a version show.

    Args:
        version: the version.
        before: another work, such as that of the version before; what is declared about its
            layout is taken where the layout is the same.
    """
    recall = recall_entry = None
    selections: list[WorkSelection] = []
    systems: list[System] = []
    paint_overs: list[PaintOver] = []
    passes = 0
    for image, entry in _numbered(version):
        passes += bool(image.request_json)
        painted: list[Contribution] = []
        for one in image.contributions:
            if one.evidence.recall is not None:
                recall, recall_entry = one.evidence.recall, entry
            if isinstance(one.actor, System):
                if one.actor not in systems:
                    systems.append(one.actor)
            elif one.role in version_lineage.PAINTING:
                painted.append(one)
            if one.role is Role.SELECTION:
                selections.append(WorkSelection(contribution=one, entry=entry))
        if painted and not is_ai(image):
            paint_overs.append(_paint_over(version, image, entry, painted))
    same = before is not None and _has_layout_of(version, before.version)
    return Work(
        version=version,
        drawings=before.drawings if before and same else tuple(_drawings(version)),
        layout_origin=before.layout_origin
        if before and same
        else version_lineage.layout_origin(version),
        recall=recall,
        recall_entry=recall_entry,
        paint_overs=tuple(paint_overs),
        selections=tuple(selections),
        passes=passes,
        trained=tuple(one for one in systems if one.source_type.is_ai),
        algorithms=tuple(one for one in systems if not one.source_type.is_ai),
    )


def _has_layout_of(version: BackgroundVersion, other: BackgroundVersion) -> bool:
    """Tell whether two versions have one layout, the same one, with the same declarations."""
    return (
        bool(version.images and other.images)
        and version.images[0] is other.images[0]
        and version.ledger[0] == other.ledger[0]
        and version.hand_drawn is other.hand_drawn
        and not any(
            image.kind is ImageKind.LAYOUT for image in (*version.images[1:], *other.images[1:])
        )
    )


def _numbered(version: BackgroundVersion) -> Iterator[tuple[ImageRecord, int]]:
    return zip(version.images, version.ledger, strict=True)


def _drawings(version: BackgroundVersion) -> Iterator[Drawing]:
    statement = version.hand_drawn
    for image, entry in _numbered(version):
        if image.kind is not ImageKind.LAYOUT or not version.is_drawn(image):
            continue
        artists = tuple(
            one.actor
            for one in version_lineage.drawings(image)
            if isinstance(one.actor, Person) and _known(one.actor)
        )
        if artists:
            yield Drawing(
                artists=artists,
                path=image.path,
                sha256=image.sha256,
                at=image.created_at,
                on_paper=image.source_type is SourceType.PRINT
                or (statement is not None and statement.subject.casefold() == "paper"),
                entry=entry,
            )


def _paint_over(
    version: BackgroundVersion, image: ImageRecord, entry: int, painted: list[Contribution]
) -> PaintOver:
    """Return what people painted in one image; `painted` is theirs alone, and none is empty."""
    artists = {one.actor.id: one.actor for one in painted if isinstance(one.actor, Person)}
    changes = (one.evidence.change for one in version_lineage.paintings(image))
    return PaintOver(
        artists=tuple(filter(_known, artists.values())),
        change=next((change for change in changes if change is not None), None),
        whole=image.kind is not ImageKind.TOUCH_UP or image.source_type.is_drawn,
        by_hand=version.is_drawn(image),
        origin=version_lineage.touch_up_origin(version, image),
        path=image.path,
        sha256=image.sha256,
        at=image.created_at,
        entry=entry,
    )


def _instructions(version: BackgroundVersion) -> Iterator[Instruction]:
    for image, entry in _numbered(version):
        if not image.request_json:
            continue
        request = _REQUEST.validate_json(image.request_json)
        yield Instruction(
            system=image.system,
            prompt=str(request.get("prompt", "")),
            negative_prompt=str(request.get("negative_prompt", "")),
            seed=str(request.get("seed", "")),
            operators=image.operators,
            entry=entry,
        )


def _known(person: Person) -> bool:
    return is_named(person) or bool(person.opt_out)


def author_created(work: Work) -> Bilingual | None:
    """Return the human part for the field "Author Created"; None where nothing can be claimed."""
    drawn: tuple[Person, ...] = ()
    if work.drawings and work.lines_seen is True:
        drawn = tuple(person for one in work.drawings for person in one.artists)
    painted = tuple(
        (one.artists, None if one.whole else _regions(one))
        for one in work.paint_overs
        if _shows(one)
    )
    return _created(drawn, painted, made_by_machine=bool(work.trained or work.algorithms))


@lru_cache(maxsize=1024)
def _created(
    drawn: tuple[Person, ...],
    painted: tuple[tuple[tuple[Person, ...], int | None], ...],
    *,
    made_by_machine: bool,
) -> Bilingual | None:
    """
    Return the human part: who drew a layout that is seen, and who painted what.

    Args:
        drawn: who drew the layout; nobody where its lines are not seen.
        painted: artists with the regions that they painted over; None for the whole picture.
        made_by_machine: whether a machine made pixels.
    """
    parts = [_drawn(drawn, made_by_machine=made_by_machine)] if drawn else []
    parts += [_painted(artists, regions) for artists, regions in painted]
    if not parts:
        return None
    return Bilingual(
        "2-D artwork: " + "; ".join(part.en for part in parts) + ".",
        "2次元美術作品：" + "、".join(part.ja for part in parts) + "。",
    )


def material_excluded(work: Work) -> Bilingual | None:
    """Return the machine's part for the field "Material Excluded"; None where there is none."""
    return _excluded(work.trained, work.algorithms)


@lru_cache(maxsize=1024)
def _excluded(trained: tuple[System, ...], algorithms: tuple[System, ...]) -> Bilingual | None:
    parts: list[Bilingual] = []
    if trained:
        names = _names(trained)
        parts.append(
            Bilingual(
                f"2-D artwork generated by artificial intelligence ({names})",
                f"人工知能（{names}）が生成した2次元美術",
            )
        )
    if algorithms:
        names = _names(algorithms)
        parts.append(
            Bilingual(
                f"rendering by an algorithm without training data ({names}): whether to exclude "
                "it is for counsel",
                f"学習データを用いないアルゴリズム（{names}）による描画（除外の要否は専門家に確認）",
            )
        )
    if not parts:
        return None
    return Bilingual("; ".join(part.en for part in parts), "、".join(part.ja for part in parts))


def not_claimed(work: Work) -> tuple[Bilingual, ...]:
    """Return the parts that the records do not carry, each with what would."""
    return tuple(_left_out(work))


def _drawn(people: tuple[Person, ...], *, made_by_machine: bool) -> Bilingual:
    artists = joined(people)
    return Bilingual(
        f"hand-drawn layout by {artists.en}"
        + (", perceptible in the picture" if made_by_machine else ""),
        f"{artists.ja}による手描き原図" + ("（画面上で知覚可能）" if made_by_machine else ""),
    )


def _regions(one: PaintOver) -> int:
    return len(one.change.regions) if one.change else 0


def _painted(people: tuple[Person, ...], regions: int | None) -> Bilingual:
    artists = joined(people)
    if regions is None:
        return Bilingual(f"background painted by {artists.en}", f"{artists.ja}による背景画")
    places = "1 region" if regions == 1 else f"{regions} regions"
    return Bilingual(
        f"additions and corrections by {artists.en} in {places} of the picture",
        f"{artists.ja}による加筆・修正（{regions}箇所）",
    )


def _shows(one: PaintOver) -> bool:
    if not one.artists or not one.by_hand:
        return False
    return one.whole or (one.change is not None and one.change.area_ppm > 0)


def _left_out(work: Work) -> Iterator[Bilingual]:
    if not work.drawings:
        yield _not_drawn(work.version)
    elif work.lines_seen is None:
        yield _NOT_MEASURED
    elif work.lines_seen is False:
        yield _NOT_SEEN
    for one in work.paint_overs:
        if not one.artists:
            yield _NOBODY
        elif not one.by_hand:
            artists = joined(one.artists)
            en = "background" if one.whole else "touch-up"
            yield Bilingual(
                f"The {en} by {artists.en}: {one.origin.en}.",
                f"{artists.ja}の{'背景画' if one.whole else '加筆'}：{one.origin.ja}。",
            )
        elif not _shows(one):
            artists = joined(one.artists)
            measured = one.change is not None
            yield Bilingual(
                f"The touch-up by {artists.en}: "
                + ("no local change was measured." if measured else "its change is not recorded."),
                f"{artists.ja}の加筆："
                + ("局所的な変化は測定なし。" if measured else "変化の記録なし。"),
            )
    if work.passes and work.trained:
        yield _PROMPTS
    if work.selections:
        yield _SELECTING


def _not_drawn(version: BackgroundVersion) -> Bilingual:
    drawn = (one.actor for image in version_lineage.layouts(version) for one in image.contributions)
    artists = tuple(one for one in drawn if isinstance(one, Person) and is_named(one))
    if not artists:
        return Bilingual(
            "No layout drawn by a named person is recorded.",
            "氏名のある人が描いた原図が記録されていません。",
        )
    names, origin = joined(artists), version_lineage.layout_origin(version)
    return Bilingual(f"The layout by {names.en}: {origin.en}.", f"{names.ja}の原図：{origin.ja}。")


def _names(systems: tuple[System, ...]) -> str:
    return ", ".join(map(system_name, systems))
