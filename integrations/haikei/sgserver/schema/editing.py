"""Read and change the schema over the wire."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from haikei.sgserver.credentials import Caller
from haikei.sgserver.schema.entities import DataType, EntityType, Field, FieldPlace, Links
from haikei.sgserver.site import Site
from haikei.sgserver.store import kept_definition, quoted
from haikei.sgserver.values import Call, Fault, Json, bad_request, failed, inspect
from haikei.sgserver.wire_calls import entity_type_of
from haikei.sgserver.write.rows import Work, missing

#: Which data types a custom field may have.
CREATABLE = {
    DataType.CHECKBOX,
    DataType.CURRENCY,
    DataType.DATE,
    DataType.DATE_TIME,
    DataType.DURATION,
    DataType.ENTITY,
    DataType.FLOAT,
    DataType.FOOTAGE,
    DataType.LIST,
    DataType.MULTI_ENTITY,
    DataType.NUMBER,
    DataType.PERCENT,
    DataType.STATUS_LIST,
    DataType.TEXT,
    DataType.TIMECODE,
    DataType.URL,
}
_LINKS = {DataType.ENTITY, DataType.MULTI_ENTITY}
_CHOICES = {DataType.LIST, DataType.STATUS_LIST}
_NUMBERS = {
    DataType.CURRENCY,
    DataType.DURATION,
    DataType.FLOAT,
    DataType.FOOTAGE,
    DataType.NUMBER,
    DataType.PERCENT,
    DataType.TIMECODE,
}


def schema_entity_read(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `schema_entity_read`: every entity type's name and visibility."""
    del caller
    _project("schema_entity_read", call)  # types are the same in every project
    return {
        kind.name: {
            "name": {"value": kind.label, "editable": False},
            "visible": {"value": kind.visible, "editable": False},
        }
        for kind in site.schema.types.values()
        if kind.visible
    }


