"""Statements: made once, sealed, and found again by what they are about."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, func, select

from haikei.credits.contribution import Person, is_machine_name
from haikei.credits.people.commitments import note, seal_statement
from haikei.credits.people.erasing import Mentions
from haikei.credits.people.registry import look_up
from haikei.credits.record import NAME_KINDS, YES, Statement, StatementKind
from haikei.database import schema
from haikei.errors import CreditError
from haikei.names import same_name
from haikei.show import Place

_ROWS = schema.statements
_ANSWERS = ("yes", "no", "unsure")
_BETWEEN = ", "  # the ids of those who drew an image, in a statement's subject
_column = _ROWS.c


def declare(connection: Connection, statement: Statement) -> int:
    """
    Keep and seal a statement; return the number of its ledger entry.

    The same key again returns the entry that stands, as long as it says the same.

    Whether a picture is a deep fake is stated of one published picture, once it is there: what is
    stated of a show before covers nothing that is drawn later.

    Raises:
        CreditError: it says nothing, it is a machine that says it, it is about a name, which the
            register states itself, it is what happens and is not declared (a confirmation, a
            refusal, the approval of a model), or about a picture that is not there.
        LedgerError: another statement stands under this key.
    """
    if not statement.text.strip() and not statement.answer.strip():
        raise CreditError(
            f"The statement {statement.key!r} says nothing.", advice="Give it a text or an answer."
        )
    if is_machine_name(statement.by.name) or is_machine_name(statement.by.name_ja):
        raise CreditError(
            f"{statement.by.name!r} cannot answer for a statement.",
            advice="Name the person who answers for it.",
        )
    if statement.kind in NAME_KINDS:
        raise CreditError(
            f"{statement.kind.value} is sealed where the name is changed, and not declared.",
            advice="Use `haikei credits rename`, `opt-out` or `erase`.",
        )
    if statement.kind in {StatementKind.MODEL_APPROVED, StatementKind.REFUSED}:
        raise CreditError(
            f"{statement.kind.value} is sealed where it happens, and not declared.",
            advice="Approve a model with `haikei models approve`; what the policy refuses is "
            "recorded by itself.",
        )
    if statement.kind is StatementKind.DEEPFAKE_ASSESSMENT:
        _check_picture(connection, statement)
    if statement.kind is StatementKind.CONFIRMATION:
        raise CreditError(
            "A confirmation is given by the person, on the page that their link opens.",
            advice="Send the link with `haikei credits ask-confirmation`.",
        )
    return seal_statement(connection, statement, note(connection, statement.by))


def record(connection: Connection, statement: Statement) -> int:
    """
    Keep and seal what happened and is not declared: a refusal, or the approval of a model.

    The same key again returns the entry that stands, whatever the clock says since.
    """
    standing = entry_of(connection, statement.key)
    if standing is not None:
        return standing
    return seal_statement(connection, statement, note(connection, statement.by))


def _check_picture(connection: Connection, statement: Statement) -> None:
    if statement.answer not in _ANSWERS:
        raise CreditError(
            "Whether a picture is a deep fake has no default answer.",
            advice=f"Answer it with {', '.join(_ANSWERS)}.",
        )
    if not statement.image_sha256:
        raise CreditError(
            "Whether it is a deep fake is stated of one picture, not of a cut or a show.",
            advice="Name the picture, by its Version (--of) or its SHA-256 (--image), once it is "
            "there.",
        )
    version, image = schema.backgrounds.c, schema.image_records.c
    shown, any_of = schema.background_images, schema.background_images.alias()
    last = (
        select(func.max(any_of.c.position))
        .where(any_of.c.background_key == version.key)
        .scalar_subquery()
    )
    within = [version.project == statement.project]
    within += [version.episode == statement.episode] if statement.episode else []
    within += [version.sequence == statement.sequence] if statement.sequence else []
    within += [version.shot == statement.shot] if statement.shot else []
    found = connection.execute(
        select(version.code, image.created_at)
        .join(shown, shown.c.background_key == version.key)
        .join(schema.image_records, image.ledger_seq == shown.c.image_seq)
        .where(image.sha256 == statement.image_sha256, shown.c.position == last, *within)
        .order_by(image.created_at)
    ).first()
    if found is None:
        raise CreditError(
            f"No published picture of {statement.project} with the SHA-256 "
            f"{statement.image_sha256[:12]}… is recorded.",
            advice="It is stated of a background or touch-up after it was published; check the "
            "show, and the sequence and shot if you gave them.",
        )
    code, made = found
    if statement.at < made:
        raise CreditError(
            f"{code} was made on {made:%Y-%m-%d %H:%M} UTC, after the statement about it "
            f"({statement.at:%Y-%m-%d %H:%M} UTC).",
            advice="Look at the picture, and state it with the date on which you did.",
        )


def statements(
    connection: Connection,
    *,
    project: str,
    kinds: Collection[StatementKind] = (),
    episode: str = "",
    sequence: str = "",
    shot: str = "",
    image_sha256: str = "",
) -> Iterator[Statement]:
    """
    Yield what was stated about a project, the earliest first; names count in any spelling.

    Statements about all projects belong to each. With a sequence, a shot or an image, those about
    the whole show or the whole sequence are among them, since they hold for the part too.

    Args:
        connection: of the caller's transaction.
        project: the show.
        kinds: only these; empty for all.
        episode: only what holds for this one.
        sequence: only what holds for this one.
        shot: only what holds for this one.
        image_sha256: only what holds for this image.
    """
    query = select(_ROWS).where(_about(connection, _column.project, project))
    if kinds:
        query = query.where(_column.kind.in_([kind.value for kind in kinds]))
    for column, value in (
        (_column.episode, episode),
        (_column.sequence, sequence),
        (_column.shot, shot),
        (_column.image_sha256, image_sha256),
    ):
        if value:
            query = query.where(_about(connection, column, value))
    yield from _read(connection, query)


def places(connection: Connection) -> tuple[Place, ...]:
    """Return what shows and parts of them something is stated about."""
    found = select(_column.project, _column.episode, _column.sequence, _column.shot).distinct()
    return tuple(
        Place(project=row.project, episode=row.episode, sequence=row.sequence, shot=row.shot)
        for row in connection.execute(found.where(_column.project != ""))
    )


def approvals_of(connection: Connection, model: str) -> Iterator[Statement]:
    """Yield every approval of a model and what withdrew one, the earliest first."""
    kind = StatementKind.MODEL_APPROVED.value
    yield from _read(
        connection, select(_ROWS).where(_column.kind == kind, _column.subject == model)
    )


def _read(connection: Connection, query: Select[Any]) -> Iterator[Statement]:
    mentions = Mentions.load(connection)
    found = connection.execute(query.order_by(_column.at, _column.ledger_seq)).all()
    named = select(schema.people).where(schema.people.c.id.in_({row.by for row in found}))
    persons = {
        row.id: Person(id=row.id, name=row.name, name_ja=row.name_ja, opt_out=row.opt_out)
        for row in connection.execute(named)
    }
    for row in found:
        yield Statement(
            key=row.key,
            kind=StatementKind(row.kind),
            project=row.project,
            episode=row.episode,
            sequence=row.sequence,
            shot=row.shot,
            image_sha256=row.image_sha256,
            by=persons[row.by],
            to=mentions.show(row.to),
            subject=row.subject,
            answer=row.answer,
            text=mentions.show(row.text),
            reference=mentions.show(row.reference),
            at=row.at,
        )


def _about(connection: Connection, column: Column[str], value: str) -> ColumnElement[bool]:
    """Return the condition for rows about a thing, in any spelling, or about all of them."""
    stated = connection.execute(select(column).distinct()).scalars()
    return column.in_(["", value, *(one for one in stated if same_name(one, value))])


def hand_drawn(connection: Connection, place: Place) -> Statement | None:
    """Return by whom a cut's layout is declared to be drawn by hand, if their last word is so."""
    return _by_hand(connection, StatementKind.HAND_DRAWN, place)


