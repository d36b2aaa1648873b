"""The seam between the event-log handler and the tracker: rows in, nothing out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from haikei.credits import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEvent:
    """One row of the event log, as far as a follower needs it."""

    id: int
    type: str  #: such as `Shotgun_PublishedFile_New`
    entity_type: str  #: from `meta`, since `entity` goes when a row is retired
    entity_id: int | None
    project: str
    by_us: bool  #: written by Haikei's own script user
    in_create: bool
    created_at: datetime
    attribute: str = ""  #: the field that a `_Change` is about
    elsewhere: bool = False  #: in a project that `tracker.projects` leaves out


@dataclass(frozen=True, slots=True, kw_only=True)
class PaintOver:
    """What a touch-up's row says besides what a layout's says."""

    artist: Person | None  #: who published it, else who alone is assigned to its task
    versions: tuple[int, ...]  #: Versions of the files upstream, else the one it is linked to


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedLayout:
    """One PublishedFile row of a layout type, or of the touch-up type."""

    id: int
    project: str  #: its folder name (`tank_name`) when it has one, else its name
    sequence: str
    shot: str  #: empty when the row is linked to no shot
    name: str
    version: int | None
    path: str  #: on this machine; empty when the file is not in a local storage
    ready: bool  #: False while type, link or path are still missing
    created_at: datetime
    typed: bool = True  #: False while it has no type: it may become a layout, or anything else
    painted: PaintOver | None = None  #: None for a layout


class TrackerFeed(Protocol):
    """What happened in the tracker. One object belongs to one thread."""

    @property
    def name(self) -> str:
        """A stable name for cursors: the site's address."""
        ...

    def newest(self) -> int:
        """Return the newest event id that is visible, 0 for none."""
        ...

    def events(self, *, after: int, until: int | None, limit: int) -> Sequence[FeedEvent]:
        """Return events with `after < id <= until`, in order of id, at most `limit`."""
        ...

    def layouts(self, ids: Sequence[int]) -> Sequence[PublishedLayout]:
        """
        Return those rows that are layouts or touch-ups, or may become so; never our own.

        What is in a project that `tracker.projects` leaves out is left out here too.
        """
        ...

    def layouts_between(self, start: datetime, end: datetime) -> Sequence[PublishedLayout]:
        """Return all rows of layouts and touch-ups created in that time, oldest first."""
        ...

    def discussed(self, *, notes: Sequence[int], replies: Sequence[int]) -> Sequence[int]:
        """Return the Versions that these Notes, and the Notes of these Replies, are about."""
        ...

    def projects(self) -> frozenset[int] | None:
        """Return the ids of the projects that `tracker.projects` names; None for all there are."""
        ...
