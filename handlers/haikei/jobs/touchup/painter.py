"""Who painted a touch-up, and with which tool, as contributions."""

import hashlib
import unicodedata
from dataclasses import replace
from datetime import datetime

from haikei.credits import (
    Contribution,
    Evidence,
    Grade,
    Person,
    Role,
    SourceType,
    System,
    printed_person,
)
from haikei.errors import CreditError
from haikei.jobs.contributions import as_credited
from haikei.jobs.job import TouchUpOrder
from haikei.jobs.tools import Tools
from haikei.measurements import Change


def painter(order: TouchUpOrder, tools: Tools) -> Person:
    """
    Return who painted, by the names that settings and tracker give them.

    A name that is in neither is taken as it is.

    Raises:
        CreditError: nobody is named.
        TrackerError: the tracker does not answer, or refuses.
    """
    if isinstance(order.artist, Person):
        person = as_credited(order.artist, tools.settings.people)
    else:
        person = person_called(order.artist, tools)
    if order.artist_ja and not person.name_ja:
        person = replace(person, name_ja=order.artist_ja)
    if not printed_person(person).en:
        raise CreditError(
            "Nobody is named for the paint-over.",
            advice="Say who painted, or record the artist's opt-out in the settings.",
        )
    return person


def person_called(name: str, tools: Tools) -> Person:
    """
    Return the person of a name or login in the tracker, named as in the settings.

    A name that is in neither is taken as it is.

    Raises:
        TrackerError: the tracker does not answer, or refuses.
    """
    stated = name.strip()
    return as_credited(_in_tracker(stated, tools) or _by_name_alone(stated), tools.settings.people)


def painting(
    artist: Person, *, of: str, order: TouchUpOrder, change: Change, sha256: str, at: datetime
) -> Contribution:
    """
    Return the artist's contribution, with what was measured as its evidence.

    Args:
        artist: who painted.
        of: the code of the version that was painted over.
        order: what the artist declares.
        change: what was measured.
        sha256: of the artist's own file.
        at: when it was taken in.
    """
    notes = [f"parent {order.found_by}"]
    if order.tool:
        notes.append(f"tool as declared: {order.tool}")
    if order.minutes is not None:
        notes.append("minutes as declared")
    evidence = Evidence(
        source=f"paint-over of {of}, compared with it",
        sha256=sha256,
        change=change,
        minutes=order.minutes,
        note="; ".join(notes),
    )
    return Contribution(
        role=Role.TOUCH_UP, actor=artist, grade=Grade.MEASURED, evidence=evidence, at=at
    )


def generative_fill(order: TouchUpOrder, found: str, at: datetime) -> Contribution:
    """
    Return the contribution of the trained model in the artist's tool.

    Args:
        order: what the artist declares.
        found: marks of a model in the file; empty where only the artist declares one.
        at: when it was taken in.
    """
    # Paint programs do not disclose their models; the tool is all that is known.
    tool = order.tool or found or "a paint program"
    declared = "declared by whoever handed it in" if order.used_generative_fill else ""
    return Contribution(
        role=Role.AI_GENERATION,
        actor=System(
            name=f"Generative fill of {tool}",
            version="",
            source_type=SourceType.COMPOSITE_TRAINED,
            data="not disclosed",
        ),
        grade=Grade.LOGGED if found else Grade.DECLARED,
        evidence=Evidence(source=f"marks in the file: {found}" if found else declared),
        at=at,
    )


def _in_tracker(name: str, tools: Tools) -> Person | None:
    desk = tools.tracker().parts.credits
    if not name or desk is None:
        return None
    return desk.people([name]).get(name)


def _by_name_alone(name: str) -> Person:
    plain = unicodedata.normalize("NFKC", name).casefold()
    slug = "-".join("".join(c if c.isalnum() else " " for c in plain).split())
    readable = slug if slug.isascii() and slug else hashlib.sha256(plain.encode()).hexdigest()[:16]
    return Person(id=f"person:{readable}", name=name)
