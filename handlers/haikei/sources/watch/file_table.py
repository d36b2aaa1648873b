"""
The table of files: what is known of each, the truth after a restart, and what of it is in memory.

A judgement goes from what was found in a file to what is kept and announced about it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection, Engine, bindparam, delete, select

from haikei.database import feed_cursors, files, inserting, utc_now
from haikei.errors import ImageUnreadable, PathRefused, PlaceUnknown
from haikei.events import Event, LayoutPublished, NamedPaintOver, Source, TouchUpPublished
from haikei.jobs.healing import supersede, unplaced
from haikei.jobs.inbox import Refusal, receive_all, refusal_key, refuse
from haikei.sources.watch.misfits import misfit
from haikei.sources.watch.root import LayoutNames, WatchedRoot
from haikei.sources.watch.scan import Stamp, printable
from haikei.storage import PlacedLayout


class FileState(StrEnum):
    """What became of a file, as the table keeps it."""

    PUBLISHED = "published"
    REFUSED = "refused"  #: it cannot be read as an image
    MISPLACED = "misplaced"  #: its path nearly looks like the template


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVerdict:
    """The finding about one file, in one state of it."""

    path: str
    stamp: Stamp
    sha256: str
    state: FileState
    event: Event | None = None
    refusal: Refusal | None = None
    why: str = ""  #: no rule reads its path

    @property
    def reason(self) -> str:
        """Why it was not taken, empty when it was."""
        return self.refusal.reason if self.refusal is not None else self.why

    @property
    def key(self) -> str:
        """The event's or the dead letter's key."""
        if self.event is not None:
            return self.event.key
        return self.refusal.key if self.refusal is not None else ""


def approve(
    root: WatchedRoot, path: str, stamp: Stamp, sha256: str, *, now: datetime
) -> FileVerdict:
    """Judge a file that is a sound image: published, or misplaced by its path."""
    try:
        found = root.place_of(path)
    except PlaceUnknown as error:
        return misplaced(path, stamp, str(error))
    event = event_of(found, Path(path), sha256, source=Source.WATCH, now=now)
    return FileVerdict(
        path=path, stamp=stamp, sha256=sha256, state=FileState.PUBLISHED, event=event
    )


def event_of(
    found: PlacedLayout | NamedPaintOver,
    file: Path,
    sha256: str,
    *,
    source: Source,
    now: datetime,
) -> Event:
    """Return the finding about a sound file that stands for what was found of its place."""
    if isinstance(found, NamedPaintOver):
        return TouchUpPublished(
            place=found.place,
            file=file,
            sha256=sha256,
            published_file=None,
            artists=(),
            artist_source="",
            artist_name=found.artist,
            versions=(),
            season=found.season,
            time=found.time,
            version=found.version,
            source=source,
            at=now,
        )
    return LayoutPublished(
        place=found.place,
        layout=file,
        sha256=sha256,
        name=found.name,
        version=found.version,
        published_file=None,
        source=source,
        at=now,
    )


def misplaced(path: str, stamp: Stamp, why: str) -> FileVerdict:
    """Judge a file that lies where layouts lie by another name: people are notified once a day."""
    return FileVerdict(path=path, stamp=stamp, sha256="", state=FileState.MISPLACED, why=why)


def refuse_damaged(path: str, stamp: Stamp, sha256: str, reason: str) -> FileVerdict:
    """Judge a file that stays unreadable."""
    name = path.rpartition("/")[2]
    said = reason if name in reason else f"{name} {reason}."
    return refuse_file(path, stamp, sha256, said, ImageUnreadable, FileState.REFUSED)


def refuse_misnamed(path: str, stamp: Stamp) -> FileVerdict:
    """Judge a file whose name is no text."""
    reason = f"The name {printable(path)!r} is not valid UTF-8. Rename the file."
    return refuse_file(path, stamp, "", reason, PathRefused, FileState.REFUSED)


def refuse_file(
    path: str, stamp: Stamp, sha256: str, reason: str, kind: type[Exception], state: FileState
) -> FileVerdict:
    """Refuse a file in the state that it is in."""
    shown = printable(path)
    refusal = Refusal(
        key=refusal_key(shown, str(stamp.size), str(stamp.mtime_ns), sha256),
        layout=Path(shown),
        source=Source.WATCH,
        reason=reason,
        kind=kind.__name__,
        sha256=sha256,
    )
    return FileVerdict(path=path, stamp=stamp, sha256=sha256, state=state, refusal=refusal)


def is_text(path: str) -> bool:
    """Tell whether a path is valid UTF-8, which trackers and databases insist on."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


