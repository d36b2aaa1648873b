"""How long machines worked on versions, as their jobs were timed."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, String, select, type_coerce

from haikei.database import jobs


@dataclass(slots=True, kw_only=True)
class MachineTime:
    """The sum over some jobs."""

    jobs: int = 0
    seconds: float = 0.0  #: wall time from a job's start to its end


def machine_time(
    connection: Connection, project: str, kinds: Mapping[str, AbstractSet[str]]
) -> Mapping[str, MachineTime]:
    """
    Return, for each kind, the time of the jobs with its keys; jobs that are not recorded count not.

    Args:
        connection: to the studio's database.
        project: whose jobs.
        kinds: keys of jobs by kind.
    """
    found = {kind: MachineTime() for kind in kinds}
    rows = connection.execute(
        select(
            jobs.c.key,
            type_coerce(jobs.c.started_at, String),
            type_coerce(jobs.c.finished_at, String),
        ).where(
            jobs.c.project == project,
            jobs.c.started_at.is_not(None),
            jobs.c.finished_at.is_not(None),
        )
    )
    for key, started, finished in rows:
        for kind, keys in kinds.items():
            if key in keys:
                time = found[kind]
                time.jobs += 1
                span = datetime.fromisoformat(finished) - datetime.fromisoformat(started)
                time.seconds += max(span.total_seconds(), 0.0)
    return found
