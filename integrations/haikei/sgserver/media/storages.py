"""Local storages: which root a path lies below, and what it is called on every platform."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from haikei.sgserver.values import Json, bad_request, failed, inspect
from haikei.sgserver.write.rows import Work

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
