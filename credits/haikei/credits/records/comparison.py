"""
Compare the tables that everything is read from with what the ledger seals, names included.

The ledger's hashes say that no entry was changed. Reports and credits read tables beside it, which
whoever can write to the database can change too; here every row is held against its entry.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import Connection, func, or_, select

from haikei.credits.contribution import Person
from haikei.credits.naming import WITHHELD, WITHHELD_JA
from haikei.credits.people.commitments import commit, name_key
from haikei.credits.record import StatementKind
from haikei.credits.records.record_sealing import VERSION, moment, request_sha256
from haikei.database import begins_with, schema

_AT_ONCE = 200
_CHANGED = "somebody changed it without Haikei."


@dataclass(frozen=True, slots=True)
class SealedNames:
    """What entries seal of people's names."""

    #: The last entry that commits to a person's name, and the commitment, by the person's id.
    last: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    withheld: dict[str, int] = field(default_factory=dict[str, int])
    erased: dict[str, int] = field(default_factory=dict[str, int])

    def take(self, seq: int, sealed: Mapping[str, Any]) -> None:
        """Note whose names an entry commits to, and what it decides about them."""
        made = [one.get("actor") for one in sealed.get("contributions", ())]
        made += [sealed.get("contribution", {}).get("actor"), sealed.get("by")]
        for one in made:
            if one is None or "commitment" not in one:
                continue
            if one["id"] not in self.last or self.last[one["id"]][0] < seq:
                self.last[one["id"]] = (seq, one["commitment"])
        match sealed.get("kind"):
            case StatementKind.NAME_WITHHELD.value:
                self.withheld.setdefault(sealed["by"]["id"], seq)
            case StatementKind.NAME_ERASED.value:
                self.erased.setdefault(sealed["by"]["id"], seq)
            case _:
                pass

    def keys(self) -> tuple[str, ...]:
        """Return what the keys of entries about these people's names begin with."""
        return tuple(f"statement/{name_key(id_)}" for id_ in sorted(self.last))


def entries_about(connection: Connection, keys: Collection[str]) -> Iterator[tuple[int, str]]:
    """Yield number and payload of the entries whose keys begin so, in order."""
    columns = schema.ledger.c
    ordered = sorted(keys)
    found: dict[int, str] = {}
    for start in range(0, len(ordered), _AT_ONCE):
        # A range is looked up in the index; `LIKE` is not, on every database. What follows are
        # hexadecimal digits, which come before `g` in every collation.
        among = (columns.key.between(key, f"{key}g") for key in ordered[start : start + _AT_ONCE])
        query = select(columns.seq, columns.payload).where(or_(*among))
        found |= {row.seq: row.payload for row in connection.execute(query)}
    yield from sorted(found.items())


def name_differences(
    connection: Connection, sealed: SealedNames, *, everyone: bool
) -> Iterator[str]:
    """
    Yield a sentence for each person who is printed otherwise than was sealed last.

    Args:
        connection: one that sees the tables at one moment.
        sealed: what the ledger says of the people to look at.
        everyone: look at the people in the register of whom it says nothing too.
    """
    opened: dict[str, set[tuple[str, str, str]]] = {}
    columns = schema.name_openings.c
    names = (columns.commitment, columns.person, columns.name, columns.name_ja, columns.salt)
    for row in connection.execute(select(*names)):
        person = Person(id=row.person, name=row.name, name_ja=row.name_ja)
        if commit(person, row.salt) == row.commitment:
            opened.setdefault(row.person, set()).add((row.name, row.name_ja, row.commitment))
    register = {row.id: row for row in connection.execute(select(schema.people))}
    for id_ in sorted({*sealed.last, *(register if everyone else ())}):
        if id_ not in register:
            seq = sealed.last[id_][0]
            yield f"{id_}, whom entry {seq} names, is not in the register any more."
            continue
        yield from _person(register[id_], sealed, opened.get(id_, set()))


