"""What people say in the demonstration: an approval, and statements that somebody answers for."""

from sqlalchemy import Engine

from haikei.credits import (
    Contribution,
    Evidence,
    Grade,
    Person,
    ReviewState,
    Role,
    Statement,
    StatementKind,
    records,
    statements,
)
from haikei.database import utc_now
from haikei.demo.review import set_status
from haikei.settings import Settings

#: The art director, as the tracker knows him.
DIRECTOR = "Kenji Watanabe"
_HERE = "demonstration"


def approve(settings: Settings, database: Engine, code: str, director: Person) -> bool:
    """
    Approve a version in the director's name, first in the tracker, which is the truth.

    Returns:
        False when it was approved already.

    Raises:
        TrackerError: the tracker does not answer, or refuses.
    """
    with database.begin() as connection:
        version = records.by_code(connection, code)
        if version is None or version.state is ReviewState.APPROVED:
            return False
        if version.tracker_id is not None:
            set_status(settings, version.tracker_id, settings.review.statuses.approve[0])
        said = Contribution(
            role=Role.APPROVAL,
            actor=director,
            grade=Grade.DECLARED,
            evidence=Evidence(source=_HERE, note="Approved as it is."),
            at=utc_now(),
        )
        records.contribute(connection, version.final.key, said)
        records.decide(connection, version.key, ReviewState.APPROVED)
    return True


def declare(database: Engine, projects: tuple[str, ...], director: Person, *, model: bool) -> None:
    """Let the director answer for each show; what was said already stands."""
    with database.begin() as connection:
        for project in projects:
            for kind, answer, text in _answers(model=model):
                key = f"{_HERE}/{project}/{kind.value}"
                if any(
                    one.key == key for one in statements.statements(connection, project=project)
                ):
                    continue
                statements.declare(
                    connection,
                    Statement(
                        key=key,
                        kind=kind,
                        project=project,
                        sequence="",
                        shot="",
                        image_sha256="",
                        by=director,
                        to="",
                        subject="",
                        answer=answer,
                        text=text,
                        reference=_HERE,
                        at=utc_now(),
                    ),
                )


def _answers(*, model: bool) -> tuple[tuple[StatementKind, str, str], ...]:
    drawn = (
        StatementKind.DEEPFAKE_ASSESSMENT,
        "no",
        "Drawn places that nobody would take for photographs of real ones.",
    )
    if model:
        used = "A trained model takes painted backgrounds on; people draw the layouts and finish."
        return (drawn, (StatementKind.INTENDED_USE, "yes", used))
    none = "Layouts and touch-ups are drawn by people; the painter is an algorithm without a model."
    return (drawn, (StatementKind.NO_AI, "yes", none))
