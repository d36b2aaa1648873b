"""Which storage root a path is below, and what its place in a show is."""

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from haikei.errors import PathRefused
from haikei.settings import StorageRoot
from haikei.show import Place
from haikei.storage.folders import composed


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedLayout:
    """What a layout's path says of it."""

    place: Place
    name: str  #: the layout's stream, such as `bg`; empty when the template has none
    version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A path below a root."""

    root: StorageRoot
    relative: PurePosixPath

    @property
    def path(self) -> Path:
        """The path through the root as the settings spell it."""
        return self.root.path / self.relative


class Roots:
    """
    The mounted storage roots.

    Paths are compared name by name after symbolic links are resolved, so `/mnt/show2` is not below
    `/mnt/show`, and a link cannot lead out. Where roots are nested, the deepest one counts, as it
    does for the tracker. Roots that are symbolic links are resolved once.
    """

    def __init__(self, roots: Sequence[StorageRoot]) -> None:
        resolved = [(_folded(root.path.resolve()), root) for root in roots]
        self._deepest_first = sorted(resolved, key=lambda pair: -len(pair[0]))

    def locate(self, path: Path) -> Located | None:
        """Return where `path` is, or None when it is below no root or cannot be a path at all."""
        try:
            resolved = path.resolve() if path.is_absolute() else None
            os.fsencode(path).decode("utf-8")
        except (OSError, RuntimeError, ValueError):
            return None  # a loop of links, a null character, bytes that are no UTF-8
        if resolved is None or _loops(resolved):
            return None
        parts = _folded(resolved)
        for root_parts, root in self._deepest_first:
            depth = len(root_parts)
            if len(parts) > depth and parts[:depth] == root_parts:
                return Located(root=root, relative=PurePosixPath(*resolved.parts[depth:]))
        return None

    def require(self, path: Path) -> Located:
        """
        Return where `path` is.

        Raises:
            PathRefused: it is below no root.
        """
        located = self.locate(path)
        if located is None:
            known = ", ".join(str(root.path) for _, root in self._deepest_first)
            raise PathRefused(
                f"{str(path)!r} is below no storage root ({known}).",
                advice="Move the file, or add its mount to storage.roots in the settings.",
            )
        return located


def _loops(path: Path) -> bool:
    """Tell whether links lead in a circle: Python 3.13 and newer resolve them without an error."""
    try:
        path.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def _folded(path: Path) -> tuple[str, ...]:
    return tuple(composed(part) for part in path.parts)
