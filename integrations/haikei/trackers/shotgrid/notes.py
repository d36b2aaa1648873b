"""
Notes and Replies on a site's Versions: what people wrote, and what Haikei writes for
a decision.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import shotgun_api3
import structlog

from haikei.credits import Person
from haikei.errors import TrackerRejected
from haikei.show import Row
from haikei.trackers.contract.review import NoteWrite, ReplyWrite, SeenNote, StatusWrite
from haikei.trackers.shotgrid.client import CHUNK, CreateRow, Link, Record, SiteClient, UpdateRow
from haikei.trackers.shotgrid.people import Ourselves, People
from haikei.trackers.shotgrid.schema import KEY

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


log = structlog.get_logger()

_STATUS = "sg_status_list"
_MARK_LENGTH = 12


class ReviewWriter:
    """
    Writes into the tracker, as the person who decided where the site lets our script do that.

    Where it does not, a Note still names the person as its author, and its key says for whom it
    was written. Reading first makes each write happen once, since a write that got no answer may
    have been carried out.
    """

    def __init__(self, client: SiteClient, people: People, us: Ourselves) -> None:
        self._client = client
        self._people = people
        self._us = us
        self._not_as: set[str] = set()

    def set_status(self, change: StatusWrite) -> Row:
        """
        Set a status where it is another.

        Raises:
            TrackerRejected: the site refuses, or has no such row.
            TrackerUnavailable: the site gives no answer.
        """
        row = change.row
        rows = self._client.find(row.type, [["id", "is", row.id]], [_STATUS])
        if not rows:
            raise TrackerRejected(
                f"{self._client.url} has no {row.type} {row.id} ({row.name}).",
                advice="It was deleted there: restore it, or leave it.",
            )
        if rows[0].text(_STATUS) != change.status:
            write = UpdateRow(type=row.type, id=row.id, fields={_STATUS: change.status})
            if not (change.by and self._as_person([write], change.by)):
                self._client.batch([write])
        return row

    def note(self, change: NoteWrite) -> Row:
        """
        Write a Note, unless one has its key.

        Raises:
            TrackerRejected: the site refuses.
            TrackerUnavailable: the site gives no answer.
        """
        keys = [change.key, f"{change.key}{FOR_PERSON}{change.by}"]
        standing = self._client.find("Note", [[KEY, "in", keys]], ["subject"], limit=1)
        made = standing or self._new_note(change)
        return Row(type="Note", id=made[0].id, name=change.subject)

    def reply(self, change: ReplyWrite) -> Row:
        """
        Answer a Note and link the new Version to it, unless the answer stands.

        Raises:
            TrackerRejected: the site refuses.
            TrackerUnavailable: the site gives no answer.
        """
        note = {"type": "Note", "id": change.note}
        mark = _mark(change.key)
        standing = self._client.find(
            "Reply",
            [
                ["entity", "is", note],
                ["user", "is", {"type": "ApiUser", "id": self._us.id}],
                ["content", "contains", mark],
            ],
            ["content"],
            limit=1,
        )
        if not standing:
            rows: list[CreateRow | UpdateRow] = [
                CreateRow(
                    type="Reply",
                    fields={"entity": note, "content": f"{change.text.rstrip()}\n\n{mark}"},
                )
            ]
            if change.link is not None:
                rows.append(
                    UpdateRow(
                        type="Note",
                        id=change.note,
                        fields={"note_links": [_wire(change.link)]},
                        modes={"note_links": "add"},
                    )
                )
            standing = self._client.batch(rows)
        return Row(type="Reply", id=standing[0].id, name="")

    def _new_note(self, change: NoteWrite) -> Sequence[Record]:
        words = list(dict.fromkeys(filter(None, (*change.to, change.by))))
        people = self._people.known_by(words) if words else {}
        addressed = [people[login].id for login in change.to if login in people]
        if unknown := [login for login in change.to if login not in people]:
            log.warning("addressee_unknown", logins=unknown, note=change.key)
        fields: dict[str, object] = {
            "project": _wire(change.project),
            "subject": change.subject,
            "content": change.text,
            "note_links": [_wire(row) for row in change.links if row.type != "Task"],
            "addressings_to": [_user(number) for number in dict.fromkeys(addressed)],
            KEY: change.key,
        }
        if tasks := [_wire(row) for row in change.links if row.type == "Task"]:
            fields["tasks"] = tasks
        if not change.by:
            return self._client.batch([CreateRow(type="Note", fields=fields)])
        if made := self._as_person([CreateRow(type="Note", fields=fields)], change.by):
            return made
        fields[KEY] = f"{change.key}{FOR_PERSON}{change.by}"
        if change.by in people:
            fields["user"] = _user(people[change.by].id)
        else:
            fields["content"] = change.text.rstrip() + signed_by(change.by)
        return self._client.batch([CreateRow(type="Note", fields=fields)])

    def _as_person(
        self, rows: Sequence[CreateRow | UpdateRow], login: str
    ) -> tuple[Record, ...] | None:
        """Let the site do it as that person; None where our script may not ask for that."""
        if login in self._not_as:
            return None
        try:
            return self._client.batch(rows, login=login)
        except TrackerRejected as error:
            if not _refuses_to_impersonate(error):
                raise
        self._not_as.add(login)
        log.info("written_as_script", login=login)
        return None


def _refuses_to_impersonate(error: TrackerRejected) -> bool:
    # What the person may not do stays refused: our script must not do it instead of them.
    message = error.message.casefold()
    return (
        isinstance(error.__cause__, shotgun_api3.AuthenticationFault)
        or "impersonat" in message
        or "sudo_as_login" in message
    )


def _mark(key: str) -> str:
    return f"[haikei {hashlib.sha256(key.encode()).hexdigest()[:_MARK_LENGTH]}]"


def _wire(row: Row) -> dict[str, object]:
    return {"type": row.type, "id": row.id}


def _user(number: str) -> dict[str, object]:
    kind, _, digits = number.partition(":")
    return {"type": kind, "id": int(digits)}
