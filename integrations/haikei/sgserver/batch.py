"""Several writes that happen together or not at all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from haikei.sgserver.faults import bad_request, failed
from haikei.sgserver.requests import (
    entity_id_of,
    entity_type_of,
    field_values,
    names_of,
    update_modes,
)
from haikei.sgserver.retiring import retire
from haikei.sgserver.rows import Work
from haikei.sgserver.values import Json, Row, inspect
from haikei.sgserver.writing import create_row, update_row

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
