"""
Attachments: the rows behind every file, local path and web link.

A local path lies below a local storage, which is called differently on every platform.
"""

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from haikei.sgserver.store import SqlValue
from haikei.sgserver.values import Json, bad_request, failed, inspect, kind
from haikei.sgserver.write.coercing import HASHES
from haikei.sgserver.write.linking import tell_born, tell_new
from haikei.sgserver.write.rows import Columns, Work, insert_row, kept_json

PLATFORMS = ("mac", "windows", "linux")


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalStorage:
    """One LocalStorage row."""

    id: int
    name: str | None
    roots: Mapping[str, str | None]  #: by platform, as the row spells them

    def joined(self, platform: str, relative: str) -> str | None:
        """Return a path below the root as that platform writes it, None where there is no root."""
        root = self.roots[platform]
        if not root:
            return None
        if platform == "windows":
            return root.rstrip("\\/") + "\\" + relative.replace("/", "\\")
        return f"{root.rstrip('/')}/{relative}"


def resolve_path(work: Work, value: Mapping[str, Json]) -> tuple[LocalStorage, str]:
    """
    Return the storage that a `path` value means, and where below its root.

    `{"local_path"}` is matched against every root of every platform: the deepest wins, of equal
    ones the storage made last. `{"relative_path", "local_storage"}` names the storage outright.

    Raises:
        Fault: no storage matches, or the path leaves its root.
    """
    storages = _storages(work)
    if "local_path" in value:
        path = value["local_path"]
        found = _deepest(storages, path) if isinstance(path, str) else None
        if found is None:
            raise failed(
                f"Create failed for [Attachment]: Path {path} doesn't match any defined Local "
                "Storage."
            )
        return found
    relative, storage = value.get("relative_path"), value.get("local_storage")
    if not isinstance(relative, str) or not _stays_below(relative):
        raise bad_request(
            f"API {work.verb}() invalid/missing relative_path hash string 'relative_path': "
            f"{inspect(value)}"
        )
    wanted = storage.get("id") if isinstance(storage, Mapping) else None
    for candidate in storages:
        if candidate.id == wanted:
            return candidate, relative
    raise failed(f"Create failed for [Attachment]: Local Storage {inspect(storage)} doesn't exist.")


def _storages(work: Work) -> list[LocalStorage]:
    sql = (
        "SELECT id, code, mac_path, windows_path, linux_path "
        'FROM "LocalStorage" WHERE _retired = 0 ORDER BY id DESC'
    )
    return [
        LocalStorage(
            id=int(row[0] or 0),
            name=None if row[1] is None else str(row[1]),
            roots={
                platform: None if root is None else str(root)
                for platform, root in zip(PLATFORMS, row[2:], strict=True)
            },
        )
        for row in work.session.rows(sql)
    ]


def _stays_below(relative: str) -> bool:
    path = PurePosixPath(relative)
    return (
        bool(relative)
        and "\\" not in relative
        and not path.is_absolute()
        and (".." not in path.parts)
    )


def _deepest(storages: list[LocalStorage], path: str) -> tuple[LocalStorage, str] | None:
    best: tuple[int, LocalStorage, str] | None = None
    for storage in storages:
        for root in storage.roots.values():
            plain = (root or "").replace("\\", "/").rstrip("/")
            # Compared on separators: /mnt/show does not hold /mnt/show2.
            if not root or not path.startswith(f"{plain}/"):
                continue
            relative = path[len(plain) + 1 :]
            deeper = best is None or len(plain) > best[0]
            if deeper and _stays_below(relative):
                best = (len(plain), storage, relative)
    return None if best is None else best[1:]


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
