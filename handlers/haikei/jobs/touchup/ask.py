"""A question to people: what was this painted over? It stands in the tracker once."""

import structlog
from sqlalchemy import select, update

from haikei.database import jobs
from haikei.errors import ParentUnknown, PlaceUnknown, TouchUpRefused
from haikei.events import TouchUpPublished
from haikei.jobs.tools import Tools
from haikei.jobs.touchup.find_parent import current
from haikei.jobs.touchup.open_questions import question_about
from haikei.notify import Notice, NoticeKind, note
from haikei.show import Row, StoredFile
from haikei.trackers import ContextRequest, NoteWrite

log = structlog.get_logger()


def ask(event: TouchUpPublished, error: TouchUpRefused, tools: Tools) -> None:
    """
    Write a Note on the shot and on its current versions, unless it stands there already.

    People are notified too, once for each run of the job. A shot that the tracker does not have
    cannot be written on; that, and the dead letter, say it all then.

    Raises:
        TrackerError: the tracker does not answer, or refuses.
    """
    asked = _write(event, error, tools)
    url = tools.tracker().address(asked) if asked else ""
    with tools.database.begin() as connection:
        here = jobs.c.key == event.key
        run = connection.execute(select(jobs.c.run).where(here)).scalar_one()
        connection.execute(update(jobs).where(here).values(question_url=url))
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
    log.info("question_asked", file=str(event.file))
    return asked


def _request(event: TouchUpPublished) -> ContextRequest:
    # Only where it belongs is asked for: the file itself may lie outside of every storage root.
    file = StoredFile(root="", relative=event.file.name, path=event.file, sha256=event.sha256)
    return ContextRequest(
        place=event.place, layout=file, published_file=event.published_file, stream=""
    )
