"""From a touch-up's event to its job, and what becomes of the job when more is told."""

from datetime import datetime

import structlog
from sqlalchemy import Connection, select, update

from haikei.credits import records
from haikei.database import jobs
from haikei.events import TouchUpPublished
from haikei.jobs.inbox import add_job
from haikei.jobs.job import JobState
from haikei.jobs.rows import touch_up_row

log = structlog.get_logger()

#: Somebody waits for it, and no picture has to be made: it goes before layouts.
PRIORITY = 10


def let_wait(connection: Connection, event: TouchUpPublished, now: datetime) -> bool:
    """
    Let a touch-up's job wait for its turn; one that is dead gets another with what is told now.

    A file that we made ourselves, or an artist's untouched copy of it, is no touch-up.

    Returns:
        False while the job runs with what was told before: the event is to be brought again.
    """
    own = records.find_image(connection, sha256=event.sha256)
    if own is not None:
        log.info("own_picture_left_alone", file=str(event.file), image=own.key)
        return True
    row = touch_up_row(event, PRIORITY, now)
    if add_job(connection, row):
        return True
    here = jobs.c.key == event.key
    known = connection.execute(select(jobs.c.state, jobs.c.run).where(here)).one()
    match JobState(known.state):
        case JobState.RUNNING:
            return False
        case JobState.WAITING:
            changed: dict[str, object] = {}
        case JobState.DEAD:
            changed = {
                "state": JobState.WAITING.value,
                "run": known.run + 1,
                "step": "",
                "progress": 0.0,
                "error": "",
                "error_kind": "",
                "attempts": 0,
                "crashes": 0,
                "finished_at": None,
            }
        case _:
            return True
    told = {name: row[name] for name in ("season", "time", "layout", "order_json", "updated_at")}
    connection.execute(update(jobs).where(here).values({**told, **changed}))
    return True
