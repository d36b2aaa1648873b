"""
The marks of a file: what shall be marked, by whom it was made, and what a file says of itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
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


class MarksState(StrEnum):
    """What became of a file's C2PA marks."""

    NONE = "none"  #: the file carries none
    TRUSTED = "trusted"  #: every engine: intact through all steps, by a signer that we trust
    UNTRUSTED = "untrusted"  #: intact through all steps, by a signer that we do not know
    BROKEN = "broken"  #: something was changed after it was signed, or was never right


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineVerdict:
    """What one validator says."""

    engine: str  #: its name and version
    available: bool  #: False: it cannot read this format, as `note` says
    state: str  #: `Trusted`, `Valid` or `Invalid`, as the engine says; empty without a verdict
    failures: tuple[str, ...]  #: C2PA failure codes of the file's own manifest
    ingredient_failures: tuple[str, ...]  #: and of the manifests that came with its ingredients
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPerson:
    """A person whom a file names."""

    name: str
    name_ja: str
    roles: tuple[str, ...]
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedAction:
    """One C2PA action."""

    action: str  #: such as `c2pa.drawing`
    source_type: str  #: an IPTC term or a URI of another vocabulary; empty when not given
    system: str  #: name and version of the software or the model; empty when not given
    at: datetime | None
    description: str
    regions: int  #: how many regions are marked as changed


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIdentity:
    """A person who signed for a step with a certificate of their own (CAWG, X.509)."""

    name: str  #: the certificate's common name
    roles: tuple[str, ...]  #: such as `cawg.editor`
    holds: bool  #: whether the signature is valid and covers this file
    trusted: bool  #: whether we know who issued the certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedStep:
    """One manifest of the chain: a step in the making of the picture, as its signer states it."""

    label: str
    title: str
    kind: str  #: what Haikei says the step is, such as `touch_up`; empty when another made it
    actions: tuple[MarkedAction, ...]
    people: tuple[NamedPerson, ...]
    model: str  #: of the AI disclosure; empty without one
    oversight: str
    signer: str  #: the common name and organisation of the certificate
    signed_at: datetime | None  #: by the time stamp; None without one
    ingredients: tuple[str, ...]  #: labels of the steps below it, the parent first
    plain_ingredients: tuple[str, ...]  #: titles of the ingredients that carry no marks
    failures: tuple[str, ...]  #: what was found broken in an ingredient when this was signed
    redactions: tuple[str, ...]  #: assertions of earlier steps that were taken out
    identities: tuple[SignedIdentity, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class XmpMarks:
    """The XMP properties of a file that tell of its making."""

    digital_source_type: str  #: as written, a URI
    ai_system: str
    ai_system_version: str
    ai_prompt: str
    ai_prompt_writer: str
    creators: tuple[str, ...]
    contributors: tuple[NamedPerson, ...]
    credit: str
    data_mining: str
    creator_tool: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AiSign:
    """Something in a file that shows a trained model's work."""

    where: str  #: such as `PNG text "workflow"`
    what: str  #: such as `ComfyUI`
    proof: bool  #: False: a hint, such as a program's name, that people should look at
    tool: str = ""  #: the program, where the sign tells it
    version: str = ""  #: of the program, likewise
    model: str = ""  #: that it ran, likewise
    sha256: str = ""  #: of the program's own text, by which it is known again in another file


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMarks:
    """All that a file says about itself."""

    path: Path
    state: MarksState
    engines: tuple[EngineVerdict, ...]
    steps: tuple[MarkedStep, ...]  #: the oldest first, the file's own last
    xmp: XmpMarks | None
    ai_signs: tuple[AiSign, ...]
    #: Where it is kept from models or data mining by others than Haikei, such as `XMP
    #: plus:DataMining`.
    reservations: tuple[str, ...] = ()

    @property
    def failures(self) -> tuple[str, ...]:
        """Every failure of every engine, each once, as `engine: code`."""
        found = [
            f"{verdict.engine}: {code}"
            for verdict in self.engines
            for code in (*verdict.failures, *verdict.ingredient_failures)
        ]
        return tuple(dict.fromkeys(found))

    @property
    def says_ai(self) -> bool:
        """Whether anything in the file proves that a trained model had a part in it."""
        return any(sign.proof for sign in self.ai_signs)


#: How far people looked after a model, in the words of C2PA 2.4's `c2pa.ai-disclosure`.
Oversight = Literal["fully_autonomous", "prompt_guided", "human_validated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedIngredient:
    """A file that another was made from, with or without marks of its own."""

    path: Path
    manifest: Path | None = None  #: its `.c2pa` sidecar, where its format cannot embed one
    relation: Relation
    title: str
    sha256: str = ""  #: of the file, by whoever has just hashed it


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
    #: Ids of people whose names must stand in no new file: manifests that name them are left out.
    withdrawn: frozenset[str] = frozenset()


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
