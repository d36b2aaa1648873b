"""The studio's storage: what a path means, and where a background goes."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from haikei.errors import AlreadyPublished, PathRefused, SettingsError, StorageUnavailable
from haikei.files import sha256_of
from haikei.settings import PathTemplate, Settings
from haikei.show import Place, StoredFile
from haikei.storage.file_publishing import Publication, publish, sweep
from haikei.storage.folders import (
    PlacedLayout,
    Roots,
    composed,
    existing,
    existing_folder,
    explained,
)
from haikei.storage.publications import (
    PublishedRecord,
    claims_below,
    published_records,
    put_back_claim,
    set_aside,
)
from haikei.storage.versions import (
    MARK,
    claim,
    highest_on_disk,
    make_mark,
    mark_text,
    read_mark,
)

_ONE_NAME = PathTemplate("{name}")


class Storage:
    """
    Storage roots and path templates of one studio.

    It holds no connection and no open file; threads and processes may use one each or share it.

    Args:
        settings: the studio's; `storage` is what counts here.

    Raises:
        SettingsError: the templates cannot tell versions or stages apart.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.storage
        self._roots = Roots(settings.storage.roots)
        self._root = settings.storage.roots[0].path
        self._mark = ""
        self._layout = PathTemplate(settings.storage.layout)
        self._background = PathTemplate(settings.storage.background)
        self._stage = PathTemplate(settings.storage.stage)
        self._touch_up = PathTemplate(settings.storage.touch_up)
        self._names = settings.folder_names
        _require_tokens(self._layout, "layout", {"project", "shot"})
        _require_tokens(self._background, "background", {"shot", "version"})
        _require_tokens(self._stage, "stage", {"shot", "version", "stage"})
        _require_tokens(self._touch_up, "touch_up", {"shot", "version"})

    def place_of(self, path: Path) -> PlacedLayout | None:
        """Return what a layout's path says, or None when it fits no root and layout template."""
        located = self._roots.locate(path)
        if located is None:
            return None
        found = self._layout.match(located.relative)
        place = self._names.place(found) if found else None
        if found is None or place is None:
            return None
        version = found.get("version")
        return PlacedLayout(
            place=place,
            name=found.get("name", ""),
            version=None if version is None else int(version),
        )

    def stored(self, path: Path, sha256: str) -> StoredFile:
        """
        Return a file as the tracker names it: by storage root and path below it.

        The file is not read; symbolic links on the way to it are resolved.

        Raises:
            PathRefused: the path is below no root.
        """
        located = self._roots.require(path)
        return StoredFile(
            root=located.root.name,
            relative=str(located.relative),
            path=located.path,
            sha256=sha256,
        )

    def claim_version(self, *, place: Place, stream: str, key: str, at_least: int) -> int:
        """
        Return the version number of job `key`, from 1, which no other job has or will ever get.

        Numbers count within what the background template keeps apart: usually project, sequence,
        shot, season and time. The same key always returns the same number, after a crash too.

        Args:
            place: where the background belongs.
            stream: season and time, as `summer_day`.
            key: the job's.
            at_least: the highest number that the tracker knows, 0 for none.

        Raises:
            PathRefused: a name cannot stand in a path.
            StorageUnavailable: the mount is away or full.
        """
        season, _, time = stream.partition("_")
        self.background_path(place=place, season=season, time=time, version=1)
        names = {**self._names.tokens(place), "season": season, "time": time}
        known = {token: name for token, name in names.items() if token in self._background.tokens}
        self.require_root()
        with explained("Claiming a version number below", self._root):
            on_disk = highest_on_disk(self._root, self._background, known)
            floor = max(at_least, on_disk)
            return claim(self._root, _scope(known), key=key, floor=floor)

    def layout_path(self, *, place: Place, name: str, version: int, ext: str) -> PurePosixPath:
        """
        Return where a layout goes that is handed in, below the first root.

        Raises:
            PathRefused: a name is missing, or cannot stand in a path.
        """
        return self._layout.format(
            {**self._names.tokens(place), "name": name, "version": version, "ext": ext}
        )

    def background_path(
        self, *, place: Place, season: str, time: str, version: int, ext: str | None = None
    ) -> PurePosixPath:
        """
        Return where a background goes, below the first root; `ext` is the settings' by default.

        Raises:
            PathRefused: a name is missing, or cannot stand in a path.
        """
        return self._background.format(
            {
                **self._names.tokens(place),
                "season": season,
                "time": time,
                "version": version,
                "ext": ext or self._settings.format,
            }
        )

    def stage_path(
        self,
        *,
        place: Place,
        season: str,
        time: str,
        version: int,
        stage: str,
        ext: str | None = None,
    ) -> PurePosixPath:
        """
        Return where a stage's picture goes, below the first root.

        Raises:
            PathRefused: a name is missing, or cannot stand in a path.
        """
        return self._stage.format(
            {
                **self._names.tokens(place),
                "season": season,
                "time": time,
                "version": version,
                "stage": stage,
                "ext": ext or self._settings.format,
            }
        )

    def touch_up_path(
        self, *, place: Place, season: str, time: str, version: int, ext: str
    ) -> PurePosixPath:
        """
        Return where a background goes that an artist has painted over, below the first root.

        Raises:
            PathRefused: a name is missing, or cannot stand in a path.
        """
        return self._touch_up.format(
            {
                **self._names.tokens(place),
                "season": season,
                "time": time,
                "version": version,
                "ext": ext,
            }
        )

    def lacking(self, place: Place) -> tuple[str, ...]:
        """Return what paths of a background need and nothing is known of, such as `sequence`."""
        known = {*self._names.tokens(place), "season", "time", "version", "stage", "ext"}
        templates = (self._background, self._stage, self._touch_up)
        return tuple(sorted({name for one in templates for name in one.required} - known))

    def episode_of(self, relative: PurePosixPath) -> str:
        """Return the episode that the path of a published background says; else nothing."""
        for template in (self._background, self._touch_up):
            place = self._names.place(template.match(relative) or {})
            if place is not None:
                return place.episode
        return ""

    def published(self, relative: PurePosixPath) -> Path:
        """
        Return where a file stands that was published below the first root.

        Raises:
            PathRefused: the path would leave the root.
            StorageUnavailable: the mount is away.
        """
        self.require_root()
        return self._root / self._as_on_disk(relative)

    def publish(self, source: Path, relative: PurePosixPath) -> StoredFile:
        """
        Publish a copy of `source` at `relative` below the first root.

        It is written under a temporary name, synced, read back and named in one step; equal bytes
        there already are a success. Folders on the way may be spelt in another Unicode form.

        Raises:
            PathRefused: the path would leave the root.
            AlreadyPublished: other bytes stand there.
            StorageUnavailable: the disk is full or the mount is away.
            StorageError: the source or the target cannot be used.
        """
        self.require_root()
        relative = self._as_on_disk(relative)
        digest = publish(
            Publication(
                source=source,
                root=self._root,
                relative=relative,
                reserve=self._settings.reserve_mib << 20,
            )
        )
        return self.stored(self._root / relative, digest)

    def publish_once(self, relative: PurePosixPath, make: Callable[[], Path]) -> StoredFile:
        """
        Return the file at `relative` below the first root, publishing one if there is none.

        Of several publishers at once one wins, and all get its file.

        Args:
            relative: where.
            make: makes the file to publish, in a folder of the caller's.

        Raises:
            StorageUnavailable: the disk is full or the mount is away.
            StorageError: the source or the target cannot be used.
        """
        self.require_root()
        path = self._root / self._as_on_disk(relative)
        with explained("Reading", path):
            there = path.is_file()
        if not there:
            try:
                return self.publish(make(), relative)
            except AlreadyPublished:
                pass  # another one was quicker: its file stands
        with explained("Reading", path):
            return self.stored(path, sha256_of(path))

    def sweep(self) -> tuple[Path, ...]:
        """
        Remove the temporary files that killed publishers left, and return them.

        What a living process is writing, here or on another host, is never touched.

        Raises:
            StorageUnavailable: the mount is away.
        """
        self.require_root()
        with explained("Sweeping", self._root):
            return sweep(self._root)

    def publications(self) -> Iterator[PublishedRecord]:
        """
        Yield the record of every version that was published below the first root.

        Raises:
            StorageUnavailable: the mount is away.
        """
        self.require_root()
        templates = (self._background, self._touch_up)
        yield from published_records(self._root, templates, self._names)

    def set_aside(self, relative: PurePosixPath) -> Path | None:
        """
        Move a published file that belongs to nothing below `.haikei/set-aside`; None for no file.

        Raises:
            StorageUnavailable: the mount is away.
            StorageError: it cannot be moved.
        """
        self.require_root()
        with explained("Setting aside", self._root / relative):
            return set_aside(self._root, self._as_on_disk(relative))

    def claims(self) -> Iterator[tuple[PurePosixPath, bytes]]:
        """
        Yield every claim of a version number, with its path below the folder of claims.

        Raises:
            StorageUnavailable: the mount is away.
        """
        self.require_root()
        yield from claims_below(self._root)

    def put_back_claim(self, relative: PurePosixPath, content: bytes) -> bool:
        """
        Put a claim back where it is gone; tell whether it was. What stands is left as it is.

        Raises:
            StorageUnavailable: the mount is away or full.
        """
        self.require_root()
        with explained("Putting back a claim below", self._root):
            return put_back_claim(self._root, relative, content)

    def mark(self, *, new: bool) -> str:
        """
        Return the id of the first root; one that has none gets one.

        Args:
            new: whether nothing of ours has been published there before: a disk without any trace
                of us may have an id then.

        Raises:
            StorageUnavailable: the mount is away, or nothing of ours is there.
        """
        self.require_root()
        with explained("Reading", self._root / MARK):
            found = read_mark(self._root)
            if found:
                return found
            ours = (self._root / MARK.parts[0]).is_dir()
        if not new and not ours:
            raise StorageUnavailable(
                f"The storage root {self._root} holds nothing of what was published there.",
                advice=f"Mount the storage. If it was replaced on purpose, make the folder "
                f"{self._root / MARK.parts[0]}.",
            )
        with explained("Marking", self._root):
            return make_mark(self._root)

    def expect(self, mark: str) -> None:
        """Take the first root for the studio's only where it has this id."""
        self._mark = mark

    def require_root(self) -> None:
        """
        Do nothing where the first root is mounted.

        What is left of an unmounted disk is an empty folder, which takes files as well, and another
        disk may be mounted there: a root whose id is known has to have it.

        Raises:
            StorageUnavailable: it is away.
        """
        with explained("Reaching", self._root):
            there = self._root.is_dir()
            found = read_mark(self._root) if there else ""
        if not there:
            raise StorageUnavailable(
                f"The storage root {self._root} is not there.",
                advice="Mount it, or correct storage.roots in the settings.",
            )
        if self._mark and found != self._mark:
            file = self._root / MARK
            what = f"says that it is another one ({found})" if found else "is not there"
            raise StorageUnavailable(
                f"The storage root {self._root} is not the disk that was published to: {file} "
                f"{what}.",
                advice="Mount the storage. If it was replaced on purpose, write "
                f"{mark_text(self._mark).strip()} into that file.",
            )
        self._mark = found

    def _as_on_disk(self, relative: PurePosixPath) -> PurePosixPath:
        if relative.is_absolute() or ".." in relative.parts or not relative.parts:
            raise PathRefused(f"{str(relative)!r} is not a path below a storage root.")
        path = self._root
        with explained("Reaching", self._root / relative):
            for part in relative.parts[:-1]:
                path = existing_folder(path, part)
            path = existing(path, relative.name)
        try:
            inside = path.parent.resolve().is_relative_to(self._root.resolve())
        except (OSError, RuntimeError, ValueError) as error:
            raise PathRefused(f"{os.fspath(path)!r} cannot be a path: {error}.") from error
        if not inside:
            raise PathRefused(
                f"{path} leads out of {self._root}.",
                advice="Remove the symbolic link, or make its target a storage root.",
            )
        return PurePosixPath(path.relative_to(self._root))


def _scope(known: Mapping[str, str]) -> PurePosixPath:
    """Return the folder of claims for these names; letter case and Unicode form do not count."""
    stream = "_".join(known[token] for token in ("season", "time") if token in known)
    tokens = ("project", "episode", "sequence", "shot")
    place = [known[token] for token in tokens if token in known]
    names = [*place, stream] if stream else place
    safe = [_ONE_NAME.format({"name": composed(name).casefold()}) for name in names]
    return PurePosixPath(*safe)


def _require_tokens(template: PathTemplate, name: str, tokens: set[str]) -> None:
    missing = sorted(tokens - template.required)
    if missing:
        wanted = " and ".join(f"{{{token}}}" for token in missing)
        raise SettingsError(
            f"The path template storage.{name} ({template.text!r}) lacks {wanted}.",
            advice="Without it two files would stand at one path, or a layout without a place.",
        )
