"""A layout was published: the same event with the same key comes out of every source."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from haikei.events.identity import event_key
from haikei.events.source import Source
from haikei.trackers import Place


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
        return event_key("layout", self.place, self.sha256)
