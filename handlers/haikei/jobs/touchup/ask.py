"""A question to people: what was this painted over? It stands in the tracker once."""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, select, update

from haikei.credits import NOT_YET_NAMED, people, printed_person
from haikei.database import jobs
from haikei.errors import (
    NothingPainted,
    PainterDisputed,
    PainterUnnamed,
    ParentUnknown,
    PlaceUnknown,
    TouchUpRefused,
)
from haikei.events import TouchUpPublished
from haikei.jobs.job import PARENT_ADVICE, JobKind, JobState
from haikei.jobs.table import touch_up_of
from haikei.jobs.tools import Tools
from haikei.names import same_name
from haikei.notify.notice import Notice, NoticeKind, note
from haikei.show import Place, Row, StoredFile
from haikei.trackers import ContextRequest, NoteWrite

log = structlog.get_logger()

#: Errors after which a Note in the tracker asks.
_ASKING = (
    ParentUnknown.__name__,
    TouchUpRefused.__name__,
    PainterDisputed.__name__,
    PainterUnnamed.__name__,
)
_SHORT = "What was it painted over?"
#: What a Note is about, for its key and its subject.
_PARENT = ("question", "What is {} painted over?")
_SUBJECTS: Mapping[type[TouchUpRefused], tuple[str, str]] = {
    NothingPainted: ("conversion", "{} is a conversion: nothing was painted"),
    PainterDisputed: ("painter", "Who painted {}?"),
    PainterUnnamed: ("painter-of-several", "Who painted {}?"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestion:
    """One touch-up about which people are asked."""

    key: str  #: the job's and its run's: asked anew, it is another question
    place: Place
    file: str  #: its name
    artist: str  #: the name as credits print it, or the one in the file's name; empty for nobody
    todo: str  #: what to do about it
    url: str  #: the Note in which it is asked; empty where the tracker could not be written on

    @property
    def text(self) -> str:
        """The question in one line."""
        by = f" by {self.artist}" if self.artist else ""
        return f"{self.place.name}: {self.file}{by}: {self.todo}"


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
        parent_unknown: the version below it was not found.
        reason: why it could not be taken in, and what to do.
        url: the Note in which it is asked.
    """
    return OpenQuestion(
        key=f"touch-up/{event.key}/{run}",
        place=event.place,
        file=event.file.name,
        artist=_artist(connection, event),
        todo=f"{_SHORT} {PARENT_ADVICE}" if parent_unknown else reason,
        url=url,
    )


def open_questions(connection: Connection, project: str) -> tuple[OpenQuestion, ...]:
    """Return a show's touch-ups that wait for an answer, those first that waited longest."""
    query = select(jobs).where(
        jobs.c.kind == JobKind.TOUCH_UP.value,
        jobs.c.state == JobState.DEAD.value,
        jobs.c.error_kind.in_(_ASKING),
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
        if same_name(row.project, project)
    )


def _artist(connection: Connection, event: TouchUpPublished) -> str:
    printed = [printed_person(one).en for one in people.as_printed(connection, event.artists)]
    open_ = NOT_YET_NAMED.en if event.candidates else ""
    return ", ".join(printed) or event.artist_name or open_


def ask(event: TouchUpPublished, error: TouchUpRefused, tools: Tools) -> None:
    """
    Write a Note on the shot and on its current versions, unless it stands there already.

    A conversion is answered so; everything else is a question.

    People are notified too, once for each run of the job. Nothing can be written on a
    shot that the tracker does not have; the dead letter is all there is then.

    Raises:
        TrackerError: the tracker does not answer, or refuses.
    """
    asked = _write(event, error, tools)
    url = tools.tracker().address(asked) if asked else ""
    with tools.database.begin() as connection:
        here = jobs.c.key == event.key
        run = connection.execute(select(jobs.c.run).where(here)).scalar_one()
        connection.execute(update(jobs).where(here).values(question_url=url))
        if isinstance(error, NothingPainted):
            return  # an answer, and no question
        question = question_about(
            connection,
            event,
            run=run,
            parent_unknown=isinstance(error, ParentUnknown),
            reason=str(error),
            url=url,
        )
        note(
            connection,
            Notice(key=question.key, kind=NoticeKind.TOUCH_UP, text=question.text, url=url),
        )


def _write(event: TouchUpPublished, error: TouchUpRefused, tools: Tools) -> Row | None:
    """Return the Note; None where there is nothing to write it on."""
    # Pages list open questions without loading what measures pictures.
    from haikei.jobs.touchup.find_parent import current

    about, subject = next(
        (words for kind, words in _SUBJECTS.items() if isinstance(error, kind)), _PARENT
    )
    adapter = tools.tracker()
    desk = adapter.parts.review
    if desk is None:
        return None
    try:
        context = adapter.context(_request(event))
    except PlaceUnknown as unknown:
        log.warning("question_not_asked", file=str(event.file), reason=str(unknown))
        return None
    versions = tuple(
        Row(type="Version", id=one.tracker_id, name=one.code)
        for one in current(event, tools)
        if one.tracker_id is not None
    )
    try:
        asked = desk.write(
            NoteWrite(
                key=f"{event.key}/{about}",
                project=context.project,
                links=(*versions, context.shot),
                subject=subject.format(event.file.name),
                text=f"{error.message}\n\n{error.advice or ''}".strip(),
                to=tools.settings.review.dailies.supervisors,
            )
        )
    finally:
        desk.close()
    log.info("question_asked", file=str(event.file))
    return asked


def _request(event: TouchUpPublished) -> ContextRequest:
    # Only where it belongs is asked for: the file itself may lie outside of every storage root.
    file = StoredFile(root="", relative=event.file.name, path=event.file, sha256=event.sha256)
    return ContextRequest(
        place=event.place, layout=file, published_file=event.published_file, stream=""
    )
