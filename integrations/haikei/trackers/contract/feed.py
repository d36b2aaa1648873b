"""
The seam between the event-log handler and the tracker: rows in, nothing out; and signed requests.

Webhooks and menu items are requests that a tracker sends to our pages.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from haikei.credits import Person


class EventKind(StrEnum):
    """What happened, in the words of a studio; each adapter translates its tracker's own."""

    FILE_PUBLISHED = "file_published"
    FILE_CHANGED = "file_changed"
    """A published file got what may make it a complete layout or touch-up: type, path or link."""
    VERSION_CHANGED = "version_changed"
    """Somebody may have decided about a version: its status was set, after its creation."""
    NOTE_CHANGED = "note_changed"
    """A note was written or edited."""
    REPLY_CHANGED = "reply_changed"
    """An answer to a note was written or edited."""
    OTHER = "other"
    """Nothing that leads to anything; the row still proves that the stream of ids goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEvent:
    """One row of the event log, as far as a follower needs it."""

    id: int
    kind: EventKind
    row: int | None  #: id of the file, version, note or reply; None where the log does not name it
    project: str
    by_us: bool  #: written by Haikei's own account
    created_at: datetime
    elsewhere: bool = False  #: in a project that `tracker.projects` leaves out


@dataclass(frozen=True, slots=True, kw_only=True)
class PaintOver:
    """What a touch-up's row says besides what a layout's says."""

    artists: tuple[Person, ...]  #: who painted, by the rule of `drawn_by`; empty where it is open
    source: str  #: where they are known from, such as `PublishedFile:9 created_by`
    versions: tuple[int, ...]  #: Versions of the files upstream, else the one it is linked to
    candidates: tuple[Person, ...] = ()  #: where several may have painted, and nobody is known to


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
    episode: str = ""  #: empty when the tracker has none
    published_by: str = ""  #: who created the row, such as `HumanUser:12`; empty for a script


class TrackerFeed(Protocol):
    """What happened in the tracker. One object belongs to one thread."""

    @property
    def name(self) -> str:
        """A stable name for cursors: `tracker.url` without a slash at its end."""
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

    def close(self) -> None:
        """Close this thread's connection; the next call opens one again."""
        ...


class Doorbell(Protocol):
    """
    Rings when something may have happened in the tracker; what it was stands in the feed.

    Nothing depends on it: what happens while it is not connected is found at the next reading.
    """

    def listen(self, ring: Callable[[], None]) -> AbstractContextManager[None]:
        """
        Call `ring` from threads of its own while the block runs, also when it connects again.

        A lost connection is logged once, and it goes on trying; leaving the block ends all of it.
        """
        ...


def webhook_path(kind: str) -> str:
    """Return where the tracker of this kind delivers, below the public address."""
    return f"/webhooks/{kind}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event, as a webhook reports it."""

    key: str  #: the same when it is sent again; made of signed content alone
    kind: EventKind
    row: int | None  #: id of the version, note, reply or file
    versions: tuple[int, ...] = ()  #: those to which a note is linked, where that is in the body
    project: int | None = None  #: in which it happened; None when that is not in the body
    own_state: str = ""  #: what the webhook reports of itself, such as a test; empty for events


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """One request of the tracker."""

    sent_at: datetime
    items: tuple[Delivery, ...]


class WebhookReader(Protocol):
    """Checks and reads what the tracker's webhooks send; stateless, so threads may share it."""

    def read(self, headers: Mapping[str, str], body: bytes) -> Deliveries:
        """
        Return the deliveries of a request; whether it is recent is checked by the caller.

        Args:
            headers: of the request; names in lower case.
            body: as it was sent.

        Raises:
            RequestForged: it is not signed with `web.webhook_token`.
            RequestMalformed: it is signed, and no delivery.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuForm:
    """A form that the studio's tracker has signed a moment ago."""

    entity_type: str
    ids: tuple[int, ...]  #: of the selected rows
    login: str  #: of the person who chose the item
    key: str  #: the same when the form is sent again


class MenuReader(Protocol):
    """Checks and reads the forms of menu items; stateless, so threads may share it."""

    def read(self, fields: Mapping[str, str], now: datetime) -> MenuForm:
        """
        Return what a form asks for.

        Raises:
            RequestForged: it is not signed with `web.menu_secret`, too old, or another site's.
            RequestMalformed: it is signed, and not as it should be.
        """
        ...
