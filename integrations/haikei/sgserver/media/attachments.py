"""Attachments: the rows behind every file, local path and web link."""

import mimetypes
from collections.abc import Mapping
from pathlib import PurePosixPath

from haikei.sgserver.media.storages import PLATFORMS, resolve_path
from haikei.sgserver.store import SqlValue
from haikei.sgserver.values import Json, bad_request, inspect, kind
from haikei.sgserver.write.coercing import HASHES
from haikei.sgserver.write.linking import tell_born, tell_new
from haikei.sgserver.write.rows import Columns, Work, insert_row, kept_json


def file_value(
    work: Work, place: str, value: Json, *, project: SqlValue, own: int | None = None
) -> tuple[str, int | None]:
    """
    Return what a url field keeps for a value, and the storage that its path is in.

    Every value makes an Attachment of its own; `own` is the Attachment's id where the field is
    that Attachment's own `this_file`.

    Raises:
        Fault: it is no file, local path or web link, or it matches no storage.
    """
    if not isinstance(value, Mapping):
        raise bad_request(
            f"API {work.verb}() {place} expected [{HASHES}, NilClass] data type(s) "
            f"but got {kind(value)}: {inspect(value)}"
        )
    local = "local_path" in value or ("relative_path" in value and "local_storage" in value)
    shown, storage = _local(work, value) if local else (_web(work, value), None)
    attachment = own or mint(work, shown, project=project, storage=storage)
    return kept_json({**shown, "type": "Attachment", "id": attachment}), storage


def _local(work: Work, value: Mapping[str, Json]) -> tuple[dict[str, Json], int]:
    storage, relative = resolve_path(work, value)
    name = value.get("name")
    shown: dict[str, Json] = {
        "link_type": "local",
        "name": name if isinstance(name, str) and name else PurePosixPath(relative).name,
        "content_type": mimetypes.guess_type(relative)[0],
        "local_storage": {"type": "LocalStorage", "id": storage.id, "name": storage.name},
        "relative_path": relative,
    }
    for platform in PLATFORMS:
        shown[f"local_path_{platform}"] = storage.joined(platform, relative)
    return shown, storage.id


def _web(work: Work, value: Mapping[str, Json]) -> dict[str, Json]:
    url = value.get("url")
    if not isinstance(url, str) or not url:
        raise bad_request(
            f"API {work.verb}() invalid/missing url hash string 'url': {inspect(value)}"
        )
    name = value.get("name")
    return {
        "url": url,
        "name": name if isinstance(name, str) and name else url,
        "content_type": None,
        "link_type": "web",
    }


def mint(
    work: Work,
    shown: Mapping[str, Json],
    *,
    project: SqlValue,
    storage: int | None = None,
    more: Mapping[str, SqlValue] | None = None,
) -> int:
    """Make the Attachment that stands for a file; return its id."""
    attachment = work.session.next_id()
    name = shown.get("name")
    columns: Columns = {
        "this_file": kept_json({**shown, "type": "Attachment", "id": attachment}),
        "display_name": name if isinstance(name, str) else None,
        "project": project,
        "local_storage": storage,
        "sg_status_list": "na",
        "created_at": work.stamp,
        "created_by": work.caller.id,
        "updated_at": work.stamp,
        "updated_by": work.caller.id,
        **(more or {}),
    }
    row = insert_row(work, work.schema.types["Attachment"], attachment, columns)
    tell_new(work, row, columns)
    tell_born(work, row, columns)
    return attachment
