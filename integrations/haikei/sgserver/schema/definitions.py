"""Field definitions as they are kept in the site's database: custom fields and changed ones."""

import json
from dataclasses import replace
from typing import cast

from haikei.sgserver.schema.entities import Schema
from haikei.sgserver.schema.fields import DataType, Field, Links
from haikei.sgserver.store import Session
from haikei.sgserver.values import Json


def kept_definition(field: Field) -> str:
    """Return a field's definition as it is kept."""
    return json.dumps(
        {
            "label": field.label,
            "data_type": str(field.data_type),
            "valid_types": field.valid_types,
            "valid_values": field.valid_values,
            "hidden_values": field.hidden_values,
            "default": field.default,
            "description": field.description,
            "mandatory": field.mandatory,
            "custom": field.custom,
            "properties": field.properties,
            "hidden_in": field.hidden_in,
        },
        ensure_ascii=False,
    )


def load_definitions(session: Session, schema: Schema) -> Schema:
    """Return the shipped schema with the site's own fields and changes."""
    sql = "SELECT entity_type, name, definition FROM fields WHERE definition IS NOT NULL"
    for entity_type, name, definition in session.rows(sql):
        kind = schema.get(entity_type)
        if kind is not None:
            found = cast("dict[str, Json]", json.loads(str(definition)))
            before = kind.fields.get(str(name))
            field = _loaded(kind.name, str(name), found, before)
            schema = schema.replacing(kind.with_field(field))
    return schema


def _loaded(entity_type: str, name: str, kept: dict[str, Json], before: Field | None) -> Field:
    data_type = DataType(str(kept["data_type"]))
    base = before or Field(name=name, label=name, data_type=data_type)
    relation = base.relation
    if relation is None and data_type is DataType.MULTI_ENTITY:
        relation = Links(key=f"{entity_type}.{name}", outward=True)
    return replace(
        base,
        label=str(kept["label"]),
        valid_types=tuple(cast("list[str]", kept["valid_types"])),
        valid_values=tuple(cast("list[str]", kept["valid_values"])),
        hidden_values=tuple(cast("list[str]", kept["hidden_values"])),
        default=kept["default"],
        description=str(kept["description"]),
        mandatory=bool(kept["mandatory"]),
        custom=bool(kept["custom"]),
        properties=cast("dict[str, Json]", kept["properties"]),
        hidden_in=tuple(cast("list[int]", kept.get("hidden_in", []))),
        relation=relation,
    )
