"""Statements about a show, as people declare them."""

from datetime import UTC, datetime

from haikei.credits import Person, Statement, StatementKind
from haikei.credits.records.statements import declare
from support.reporting import ReportDesk

LEGAL = Person(id="HumanUser:90", name="Rika Legal", name_ja="法務里香")
BEFORE = datetime(2026, 10, 20, tzinfo=UTC)
AFTER = datetime(2026, 11, 20, tzinfo=UTC)


def state(
    desk: ReportDesk,
    kind: StatementKind,
    *,
    answer: str = "",
    text: str = "As agreed.",
    sequence: str = "",
    shot: str = "",
    image_sha256: str = "",
    subject: str = "",
    to: str = "",
    reference: str = "",
    by: Person = LEGAL,
    at: datetime = BEFORE,
) -> int:
    """Declare something about the show and return its ledger entry."""
    told = (kind.value, answer, text, sequence, shot, subject, at.isoformat())
    with desk.database.begin() as connection:
        return declare(
            connection,
            Statement(
                key="/".join(told)[:160],
                kind=kind,
                project="akane",
                sequence=sequence,
                shot=shot,
                image_sha256=image_sha256,
                by=by,
                to=to,
                subject=subject,
                answer=answer,
                text=text,
                reference=reference,
                at=at,
            ),
        )
