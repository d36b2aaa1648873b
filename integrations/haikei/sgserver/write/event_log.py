"""
The event log: what each write leaves in it, as the real site does.

A create leaves one `_Change` row for each field that has a value, all marked `in_create`, and the
`_New` row last. Where a write shows on other rows as well, each of those gets a row of its own,
which names the attribute that was really changed and the row of the log that records it.
"""

from collections.abc import Sequence

from haikei.sgserver.query.clauses import Presenter, parse_image
from haikei.sgserver.schema.entities import DataType, Field
from haikei.sgserver.store import SqlValue
from haikei.sgserver.values import Json
from haikei.sgserver.write.rows import Columns, Work, Written, kept_json, mention

#: What a create sets that no row of the log records.
_UNRECORDED = {
    "project",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
    "cached_display_name",
}
_INSERT = (
    'INSERT INTO "EventLogEntry" (id, event_type, attribute_name, description, '
    "cached_display_name, meta, entity, project, user, session_uuid, created_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def recorded_fields(row: Written, columns: Columns) -> list[Field]:
    """Return the fields of a new row that the log records, in its order: the name comes last."""
    names = [name for name in columns if name != row.kind.name_field]
    if row.kind.name_field:
        names.append(row.kind.name_field)
    fields: list[Field] = []
    for name in names:
        value, field = columns.get(name), row.kind.fields[name]
        untouched = value is None or (field.data_type is DataType.CHECKBOX and not value)
        if name not in _UNRECORDED and not untouched:
            fields.append(field)
    return fields


class Journal:
    """
    Write the event log for one request.

    A script whose `generate_event_log_entries` is off leaves nothing.

    Args:
        work: the request.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._presenter = Presenter(work.session, "")
        self._silent = not work.caller.generates_events

    @property
    def silent(self) -> bool:
        """Whether nothing is recorded at all."""
        return self._silent

    def new(self, row: Written) -> int:
        """Tell that a row is there; return the event's id, 0 when nothing is recorded."""
        meta: Json = {"type": "new_entity", "entity_type": row.kind.name, "entity_id": row.id}
        return self._write(row, "New", None, f"created {_called(row)}", meta)

    def changed(
        self,
        row: Written,
        field: Field,
        old: SqlValue,
        new: SqlValue,
        *,
        in_create: bool = False,
        is_transient: bool | None = None,
    ) -> int:
        """Record that a field has another value; return the event's id, 0 when nothing is."""
        if self._silent:
            return 0
        before, after = self._wire_value(field, old), self._wire_value(field, new)
        if field.data_type is DataType.IMAGE:
            before, after = _thumbnails(old, new)
        meta = {
            **self._attribute(row, field.name, field.data_type, in_create=in_create),
            "old_value": before,
            "new_value": after,
        }
        if is_transient is not None:
            meta["is_transient"] = is_transient
        sentence = (
            f'changed "{field.label}" from "{_shown(before)}" to "{_shown(after)}" '
            f"on {_called(row)}"
        )
        return self._write(row, "Change", field.name, sentence, meta)

    def links_changed(
        self,
        row: Written,
        field: Field,
        added: Sequence[int],
        removed: Sequence[int],
        *,
        in_create: bool = False,
        origin: tuple[str, int] | None = None,
    ) -> int:
        """
        Tell that a multi-entity field has other links; return the event's id.

        `origin` is the attribute that was really changed and the event that records it, where
        this row only shows the change.
        """
        if self._silent or not (added or removed):
            return 0
        mentions = [[mention(self._work, target) for target in ids] for ids in (added, removed)]
        meta = self._attribute(row, field.name, field.data_type, in_create=in_create)
        meta |= {"added": mentions[0], "removed": mentions[1]}
        if origin is not None:
            meta["actual_attribute_changed"] = origin[0]
            meta["original_event_log_entry_id"] = origin[1]
        words = [f"added {_shown(m)}" for m in mentions[0]]
        words += [f"removed {_shown(m)}" for m in mentions[1]]
        sentence = f'{", ".join(words)} in "{field.label}" on {_called(row)}'
        return self._write(row, "Change", field.name, sentence, meta)

    def mirrored(
        self,
        shown_on: Written,
        shown_in: Field,
        changed: Written,
        origin: tuple[Field, int],
        *,
        added: Sequence[int] = (),
        removed: Sequence[int] = (),
        in_create: bool = False,
    ) -> None:
        """Tell on a linked row that a link to it came or went; `meta` names the changed row."""
        if self._silent:
            return
        field, event = origin
        mentions = [[mention(self._work, target) for target in ids] for ids in (added, removed)]
        meta = self._attribute(changed, shown_in.name, field.data_type, in_create=in_create)
        meta |= {
            "actual_attribute_changed": f"{changed.kind.name}.{field.name}",
            "original_event_log_entry_id": event,
            "added": mentions[0],
            "removed": mentions[1],
        }
        word = "added" if added else "removed"
        sentence = f'{word} {_called(changed)} in "{shown_in.label}" on {_called(shown_on)}'
        self._write(shown_on, "Change", shown_in.name, sentence, meta)

    def retired(self, row: Written) -> None:
        """Tell that a row was retired, and when."""
        moment = self._work.now.strftime("%Y-%m-%d %H:%M:%S UTC")
        meta: Json = {
            "type": "entity_retirement",
            "class_name": row.kind.name,
            "display_name": row.name,
            "entity_id": row.id,
            "entity_type": row.kind.name,
            "id": row.id,
            "retirement_date": moment,
        }
        self._write(row, "Retirement", None, f"retired {_called(row)}", meta)
        self._retirement_date(row, None, moment)

    def revived(self, row: Written) -> None:
        """Tell that a row is back."""
        meta: Json = {
            "type": "entity_revival",
            "class_name": row.kind.name,
            "display_name": row.name,
            "entity_id": row.id,
            "entity_type": row.kind.name,
            "id": row.id,
        }
        self._write(row, "Revival", None, f"revived {_called(row)}", meta)

    def _retirement_date(self, row: Written, old: str | None, new: str | None) -> None:
        meta = {
            **self._attribute(row, "retirement_date", DataType.DATE_TIME, in_create=False),
            "old_value": old,
            "new_value": new,
        }
        self._write(row, "Change", "retirement_date", f"retired {_called(row)}", meta)

    def _attribute(
        self, row: Written, name: str, data_type: DataType, *, in_create: bool
    ) -> dict[str, Json]:
        meta: dict[str, Json] = {
            "type": "attribute_change",
            "attribute_name": name,
            "entity_type": row.kind.name,
            "entity_id": row.id,
            "field_data_type": str(data_type),
        }
        if in_create:
            meta["in_create"] = True
        return meta

    def _wire_value(self, field: Field, kept: SqlValue) -> Json:
        match field.data_type:
            case DataType.ENTITY:
                return mention(self._work, None if kept is None else int(kept))
            case _:
                return None if kept is None else self._presenter.value(field, kept)

    def _write(
        self, row: Written, action: str, attribute: str | None, sentence: str, meta: Json
    ) -> int:
        if self._silent:
            return 0
        caller = self._work.caller
        event = self._work.session.next_event_id()
        description = f"{caller.name} {sentence}"
        values = (
            event,
            f"Shotgun_{row.kind.name}_{action}",
            attribute,
            description,
            description,
            kept_json(meta),
            row.id,
            row.project,
            caller.id,
            caller.session_uuid,
            self._work.stamp,
        )
        self._work.session.execute(_INSERT, values)
        return event


def _called(row: Written) -> str:
    return f"{row.kind.label} {row.name or row.id}"


def _shown(value: Json) -> str:
    if isinstance(value, dict):
        return str(value.get("name") or value.get("id"))
    return "" if value is None else str(value)


def _thumbnails(old: SqlValue, new: SqlValue) -> tuple[int | None, int | None]:
    """Return both values as events name them: by attachment; a placeholder was no old value."""
    before = None if old is None else parse_image(str(old))
    after = None if new is None else parse_image(str(new))
    shown = None if before is None or before[1] else before[0]
    return shown, None if after is None else after[0]
