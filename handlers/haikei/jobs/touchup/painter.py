"""Who painted a paint-over, and with what, as credits and records say it."""

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
from haikei.jobs.background.policy import as_credited
from haikei.jobs.job import TouchUpOrder
from haikei.jobs.tools import Tools
from haikei.measurements import Change


def painter(order: TouchUpOrder, tools: Tools) -> Person:
    """
    Return who painted, by the names that settings and tracker give them.

    Somebody whom neither knows is taken by the name that was said.

    Raises:
        CreditError: nobody is named.
        TrackerError: the tracker does not answer, or refuses.
    """
    people = tools.settings.people
    if isinstance(order.artist, Person):
        person = as_credited(order.artist, people)
    else:
        said = order.artist.strip()
        person = as_credited(_known(said, tools) or _unknown(said), people)
    if order.artist_ja and not person.name_ja:
        person = replace(person, name_ja=order.artist_ja)
    if not printed_person(person).en:
        raise CreditError(
            "Nobody is named for the paint-over.",
            advice="Say who painted, or record the artist's opt-out in the settings.",
        )
    return person


def painting(
    artist: Person, *, of: str, order: TouchUpOrder, change: Change, sha256: str, at: datetime
) -> Contribution:
    """
    Return the artist's contribution, with what was measured as its evidence.

    Args:
        artist: who painted.
        of: the code of the version that was painted over.
        order: what was said of it.
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
        order: what was said of the paint-over.
        found: what the file itself says of a model; empty when only the artist does.
        at: when it was taken in.
    """
    # What model a paint program runs is for its maker to say; the tool is all that is known.
    tool = order.tool or found or "a paint program"
    said = "declared by whoever handed it in" if order.used_generative_fill else ""
    return Contribution(
        role=Role.AI_GENERATION,
        actor=System(
            name=f"Generative fill of {tool}",
            version="",
            source_type=SourceType.COMPOSITE_TRAINED,
            data="not disclosed",
        ),
        grade=Grade.LOGGED if found else Grade.DECLARED,
        evidence=Evidence(source=f"marks in the file: {found}" if found else said),
        at=at,
    )


def _known(said: str, tools: Tools) -> Person | None:
    desk = tools.tracker().parts.credits
    if not said or desk is None:
        return None
    # The desk speaks over the adapter's own connection, which stays open.
    return desk.people([said]).get(said)


def _unknown(said: str) -> Person:
    plain = unicodedata.normalize("NFKC", said).casefold()
    slug = "-".join("".join(c if c.isalnum() else " " for c in plain).split())
    readable = slug if slug.isascii() and slug else hashlib.sha256(plain.encode()).hexdigest()[:16]
    return Person(id=f"person:{readable}", name=said)
