"""
What happened on a ShotGrid site: published layouts and touch-ups, for the event-log
handler.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

from haikei.credits import Person
from haikei.names import same_name
from haikei.settings import Settings
from haikei.trackers.contract.feed import FeedEvent, PaintOver, PublishedLayout
from haikei.trackers.contract.tracker import DrawnBy, drawn_by
from haikei.trackers.shotgrid.client import CHUNK, Filter, Link, Record, SiteClient
from haikei.trackers.shotgrid.context import name_in
from haikei.trackers.shotgrid.people import Ourselves, People, assigned, publishers
from haikei.trackers.shotgrid.projects import FOLDER_NAME, heeded, heeded_ids
from haikei.trackers.shotgrid.requests import kind_of_event
from haikei.trackers.shotgrid.schema import KEY

_ASSIGNEES = "task.Task.task_assignees"
_VERSION_USER = "version.Version.user"
_FIELDS = (
    "created_by",
    "task",
    _ASSIGNEES,
    "version",
    _VERSION_USER,
    "upstream_published_files",
    KEY,
)


class PaintOvers:
    """Reads touch-up rows; one object keeps the people it has met."""

    def __init__(self, client: SiteClient, settings: Settings) -> None:
        self._client = client
        self._people = People(client, settings.people, settings.tracker.person_fields)

    def read(self, ids: Sequence[int]) -> Mapping[int, PaintOver]:
        """
        Return what is known of touch-up rows, less those that we published ourselves.

        Two reads for each two hundred of them, and one more for people met for the first time.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        rows = [row for row in self._rows(ids, _FIELDS) if not row.text(KEY)]
        painters = {row.id: _painters(row) for row in rows}
        links = [
            link for found in painters.values() for link in (*found.artists, *found.candidates)
        ]
        people = {one.person.id: one.person for one in self._people.artists(links)}
        upstream = {row.id: _files(row) for row in rows}
        below = {file for files in upstream.values() for file in files}
        versions = {
            row.id: link.id
            for row in self._rows(sorted(below), ["version"])
            if (link := row.link("version")) is not None
        }
        return {
            row.id: PaintOver(
                artists=_persons(painters[row.id].artists, people),
                source=painters[row.id].source,
                candidates=_persons(painters[row.id].candidates, people),
                versions=_versions(row, (versions.get(file) for file in upstream[row.id])),
            )
            for row in rows
        }

    def _rows(self, ids: Sequence[int], fields: Sequence[str]) -> Sequence[Record]:
        found: list[Record] = []
        for start in range(0, len(ids), CHUNK):
            chunk = list(ids[start : start + CHUNK])
            found += self._client.find("PublishedFile", [["id", "in", chunk]], fields)
        return found


def _painters(row: Record) -> DrawnBy[Link]:
    """Return who painted, by the rule for layouts; a step's other tasks say nothing of it."""
    task = row.link("task")
    own = [] if task is None else assigned(row.links(_ASSIGNEES), task.id)
    return drawn_by(own, publishers(row), ())


def _files(row: Record) -> Sequence[int]:
    links = row.links("upstream_published_files")
    return [link.id for link in links if link.type == "PublishedFile"]


def _versions(row: Record, upstream: Iterable[int | None]) -> tuple[int, ...]:
    # The row's own Version is often the artist's, made with it; whoever asks knows which are ours.
    own = row.link("version")
    found = [version for version in upstream if version is not None]
    return tuple(dict.fromkeys(found or ([own.id] if own is not None else [])))


def _persons(links: Sequence[Link], people: Mapping[str, Person]) -> tuple[Person, ...]:
    known = (people.get(f"HumanUser:{link.id}") for link in links)
    return tuple(person for person in known if person is not None)