def schema_read(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `schema_read`: every field of every type."""
    del caller
    describe = _Describer(site, "schema_read", call)
    return {
        kind.name: {field.name: describe(kind, field) for field in kind.fields.values()}
        for kind in site.schema.types.values()
        if kind.visible
    }


def schema_field_read(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `schema_field_read`: one field, or every field, of a type."""
    del caller
    kind = entity_type_of(site.schema, "schema_field_read", call)
    describe = _Describer(site, "schema_field_read", call)
    name = call.get("field_name")
    if name is None:
        return {field.name: describe(kind, field) for field in kind.fields.values()}
    field = _known(kind, "schema_field_read", name)
    return {field.name: describe(kind, field)}


class _Describer:
    """Describes fields as one request's project sees them."""

    def __init__(self, site: Site, verb: str, call: Call) -> None:
        self._project = _project(verb, call)
        with site.reading() as (session, _):
            sql = 'SELECT code, name FROM "Status" WHERE _retired = 0'
            self._statuses = {str(code): str(name or code) for code, name in session.rows(sql)}

    def __call__(self, kind: EntityType, field: Field) -> Json:
        def fixed(value: Json, *, editable: bool = False) -> Json:
            return {"value": value, "editable": editable}

        summary = field.properties.get("summary_default", "none")
        properties: dict[str, Json] = {
            "default_value": fixed(field.default),
            "summary_default": fixed(summary, editable=True),
        }
        if field.data_type in _LINKS:
            properties["valid_types"] = fixed(list(field.valid_types), editable=True)
        if field.data_type in _CHOICES:
            properties["valid_values"] = fixed(list(field.valid_values), editable=True)
            named = self._statuses if field.data_type is DataType.STATUS_LIST else {}
            labels: Json = {value: named.get(value, value) for value in field.valid_values}
            properties["display_values"] = fixed(labels)
        if field.data_type is DataType.STATUS_LIST:
            properties["hidden_values"] = fixed(list(field.hidden_values))
        for name, value in field.properties.items():
            properties.setdefault(name, fixed(value, editable=True))
        return {
            "name": fixed(field.label, editable=True),
            "description": fixed(field.description, editable=True),
            "data_type": fixed(str(field.data_type)),
            "entity_type": fixed(kind.name),
            "editable": fixed(field.editable),
            "mandatory": fixed(field.mandatory),
            "unique": fixed(False),  # noqa: FBT003 (the schema's own value: no field is unique)
            "visible": fixed(self._project not in field.hidden_in, editable=field.custom),
            "ui_value_displayable": fixed(True),  # noqa: FBT003 (the schema's own value)
            "custom_metadata": fixed(field.properties.get("custom_metadata", ""), editable=True),
            "properties": properties,
        }


def _project(verb: str, call: Call) -> int | None:
    """Return the id of the project that a request is about, None where it names none."""
    project = call.get("project")
    if project is None:
        return None
    number = project.get("id") if isinstance(project, Mapping) else None
    if (
        not isinstance(project, Mapping)
        or project.get("type") != "Project"
        or isinstance(number, bool)
        or not isinstance(number, int)
    ):
        raise bad_request(f"API {verb}() invalid Project hash 'project': {inspect(project)}")
    return number


def schema_field_create(site: Site, caller: Caller, call: Call) -> Json:
    """
    Answer `schema_field_create`: the new field's name.

    `sg_` goes before the display name, which is lower-cased; what is no letter or digit becomes
    `_`. A name that is taken gets `_1`; the name of a deleted field is spent.
    """
    with site.writing(caller, "schema_field_create") as (work, _):
        kind = entity_type_of(site.schema, work.verb, call)
        given = _properties(call)
        data_type = _creatable(call.get("data_type"), given)
        label = given.get("name")
        if not isinstance(label, str) or not label.strip():
            raise bad_request("API schema_field_create() missing required 'name' property")
        name = _free_name(work, kind, label)
        field = Field(name=name, label=label.strip(), data_type=data_type, custom=True)
        if data_type is DataType.MULTI_ENTITY:
            field = replace(field, relation=Links(key=f"{kind.name}.{name}", outward=True))
        field = _with_properties(site, field, given)
        _keep(site, work, kind, field)
        if data_type is DataType.CHECKBOX:
            work.session.execute(
                f"UPDATE {quoted(kind.name)} SET {quoted(name)} = ?", (int(bool(field.default)),)
            )
        return name


def _creatable(data_type: Json, given: Mapping[str, Json]) -> DataType:
    if not isinstance(data_type, str) or data_type not in {str(kind) for kind in CREATABLE}:
        raise bad_request(
            f"API schema_field_create() invalid/missing string 'data_type': {inspect(data_type)} "
            f"Valid data types: {inspect(sorted(str(kind) for kind in CREATABLE))}"
        )
    found = DataType(str(data_type))
    types = given.get("valid_types")
    if found in _LINKS and not (isinstance(types, Sequence) and len(types) == 1):
        raise bad_request(
            "API schema_field_create() 'valid_types' value expected Array with one element: "
            f"{inspect(types)}"
        )
    if found is DataType.CHECKBOX and not isinstance(given.get("default_value"), bool):
        raise bad_request(
            "API schema_field_create() Only true or false allowed in checkbox 'default_value'"
        )
    return found


def _free_name(work: Work, kind: EntityType, label: str) -> str:
    wanted = "sg_" + re.sub(r"[^a-z0-9]", "_", label.strip().lower())
    sql = "SELECT 1 FROM fields WHERE entity_type = ? AND name = ? AND definition IS NULL"
    name, number = wanted, 0
    while name in kind.fields:
        number += 1
        name = f"{wanted}_{number}"
    if work.session.row(sql, (kind.name, name)) is not None:
        raise failed("schema_field_create() failed")
    return name


#: What a request may say of a field, each with the data types that have it (none: all have it).
_PROPERTIES: Mapping[str, frozenset[DataType]] = {
    "name": frozenset(),
    "description": frozenset(),
    "custom_metadata": frozenset(),
    "default_value": frozenset(),
    "summary_default": frozenset(),
    "valid_types": frozenset(_LINKS),
    "valid_values": frozenset(_CHOICES),
    "hidden_values": frozenset({DataType.STATUS_LIST}),
}
_SUMMARIES = (
    "none", "count", "sum", "average", "minimum", "maximum", "earliest", "latest", "checked",
    "unchecked", "percentage", "status_list", "status_percentage", "record_count",
)  # fmt: skip


def _properties(call: Call) -> dict[str, Json]:
    properties = call.get("properties", [])
    if not isinstance(properties, Sequence) or isinstance(properties, str):
        raise bad_request(f"API schema fields: invalid 'properties': {inspect(properties)}")
    given: dict[str, Json] = {}
    for one in properties:
        name = one.get("property_name") if isinstance(one, Mapping) else None
        if not isinstance(one, Mapping) or not isinstance(name, str):
            raise bad_request(f"API schema fields: invalid 'properties': {inspect(properties)}")
        if name in given:
            raise bad_request(f"API schema fields: '{name}' stands twice in 'properties'.")
        given[name] = one.get("value")
    return given


def _with_properties(site: Site, field: Field, given: Mapping[str, Json]) -> Field:
    known = [one for one, kinds in _PROPERTIES.items() if not kinds or field.data_type in kinds]
    if unknown := [name for name in given if name not in known]:
        raise bad_request(
            f"API schema fields: {inspect(unknown)} are no properties of {field.data_type} fields. "
            f"Valid properties: {inspect(known)}"
        )
    for name, value in given.items():
        match name:
            case "name":
                field = replace(field, label=_label(value))
            case "description":
                field = replace(field, description=_text(name, value or ""))
            case "default_value":
                field = replace(field, default=_default(field, value))
            case "valid_types":
                field = replace(field, valid_types=_types(site, value))
            case "valid_values":
                field = replace(field, valid_values=_strings(name, value))
            case "hidden_values":
                field = replace(field, hidden_values=_strings(name, value))
            case _:
                text = _text(name, value)
                if name == "summary_default" and text not in _SUMMARIES:
                    raise bad_request(
                        f"'summary_default' value unknown: {inspect(value)} "
                        f"Valid values: {inspect(_SUMMARIES)}"
                    )
                field = replace(field, properties={**field.properties, name: text})
    if unlisted := [one for one in field.hidden_values if one not in field.valid_values]:
        raise bad_request(f"'hidden_values' has values that are not valid: {inspect(unlisted)}")
    return field


def _default(field: Field, value: Json) -> Json:
    """Return a default that a field can hold: yes or no, one of its choices, a text, a number."""
    match field.data_type:
        case DataType.CHECKBOX:
            fits = isinstance(value, bool)
        case kind if kind in _CHOICES | {DataType.TEXT}:
            fits = value is None or isinstance(value, str)
        case kind if kind in _NUMBERS:
            fits = value is None or (isinstance(value, int | float) and not isinstance(value, bool))
        case _:
            fits = value is None
    if not fits:
        raise bad_request(
            f"'default_value' cannot be the default of a {field.data_type} field: {inspect(value)}"
        )
    return value


def _label(value: Json) -> str:
    label = _text("name", value).strip()
    if not label:
        raise bad_request("'name' value must not be blank.")
    return label


def _types(site: Site, value: Json) -> tuple[str, ...]:
    types = _strings("valid_types", value)
    if unknown := [one for one in types if site.schema.get(one) is None]:
        raise bad_request(f"'valid_types' has unknown entity types: {inspect(unknown)}")
    return types


def _text(name: str, value: Json) -> str:
    if not isinstance(value, str):
        raise bad_request(f"'{name}' value expected String: {inspect(value)}")
    return value


def _strings(name: str, value: Json) -> tuple[str, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise bad_request(f"'{name}' value expected Array: {inspect(value)}")
    return tuple(_text(f"{name}[]", one) for one in value)


def _keep(site: Site, work: Work, kind: EntityType, field: Field) -> None:
    work.session.execute(
        "INSERT OR REPLACE INTO fields (entity_type, name, definition) VALUES (?, ?, ?)",
        (kind.name, field.name, kept_definition(field)),
    )
    site.change_schema(work, kind.with_field(field))


def schema_field_update(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `schema_field_update`: true once the properties are changed."""
    with site.writing(caller, "schema_field_update") as (work, _):
        kind = entity_type_of(site.schema, work.verb, call)
        field = _known(kind, work.verb, call.get("field_name"))
        given = _properties(call)
        if "visible" in given:
            field = _shown_in(work, kind, field, _project(work.verb, call), given.pop("visible"))
        _keep(site, work, kind, _with_properties(site, field, given))
        return True


def _shown_in(
    work: Work, kind: EntityType, field: Field, project: int | None, visible: Json
) -> Field:
    place = f"API schema_field_update() {kind.name}.{field.name}"
    if not isinstance(visible, bool):
        raise bad_request(f"{place} 'visible' value expected true or false: {inspect(visible)}")
    if project is None:
        raise bad_request(f"{place} 'visible' needs a 'project'.")
    if not field.custom:
        raise bad_request(f"{place} is a shipped field whose 'visible' is not editable.")
    if work.session.row('SELECT 1 FROM "Project" WHERE id = ?', (project,)) is None:
        raise missing(work.verb, "Project", project)
    elsewhere = tuple(one for one in field.hidden_in if one != project)
    return replace(field, hidden_in=elsewhere if visible else (*elsewhere, project))


def schema_field_delete(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `schema_field_delete`: true once the field is gone; its name is spent."""
    with site.writing(caller, "schema_field_delete") as (work, _):
        kind = entity_type_of(site.schema, work.verb, call)
        field = _known(kind, work.verb, call.get("field_name"))
        if not field.custom:
            raise _shipped(kind, field)
        work.session.execute(
            "INSERT OR REPLACE INTO fields (entity_type, name, definition) VALUES (?, ?, NULL)",
            (kind.name, field.name),
        )
        site.change_schema(work, kind.without_field(field.name))
        return True


def _shipped(kind: EntityType, field: Field) -> Fault:
    place = FieldPlace(kind.name, field.name)
    return failed(f"API schema_field_delete() {place} is a shipped field and cannot be deleted.")


def _known(kind: EntityType, verb: str, name: Json) -> Field:
    field = kind.fields.get(name) if isinstance(name, str) else None
    if field is None:
        raise bad_request(f"API {verb}() {kind.name}.{name} doesn't exist.")
    return field