def _person(
    row: Any, sealed: SealedNames, opened: Collection[tuple[str, str, str]]
) -> Iterator[str]:
    erased, withheld = sealed.erased.get(row.id), sealed.withheld.get(row.id)
    if erased is not None:
        if row.name or row.name_ja or row.erased_at is None:
            yield f"The name of {row.id} is kept, though entry {erased} seals that it was erased."
        return
    if row.erased_at is not None:
        yield f"The name of {row.id} was erased, and nothing sealed says so; {_CHANGED}"
        return
    if row.opt_out and withheld is None:
        yield (
            f"The name of {row.id} is withheld from credits, and nothing sealed says that they "
            f"asked for it; {_CHANGED}"
        )
    if withheld is not None and not row.opt_out:
        yield f"{row.id} is named, though entry {withheld} seals that they asked not to be."
    named = {commitment for *name, commitment in opened if name == [row.name, row.name_ja]}
    last = sealed.last.get(row.id)
    if (row.name or row.name_ja or last is not None) and not named:
        yield (
            f"The name that is printed for {row.id} is not one that was recorded for them; "
            f"{_CHANGED}"
        )
    elif last is not None and last[1] not in named:
        yield (
            f"The name that is printed for {row.id} is not the one that entry {last[0]} seals, "
            f"which is their last; {_CHANGED}"
        )


Tell = Callable[[int, int], None]  #: called with entries done and entries in all
_Json = dict[str, Any]
#: How the name of a published version ends.
_NUMBERED = re.compile(r"_v(\d+)$")
_CHUNK = 1000
#: Of an image these stand with its version, and are held against the entry there.
_PLACE = ("project", "episode", "sequence", "shot")
#: What a finding calls the parts of a sealed record that read badly as they are.
_WORDS = {"by": "who said it", "at": "when it was", "contributions": "who made it"}
_FIELDS = ("kind", "project", "sequence", "shot", "image_sha256", "subject", "answer")
_TEXTS = ("to", "text", "reference")


def differences(
    connection: Connection, *, only: Collection[int] = (), tell: Tell | None = None
) -> Iterator[str]:
    """
    Yield a sentence for each row that is not what its ledger entry seals, and each that is gone.

    Texts from which a name was erased may differ. A name must be the last that was sealed for its
    person, and withheld or erased only if that was sealed too. The ledger's own hashes are not
    looked at: that is the audit's part.

    Args:
        connection: one that sees the tables at one moment.
        only: numbers of the entries to look at, and the people in them; all of them when empty.
        tell: called with the progress.
    """
    columns = schema.ledger.c
    numbers: Sequence[int] = sorted(only) or [
        *connection.execute(select(columns.seq).order_by(columns.seq)).scalars()
    ]
    systems = _systems(connection)
    names = SealedNames()
    for start in range(0, len(numbers), _CHUNK):
        seqs = numbers[start : start + _CHUNK]
        query = select(columns.seq, columns.payload).where(columns.seq.in_(seqs))
        sealed = {row.seq: _payload(row.payload) for row in connection.execute(query)}
        for seq in sorted(sealed):
            names.take(seq, sealed[seq] or {})
        kept = _kept(connection, seqs, systems)
        for seq in seqs:
            finding = _difference(seq, _without_commitments(sealed.get(seq)), kept.get(seq))
            if finding:
                yield finding
        if tell is not None:
            tell(start + len(seqs), len(numbers))
    if not only:
        yield from _rows_without_entry(connection)
        yield from _in_no_version(connection)
    yield from _left_out(connection, only)
    yield from _out_of_order(connection, only)
    yield from _moved(connection, only)
    yield from _in_another_light(connection, only)
    yield from _reopened(connection, names.last if only else None)
    if only:
        for seq, text in entries_about(connection, names.keys()):
            names.take(seq, _payload(text) or {})
    yield from name_differences(connection, names, everyone=not only)


