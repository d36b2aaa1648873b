"""Read images and versions back from their rows, and the graph of images by content hash."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import (
    ClauseElement,
    Column,
    ColumnClause,
    Connection,
    String,
    bindparam,
    func,
    literal_column,
    select,
    type_coerce,
)

from haikei.credits.contribution import (
    ASKED_FOR,
    DISOWNED,
    Contribution,
    Evidence,
    Facet,
    Grade,
    Person,
    Role,
    SourceType,
    System,
)
from haikei.credits.people.erasing import Mentions
from haikei.credits.record import (
    BackgroundVersion,
    ImageKind,
    ImageRecord,
    Ingredient,
    Relation,
    Statement,
    StatementKind,
)
from haikei.credits.records.record_sealing import read_measured
from haikei.credits.records.statements import about_cut, standing_of
from haikei.credits.records.statements import statements as stated
from haikei.database import (
    background_images,
    backgrounds,
    contributions,
    image_records,
    ingredients,
    people,
    statements,
    systems,
)
from haikei.decisions import ReviewState
from haikei.show import Place

# Looking a value up is several times faster than asking the enumeration to find its member.
_KINDS = {kind.value: kind for kind in ImageKind}
_SOURCES = {source.value: source for source in SourceType}
_RELATIONS = {relation.value: relation for relation in Relation}
_ROLES = {role.value: role for role in Role}
_GRADES = {grade.value: grade for grade in Grade}
_STATES = {state.value: state for state in ReviewState}

# Where the numbers of images are put into a query's text.
_HERE = "wanted_numbers"
_NUMBERS: tuple[ColumnClause[int], ...] = (literal_column(_HERE),)
_version = backgrounds.c
#: The columns of a version that `RecordReader` takes, in this order; the first seven sort versions.
VERSION_COLUMNS: tuple[Column[Any], ...] = (
    _version.project,
    _version.episode,
    _version.sequence,
    _version.shot,
    _version.season,
    _version.time,
    _version.version,
    _version.key,
    _version.code,
    _version.tracker_id,
    _version.url,
    _version.state,
    _version.created_at,
)
_KEY = VERSION_COLUMNS.index(_version.key)
_image = image_records.c
_contribution = contributions.c
_IMAGES = select(
    _image.ledger_seq,
    _image.key,
    _image.sha256,
    _image.pixels_sha256,
    _image.kind,
    _image.source_type,
    _image.request,
    _image.path,
    type_coerce(_image.created_at, String),
    _image.fingerprint,
).where(_image.ledger_seq.in_(_NUMBERS))
_INGREDIENTS = (
    select(ingredients.c.image_seq, ingredients.c.sha256, ingredients.c.relation)
    .where(ingredients.c.image_seq.in_(_NUMBERS))
    .order_by(ingredients.c.image_seq, ingredients.c.position)
)
_CONTRIBUTIONS = (
    select(
        _contribution.image_seq,
        _contribution.role,
        _contribution.actor_kind,
        _contribution.actor,
        _contribution.grade,
        _contribution.source,
        _contribution.sha256,
        _contribution.measured,
        _contribution.minutes,
        _contribution.note,
        type_coerce(_contribution.at, String),
    )
    .where(_contribution.image_seq.in_(_NUMBERS))
    .order_by(_contribution.image_seq, _contribution.position)
)
_MAKING = frozenset({Facet.LAYOUT, Facet.TOUCH_UP})
#: Statements that change how contributions are known, or that they are.
ANSWERING = (StatementKind.CONFIRMATION, StatementKind.CORRECTION)
#: How the subject of a correction begins that takes a part away: then role and id.
WRONGLY = "wrongly/"
# What people answered about images, and what was decided about that: values stand in the text, as
# the numbers do.
_ANSWERS = (
    select(
        statements.c.image_sha256,
        statements.c.by,
        statements.c.subject,
        statements.c.answer,
        statements.c.key,
    )
    .join(image_records, _image.sha256 == statements.c.image_sha256)
    .where(
        statements.c.kind.in_([literal_column(f"'{kind.value}'") for kind in ANSWERING]),
        _image.ledger_seq.in_(_NUMBERS),
    )
    .order_by(statements.c.ledger_seq)
)
_PLACES = (
    select(background_images.c.background_key, background_images.c.image_seq)
    .where(background_images.c.background_key.in_(bindparam("keys", expanding=True)))
    .order_by(background_images.c.background_key, background_images.c.position)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What people say of their own contributions: each is image, person and role."""

    confirmed: frozenset[tuple[str, str, str]]
    #: "Not me", to which the production has agreed; and who drew it, as was stated since.
    withdrawn: frozenset[tuple[str, str, str]]

    @classmethod
    def of(cls, rows: Iterable[Sequence[Any]]) -> "Answers":
        """Return the answers in rows of statements about images, the earliest first."""
        answers: dict[tuple[str, str, str], bool] = {}
        denials: dict[str, tuple[str, str, str]] = {}
        withdrawn: set[tuple[str, str, str]] = set()
        for sha256, by, subject, answer, key in rows:
            if subject.startswith(WRONGLY):
                role, _, person = subject.removeprefix(WRONGLY).partition("/")
                change = withdrawn.add if answer == "yes" else withdrawn.discard
                change((sha256, person, role))
            elif subject in denials:
                if answer == "yes":
                    withdrawn.add(denials[subject])
            elif subject in _ROLES:
                one = (sha256, by, subject)
                answers[one] = answer == "yes"
                if answer == "no":
                    denials[key] = one
        agreed = frozenset(one for one, yes in answers.items() if yes)
        return cls(confirmed=agreed - withdrawn, withdrawn=frozenset(withdrawn))