_JUDGED_ANEW = "The file has changed since, and was judged anew."
_GONE = "The file was renamed, moved or removed."
_PAGE = 5000
_LOOKUP = 500
#: Built once: with the paths written into it, the library looks at each of them.
_NOT_TAKEN = select(files.c.event_key).where(
    files.c.path.in_(bindparam("paths", expanding=True)),
    files.c.state != FileState.PUBLISHED.value,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFile:
    """A file that was judged, in the state in which it was."""

    path: str
    stamp: Stamp
    state: FileState


class FileTable:
    """The rows of `files`, written together with what they caused."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def load(self) -> Iterator[KnownFile]:
        """Yield every known file; page by page, so that writers never wait long."""
        columns = (files.c.path, files.c.size, files.c.mtime_ns, files.c.inode, files.c.state)
        after = ""
        while True:
            with self._database.begin() as connection:
                rows = connection.execute(
                    select(*columns).where(files.c.path > after).order_by(files.c.path).limit(_PAGE)
                ).all()
            for path, size, mtime_ns, inode, state in rows:
                stamp = Stamp(size, mtime_ns, _unsigned(inode))
                yield KnownFile(path=path, stamp=stamp, state=FileState(state))
            if len(rows) < _PAGE:
                return
            after = rows[-1].path

    def walked(self) -> None:
        """Note that every watched folder was walked to its end."""
        now = utc_now()
        row = {"feed": "watch", "frontier": 0, "clock": 0.0, "since": now, "updated_at": now}
        with self._database.begin() as connection:
            statement = inserting(connection, feed_cursors)
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["feed"], set_={"updated_at": statement.excluded.updated_at}
                ),
                row,
            )

    def record(self, verdicts: Sequence[FileVerdict]) -> int:
        """
        Tell what was judged, and remember it, in one transaction.

        Returns:
            How many layouts were new, whatever else might have announced them.
        """
        now = utc_now()
        events = [verdict.event for verdict in verdicts if verdict.event is not None]
        refusals = [verdict.refusal for verdict in verdicts if verdict.refusal is not None]
        with self._database.begin() as connection:
            received = receive_all(connection, events)
            keys = iter(received.keys)
            rows = [
                self._row(verdict, next(keys) if verdict.event is not None else verdict.key, now)
                for verdict in verdicts
            ]
            _supersede(connection, rows)
            _upsert(connection, rows)
            for refusal in refusals:
                refuse(connection, refusal)
        return received.new

    @staticmethod
    def _row(verdict: FileVerdict, key: str, now: datetime) -> dict[str, object]:
        return {
            "path": printable(verdict.path),
            "size": verdict.stamp.size,
            "mtime_ns": verdict.stamp.mtime_ns,
            "inode": _signed(verdict.stamp.inode),
            "sha256": verdict.sha256,
            "state": verdict.state.value,
            "reason": verdict.reason,
            "event_key": key,
            "seen_at": now,
        }

    def forget(self, paths: Sequence[str]) -> None:
        """Forget refused files that are not there any more; their dead letters go."""
        shown = [printable(path) for path in paths]
        with self._database.begin() as connection:
            for start in range(0, len(shown), _LOOKUP):
                here = files.c.path.in_(shown[start : start + _LOOKUP])
                keys = set(connection.execute(select(files.c.event_key).where(here)).scalars())
                supersede(connection, keys - {""}, _GONE)
                connection.execute(delete(files).where(here))

    def misread(self, roots: Sequence[WatchedRoot]) -> set[str]:
        """
        Return the files that mean another place by the settings of today, and are no Version yet.

        They were announced under earlier settings, and nothing was made of them.
        """
        keys: dict[str, str] = {}
        columns = (files.c.path, files.c.sha256, files.c.event_key)
        query = select(*columns).where(files.c.state == FileState.PUBLISHED.value)
        with self._database.begin() as connection:
            for row in connection.execute(query):
                root = nearest(roots, row.path)
                if root is None or not root.fits(row.path):
                    continue
                means = approve(root, row.path, Stamp(0, 0, 0), row.sha256, now=utc_now()).event
                if means is None or row.event_key not in {
                    means.key,
                    replace(means, apart=True).key,
                }:
                    keys[row.path] = row.event_key
            wrong = unplaced(connection, set(keys.values()))
        return {path for path, key in keys.items() if key in wrong}

    def missing(self, paths: Sequence[str]) -> set[str]:
        """Return those of `paths` that have no row any more: they shall be judged again."""
        shown = {printable(path): path for path in paths}
        keys = list(shown)
        with self._database.begin() as connection:
            for start in range(0, len(keys), _LOOKUP):
                found = connection.execute(
                    select(files.c.path).where(files.c.path.in_(keys[start : start + _LOOKUP]))
                )
                for path in found.scalars():
                    shown.pop(path, None)
        return set(shown.values())


def nearest(roots: Iterable[WatchedRoot], path: str) -> WatchedRoot | None:
    """Return the first of these roots, the deepest of which come first, that a path is below."""
    return next((root for root in roots if root.relative(path) is not None), None)


def rearm(database: Engine, path: Path) -> bool:
    """
    Have a refused file judged again by whichever process watches it, within a folder pass.

    Returns:
        False when no file of this path was known: it will be judged anyway, or is not there.
    """
    with database.begin() as connection:
        found = connection.execute(delete(files).where(files.c.path == printable(str(path))))
        return found.rowcount > 0


def _supersede(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    paths = [row["path"] for row in rows]
    now = {row["event_key"] for row in rows}
    for start in range(0, len(paths), _LOOKUP):
        found = connection.execute(_NOT_TAKEN, {"paths": paths[start : start + _LOOKUP]})
        if stale := set(found.scalars()) - now - {""}:
            supersede(connection, stale, _JUDGED_ANEW)


def _upsert(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    statement = inserting(connection, files)
    updated = {
        column.name: statement.excluded[column.name]
        for column in files.columns
        if not column.primary_key
    }
    connection.execute(
        statement.on_conflict_do_update(index_elements=["path"], set_=updated),
        rows,
    )


# Some network file systems give 64-bit inode numbers; a BIGINT has a sign.
def _signed(inode: int) -> int:
    return inode - (1 << 64) if inode >= 1 << 63 else inode


def _unsigned(inode: int) -> int:
    return inode + (1 << 64) if inode < 0 else inode


_NOTHING: Mapping[str, Stamp] = {}


class KnownFiles:
    """The state in which each file was judged last."""

    def __init__(self) -> None:
        self._folders: dict[str, dict[str, Stamp]] = {}
        self._count = 0
        self.refused: set[str] = set()

    def __len__(self) -> int:
        return self._count

    def load(
        self,
        files: Iterable[KnownFile],
        roots: Sequence[WatchedRoot],
        names: LayoutNames,
        misread: Collection[str] = (),
    ) -> None:
        """
        Take over what the table holds of these trees.

        Files that were misplaced are forgotten where the template fits them now, and so are those
        of `misread`: a studio that corrects its settings gets them judged by a restart.
        """
        for file in files:
            root = nearest(roots, file.path)
            if root is None or file.path in misread:
                continue
            if file.state is FileState.MISPLACED and not misfit(root, file.path, names):
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

    def forget_gone(self, folder: str, present: Collection[str]) -> None:
        """
        Forget published files that are not in their folder any more: the table still has them.

        One that comes back is read once more, and its event is known. Refused files are left to
        `refused`, as their dead letters go with them.
        """
        for name in self.in_folder(folder).keys() - {*present}:
            if f"{folder}/{name}" not in self.refused:
                self.forget(f"{folder}/{name}")

    def forget(self, path: str) -> None:
        """Have a file judged again at the next look."""
        folder, _, name = path.rpartition("/")
        names = self._folders.get(folder, {})
        if names.pop(name, None) is not None:
            self._count -= 1
            if not names:
                del self._folders[folder]
        self.refused.discard(path)
