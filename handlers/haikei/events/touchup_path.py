"""What the path of a paint-over says: where it belongs, what it is on, who made it."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from haikei.settings import FolderNames, PathTemplate, TouchUpFolder
from haikei.show import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPaintOver:
    """What a path says of a paint-over."""

    place: Place
    season: str  #: of the version that was painted over; empty when the template has none
    time: str
    version: int | None
    artist: str  #: empty when the template has no name


def named_paint_over(values: Mapping[str, str], names: FolderNames) -> NamedPaintOver | None:
    """Return what a template's values say; None when they give no project and shot."""
    said = {name: unicodedata.normalize("NFC", value) for name, value in values.items()}
    place = names.place(said)
    if place is None:
        return None
    version = said.get("version")
    return NamedPaintOver(
        place=place,
        season=said.get("season", ""),
        time=said.get("time", ""),
        version=int(version) if version else None,
        artist=said.get("name", ""),
    )


class TouchUpFolders:
    """The folder trees in which paint-overs land."""

    def __init__(self, folders: Iterable[TouchUpFolder], names: FolderNames) -> None:
        self._names = names
        self._folders = [
            (folder.path.absolute(), PathTemplate(folder.template)) for folder in folders
        ]

    def named(self, path: Path) -> NamedPaintOver | None:
        """Return what a path says; None when it fits no folder's template."""
        for top, template in self._folders:
            # A storage gives paths with their links resolved.
            for root in dict.fromkeys((top, top.resolve())):
                if not path.is_relative_to(root):
                    continue
                values = template.match(path.relative_to(root).as_posix())
                found = named_paint_over(values, self._names) if values is not None else None
                if found is not None:
                    return found
        return None