_EVENT_FIELDS = (
    "event_type",
    "attribute_name",
    "meta",
    "entity",
    "project",
    FOLDER_NAME,
    "user",
    "created_at",
)
_LAYOUT_FIELDS = (
    "code",
    "name",
    "version_number",
    "path",
    "entity",
    "entity.Shot.code",
    "entity.Shot.sg_sequence",
    "project",
    FOLDER_NAME,
    "published_file_type.PublishedFileType.code",
    "created_at",
    "created_by",
)
_TYPE = "published_file_type.PublishedFileType.code"
_OF_TYPE = re.compile(r"^[^_]+_(?P<entity>\w+)_[^_]+$")
_SECOND = timedelta(seconds=1)


class ShotGridFeed:
    """A site's event log and its layouts; implements `TrackerFeed`."""

    def __init__(self, client: SiteClient, settings: Settings) -> None:
        self._client = client
        self._tracker = settings.tracker
        self._touch_up = settings.tracker.touch_up_type
        self._type_codes = [*settings.tracker.layout_types, self._touch_up]
        self._types = {code.casefold() for code in self._type_codes}
        self._paint_overs = PaintOvers(self._client, settings)
        self._episode = (
            f"entity.Shot.{self._tracker.episode_field}" if self._tracker.episode_field else ""
        )
        self._fields = (*_LAYOUT_FIELDS, *filter(None, (self._episode,)))
        self._roots = {root.name: root.path for root in settings.storage.roots}
        self._us = Ourselves(self._client)

    @property
    def name(self) -> str:
        """The site's address."""
        return self._client.url

    def newest(self) -> int:
        """
        Return the newest event id that is visible, 0 for none.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        rows = self._client.find("EventLogEntry", [], ["id"], order=("id", "desc"), limit=1)
        return rows[0].id if rows else 0

    def events(self, *, after: int, until: int | None, limit: int) -> Sequence[FeedEvent]:
        """
        Return events with `after < id <= until`, in order of id, at most `limit`.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        us = self._us.id
        wanted: list[Filter] = [["id", "greater_than", after]]
        if until is not None:
            wanted.append(["id", "less_than", until + 1])
        rows = self._client.find("EventLogEntry", wanted, _EVENT_FIELDS, limit=limit)
        return [_event(row, us, elsewhere=not heeded(row, self._tracker)) for row in rows]

    def layouts(self, ids: Sequence[int]) -> Sequence[PublishedLayout]:
        """
        Return those rows that are layouts or touch-ups, or have no type yet.

        Ids that are gone are left out, and so are touch-ups that we published ourselves and
        rows of projects that are not heeded.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        return self._layouts(self._each("PublishedFile", ids, self._fields))

    def layouts_between(self, start: datetime, end: datetime) -> Sequence[PublishedLayout]:
        """
        Return all layouts and touch-ups created in that time, both ends included, oldest first.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        # The site keeps whole seconds and does not say whether its "between" includes its ends.
        wanted: list[Filter] = [
            [_TYPE, "in", self._type_codes],
            ["created_at", "greater_than", start.astimezone(UTC) - _SECOND],
            ["created_at", "less_than", end.astimezone(UTC) + _SECOND],
        ]
        rows = self._client.find("PublishedFile", wanted, self._fields, order=("created_at", "asc"))
        found = self._layouts(rows)
        first = start.replace(microsecond=0)
        return sorted(
            (layout for layout in found if first <= layout.created_at <= end),
            key=lambda layout: (layout.created_at, layout.id),
        )

    def discussed(self, *, notes: Sequence[int], replies: Sequence[int]) -> Sequence[int]:
        """
        Return the Versions that Notes and Replies are about, each once; what is gone is left out.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        wanted = set(notes)
        for reply in self._each("Reply", replies, ["entity"]):
            note = reply.link("entity")
            if note is not None and note.type == "Note":
                wanted.add(note.id)
        about = {
            link.id
            for note in self._each("Note", wanted, ["note_links", "project", FOLDER_NAME])
            if heeded(note, self._tracker)
            for link in note.links("note_links")
            if link.type == "Version"
        }
        return sorted(about)

    def projects(self) -> frozenset[int] | None:
        """
        Return the ids of the projects that `tracker.projects` names; None for all there are.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        return heeded_ids(self._client, self._tracker)

    def close(self) -> None:
        """Close the connection of this thread; the next call opens one again."""
        self._client.close()

    def _each(
        self, entity_type: str, ids: Collection[int], fields: Sequence[str]
    ) -> Iterator[Record]:
        wanted = sorted(set(ids))
        for start in range(0, len(wanted), CHUNK):
            chunk = wanted[start : start + CHUNK]
            yield from self._client.find(entity_type, [["id", "in", chunk]], fields)

    def _layouts(self, rows: Iterable[Record]) -> Sequence[PublishedLayout]:
        found = [row for row in rows if self._may_be_layout(row) and heeded(row, self._tracker)]
        touch_ups = [row.id for row in found if same_name(row.text(_TYPE), self._touch_up)]
        painted = self._paint_overs.read(touch_ups)
        return [
            replace(self._layout(row), painted=painted.get(row.id))
            for row in found
            if row.id in painted or row.id not in touch_ups
        ]

    def _may_be_layout(self, row: Record) -> bool:
        code = row.text(_TYPE)
        return not code or code.casefold() in self._types

    def _layout(self, row: Record) -> PublishedLayout:
        entity, by = row.link("entity"), row.link("created_by")
        is_shot = entity is not None and entity.type == "Shot"
        shot = (row.text("entity.Shot.code") or entity.name) if entity and is_shot else ""
        sequence = row.link("entity.Shot.sg_sequence")
        path = self._path(row.mapping("path"))
        return PublishedLayout(
            id=row.id,
            project=_project(row),
            episode=name_in(row, self._episode) if self._episode else "",
            sequence=sequence.name if sequence else "",
            shot=shot,
            name=row.text("name") or row.text("code"),
            version=row.number("version_number"),
            path=str(path) if path else "",
            ready=bool(row.text(_TYPE) and shot and path),
            created_at=row.instant("created_at"),
            typed=bool(row.text(_TYPE)),
            published_by=f"{by.type}:{by.id}" if by and by.type == "HumanUser" else "",
        )

    def _path(self, value: Mapping[str, object]) -> Path | None:
        """Return where a file stands on this machine, whatever roots the site knows."""
        storage, relative = Link.of(value.get("local_storage")), value.get("relative_path")
        if storage is None or not isinstance(relative, str) or storage.name not in self._roots:
            return None
        below = PurePosixPath(relative.lstrip("/"))
        if not below.parts or ".." in below.parts:
            return None
        return self._roots[storage.name] / below


