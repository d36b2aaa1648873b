"""Single rows: put them in, change them, name them."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from haikei.sgserver.credentials import Caller
from haikei.sgserver.schema.entities import EntityType, Schema
from haikei.sgserver.store import Session, SqlValue, quoted
from haikei.sgserver.values import Fault, Json, failed, moment_text

#: A row's values by column.
Columns = dict[str, SqlValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One request that writes: its transaction, who asks, and when."""

    session: Session
    schema: Schema
    caller: Caller
    now: datetime
    verb: str = "update"  #: whose words refusals use

    @property
    def stamp(self) -> str:
        """Now, as it is kept."""
        return moment_text(self.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A row that was written, as events speak of it."""

    kind: EntityType
    id: int
    name: str | None
    project: int | None


def missing(verb: str, entity_type: str, entity_id: int) -> Fault:
    """Return the fault for a row that does not exist or is retired."""
    return failed(
        f"API {verb}() CRUD ERROR #3: Entity of type [{entity_type}] with id={entity_id} "
        "does not exist."
    )


def display_name(kind: EntityType, columns: Mapping[str, SqlValue]) -> str | None:
    """Return what a row is called in links."""
    match kind.name:
        case "HumanUser":
            parts = (columns.get("firstname"), columns.get("lastname"))
            name = columns.get("name") or " ".join(str(part) for part in parts if part)
            found: SqlValue = name or columns.get("login")
        case "Note":
            texts = [str(columns[n]) for n in ("subject", "content") if columns.get(n)]
            found = " - ".join(texts)
        case "Attachment":
            found = columns.get("display_name") or columns.get("filename")
        case _:
            found = columns.get(kind.name_field) if kind.name_field else None
    return None if found is None else str(found)


def row_columns(work: Work, kind: EntityType, entity_id: int) -> Columns | None:
    """Return a live row's columns, None when there is none."""
    names = [name for name, field in kind.fields.items() if field.stored]
    sql = (
        f"SELECT {', '.join(quoted(name) for name in names)} FROM {quoted(kind.name)} "
        "WHERE id = ? AND _retired = 0"
    )
    found = work.session.row(sql, (entity_id,))
    return None if found is None else dict(zip(names, found, strict=True))


def insert_row(work: Work, kind: EntityType, entity_id: int, columns: Columns) -> Written:
    """Put a new row in, with its name and its record."""
    name = display_name(kind, columns)
    columns["cached_display_name"] = name
    names = ["id", *columns]
    sql = (
        f"INSERT INTO {quoted(kind.name)} ({', '.join(quoted(n) for n in names)}) "
        f"VALUES ({', '.join('?' * len(names))})"
    )
    work.session.execute(sql, (entity_id, *columns.values()))
    project = _project(kind, entity_id, columns)
    if not kind.permanent:
        work.session.execute(
            "INSERT INTO records (id, type, name, project) VALUES (?, ?, ?, ?)",
            (entity_id, kind.name, name, project),
        )
    return Written(kind=kind, id=entity_id, name=name, project=project)


def change_row(
    work: Work, kind: EntityType, entity_id: int, old: Columns, changes: Columns
) -> Written:
    """Change a row's columns, its name, and who changed it when."""
    columns = {**old, **changes}
    name = display_name(kind, columns)
    project = _project(kind, entity_id, columns)
    written = {**changes, "cached_display_name": name}
    if changes and "updated_at" in kind.fields:
        written |= {"updated_at": work.stamp, "updated_by": work.caller.id}
    sets = ", ".join(f"{quoted(column)} = ?" for column in written)
    work.session.execute(
        f"UPDATE {quoted(kind.name)} SET {sets} WHERE id = ?", (*written.values(), entity_id)
    )
    work.session.execute(
        "UPDATE records SET name = ?, project = ? WHERE id = ?", (name, project, entity_id)
    )
    return Written(kind=kind, id=entity_id, name=name, project=project)


def _project(kind: EntityType, entity_id: int, columns: Mapping[str, SqlValue]) -> int | None:
    if kind.name == "Project":
        return entity_id
    found = columns.get("project")
    return int(found) if found is not None else None


def record(work: Work, entity_id: int) -> Written | None:
    """Return a live row by its id alone, None when there is none."""
    sql = "SELECT type, name, project FROM records WHERE id = ? AND retired = 0"
    found = work.session.row(sql, (entity_id,))
    if found is None:
        return None
    entity_type, name, project = found
    return Written(
        kind=work.schema.types[str(entity_type)],
        id=entity_id,
        name=None if name is None else str(name),
        project=None if project is None else int(project),
    )


def mention(work: Work, entity_id: int | None) -> Json:
    """Return a link as events carry it, None for none."""
    found = None if entity_id is None else record(work, entity_id)
    if found is None:
        return None
    place = f"{found.kind.name}/{found.id}"
    return {
        "id": found.id,
        "type": found.kind.name,
        "name": found.name,
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, place)),
        "valid": "valid",
    }


def kept_json(value: Json) -> str:
    """Return JSON as it is kept in a column."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
