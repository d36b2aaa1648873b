"""
Links between rows: set them from either side, and tell both sides of it; rows that retire.

Rows are retired and brought back, and a Task's hours are kept added up. Nothing is ever erased.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

from haikei.sgserver.query.clauses import link_rows
from haikei.sgserver.schema.entities import (
    Back,
    DataType,
    EntityType,
    Field,
    FieldPlace,
    Links,
    Through,
)
from haikei.sgserver.store import SqlValue, quoted
from haikei.sgserver.values import failed
from haikei.sgserver.write.event_log import Journal, recorded_fields
from haikei.sgserver.write.rows import (
    Columns,
    Work,
    Written,
    change_row,
    insert_row,
    missing,
    record,
    row_columns,
)


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
    """Retire one connection; the caller records it for what it joined."""
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


#: How a value joins a multi-entity field.
Mode: TypeAlias = Literal["set", "add", "remove"]


def tell_change(
    work: Work, row: Written, field: Field, old: SqlValue, new: SqlValue, *, in_create: bool = False
) -> None:
    """Tell of a field's new value, and of a link's on the rows that show its other end."""
    journal = Journal(work)
    if journal.silent:
        return
    event = journal.changed(row, field, old, new, in_create=in_create)
    if field.data_type is not DataType.ENTITY:
        return
    mirrors = work.schema.mirrors(FieldPlace(row.kind.name, field.name))
    for target, added in ((old, False), (new, True)):
        far = None if target is None or not mirrors else record(work, int(target))
        for place in mirrors:
            if far is not None and place.entity_type == far.kind.name:
                journal.mirrored(
                    far,
                    far.kind.fields[place.field],
                    row,
                    (field, event),
                    added=[row.id] if added else [],
                    removed=[] if added else [row.id],
                    in_create=in_create,
                )


def tell_new(work: Work, row: Written, columns: Columns) -> None:
    """Tell of a new row's values."""
    for field in recorded_fields(row, columns):
        tell_change(work, row, field, None, columns[field.name], in_create=True)


def tell_born(work: Work, row: Written, columns: Mapping[str, SqlValue]) -> None:
    """Tell that a row is there, now that its values are recorded, and whom it joins."""
    event = Journal(work).new(row)
    if row.kind.connection:
        _tell_ends(work, row, columns, event, added=True)


def _tell_ends(
    work: Work, row: Written, columns: Mapping[str, SqlValue], event: int, *, added: bool
) -> None:
    journal = Journal(work)
    for place, relation in work.schema.shown_through(row.kind.name):
        near, far = columns.get(relation.near), columns.get(relation.far)
        end = None if near is None else record(work, int(near))
        if end is None or far is None or end.kind.name != place.entity_type:
            continue
        journal.links_changed(
            end,
            end.kind.fields[place.field],
            [int(far)] if added else [],
            [] if added else [int(far)],
            in_create=added,
            origin=(f"{row.kind.name}.{relation.near}", event),
        )


def check_connection(work: Work, kind: EntityType, columns: Mapping[str, SqlValue]) -> None:
    """
    Refuse a second connection of the same two rows.

    Raises:
        Fault: they are connected already.
    """
    ends = [name for name, field in kind.fields.items() if field.data_type is DataType.ENTITY]
    given = [columns.get(name) for name in ends]
    if None in given:
        return
    same = " AND ".join(f"{quoted(name)} = ?" for name in ends)
    sql = f"SELECT 1 FROM {quoted(kind.name)} WHERE _retired = 0 AND {same}"
    if work.session.row(sql, given) is not None:
        raise failed(
            f"Create failed for [{kind.name}]: Validation failed: There is already a connection "
            "between the entities."
        )


def linked_ids(work: Work, field: Field, owner: int) -> list[int]:
    """Return the live rows that a multi-entity field links."""
    if field.relation is None:
        return []
    rows = link_rows(field.relation, "k")
    sql = (
        f"SELECT {rows.target} FROM {rows.table} JOIN records r ON r.id = {rows.target} "
        f"AND r.retired = 0 WHERE {rows.owner} = ? AND {rows.where}"
    )
    return work.session.numbers(sql, (owner,))


