"""A question to people: what was this painted over? It stands in the tracker once."""

import structlog
from sqlalchemy import update

from haikei.database import jobs
from haikei.errors import PlaceUnknown, TouchUpRefused
from haikei.events import TouchUpPublished
from haikei.jobs.parentage import current
from haikei.jobs.tools import Tools
from haikei.trackers import ContextRequest, NoteWrite, Row, StoredFile
from haikei.trackers.reviewing import TakesReviews

log = structlog.get_logger()


def ask(event: TouchUpPublished, error: TouchUpRefused, tools: Tools) -> None:
    """
    Write a Note on the shot and on its current versions, unless it stands there already.

    A shot that the tracker does not have cannot be written on; the dead letter says it all then.

    Raises:
        TrackerError: the tracker does not answer, or refuses.
    """
    adapter = tools.tracker()
    if not isinstance(adapter, TakesReviews):
        return
    try:
        context = adapter.context(_request(event))
    except PlaceUnknown as unknown:
        log.warning("question_not_asked", file=str(event.file), reason=str(unknown))
        return
    versions = tuple(
        Row(type="Version", id=one.tracker_id, name=one.code)
        for one in current(event, tools)
        if one.tracker_id is not None
    )
    desk = adapter.review_desk()
    try:
        note = desk.write(
            NoteWrite(
                key=f"{event.key}/question",
                project=context.project,
                links=(*versions, context.shot),
                subject=f"What is {event.file.name} painted over?",
                text=f"{error.message}\n\n{error.advice or ''}".strip(),
                to=tools.settings.review.dailies.supervisors,
            )
        )
    finally:
        desk.close()
    site = str(tools.settings.tracker.url).rstrip("/")
    with tools.database.begin() as connection:
        connection.execute(
            update(jobs)
            .where(jobs.c.key == event.key)
            .values(question_url=f"{site}/detail/Note/{note.id}")
        )
    log.info("question_asked", file=str(event.file))


def _request(event: TouchUpPublished) -> ContextRequest:
    # Only where it belongs is asked for: the file itself may lie outside of every storage root.
    file = StoredFile(root="", relative=event.file.name, path=event.file, sha256=event.sha256)
    return ContextRequest(
        place=event.place, layout=file, published_file=event.published_file, stream=""
    )
