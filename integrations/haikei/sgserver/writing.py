"""Create and change rows."""

import uuid
from collections.abc import Mapping

from haikei.sgserver.drafts import Drafter
from haikei.sgserver.entities import EntityType
from haikei.sgserver.faults import bad_request, failed
from haikei.sgserver.linking import (
    Mode,
    check_connection,
    set_links,
    tell_born,
    tell_change,
    tell_new,
)
from haikei.sgserver.rows import Columns, Work, change_row, insert_row, missing, row_columns
from haikei.sgserver.store import SqlValue
from haikei.sgserver.timelogs import add_up, add_up_change, is_time_log
from haikei.sgserver.values import Json, inspect

#: Where a new row's person is the caller unless another is given.
_AUTHORED = {"Version", "Note", "Reply"}


def create_row(work: Work, kind: EntityType, fields: Mapping[str, Json]) -> int:
    """
    Create a row; return its id.

    Raises:
        Fault: a field is missing or wrong.
    """
    if kind.needs_project and fields.get("project") is None:
        raise bad_request(f"API create() missing 'project' attribute: {inspect(dict(fields))}")
    session = work.session
    entity_id = session.next_event_id() if kind.name == "EventLogEntry" else session.next_id()
    draft = Drafter(work, kind, entity_id).draft(fields)
    columns = draft.columns
    given = set(columns)
    for name, value in _defaults(work, kind).items():
        if name not in given:
            columns[name] = value
    _name_persons(kind, columns, given)
    if kind.auto_name and kind.name_field and columns.get(kind.name_field) is None:
        label = "Event" if kind.permanent else kind.label
        number = "" if kind.name == "TimeLog" or kind.permanent else f" {entity_id}"
        columns[kind.name_field] = f"New {label}{number}"
    if kind.connection:
        check_connection(work, kind, columns)
    row = insert_row(work, kind, entity_id, columns)
    if kind.permanent:
        return entity_id
    tell_new(work, row, columns)
    for field, targets, _ in draft.links:
        set_links(work, row, field, targets, in_create=True)
    tell_born(work, row, columns)
    if is_time_log(kind):
        add_up(work, columns.get("entity"))
    return entity_id


def _defaults(work: Work, kind: EntityType) -> Columns:
    columns: Columns = {}
    for name, field in kind.fields.items():
        default = field.default
        if field.stored and isinstance(default, str | int | float):
            columns[name] = int(default) if isinstance(default, bool) else default
    for name, value in (
        ("created_at", work.stamp),
        ("created_by", work.caller.id),
        ("updated_at", work.stamp),
        ("updated_by", work.caller.id),
    ):
        if name in kind.fields:
            columns[name] = value
    if kind.name in _AUTHORED or (kind.name == "TimeLog" and work.caller.kind == "HumanUser"):
        columns["user"] = work.caller.id
    if kind.name == "TimeLog":
        columns["date"] = work.now.date().isoformat()
    if kind.name == "LocalStorage":
        columns["uuid"] = str(uuid.uuid4())
    return columns


def _name_persons(kind: EntityType, columns: Columns, given: set[str]) -> None:
    if kind.name != "HumanUser" or "name" in given:
        return
    parts: list[SqlValue] = [columns.get("firstname"), columns.get("lastname")]
    columns["name"] = " ".join(str(part) for part in parts if part) or columns.get("login")


def update_row(
    work: Work,
    kind: EntityType,
    entity_id: int,
    fields: Mapping[str, Json],
    modes: Mapping[str, Mode] | None = None,
) -> None:
    """
    Change a row.

    Raises:
        Fault: there is no such row, its type's rows are permanent, or a field is wrong.
    """
    if kind.permanent and fields:
        places = ", ".join(f"{kind.name}.{name}" for name in fields)
        raise failed(
            f"The field is not editable for this user: [{places}]. Rule: API Admin -- "
            f"PermissionRule 306: DENY update_field FOR entity_type => {kind.name}"
        )
    old = row_columns(work, kind, entity_id)
    if old is None:
        raise missing(work.verb, kind.name, entity_id)
    draft = Drafter(work, kind, entity_id, project=old.get("project")).draft(fields, modes)
    if {"firstname", "lastname"} & set(draft.columns):
        merged = {**old, **draft.columns}
        _name_persons(kind, merged, set(draft.columns))
        if kind.name == "HumanUser":
            draft.columns["name"] = merged["name"]
    changes = {name: value for name, value in draft.columns.items() if old[name] != value}
    if not changes and not draft.links:
        return
    row = change_row(work, kind, entity_id, old, changes)
    for name, value in changes.items():
        tell_change(work, row, kind.fields[name], old[name], value)
    for field, targets, mode in draft.links:
        set_links(work, row, field, targets, mode=mode)
    if is_time_log(kind):
        add_up_change(work, old, changes)
