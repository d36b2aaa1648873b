"""
What happened around a row, as its Activity tab shows it, and the tree of a site's rows.

`text_search`, and what hangs on a Note: the note itself, its replies and its files.
"""

import json
from collections.abc import Mapping, Sequence
from typing import cast

from haikei.sgserver.credentials import Caller
from haikei.sgserver.query.reading import Query, Reader, Sort
from haikei.sgserver.schema.entities import EntityType
from haikei.sgserver.site import Site
from haikei.sgserver.store import Session, SqlValue
from haikei.sgserver.values import Call, Json, Row, bad_request, inspect
from haikei.sgserver.wire_calls import entity_id_of, entity_type_of, names_of
from haikei.sgserver.write.coercing import reference
from haikei.sgserver.write.rows import missing

_DEFAULT_LIMIT = 25
#: The links by which rows belong to another row's activity.
_LINKS = ("entity", "note_links", "attachment_links", "tasks")
#: The fields whose changes are shown; all others are in the event log alone.
_SHOWN = ("sg_status_list", "task_assignees")
#: What the stream calls an event, by the last word of its type.
_KINDS = {"New": "create", "Change": "update", "Retirement": "delete", "Revival": "revive"}


def activity_stream(site: Site, caller: Caller, call: Call) -> Json:
    """
    Answer `activity_stream`: what was made, changed and retired around a row, newest first.

    Around a project is all that is in it; around any other row, the row and what links to it. As
    on the real site the stream is made of the event log: a script that generates no events leaves
    nothing in it.
    """
    del caller
    verb = "activity_stream"
    kind, entity_id = entity_type_of(site.schema, verb, call), entity_id_of(verb, call)
    more = _more_fields(site, verb, call)
    with site.reading() as (session, reader):
        if not reader.rows(kind, [entity_id], []):
            raise missing(verb, kind.name, entity_id)
        found = _events(site, session, reader, kind, entity_id, call)
        updates = [_update(site, reader, event, more) for event in found]
    return {
        "entity_type": kind.name,
        "entity_id": entity_id,
        "latest_update_id": updates[0]["id"] if updates else None,
        "earliest_update_id": updates[-1]["id"] if updates else None,
        "updates": updates,
    }


def _more_fields(site: Site, verb: str, call: Call) -> Mapping[str, Json]:
    """Return the fields that a request wants more of each type: `{"Shot": ["code"]}`."""
    found = call.get("entity_fields")
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise bad_request(f"API {verb}() invalid hash 'entity_fields': {inspect(found)}")
    for name in found:
        entity_type_of(site.schema, verb, {"type": name})
        names_of(found, name)
    return found


def _not_here(verb: str, call: Call, *names: str) -> None:
    """Refuse what the real site does with a tree and this one does not."""
    for name in names:
        if call.get(name):
            raise bad_request(f"API {verb}() '{name}' is not available on this site.")


def _events(
    site: Site, session: Session, reader: Reader, kind: EntityType, entity_id: int, call: Call
) -> list[tuple[SqlValue, ...]]:
    given: list[SqlValue] = [entity_id]
    if kind.name == "Project":
        where = "project = ?"
    else:
        given += _linking(site, reader, kind, entity_id)
        where = f"entity IN ({', '.join('?' * len(given))})"
    where += f" AND (attribute_name IS NULL OR attribute_name IN ({', '.join('?' * len(_SHOWN))}))"
    given += _SHOWN
    for key, sign in (("min_id", ">="), ("max_id", "<=")):
        bound = _number(call, key)
        if bound is not None:
            where += f" AND id {sign} ?"
            given.append(bound)
    return session.rows(
        f'SELECT id, event_type, meta, user, created_at FROM "EventLogEntry" WHERE {where} '
        "AND COALESCE(json_extract(meta, '$.in_create'), 0) = 0 ORDER BY id DESC LIMIT ?",
        (*given, _number(call, "limit") or _DEFAULT_LIMIT),
    )


def _number(call: Call, key: str) -> int | None:
    found = call.get(key)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int) or not 0 < found < 2**63:
        raise bad_request(f"API activity_stream() invalid integer '{key}': {inspect(found)}")
    return found


def _linking(site: Site, reader: Reader, kind: EntityType, entity_id: int) -> list[SqlValue]:
    """Return the ids of the rows that belong to a row's activity: its notes, versions, files …"""
    found: list[SqlValue] = []
    link: Json = {"type": kind.name, "id": entity_id}
    for far in site.schema.types.values():
        for name in _LINKS:
            field = far.fields.get(name)
            if field is not None and kind.name in field.valid_types and not far.permanent:
                condition: Json = {"path": name, "relation": "is", "values": [link]}
                query = Query(kind=far, filters={"conditions": [condition]})
                found += [int(str(row["id"])) for row in reader.page(query, []).rows]
    return found