class RecordReader:
    """
    Makes records of rows on one connection.

    People and systems are read once: a reader is for one look at the records, not to be kept.
    Images of the versions read last are at hand for the next, since neighbours share them.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._recent: dict[int, ImageRecord] = {}
        self._declared: dict[str, tuple[Statement, ...]] = {}

    @cached_property
    def _people(self) -> Mapping[str, Person]:
        rows = self._connection.execute(
            select(people.c.id, people.c.name, people.c.name_ja, people.c.opt_out)
        )
        return {
            row.id: Person(id=row.id, name=row.name, name_ja=row.name_ja, opt_out=row.opt_out)
            for row in rows
        }

    @cached_property
    def _systems(self) -> Mapping[str, System]:
        return {
            row.id: System(
                name=row.name,
                version=row.version,
                source_type=SourceType(row.source_type),
                sha256=row.sha256,
                licence=row.licence,
                data=row.data,
            )
            for row in self._connection.execute(select(systems))
        }

    @cached_property
    def _mentions(self) -> Mentions:
        return Mentions.load(self._connection)

    def backgrounds(self, rows: Sequence[Sequence[Any]]) -> Iterable[BackgroundVersion]:
        """Yield the versions of rows of `VERSION_COLUMNS`, in their order."""
        if not rows:
            return
        places: dict[str, list[int]] = {row[_KEY]: [] for row in rows}
        for key, seq in self._connection.execute(_PLACES, {"keys": [*places]}).all():
            places[key].append(seq)
        images = self.images(dict.fromkeys(seq for seqs in places.values() for seq in seqs))
        for row in rows:
            project, episode, sequence, shot, season, time, version, *of_row = row
            key, code, id_, url, state, at = of_row
            seqs = places[key]
            place = Place(project=project, episode=episode, sequence=sequence, shot=shot)
            yield BackgroundVersion(
                key=key,
                project=project,
                episode=episode,
                sequence=sequence,
                shot=shot,
                season=season,
                time=time,
                version=version,
                code=code,
                tracker_id=id_,
                url=url,
                state=_STATES[state],
                images=tuple([images[seq] for seq in seqs]),
                ledger=tuple(seqs),
                created_at=at,
                hand_drawn=self._hand_drawn(place, [images[n] for n in seqs]),
                hand_painted=self._hand_painted(place, [images[n] for n in seqs]),
            )

    def _hand_drawn(self, place: Place, images: Sequence[ImageRecord]) -> Statement | None:
        declared = self._manners(place.project, StatementKind.HAND_DRAWN)
        if not declared:
            return None
        shown = {image.sha256 for image in images if image.kind is ImageKind.LAYOUT}
        return standing_of(declared, place, images=shown)

    def _hand_painted(self, place: Place, images: Sequence[ImageRecord]) -> tuple[Statement, ...]:
        declared = self._manners(place.project, StatementKind.HAND_PAINTED)
        if not declared:
            return ()
        shown = {image.sha256 for image in images if image.kind is ImageKind.TOUCH_UP}
        return about_cut(declared, place, images=shown)

    def _manners(self, project: str, kind: StatementKind) -> tuple[Statement, ...]:
        if project not in self._declared:
            kinds = (StatementKind.HAND_DRAWN, StatementKind.HAND_PAINTED)
            found = stated(self._connection, project=project, kinds=kinds)
            self._declared[project] = tuple(found)
        return tuple(one for one in self._declared[project] if one.kind is kind)

    def images(self, seqs: Iterable[int]) -> Mapping[int, ImageRecord]:
        """Return images by the numbers of their ledger entries."""
        recent = self._recent
        found = {seq: recent[seq] for seq in seqs if seq in recent}
        missing = [seq for seq in seqs if seq not in found]
        if missing:
            self._read(sorted(missing), found)
        self._recent = found
        return found

    def _rows(self, query: ClauseElement, seqs: Sequence[int]) -> Sequence[Sequence[Any]]:
        # A large show has a million of these rows. Bare tuples of the driver, and numbers in the
        # query's text, take two thirds of the time of the library's rows and lists of parameters.
        numbers = ",".join(str(int(seq)) for seq in seqs)
        text = str(query.compile(dialect=self._connection.dialect)).replace(_HERE, numbers)
        with closing(self._connection.connection.cursor()) as cursor:
            cursor.execute(text)
            return cursor.fetchall()

    def _read(self, seqs: list[int], found: dict[int, ImageRecord]) -> None:
        made_from: dict[int, list[Ingredient]] = {seq: [] for seq in seqs}
        for seq, sha256, relation in self._rows(_INGREDIENTS, seqs):
            made_from[seq].append(Ingredient(sha256=sha256, relation=_RELATIONS[relation]))
        made_by: dict[int, list[Contribution]] = {seq: [] for seq in seqs}
        self._contributions(seqs, made_by)
        answers = Answers.of(self._rows(_ANSWERS, seqs))
        for row in self._rows(_IMAGES, seqs):
            seq, key, sha256, pixels_sha256, kind, source_type, request, path, at, fingerprint = row
            found[seq] = ImageRecord(
                key=key,
                sha256=sha256,
                pixels_sha256=pixels_sha256,
                kind=_KINDS[kind],
                source_type=_SOURCES[source_type],
                ingredients=tuple(made_from[seq]),
                contributions=answered(made_by[seq], sha256, answers),
                request_json=request,
                path=path,
                created_at=datetime.fromisoformat(at),
                fingerprint=fingerprint,
            )

    def _contributions(self, seqs: list[int], made_by: Mapping[int, list[Contribution]]) -> None:
        persons, machines = self._people, self._systems
        asked: set[int] = set()
        for row in self._rows(_CONTRIBUTIONS, seqs):
            seq, role, kind, actor, grade, source, sha256, measured, minutes, note, at = row
            change, recall = read_measured(measured) if measured else (None, None)
            if "{person" in source or "{person" in note:
                source, note = self._mentions.show(source), self._mentions.show(note)
            made_by[seq].append(
                Contribution(
                    role=_ROLES[role],
                    actor=persons[actor] if kind == "person" else machines[actor],
                    grade=_GRADES[grade],
                    evidence=Evidence(
                        source=source,
                        sha256=sha256,
                        change=change,
                        recall=recall,
                        minutes=minutes,
                        note=note,
                    ),
                    at=datetime.fromisoformat(at),
                )
            )
            if actor.startswith(ASKED_FOR):
                asked.add(seq)
        for seq in asked:
            made_by[seq][:] = _without_answered(made_by[seq])


def _without_answered(contributions: Sequence[Contribution]) -> list[Contribution]:
    """Return contributions without those of people not yet named, where somebody is by now."""
    named = {
        one.role
        for one in contributions
        if isinstance(one.actor, Person) and not one.actor.is_asked_for
    }
    return [
        one
        for one in contributions
        if not (isinstance(one.actor, Person) and one.actor.is_asked_for and one.role in named)
    ]


def answered(
    made: Sequence[Contribution], sha256: str, answers: Answers
) -> tuple[Contribution, ...]:
    """
    Return the contributions to an image as people's answers leave them.

    What was drawn, painted or run by somebody was so: where nobody is left who did it, it is by
    somebody who is not yet named.
    """
    if not answers.confirmed and not answers.withdrawn:
        return tuple(made)
    parts = [_part(one) for one in made]
    found: list[Contribution] = []
    for place, disowned in _standing(parts, sha256, answers):
        one = made[place]
        if disowned:
            one = replace(one, actor=Person(id=f"{DISOWNED}{sha256[:16]}", name=""))
        elif (sha256, parts[place].person, one.role.value) in answers.confirmed:
            one = replace(one, grade=Grade.CONFIRMED, found=one.grade)
        found.append(one)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Part:
    role: Role
    person: str  #: the id; empty of a system
    recall: bool  #: that a layout's lines are seen is measured, and is no work of its own


def _part(one: Contribution) -> _Part:
    person = one.actor.id if isinstance(one.actor, Person) else ""
    return _Part(one.role, person, one.evidence.recall is not None)


def _standing(parts: Sequence[_Part], sha256: str, answers: Answers) -> list[tuple[int, bool]]:
    """Return the places of the parts that stand, and whether they are nobody's any more."""
    gone = {
        place
        for place, one in enumerate(parts)
        if (sha256, one.person, one.role.value) in answers.withdrawn
    }
    known = {one.role for place, one in enumerate(parts) if one.person and place not in gone}
    return [
        (place, place in gone)
        for place, one in enumerate(parts)
        if place not in gone
        or (
            one.role not in known
            and not one.recall
            and (one.role is Role.AI_OPERATION or one.role.facet in _MAKING)
        )
    ]


