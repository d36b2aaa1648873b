"""Touch-ups that wait for an answer: what were they painted over?"""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, String, cast, literal, select

from haikei.credits import people, printed_person
from haikei.database import jobs
from haikei.errors import ParentUnknown, TouchUpRefused
from haikei.events import TouchUpPublished
from haikei.jobs.job import JobKind, JobState
from haikei.jobs.rows import touch_up_of
from haikei.trackers import Place

#: What a person does about a paint-over whose parent is unknown.
ADVICE = (
    "Link the published file to the version's file (upstream), or name the version in the file's "
    "name; it is looked at again then."
)
#: Dead letters that are questions: of each of them a Note in the tracker asks.
ASKING = (
    (jobs.c.kind == JobKind.TOUCH_UP.value)
    & (jobs.c.state == JobState.DEAD.value)
    & jobs.c.error_kind.in_((ParentUnknown.__name__, TouchUpRefused.__name__))
)
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


def open_questions(
    connection: Connection,
    condition: ColumnElement[bool] | None = None,
    *,
    limit: int | None = None,
) -> tuple[OpenQuestion, ...]:
    """
    Return the touch-ups that wait for an answer, those first that have waited longest.

    Args:
        connection: to the studio's database.
        condition: only rows of `jobs` of which this holds.
        limit: the most that are returned.
    """
    query = select(jobs, question_key().label("question")).where(ASKING)
    if condition is not None:
        query = query.where(condition)
    found: list[OpenQuestion] = []
    for row in connection.execute(query.order_by(jobs.c.finished_at, jobs.c.id).limit(limit)):
        known = row.error_kind == ParentUnknown.__name__
        event = touch_up_of(row.order_json)
        found.append(
            OpenQuestion(
                key=row.question,
                place=Place(project=row.project, sequence=row.sequence, shot=row.shot),
                file=Path(row.layout).name,
                artist=_artist(connection, event),
                todo=f"{_SHORT} {ADVICE}" if known else row.error,
                url=row.question_url,
            )
        )
    return tuple(found)


def question_key() -> ColumnElement[str]:
    """Return what makes the key of a question from its row of `jobs`."""
    return literal("touch-up/") + jobs.c.key + "/" + cast(jobs.c.run, String)


def _artist(connection: Connection, event: TouchUpPublished) -> str:
    if event.artist is None:
        return event.artist_name
    (person,) = people.as_printed(connection, [event.artist])
    return printed_person(person).en
