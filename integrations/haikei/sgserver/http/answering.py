"""The wire methods that read and write rows."""

from collections.abc import Mapping, Sequence

from haikei.sgserver.credentials import Caller
from haikei.sgserver.query.reading import Sort, query_of
from haikei.sgserver.site import Site
from haikei.sgserver.values import Call, Json, bad_request, failed, inspect
from haikei.sgserver.wire_calls import (
    entity_id_of,
    entity_type_of,
    field_values,
    names_of,
    update_modes,
)

#: How many rows a page has at most; a client that wants more asks for the next one.
LARGEST_PAGE = 5000


def read(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `read`: one page of rows."""
    del caller  # whoever is signed in sees everything
    query = query_of(site.schema, "read", call)
    per_page, page = _paging(call)
    with site.reading() as (_, reader):
        found = reader.page(
            query,
            names_of(call, "return_fields"),
            sorts=_sorts(call.get("sorts")),
            limit=per_page,
            offset=(page - 1) * per_page,
        )
        info: dict[str, Json] = {
            "current_page": page,
            "entities_per_page": per_page,
            "has_next_page": found.more,
        }
        if call.get("return_paging_info"):
            count = reader.count(query)
            info |= {"entity_count": count, "page_count": -(-count // per_page)}
    return {"entities": found.rows, "paging_info": info}


def _paging(call: Call) -> tuple[int, int]:
    paging = call.get("paging", {})
    if not isinstance(paging, Mapping):
        raise bad_request(f"API read() invalid/missing hash 'paging': {inspect(paging)}")
    numbers: list[int] = []
    for key, default in (("entities_per_page", 500), ("current_page", 1)):
        number = paging.get(key, default)
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise bad_request(
                f"API read() invalid/missing integer 'paging' '{key}':\n{inspect(paging)}"
            )
        numbers.append(number)
    return min(numbers[0], LARGEST_PAGE), numbers[1]


def _sorts(sorts: Json) -> list[Sort]:
    if not isinstance(sorts, Sequence) or isinstance(sorts, str):
        return []
    found: list[Sort] = []
    for sort in sorts:
        name = sort.get("field_name") if isinstance(sort, Mapping) else None
        if isinstance(sort, Mapping) and isinstance(name, str):
            found.append(Sort(name, descending=sort.get("direction") == "desc"))
    return found


def create(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `create`: the new row, with the fields sent and asked for."""
    kind = entity_type_of(site.schema, "create", call)
    fields = field_values("create", call)
    return site.create(caller, kind.name, fields, return_fields=names_of(call, "return_fields"))


def update(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `update`: the row, with the fields sent."""
    kind = entity_type_of(site.schema, "update", call)
    return site.update(
        caller,
        kind.name,
        entity_id_of("update", call),
        field_values("update", call),
        modes=update_modes("update", call),
    )


def delete(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `delete`: whether the row was live."""
    kind = entity_type_of(site.schema, "delete", call)
    return site.delete(caller, kind.name, entity_id_of("delete", call))


def revive(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `revive`: whether the row was retired."""
    kind = entity_type_of(site.schema, "revive", call)
    return site.revive(caller, kind.name, entity_id_of("revive", call))


def export_page(site: Site, caller: Caller, call: Call) -> Json:
    """Refuse `export_page`: pages are exported once a person marks them so, which none is here."""
    del site, caller
    for name in ("format", "page_id"):
        if call.get(name) is None:
            raise bad_request(f"API export_page() '{name}' missing")
    raise failed(f"Export for Page id={call['page_id']} not available")
