"""Read what a site's schema says about our fields."""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, cast

from haikei.trackers.shotgrid_fields import HaikeiField

#: Fields by name, each with properties that are `{"value": …, "editable": …}`.
Schema = Mapping[str, Mapping[str, Any]]


class FieldState(StrEnum):
    """How a field of ours stands on a site."""

    RIGHT = "right"
    MISSING = "missing"
    OTHER_TYPE = "other_type"


def field_state(schema: Schema, field: HaikeiField) -> FieldState:
    """Return how a field stands."""
    found = schema.get(field.name)
    if found is None:
        return FieldState.MISSING
    kind = _value(found.get("data_type"))
    return FieldState.RIGHT if kind == field.data_type else FieldState.OTHER_TYPE


def twins(schema: Schema, field: HaikeiField) -> Sequence[str]:
    """Return fields that a site made under another name when ours was asked for."""
    numbered = re.compile(rf"{re.escape(field.name)}_\d+")
    return sorted(
        name
        for name, properties in schema.items()
        if name != field.name
        and (numbered.fullmatch(name) or _value(properties.get("name")) == field.label)
    )


def status_values(schema: Schema, field: str, name: str) -> tuple[str, ...]:
    """Return a list property of a status field: `valid_values` or `hidden_values`."""
    properties = schema.get(field, {}).get("properties")
    found = properties.get(name) if isinstance(properties, dict) else None
    values = _value(found)
    if not isinstance(values, list):
        return ()
    return tuple(value for value in cast("list[object]", values) if isinstance(value, str))


def _value(entry: object) -> object:
    return cast("Mapping[str, object]", entry).get("value") if isinstance(entry, dict) else None
