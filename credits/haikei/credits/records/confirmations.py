"""
What people are credited for on a show, what they answer to that, and what follows from it.

An answer is sealed: one statement for each image and role, by the person, and one for each thing
that they say beside. An agreement changes how a contribution is known. A correction changes
nothing: it stands open until somebody of the production decides.
"""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, false, func, or_, select

from haikei.canonical import canonical_json
from haikei.credits.contribution import Contribution, Evidence, Grade, Person, Role, is_machine_name
from haikei.credits.people.commitments import note, register, seal_statement
from haikei.credits.people.questions import Question, close, newest
from haikei.credits.people.registry import look_up
from haikei.credits.record import ImageKind, ImageRecord, Statement, StatementKind
from haikei.credits.records.record_reading import WRONGLY, RecordReader, answers_about
from haikei.credits.records.statements import entry_of, statements
from haikei.credits.records.store import contribute
from haikei.database import (
    background_images,
    backgrounds,
    begins_with,
    contributions,
    image_records,
)
from haikei.errors import CreditError
from haikei.show import Place

#: Characters of what a person may write into one field.
LONGEST = 1000
_LONGEST_NAME = 255
_ALL = Place(project="", sequence="", shot="")


#: Roles of those who drew a layout.
DRAWING = frozenset({Role.LAYOUT, Role.GENZU})


