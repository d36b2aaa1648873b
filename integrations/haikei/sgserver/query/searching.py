"""`text_search`, and what hangs on a Note: the note itself, its replies and its files."""

from collections.abc import Mapping, Sequence

from haikei.sgserver.credentials import Caller
from haikei.sgserver.query.reading import Query, Reader
from haikei.sgserver.schema.entities import EntityType
from haikei.sgserver.site import Site
from haikei.sgserver.values import Call, Json, Row, bad_request, inspect
from haikei.sgserver.wire_calls import entity_type_of, names_of
from haikei.sgserver.write.rows import missing

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
    terms = text.lower().split()
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


_SHOWN = {
    "Note": ("content", "created_at", "user", "created_by"),
    "Reply": ("content", "created_at", "user"),
    "Attachment": ("created_at", "created_by", "this_file", "filename"),
}


def note_thread_contents(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `note_thread_contents`: the Note, then its replies and files as they came."""
    del caller
    note = call.get("note_id")
    if isinstance(note, bool) or not isinstance(note, int):
        raise bad_request(
            f"API note_thread_contents() invalid/missing integer 'note_id': {inspect(dict(call))}"
        )
    more = call.get("entity_fields")
    wanted = more if isinstance(more, Mapping) else {}
    link: Json = {"type": "Note", "id": note}
    with site.reading() as (_, reader):
        notes = _rows(site, reader, "Note", ("id", note), wanted)
        if not notes:
            raise missing("note_thread_contents", "Note", note)
        replies = _rows(site, reader, "Reply", ("entity", link), wanted)
        files = _rows(site, reader, "Attachment", ("attachment_links", link), wanted)
        listed = reader.rows(site.schema.types["Note"], [note], ["attachments"])[0]["attachments"]
        known = [row["id"] for row in files]
        ids = [
            one["id"]
            for one in (listed if isinstance(listed, Sequence) else ())
            if isinstance(one, Mapping) and one["id"] not in known
        ]
        for one in ids:
            files += _rows(site, reader, "Attachment", ("id", one), wanted)
    return [*notes, *sorted([*replies, *files], key=_age)]


def _age(row: Row) -> tuple[str, str]:
    return str(row["created_at"]), f"{row['id']:>20}"


def _rows(
    site: Site,
    reader: Reader,
    entity_type: str,
    wanted: tuple[str, Json],
    more: Mapping[str, Json],
) -> list[Row]:
    path, value = wanted
    condition: Json = {"path": path, "relation": "is", "values": [value]}
    query = Query(kind=site.schema.types[entity_type], filters={"conditions": [condition]})
    return reader.page(query, [*_SHOWN[entity_type], *names_of(more, entity_type)]).rows
