"""Who did what in a step of the job, as evidence that a machine wrote down or measured."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from haikei.credits import Contribution, Evidence, Grade, LineRecall, Person, Role, System
from haikei.jobs.policy import as_credited
from haikei.jobs.retake import RetakeOrder
from haikei.settings import PersonEntry


def drawing(
    artists: Iterable[Person],
    *,
    role: Role,
    source: str,
    at: datetime,
    grade: Grade = Grade.LOGGED,
) -> tuple[Contribution, ...]:
    """
    Return the contributions of those who drew a layout.

    Args:
        artists: as credits name them.
        role: what drawing a layout is called in this studio.
        source: where they are known from, such as `Task:14 assignee`.
        at: when Haikei learnt of the layout.
        grade: how that is known; what a command line says is declared.
    """
    evidence = Evidence(source=source)
    return tuple(
        Contribution(role=role, actor=artist, grade=grade, evidence=evidence, at=at)
        for artist in artists
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
    told = [as_credited(person, people) for person in order.asked_by]
    # Who has no name cannot be printed; the notes, which are evidence, still say who it was.
    asked = {person.id: person for person in told if person.name or person.opt_out}
    return tuple(
        Contribution(role=Role.RETAKE, actor=person, grade=Grade.LOGGED, evidence=evidence, at=at)
        for person in asked.values()
    )


def lines_kept(
    artists: Iterable[Person], *, role: Role, recall: LineRecall, at: datetime
) -> tuple[Contribution, ...]:
    """Return what of the layout's lines is seen in a background, for those who drew them."""
    evidence = Evidence(source="lines of the layout in the background", recall=recall)
    return tuple(
        Contribution(role=role, actor=artist, grade=Grade.MEASURED, evidence=evidence, at=at)
        for artist in artists
    )
