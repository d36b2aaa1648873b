"""One watched folder tree: how it is watched, and what the paths in it mean."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from haikei.errors import PlaceUnknown
from haikei.events import NamedPaintOver, named_paint_over
from haikei.settings import PathTemplate, Watch, WatchFolder, WatchMode
from haikei.settings.review import TouchUpFolder
from haikei.trackers import Place
from haikei.watch.mounts import mount_of

#: Clients of network file systems remember a file's size and time for seconds (3 to 60 on NFS,
#: acregmin and acregmax in nfs(5)); two looks must lie further apart than the first of these.
NETWORK_SETTLE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPlace:
    """What a layout's path says of it."""

    place: Place
    name: str
    version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedRoot:
    """The top of a tree, with its settings worked out for the file system it lies on."""

    path: str  #: absolute, no slash at the end
    templates: tuple[PathTemplate, ...]  #: the first one that fits says what a path means
    native: bool  #: the kernel tells of changes; otherwise only scans find them
    settle: float  #: seconds, by the local monotonic clock
    touch_ups: tuple[PathTemplate, ...] = ()  #: looked at where no layout's template fits

    def relative(self, path: str) -> str | None:
        """Return the path below this root, None for one that lies elsewhere."""
        prefix = self.path + "/"
        return path[len(prefix) :] if path.startswith(prefix) else None

    def fits(self, path: str) -> bool:
        """Tell whether a path names a place."""
        try:
            self.place_of(path)
        except PlaceUnknown:
            return False
        return True

    def place_of(self, path: str) -> NamedPlace | NamedPaintOver:
        """
        Return what the path says of a layout or of a paint-over.

        Raises:
            PlaceUnknown: it does not look like the template, or lies elsewhere.
        """
        relative = self.relative(path) or ""
        values = _match(self.templates, relative)
        if values is None:
            painted = _match(self.touch_ups, relative)
            if painted is not None and (named := named_paint_over(painted)) is not None:
                return named
            shapes = " or ".join(
                repr(template.text) for template in (*self.templates, *self.touch_ups)
            )
            raise PlaceUnknown(
                f"The path does not look like {shapes} below {self.path}.",
                advice="Rename or move the file, or correct the template in watch.folders or "
                "watch.touch_ups.",
            )
        if not values.get("project") or not values.get("shot"):
            raise PlaceUnknown(
                "The path gives no project and shot.",
                advice="Put {project} and {shot} into watch.folders.template.",
            )
        version = values.get("version")
        return NamedPlace(
            place=Place(
                project=values["project"],
                sequence=values.get("sequence", ""),
                shot=values["shot"],
            ),
            name=values.get("name", "layout"),
            version=int(version) if version else None,
        )


def watched_roots(watch: Watch, listing: str | None = None) -> tuple[WatchedRoot, ...]:
    """
    Work out how each folder is watched; one that is named twice has two templates.

    Args:
        watch: the settings.
        listing: stands for the text of /proc/self/mountinfo.
    """
    layouts, touch_ups = _by_path(watch.folders), _by_path(watch.touch_ups)
    return tuple(
        _watched_root(path, layouts.get(path, ()), touch_ups.get(path, ()), watch, listing)
        for path in dict.fromkeys((*layouts, *touch_ups))
    )


def _by_path(
    folders: Iterable[WatchFolder] | Iterable[TouchUpFolder],
) -> Mapping[Path, tuple[PathTemplate, ...]]:
    found: dict[Path, tuple[PathTemplate, ...]] = {}
    for folder in folders:
        path = folder.path.absolute()
        found[path] = (*found.get(path, ()), PathTemplate(folder.template))
    return found


def _match(templates: Iterable[PathTemplate], relative: str) -> Mapping[str, str] | None:
    matches = (template.match(relative) for template in templates)
    return next((match for match in matches if match is not None), None)


def _watched_root(
    path: Path,
    templates: tuple[PathTemplate, ...],
    touch_ups: tuple[PathTemplate, ...],
    watch: Watch,
    listing: str | None,
) -> WatchedRoot:
    mount = mount_of(path, listing)
    network = mount is not None and mount.is_network
    native = watch.mode is WatchMode.NATIVE or (watch.mode is WatchMode.AUTO and not network)
    return WatchedRoot(
        path=str(path),
        templates=templates,
        touch_ups=touch_ups,
        native=native,
        settle=max(watch.settle, NETWORK_SETTLE) if network else watch.settle,
    )
