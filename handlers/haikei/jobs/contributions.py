"""The records of a job's pictures: who did what in a step, as logged, measured or declared."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from haikei.credits import (
    Contribution,
    Evidence,
    Grade,
    ImageKind,
    ImageRecord,
    Person,
    Role,
    SourceType,
    System,
    is_machine_name,
    printed_person,
    printed_system,
)
from haikei.jobs.job import JobOrder, RetakeOrder
from haikei.measurements import LineRecall
from haikei.settings import PersonEntry

if TYPE_CHECKING:
    # Who asks for the texts of credits alone loads nothing that opens pictures.
    from haikei.generators import StageOutput
    from haikei.images import Picture
    from haikei.provenance import Oversight


def as_credited(
    person: Person, people: Iterable[PersonEntry], earlier_names: Sequence[str] = ()
) -> Person:
    """Return a person, who may have had other names, as the studio's settings name them."""
    for entry in people:
        if entry.means(person.id, (person.name, person.name_ja, *earlier_names)):
            return replace(
                person,
                name=entry.name,
                name_ja=entry.name_ja or person.name_ja,
                opt_out=entry.opt_out or person.opt_out,
            )
    return person


def layout_key(order: JobOrder) -> str:
    """Return the key of the record of a job's layout, which all its backgrounds share."""
    return f"{order.event_key}/layout"


def drawing(
    artists: Iterable[Person],
    *,
    role: Role,
    evidence: Evidence,
    at: datetime,
    grade: Grade = Grade.LOGGED,
) -> tuple[Contribution, ...]:
    """
    Return the contributions of those who drew a layout.

    Args:
        artists: as credits name them.
        role: what drawing a layout is called in this studio.
        evidence: where they are known from, such as `Task:14 assignee`.
        at: when the layout was announced.
        grade: how that is known; options of a command line are declared.
    """
    return tuple(
        Contribution(role=role, actor=artist, grade=grade, evidence=evidence, at=at)
        for artist in artists
    )


def made_elsewhere(system: System, *, signs: str, at: datetime) -> Contribution:
    """Return the contribution of a trained model to a layout, as marks in the file tell of it."""
    evidence = Evidence(source=signs)
    return Contribution(
        role=Role.AI_LAYOUT, actor=system, grade=Grade.LOGGED, evidence=evidence, at=at
    )


def generation(system: System, *, request_sha256: str, at: datetime) -> Contribution:
    """Return the contribution of what made a picture; its request can be examined by its hash."""
    return Contribution(
        role=Role.AI_GENERATION if system.source_type.is_ai else Role.PAINTING_ALGORITHM,
        actor=system,
        grade=Grade.LOGGED,
        evidence=Evidence(source="generation request", sha256=request_sha256),
        at=at,
    )


def operation(operator: Person, *, source: str, at: datetime) -> Contribution:
    """Return the contribution of the person who ordered a picture."""
    return Contribution(
        role=Role.AI_OPERATION,
        actor=operator,
        grade=Grade.DECLARED,
        evidence=Evidence(source=source),
        at=at,
    )


def retake(
    order: RetakeOrder, *, people: Iterable[PersonEntry], at: datetime
) -> tuple[Contribution, ...]:
    """
    Return the contributions of those who asked for a retake, each once.

    Args:
        order: what they asked for; the words themselves are evidence by their hash.
        people: as the studio's settings name them.
        at: when the retake was ordered.
    """
    evidence = Evidence(
        source=f"{', '.join(order.notes)} on {order.parent_version_code}",
        sha256=hashlib.sha256(order.instructions.text.encode()).hexdigest(),
    )
    asking = [as_credited(person, people) for person in order.asked_by]
    # Who has no name cannot be printed; the notes, which are evidence, still name them.
    asked = {
        person.id: person
        for person in asking
        if (person.name or person.opt_out) and not is_machine_name(person.name)
    }
    return tuple(
        Contribution(role=Role.RETAKE, actor=person, grade=Grade.LOGGED, evidence=evidence, at=at)
        for person in asked.values()
    )