def _update(
    site: Site, reader: Reader, event: tuple[SqlValue, ...], more: Mapping[str, Json]
) -> dict[str, Json]:
    number, event_type, kept, user, created = event
    meta = cast("dict[str, Json]", json.loads(str(kept or "{}")))
    kind = site.schema.get(meta.get("entity_type"))
    changed = meta.get("entity_id")
    about = _card(reader, kind, changed, names_of(more, kind.name)) if kind else None
    author: Json = None
    for person in ("HumanUser", "ApiUser"):
        author = author or _card(reader, site.schema.types[person], user, ["image"])
    return {
        "id": number,
        "update_type": _KINDS.get(str(event_type).rpartition("_")[2], "update"),
        "meta": meta,
        "created_at": str(created),
        "read": False,
        "primary_entity": about,
        "created_by": author,
    }


def _card(reader: Reader, kind: EntityType, number: object, more: Sequence[str]) -> Json:
    """Return a row in the form that the stream shows it; None where there is none."""
    if not isinstance(number, int):
        return None
    fields = ["cached_display_name", "sg_status_list", *more]
    for retired in (False, True):
        for row in reader.rows(kind, [number], fields, retired=retired):
            shown = {name: value for name, value in row.items() if name in more}
            name, status = row["cached_display_name"], row.get("sg_status_list")
            return {"type": kind.name, "id": number, "name": name, "status": status, **shown}
    return None


#: Under which types a project's tree has branches.
_BRANCHES = ("Episode", "Sequence", "Shot", "Asset")


