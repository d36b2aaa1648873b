"""`text_search`: find rows of several types by words of their names."""

from collections.abc import Mapping, Sequence

from haikei.sgserver.answering import Call
from haikei.sgserver.caller import Caller
from haikei.sgserver.entities import EntityType
from haikei.sgserver.faults import bad_request
from haikei.sgserver.reading import Query, Reader
from haikei.sgserver.requests import entity_type_of
from haikei.sgserver.site import Site
from haikei.sgserver.values import Json, Row, inspect

_SHORTEST = 3
_DEFAULT_LIMIT = 50


def query_display_name_cache(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `query_display_name_cache`: the rows whose name has every word of the text."""
    del caller
    text = call.get("text")
    if not isinstance(text, str) or len(text) < _SHORTEST:
        raise bad_request(
            f"API query_display_name_cache() 'text' must be at least {_SHORTEST} characters long: "
            f"{inspect(text)}"
        )
    types = call.get("entity_types")
    if not isinstance(types, Mapping) or not types:
        raise bad_request(
            f"API query_display_name_cache() invalid/missing hash 'entity_types': {inspect(types)}"
        )
    limit = call.get("max_results")
    most = limit if isinstance(limit, int) and limit > 0 else _DEFAULT_LIMIT
    terms = text.split()
    matches: list[Json] = []
    with site.reading() as (_, reader):
        for name, filters in types.items():
            kind = entity_type_of(site.schema, "query_display_name_cache", {"type": name})
            query = Query(kind=kind, filters=_named(kind, terms, filters, call.get("project_ids")))
            fields = ("cached_display_name", "project", "image", "entity", "sg_status_list")
            rows = _page(reader, query, fields, most - len(matches))
            matches.extend(_match(row) for row in rows)
    return {"terms": terms, "matches": matches}


def _page(reader: Reader, query: Query, fields: Sequence[str], limit: int) -> list[Row]:
    return reader.page(query, fields, limit=limit).rows if limit > 0 else []


def _named(kind: EntityType, terms: Sequence[str], filters: Json, projects: Json) -> Json:
    conditions: list[Json] = [
        {"path": "cached_display_name", "relation": "contains", "values": [term]} for term in terms
    ]
    if filters:
        conditions.append(filters)
    if isinstance(projects, Sequence) and projects and "project" in kind.fields:
        links: Json = [{"type": "Project", "id": one} for one in projects]
        conditions.append({"path": "project", "relation": "in", "values": links})
    return {"logical_operator": "and", "conditions": conditions}


def _match(row: Row) -> Json:
    project, linked = row.get("project"), row.get("entity")
    return {
        "type": row["type"],
        "id": row["id"],
        "name": row["cached_display_name"],
        "project_id": project["id"] if isinstance(project, Mapping) else None,
        "image": row.get("image"),
        "links": [linked["type"], linked["name"]] if isinstance(linked, Mapping) else ["", ""],
        "status": row.get("sg_status_list"),
    }
