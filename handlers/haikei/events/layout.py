"""What happened, whoever told us: the same event with the same key comes out of every source."""

import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from haikei.trackers import Place


class Source(StrEnum):
    """Who told us."""

    WATCH = "watch"
    EVENT_LOG = "event_log"
    RECONCILIATION = "reconciliation"
    BACKFILL = "backfill"
    COMMAND = "command"


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

    @property
    def key(self) -> str:
        """
        The event's identity: project, shot and content, and nothing that depends on the source.

        The same drawing seen on disk and in the tracker is one event; a changed one is another.
        """
        text = "\0".join((_fold(self.place.project), _fold(self.place.shot), self.sha256))
        return "layout-" + hashlib.sha256(text.encode()).hexdigest()[:32]


def _fold(name: str) -> str:
    # Trackers compare names without regard to case; file systems may decompose accents.
    return unicodedata.normalize("NFC", name).casefold()
