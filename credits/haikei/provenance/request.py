"""
What is marked into a file and what comes out: the seam between the job and the marks,
and who is named.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from haikei.credits import (
    Contribution,
    CreditLine,
    ImageKind,
    Person,
    Relation,
    Role,
    SourceType,
    printed_person,
)
from haikei.provenance.filemarks import NamedPerson

#: How far people looked after a model, in the words of C2PA 2.4's `c2pa.ai-disclosure`.
Oversight = Literal["fully_autonomous", "prompt_guided", "human_validated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedIngredient:
    """A file that another was made from, with or without marks of its own."""

    path: Path
    manifest: Path | None = None  #: its `.c2pa` sidecar, where its format cannot embed one
    relation: Relation
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkRequest:
    """One file that is about to get its marks: what made it, from what, and who is named."""

    source: Path  #: the file without marks; it is not changed
    target: Path  #: where the marked file goes; sidecars stand beside it
    title: str
    kind: ImageKind
    source_type: SourceType  #: of this step
    overall_source_type: SourceType  #: of the picture as a whole, for XMP's one value
    contributions: tuple[Contribution, ...]  #: to this step
    credited: tuple[Contribution, ...]  #: to the whole lineage, this step included
    credit: CreditLine
    ingredients: tuple[MarkedIngredient, ...]  #: at most one of them is the parent
    request_json: str  #: the generation request; only its SHA-256 enters the file
    oversight: Oversight | None  #: None where nobody recorded it: nothing is claimed then
    at: datetime
    prompt: str = ""  #: enters the file only where `signing.write_prompts` allows it
    prompt_writer: str = ""  #: who wrote the prompt; likewise


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A file with its marks."""

    path: Path
    manifest: Path | None  #: the `.c2pa` sidecar, for formats that cannot embed one
    xmp: Path | None  #: the `.xmp` sidecar, likewise
    label: str  #: of the new C2PA manifest, such as `urn:c2pa:…`
    time_stamped: bool  #: whether an RFC 3161 token stands in the signature


#: Roles whose holders made what is seen; others chose, ran, checked or asked.
_CREATING = frozenset(
    {
        Role.LAYOUT,
        Role.GENZU,
        Role.GENZU_CLEAN_UP,
        Role.ART_SETTING,
        Role.ART_BOARD,
        Role.TOUCH_UP,
        Role.BACKGROUND,
    }
)


def named_people(contributions: Iterable[Contribution]) -> tuple[NamedPerson, ...]:
    """Return the humans among the contributors, each once with all roles, in order."""
    roles: dict[str, list[str]] = {}
    people: dict[str, Person] = {}
    for contribution in contributions:
        person = contribution.actor
        if not isinstance(person, Person) or person.is_asked_for or not printed_person(person).en:
            continue
        people.setdefault(person.id, person)
        held = roles.setdefault(person.id, [])
        if contribution.role.value not in held:
            held.append(contribution.role.value)
    return tuple(_named(person, tuple(roles[key])) for key, person in people.items())


def creators(contributions: Iterable[Contribution]) -> tuple[str, ...]:
    """Return the names of those who drew or painted; systems and the unnamed are not among them."""
    names = [
        printed_person(contribution.actor).en
        for contribution in contributions
        if isinstance(contribution.actor, Person)
        and contribution.role in _CREATING
        and not (contribution.actor.opt_out or contribution.actor.is_asked_for)
    ]
    return tuple(dict.fromkeys(filter(None, names)))


def _named(person: Person, roles: tuple[str, ...]) -> NamedPerson:
    name = printed_person(person)
    # Where there is no name in Japanese script of its own, the marks say none.
    japanese = name.ja if person.opt_out or person.name_ja.strip() else ""
    return NamedPerson(
        name=name.en, name_ja=japanese, roles=roles, id="" if person.opt_out else person.id
    )
