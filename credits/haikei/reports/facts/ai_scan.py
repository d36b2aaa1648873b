"""One look at all versions: where a trained model was used, by whom, and who agreed."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from pydantic import TypeAdapter

from haikei.credits import (
    BackgroundVersion,
    Operators,
    Person,
    Role,
    StatementKind,
    System,
    is_ai,
    records,
)
from haikei.decisions import ReviewState
from haikei.errors import ReportError
from haikei.reports.facts import version_lineage
from haikei.reports.facts.declared import Agreed, Approval, Declarations, approval_of
from haikei.reports.report import ReportSource
from haikei.texts import Bilingual

_TOLD_EVERY = 1_000
_PAIR = 2
_REQUEST: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class AiBackground:
    """One version in whose lineage a trained model made pixels."""

    sequence: str
    shot: str
    season: str
    time: str
    version: int
    code: str
    url: str
    state: ReviewState
    systems: tuple[System, ...]  #: the trained ones
    passes: int  #: images that they made
    artists: tuple[Person, ...]  #: of the layout
    layout: Bilingual  #: how it came to be
    layout_with_ai: bool  #: by marks in its file
    operators: Operators
    painters: tuple[Person, ...]  #: who painted over it
    touch_up: tuple[Bilingual, ...]  #: how each touch-up was made, and who says so
    area_ppm: int | None  #: of the last touch-up that was measured
    first_at: datetime
    entries: tuple[int, ...]  #: of the images that they made
    approval: Approval
    third_party: bool  #: whether similarity to others' works was looked for
    likeness: bool  #: whether recognisable people were looked for


@dataclass(slots=True, kw_only=True)
class SequenceCount:
    """How much of a sequence was made with a trained model."""

    shots: set[str] = field(default_factory=set)
    shots_with_ai: set[str] = field(default_factory=set)
    versions: int = 0
    versions_with_ai: int = 0
    approved_with_ai: int = 0


@dataclass(slots=True, kw_only=True)
class SystemUse:
    """How often a program or model was used."""

    images: int = 0
    versions: int = 0
    first: datetime | None = None
    last: datetime | None = None
    first_code: str = ""


@dataclass(slots=True, kw_only=True)
class AiScan:
    """What was found in all versions of a scope."""

    backgrounds: list[AiBackground] = field(default_factory=list)
    sequences: dict[str, SequenceCount] = field(default_factory=dict)
    systems: dict[System, SystemUse] = field(default_factory=dict)
    people: dict[Person, Counter[Role]] = field(default_factory=dict)  #: in how many versions
    loras: dict[str, str] = field(default_factory=dict)  #: as requests name them, and one version
    agreed: Counter[Agreed] = field(default_factory=Counter[Agreed])
    first: AiBackground | None = None  #: the one that was generated first

    @property
    def versions(self) -> int:
        """All versions, with trained models or without."""
        return sum(one.versions for one in self.sequences.values())

    @property
    def shots(self) -> int:
        """All cuts."""
        return sum(len(one.shots) for one in self.sequences.values())

    @property
    def shots_with_ai(self) -> int:
        """Cuts that have a version with a trained model."""
        return sum(len(one.shots_with_ai) for one in self.sequences.values())

    @property
    def approved_with_ai(self) -> int:
        """Approved versions with a trained model: these are in the picture."""
        return sum(one.approved_with_ai for one in self.sequences.values())


def scan(source: ReportSource, declarations: Declarations) -> AiScan:
    """Read every version of the scope once."""
    found = AiScan()
    for version in read(source):
        _count(found, version)
        background = _with_ai(version, declarations)
        if background is not None:
            _add(found, background)
    return found


def read(source: ReportSource) -> Iterator[BackgroundVersion]:
    """Yield the scope's versions, and tell how many were read."""
    for number, version in enumerate(records.backgrounds(source.connection, source.scope), 1):
        yield version
        if number % _TOLD_EVERY == 0:
            source.progress(number)


