"""
One watched folder tree: how it is watched, on what file system, and what the paths in
it mean.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import translate
from functools import lru_cache
from pathlib import Path, PurePosixPath

from haikei.errors import PlaceUnknown
from haikei.events import NamedPaintOver, named_paint_over
from haikei.settings import (
    FolderNames,
    NamingRule,
    PathTemplate,
    Storage,
    Watch,
    WatchFolder,
    WatchMode,
    load_naming_rule,
)
from haikei.storage import PlacedLayout


class LayoutNames:
    """
    The studio's file endings and the names that are left alone, without regard to letter case.

    Temporary and lock files (`~$plate.psd`, `.plate.png.Xy12`, `plate.png.part`) are the ways in
    which programs say that a file is not complete yet.
    """

    def __init__(self, *, extensions: Iterable[str], ignore: Iterable[str]) -> None:
        self._endings = tuple("." + ending.casefold().removeprefix(".") for ending in extensions)
        patterns = [translate(pattern.casefold()) for pattern in ignore]
        self._ignored = re.compile("|".join(patterns)) if patterns else None

    def is_ignored(self, name: str) -> bool:
        """Tell whether a file or folder of this name is left alone."""
        return self._ignored is not None and self._ignored.match(name.casefold()) is not None

    def has_ending(self, name: str) -> bool:
        """Tell whether a file of this name is of a format that is read."""
        return name.casefold().endswith(self._endings)

    def is_layout(self, name: str) -> bool:
        """Tell whether a file of this name can be a layout."""
        return self.has_ending(name) and not self.is_ignored(name)

    def is_layout_path(self, relative: str) -> bool:
        """Tell whether a file can be a layout, by its own name and those of its folders."""
        *folders, name = relative.split("/")
        return self.is_layout(name) and not any(map(self.is_ignored, folders))


#: What the picture that shows a touch-up's changes is called after the touch-up's own name.
_CHANGE_MAP = "_change"


class Outputs:
    """Tells what Haikei published itself, by path, so that it is neither read nor refused."""

    def __init__(self, storage: Storage) -> None:
        self._prefix = f"{storage.roots[0].path.absolute()}/"
        self._templates = tuple(
            PathTemplate(text)
            for text in dict.fromkeys((storage.background, storage.stage, storage.touch_up))
        )

    def hold(self, path: str) -> bool:
        """Tell whether a path is one at which backgrounds, stages or touch-ups are published."""
        if not path.startswith(self._prefix):
            return False
        relative = path[len(self._prefix) :]
        if _CHANGE_MAP in relative:
            shown = PurePosixPath(relative)
            if shown.stem.endswith(_CHANGE_MAP):
                relative = str(shown.with_stem(shown.stem.removesuffix(_CHANGE_MAP)))
        return any(template.match(relative) is not None for template in self._templates)


MOUNTINFO = Path("/proc/self/mountinfo")

#: File systems whose other clients' changes the kernel here never hears of.
_NETWORK = re.compile(
    r"nfs\d*|cifs|smb\d*|smbfs|fuse.*|9p|afs|ceph|lustre|gpfs|beegfs|glusterfs|ncpfs|virtiofs"
    r"|vboxsf|prl_fs|vmhgfs"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One mounted file system."""

    point: Path
    kind: str  #: such as `ext4`, `nfs4`, `fuse.sshfs`

    @property
    def is_network(self) -> bool:
        """Whether changes can come from machines whose changes make no event here."""
        return _NETWORK.fullmatch(self.kind) is not None


def mounts(listing: str) -> tuple[Mount, ...]:
    """
    Return the mounts in the text of /proc/self/mountinfo, in its order.

    Source: proc_pid_mountinfo(5). Spaces in paths are written as octal escapes.
    """
    found: list[Mount] = []
    for line in listing.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.partition(" ")[0]
        if len(fields) > 4 and kind:
            found.append(Mount(point=Path(_unescape(fields[4])), kind=kind))
    return tuple(found)


def mount_of(path: Path, listing: str | None = None) -> Mount | None:
    """
    Return the mount that `path` lies on; None where the kernel lists no mounts.

    Of several mounts over the same point the last one is seen.
    """
    if listing is None:
        try:
            listing = MOUNTINFO.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return None
    real = path.resolve()
    best: Mount | None = None
    for mount in mounts(listing):
        if real.is_relative_to(mount.point) and (
            best is None or len(mount.point.parts) >= len(best.point.parts)
        ):
            best = mount
    return best