def _event(row: Record, us: int, *, elsewhere: bool) -> FeedEvent:
    meta = row.mapping("meta")
    # `entity` goes when the row is retired, and on back-reference rows it is another row. It is
    # looked at only where `meta` is silent: a storm of events passes here.
    entity_id, entity_type = meta.get("entity_id"), meta.get("entity_type")
    if not isinstance(entity_id, int) or not isinstance(entity_type, str):
        entity = row.link("entity")
        if not isinstance(entity_id, int):
            entity_id = entity.id if entity else None
        if not isinstance(entity_type, str):
            entity_type = entity.type if entity else "".join(_types_in(row.text("event_type")))
    user = row.link("user")
    return FeedEvent(
        id=row.id,
        kind=kind_of_event(
            row.text("event_type"),
            entity_type=entity_type,
            attribute=row.text("attribute_name"),
            in_create=meta.get("in_create") is True,
        ),
        row=entity_id,
        project=_project(row),
        by_us=user is not None and user.type == "ApiUser" and user.id == us,
        created_at=row.instant("created_at"),
        elsewhere=elsewhere,
    )


def _types_in(event_type: str) -> Iterator[str]:
    if found := _OF_TYPE.match(event_type):
        yield found["entity"]


def _project(row: Record) -> str:
    if folder := row.text(FOLDER_NAME):
        return folder
    project = row.link("project")
    return project.name if project else ""
