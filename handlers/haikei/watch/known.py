"""What the watcher remembers of the table while it runs, folder by folder."""

from collections.abc import Iterable, Mapping

from haikei.watch.filetable import KnownFile
from haikei.watch.judging import FileState
from haikei.watch.root import WatchedRoot
from haikei.watch.stamp import Stamp

_NOTHING: Mapping[str, Stamp] = {}


class KnownFiles:
    """The state in which each file was judged last."""

    def __init__(self) -> None:
        self._folders: dict[str, dict[str, Stamp]] = {}
        self._count = 0
        self.refused: set[str] = set()

    def __len__(self) -> int:
        return self._count

    def load(self, files: Iterable[KnownFile], roots: Iterable[WatchedRoot]) -> None:
        """
        Take over what the table holds of these trees.

        Files that were refused for their path are forgotten where the template fits them now: a
        studio that corrects its template gets them judged by a restart.
        """
        tops = tuple(roots)
        for file in files:
            root = next((top for top in tops if top.relative(file.path) is not None), None)
            if root is None or (file.state is FileState.MISPLACED and root.fits(file.path)):
                continue
            self.remember(file)

    def in_folder(self, folder: str) -> Mapping[str, Stamp]:
        """Return the known files of one folder by name."""
        return self._folders.get(folder, _NOTHING)

    def stamp(self, path: str) -> Stamp | None:
        """Return the state in which a file was judged, None for an unknown one."""
        folder, _, name = path.rpartition("/")
        return self.in_folder(folder).get(name)

    def remember(self, file: KnownFile) -> None:
        """Note that a file was judged."""
        folder, _, name = file.path.rpartition("/")
        names = self._folders.setdefault(folder, {})
        self._count += name not in names
        names[name] = file.stamp
        if file.state is FileState.PUBLISHED:
            self.refused.discard(file.path)
        else:
            self.refused.add(file.path)

    def forget(self, path: str) -> None:
        """Have a file judged again at the next look."""
        folder, _, name = path.rpartition("/")
        if self._folders.get(folder, {}).pop(name, None) is not None:
            self._count -= 1
        self.refused.discard(path)