def hand_painted(connection: Connection, place: Place) -> Statement | None:
    """Return by whom a cut's touch-ups are declared to be by hand, if their last word is so."""
    return _by_hand(connection, StatementKind.HAND_PAINTED, place)


def _by_hand(connection: Connection, kind: StatementKind, place: Place) -> Statement | None:
    found = statements(connection, project=place.project, kinds=(kind,))
    return standing_of(tuple(found), place)


def standing_of(
    found: Sequence[Statement], place: Place, *, images: Collection[str] = ()
) -> Statement | None:
    """Return the newest of statements about a cut or one of its images, if it says yes."""
    about = about_cut(found, place, images=images)
    return about[-1] if about and about[-1].answer in YES else None


def about_cut(
    found: Sequence[Statement], place: Place, *, images: Collection[str] = ()
) -> tuple[Statement, ...]:
    """Return those statements that hold for a cut, or for one of these images of it."""
    return tuple(
        one
        for one in found
        if (not one.episode or same_name(one.episode, place.episode))
        and (not one.sequence or same_name(one.sequence, place.sequence))
        and (not one.shot or same_name(one.shot, place.shot))
        and (not one.image_sha256 or one.image_sha256 in images)
    )


def declare_drawn_by(
    connection: Connection, statement: Statement, artists: Sequence[Person]
) -> int:
    """
    Keep and seal who drew an image, exactly these people; return the number of the ledger entry.

    Raises:
        CreditError: it names no image, nobody or a machine, or `declare` refuses it.
        LedgerError: another statement stands under its key.
    """
    if not statement.image_sha256 or not artists:
        lacking = "names nobody" if statement.image_sha256 else "names no image"
        raise CreditError(
            f"{statement.kind.value} {lacking}.",
            advice="Give the layout's SHA-256 with --image, and each who drew it with --artist.",
        )
    for person in artists:
        if is_machine_name(person.name) or is_machine_name(person.name_ja):
            raise CreditError(
                f"{person.name!r} is the name of a machine, not of a person who drew.",
                advice="Name the people who drew it.",
            )
        note(connection, person)
    ids = dict.fromkeys(person.id for person in artists)
    return declare(connection, replace(statement, subject=_BETWEEN.join(ids)))


def drawn_by(
    connection: Connection, place: Place, image_sha256: str
) -> tuple[int, Statement, tuple[Person, ...]] | None:
    """Return who drew an image as it was stated last, with the entry that seals it; else None."""
    stated = [
        one
        for one in statements(
            connection,
            project=place.project,
            kinds=(StatementKind.DRAWN_BY,),
            episode=place.episode,
            sequence=place.sequence,
            shot=place.shot,
            image_sha256=image_sha256,
        )
        if one.image_sha256 and one.subject
    ]
    entry = entry_of(connection, stated[-1].key) if stated else None
    if entry is None:
        return None
    known = look_up(connection, stated[-1].subject.split(_BETWEEN))
    return entry, stated[-1], tuple(known[id_] for id_ in stated[-1].subject.split(_BETWEEN))


def entry_of(connection: Connection, key: str) -> int | None:
    """Return the number of the ledger entry that seals a statement."""
    query = select(_column.ledger_seq).where(_column.key == key)
    return connection.execute(query).scalar()
