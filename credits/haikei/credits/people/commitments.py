"""
Salted commitments: the ledger seals them in place of names, and statements with them.

A commitment tells nothing without its opening. When the opening is deleted nobody can tell any
more whose name it was, and every proof of the ledger still stands.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from haikei.canonical import canonical_json
from haikei.credits.contribution import Person, is_machine_name
from haikei.credits.people.erasing import Mentions
from haikei.credits.record import Statement, StatementKind
from haikei.credits.records.record_sealing import Sealer
from haikei.database import name_openings, people, schema, utc_now
from haikei.errors import CreditError, LedgerError
from haikei.ledger.entry import append

_ROWS = schema.statements
_FIELDS = (
    "kind",
    "project",
    "episode",
    "sequence",
    "shot",
    "image_sha256",
    "by",
    "subject",
    "answer",
)
_TEXTS = ("to", "text", "reference")
_NAME_TEXTS = {
    StatementKind.NAME_CHANGED: "Is called otherwise from now on.",
    StatementKind.NAME_WITHHELD: "Asks not to be named in credits.",
    StatementKind.NAME_ERASED: "Asks that their name be erased.",
}


def seal_statement(connection: Connection, statement: Statement, commitment: str) -> int:
    """
    Keep and seal a statement; return the number of its ledger entry.

    Args:
        connection: of the caller's transaction.
        statement: what is stated; the same key again returns the entry that stands.
        commitment: to the present name of the person who states it.

    Raises:
        LedgerError: another statement stands under this key.
    """
    mentions = Mentions.load(connection)
    standing = connection.execute(select(_ROWS).where(_ROWS.c.key == statement.key)).first()
    if standing is not None:
        return _standing(standing, statement, mentions)
    sealer = Sealer(commitments={statement.by.id: commitment}, mentions=mentions)
    entry = append(
        connection, key=f"statement/{statement.key}", payload=sealer.statement(statement)
    )
    values = {name: _plain(statement, name) for name in _FIELDS}
    texts = {name: mentions.hide(str(getattr(statement, name))) for name in _TEXTS}
    known = {"key": statement.key, "ledger_seq": entry.seq, "at": statement.at}
    connection.execute(insert(_ROWS), {**values, **texts, **known})
    return entry.seq


def state_name(
    connection: Connection,
    person: Person,
    commitment: str,
    kind: StatementKind,
    *,
    reference: str,
    at: datetime,
) -> int:
    """
    Seal what is decided about a person's name; return the number of the ledger entry.

    What is printed of the person is held against these entries by every check.

    Args:
        connection: of the caller's transaction.
        person: as credits name them from now on.
        commitment: to that name.
        kind: `NAME_CHANGED`, `NAME_WITHHELD` or `NAME_ERASED`.
        reference: where it is recorded that they asked, or who decided it.
        at: when. Each change is an entry of its own; asking twice for the same is not.

    Raises:
        LedgerError: another statement stands under the key that follows from these.
    """
    text = _NAME_TEXTS[kind]
    moment = at.isoformat() if kind is StatementKind.NAME_CHANGED else ""
    content = "\n".join((kind.value, reference, commitment if moment else "", moment))
    digest = hashlib.sha256(content.encode()).hexdigest()[:16]
    statement = Statement(
        key=f"{name_key(person.id)}{digest}",
        kind=kind,
        project="",
        sequence="",
        shot="",
        image_sha256="",
        by=person,
        to="",
        subject="",
        answer="",
        text=text,
        reference=reference,
        at=at,
    )
    return seal_statement(connection, statement, commitment)


def name_key(person_id: str) -> str:
    """Return what the keys of all statements about a person's name begin with."""
    return f"name/{hashlib.sha256(person_id.encode()).hexdigest()[:16]}/"


def _plain(statement: Statement, name: str) -> str:
    if name == "by":
        return statement.by.id
    return str(getattr(statement, name))


def _standing(row: Row[Any], statement: Statement, mentions: Mentions) -> int:
    same = all(getattr(row, name) == _plain(statement, name) for name in _FIELDS)
    texts = (mentions.show(getattr(row, name)) == getattr(statement, name) for name in _TEXTS)
    if not same or not all(texts):
        raise LedgerError(
            f"Another statement stands under {statement.key!r} (entry {row.ledger_seq}).",
            advice="Statements are never replaced; declare a correction under its own key.",
        )
    return int(row.ledger_seq)