def nav_expand(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `nav_expand`: a place of the tree `/Project/<id>/<type>/id/<id>`, what is below."""
    del caller
    _not_here("nav_expand", call, "seed_entity_field", "entity_fields")
    path = call.get("path")
    parts = path.strip("/").split("/") if isinstance(path, str) and path.strip("/") else []
    with site.reading() as (_, reader):
        projects = site.schema.types["Project"]
        match parts:
            case [] if isinstance(path, str):
                label, ref = "Site", _ref("root", None)
                children = [_leaf(row, "", down=True) for row in _rows(reader, projects, None)]
            case ["Project", number]:
                row = _one(reader, projects, number)
                label, ref = str(row["cached_display_name"]), _ref("entity", _link(row))
                kinds = [site.schema.types[name] for name in _BRANCHES]
                children = [
                    {
                        "label": f"{kind.label}s",
                        "path": f"/Project/{number}/{kind.name}",
                        "ref": _ref("entity_type", kind.name),
                        "has_children": bool(_rows(reader, kind, row["id"])),
                    }
                    for kind in kinds
                ]
            case ["Project", number, name] if name in _BRANCHES:
                row, kind = _one(reader, projects, number), site.schema.types[name]
                label, ref = f"{kind.label}s", _ref("entity_type", name)
                above = f"/Project/{number}"
                children = [_leaf(one, above, down=False) for one in _rows(reader, kind, row["id"])]
            case ["Project", _, name, "id", number] if name in _BRANCHES:
                row = _one(reader, site.schema.types[name], number)
                label, ref, children = (
                    str(row["cached_display_name"]),
                    _ref("entity", _link(row)),
                    [],
                )
            case _:
                raise bad_request(f"API nav_expand() invalid path: {inspect(path)}")
    here = "/" + "/".join(parts)
    above = here.rpartition("/id/")[0] if "id" in parts else here.rpartition("/")[0]
    return {
        "label": label,
        "path": here,
        "parent_path": None if not parts else ("/" if len(parts) == 2 else above),
        "ref": ref,
        "has_children": bool(children),
        "children": children,
    }


def nav_search(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `nav_search`: the places below `root_path` of one row, or of rows by their names."""
    del caller
    _not_here("nav_search", call, "seed_entity_field")
    criteria, root = call.get("search_criteria"), call.get("root_path")
    wanted = criteria if isinstance(criteria, Mapping) else {}
    text, entity = wanted.get("search_string"), wanted.get("entity")
    if (
        not isinstance(root, str)
        or len(wanted) != 1
        or not (isinstance(text, str) or isinstance(entity, Mapping))
    ):
        raise bad_request(f"API nav_search() invalid/missing criteria: {inspect(dict(call))}")
    if isinstance(entity, Mapping):
        name, _ = reference("nav_search", entity, site.schema.types)
        if name not in _BRANCHES:
            raise bad_request(f"API nav_search() {name} has no place in the tree.")
    found: list[Json] = []
    with site.reading() as (_, reader):
        _below(site, reader, root)
        for name in _BRANCHES:
            kind = site.schema.types[name]
            filters: Json = None
            same = True
            if isinstance(entity, Mapping):
                same = entity.get("type") == name
                condition: Json = {"path": "id", "relation": "is", "values": [entity.get("id")]}
                filters = {"conditions": [condition]}
            words = text.split() if isinstance(text, str) else []
            query = Query(kind=kind, filters=filters, words=words)
            fields = ["cached_display_name", "project"]
            for row in reader.page(query, fields, limit=_DEFAULT_LIMIT).rows if same else []:
                project = row["project"]
                if not isinstance(project, Mapping):
                    continue
                above = f"/Project/{project['id']}"
                place = f"{above}/{name}/id/{row['id']}"
                if place.startswith(root.rstrip("/") + "/"):
                    found.append(
                        {
                            "label": row["cached_display_name"],
                            "path_label": f"{project['name']} > {kind.label}s",
                            "incremental_path": ["/", above, f"{above}/{name}", place],
                            "ref": _ref("entity", _link(row)),
                            "project_id": project["id"],
                        }
                    )
    return found


def _below(site: Site, reader: Reader, root: str) -> None:
    """See that a search begins at a place that the tree has: the site or a project, by its path."""
    match root.strip("/").split("/"):
        case [""] if root:
            pass
        case ["Project", number, *rest] if not rest or (len(rest) == 1 and rest[0] in _BRANCHES):
            _one(reader, site.schema.types["Project"], number, "nav_search")
        case _:
            raise bad_request(f"API nav_search() invalid path 'root_path': {inspect(root)}")


def _rows(reader: Reader, kind: EntityType, project: object) -> list[Row]:
    conditions: list[Json] = []
    if isinstance(project, int):
        link: Json = {"type": "Project", "id": project}
        conditions.append({"path": "project", "relation": "is", "values": [link]})
    query = Query(kind=kind, filters={"conditions": conditions}, with_archived=False)
    return reader.page(query, ["cached_display_name"], sorts=[Sort("cached_display_name")]).rows


def _one(reader: Reader, kind: EntityType, number: str, verb: str = "nav_expand") -> Row:
    known = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0
    rows = reader.rows(kind, [known], ["cached_display_name"])
    if not rows:
        raise missing(verb, kind.name, known)
    return rows[0]


def _leaf(row: Row, above: str, *, down: bool) -> Json:
    path = f"/Project/{row['id']}" if down else f"{above}/{row['type']}/id/{row['id']}"
    label, ref = row["cached_display_name"], _ref("entity", _link(row))
    return {"label": label, "path": path, "ref": ref, "has_children": down}


def _link(row: Row) -> Json:
    return {"type": row["type"], "id": row["id"]}


def _ref(kind: str, value: Json) -> Json:
    return {"kind": kind, "value": value}


_SHORTEST = 3
_FOUND_LIMIT = 50


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
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise bad_request(
            f"API query_display_name_cache() invalid integer 'max_results': {inspect(limit)}"
        )
    most = _FOUND_LIMIT if limit is None else limit
    terms = text.lower().split()
    matches: list[Json] = []
    with site.reading() as (_, reader):
        for name, filters in types.items():
            kind = entity_type_of(site.schema, "query_display_name_cache", {"type": name})
            within = _within(kind, filters, call.get("project_ids"))
            query = Query(kind=kind, filters=within, words=terms)
            fields = ("cached_display_name", "project", "image", "entity", "sg_status_list")
            rows = _page(reader, query, fields, most - len(matches))
            matches.extend(_match(row) for row in rows)
    return {"terms": terms, "matches": matches}


def _page(reader: Reader, query: Query, fields: Sequence[str], limit: int) -> list[Row]:
    return reader.page(query, fields, limit=limit).rows if limit > 0 else []


def _is_id(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _within(kind: EntityType, filters: Json, projects: Json) -> Json:
    conditions: list[Json] = [filters] if filters else []
    if projects is not None and not (isinstance(projects, list) and all(map(_is_id, projects))):
        raise bad_request(
            f"API query_display_name_cache() invalid ids 'project_ids': {inspect(projects)}"
        )
    if projects and "project" in kind.fields:
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


_FOUND_SHOWN = {
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
    wanted = _more_fields(site, "note_thread_contents", call)
    link: Json = {"type": "Note", "id": note}
    with site.reading() as (_, reader):
        notes = _found_rows(site, reader, "Note", ("id", note), wanted)
        if not notes:
            raise missing("note_thread_contents", "Note", note)
        replies = _found_rows(site, reader, "Reply", ("entity", link), wanted)
        files = _found_rows(site, reader, "Attachment", ("attachment_links", link), wanted)
        listed = reader.rows(site.schema.types["Note"], [note], ["attachments"])[0]["attachments"]
        known = [row["id"] for row in files]
        ids = [
            one["id"]
            for one in (listed if isinstance(listed, Sequence) else ())
            if isinstance(one, Mapping) and one["id"] not in known
        ]
        for one in ids:
            files += _found_rows(site, reader, "Attachment", ("id", one), wanted)
    return [*notes, *sorted([*replies, *files], key=_age)]


def _age(row: Row) -> tuple[str, str]:
    return str(row["created_at"]), f"{row['id']:>20}"


def _found_rows(
    site: Site,
    reader: Reader,
    entity_type: str,
    wanted: tuple[str, Json],
    more: Mapping[str, Json],
) -> list[Row]:
    path, value = wanted
    condition: Json = {"path": path, "relation": "is", "values": [value]}
    query = Query(kind=site.schema.types[entity_type], filters={"conditions": [condition]})
    return reader.page(query, [*_FOUND_SHOWN[entity_type], *names_of(more, entity_type)]).rows
