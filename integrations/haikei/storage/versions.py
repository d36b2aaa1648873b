"""
Version numbers that no two publishers share, on one machine or many.

A tracker cannot give them: nothing in it is unique. The shared mount can: a name is created by one
only. Each number is a small file that holds the key of the job it belongs to, and each key is a
small file that holds its number, so that a job that is run again gets the number it had.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import structlog

from haikei.errors import StorageError, StorageUnavailable
from haikei.names import same_name
from haikei.settings import PathTemplate
from haikei.storage.file_publishing import WritingMark
from haikei.storage.folders import (
    entries,
    existing_folder,
    make_folder,
    name_exclusively,
    sync_folder,
)

log = structlog.get_logger()

CLAIMS = PurePosixPath(".haikei/versions")
#: Says which storage it is that a root leads to.
MARK = PurePosixPath(".haikei/storage.json")

_CLAIM = re.compile(r"v(\d+)")


def claim(root: Path, scope: PurePosixPath, *, key: str, floor: int) -> int:
    """
    Return the number of `key` within `scope`: the one it has, else the next free one.

    Args:
        root: the storage root that all publishers share.
        scope: what is numbered together, as a path of names.
        key: whose number it is.
        floor: the highest number that is known to be taken.

    Raises:
        StorageUnavailable: another host is just writing this key's number; try again.
        OSError: what the system says.
    """
    folder = root / CLAIMS / scope
    mine = folder / "keys" / hashlib.sha256(key.encode()).hexdigest()[:32]
    number = _number_in(mine)
    if number is not None:
        return number
    make_folder(mine.parent, group=0o070)
    claims = _claims(folder)
    # A claim that we hold without its twin below `keys` was cut off by a crash.
    number = min((taken for taken, holder in claims.items() if holder == key), default=None)
    if number is None:
        number = max(floor, *claims, 0) + 1
        # A listing may be stale on a network mount; that a name is taken never is.
        while not _create(root, _claim_path(folder, number), key):
            number += 1
    if not _create(root, mine, str(number)):
        # The same job runs twice. The number that stands below `keys` is the one; ours is lost.
        agreed = _number_in(mine)
        if agreed is None:
            raise StorageUnavailable(
                f"The version number in {mine} cannot be read yet.", advice="Try again."
            )
        return agreed
    log.info("version_claimed", scope=str(scope), version=number, key=key)
    return number


def read_mark(root: Path) -> str:
    """
    Return the id of a root; nothing where it has none.

    Raises:
        OSError: what the system says.
        StorageError: its mark is damaged.
    """
    try:
        return str(json.loads((root / MARK).read_text(encoding="utf-8"))["id"])
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(
            f"{root / MARK} cannot be read: {error}.",
            advice="It says which storage this is. Restore it from a back-up of the storage.",
        ) from error


def make_mark(root: Path) -> str:
    """
    Give a root an id, unless another publisher is quicker; return the one it has then.

    Raises:
        OSError: what the system says.
    """
    id_ = secrets.token_hex(16)
    make_folder((root / MARK).parent, group=0o070)
    return id_ if _create(root, root / MARK, mark_text(id_)) else read_mark(root)


def mark_text(id_: str) -> str:
    """Return what stands in the mark of a root with this id."""
    return json.dumps({"id": id_}) + "\n"


def highest_on_disk(root: Path, template: PathTemplate, known: Mapping[str, str]) -> int:
    """
    Return the highest version whose path stands below `root`, 0 for none.

    The path need not be complete: a folder `v004` takes the number 4, whatever is in it.
    """
    return _highest(root, template.folders({*known, "version", "ext"}), known)


def _highest(folder: Path, parts: tuple[PathTemplate, ...], known: Mapping[str, str]) -> int:
    if not parts:
        return 0
    template = parts[0]
    if template.tokens <= known.keys():
        return _highest(existing_folder(folder, str(template.format(known))), parts[1:], known)
    best = 0
    for name in entries(folder):
        found = template.match(name)
        if found is None or any(
            not same_name(found[token], known[token]) for token in found.keys() & known.keys()
        ):
            continue
        if "version" in found:
            best = max(best, int(found["version"]))
        else:
            best = max(best, _highest(folder / name, parts[1:], known))
    return best


def _claim_path(folder: Path, number: int) -> Path:
    return folder / f"v{number:03d}"


def _claims(folder: Path) -> dict[int, str]:
    return {
        int(found[1]): (folder / name).read_text(encoding="utf-8")
        for name in entries(folder)
        if (found := _CLAIM.fullmatch(name))
    }


def _number_in(path: Path) -> int | None:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return int(text) if text.isdigit() else None


def _create(root: Path, path: Path, text: str) -> bool:
    """Create a file with its content in one step; return False when it stands already."""
    with WritingMark(root) as mark:
        mark.write(text, durable=True)
        if not name_exclusively(mark.path, path):
            return False
    sync_folder(path.parent)
    return True
