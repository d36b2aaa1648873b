"""
Retire rows and bring them back, and keep the hours of a Task added up. Nothing is
ever erased.
"""

from haikei.sgserver.schema.entities import EntityType
from haikei.sgserver.store import SqlValue, quoted
from haikei.sgserver.values import failed
from haikei.sgserver.write.event_log import Journal
from haikei.sgserver.write.rows import Columns, Work, Written, missing, record


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


def retire(work: Work, kind: EntityType, entity_id: int) -> bool:
    """
    Retire a row, and with it the connections that end at it; False when it is retired already.

    Links to it are kept and read as nothing until it is revived.

    Raises:
        Fault: there is no such row, or its type's rows are permanent.
    """
    if kind.permanent:
        raise failed(
            f"Entity of type {kind.name} can not be deleted by this user. Rule: API Admin -- "
            f"PermissionRule 297: DENY retire_entity FOR entity_type => {kind.name}"
        )
    state = _state(work, kind, entity_id)
    if state:
        return False
    row = record(work, entity_id)
    if row is None:
        raise missing("delete", kind.name, entity_id)
    journal = Journal(work)
    journal.retired(row)
    _mark(work, row, retired=True, cause=None)
    if is_time_log(kind):
        add_up(work, task_of(work, entity_id))
    for place in work.schema.connections(kind.name):
        far = work.schema.types[place.entity_type]
        sql = f"SELECT id FROM {quoted(far.name)} WHERE {quoted(place.field)} = ? AND _retired = 0"
        for connection in work.session.numbers(sql, (entity_id,)):
            ended = record(work, connection)
            if ended is not None:
                journal.retired(ended)
                _mark(work, ended, retired=True, cause=entity_id)
    return True


def disconnect(work: Work, connection: Written) -> None:
    """Retire one connection; what it joined is told of it by the caller."""
    Journal(work).retired(connection)
    _mark(work, connection, retired=True, cause=None)


def revive(work: Work, kind: EntityType, entity_id: int) -> bool:
    """
    Bring a retired row back, with the connections that went with it; False when it is live.

    Raises:
        Fault: there is no such row.
    """
    if not _state(work, kind, entity_id):
        return False
    causes = work.session.numbers("SELECT id FROM records WHERE cause = ?", (entity_id,))
    for one in (entity_id, *causes):
        work.session.execute("UPDATE records SET retired = 0, cause = NULL WHERE id = ?", (one,))
        row = record(work, one)
        if row is not None:
            _mark(work, row, retired=False, cause=None)
            Journal(work).revived(row)
    if is_time_log(kind):
        add_up(work, task_of(work, entity_id))
    return True


def _state(work: Work, kind: EntityType, entity_id: int) -> bool:
    sql = "SELECT retired FROM records WHERE id = ? AND type = ?"
    found = work.session.row(sql, (entity_id, kind.name))
    if found is None:
        raise missing(work.verb, kind.name, entity_id)
    return bool(found[0])


def _mark(work: Work, row: Written, *, retired: bool, cause: int | None) -> None:
    work.session.execute(
        f"UPDATE {quoted(row.kind.name)} SET _retired = ? WHERE id = ?", (int(retired), row.id)
    )
    work.session.execute(
        "UPDATE records SET retired = ?, cause = ? WHERE id = ?", (int(retired), cause, row.id)
    )
