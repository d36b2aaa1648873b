"""
The seam between decisions and the tracker: what people wrote about our versions, and our answers.

The tracker is the truth. Whoever tells that something happened to a Version, only what stands in
the tracker counts; it is read anew each time. Playlists are the lists in which reviewers watch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from haikei.credits import Person
from haikei.printable import printable
from haikei.settings import Settings
from haikei.show import Row

#: What a picture's name ends with that Haikei's page attaches to a Note: what was drawn for it.
#: Its places stand in the Note's words, so no adapter says of it that it was not read.
ANNOTATION = "_annotation.png"


def statuses_of_versions(settings: Settings) -> tuple[str, ...]:
    """Return the codes that Versions need: the first ones, and those by which people decide."""
    first = [settings.tracker.review_status]
    if settings.review.unread_limit < 1:
        first.append(settings.tracker.look_status)
    return tuple(dict.fromkeys((*first, *settings.review.statuses.codes)))


def statuses_of_tasks(settings: Settings) -> tuple[str, ...]:
    """Return the codes that Tasks need: what they become when their versions are decided about."""
    codes = (settings.review.statuses.task_approved, settings.review.statuses.task_retake)
    return tuple(dict.fromkeys(filter(None, codes)))


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenNote:
    """One Note or Reply on a Version."""

    id: int
    reply_to: int | None  #: the Note, when this is a Reply
    author: Person | None  #: None when a script wrote it
    by_us: bool
    #: Subject and content, or the reply's content, with what was added to it besides in lines of
    #: their own (`haikei.presets.noted`): open items of a checklist, where somebody drew.
    text: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenVersion:
    """A Version of ours, as it stands in the tracker now."""

    version: Row
    key: str  #: the background's, from our own field
    project: Row
    shot: Row | None
    task: Row | None
    status: str
    status_by: Person | None  #: who set the status last; None when nobody knows
    status_at: datetime | None
    notes: tuple[SeenNote, ...]  #: with their Replies, oldest first
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusWrite:
    """Set the status of a Version or a Task."""

    row: Row
    status: str
    by: str = ""  #: the login of the person who decided on Haikei's page; empty for Haikei itself


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteWrite:
    """Write a Note on Versions; a Note with the same key is not written twice."""

    key: str
    project: Row
    links: tuple[Row, ...]
    subject: str
    text: str
    to: tuple[str, ...] = ()  #: logins
    by: str = ""

    def __post_init__(self) -> None:
        """Leave no sign in a text that hides or reorders others, whoever typed a name in it."""
        for name in ("subject", "text"):
            object.__setattr__(self, name, printable(getattr(self, name)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyWrite:
    """Answer a Note; an answer with the same key is not written twice."""

    key: str
    note: int
    text: str
    link: Row | None = None  #: the new Version, which is linked to the Note as well

    def __post_init__(self) -> None:
        """Leave no sign in a text that hides or reorders others, whoever typed a name in it."""
        for name in ("text",):
            object.__setattr__(self, name, printable(getattr(self, name)))


ReviewWrite = StatusWrite | NoteWrite | ReplyWrite


class ReviewDesk(Protocol):
    """What people decide in the tracker, and our answers. One object belongs to one thread."""

    def look(self, versions: Sequence[int]) -> tuple[SeenVersion, ...]:
        """
        Return those of the Versions that carry our key, with their Notes and Replies.

        What is in a project that `tracker.projects` leaves out is left out here too.
        """
        ...

    def changed(self, since: datetime) -> tuple[int, ...]:
        """Return Versions of ours whose status, Notes or Replies changed since then."""
        ...

    def write(self, change: ReviewWrite) -> Row:
        """
        Write one change, once; what stands already is returned.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        ...

    def statuses(self, entity_type: str) -> tuple[str, ...]:
        """Return the status codes that rows of this type may have and that are not hidden."""
        ...

    def close(self) -> None:
        """Close this thread's connection; the next call opens one again."""
        ...


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
