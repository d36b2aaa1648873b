"""Create and change rows: each field is checked and turned into what is kept."""

import dataclasses
import uuid
from collections.abc import Mapping, Sequence

from haikei.sgserver.credentials import keep_secret
from haikei.sgserver.media.attachments import file_value
from haikei.sgserver.schema.entities import DataType, EntityType, Field
from haikei.sgserver.store import SqlValue
from haikei.sgserver.values import Fault, Json, bad_request, failed, inspect
from haikei.sgserver.write.coercing import HASHES, Coercion, reference
from haikei.sgserver.write.linking import (
    Mode,
    add_up,
    add_up_change,
    check_connection,
    is_time_log,
    set_links,
    tell_born,
    tell_change,
    tell_new,
)
from haikei.sgserver.write.rows import (
    Columns,
    Work,
    change_row,
    insert_row,
    kept_json,
    missing,
    row_columns,
)

_NESTED = (Mapping, list, type(None))  #: what a serializable field holds
HIDDEN = "*******"  #: what the site shows of a password, and all that a row keeps of it


@dataclasses.dataclass(slots=True)
class Draft:
    """What is to be written to one row."""

    secret: str = ""  #: a person's new password, of which the site keeps a salted hash

    columns: Columns = dataclasses.field(default_factory=dict[str, SqlValue])
    links: list[tuple[Field, list[int], Mode]] = dataclasses.field(
        default_factory=list[tuple[Field, list[int], Mode]]
    )


