"""What is added up on a Task from the hours that people log for it."""

from haikei.sgserver.entities import EntityType
from haikei.sgserver.rows import Columns, Work
from haikei.sgserver.store import SqlValue


def is_time_log(kind: EntityType) -> bool:
    """Tell whether rows of this type are hours that somebody worked."""
    return kind.name == "TimeLog"


def task_of(work: Work, entity_id: int) -> SqlValue:
    """Return the Task that a time log, live or retired, is for; None for none."""
    found = work.session.row('SELECT "entity" FROM "TimeLog" WHERE id = ?', (entity_id,))
    return None if found is None else found[0]


def add_up(work: Work, *tasks: SqlValue) -> None:
    """Write the sum of live time logs, in minutes, to each of these Tasks."""
    for task in {task for task in tasks if task is not None}:
        work.session.execute(
            'UPDATE "Task" SET "time_logs_sum" = (SELECT COALESCE(SUM("duration"), 0) '
            'FROM "TimeLog" WHERE "entity" = ? AND _retired = 0) WHERE id = ?',
            (task, task),
        )


def add_up_change(work: Work, old: Columns, changes: Columns) -> None:
    """Write the sums of the Tasks that a changed time log was for, and is for."""
    if {"duration", "entity"} & set(changes):
        add_up(work, old.get("entity"), changes.get("entity"))