def _payload(text: str) -> _Json | None:
    """Return what a payload seals; None when it is none of ours."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    if not isinstance(found, dict) or found.get("v") != VERSION:
        return None
    plain: _Json = found
    return plain


def _without_commitments(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_commitments(one) for one in value]
    if isinstance(value, dict):
        return {key: _without_commitments(one) for key, one in value.items() if key != "commitment"}
    return value


def _difference(seq: int, sealed: _Json | None, kept: _Json | None) -> str:
    known = {"image", "contribution", "statement"}
    if sealed is None or sealed.get("type") not in known:
        return "" if kept is None else f"Entry {seq} does not seal what is kept under its number."
    if kept is None:
        return f"Entry {seq} seals {_called(sealed)}, and the record of it is gone."
    if kept["type"] != sealed["type"]:
        return f"Entry {seq} seals {_called(sealed)}, and something else is kept under its number."
    # A cut's names stand in the image's entry for those who read the ledger; the rows that say
    # them are the versions'.
    unlike = [
        key
        for key in dict.fromkeys((*sealed, *kept))
        if not (sealed["type"] == "image" and key in _PLACE)
        and not _alike(sealed.get(key), kept.get(key))
    ]
    if not unlike:
        return ""
    parts = ", ".join(_WORDS.get(key, key) for key in unlike)
    return f"Entry {seq} seals {_called(sealed)}; what is kept differs in {parts}."


def _called(sealed: _Json) -> str:
    match sealed["type"]:
        case "image":
            return f"the image {sealed.get('path') or sealed.get('key')}"
        case "statement":
            return f"a statement ({sealed.get('kind')})"
        case _:
            role = sealed.get("contribution", {}).get("role", "")
            return f"a contribution ({role}) to {sealed.get('image', {}).get('key', '')}"


def _alike(sealed: Any, kept: Any) -> bool:
    if isinstance(sealed, dict) and isinstance(kept, dict):
        return sealed.keys() == kept.keys() and all(
            _alike(sealed[key], kept[key]) for key in sealed
        )
    if isinstance(sealed, list) and isinstance(kept, list):
        return len(sealed) == len(kept) and all(map(_alike, sealed, kept))
    if isinstance(sealed, str) and isinstance(kept, str) and sealed != kept:
        # A name that somebody typed before its owner was registered was taken out of our copy.
        return WITHHELD in kept or WITHHELD_JA in kept
    return bool(sealed == kept)


def _kept(
    connection: Connection, seqs: Sequence[int], systems: Mapping[str, _Json]
) -> dict[int, _Json]:
    """Return what the tables hold under some numbers of entries, in the sealed form."""
    images, later, statements = schema.image_records, schema.contributions, schema.statements
    kept: dict[int, _Json] = {}
    for row in connection.execute(select(images).where(images.c.ledger_seq.in_(seqs))):
        kept[row.ledger_seq] = _image(row)
    parents = schema.ingredients
    query = select(parents).where(parents.c.image_seq.in_(seqs))
    for row in connection.execute(query.order_by(parents.c.image_seq, parents.c.position)):
        if row.image_seq in kept:
            found = {"sha256": row.sha256, "relation": row.relation}
            kept[row.image_seq]["ingredients"].append(found)
    query = select(later).where(later.c.image_seq.in_(seqs), later.c.ledger_seq.is_(None))
    for row in connection.execute(query.order_by(later.c.image_seq, later.c.position)):
        if row.image_seq in kept:
            kept[row.image_seq]["contributions"].append(_contribution(row, systems))
    query = select(later, images.c.key, images.c.sha256.label("image_sha256")).join(
        images, images.c.ledger_seq == later.c.image_seq
    )
    for row in connection.execute(query.where(later.c.ledger_seq.in_(seqs))):
        kept[row.ledger_seq] = {
            "v": VERSION,
            "type": "contribution",
            "image": {"key": row.key, "sha256": row.image_sha256},
            "contribution": _contribution(row, systems),
        }
    for row in connection.execute(select(statements).where(statements.c.ledger_seq.in_(seqs))):
        kept[row.ledger_seq] = {
            "v": VERSION,
            "type": "statement",
            "key": row.key,
            "by": {"id": row.by},
            "at": moment(row.at),
            **{name: getattr(row, name) for name in (*_FIELDS, *_TEXTS)},
            **({"episode": row.episode} if row.episode else {}),
        }
    return kept


def _image(row: Any) -> _Json:
    found: _Json = {
        "v": VERSION,
        "type": "image",
        "ingredients": [],
        "contributions": [],
        "created_at": moment(row.created_at),
        **{
            name: getattr(row, name)
            for name in ("key", "sha256", "pixels_sha256", "kind", "source_type", "path")
        },
    }
    if row.request:
        erased = WITHHELD in row.request or WITHHELD_JA in row.request
        found["request_sha256"] = WITHHELD if erased else request_sha256(row.request)
    if row.fingerprint:
        found["fingerprint"] = row.fingerprint
    return found


def _contribution(row: Any, systems: Mapping[str, _Json]) -> _Json:
    known: _Json = {"source": row.source}
    for name in ("sha256", "note"):
        if getattr(row, name):
            known[name] = getattr(row, name)
    if row.minutes is not None:
        known["minutes"] = row.minutes
    if row.measured:
        known |= json.loads(row.measured)
    person = row.actor_kind == "person"
    return {
        "role": row.role,
        "actor": {"id": row.actor} if person else systems.get(row.actor, {}),
        "grade": row.grade,
        "evidence": known,
        "at": moment(row.at),
    }


def _systems(connection: Connection) -> dict[str, _Json]:
    rows = connection.execute(select(schema.systems)).mappings()
    return {row["id"]: {key: row[key] for key in row if key != "id"} for row in rows}


def _rows_without_entry(connection: Connection) -> Iterator[str]:
    known = select(schema.ledger.c.seq)
    for table, what in (
        (schema.image_records, "image"),
        (schema.contributions, "contribution"),
        (schema.statements, "statement"),
    ):
        seq = table.c.ledger_seq
        query = select(seq).where(seq.is_not(None), seq.not_in(known)).order_by(seq)
        for number in connection.execute(query).scalars():
            yield f"The record of a {what} says that entry {number} seals it; there is no such one."


def _in_no_version(connection: Connection) -> Iterator[str]:
    shown = select(schema.background_images.c.image_seq)
    columns = schema.image_records.c
    query = select(columns.ledger_seq, columns.path).where(columns.ledger_seq.not_in(shown))
    for row in connection.execute(query.order_by(columns.ledger_seq)):
        yield f"The image of entry {row.ledger_seq}, {row.path}, belongs to no version any more."


def _moved(connection: Connection, only: Collection[int]) -> Iterator[str]:
    """Yield versions that stand at another place, or are called otherwise, than was sealed."""
    here, version, sealed = schema.background_images, schema.backgrounds, schema.ledger
    last = (
        select(here.c.background_key, func.max(here.c.position).label("position"))
        .group_by(here.c.background_key)
        .subquery()
    )
    query = (
        select(version.c.project, version.c.episode, version.c.sequence, version.c.shot)
        .add_columns(version.c.code, version.c.version, here.c.image_seq, sealed.c.payload)
        .join(here, here.c.background_key == version.c.key)
        .join(
            last,
            (last.c.background_key == here.c.background_key) & (last.c.position == here.c.position),
        )
        .join(sealed, sealed.c.seq == here.c.image_seq)
        .order_by(here.c.image_seq)
    )
    if only:
        query = query.where(here.c.image_seq.in_(only))
    for row in connection.execute(query).yield_per(_CHUNK):
        payload = _payload(row.payload) or {}
        if payload.get("type") != "image":
            continue
        kept = {name: getattr(row, name) for name in _PLACE}
        # Entries from before places were sealed lack them, and those of no episode lack that.
        defaults = {**kept, "episode": ""} if "project" in payload else kept
        place = {name: payload.get(name, defaults[name]) for name in _PLACE}
        if place != kept:
            yield (
                f"{row.code} stands in {' / '.join(filter(None, kept.values()))}, and entry "
                f"{row.image_seq} seals it for {' / '.join(filter(None, place.values()))}; "
                f"{_CHANGED}"
            )
        stem = PurePosixPath(str(payload.get("path", ""))).stem
        numbered = _NUMBERED.search(stem)
        if numbered and int(numbered[1]) != row.version:
            yield (
                f"{row.code} is kept as version {row.version}, and entry {row.image_seq} seals it "
                f"as {stem}; {_CHANGED}"
            )
        if numbered and stem != row.code:
            yield (
                f"A version is called {row.code}, and entry {row.image_seq} seals it as {stem}; "
                f"{_CHANGED}"
            )


def _left_out(connection: Connection, only: Collection[int]) -> Iterator[str]:
    """Yield versions that lack an image from which one of theirs was made, and its makers."""
    here, made_from, images = schema.background_images, schema.ingredients, schema.image_records
    other, there = here.alias(), images.alias()
    stands = (
        select(other.c.image_seq)
        .join(there, there.c.ledger_seq == other.c.image_seq)
        .where(
            other.c.background_key == here.c.background_key,
            there.c.sha256 == made_from.c.sha256,
        )
    )
    query = (
        select(here.c.background_key, images.c.path)
        .join(made_from, made_from.c.image_seq == here.c.image_seq)
        .join(images, images.c.sha256 == made_from.c.sha256)
        .where(~stands.exists())
        .distinct()
        .order_by(here.c.background_key, images.c.path)
    )
    if only:
        query = query.where(here.c.image_seq.in_(only))
    for row in connection.execute(query):
        yield f"Version {row.background_key} was made from {row.path}, which its record leaves out."


def _out_of_order(connection: Connection, only: Collection[int]) -> Iterator[str]:
    """Yield versions in which an image stands before one that it was made from."""
    here, made_from, images = schema.background_images, schema.ingredients, schema.image_records
    version, later = schema.backgrounds, here.alias()
    query = (
        select(version.c.code)
        .join(here, here.c.background_key == version.c.key)
        .join(made_from, made_from.c.image_seq == here.c.image_seq)
        .join(images, images.c.sha256 == made_from.c.sha256)
        .join(
            later,
            (later.c.background_key == here.c.background_key)
            & (later.c.image_seq == images.c.ledger_seq),
        )
        .where(later.c.position > here.c.position)
        .distinct()
        .order_by(version.c.code)
    )
    if only:
        query = query.where(here.c.image_seq.in_(only))
    for code in connection.execute(query).scalars():
        yield f"The images of {code} stand in another order than they were made in; {_CHANGED}"


def _in_another_light(connection: Connection, only: Collection[int]) -> Iterator[str]:
    """Yield versions of another season or time of day than their sealed requests asked for."""
    here, version, images = schema.background_images, schema.backgrounds, schema.image_records
    query = (
        select(version.c.code, version.c.season, version.c.time, images.c.request)
        .add_columns(images.c.ledger_seq)
        .join(here, here.c.background_key == version.c.key)
        .join(images, images.c.ledger_seq == here.c.image_seq)
        .where(images.c.request > "")
        .order_by(version.c.code, images.c.ledger_seq)
    )
    if only:
        query = query.where(here.c.image_seq.in_(only))
    reported: set[str] = set()
    for row in connection.execute(query).yield_per(_CHUNK):
        try:
            asked = json.loads(row.request)
        except ValueError:
            continue  # that it is not what was sealed is another finding
        if not isinstance(asked, dict):
            continue
        light = [str(asked.get(name, getattr(row, name))) for name in ("season", "time")]
        if light != [row.season, row.time] and row.code not in reported:
            reported.add(row.code)
            yield (
                f"{row.code} is kept as {row.season}, {row.time}, and entry {row.ledger_seq} seals "
                f"that {', '.join(light)} was asked for; {_CHANGED}"
            )


def _reopened(connection: Connection, people: Collection[str] | None) -> Iterator[str]:
    """Yield links by which somebody answered, and which may be answered again."""
    asked, statements = schema.confirmation_questions.c, schema.statements.c
    query = select(asked.id, asked.person).where(asked.answered_at.is_(None))
    for row in connection.execute(query.order_by(asked.asked_at, asked.id)):
        if people is not None and row.person not in people:
            continue
        begin = f"confirmation/{row.id}/"
        by_it = select(func.min(statements.ledger_seq)).where(begins_with(statements.key, begin))
        entry = connection.execute(by_it).scalar()
        if entry is not None:
            yield (
                f"The link by which {row.person} was asked to confirm their credits is open again, "
                f"and entry {entry} seals their answer by it; {_CHANGED}"
            )
