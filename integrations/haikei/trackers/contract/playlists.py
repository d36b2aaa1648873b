"""The seam between dailies and the tracker: the lists in which reviewers watch versions."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from haikei.show import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaylistRequest:
    """A playlist and what of ours it shows."""

    project: Row
    name: str
    versions: tuple[int, ...]  #: Version ids in the order in which they are watched
    key: str  #: ours; a playlist is made once for each key


class PlaylistDesk(Protocol):
    """A tracker's playlists. One object belongs to one thread."""

    def collect(self, request: PlaylistRequest) -> Row:
        """
        Make the playlist once, add the versions that it lacks, and set their order.

        What people added to it stays, after ours.

        Raises:
            TrackerError: the tracker does not answer, or refuses.
        """
        ...

    def attach(self, row: Row, file: Path, name: str) -> None:
        """
        Attach a file to a Playlist or a Note; a file of that name is attached once.

        Raises:
            TrackerError: the tracker does not answer, or refuses.
        """
        ...

    def close(self) -> None:
        """Close this thread's connection; the next call opens one again."""
        ...
