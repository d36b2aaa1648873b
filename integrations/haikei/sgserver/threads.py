"""What hangs on a Note: the note itself, its replies and its files."""

from collections.abc import Mapping, Sequence

from haikei.sgserver.answering import Call
from haikei.sgserver.caller import Caller
from haikei.sgserver.faults import bad_request
from haikei.sgserver.reading import Query, Reader
from haikei.sgserver.requests import names_of
from haikei.sgserver.rows import missing
from haikei.sgserver.site import Site
from haikei.sgserver.values import Json, Row, inspect

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