def answers_about(connection: Connection, hashes: Collection[str] = ()) -> Answers:
    """Return what people answered about the images with these bytes; about all, when empty."""
    query = select(*_ANSWERS.selected_columns).where(
        statements.c.kind.in_([kind.value for kind in ANSWERING]), statements.c.image_sha256 > ""
    )
    if hashes:
        query = query.where(statements.c.image_sha256.in_(hashes))
    return Answers.of(connection.execute(query.order_by(statements.c.ledger_seq)))


def seals(connection: Connection, image_entry: int) -> tuple[int, ...]:
    """Return the ledger entry of each contribution to an image as read: its own, or a later one."""
    made = _contribution
    query = (
        select(
            made.ledger_seq, made.role, made.actor_kind, made.actor, made.measured, _image.sha256
        )
        .join(image_records, _image.ledger_seq == made.image_seq)
        .where(made.image_seq == image_entry)
        .order_by(made.position)
    )
    rows = connection.execute(query).all()
    named = {
        row.role
        for row in rows
        if row.actor_kind == "person" and not row.actor.startswith(ASKED_FOR)
    }
    rows = [row for row in rows if not (row.actor.startswith(ASKED_FOR) and row.role in named)]
    parts = [
        _Part(
            _ROLES[row.role],
            row.actor if row.actor_kind == "person" else "",
            bool(row.measured) and read_measured(row.measured)[1] is not None,
        )
        for row in rows
    ]
    sha256 = rows[0].sha256 if rows else ""
    answers = answers_about(connection, {sha256}) if rows else Answers.of(())
    return tuple(
        image_entry if rows[place].ledger_seq is None else rows[place].ledger_seq
        for place, _ in _standing(parts, sha256, answers)
    )


