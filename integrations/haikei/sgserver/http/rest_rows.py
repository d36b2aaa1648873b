"""
The REST interface to rows: `/api/v1/entity/…`, and the table of all its paths.

Every request becomes the wire call of the official client that means the same, so that both
interfaces refuse the same things in the same words.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import cast
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from haikei.sgserver.http import rest_call as around
from haikei.sgserver.http.hosting import Hosting
from haikei.sgserver.http.rest import Refused, caller_of, error_response, json_body
from haikei.sgserver.http.rest_call import (
    LINKS,
    RestCall,
    Unknown,
    check_members,
    data,
    known,
    whole_number,
)
from haikei.sgserver.http.rpc import dispatch
from haikei.sgserver.media.upload_requests import CloudUploads
from haikei.sgserver.query.filters import wire_filters
from haikei.sgserver.schema.entities import DataType, EntityType, find_path
from haikei.sgserver.values import Fault, Json, Row, bad_request, inspect

Answer = Callable[[RestCall], Response]

_PAGE, _LARGEST_PAGE = 500, 5000


def _listed(
    call: RestCall, rows: Sequence[Row], kind: EntityType, *, page: int, more: bool
) -> Json:
    def address(number: int) -> str:
        query = {**call.query, "page[number]": str(number)}
        return f"{call.path}?{urlencode(query)}"

    links: dict[str, Json] = {"self": address(page)}
    if more:
        links["next"] = address(page + 1)
    if page > 1:
        links["prev"] = address(page - 1)
    return {"data": [call.shown(kind, row) for row in rows], "links": links}


def _read(call: RestCall, filters: Json, query: Mapping[str, Json]) -> Response:
    kind = call.kind
    size, page = (
        whole_number(query, f"page[{name}]", default)
        for name, default in (("size", _PAGE), ("number", 1))
    )
    sorts: list[Json] = [
        {"field_name": name.lstrip("-+"), "direction": "desc" if name.startswith("-") else "asc"}
        for name in str(query.get("sort") or "").split(",")
        if name.strip("-+")
    ]
    answer = call.ask(
        "read",
        type=kind.name,
        filters=filters,
        return_fields=call.fields(kind, str(query.get("fields") or "")),
        sorts=sorts,
        paging={"entities_per_page": min(size, _LARGEST_PAGE), "current_page": page},
        return_only=query.get("options[return_only]") or "active",
        include_archived_projects=str(query.get("options[include_archived_projects]")) != "false",
    )
    found = cast("dict[str, dict[str, bool]]", answer)
    rows = cast("list[Row]", found["entities"])
    more = found["paging_info"]["has_next_page"]
    return JSONResponse(_listed(call, rows, kind, page=page, more=more))


def _all(call: RestCall) -> Response:
    """`GET /entity/shots?filter[code]=a,b`: rows whose fields have one of these values."""
    conditions: list[Json] = []
    for name, value in call.query.items():
        if name.startswith("filter[") and name.endswith("]"):
            conditions.append(_simple(call, name[7:-1], value))
        elif not name.startswith(("page[", "options[")) and name not in {"fields", "sort"}:
            raise bad_request(f"API read() unknown parameter {inspect(name)}.")
    return _read(call, {"logical_operator": "and", "conditions": conditions}, call.query)


def _simple(call: RestCall, name: str, value: str) -> Json:
    path = find_path(call.hosting.site.schema, call.kind, name)
    values: list[Json] = list(value.split(","))
    if path is not None and path.field.data_type in LINKS:
        return {"path": name, "relation": "name_is", "values": values[:1]}
    if path is not None and path.field.data_type is DataType.CHECKBOX:
        return {"path": name, "relation": "is", "values": [value == "true"]}
    if name == "id":
        values = [whole_number({"id": one}, "id", 0) for one in value.split(",")]
    return {"path": name, "relation": "in", "values": values}


def _search(call: RestCall) -> Response:
    """`POST /entity/shots/_search`: rows by filters as lists, or as a hash of conditions."""
    check_members("read", call.body, ("filters", "fields", "sort", "page", "options"))
    query: dict[str, Json] = {**call.query}
    for name in ("page", "options"):
        inner = call.body.get(name) or {}
        if not isinstance(inner, Mapping):
            raise bad_request(f"API read() invalid hash '{name}': {inspect(inner)}")
        query |= {f"{name}[{key}]": value for key, value in inner.items()}
    for name in ("sort", "fields"):
        value = call.body.get(name)
        if value is not None:
            query[name] = ",".join(map(str, value)) if isinstance(value, list) else value
    return _read(call, _filters(call.body.get("filters")), query)


def _filters(filters: Json) -> Json:
    if isinstance(filters, Mapping):
        conditions = filters.get("conditions")
        inner = conditions if isinstance(conditions, list) else []
        return {**filters, "conditions": [_filters(one) for one in inner]}
    if not isinstance(filters, list | None):
        raise bad_request(f"API read() invalid 'filters': {inspect(filters)}")
    # A list is either one condition of a hash, or all conditions of a request.
    if filters and isinstance(filters[0], str):
        return cast("list[Json]", cast("dict[str, Json]", wire_filters([filters]))["conditions"])[0]
    return wire_filters(filters or [])


def _one(call: RestCall) -> Response:
    """`GET /entity/shots/12`: one row."""
    return _row_answer(call, call.kind, call.number, call.fields(call.kind))


def _row_answer(
    call: RestCall, kind: EntityType, number: int, fields: Sequence[str], status: int = 200
) -> Response:
    with call.hosting.site.reading() as (_, reader):
        rows = reader.rows(kind, [number], list(fields))
    if not rows:
        raise Unknown(f"{kind.name} {number} does not exist.")
    shown = call.shown(kind, rows[0])
    return JSONResponse({"data": shown, "links": shown["links"]}, status)


def _create(call: RestCall) -> Response:
    """`POST /entity/shots`: a new row."""
    row = cast("Row", call.ask("create", type=call.kind.name, fields=_values(call.body)))
    names = [*(name for name in row if name not in {"type", "id"}), *call.fields(call.kind)]
    return _row_answer(call, call.kind, int(str(row["id"])), names, 201)


def _update(call: RestCall) -> Response:
    """`PUT /entity/shots/12`: change the fields that are given."""
    known(call)
    call.ask("update", type=call.kind.name, id=call.number, fields=_values(call.body))
    return _row_answer(call, call.kind, call.number, [*call.body, *call.fields(call.kind)])


def _values(given: Mapping[str, Json]) -> Json:
    fields: list[Json] = []
    for name, value in given.items():
        if isinstance(value, Mapping) and "multi_entity_update_mode" in value:
            fields.append({"field_name": name, **value})
        else:
            fields.append({"field_name": name, "value": value})
    return fields


def _delete(call: RestCall) -> Response:
    """`DELETE /entity/shots/12`: retire a row."""
    known(call)
    call.ask("delete", type=call.kind.name, id=call.number)
    return Response(status_code=204)


def _revive(call: RestCall) -> Response:
    """`POST /entity/shots/12?revive=true`: bring a retired row back."""
    if call.query.get("revive") != "true":
        raise bad_request("A row is revived with ?revive=true; nothing else is posted to it.")
    call.ask("revive", type=call.kind.name, id=call.number)
    return _row_answer(call, call.kind, call.number, call.fields(call.kind))


def _related(call: RestCall) -> Response:
    """`GET /entity/shots/12/relationships/assets`: what a field links."""
    field = call.kind.fields.get(call.names["field"])
    if field is None or field.data_type not in LINKS:
        raise Unknown(f"{call.kind.name}.{call.names['field']} is no field with links.")
    with call.hosting.site.reading() as (_, reader):
        rows = reader.rows(call.kind, [call.number], [field.name])
    if not rows:
        raise Unknown(f"{call.kind.name} {call.number} does not exist.")
    return JSONResponse({"data": rows[0][field.name], "links": {"self": call.path}})


def _batch(call: RestCall) -> Response:
    """`POST /entity/_batch`: writes that happen together or not at all."""
    requests = call.body.get("requests")
    if not isinstance(requests, list):
        raise bad_request(f"API batch() invalid/missing array 'requests': {inspect(requests)}")
    wire: list[Json] = []
    for one in requests:
        if not isinstance(one, Mapping):
            raise bad_request(f"API batch() invalid request: {inspect(one)}")
        data = one.get("data")
        check_members("batch", one, ("request_type", "entity", "record_id", "data"))
        if not isinstance(data, Mapping | None):
            raise bad_request(f"API batch() invalid hash 'data': {inspect(data)}")
        request: dict[str, Json] = {
            "request_type": one.get("request_type"),
            "type": call.type_called(one.get("entity")).name,
        }
        if one.get("record_id") is not None:
            request["id"] = one["record_id"]
        if data is not None:
            request["fields"] = _values(data)
        wire.append(request)
    done = cast("list[Json]", dispatch(call.hosting.site, call.caller, "batch", wire))
    shown = [
        call.shown(call.type_called(row["type"]), dict(row)) if isinstance(row, Mapping) else {}
        for row in done
    ]
    return JSONResponse({"data": shown, "links": {"self": call.path}})


def _text_search(call: RestCall) -> Response:
    """`POST /entity/_text_search`: rows by the words of their names."""
    types = call.body.get("entity_types")
    check_members("text_search", call.body, ("text", "entity_types", "page"))
    page = call.body.get("page") or {}
    if not isinstance(page, Mapping):
        raise bad_request(f"API text_search() invalid hash 'page': {inspect(page)}")
    check_members("text_search", page, ("size",))
    found = call.ask(
        "query_display_name_cache",
        text=call.body.get("text"),
        entity_types={
            call.type_called(name).name: _filters(filters)
            for name, filters in (types.items() if isinstance(types, Mapping) else ())
        },
        max_results=page.get("size"),
    )
    return data(call, cast("dict[str, Json]", found)["matches"])


def _summarize(call: RestCall) -> Response:
    """`POST /entity/shots/_summarize`: figures of rows, in groups if wanted."""
    check_members("summarize", call.body, ("filters", "summary_fields", "grouping", "options"))
    if not isinstance(call.body.get("summary_fields"), list):
        raise bad_request(
            "API summarize() invalid/missing array 'summary_fields': "
            f"{inspect(call.body.get('summary_fields'))}"
        )
    options = call.body.get("options") or {}
    if not isinstance(options, Mapping):
        raise bad_request(f"API summarize() invalid hash 'options': {inspect(options)}")
    check_members("summarize", options, ("include_archived_projects",))
    return data(
        call,
        call.ask(
            "summarize",
            type=call.kind.name,
            filters=_filters(call.body.get("filters")),
            summaries=call.body.get("summary_fields"),
            grouping=call.body.get("grouping"),
            include_archived_projects=options.get("include_archived_projects"),
        ),
    )


_ROWS, _ROW = "/entity/{entity}", "/entity/{entity}/{number}"
_FIELDS = "/schema/{entity}/fields"
#: Paths in the order in which they are tried, with what each method does there.
_ROUTES: tuple[tuple[str, Mapping[str, Answer]], ...] = (
    ("/entity/_batch", {"POST": _batch}),
    ("/entity/_text_search", {"POST": _text_search}),
    ("/entity/notes/{number}/thread_contents", {"GET": around.thread}),
    (f"{_ROWS}/_search", {"POST": _search}),
    (f"{_ROWS}/_summarize", {"POST": _summarize}),
    (_ROWS, {"GET": _all, "POST": _create}),
    (f"{_ROW}/relationships/{{field}}", {"GET": _related}),
    (f"{_ROW}/followers", {"GET": around.followers}),
    (f"{_ROW}/activity_stream", {"GET": around.activity}),
    (_ROW, {"GET": _one, "PUT": _update, "DELETE": _delete, "POST": _revive}),
    (f"{_ROW}/_upload", {"GET": around.upload_link, "POST": around.upload_complete}),
    (f"{_ROW}/{{field}}/_upload", {"GET": around.upload_link, "POST": around.upload_complete}),
    ("/preferences", {"GET": around.preferences}),
    ("/schema", {"GET": around.schema}),
    (_FIELDS, {"GET": around.schema_fields, "POST": around.schema_create}),
    (
        f"{_FIELDS}/{{field}}",
        {"GET": around.schema_field, "PUT": around.schema_update, "DELETE": around.schema_delete},
    ),
    ("/schema/{entity}", {"GET": around.schema_type}),
)


class RestRows:
    """Serves the interface; each request is answered in one of the site's threads."""

    def __init__(self, hosting: Hosting, uploads: CloudUploads) -> None:
        self._hosting = hosting
        self._uploads = uploads

    def routes(self) -> list[Route]:
        """Return what to serve, in both versions of the interface."""
        return [
            Route(f"/api/{version}{path}", self._endpoint(work), methods=[method])
            for version in ("v1", "v1.1")
            for path, methods in _ROUTES
            for method, work in methods.items()
        ]

    def _endpoint(self, work: Answer) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                given = await json_body(request, self._hosting.options.call_limit)
                return await self._hosting.workers.run(self._answer, request, given, work)
            except Refused as refused:
                return error_response(refused.status, refused.title)

        return answer

    def _answer(self, request: Request, given: Mapping[str, Json], work: Answer) -> Response:
        caller = caller_of(request, self._hosting.site)
        if caller is None:
            return error_response(401, "Sign in first.")
        path = request.url.path
        call = RestCall(
            hosting=self._hosting,
            uploads=self._uploads,
            caller=caller,
            path=path,
            prefix="/".join(path.split("/")[:3]),
            names={name: str(value) for name, value in request.path_params.items()},
            query=dict(request.query_params),
            body=given,
        )
        try:
            return work(call)
        except Unknown as fault:
            return error_response(404, fault.message, code=fault.code)
        except Fault as fault:
            return error_response(400, fault.message, code=fault.code)
