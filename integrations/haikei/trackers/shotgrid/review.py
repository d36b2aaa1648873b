"""What people decide on a ShotGrid site."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from haikei.errors import TrackerRejected
from haikei.settings import Settings
from haikei.show import Row
from haikei.trackers.contract.review import (
    NoteWrite,
    ReplyWrite,
    ReviewWrite,
    SeenVersion,
    StatusWrite,
)
from haikei.trackers.shotgrid.client import CHUNK, Filter, Link, Record, SiteClient
from haikei.trackers.shotgrid.existing_rows import made_by_script
from haikei.trackers.shotgrid.notes import NoteReader, ReviewWriter, Thread, person_of
from haikei.trackers.shotgrid.people import Ourselves, People
from haikei.trackers.shotgrid.projects import FOLDER_NAME, heeded
from haikei.trackers.shotgrid.schema import KEY
from haikei.trackers.shotgrid.statuses import visible_statuses

log = structlog.get_logger()

_VERSION_FIELDS = (
    "code",
    "project",
    FOLDER_NAME,
    "entity",
    "sg_task",
    "sg_status_list",
    "created_by",
    "created_at",
    KEY,
)
_STATUS = "sg_status_list"
_EVENTS = 500
#: How often the event log is asked about the same Versions: a status that is set hundreds of times
#: fills whole answers.
_EVENT_READS = 3
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _StatusSet:
    """The event that set a status."""

    user: Link | None
    at: datetime | None


class ShotGridReviewDesk:
    """A site's decisions, Notes and Replies; implements `ReviewDesk`."""

    def __init__(self, client: SiteClient, settings: Settings) -> None:
        self._client = client
        self._tracker = settings.tracker
        self._us = Ourselves(client)
        self._people = People(client, settings.people, settings.tracker.person_fields)
        self._notes = NoteReader(client, self._people, self._us)
        self._writer = ReviewWriter(client, self._people, self._us)

    def look(self, versions: Sequence[int]) -> tuple[SeenVersion, ...]:
        """
        Return those of the Versions that are ours, with their Notes and Replies.

        Those in projects that are not heeded are left out.

        Six reads at most for each two hundred of them.

        Raises:
            TrackerRejected: the site refuses.
            TrackerUnavailable: the site gives no answer.
        """
        found: list[SeenVersion] = []
        wanted = list(dict.fromkeys(versions))
        for start in range(0, len(wanted), CHUNK):
            found += self._look(wanted[start : start + CHUNK])
        return tuple(found)

    def changed(self, since: datetime) -> tuple[int, ...]:
        """
        Return Versions of ours that were changed, or on which something was written, since then.

        Raises:
            TrackerRejected: the site refuses.
            TrackerUnavailable: the site gives no answer.
        """
        # The site keeps whole seconds and leaves out the one that is named.
        start = since.astimezone(UTC) - _SECOND
        recent: Filter = {
            "filter_operator": "any",
            "filters": [
                ["created_at", "greater_than", start],
                ["updated_at", "greater_than", start],
            ],
        }
        ours: Filter = [KEY, "is_not", None]
        found = {row.id for row in self._client.find("Version", [ours, recent], ["id"])}
        notes = list(
            self._client.find(
                "Note", [["note_links", "type_is", "Version"], recent], ["note_links"]
            )
        )
        known = {note.id for note in notes}
        answered = {link.id for link in self._answered(start)} - known
        notes += self._each("Note", answered, ["note_links"])
        noted = {
            link.id
            for note in notes
            for link in note.links("note_links")
            if link.type == "Version" and link.id not in found
        }
        found |= {row.id for row in self._each("Version", noted, [KEY]) if row.text(KEY)}
        return tuple(sorted(found))

    def write(self, change: ReviewWrite) -> Row:
        """
        Write one change, once; what stands already is returned.

        Raises:
            TrackerRejected: the site refuses.
            TrackerUnavailable: the site gives no answer; write the same again.
        """
        match change:
            case StatusWrite():
                return self._writer.set_status(change)
            case NoteWrite():
                return self._writer.note(change)
            case ReplyWrite():
                return self._writer.reply(change)

    def statuses(self, entity_type: str) -> tuple[str, ...]:
        """
        Return the status codes that rows may have, less those that every project hides.

        Raises:
            TrackerRejected: the site refuses.
            TrackerUnavailable: the site gives no answer.
        """
        return visible_statuses(self._client, entity_type)

    def close(self) -> None:
        """Close this thread's connection; the next call opens one again."""
        self._client.close()

    def _look(self, wanted: Sequence[int]) -> Sequence[SeenVersion]:
        rows = self._ours(wanted)
        if not rows:
            return ()
        ids = [row.id for row in rows]
        events = self._status_events(rows)
        threads = self._notes.threads(ids)
        links = [event.user for event in events.values() if event.user is not None]
        links += (link for thread in _each_once(threads) for link in thread.authors)
        people = {one.person.id: one.person for one in self._people.artists(links)}
        found: list[SeenVersion] = []
        for row in rows:
            event = events.get(row.id)
            project, entity = row.link("project"), row.link("entity")
            if project is None:
                continue
            found.append(
                SeenVersion(
                    version=Row(type="Version", id=row.id, name=row.text("code")),
                    key=row.text(KEY),
                    project=_row(project),
                    shot=_row(entity) if entity is not None and entity.type == "Shot" else None,
                    task=_row(task) if (task := row.link("sg_task")) is not None else None,
                    status=row.text(_STATUS),
                    status_by=person_of(event.user, people) if event else None,
                    status_at=event.at if event else None,
                    notes=self._notes.seen(threads[row.id], people),
                    url=f"{self._client.url}/detail/Version/{row.id}",
                )
            )
        return found

    def _ours(self, wanted: Sequence[int]) -> Sequence[Record]:
        """Return the heeded Versions that carry a key and are the ones that it stands for."""
        rows = self._client.find(
            "Version", [["id", "in", list(wanted)], [KEY, "is_not", None]], _VERSION_FIELDS
        )
        rows = tuple(row for row in rows if row.text(KEY) and heeded(row, self._tracker))
        keys = list(dict.fromkeys(row.text(KEY) for row in rows))
        # Who duplicates a row in the tracker duplicates our key; the copy is younger, and theirs.
        meant: dict[str, int] = {}
        for row in self._client.find("Version", [[KEY, "in", keys]], [KEY, "created_by"]):
            if made_by_script(row):
                meant.setdefault(row.text(KEY), row.id)
        for row in rows:
            if meant.get(row.text(KEY)) != row.id:
                log.info("copy_left_alone", version=row.id, key=row.text(KEY))
        return [row for row in rows if meant.get(row.text(KEY)) == row.id]

    def _status_events(self, rows: Sequence[Record]) -> Mapping[int, _StatusSet]:
        """Return who set each Version's status and when, where the event log still says so."""
        missing = {row.id: row.text(_STATUS) for row in rows}
        found: dict[int, _StatusSet] = {}
        for _ in range(_EVENT_READS):
            events = self._client.find(
                "EventLogEntry",
                [
                    ["entity", "in", [{"type": "Version", "id": number} for number in missing]],
                    ["event_type", "is", "Shotgun_Version_Change"],
                    ["attribute_name", "is", _STATUS],
                ],
                ["meta", "user", "created_at"],
                order=("id", "desc"),
                limit=_EVENTS,
            )
            for event in events:
                meta = event.mapping("meta")
                number = meta.get("entity_id")
                if not isinstance(number, int) or number not in missing:
                    continue
                # Events come into view late. When the newest has another status than the
                # row has, the one that set it is still on its way, and nobody knows yet.
                if meta.get("new_value") == missing.pop(number):
                    found[number] = _StatusSet(
                        user=event.link("user"), at=event.moment("created_at")
                    )
            if not missing or len(events) < _EVENTS:
                break
        return found

    def _answered(self, start: datetime) -> Iterable[Link]:
        """Return the Notes that were answered; a Reply knows its Note, and no project."""
        recent: list[Filter] = [
            ["created_at", "greater_than", start],
            ["updated_at", "greater_than", start],
        ]
        try:
            rows = self._client.find(
                "Reply", [{"filter_operator": "any", "filters": recent}], ["entity"]
            )
        except TrackerRejected:
            # Not every site lets Replies be searched by when they were changed.
            rows = self._client.find("Reply", recent[:1], ["entity"])
        links = (row.link("entity") for row in rows)
        return [link for link in links if link is not None and link.type == "Note"]

    def _each(self, entity_type: str, ids: Iterable[int], fields: Sequence[str]) -> list[Record]:
        found: list[Record] = []
        wanted = sorted(ids)
        for start in range(0, len(wanted), CHUNK):
            chunk = wanted[start : start + CHUNK]
            found += self._client.find(entity_type, [["id", "in", chunk]], fields)
        return found


def _row(link: Link) -> Row:
    return Row(type=link.type, id=link.id, name=link.name)


def _each_once(threads: Mapping[int, tuple[Thread, ...]]) -> Iterable[Thread]:
    found = {thread.note.id: thread for some in threads.values() for thread in some}
    return found.values()
