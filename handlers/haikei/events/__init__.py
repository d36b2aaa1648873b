"""
What happened: the same event with the same key comes out of every source.

The path of a paint-over says where it belongs, what it is on, and who made it.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from haikei.credits import Person
from haikei.settings import FolderNames, PathTemplate, TouchUpFolder
from haikei.show import Place


@lru_cache(maxsize=1024)
def event_key(kind: str, place: Place, sha256: str, *, apart: bool = False) -> str:
    """
    Return the key of an event: its kind, project, shot and content, and nothing else.

    Args:
        kind: `layout` or `touch-up`.
        place: where in the show it belongs.
        sha256: of the file's bytes.
        apart: the same bytes are another shot's already, of the same name in another sequence or
            episode: these two count as well then.
    """
    names = (place.project, place.shot, *((place.episode, place.sequence) if apart else ()))
    text = "\0".join((*(_fold(name) for name in names), sha256))
    return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _fold(name: str) -> str:
    # Trackers compare names without regard to case; file systems may decompose accents.
    return unicodedata.normalize("NFC", name).casefold()


class Source(StrEnum):
    """Where an event comes from."""

    WATCH = "watch"
    EVENT_LOG = "event_log"
    RECONCILIATION = "reconciliation"
    BACKFILL = "backfill"
    COMMAND = "command"
    WEBHOOK = "webhook"
    PAGE = "page"
    MENU = "menu"
    API = "api"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutPublished:
    """A complete layout stands at a path that we can read."""

    place: Place
    layout: Path  #: absolute, on this machine
    sha256: str  #: of the file's bytes
    name: str  #: the layout's stream, such as `bg`
    version: int | None  #: the layout's own version number
    published_file: int | None  #: its row in the tracker, when the source knows it
    source: Source
    at: datetime  #: when it was seen
    published_by: str = ""  #: the id of the person who created its row; empty when nobody is known
    published_before_by: str = ""  #: who published the same drawing for the cut first, if not they
    apart: bool = False  #: the same bytes came before, for a shot of this name elsewhere

    @property
    def key(self) -> str:
        """
        The event's identity: project, shot and content, and nothing that depends on the source.

        The same drawing seen on disk and in the tracker is one event; a changed one is another. So
        is the same drawing published by somebody else: who drew it is asked then. Where the same
        drawing came for two shots of one name, in two sequences or episodes, the second is `apart`.
        """
        key = event_key("layout", self.place, self.sha256, apart=self.apart)
        if not self.published_before_by:
            return key
        return f"{key}-{hashlib.sha256(self.published_by.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchUpPublished:
    """A complete paint-over stands at a path that we can read."""

    place: Place
    file: Path  #: absolute, on this machine; the artist's own
    sha256: str  #: of the file's bytes
    published_file: int | None  #: its row in the tracker, when the source knows it
    artists: tuple[Person, ...]  #: who published it, as the tracker says
    artist_source: str  #: where they are known from; empty when they are not
    artist_name: str  #: as the file's path says, several with `+`; empty when it does not
    versions: tuple[int, ...]  #: Versions that the tracker links it to, ours or not
    season: str  #: of the version that the path says it is on; empty when it does not
    time: str
    version: int | None
    source: Source
    at: datetime  #: when it was seen
    candidates: tuple[Person, ...] = ()  #: one of whom painted, where the tracker leaves it open
    apart: bool = False  #: the same bytes came before, for a shot of this name elsewhere

    @property
    def key(self) -> str:
        """The event's identity: project, shot and content, whatever its source."""
        return event_key("touch-up", self.place, self.sha256, apart=self.apart)

    @property
    def from_tracker(self) -> bool:
        """Whether its row in the tracker is known, which says more than a path."""
        return self.published_file is not None


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
    tokens = {name: unicodedata.normalize("NFC", value) for name, value in values.items()}
    place = names.place(tokens)
    if place is None:
        return None
    version = tokens.get("version")
    return NamedPaintOver(
        place=place,
        season=tokens.get("season", ""),
        time=tokens.get("time", ""),
        version=int(version) if version else None,
        artist=tokens.get("name", ""),
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


Event = LayoutPublished | TouchUpPublished

__all__ = [
    "Event",
    "LayoutPublished",
    "NamedPaintOver",
    "Source",
    "TouchUpFolders",
    "TouchUpPublished",
    "event_key",
    "named_paint_over",
]