def _unescape(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


#: Clients of network file systems remember a file's size and time for seconds (3 to 60 on NFS,
#: acregmin and acregmax in nfs(5)); two looks must lie further apart than the first of these.
NETWORK_SETTLE = 10.0


#: Paths of which it is kept what they say.
_READ = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedRoot:
    """The top of a tree, with its settings worked out for the file system it lies on."""

    path: str  #: absolute, no slash at the end
    rules: tuple[NamingRule, ...]  #: the first one that fits says what a path means
    native: bool  #: the kernel reports changes; otherwise only scans find them
    settle: float  #: seconds, by the local monotonic clock
    local: bool = False  #: files get their times from this machine's own clock
    touch_ups: tuple[NamingRule, ...] = ()  #: looked at where no layout's rule fits
    names: FolderNames = field(default_factory=FolderNames)  #: where the tracker has others
    #: What was read of paths last: a file is asked about when it is found, settled and judged.
    _read: Callable[[str], PlacedLayout | NamedPaintOver] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "_read", lru_cache(maxsize=_READ)(self._place_of))

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

    def place_of(self, path: str) -> PlacedLayout | NamedPaintOver:
        """
        Return what the path says of a layout or of a paint-over.

        Raises:
            PlaceUnknown: no rule reads it, or it lies elsewhere.
        """
        return self._read(path)

    def _place_of(self, path: str) -> PlacedLayout | NamedPaintOver:
        relative = self.relative(path) or ""
        values = _match(self.rules, relative)
        if values is None:
            painted = _match(self.touch_ups, relative)
            named = None if painted is None else named_paint_over(painted, self.names)
            if named is not None:
                return named
            shapes = " or ".join(repr(rule.text) for rule in (*self.rules, *self.touch_ups))
            raise PlaceUnknown(
                f"The path does not look like {shapes} below {self.path}.",
                advice="Rename or move the file, or correct the template in watch.folders or "
                "watch.touch_ups.",
            )
        place = self.names.place(values)
        if place is None:
            raise PlaceUnknown(
                "The path gives no project and shot.",
                advice="Put {project} and {shot} into watch.folders.template.",
            )
        version = values.get("version")
        if version and not version.isdecimal():
            raise PlaceUnknown(
                f"The path gives the version {version!r}, which is no number.",
                advice="Correct the naming rule of watch.folders.",
            )
        return PlacedLayout(
            place=place,
            name=values.get("name", "layout"),
            version=int(version) if version else None,
        )


def watched_roots(
    watch: Watch, listing: str | None = None, *, names: FolderNames | None = None
) -> tuple[WatchedRoot, ...]:
    """
    Work out how each folder is watched; one that is named twice has two rules.

    Args:
        watch: the settings.
        listing: stands for the text of /proc/self/mountinfo.
        names: what folders are called where the tracker has other names.

    Raises:
        SettingsError: a folder's naming rule cannot be loaded.
    """
    layouts = _by_path((folder.path, _rule(folder)) for folder in watch.folders)
    touch_ups = _by_path((one.path, PathTemplate(one.template)) for one in watch.touch_ups)
    return tuple(
        replace(
            _watched_root(path, layouts.get(path, ()), touch_ups.get(path, ()), watch, listing),
            names=names or FolderNames(),
        )
        for path in dict.fromkeys((*layouts, *touch_ups))
    )


def _by_path(
    folders: Iterable[tuple[Path, NamingRule]],
) -> Mapping[Path, tuple[NamingRule, ...]]:
    found: dict[Path, tuple[NamingRule, ...]] = {}
    for folder, rule in folders:
        path = folder.absolute()
        found[path] = (*found.get(path, ()), rule)
    return found


def _rule(folder: WatchFolder) -> NamingRule:
    return load_naming_rule(folder.naming) if folder.naming else PathTemplate(folder.template)


def _match(rules: Iterable[NamingRule], relative: str) -> Mapping[str, str] | None:
    matches = (_asked(rule, relative) for rule in rules)
    return next((match for match in matches if match is not None), None)


def _asked(rule: NamingRule, relative: str) -> Mapping[str, str] | None:
    try:
        return rule.match(relative)
    except Exception as error:
        # A studio's code: a mistake in it costs this file a reason, and not the watcher its life.
        raise PlaceUnknown(
            f"The naming rule {rule.text!r} failed: {error}.",
            advice="Correct the package that brings it; the file is then judged anew.",
        ) from error


def _watched_root(
    path: Path,
    rules: tuple[NamingRule, ...],
    touch_ups: tuple[NamingRule, ...],
    watch: Watch,
    listing: str | None,
) -> WatchedRoot:
    mount = mount_of(path, listing)
    network = mount is not None and mount.is_network
    native = watch.mode is WatchMode.NATIVE or (watch.mode is WatchMode.AUTO and not network)
    return WatchedRoot(
        path=str(path),
        rules=rules,
        touch_ups=touch_ups,
        native=native,
        settle=max(watch.settle, NETWORK_SETTLE) if network else watch.settle,
        local=mount is not None and not network,
    )