class Correction(StrEnum):
    """What a person says is wrong."""

    NOT_ME = "not_me"  #: they had no part in it; `subject` of the statement is the role
    NAME = "name"  #: their name is written otherwise
    ALSO = "also"  #: they did something else as well
    WITHHOLD = "withhold"  #: they do not want to be named


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditedWork:
    """One image to which a person contributed in one role."""

    image: ImageRecord
    role: Role
    contributions: tuple[Contribution, ...]  #: theirs, in this role
    places: tuple[Place, ...]  #: cuts whose backgrounds it led to

    @property
    def name(self) -> str:
        """What tells it from others, in forms and digests."""
        return f"{self.image.sha256}:{self.role.value}"

    @property
    def confirmed(self) -> bool:
        """Whether the person has agreed to it."""
        return any(one.grade is Grade.CONFIRMED for one in self.contributions)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditAnswer:
    """What a person answers."""

    not_me: frozenset[str] = frozenset()  #: names of works in which they had no part
    name: str = ""  #: their name in Latin letters, where it is written otherwise
    name_ja: str = ""
    also: str = ""
    withhold: bool = False
    words: str = ""  #: why, in their own words


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCorrection:
    """What somebody says is wrong, about which the production has not decided."""

    entry: int  #: of the ledger
    what: Correction
    statement: Statement
    name: str = ""  #: as they write it
    name_ja: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far one person has confirmed their credits on a show."""

    person: Person
    credited: int  #: images and roles
    confirmed: int
    question: Question | None  #: the last that they were asked

    @property
    def is_done(self) -> bool:
        """Whether they have agreed to all that they are credited for."""
        return self.confirmed == self.credited


def works_of(connection: Connection, project: str, person: str) -> tuple[CreditedWork, ...]:
    """Return all that a person is credited for on a show, by sequence and cut."""
    here, made, version = background_images.c, contributions.c, backgrounds.c
    query = (
        select(here.image_seq, version.project, version.episode, version.sequence, version.shot)
        .join(backgrounds, version.key == here.background_key)
        .join(contributions, made.image_seq == here.image_seq)
        .where(version.project == project, made.actor_kind == "person", made.actor == person)
        .distinct()
        .order_by(version.episode, version.sequence, version.shot, here.image_seq)
    )
    places: dict[int, list[Place]] = {}
    for seq, show, episode, sequence, shot in connection.execute(query):
        place = Place(project=show, episode=episode, sequence=sequence, shot=shot)
        places.setdefault(seq, []).append(place)
    images = RecordReader(connection).images([*places])
    found: dict[str, CreditedWork] = {}
    for seq, cuts in places.items():
        image = images[seq]
        for role in dict.fromkeys(one.role for one in _theirs(image, person)):
            parts = tuple(one for one in _theirs(image, person) if one.role is role)
            work = CreditedWork(image=image, role=role, contributions=parts, places=tuple(cuts))
            before = found.get(work.name)
            if before is not None:
                # The same bytes may be recorded for two cuts.
                both = tuple(dict.fromkeys((*before.places, *cuts)))
                work = replace(before, places=both)
            found[work.name] = work
    return tuple(found.values())


def digest(works: Sequence[CreditedWork]) -> str:
    """Return what tells whether a page still shows what its reader is credited for."""
    names = sorted(work.name for work in works)
    return hashlib.sha256(canonical_json(names).encode()).hexdigest()


def answer(
    connection: Connection,
    asked: Question,
    works: Sequence[CreditedWork],
    given: CreditAnswer,
    at: datetime,
) -> tuple[int, ...] | None:
    """
    Seal a person's answer; return its ledger entries, or None when the question was closed before.

    Args:
        connection: of the caller's transaction.
        asked: what they were asked.
        works: what they were shown.
        given: the answer.
        at: when.

    Raises:
        CreditError: a name is a machine's or too long, or the person is not in the register.
    """
    check_answer(given)
    if not close(connection, asked, at):
        return None
    person = look_up(connection, (asked.person,)).get(asked.person)
    if person is None:
        raise CreditError(f"{asked.person} is not in the register any more.")
    if given.name or given.name_ja:
        # The ledger holds no names: it seals a commitment to what they want to be called.
        name, name_ja = _wanted(person, given)
        register(connection, (Person(id=person.id, name=name, name_ja=name_ja),))
    commitment = note(connection, person)
    maker = _StatementMaker(asked=asked, person=person, at=at)
    stated = [*_about_works(maker, works, given), *_beside(maker, given)]
    return tuple(seal_statement(connection, one, commitment) for one in stated)


def check_answer(given: CreditAnswer) -> None:
    """
    Check what somebody wrote.

    Raises:
        CreditError: a name is a machine's or too long, or a text is too long.
    """
    for name in (given.name, given.name_ja):
        if is_machine_name(name):
            raise CreditError(f"{name!r} is the name of a machine, not of a person.")
        if len(name) > _LONGEST_NAME:
            raise CreditError(f"A name may have {_LONGEST_NAME} characters.")
    if max(len(given.also), len(given.words)) > LONGEST:
        raise CreditError(f"A text may have {LONGEST} characters.")


def open_corrections(connection: Connection, project: str) -> tuple[OpenCorrection, ...]:
    """Return what people say is wrong on a show and nobody has decided about, oldest first."""
    kinds = (StatementKind.CONFIRMATION, StatementKind.CORRECTION)
    stated = list(statements(connection, project=project, kinds=kinds))
    decided = {one.subject for one in stated if one.kind is StatementKind.CORRECTION}
    found: list[OpenCorrection] = []
    for one in stated:
        what = _what(one)
        if what is None or one.key in decided:
            continue
        name, name_ja = _names_in(one) if what is Correction.NAME else ("", "")
        applied = what is Correction.NAME and (one.by.name, one.by.name_ja) == (name, name_ja)
        if applied or (what is Correction.WITHHOLD and one.by.opt_out):
            continue
        entry = entry_of(connection, one.key) or 0
        found.append(
            OpenCorrection(entry=entry, what=what, statement=one, name=name, name_ja=name_ja)
        )
    return tuple(found)


def decide_correction(
    connection: Connection,
    correction: OpenCorrection,
    *,
    accept: bool,
    by: Person,
    reason: str,
    at: datetime,
) -> int:
    """
    Seal what the production decides about a correction; return the ledger entry.

    A contribution that was not the person's is credited to them no more.

    Raises:
        CreditError: it is about a name, and is applied by the register instead; or no reason.
    """
    if accept and correction.what in {Correction.NAME, Correction.WITHHOLD}:
        command = "rename" if correction.what is Correction.NAME else "opt-out"
        raise CreditError(
            f"Entry {correction.entry} is about a name, which the register changes.",
            advice=f"Apply it with `haikei credits {command} {correction.statement.by.id}`.",
        )
    if not reason.strip():
        raise CreditError("Nothing says why.", advice="Give a reason.")
    statement = correction.statement
    decided = Statement(
        key=f"decided/{statement.key}",
        kind=StatementKind.CORRECTION,
        project=statement.project,
        episode=statement.episode,
        sequence=statement.sequence,
        shot=statement.shot,
        image_sha256=statement.image_sha256,
        by=by,
        to=statement.by.id,
        subject=statement.key,
        answer="yes" if accept else "no",
        text=reason,
        reference=f"ledger entry {correction.entry}",
        at=at,
    )
    commitment = note(connection, by)
    entry = seal_statement(connection, decided, commitment)
    if accept and correction.what is Correction.NOT_ME and statement.subject in DRAWING:
        # Whoever did not draw a layout has no part in what is seen of its lines either.
        person, role = statement.by.id, statement.subject
        for sha256 in drawn_parts(connection, statement.image_sha256, person, role):
            also = replace(
                decided,
                key=f"decided/{statement.key}/{sha256[:16]}",
                image_sha256=sha256,
                subject=f"{WRONGLY}{role}/{person}",
                reference=f"ledger entry {entry}",
            )
            seal_statement(connection, also, commitment)
    return entry


def credit_person(
    connection: Connection, *, image_key: str, role: Role, person: Person, source: str, at: datetime
) -> int:
    """
    Credit a person, as the production declares; return the ledger entry.

    Raises:
        CreditError: the role is a tool's, or the person is a machine.
        LedgerError: no image is recorded under this key.
    """
    reinstate(connection, image_key, role, person, why=source, at=at)
    evidence = Evidence(source=source)
    made = Contribution(role=role, actor=person, grade=Grade.DECLARED, evidence=evidence, at=at)
    return contribute(connection, image_key, made)


def image_keys(connection: Connection, sha256: str) -> tuple[str, ...]:
    """Return the keys of all images with these bytes."""
    columns = image_records.c
    query = select(columns.key).where(columns.sha256 == sha256).order_by(columns.ledger_seq)
    return tuple(connection.execute(query).scalars())


def tracker_versions(connection: Connection, project: str, person: str) -> tuple[int, ...]:
    """Return the tracker's Versions that hold a person's work on a show, the newest first."""
    here, made, version = background_images.c, contributions.c, backgrounds.c
    query = (
        select(version.tracker_id)
        .join(background_images, here.background_key == version.key)
        .join(contributions, made.image_seq == here.image_seq)
        .where(version.project == project, made.actor_kind == "person", made.actor == person)
        .where(version.tracker_id.is_not(None))
        .distinct()
        .order_by(version.tracker_id.desc())
    )
    return tuple(int(one) for one in connection.execute(query).scalars() if one is not None)


def standings(connection: Connection, project: str) -> tuple[Standing, ...]:
    """Return everyone who is credited on a show, by id, with how far they have confirmed it."""
    here, made, version = background_images.c, contributions.c, backgrounds.c
    shown = (
        select(here.image_seq)
        .join(backgrounds, version.key == here.background_key)
        .where(version.project == project)
    )
    works = (
        select(image_records.c.sha256, made.actor, made.role)
        .join(contributions, made.image_seq == image_records.c.ledger_seq)
        .where(made.actor_kind == "person", image_records.c.ledger_seq.in_(shown))
        .distinct()
    )
    answers = answers_about(connection)
    answered = {person for _, person, _ in answers.confirmed | answers.withdrawn}
    # A large show has hundreds of thousands of them: the database counts those of people who have
    # not answered, who are nearly all.
    each = works.subquery()
    counts = select(each.c.actor, func.count()).group_by(each.c.actor)
    credited: dict[str, int] = {
        person: number for person, number in connection.execute(counts) if person not in answered
    }
    confirmed: dict[str, int] = {}
    theirs = works.where(made.actor.in_(answered))
    for work in connection.execute(theirs) if answered else ():
        sha256, person, role = work
        if (sha256, person, role) not in answers.withdrawn:
            credited[person] = credited.get(person, 0) + 1
            agreed = (sha256, person, role) in answers.confirmed
            confirmed[person] = confirmed.get(person, 0) + agreed
    people, asked = look_up(connection, credited), newest(connection, project)
    return tuple(
        Standing(
            person=people[id_],
            credited=number,
            confirmed=confirmed.get(id_, 0),
            question=asked.get(id_),
        )
        for id_, number in sorted(credited.items())
    )


def drawn_parts(connection: Connection, sha256: str, person: str, role: str) -> tuple[str, ...]:
    """
    Return the other images of a layout's pictures that name a person for drawing it.

    Args:
        connection: of the caller's transaction.
        sha256: of the layout, or of a picture that was made of it.
        person: the id.
        role: what drawing it is called.
    """
    images, here = image_records.c, background_images.c
    of_it = (
        select(here.background_key)
        .join(image_records, images.ledger_seq == here.image_seq)
        .where(images.sha256 == sha256)
    )
    layouts = (
        select(images.key)
        .join(background_images, here.image_seq == images.ledger_seq)
        .where(here.position == 0, here.background_key.in_(of_it))
        .distinct()
    )
    # A layout has a record of its own for each copy that was marked of it.
    bases = {key.partition("/layout")[0] for key in connection.execute(layouts).scalars()}
    numbers = pictures_of(connection, [f"{base}/layout" for base in sorted(bases)])
    made = contributions.c
    query = (
        select(images.sha256)
        .join(contributions, made.image_seq == images.ledger_seq)
        .where(images.ledger_seq.in_(numbers), made.actor == person, made.role == role)
        .where(images.sha256 != sha256)
        .distinct()
        .order_by(images.sha256)
    )
    return tuple(connection.execute(query).scalars())


def reinstate(
    connection: Connection, image_key: str, role: Role, person: Person, *, why: str, at: datetime
) -> None:
    """
    Let somebody be credited for what was found not to be theirs, as they are named for it anew.

    Args:
        connection: of the caller's transaction.
        image_key: of the image.
        role: what they did.
        person: who.
        why: as declared.
        at: when.
    """
    query = select(image_records.c.sha256).where(image_records.c.key == image_key)
    sha256 = connection.execute(query).scalar_one()
    if (sha256, person.id, role.value) not in answers_about(connection, {sha256}).withdrawn:
        return
    statement = Statement(
        key=f"named/{sha256[:16]}/{role.value}/{person.id}/{at.isoformat()}",
        kind=StatementKind.CORRECTION,
        project="",
        sequence="",
        shot="",
        image_sha256=sha256,
        by=person,
        to="",
        subject=f"{WRONGLY}{role.value}/{person.id}",
        answer="no",
        text=why,
        reference="",
        at=at,
    )
    seal_statement(connection, statement, note(connection, person))


def disowned_artists(connection: Connection, layout: str) -> frozenset[str]:
    """Return who is recorded to have drawn a layout, and did not, as is sealed since."""
    query = select(image_records.c.sha256).where(
        begins_with(image_records.c.key, layout),
        image_records.c.kind == ImageKind.LAYOUT.value,
    )
    hashes = connection.execute(query).scalars().all()
    return frozenset(one for one, role in disowned(connection, hashes) if role in DRAWING)


def disowned(connection: Connection, hashes: Collection[str]) -> frozenset[tuple[str, str]]:
    """Return who is recorded to have made one of these images and did not, and in which role."""
    if not hashes:
        return frozenset()
    withdrawn = answers_about(connection, hashes).withdrawn
    return frozenset((person, role) for _, person, role in withdrawn)


def pictures_of(connection: Connection, layouts: Sequence[str]) -> tuple[int, ...]:
    """Return the layouts whose keys begin so, and the pictures that were made of them."""
    key, here = image_records.c, background_images.c
    begin = or_(false(), *(begins_with(key.key, one) for one in layouts))
    drawn = select(key.ledger_seq).where(begin, key.key.contains("/layout")).scalar_subquery()
    keys = select(here.background_key).where(here.position == 0, here.image_seq.in_(drawn))
    query = (
        select(here.image_seq)
        .where(here.background_key.in_(keys.scalar_subquery()))
        .distinct()
        .order_by(here.image_seq)
    )
    return tuple(connection.execute(query).scalars())


@dataclass(frozen=True, slots=True, kw_only=True)
class _StatementMaker:
    asked: Question
    person: Person
    at: datetime

    def statement(self, number: str, subject: str, yes_or_no: str, text: str) -> Statement:
        """Return one statement about the whole show."""
        return Statement(
            key=f"confirmation/{self.asked.id}/{number}",
            kind=StatementKind.CONFIRMATION,
            project=self.asked.project,
            sequence="",
            shot="",
            image_sha256="",
            by=self.person,
            to="",
            subject=subject,
            answer=yes_or_no,
            text=text,
            reference=f"link of {self.asked.asked_at:%Y-%m-%d} by {self.asked.way}",
            at=self.at,
        )


def _about_works(
    maker: _StatementMaker, works: Sequence[CreditedWork], given: CreditAnswer
) -> Iterator[Statement]:
    for number, work in enumerate(works):
        mine = work.name not in given.not_me
        text = "This is my work." if mine else f"This is not my work. {given.words}".strip()
        one = maker.statement(str(number), work.role.value, "yes" if mine else "no", text)
        place = work.places[0] if len(work.places) == 1 else _ALL
        yield replace(
            one,
            image_sha256=work.image.sha256,
            episode=place.episode,
            sequence=place.sequence,
            shot=place.shot,
        )


def _beside(maker: _StatementMaker, given: CreditAnswer) -> Iterator[Statement]:
    if given.name or given.name_ja:
        # Sealed as a commitment: what stands in a text is looked for in the register's names.
        name, name_ja = _wanted(maker.person, given)
        text = f"My name is written:\n{name}\n{name_ja}"
        yield maker.statement("name", Correction.NAME.value, "no", text)
    if given.also:
        yield maker.statement("also", Correction.ALSO.value, "no", given.also)
    if given.withhold:
        text = f"Do not name me in credits. {given.words}".strip()
        yield maker.statement("withhold", Correction.WITHHOLD.value, "no", text)


def _theirs(image: ImageRecord, person: str) -> Iterator[Contribution]:
    for one in image.contributions:
        if isinstance(one.actor, Person) and one.actor.id == person:
            yield one


def _wanted(person: Person, given: CreditAnswer) -> tuple[str, str]:
    return given.name or person.name, given.name_ja or person.name_ja


def _names_in(statement: Statement) -> tuple[str, str]:
    _, name, name_ja = (*statement.text.split("\n"), "", "")[:3]
    return name, name_ja


def _what(statement: Statement) -> Correction | None:
    """Return what a statement says is wrong; None when it agrees, or is none of these."""
    if statement.kind is not StatementKind.CONFIRMATION or statement.answer != "no":
        return None
    return Correction.NOT_ME if statement.image_sha256 else Correction(statement.subject)
