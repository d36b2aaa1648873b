"""Statements: said once, sealed, and found again by what they are about."""

from collections.abc import Collection, Iterator

from sqlalchemy import Connection, or_, select

from haikei.credits.contribution import Person
from haikei.credits.machine_names import is_machine_name
from haikei.credits.people.commitments import note
from haikei.credits.people.redaction import Mentions
from haikei.credits.people.stating import seal_statement
from haikei.credits.statement import NAME_KINDS, Statement, StatementKind
from haikei.database import schema
from haikei.errors import CreditError

_ROWS = schema.statements
_column = _ROWS.c


def declare(connection: Connection, statement: Statement) -> int:
    """
    Keep and seal a statement; return the number of its ledger entry.

    The same key again returns the entry that stands, as long as it says the same.

    Raises:
        CreditError: it says nothing, it is a machine that says it, it is about a name, which the
            register states itself, or it is a confirmation.
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
    if statement.kind is StatementKind.CONFIRMATION:
        raise CreditError(
            "A confirmation is given by the person, on the page that their link opens.",
            advice="Send the link with `haikei credits ask-confirmation`.",
        )
    return seal_statement(connection, statement, note(connection, statement.by))


def statements(
    connection: Connection,
    *,
    project: str,
    kinds: Collection[StatementKind] = (),
    sequence: str = "",
    shot: str = "",
    image_sha256: str = "",
) -> Iterator[Statement]:
    """
    Yield what was stated about a project, the earliest first.

    Statements about all projects belong to each. With a sequence, a shot or an image, those about
    the whole show or the whole sequence are among them, since they hold for the part too.

    Args:
        connection: of the caller's transaction.
        project: the show.
        kinds: only these; empty for all.
        sequence: only what holds for this one.
        shot: only what holds for this one.
        image_sha256: only what holds for this image.
    """
    query = select(_ROWS).where(or_(_column.project == project, _column.project == ""))
    if kinds:
        query = query.where(_column.kind.in_([kind.value for kind in kinds]))
    for column, value in (
        (_column.sequence, sequence),
        (_column.shot, shot),
        (_column.image_sha256, image_sha256),
    ):
        if value:
            query = query.where(or_(column == value, column == ""))
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


def entry_of(connection: Connection, key: str) -> int | None:
    """Return the number of the ledger entry that seals a statement."""
    query = select(_column.ledger_seq).where(_column.key == key)
    return connection.execute(query).scalar()