_ASKED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One image was made from another."""

    image: str  #: SHA-256 of the later image
    ingredient: str  #: SHA-256 of the earlier one
    relation: Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """An image's place in the graph."""

    sha256: str  #: whose it is
    images: tuple[ImageRecord, ...]  #: each after what it was made from
    edges: tuple[Edge, ...]
    missing: tuple[str, ...]  #: hashes that are named and for which there is no record
    circular: tuple[str, ...]  #: hashes of images recorded as made from themselves


def lineage(connection: Connection, sha256: str, *, descendants: bool = False) -> Lineage:
    """
    Return an image with everything that it was made from, as far as is recorded.

    A record may be wrong: what is missing or goes in a circle is reported and not followed.

    Args:
        connection: of the caller's transaction.
        sha256: of the image's file. Without a record of it, the lineage holds no image.
        descendants: also follow what was made from it, and what that was made from.
    """
    reader = RecordReader(connection)
    found: dict[str, ImageRecord] = {}
    missing: set[str] = set()
    above = {sha256}
    below = {sha256} if descendants else set[str]()
    while above or below:
        made_from_them = _made_from(connection, below) - found.keys()
        asked = (above | made_from_them) - found.keys() - missing
        new = _images(connection, reader, asked)
        missing |= asked - new.keys()
        found |= new
        above = {one.sha256 for image in new.values() for one in image.ingredients}
        above -= found.keys() | missing
        below = made_from_them & new.keys()
    edges = tuple(
        dict.fromkeys(
            Edge(image=image.sha256, ingredient=one.sha256, relation=one.relation)
            for image in found.values()
            for one in image.ingredients
        )
    )
    order, circular = _in_order(found, edges)
    return Lineage(
        sha256=sha256,
        images=tuple(found[name] for name in order),
        edges=edges,
        missing=tuple(sorted(missing)),
        circular=circular,
    )