class Drafter:
    """
    Check the fields of one row that is to be written.

    Args:
        work: the request; its verb says whether the row is new.
        kind: the row's type.
        entity_id: the row's id.
        project: the row's project where it has one already.
    """

    def __init__(
        self, work: Work, kind: EntityType, entity_id: int, *, project: SqlValue = None
    ) -> None:
        self._work = work
        self._kind = kind
        self._id = entity_id
        self._project = project

    def draft(self, fields: Mapping[str, Json], modes: Mapping[str, Mode] | None = None) -> Draft:
        """
        Return what these fields write.

        Raises:
            Fault: a field does not exist or may not be written, or a value is wrong.
        """
        draft = Draft()
        # The project first: files that other fields bring belong to it.
        for name in sorted(fields, key=lambda name: name != "project"):
            value = fields[name]
            found = self._field(name)
            if name == "cached_display_name":
                continue  # taken without a word and dropped, as on the real site
            if found.data_type is DataType.MULTI_ENTITY:
                mode = (modes or {}).get(name, "set")
                draft.links.append((found, self._targets(found, value), mode))
                continue
            draft.columns[name] = self._column(found, value, draft)
            if name == "project":
                self._project = draft.columns[name]
        return draft

    def _field(self, name: str) -> Field:
        verb, place = self._work.verb, f"{self._kind.name}.{name}"
        found = self._kind.fields.get(name)
        if found is None:
            raise bad_request(f"API {verb}() {place} doesn't exist.")
        creating = verb == "create"
        if found.create_only and not creating:
            raise bad_request(f"API {verb}() {place} is editable on create only.")
        if not found.editable and not (found.create_only and creating):
            raise bad_request(f"API {verb}() {place} is read only.")
        return found

    def _refused(self, found: Field, reason: str) -> Fault:
        message = f"Update failed for [{self._kind.name}.{found.name}]: {reason}"
        if self._work.verb == "create":
            message = f"Invalid field value, update failed [5 - {message}]"
        return failed(message)

    def _column(self, found: Field, value: Json, draft: Draft) -> SqlValue:
        match found.data_type:
            case DataType.ENTITY:
                return self._link(found, value)
            case DataType.URL:
                return self._file(found, value, draft)
            case DataType.IMAGE:
                self._check_image(found, value)
                if found.name == "image" and "filmstrip_image" in self._kind.fields:
                    draft.columns["filmstrip_image"] = None
                return None
            case DataType.TAG_LIST:
                return self._tag_list(found, value)
            case DataType.SERIALIZABLE | DataType.JSONB:
                if found.data_type is DataType.SERIALIZABLE and not isinstance(value, _NESTED):
                    coercion = Coercion(self._work.verb, self._kind.name, found)
                    raise coercion.refusal(value, "Hash, Array, NilClass")
                return None if value is None else kept_json(value)
            case DataType.PASSWORD:
                return self._password(found, value, draft)
            case _:
                kept = Coercion(self._work.verb, self._kind.name, found)(value)
                self._check_choice(found, kept)
                return kept

    def _check_choice(self, found: Field, kept: SqlValue) -> None:
        if kept is None:
            return
        if found.data_type is DataType.ENTITY_TYPE and kept not in self._work.schema.types:
            raise self._refused(found, f"'{kept}' is not a valid entity type.")
        if found.data_type is DataType.STATUS_LIST and kept not in found.valid_values:
            raise self._refused(
                found,
                f"'{kept}' is not a valid status. Valid statuses: {_listed(found.valid_values)}.",
            )
        if found.data_type is DataType.LIST and kept not in found.valid_values:
            raise self._refused(
                found,
                f"'{kept}' is not a valid list value. Valid list values: "
                f"{_listed(found.valid_values)}.",
            )

    def _password(self, found: Field, value: Json, draft: Draft) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            coercion = Coercion(self._work.verb, self._kind.name, found)
            raise coercion.refusal(value, "String, NilClass")
        if self._kind.name != "HumanUser":
            return value
        if not value:
            raise self._refused(found, "A password has at least one character.")
        draft.secret = value
        return HIDDEN

    def _link(self, found: Field, value: Json) -> int | None:
        if value is None:
            return None
        if not isinstance(value, Mapping):
            coercion = Coercion(self._work.verb, self._kind.name, found)
            raise coercion.refusal(value, f"{HASHES}, NilClass")
        entity_type, entity_id = reference(self._work.verb, value, self._work.schema.types)
        if found.binds and entity_type not in found.valid_types:
            expected = " or ".join(found.valid_types)
            raise self._refused(found, f"{expected} expected, got {entity_type}")
        self._check_row(found, entity_type, entity_id)
        return entity_id

    def _check_row(self, found: Field, entity_type: str, entity_id: int) -> None:
        sql = "SELECT 1 FROM records WHERE id = ? AND type = ? AND retired = 0"
        if self._work.session.row(sql, (entity_id, entity_type)) is None:
            raise self._refused(found, "Value is not legal.")

    def _targets(self, found: Field, value: Json) -> list[int]:
        if isinstance(value, Mapping):
            raise bad_request(
                f"API {self._work.verb}() invalid/missing string 'multi_entity_update_mode'"
            )
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise Coercion(self._work.verb, self._kind.name, found).refusal(value, "Array, Hash")
        ids: list[int] = []
        for one in value:
            entity_type, entity_id = reference(self._work.verb, one, self._work.schema.types)
            # Where a field may link one type only the real site insists on it, elsewhere not.
            if len(found.valid_types) == 1 and entity_type not in found.valid_types:
                raise self._refused(found, "Value is not legal.")
            self._check_row(found, entity_type, entity_id)
            ids.append(entity_id)
        return ids

    def _file(self, found: Field, value: Json, draft: Draft) -> str | None:
        if value is None:
            return None
        own = self._id if self._kind.name == "Attachment" else None
        place = f"{self._kind.name}.{found.name}"
        kept, storage = file_value(self._work, place, value, project=self._project, own=own)
        for name in ("path_cache_storage", "local_storage"):
            if storage is not None and name in self._kind.fields:
                draft.columns.setdefault(name, storage)
        return kept

    def _check_image(self, found: Field, value: Json) -> None:
        verb, place = self._work.verb, f"{self._kind.name}.{found.name}"
        if isinstance(value, Mapping):
            reference(verb, value, self._work.schema.types)
            raise bad_request(
                f"API {verb}(): Write access of the 'image' data type ({place}) not yet supported "
                "in API"
            )
        if value is not None:
            coercion = Coercion(verb, self._kind.name, found)
            raise coercion.refusal(value, f"{HASHES}, NilClass")

    def _tag_list(self, found: Field, value: Json) -> str | None:
        if value is None or value == []:
            return None
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise Coercion(self._work.verb, self._kind.name, found).refusal(
                value, "Array, NilClass"
            )
        if not all(isinstance(tag, str) for tag in value):
            raise bad_request(f"Invalid data for 'tag_list' data type. Value: {inspect(value)}")
        return kept_json(value)


def _listed(values: Sequence[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


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
    if draft.secret:
        keep_secret(session, entity_id, draft.secret)
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
    if draft.secret:
        keep_secret(work.session, entity_id, draft.secret)
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