def set_links(
    work: Work,
    row: Written,
    field: Field,
    targets: Sequence[int],
    *,
    mode: Mode = "set",
    in_create: bool = False,
) -> None:
    """Let a multi-entity field link these rows: only these, these too, or these no more."""
    current = [] if in_create else linked_ids(work, field, row.id)
    added = [t for t in dict.fromkeys(targets) if t not in current] if mode != "remove" else []
    removed: list[int] = []
    if mode == "remove":
        removed = [t for t in current if t in targets]
    elif mode == "set":
        removed = [t for t in current if t not in targets]
    match field.relation:
        case Links(key=key, outward=outward):
            _join(work, key, row.id, added, removed, outward=outward)
            _tell_links(work, row, field, added, removed, in_create=in_create)
        case Back(entity_type=far, field=name, owned=owned):
            _point_back(work, row, (far, name), added, removed, owned=owned)
        case Through() as relation:
            _connect(work, row, relation, added, removed)
        case _:
            pass


def _join(
    work: Work,
    key: str,
    owner: int,
    added: Iterable[int],
    removed: Iterable[int],
    *,
    outward: bool,
) -> None:
    for target in added:
        ends = (owner, key, target) if outward else (target, key, owner)
        work.session.execute("INSERT OR IGNORE INTO links VALUES (?, ?, ?)", ends)
    for target in removed:
        ends = (owner, key, target) if outward else (target, key, owner)
        work.session.execute("DELETE FROM links WHERE owner = ? AND field = ? AND target = ?", ends)


def _tell_links(
    work: Work,
    row: Written,
    field: Field,
    added: Sequence[int],
    removed: Sequence[int],
    *,
    in_create: bool,
) -> None:
    journal = Journal(work)
    if journal.silent:
        return
    event = journal.links_changed(row, field, added, removed, in_create=in_create)
    for targets, come in ((added, True), (removed, False)):
        for far in (record(work, target) for target in targets):
            shown = None if far is None else _other_end(work, row.kind, field, far.kind)
            if far is not None and shown is not None:
                journal.mirrored(
                    far,
                    shown,
                    row,
                    (field, event),
                    added=[row.id] if come else [],
                    removed=[] if come else [row.id],
                    in_create=in_create,
                )


def _other_end(work: Work, kind: EntityType, field: Field, far: EntityType) -> Field | None:
    """Return the field of the far type that shows the same links, None when there is none."""
    if not isinstance(field.relation, Links):
        return None
    if not field.relation.outward:
        owner, _, name = field.relation.key.partition(".")
        return far.fields[name] if owner == far.name else None
    for place in work.schema.mirrors(FieldPlace(kind.name, field.name)):
        if place.entity_type == far.name:
            return far.fields[place.field]
    return None


def _point_back(
    work: Work,
    row: Written,
    place: tuple[str, str],
    added: Iterable[int],
    removed: Iterable[int],
    *,
    owned: bool,
) -> None:
    kind = work.schema.types[place[0]]
    field = kind.fields[place[1]]
    for target in removed:
        if owned:
            retire(work, kind, target)
        else:
            point(work, kind, target, field, None)
    for target in added:
        point(work, kind, target, field, row.id)


def point(work: Work, kind: EntityType, entity_id: int, field: Field, target: int | None) -> None:
    """Let a single link of a row point somewhere else, and tell of it."""
    columns = row_columns(work, kind, entity_id)
    if columns is None or columns[field.name] == target:
        return
    written = change_row(work, kind, entity_id, columns, {field.name: target})
    tell_change(work, written, field, columns[field.name], target)


def _connect(
    work: Work, row: Written, relation: Through, added: Iterable[int], removed: Iterable[int]
) -> None:
    kind = work.schema.types[relation.entity_type]
    for target in added:
        columns: Columns = {
            name: field.default if isinstance(field.default, str | int | float) else None
            for name, field in kind.fields.items()
            if field.stored
        }
        columns |= {relation.near: row.id, relation.far: target}
        connection = insert_row(work, kind, work.session.next_id(), columns)
        tell_new(work, connection, columns)
        tell_born(work, connection, columns)
    for target in removed:
        sql = (
            f"SELECT id FROM {quoted(kind.name)} WHERE {quoted(relation.near)} = ? "
            f"AND {quoted(relation.far)} = ? AND _retired = 0"
        )
        for connection_id in work.session.numbers(sql, (row.id, target)):
            ended = record(work, connection_id)
            if ended is not None:
                disconnect(work, ended)
                ends = {relation.near: row.id, relation.far: target}
                _tell_ends(work, ended, ends, 0, added=False)
