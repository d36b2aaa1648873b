"""What Haikei writes on a ShotGrid site for a decision: statuses, Notes and Replies, each once."""

import hashlib
from collections.abc import Sequence

import shotgun_api3
import structlog

from haikei.errors import TrackerRejected
from haikei.trackers.reviewing import NoteWrite, ReplyWrite, StatusWrite
from haikei.trackers.shotgrid_client import CreateRow, SiteClient, UpdateRow
from haikei.trackers.shotgrid_fields import KEY
from haikei.trackers.shotgrid_notes import FOR_PERSON, signed_by
from haikei.trackers.shotgrid_ourselves import Ourselves
from haikei.trackers.shotgrid_people import People
from haikei.trackers.shotgrid_record import Record
from haikei.trackers.tracker import Row

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
    said = error.message.casefold()
    return (
        isinstance(error.__cause__, shotgun_api3.AuthenticationFault)
        or "impersonat" in said
        or "sudo_as_login" in said
    )


def _mark(key: str) -> str:
    return f"[haikei {hashlib.sha256(key.encode()).hexdigest()[:_MARK_LENGTH]}]"


def _wire(row: Row) -> dict[str, object]:
    return {"type": row.type, "id": row.id}


def _user(number: str) -> dict[str, object]:
    kind, _, digits = number.partition(":")
    return {"type": kind, "id": int(digits)}
