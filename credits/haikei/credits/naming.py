"""
How people and systems are printed, and the credit line that names everyone of a
background.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from haikei.credits.contribution import (
    Facet,
    Person,
    Role,
    SourceType,
    System,
    check_makers,
)
from haikei.credits.record import ImageRecord, Operators
from haikei.errors import CreditError
from haikei.printable import printable
from haikei.texts import BY_PIPELINE, NO_OPERATOR, ROLES, Bilingual

#: What is printed for those who do not want to be named.
WITHHELD = "(name withheld at the artist's request)"
WITHHELD_JA = "（本人の希望により非表示）"
#: What is printed for one of several people until it is known which of them.
NOT_YET_NAMED = Bilingual("(not yet named)", "（未確定）")
_SHOWN = 20
# Pixels that a human made, as far as nothing says otherwise: somebody has to be named for them.
_HUMAN = {
    SourceType.DIGITAL_CREATION,
    SourceType.PRINT,
    SourceType.HUMAN_EDITS,
    SourceType.NOT_DECLARED,
}
_MAKING = {Facet.LAYOUT, Facet.TOUCH_UP}


def printed_person(person: Person) -> Bilingual:
    """Return a person's name in both scripts, one standing in for the other where it is missing."""
    if person.opt_out:
        return Bilingual(WITHHELD, WITHHELD_JA)
    if person.is_asked_for:
        return NOT_YET_NAMED
    en, ja = _clean(person.name), _clean(person.name_ja)
    return Bilingual(en or ja, ja or en)


def printed_system(system: System) -> str:
    """Return a system's name and version."""
    return _clean(f"{system.name} {system.version}")


def operators_text(operators: Operators, *, bare: bool = False) -> Bilingual:
    """Return who ran a system; `bare` leaves out "operated by", as under such a title."""
    words = ROLES[Role.AI_OPERATION.value].short
    names = tuple(dict.fromkeys(map(printed_person, operators.people)))
    parts: list[Bilingual] = []
    if names:
        en, ja = ", ".join(name.en for name in names), "、".join(name.ja for name in names)
        by = Bilingual(en, ja) if bare else Bilingual(f"{words.en} {en}", f"{words.ja} {ja}")
        parts.append(by)
    if operators.by_pipeline:
        parts.append(BY_PIPELINE)
    if operators.unrecorded:
        parts.append(NO_OPERATOR)
    return Bilingual("; ".join(part.en for part in parts), "／".join(part.ja for part in parts))


def is_nameable(person: Person) -> bool:
    """Tell whether credits can be printed for a person: by a name, or as withheld."""
    named = person.opt_out or _clean(person.name) or _clean(person.name_ja)
    return bool(named) and not person.is_asked_for


def unnamed(image: ImageRecord, *, asked: bool = False) -> str | None:
    """
    Return why an image's own step cannot be credited, as the end of a sentence; None if it can.

    With `asked`, who is not yet named is no reason: people were asked, and the line says so.

    Raises:
        CreditError: a person stands where a tool belongs or the other way round, or is called AI.
    """
    check_makers(image.contributions, image.path or image.key)
    made = False
    for one in image.contributions:
        if isinstance(one.actor, Person):
            if one.actor.is_asked_for and not asked:
                asked_ = "people were asked who it was"
                why = "who was named says no" if one.actor.is_disowned else asked_
                return f"{one.role.value} not yet named, as {why}"
            if not (one.actor.is_asked_for or is_nameable(one.actor)):
                return f"{one.role.value} by {one.actor.id}, who has no name"
            made = made or one.role.facet in _MAKING
    if image.source_type in _HUMAN and not made:
        return f"nobody is named for the {image.kind.value}"
    return None


def refuse(reasons: Sequence[str], more: int = 0) -> CreditError:
    """Return the error for work for which nobody can be named; the first twenty are listed."""
    shown = list(reasons[:_SHOWN])
    more += len(reasons) - len(shown)
    rest = f"; and {more} more" if more else ""
    return CreditError(
        f"No credits without names. Unnamed human work: {'; '.join(shown)}{rest}.",
        advice="Assign the task to its artist in the tracker, name the person with `haikei credits "
        "rename` (`name-layout` where people were asked, `declare drawn_by` or "
        "`resolve-correction` where somebody says it was not them), or record their wish with "
        "`haikei credits opt-out`.",
    )


