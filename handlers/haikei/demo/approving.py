"""What people say in the demonstration: an approval, and statements that somebody answers for."""

from sqlalchemy import Engine

from haikei.credits import Person, ReviewState, Statement, StatementKind, records, statements
from haikei.database import reading, utc_now
from haikei.events import Source
from haikei.review import Decider, Deciding, Decision, Reviewer, Verdict
from haikei.settings import Settings
from haikei.trackers import load_review_desk

#: The art director, as the tracker knows him.
DIRECTOR = "Kenji Watanabe"
_HERE = "demonstration"


def approve(settings: Settings, database: Engine, code: str, director: Person) -> bool:
    """
    Approve a version in the director's name: in the tracker, which is the truth.

    Returns:
        False when it was approved already.

    Raises:
        ReviewError: the tracker does not show the version.
        TrackerError: the tracker does not answer, or refuses.
    """
    with reading(database) as connection:
        version = records.by_code(connection, code)
    if version is None or version.state is ReviewState.APPROVED:
        return False
    desk = load_review_desk(settings)
    decider = Decider(login="", name=director.name, person_id=director.id)
    verdict = Verdict(decision=Decision.APPROVE, text="", by=decider)
    Deciding(settings, database, desk, source=Source.COMMAND).decide(version.key, verdict)
    # The reviewer that runs beside would do the same; whoever comes first does it.
    Reviewer(settings, database).tick()
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
