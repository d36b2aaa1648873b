"""What people wrote on Versions of a ShotGrid site: Notes, and the Replies below them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from haikei.credits import Person
from haikei.trackers.reviewing import SeenNote
from haikei.trackers.shotgrid_client import CHUNK, SiteClient
from haikei.trackers.shotgrid_fields import KEY
from haikei.trackers.shotgrid_ourselves import Ourselves
from haikei.trackers.shotgrid_people import People
from haikei.trackers.shotgrid_record import Link, Record

#: What follows a Note's key when the script wrote it for a person: `|` and the login.
FOR_PERSON = "|"

_NOTE_FIELDS = (
    "subject",
    "content",
    "user",
    "created_by",
    "created_at",
    "note_links",
    "publish_status",
    KEY,
)
_REPLY_FIELDS = ("content", "user", "created_at", "entity")
#: The heading that the site gives a Note by itself. The names in it say nothing about the picture,
#: and a Version's name has a season and a time in it.
_HEADING = re.compile(r".*['’]s Note( on .*)?", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A Note and its Replies, as they were read."""

    note: Record
    replies: tuple[Record, ...]

    @property
    def authors(self) -> tuple[Link, ...]:
        """Everybody who wrote in it."""
        found = (author_of(row) for row in (self.note, *self.replies))
        return tuple(link for link in found if link is not None)


class NoteReader:
    """Reads the Notes on many Versions at once."""

    def __init__(self, client: SiteClient, people: People, us: Ourselves) -> None:
        self._client = client
        self._people = people
        self._us = us

    def threads(self, versions: Sequence[int]) -> Mapping[int, tuple[Thread, ...]]:
        """
        Return the Notes on each of these Versions, at most `CHUNK`, the oldest first.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        links = [{"type": "Version", "id": number} for number in versions]
        notes = [
            note
            for note in self._client.find("Note", [["note_links", "in", links]], _NOTE_FIELDS)
            if note.text("publish_status") != "draft"
        ]
        replies = self._replies([note.id for note in notes])
        found: dict[int, list[Thread]] = {number: [] for number in versions}
        for note in notes:
            thread = Thread(note=note, replies=tuple(replies.get(note.id, ())))
            for link in note.links("note_links"):
                if link.type == "Version" and link.id in found:
                    found[link.id].append(thread)
        return {number: tuple(threads) for number, threads in found.items()}

    def seen(self, threads: Sequence[Thread], people: Mapping[str, Person]) -> tuple[SeenNote, ...]:
        """
        Return Notes and Replies in the words of the seam, the oldest first.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        found: list[SeenNote] = []
        for thread in threads:
            found.append(self._seen(thread.note, people, reply_to=None))
            found += (
                self._seen(reply, people, reply_to=thread.note.id) for reply in thread.replies
            )
        return tuple(sorted(found, key=lambda note: (note.created_at, note.id)))

    def _seen(self, row: Record, people: Mapping[str, Person], *, reply_to: int | None) -> SeenNote:
        author = author_of(row)
        for_person = FOR_PERSON in row.text(KEY)
        return SeenNote(
            id=row.id,
            reply_to=reply_to,
            author=person_of(author, people),
            by_us=self._us.is_us(author) and not for_person,
            text=_text(row),
            created_at=row.instant("created_at"),
        )

    def _replies(self, notes: Sequence[int]) -> Mapping[int, list[Record]]:
        found: dict[int, list[Record]] = {}
        for start in range(0, len(notes), CHUNK):
            links = [{"type": "Note", "id": number} for number in notes[start : start + CHUNK]]
            for reply in self._client.find("Reply", [["entity", "in", links]], _REPLY_FIELDS):
                note = reply.link("entity")
                if note is not None and note.type == "Note":
                    found.setdefault(note.id, []).append(reply)
        return found


def author_of(row: Record) -> Link | None:
    """Return who wrote a Note or Reply."""
    return row.link("user") or row.link("created_by")


def person_of(link: Link | None, people: Mapping[str, Person]) -> Person | None:
    """Return the person that a link to a user means; None for a script."""
    if link is None or link.type == "ApiUser":
        return None
    number = f"{link.type}:{link.id}"
    return people.get(number, Person(id=number, name=link.name))


def signed_by(login: str) -> str:
    """Return what ends a Note that the script wrote for somebody whom the site does not know."""
    return f"\n\n({login})"


def _text(row: Record) -> str:
    """Return what was written: neither a heading nor a signature that the person did not write."""
    key = row.text(KEY)
    if key:
        _, _, login = key.partition(FOR_PERSON)
        return row.text("content").removesuffix(signed_by(login)).strip()
    subject = row.text("subject").strip()
    if _HEADING.fullmatch(subject):
        subject = ""
    for link in row.links("note_links"):
        if link.name:
            subject = subject.replace(link.name, " ")
    content = row.text("content").strip()
    subject = " ".join(subject.split())
    return "\n".join(part for part in (subject, content) if part)