def lines_kept(
    artists: Iterable[Person],
    *,
    role: Role,
    recall: LineRecall,
    at: datetime,
    grade: Grade = Grade.LOGGED,
) -> tuple[Contribution, ...]:
    """Return what of the layout's lines is seen in a background, for those who drew them."""
    evidence = Evidence(source="lines of the layout in the background", recall=recall)
    # Who drew them is logged or declared; only that they are seen is measured.
    return tuple(
        Contribution(role=role, actor=artist, grade=grade, evidence=evidence, at=at)
        for artist in artists
    )


def layout_image(
    *,
    key: str,
    sha256: str,
    pixels_sha256: str,
    fingerprint: str,
    source_type: SourceType,
    drawn_by: Sequence[Contribution],
    path: PurePosixPath,
    at: datetime,
) -> ImageRecord:
    """Return the record of a layout, the first of its chain."""
    return ImageRecord(
        key=key,
        sha256=sha256,
        pixels_sha256=pixels_sha256,
        fingerprint=fingerprint,
        kind=ImageKind.LAYOUT,
        source_type=source_type,
        ingredients=(),
        contributions=tuple(drawn_by),
        request_json="",
        path=str(path),
        created_at=at,
    )


def stage_image(
    stage: "StageOutput",
    picture: "Callable[[], Picture]",
    *,
    key: str,
    kind: ImageKind,
    path: PurePosixPath,
    others: Sequence[Contribution] = (),
) -> ImageRecord:
    """
    Return the record of a stage's picture; its hash and its ingredients come with its marks.

    Args:
        stage: what was made.
        picture: decodes what it shows, which is asked where nobody noted its fingerprint.
        key: ours, unique.
        kind: a generation, or the background when the stage is the last.
        path: where it is published.
        others: contributions to this step besides that of the system that made it.
    """
    from haikei.fingerprint import fingerprint_text

    made = generation(stage.system, request_sha256=stage.request_sha256, at=stage.made_at)
    return ImageRecord(
        key=key,
        sha256="",
        pixels_sha256=stage.pixels_sha256,
        fingerprint=stage.fingerprint or fingerprint_text(picture()),
        kind=kind,
        source_type=stage.system.source_type,
        ingredients=(),
        contributions=(made, *others),
        request_json=stage.request_json,
        path=str(path),
        created_at=stage.made_at,
    )


def oversight(images: Sequence[ImageRecord]) -> "Oversight | None":
    """
    Return how far people are recorded to have overseen the last picture's model; None: not known.

    Nobody declares how a paint program's model, or a layout's, was used. A background is not
    reviewed when it is marked.
    """
    if not images[-1].operators.by_pipeline and not images[-1].operators.people:
        return None
    operated = any(
        contribution.role in {Role.AI_OPERATION, Role.RETAKE}
        for image in images
        for contribution in image.contributions
    )
    return "prompt_guided" if operated else "fully_autonomous"


def systems_text(images: Sequence[ImageRecord]) -> str:
    """Return the systems' names and versions, each once, in the order in which they ran."""
    actors = (one.actor for image in images for one in image.contributions)
    return ", ".join(
        dict.fromkeys(
            f"{actor.name} {actor.version}".strip() for actor in actors if isinstance(actor, System)
        )
    )


def roles_text(images: Sequence[ImageRecord]) -> str:
    """
    Return one line a role with those who had it, such as `genzu: Yuki Tanaka (HumanUser:12)`.

    Who does not want to be named is withheld, the tracker's id too: it leads to the name.
    """
    lines: dict[str, dict[str, None]] = {}
    for image in images:
        for one in image.contributions:
            lines.setdefault(one.role.value, {})[_named(one.actor)] = None
    return "\n".join(f"{role}: {', '.join(names)}" for role, names in lines.items())


def _named(actor: Person | System) -> str:
    if isinstance(actor, System):
        return printed_system(actor)
    name = printed_person(actor).en
    return (
        name
        if actor.opt_out or actor.is_asked_for
        else f"{name} ({actor.id})"
        if name
        else actor.id
    )