def _images(
    connection: Connection, reader: RecordReader, hashes: Collection[str]
) -> dict[str, ImageRecord]:
    columns = image_records.c
    found: dict[str, ImageRecord] = {}
    for part in _parts(hashes):
        # The same bytes may be recorded twice, as a layout of two cuts: the first record counts.
        query = select(func.min(columns.ledger_seq)).where(columns.sha256.in_(part))
        seqs = connection.execute(query.group_by(columns.sha256)).scalars().all()
        found |= {image.sha256: image for image in reader.images(seqs).values()}
    return found


def _made_from(connection: Connection, hashes: Collection[str]) -> set[str]:
    found: set[str] = set()
    for part in _parts(hashes):
        query = (
            select(image_records.c.sha256)
            .join(ingredients, ingredients.c.image_seq == image_records.c.ledger_seq)
            .where(ingredients.c.sha256.in_(part))
        )
        found.update(connection.execute(query).scalars())
    return found


def _parts(hashes: Collection[str]) -> Iterable[list[str]]:
    given = sorted(hashes)
    return (given[start : start + _ASKED] for start in range(0, len(given), _ASKED))


def _in_order(
    found: Mapping[str, ImageRecord], edges: Iterable[Edge]
) -> tuple[list[str], tuple[str, ...]]:
    """Return the images, each after its ingredients, and those that go in a circle last."""
    waits: dict[str, set[str]] = {name: set() for name in found}
    led_to: dict[str, set[str]] = {name: set() for name in found}
    for edge in edges:
        if edge.ingredient in found:
            waits[edge.image].add(edge.ingredient)
            led_to[edge.ingredient].add(edge.image)
    key = {name: (image.created_at, image.key) for name, image in found.items()}
    ready = sorted((name for name, above in waits.items() if not above), key=key.__getitem__)
    order: list[str] = []
    for name in ready:
        order.append(name)
        freed: list[str] = []
        for later in led_to[name]:
            waits[later].discard(name)
            if not waits[later]:
                freed.append(later)
        # The list grows while it is walked: what became ready is taken in its turn.
        ready.extend(sorted(freed, key=key.__getitem__))
    stuck = sorted(found.keys() - set(order), key=key.__getitem__)
    return [*order, *stuck], tuple(name for name in stuck if _reaches(name, waits))


def _reaches(name: str, waits: Mapping[str, set[str]]) -> bool:
    """Tell whether an image is among its own ingredients, at any distance."""
    seen: set[str] = set()
    open_ = list(waits[name])
    while open_:
        one = open_.pop()
        if one == name:
            return True
        if one not in seen:
            seen.add(one)
            open_.extend(waits[one])
    return False
