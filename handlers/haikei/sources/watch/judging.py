"""From what was found in a file to what is told about it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from haikei.errors import ImageUnreadable, PathRefused, PlaceUnknown
from haikei.events import Event, LayoutPublished, NamedPaintOver, Source, TouchUpPublished
from haikei.jobs import Refusal, refusal_key
from haikei.sources.watch.root import WatchedRoot
from haikei.sources.watch.scan import Stamp, printable
from haikei.storage import PlacedLayout


class FileState(StrEnum):
    """What became of a file, as the table keeps it."""

    PUBLISHED = "published"
    REFUSED = "refused"  #: it cannot be read as an image
    MISPLACED = "misplaced"  #: its path nearly looks like the template


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVerdict:
    """What is told about one file, in one state of it."""

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
    """Return what is told of a sound file that stands for what was found of its place."""
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
    """Judge a file that lies where layouts lie by another name: people are told once a day."""
    return FileVerdict(path=path, stamp=stamp, sha256="", state=FileState.MISPLACED, why=why)


def refuse_damaged(path: str, stamp: Stamp, sha256: str, reason: str) -> FileVerdict:
    """Judge a file that stays unreadable."""
    name = path.rpartition("/")[2]
    said = reason if name in reason else f"{name} {reason}."
    return refuse(path, stamp, sha256, said, ImageUnreadable, FileState.REFUSED)


def refuse_misnamed(path: str, stamp: Stamp) -> FileVerdict:
    """Judge a file whose name is no text."""
    reason = f"The name {printable(path)!r} is not valid UTF-8. Rename the file."
    return refuse(path, stamp, "", reason, PathRefused, FileState.REFUSED)


def refuse(
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