def version_named(source: ReportSource, code: str) -> BackgroundVersion:
    """
    Return the version of the scope's show that the tracker knows by this name.

    Raises:
        ReportError: there is none.
    """
    version = records.named(source.connection, code, project=source.scope.project)
    if version is None:
        raise ReportError(
            f"No version {code!r} of {source.scope.project} is recorded.",
            advice="Give a Version's name as the tracker shows it.",
        )
    return version


def _count(found: AiScan, version: BackgroundVersion) -> None:
    part = version.part
    count = found.sequences.get(part)
    if count is None:
        count = found.sequences[part] = SequenceCount()
    count.shots.add(version.shot)
    count.versions += 1
    used: set[System] = set()
    # In the order of work, so that two reports of one show name people in one order.
    roles: dict[tuple[str, Role], Person] = {}
    for one in version_lineage.contributions(version):
        actor = one.actor
        if isinstance(actor, Person):
            roles.setdefault((actor.id, one.role), actor)
        else:
            use = found.systems.get(actor)
            if use is None:
                use = found.systems[actor] = SystemUse()
            use.images += 1
            if use.first is None or one.at < use.first:
                use.first, use.first_code = one.at, version.code
            use.last = one.at if use.last is None else max(use.last, one.at)
            used.add(actor)
    for image in version.images:
        # Looked at only where the word stands: reading every request would take long.
        if '"lora' in image.request_json:
            for text in _loras(image.request_json):
                found.loras.setdefault(text, version.code)
    for system in used:
        found.systems[system].versions += 1
    for (_, role), person in roles.items():
        counts = found.people.get(person)
        if counts is None:
            counts = found.people[person] = Counter()
        counts[role] += 1


def _loras(request_json: str) -> Iterator[str]:
    """Yield the options of a request that name a LoRA."""
    options = _REQUEST.validate_json(request_json).get("options", ())
    for option in options if isinstance(options, list) else ():
        if isinstance(option, list) and len(option) == _PAIR and "lora" in str(option[0]):
            yield f"{option[0]} = {option[1]}"


def _with_ai(version: BackgroundVersion, declarations: Declarations) -> AiBackground | None:
    made = version_lineage.ai_images(version)
    first_at = version_lineage.first_ai_at(made)
    if first_at is None:
        return None
    area_ppm: int | None = None
    systems: dict[System, None] = {}
    artists: dict[str, Person] = {}
    painters: dict[str, Person] = {}
    for one in version_lineage.contributions(version):
        if one.evidence.change is not None:
            area_ppm = one.evidence.change.area_ppm
        if isinstance(one.actor, System):
            systems[one.actor] = None
        elif one.role in version_lineage.DRAWING:
            artists[one.actor.id] = one.actor
        elif one.role in version_lineage.PAINTING:
            painters[one.actor.id] = one.actor
    return AiBackground(
        sequence=version.part,
        shot=version.shot,
        season=version.season,
        time=version.time,
        version=version.version,
        code=version.code,
        url=version.url,
        state=version.state,
        systems=tuple(one for one in systems if one.source_type.is_ai),
        passes=len(made),
        artists=tuple(artists.values()),
        layout=version_lineage.layout_origin(version),
        layout_with_ai=any(map(is_ai, version_lineage.layouts(version))),
        operators=reduce(or_, (image.operators for image, _ in made)),
        painters=tuple(painters.values()),
        touch_up=tuple(
            dict.fromkeys(
                version_lineage.touch_up_origin(version, image)
                for image in version_lineage.touch_ups(version)
            )
        ),
        area_ppm=area_ppm,
        first_at=first_at,
        entries=tuple(entry for _, entry in made),
        approval=approval_of(declarations, version, first_at),
        third_party=bool(declarations.about(version, StatementKind.THIRD_PARTY_CHECK)),
        likeness=bool(declarations.about(version, StatementKind.LIKENESS_CHECK)),
    )


def _add(found: AiScan, background: AiBackground) -> None:
    count = found.sequences[background.sequence]
    count.shots_with_ai.add(background.shot)
    count.versions_with_ai += 1
    count.approved_with_ai += background.state is ReviewState.APPROVED
    found.backgrounds.append(background)
    found.agreed[background.approval.agreed] += 1
    if found.first is None or background.first_at < found.first.first_at:
        found.first = background