def nobody(what: Iterable[str]) -> CreditError:
    """Return the error for images that no human had any part in, as far as is recorded."""
    return CreditError(
        f"No credits without a human: nobody at all is recorded for {', '.join(what)}.",
        advice="Record who drew the layout or who ran the system.",
    )


@lru_cache(maxsize=4096)
def _clean(text: str) -> str:
    # Line breaks in a name would tear the line that it stands in.
    return " ".join(printable(text).split())


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditLine:
    """One background's credits as a single line."""

    en: str
    ja: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tool:
    role: Role
    name: str
    operators: Operators


def credit_line(images: Sequence[ImageRecord]) -> CreditLine:
    """
    Return the credit line of a background, from the whole lineage of its image.

    Roles stand in a film's order, and in each everyone once, in the order of the images. A system
    is printed as a tool with who ran it, never as a person, and never as "AI (+Human)"; a system
    of whose pixels no trained model makes any is not called AI. Those who do not want to be named
    are withheld.

    Raises:
        CreditError: work by a human has neither a name nor an opt-out; no human is recorded at all;
            a person stands as a tool, a system as a person, or someone is called AI.
    """
    reasons = [
        f"{image.path or image.key} ({why})"
        for image in images
        if (why := unnamed(image, asked=True))
    ]
    if reasons:
        raise refuse(reasons)
    tools = _tools(images)
    names = {tool.name.casefold() for tool in tools}
    people: dict[Role, dict[str, Person]] = {}
    for role, person in _people(images):
        if person.name.strip().casefold() in names and not person.opt_out:
            raise CreditError(
                f"{person.name!r} is the name of a system and of a person in one lineage.",
                advice="A system is credited as a tool; name the person who worked on the image.",
            )
        people.setdefault(role, {}).setdefault(person.id, person)
    if not people:
        raise nobody([image.path or image.key for image in images[-1:]] or ["no image"])
    segments = list(_segments(people, tools))
    return CreditLine(
        en="Background: " + " · ".join(segment.en for segment in segments),
        ja="背景：" + " · ".join(segment.ja for segment in segments),
    )


def _people(images: Sequence[ImageRecord]) -> Iterator[tuple[Role, Person]]:
    for image in images:
        for one in image.contributions:
            if isinstance(one.actor, Person):
                yield one.role, one.actor


def _tools(images: Sequence[ImageRecord]) -> list[_Tool]:
    found: dict[tuple[Role, str], Operators] = {}
    for image in images:
        for one in image.contributions:
            if isinstance(one.actor, System):
                key = (one.role, printed_system(one.actor))
                found[key] = found.get(key, Operators()) | image.operators
    return [_Tool(role=role, name=name, operators=ran) for (role, name), ran in found.items()]


def _segments(people: dict[Role, dict[str, Person]], tools: Sequence[_Tool]) -> Iterator[Bilingual]:
    for code, words in ROLES.items():
        role = Role(code)
        if role.is_tool:
            yield from (_tool(tool) for tool in tools if tool.role is role)
        elif words.in_line and role in people and not (role is Role.AI_OPERATION and tools):
            printed = dict.fromkeys(printed_person(person) for person in people[role].values())
            en = words.heading.en if role is Role.AI_OPERATION else words.short.en
            yield Bilingual(
                en=f"{en} {', '.join(name.en for name in printed)}",
                ja=f"{words.short.ja} {'、'.join(name.ja for name in printed)}",
            )


def _tool(tool: _Tool) -> Bilingual:
    words, ran = ROLES[tool.role.value].short, operators_text(tool.operators)
    return Bilingual(f"{words.en} {tool.name} ({ran.en})", f"{words.ja} {tool.name}（{ran.ja}）")
