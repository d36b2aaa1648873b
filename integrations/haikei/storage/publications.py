"""Find what was published: every record that stands beside a background, and whose place it is."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from haikei.settings import FolderNames, PathTemplate
from haikei.show import Place
from haikei.storage.file_publishing import WritingMark
from haikei.storage.folders import make_folder, name_exclusively, sync_folder
from haikei.storage.versions import CLAIMS

_RECORD = ".json"
#: Below it stand files of versions that were cut off and belong to nothing any more.
SET_ASIDE = PurePosixPath(".haikei/set-aside")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRecord:
    """The record of a version, in the storage that it was published to."""

    path: Path
    picture: PurePosixPath  #: of the version, below the first storage root
    place: Place
    season: str
    time: str
    version: int


def published_records(
    root: Path, templates: Sequence[PathTemplate], names: FolderNames
) -> Iterator[PublishedRecord]:
    """Yield the record of every version below a root, in the order of their paths."""
    for folder, folders, files in os.walk(root, followlinks=False):
        # Haikei's own folder holds claims and copies, and no version.
        folders[:] = sorted(one for one in folders if one != CLAIMS.parts[0])
        for name in sorted(files):
            if not name.endswith(_RECORD):
                continue
            path = Path(folder, name)
            picture = PurePosixPath(path.relative_to(root)).with_suffix("")
            found = _placed(picture, path, templates, names)
            if found is not None:
                yield found


def _placed(
    picture: PurePosixPath, path: Path, templates: Sequence[PathTemplate], names: FolderNames
) -> PublishedRecord | None:
    for template in templates:
        tokens = template.match(picture)
        place = None if tokens is None else names.place(tokens)
        if tokens is None or place is None or not tokens.get("version", "").isdigit():
            continue
        return PublishedRecord(
            path=path,
            picture=picture,
            place=place,
            season=tokens.get("season", ""),
            time=tokens.get("time", ""),
            version=int(tokens["version"]),
        )
    return None


def set_aside(root: Path, relative: PurePosixPath) -> Path | None:
    """
    Move a file that belongs to nothing out of the show's folders; None where there is none.

    Raises:
        OSError: what the system says.
    """
    path = root / relative
    if not path.is_file():
        return None
    target = root / SET_ASIDE / relative
    make_folder(target.parent, group=0o070)
    number = 0
    while not name_exclusively(path, target):
        number += 1
        target = target.with_name(f"{relative.name}.{number}")
    path.unlink(missing_ok=True)
    sync_folder(path.parent)
    return target


def put_back_claim(root: Path, relative: PurePosixPath, content: bytes) -> bool:
    """
    Put a claim of a version number back where it is gone; tell whether it was.

    Raises:
        OSError: what the system says.
    """
    path = root / CLAIMS / relative
    if path.exists():
        return False
    make_folder(path.parent, group=0o070)
    with WritingMark(root) as mark:
        mark.write(content.decode(), durable=True)
        done = name_exclusively(mark.path, path)
    sync_folder(path.parent)
    return done


def claims_below(root: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yield every claim of a version number: its path below the folder of claims, and content."""
    folder = root / CLAIMS
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield PurePosixPath(path.relative_to(folder)), path.read_bytes()
