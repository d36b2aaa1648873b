"""A paint-over of a version of ours was published, in a folder or in the tracker."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from haikei.credits import Person
from haikei.events.identity import event_key
from haikei.events.source import Source
from haikei.trackers import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchUpPublished:
    """A complete paint-over stands at a path that we can read."""

    place: Place
    file: Path  #: absolute, on this machine; the artist's own
    sha256: str  #: of the file's bytes
    published_file: int | None  #: its row in the tracker, when the source knows it
    artist: Person | None  #: who published it, as the tracker says
    artist_name: str  #: as the file's path says; empty when it does not
    versions: tuple[int, ...]  #: Versions that the tracker links it to, ours or not
    season: str  #: of the version that the path says it is on; empty when it does not
    time: str
    version: int | None
    source: Source
    at: datetime  #: when it was seen

    @property
    def key(self) -> str:
        """The event's identity: project, shot and content, whoever told of it."""
        return event_key("touch-up", self.place, self.sha256)

    @property
    def from_tracker(self) -> bool:
        """Whether its row in the tracker is known, which says more than a path."""
        return self.published_file is not None
