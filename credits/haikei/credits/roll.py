"""The end roll: everyone who had a part in a show's backgrounds, by role, in a film's order."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from haikei.credits.contribution import Contribution, Person, Role, is_machine_name
from haikei.credits.naming import (
    WITHHELD,
    WITHHELD_JA,
    printed_person,
    printed_system,
    refuse,
    unnamed,
)
from haikei.credits.record import BackgroundVersion, ImageRecord, Operators
from haikei.errors import CreditError
from haikei.names import fits
from haikei.texts import ROLES, Bilingual

#: Reasons kept for a refusal's message; the rest are counted.
_KEPT = 20


class Staff(Protocol):
    """Someone whose part is in no single image, as the studio's settings name them."""

    @property
    def role(self) -> str:
        """What they do, as a value of `Role`."""
        ...

    @property
    def name(self) -> str:
        """The name in Latin letters."""
        ...

    @property
    def name_ja(self) -> str:
        """The name in Japanese script."""
        ...

    @property
    def project(self) -> str:
        """Project names, as a shell pattern."""
        ...

    @property
    def sequence(self) -> str:
        """Sequence names, as a shell pattern."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RollEntry:
    """One name in a section of the end roll."""

    name: Bilingual
    images: int  #: in which they had this role; 0 for those whose part is in no single image
    ids: tuple[str, ...] = ()  #: of the people behind it: several only where names are withheld
    withheld: bool = False
    operators: Operators = field(default_factory=Operators)  #: of a tool, by name


@dataclass(frozen=True, slots=True, kw_only=True)
class RollSection:
    """Everyone with one role."""

    role: Role
    title: Bilingual
    entries: tuple[RollEntry, ...]  #: by number of images, then by name; withheld names last


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditsRoll:
    """A show's credits for its backgrounds."""

    sections: tuple[RollSection, ...]
    versions: int
    images: int


def roll(versions: Iterable[BackgroundVersion], *, staff: Sequence[Staff] = ()) -> CreditsRoll:
    """
    Return the end roll of versions, which are read once and not kept.

    Everyone stands once in each of their roles. An image counts once, however many versions it led
    to. Staff are those of the settings whose part is in no single image; they are named when their
    patterns fit any of the versions. A system is a tool with those who ran it.

    Raises:
        CreditError: work by a human has neither a name nor an opt-out, or a version has no human at
            all; the message names the first twenty and how many more there are. Or a person stands
            as a tool, a system as a person, or someone is called AI.
    """
    tally = _Tally()
    for version in versions:
        tally.add(version)
    if tally.reasons:
        raise refuse(tally.reasons, tally.more)
    sections = (_section(Role(code), tally, staff) for code in ROLES)
    return CreditsRoll(
        sections=tuple(section for section in sections if section.entries),
        versions=tally.versions,
        images=len(tally.seen),
    )


@dataclass(slots=True)
class _ToolTally:
    images: int = 0
    operators: Operators = field(default_factory=Operators)


@dataclass(slots=True)
class _Tally:
    versions: int = 0
    seen: set[int | str] = field(default_factory=set)
    people: dict[str, Person] = field(default_factory=dict)
    images: dict[tuple[Role, str], int] = field(default_factory=dict)
    tools: dict[tuple[Role, str], _ToolTally] = field(default_factory=dict)
    places: set[tuple[str, str]] = field(default_factory=set)
    reasons: list[str] = field(default_factory=list)
    more: int = 0

    def add(self, version: BackgroundVersion) -> None:
        self.versions += 1
        self.places.add((version.project, version.sequence))
        # Entry numbers take a tenth of the memory of keys, in a show of a hundred thousand.
        names: tuple[int | str, ...] = version.ledger
        names = names or tuple(image.key for image in version.images)
        human = False
        for name, image in zip(names, version.images, strict=True):
            human = human or any(isinstance(one.actor, Person) for one in image.contributions)
            if name not in self.seen:
                self.seen.add(name)
                self._image(version, image)
        if not human:
            self._refuse(f"{version.code} (no human is recorded at all)")

    def _image(self, version: BackgroundVersion, image: ImageRecord) -> None:
        why = unnamed(image)
        if why is not None:
            self._refuse(f"{version.code} ({why})")
            return
        actors: dict[tuple[Role, str], Contribution] = {}
        for one in image.contributions:
            actor = one.actor
            named = actor.id if isinstance(actor, Person) else printed_system(actor)
            actors.setdefault((one.role, named), one)
        for key, one in actors.items():
            if isinstance(one.actor, Person):
                self.people.setdefault(one.actor.id, one.actor)
                self.images[key] = self.images.get(key, 0) + 1
            else:
                tool = self.tools.setdefault(key, _ToolTally())
                tool.images += 1
                tool.operators |= image.operators

    def _refuse(self, reason: str) -> None:
        if len(self.reasons) < _KEPT:
            self.reasons.append(reason)
        else:
            self.more += 1


def _section(role: Role, tally: _Tally, staff: Sequence[Staff]) -> RollSection:
    if role.is_tool:
        entries = list(_tools(role, tally))
    else:
        entries = list(_people(role, tally))
        named = {entry.name.en.casefold() for entry in entries}
        entries += [
            entry for entry in _staff(role, tally, staff) if entry.name.en.casefold() not in named
        ]
    entries.sort(key=lambda entry: (entry.withheld, -entry.images, entry.name.en.casefold()))
    return RollSection(role=role, title=ROLES[role].heading, entries=tuple(entries))


def _tools(role: Role, tally: _Tally) -> Iterator[RollEntry]:
    for (tools_role, name), tool in tally.tools.items():
        if tools_role is role:
            people = sorted(tool.operators.people, key=lambda person: person.name.casefold())
            yield RollEntry(
                name=Bilingual(name, name),
                images=tool.images,
                operators=replace(tool.operators, people=tuple(people)),
            )


def _people(role: Role, tally: _Tally) -> Iterator[RollEntry]:
    withheld: dict[str, int] = {}
    for (persons_role, person_id), images in tally.images.items():
        if persons_role is not role:
            continue
        person = tally.people[person_id]
        if person.opt_out:
            withheld[person_id] = images
            continue
        yield RollEntry(name=printed_person(person), images=images, ids=(person_id,))
    if withheld:
        yield RollEntry(
            name=Bilingual(WITHHELD, WITHHELD_JA),
            images=sum(withheld.values()),
            ids=tuple(sorted(withheld)),
            withheld=True,
        )


def _staff(role: Role, tally: _Tally, staff: Sequence[Staff]) -> Iterator[RollEntry]:
    printed: set[Bilingual] = set()
    for entry in staff:
        if entry.role != role.value or not any(
            fits(entry.project, (project,)) and fits(entry.sequence, (sequence,))
            for project, sequence in tally.places
        ):
            continue
        if is_machine_name(entry.name) or is_machine_name(entry.name_ja):
            raise CreditError(
                f"{entry.name!r} stands in [[credits.staff]] as a person.",
                advice="Name a human; a system is credited as a tool by itself.",
            )
        name = printed_person(Person(id="", name=entry.name, name_ja=entry.name_ja))
        if name not in printed:
            printed.add(name)
            yield RollEntry(name=name, images=0)