_LONGEST = 255
_SALT_BYTES = 32
#: Who decided a change of name that nobody made with `haikei credits rename`.
_ELSEWHERE = "as the tracker or the settings name them"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What shows whose name a commitment stands for."""

    commitment: str
    person: str  #: the id
    name: str
    name_ja: str
    salt: str  #: 32 bytes as hexadecimal digits


@dataclass(frozen=True, slots=True, kw_only=True)
class _Registered:
    person: Person
    renamed: bool
    erased: bool


def commit(person: Person, salt: str) -> str:
    """
    Return the commitment to a person's id and names, as 64 hexadecimal digits.

    It is HMAC-SHA256 (RFC 2104). The key is the salt's 32 bytes, and the message the canonical JSON
    of `[id, name, name_ja]` in UTF-8.
    """
    message = canonical_json([person.id, person.name, person.name_ja]).encode()
    return hmac.new(bytes.fromhex(salt), message, "sha256").hexdigest()


def opening(connection: Connection, commitment: str) -> Opening | None:
    """Return what opens a commitment; None when it was erased or never was ours."""
    query = select(name_openings).where(name_openings.c.commitment == commitment)
    row = connection.execute(query).mappings().first()
    return None if row is None else Opening(**dict(row))


def note(connection: Connection, person: Person) -> str:
    """
    Register a person, and return the commitment to the name that they now have in the register.

    The newest name given here is the one that is printed, unless somebody decided otherwise by
    renaming or erasing the person. A Japanese name or an opt-out that is not given is kept.

    Raises:
        CreditError: the person has no id, or a name longer than 255 characters.
    """
    return note_all(connection, (person,))[person.id]


def note_all(connection: Connection, persons: Iterable[Person]) -> Mapping[str, str]:
    """
    Register people as `note` does, and return each one's commitment by their id.

    Raises:
        CreditError: someone has no id, or a name longer than 255 characters.
    """
    people_by_id = {person.id: person for person in persons}
    for person in people_by_id.values():
        _check(person)
    known = _known(connection, people_by_id)
    now = utc_now()
    printed: dict[str, Person] = {}
    for person in people_by_id.values():
        before = known.get(person.id)
        printed[person.id] = _merged(before, person)
        if before is None:
            _insert(connection, person, now)
        elif printed[person.id] != before.person:
            _update(connection, printed[person.id], now)
    commitments = _commitments(connection, printed)
    for id_, person in printed.items():
        before = known.get(id_)
        earlier = None if before is None else before.person
        _state(connection, earlier, person, commitments[id_], now)
    return commitments


def register(connection: Connection, persons: Iterable[Person]) -> None:
    """
    Let names be known by commitments, without changing what is printed of people known already.

    Raises:
        CreditError: someone has no id, or a name longer than 255 characters.
    """
    people_by_id = {person.id: person for person in persons}
    for person in people_by_id.values():
        _check(person)
    known = _known(connection, people_by_id)
    now = utc_now()
    for person in people_by_id.values():
        if person.id not in known:
            _insert(connection, person, now)
    commitments = _commitments(
        connection,
        {
            id_: one
            for id_, one in people_by_id.items()
            if id_ not in known or not known[id_].erased
        },
    )
    for id_, person in people_by_id.items():
        if id_ not in known:
            _state(connection, None, person, commitments[id_], now)


def _state(
    connection: Connection, before: Person | None, after: Person, commitment: str, now: datetime
) -> None:
    """Seal what the tracker or the settings decide about a name that was registered before."""
    if before is not None and (before.name, before.name_ja) != (after.name, after.name_ja):
        kind = StatementKind.NAME_CHANGED
        state_name(connection, after, commitment, kind, reference=_ELSEWHERE, at=now)
    if after.opt_out and (before is None or before.opt_out != after.opt_out):
        kind = StatementKind.NAME_WITHHELD
        state_name(connection, after, commitment, kind, reference=after.opt_out, at=now)


def _check(person: Person) -> None:
    if not person.id.strip():
        raise CreditError(
            f"{person.name or 'Someone'} has no id, so that nobody could tell who it was.",
            advice="Give the tracker's, such as HumanUser:12, or one like person:yuki-tanaka.",
        )
    if max(len(person.name), len(person.name_ja)) > _LONGEST:
        raise CreditError(f"The name of {person.id} is longer than {_LONGEST} characters.")


def _known(connection: Connection, ids: Iterable[str]) -> dict[str, _Registered]:
    rows = connection.execute(select(people).where(people.c.id.in_(list(ids))))
    return {
        row.id: _Registered(
            person=Person(id=row.id, name=row.name, name_ja=row.name_ja, opt_out=row.opt_out),
            renamed=row.renamed_at is not None,
            erased=row.erased_at is not None,
        )
        for row in rows
    }


def _merged(before: _Registered | None, given: Person) -> Person:
    if before is None:
        return given
    if before.erased:
        return before.person
    kept = before.person
    # An account that came to bear a generator's name leaves earlier work its artist's.
    machine = is_machine_name(given.name) or is_machine_name(given.name_ja)
    names = kept if before.renamed or machine or not given.name.strip() else given
    return Person(
        id=given.id,
        name=names.name,
        name_ja=names.name_ja or kept.name_ja,
        opt_out=given.opt_out or kept.opt_out,
    )


def _insert(connection: Connection, person: Person, now: datetime) -> None:
    connection.execute(
        insert(people),
        {
            "id": person.id,
            "name": person.name,
            "name_ja": person.name_ja,
            "opt_out": person.opt_out,
            "updated_at": now,
        },
    )


def _update(connection: Connection, person: Person, now: datetime) -> None:
    connection.execute(
        update(people)
        .where(people.c.id == person.id)
        .values(name=person.name, name_ja=person.name_ja, opt_out=person.opt_out, updated_at=now)
    )


def _commitments(connection: Connection, printed: Mapping[str, Person]) -> dict[str, str]:
    rows = connection.execute(
        select(name_openings).where(name_openings.c.person.in_(list(printed)))
    )
    standing = {(row.person, row.name, row.name_ja): str(row.commitment) for row in rows}
    found: dict[str, str] = {}
    for person in printed.values():
        commitment = standing.get((person.id, person.name, person.name_ja))
        if commitment is None:
            salt = secrets.token_hex(_SALT_BYTES)
            commitment = commit(person, salt)
            row = {"person": person.id, "name": person.name, "name_ja": person.name_ja}
            connection.execute(
                insert(name_openings), {**row, "commitment": commitment, "salt": salt}
            )
        found[person.id] = commitment
    return found
