"""Hold what a file's marks say of who, what and source type against the sealed records."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from sqlalchemy import Connection, select

from haikei.credits import (
    Contribution,
    ImageKind,
    ImageRecord,
    Person,
    SourceType,
    System,
    overall_source_type,
    people,
    printed_person,
    records,
)
from haikei.credits.people.erasing import Mentions
from haikei.credits.records.record_sealing import unseal
from haikei.database import name_openings, schema
from haikei.ledger import entry
from haikei.provenance import FileMarks, marked_source_type
from haikei.provenance.filemarks import MarkedStep, NamedPerson, XmpMarks

_Roles = Mapping[str, Collection[str]]  #: by person's id


def disagreements(
    connection: Connection, marks: FileMarks, lineage: Sequence[tuple[int, ImageRecord]]
) -> tuple[str, ...]:
    """
    Return in which points a file's marks and its sealed record differ, as ends of a sentence.

    Work that was recorded after the file was marked, such as an approval, may be missing in the
    marks, and so may credits that were withdrawn since, which files from before still name. Names
    may have changed: each must have been recorded for its person at some time.

    Args:
        connection: to the studio's records.
        marks: what the file says; whether it holds is not looked at.
        lineage: entry and record of each image that led to the file, the file's own last.

    Raises:
        LedgerError: an entry is missing, or seals no image.
    """
    if not marks.steps:
        return ()
    step, own = marks.steps[-1], lineage[-1][1]
    if not step.kind:
        # A layout may come with its maker's own marks, and is kept as it came.
        ours = own.kind is ImageKind.LAYOUT
        return () if ours else ("say nothing of the step that its record tells of",)
    sealed = _sealed(connection, lineage)
    now = [image for _, image in lineage]
    answers = records.answers_about(connection, {image.sha256 for image in now})
    standing = [records.answered(image.contributions, image.sha256, answers) for image in sealed]
    ids = {person.id for image in (*sealed, *now) for person in image.people}
    names = _names(connection, ids)
    found = [*_of_step(step, sealed[-1], standing[-1], own, names)]
    if marks.xmp is not None:
        found += _of_packet(marks.xmp, sealed, standing, now, names)
    return tuple(dict.fromkeys(found))


def named_later(
    connection: Connection, marks: FileMarks, lineage: Sequence[tuple[int, ImageRecord]]
) -> tuple[Contribution, ...]:
    """
    Return the parts of people who were recorded after a file was marked, and whom it cannot name.

    Raises:
        LedgerError: an entry is missing, or seals no image.
    """
    if not marks.steps or not marks.steps[-1].kind:
        return ()
    sealed = _roles(one for image in _sealed(connection, lineage) for one in image.contributions)
    found: dict[tuple[str, str], Contribution] = {}
    for _, image in lineage:
        for one in image.contributions:
            role, actor = one.role.value, one.actor
            if isinstance(actor, Person) and role not in sealed.get(actor.id, ()):
                found.setdefault((actor.id, role), one)
    return tuple(found.values())


def _sealed(
    connection: Connection, lineage: Sequence[tuple[int, ImageRecord]]
) -> Sequence[ImageRecord]:
    mentions = Mentions.load(connection)
    register = people.look_up(connection, {one.id for _, image in lineage for one in image.people})
    return [
        unseal(entry(connection, number).payload, people=register, mentions=mentions)
        for number, _ in lineage
    ]


def _names(connection: Connection, ids: Collection[str]) -> Mapping[str, Collection[str]]:
    """Return all names that were ever recorded for people, as marks print them; none if erased."""
    columns, register = name_openings.c, schema.people.c
    query = (
        select(columns.person, columns.name, columns.name_ja)
        .join(schema.people, register.id == columns.person)
        .where(columns.person.in_(ids), register.erased_at.is_(None))
    )
    found: dict[str, set[str]] = defaultdict(set)
    for row in connection.execute(query):
        called = printed_person(Person(id=row.person, name=row.name, name_ja=row.name_ja))
        found[row.person] |= {called.en, called.ja}
    return found


def _of_step(
    step: MarkedStep,
    sealed: ImageRecord,
    standing: Sequence[Contribution],
    now: ImageRecord,
    names: Mapping[str, Collection[str]],
) -> Iterator[str]:
    if step.kind != sealed.kind.value:
        yield f"call it a {step.kind}, and its record a {sealed.kind.value}"
    types = {action.source_type for action in step.actions if action.source_type}
    expected = marked_source_type(sealed.kind, sealed.source_type) or sealed.source_type.value
    if types - {expected}:
        marked = ", ".join(sorted(types))
        yield f"say that it came to be by {marked}, and its record by {sealed.source_type.value}"
    made = {action.system for action in step.actions if action.system}
    systems = made or ({step.model} if step.model else set[str]())
    known = sealed.system
    recorded = "" if known is None else f"{known.name} {known.version}".strip()
    if systems - {recorded} or (recorded and not systems):
        marked = ", ".join(sorted(systems)) or "no system"
        yield f"say that {marked} made it, and its record says {recorded or 'no system'}"
    # That a layout's lines are seen in it is measured later, and is no part of the marks.
    own = [one for one in standing if one.evidence.recall is None]
    most = _roles((*sealed.contributions, *now.contributions))
    yield from _people(step.people, _roles(own), most, names)


def _of_packet(
    packet: XmpMarks,
    sealed: Sequence[ImageRecord],
    standing: Sequence[Sequence[Contribution]],
    now: Sequence[ImageRecord],
    names: Mapping[str, Collection[str]],
) -> Iterator[str]:
    overall = overall_source_type(sealed)
    recorded = marked_source_type(sealed[-1].kind, overall) or overall.value
    marked = packet.digital_source_type.rpartition("/")[2]
    undeclared = recorded == SourceType.NOT_DECLARED.value and marked not in set(SourceType)
    if marked != recorded and not undeclared:
        yield f"give the source type {marked or 'none'}, and its records {recorded}"
    models = {
        one.actor.name
        for image in (*sealed, *now)
        for one in image.contributions
        if isinstance(one.actor, System) and one.actor.source_type.is_ai
    }
    # Several names stand in one property, with commas between; so may commas in a name.
    rest = packet.ai_system
    for name in sorted(models, key=len, reverse=True):
        rest = rest.replace(name, "")
    if rest.strip(", ") or (models and not packet.ai_system):
        model_names = ", ".join(sorted(models)) or "none"
        yield f"name the AI system {packet.ai_system or 'none'}, and its records {model_names}"
    before = [one for made in standing for one in made]
    after = [one for image in (*sealed, *now) for one in image.contributions]
    yield from _people(packet.contributors, _roles(before), _roles(after), names)


def _people(
    marked: Sequence[NamedPerson],
    least: _Roles,
    most: _Roles,
    names: Mapping[str, Collection[str]],
) -> Iterator[str]:
    withheld = [set(one.roles) for one in marked if not one.id]
    named = {one.id: one for one in marked if one.id}
    for id_, one in named.items():
        roles = set(one.roles)
        if not roles <= set(most.get(id_, ())):
            recorded = ", ".join(most.get(id_, ())) or "nothing"
            yield (
                f"name {one.name} ({id_}) for {', '.join(one.roles)}, "
                f"and its records know of {recorded} by them"
            )
        elif id_ in names and one.name not in names[id_]:
            yield f"call {id_} {one.name}, a name that was never recorded for them"
    for id_, held in least.items():
        if id_ in named:
            gone = [role for role in held if role not in named[id_].roles]
        else:
            hidden = next((some for some in withheld if set(held) <= some), None)
            # Who has no name at all is in no file.
            gone = [] if hidden is not None or not any(names.get(id_, ())) else list(held)
            if hidden is not None:
                withheld.remove(hidden)
        if gone:
            called = " / ".join(sorted(filter(None, names.get(id_, ())))) or id_
            yield f"do not name {called} ({id_}), whom its records name for {', '.join(gone)}"


def _roles(contributions: Iterable[Contribution]) -> _Roles:
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for one in contributions:
        # Who is not yet named is in no file.
        if isinstance(one.actor, Person) and not one.actor.is_asked_for:
            found[one.actor.id].setdefault(one.role.value)
    return {id_: tuple(roles) for id_, roles in found.items()}
