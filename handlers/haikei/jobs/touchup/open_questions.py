"""Touch-ups that wait for an answer: what were they painted over?"""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from haikei.credits import people, printed_person
from haikei.database import jobs
from haikei.errors import ParentUnknown, TouchUpRefused
from haikei.events import TouchUpPublished
from haikei.jobs.job import JobKind, JobState
from haikei.jobs.table import touch_up_of
from haikei.show import Place

#: What a person does about a paint-over whose parent is unknown.
ADVICE = (
    "Link the published file to the version's file (upstream), or name the version in the file's "
    "name; it is looked at again then."
)
#: Errors after which a Note in the tracker asks.
_ASKING = (ParentUnknown.__name__, TouchUpRefused.__name__)
_SHORT = "What was it painted over?"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestion:
    """One touch-up about which people are asked."""

    key: str  #: the job's and its run's: asked anew, it is another question
    place: Place
    file: str  #: its name
    artist: str  #: as credits print the name, or as the file's name says it; empty for nobody
    todo: str  #: what to do about it
    url: str  #: the Note in which it is asked; empty where the tracker could not be written on

    @property
    def text(self) -> str:
        """The question in one line."""
        place = self.place
        cut = "/".join(part for part in (place.project, place.sequence, place.shot) if part)
        by = f" by {self.artist}" if self.artist else ""
        return f"{cut}: {self.file}{by}: {self.todo}"


def question_about(
    connection: Connection,
    event: TouchUpPublished,
    *,
    run: int,
    parent_unknown: bool,
    reason: str,
    url: str,
) -> OpenQuestion:
    """
    Return the question about a touch-up.

    Args:
        connection: to the studio's database.
        event: the touch-up.
        run: its job's.
        parent_unknown: nothing tells what it was painted over.
        reason: why it could not be taken in, and what to do.
        url: the Note in which it is asked.
    """
    return OpenQuestion(
        key=f"touch-up/{event.key}/{run}",
        place=event.place,
        file=event.file.name,
        artist=_artist(connection, event),
        todo=f"{_SHORT} {ADVICE}" if parent_unknown else reason,
        url=url,
    )


def open_questions(connection: Connection, project: str) -> tuple[OpenQuestion, ...]:
    """Return a show's touch-ups that wait for an answer, those first that waited longest."""
    query = select(jobs).where(
        jobs.c.kind == JobKind.TOUCH_UP.value,
        jobs.c.state == JobState.DEAD.value,
        jobs.c.error_kind.in_(_ASKING),
        jobs.c.project == project,
    )
    return tuple(
        question_about(
            connection,
            touch_up_of(row.order_json),
            run=row.run,
            parent_unknown=row.error_kind == ParentUnknown.__name__,
            reason=row.error,
            url=row.question_url,
        )
        for row in connection.execute(query.order_by(jobs.c.finished_at, jobs.c.id)).all()
    )


def _artist(connection: Connection, event: TouchUpPublished) -> str:
    if event.artist is None:
        return event.artist_name
    (person,) = people.as_printed(connection, [event.artist])
    return printed_person(person).en
