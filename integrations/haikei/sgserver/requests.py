"""The parts that wire requests share, read from JSON."""

from collections.abc import Mapping, Sequence

from haikei.sgserver.entities import EntityType, Schema
from haikei.sgserver.faults import bad_request
from haikei.sgserver.linking import Mode
from haikei.sgserver.values import Json, inspect


def entity_type_of(schema: Schema, verb: str, call: Mapping[str, Json]) -> EntityType:
    """
    Return the entity type that a request names.

    Raises:
        Fault: it names none that there is.
    """
    found = schema.get(call.get("type"))
    if found is None:
        names = inspect(sorted(name for name, kind in schema.types.items() if kind.visible))
        raise bad_request(
            f"API {verb}() invalid/missing string entity 'type': {inspect(dict(call))} "
            f"Valid entity types: {names}"
        )
    return found


def entity_id_of(verb: str, call: Mapping[str, Json]) -> int:
    """
    Return the id that a request names.

    Raises:
        Fault: it names none.
    """
    found = call.get("id")
    if isinstance(found, bool) or not isinstance(found, int):
        raise bad_request(f"API {verb}() invalid/missing integer 'id': {inspect(dict(call))}")
    return found


def field_values(verb: str, call: Mapping[str, Json]) -> dict[str, Json]:
    """
    Return the values of a request's `fields`, by name.

    Raises:
        Fault: they are malformed.
    """
    return {name: one.get("value") for name, one in _fields(verb, call)}


def update_modes(verb: str, call: Mapping[str, Json]) -> dict[str, Mode]:
    """
    Return how the values of multi-entity fields join what is there, by name.

    Raises:
        Fault: a mode is unknown.
    """
    modes: dict[str, Mode] = {}
    for name, one in _fields(verb, call):
        match one.get("multi_entity_update_mode"):
            case None:
                pass
            case "set":
                modes[name] = "set"
            case "add":
                modes[name] = "add"
            case "remove":
                modes[name] = "remove"
            case other:
                raise bad_request(
                    f"API {verb}() invalid 'multi_entity_update_mode' {inspect(other)}. "
                    'Valid modes: ["set", "add", "remove"]'
                )
    return modes


def _fields(verb: str, call: Mapping[str, Json]) -> list[tuple[str, Mapping[str, Json]]]:
    fields = call.get("fields", [])
    found: list[tuple[str, Mapping[str, Json]]] = []
    for one in fields if isinstance(fields, Sequence) else [fields]:
        name = one.get("field_name") if isinstance(one, Mapping) else None
        if not isinstance(one, Mapping) or not isinstance(name, str):
            raise bad_request(f"API {verb}() invalid/missing array 'fields': {inspect(dict(call))}")
        found.append((name, one))
    return found


def names_of(call: Mapping[str, Json], key: str) -> list[str]:
    """Return a list of names in a request; whatever is no name is left out."""
    found = call.get(key)
    if isinstance(found, str):
        return [found]
    if not isinstance(found, Sequence):
        return []
    return [name for name in found if isinstance(name, str)]
