"""
The parts that wire requests share, read from JSON, and several writes that happen
together or not at all.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from haikei.sgserver.schema.entities import EntityType, Schema
from haikei.sgserver.values import Json, Row, bad_request, failed, inspect
from haikei.sgserver.write.linking import Mode, retire
from haikei.sgserver.write.rows import Work
from haikei.sgserver.write.writing import create_row, update_row


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
    """
    Return a list of names in a request; a name alone is a list of one.

    Raises:
        Fault: something in it is no name.
    """
    found = call.get(key)
    if found is None:
        return []
    names = [found] if isinstance(found, str) else found
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise bad_request(f"API invalid array of names '{key}': {inspect(found)}")
    return [name for name in names if isinstance(name, str)]


#: Reads one row back, with the fields named.
ReadBack = Callable[[str, int, Sequence[str]], Row]


def run_batch(work: Work, requests: Json, read_back: ReadBack) -> list[Json]:
    """
    Carry out create, update and delete requests in order; return one result for each.

    The caller's transaction makes it atomic: a refusal leaves this function as a fault.

    Raises:
        Fault: one of the requests is refused.
    """
    if not isinstance(requests, Sequence) or isinstance(requests, str):
        raise bad_request(f"API batch() expects an array of requests: {inspect(requests)}")
    return [_one(work, request, read_back) for request in requests]


#: What a request of a batch may have.
_BATCHED = {
    "create": ("request_type", "type", "fields", "return_fields"),
    "update": ("request_type", "type", "id", "fields"),
    "delete": ("request_type", "type", "id"),
}


def _one(work: Work, request: Json, read_back: ReadBack) -> Json:
    if not isinstance(request, Mapping):
        raise bad_request(f"API batch() invalid request: {inspect(request)}")
    request_type = request.get("request_type")
    if request_type not in {"create", "update", "delete"}:
        raise bad_request(
            f"API batch() invalid/missing string 'request_type': {inspect(request)} "
            'Valid request types: ["create", "update", "delete"]'
        )
    inner = replace(work, verb=str(request_type))
    if unknown := sorted(name for name in request if name not in _BATCHED[inner.verb]):
        raise bad_request(f"API batch() unknown parameters of {inner.verb}: {inspect(unknown)}")
    kind = entity_type_of(work.schema, inner.verb, request)
    if request_type == "create":
        fields = field_values(inner.verb, request)
        entity_id = create_row(inner, kind, fields)
        return read_back(kind.name, entity_id, [*fields, *names_of(request, "return_fields")])
    entity_id = entity_id_of(inner.verb, request)
    if request_type == "update":
        fields = field_values(inner.verb, request)
        update_row(inner, kind, entity_id, fields, update_modes(inner.verb, request))
        return read_back(kind.name, entity_id, list(fields))
    if not retire(inner, kind, entity_id):
        raise failed(
            f"API delete() CRUD ERROR #3: Entity of type [{kind.name}] with id={entity_id} "
            "does not exist."
        )
    return True
