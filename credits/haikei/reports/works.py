"""
What the records show of the human and the machine part of one work, for copyright.

Nothing is claimed that the records do not show: a prompt is no authorship, a layout counts where
its lines are measured to be seen in the picture, and a touch-up where its change was measured.
Sources: US Copyright Office, 88 FR 16190 and Part 2 report (29 January 2025); Agency for Cultural
Affairs of Japan, General Understanding on AI and Copyright (March 2024).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from haikei.credits import (
    BackgroundVersion,
    Change,
    Contribution,
    ImageKind,
    ImageRecord,
    LineRecall,
    Person,
    Role,
    SourceType,
    System,
    is_ai,
)
from haikei.reports import lineage
from haikei.reports.naming import is_named

_REQUEST: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])
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
    """What people changed by hand in one step, or painted from nothing."""

    artists: tuple[Person, ...]  #: empty where nobody is named
    change: Change | None  #: None: nothing was measured
    whole: bool  #: the picture was painted by hand, not painted over
    path: str
    sha256: str
    at: datetime
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """What a system was told in one pass."""

    system: System | None
    prompt: str
    negative_prompt: str
    seed: str
    operators: tuple[Person, ...]
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A choice that a person made among candidates, or a decision about the result."""

    contribution: Contribution
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One background as a work."""

    version: BackgroundVersion
    drawings: tuple[Drawing, ...]
    recall: LineRecall | None
    recall_entry: int | None
    paint_overs: tuple[PaintOver, ...]
    selections: tuple[Selection, ...]
    instructions: tuple[Instruction, ...]  #: in the order of the passes
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
    def people(self) -> tuple[Person, ...]:
        """Whose work a claim would name: who drew and who painted."""
        found = [person for one in self.drawings for person in one.artists]
        found += [person for one in self.paint_overs for person in one.artists]
        return tuple({person.id: person for person in found}.values())


def work_of(version: BackgroundVersion) -> Work:
    """Return what the records of a version show."""
    systems = lineage.systems(version)
    recall = None
    recall_entry = None
    for image, entry in _numbered(version):
        for one in image.contributions:
            if one.evidence.recall is not None:
                recall, recall_entry = one.evidence.recall, entry
    return Work(
        version=version,
        drawings=tuple(_drawings(version)),
        recall=recall,
        recall_entry=recall_entry,
        paint_overs=tuple(_paint_overs(version)),
        selections=tuple(_selections(version)),
        instructions=tuple(_instructions(version)),
        trained=tuple(one for one in systems if one.source_type.is_ai),
        algorithms=tuple(one for one in systems if not one.source_type.is_ai),
    )


def _numbered(version: BackgroundVersion) -> Iterator[tuple[ImageRecord, int]]:
    return zip(version.images, version.ledger, strict=True)


def _drawings(version: BackgroundVersion) -> Iterator[Drawing]:
    for image, entry in _numbered(version):
        if image.kind is not ImageKind.LAYOUT or not lineage.is_human_drawing(image):
            continue
        artists = tuple(
            one.actor
            for one in lineage.drawings(image)
            if isinstance(one.actor, Person) and _known(one.actor)
        )
        if artists:
            yield Drawing(
                artists=artists,
                path=image.path,
                sha256=image.sha256,
                at=image.created_at,
                on_paper=image.source_type is SourceType.PRINT,
                entry=entry,
            )


def _paint_overs(version: BackgroundVersion) -> Iterator[PaintOver]:
    for image, entry in _numbered(version):
        painted = lineage.paintings(image)
        artists = {one.actor.id: one.actor for one in painted if isinstance(one.actor, Person)}
        if not artists or is_ai(image):
            continue
        changes = (one.evidence.change for one in painted)
        yield PaintOver(
            artists=tuple(filter(_known, artists.values())),
            change=next((change for change in changes if change is not None), None),
            whole=image.source_type is not SourceType.HUMAN_EDITS,
            path=image.path,
            sha256=image.sha256,
            at=image.created_at,
            entry=entry,
        )


def _selections(version: BackgroundVersion) -> Iterator[Selection]:
    for image, entry in _numbered(version):
        for one in image.contributions:
            if one.role is Role.SELECTION:
                yield Selection(contribution=one, entry=entry)


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
            operators=lineage.operators(image),
            entry=entry,
        )


def _known(person: Person) -> bool:
    return is_named(person) or bool(person.opt_out)
