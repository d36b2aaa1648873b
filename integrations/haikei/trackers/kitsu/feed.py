"""
The audit log of a Kitsu server as numbered events, and the files that people publish.

The event stream of Kitsu does not replay, and its log has neither numbers nor more than whole
seconds. So the log is read from a few minutes before the newest event that is known, what is new
gets the next numbers of the state, and readers follow these: nothing is lost and nothing comes
twice, in whatever order the log shows it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from haikei.settings import Settings
from haikei.trackers.contract.feed import EventKind, FeedEvent, PaintOver, PublishedLayout
from haikei.trackers.kitsu.client import KitsuSite, read_log
from haikei.trackers.kitsu.context import PREVIEW
from haikei.trackers.kitsu.numbering import Numbered, Numbering
from haikei.trackers.kitsu.people import KitsuPeople
from haikei.trackers.kitsu.places import KitsuPlaces
from haikei.trackers.kitsu.review import KitsuReviewDesk
from haikei.trackers.kitsu.rows import CommentRow, EventRow, OutputRow, PreviewRow, TypeRow
from haikei.trackers.kitsu.versions import (
    FILE,
    NOTE,
    REPLY,
    VERSION,
    KitsuVersions,
    mark_of,
    read_task,
)

EVENT = "Event"
#: How long before the newest known event the log is read again: rows become visible late.
OVERLAP = timedelta(seconds=300)

#: What Kitsu calls the events that lead to something.
KINDS = {
    "output-file:new": EventKind.FILE_PUBLISHED,
    "preview-file:new": EventKind.FILE_PUBLISHED,
    "output-file:update": EventKind.FILE_CHANGED,
    "preview-file:update": EventKind.FILE_CHANGED,
    "preview-file:add-file": EventKind.FILE_CHANGED,
    "preview-file:annotation-update": EventKind.VERSION_CHANGED,
    "task:status-changed": EventKind.VERSION_CHANGED,
    "comment:new": EventKind.NOTE_CHANGED,
    "comment:update": EventKind.NOTE_CHANGED,
    "comment:reply": EventKind.REPLY_CHANGED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Noted:
    """What is kept of an event: it is read once, and returned as often as readers ask."""

    kind: EventKind
    row: int | None
    project: str
    by_us: bool
    at: datetime

    @classmethod
    def read(cls, note: str) -> "_Noted":
        kind, row, project, by_us, at = json.loads(note)
        return cls(
            kind=EventKind(kind),
            row=row,
            project=project,
            by_us=by_us,
            at=datetime.fromisoformat(at),
        )

    def written(self) -> str:
        fields = [self.kind.value, self.row, self.project, self.by_us, self.at.isoformat()]
        return json.dumps(fields, separators=(",", ":"))


class KitsuFeed:
    """Implements `TrackerFeed`."""

    def __init__(
        self,
        site: KitsuSite,
        settings: Settings,
        places: KitsuPlaces,
        people: KitsuPeople,
        numbering: Numbering,
    ) -> None:
        self._site = site
        self._tracker = settings.tracker
        self._root = settings.storage.roots[0].path
        self._places = places
        self._people = people
        self._numbering = numbering
        self._versions = KitsuVersions(site, numbering)
        self._review = KitsuReviewDesk(site, settings, places, people, numbering)

    @property
    def name(self) -> str:
        """The server's address."""
        return self._site.url

    def newest(self) -> int:
        """Return the number of the newest event that is visible, 0 for none."""
        self._look()
        found = self._numbering.newest(EVENT)
        return found.number if found else 0

    def events(self, *, after: int, until: int | None, limit: int) -> Sequence[FeedEvent]:
        """Return events with `after < id <= until`, in order of id, at most `limit`."""
        self._look()
        return [self._event(one) for one in self._numbering.after(EVENT, after, until, limit)]

    def layouts(self, ids: Sequence[int]) -> Sequence[PublishedLayout]:
        """Return those rows that are layouts or touch-ups, or may become so; never our own."""
        found = (self._file(number) for number in ids)
        return [one for one in found if one is not None]

    def layouts_between(self, start: datetime, end: datetime) -> Sequence[PublishedLayout]:
        """Return all layouts and touch-ups that were created in that time, oldest first."""
        second = timedelta(seconds=1)
        published = [
            event
            for event in read_log(self._site, start - second, end + second)
            if KINDS.get(event.name) is EventKind.FILE_PUBLISHED
        ]
        numbers = self._numbering.numbers(FILE, [(_file_uid(one), "") for one in published])
        found = (self._file(number) for number in dict.fromkeys(numbers))
        first = start.replace(microsecond=0)
        return [
            one for one in found if one is not None and one.typed and first <= one.created_at <= end
        ]

    def discussed(self, *, notes: Sequence[int], replies: Sequence[int]) -> Sequence[int]:
        """Return the versions that these comments, and the comments of these replies, are about."""
        uids = [one.uid for one in self._numbering.numbered(NOTE, notes)]
        uids += [one.note for one in self._numbering.numbered(REPLY, replies)]
        found: set[int] = set()
        for uid in dict.fromkeys(uids):
            comment = self._site.row(CommentRow, f"data/comments/{uid}")
            if comment is not None:
                found.update(self._review.about(comment))
        return sorted(found)

    def projects(self) -> frozenset[int] | None:
        """Return the numbers of the productions that `tracker.projects` names; None for all."""
        heeded = self._places.heeded()
        if heeded is None:
            return None
        return frozenset(self._numbering.number("Project", one.id) for one in heeded)

    def close(self) -> None:
        """Close this thread's connection; the next call opens one again."""
        self._site.close()

    def _look(self) -> None:
        """Give numbers to what is new in the log."""
        known = self._numbering.newest(EVENT)
        since = datetime.now(UTC) if known is None else _Noted.read(known.note).at
        new = read_log(self._site, since - OVERLAP)
        unknown = self._numbering.unknown(EVENT, [one.id for one in new])
        rows = [(one.id, self._noted(one).written()) for one in new if one.id in unknown]
        if rows:
            self._numbering.numbers(EVENT, rows)

    def _noted(self, event: EventRow) -> _Noted:
        kind = KINDS.get(event.name, EventKind.OTHER)
        row: int | None = None
        if kind in {EventKind.FILE_PUBLISHED, EventKind.FILE_CHANGED}:
            row = self._numbering.number(FILE, _file_uid(event))
        elif kind is EventKind.NOTE_CHANGED:
            row = self._numbering.number(NOTE, str(event.data.get("comment_id", "")))
        elif kind is EventKind.REPLY_CHANGED:
            comment = str(event.data.get("comment_id", ""))
            row = self._numbering.number(REPLY, str(event.data.get("reply_id", "")), comment)
        elif kind is EventKind.VERSION_CHANGED:
            row = self._decided(event)
        return _Noted(
            kind=kind,
            row=row,
            project=event.project_id or str(event.data.get("project_id") or ""),
            by_us=event.user_id == self._site.me(),
            at=event.created_at,
        )

    def _decided(self, event: EventRow) -> int | None:
        """Return the version of ours about which somebody decided, or on which somebody drew."""
        if preview := str(event.data.get("preview_file_id") or ""):
            found = self._site.row(PreviewRow, f"data/preview-files/{preview}")
            ours = [found] if found is not None and mark_of(found.data) is not None else []
        else:
            ours = list(self._versions.of_task(str(event.data.get("task_id", ""))))
        return self._numbering.number(VERSION, ours[-1].id) if ours else None

    def _event(self, one: Numbered) -> FeedEvent:
        noted = _Noted.read(one.note)
        project = self._places.project_of(noted.project) if noted.project else None
        return FeedEvent(
            id=one.number,
            kind=noted.kind,
            row=noted.row,
            project=project.path_name if project else "",
            by_us=noted.by_us,
            created_at=noted.at,
            elsewhere=bool(noted.project) and not self._places.heeds(noted.project),
        )

    def _file(self, number: int) -> PublishedLayout | None:
        uid = self._numbering.uid(FILE, number)
        if uid is None:
            return None
        if uid.startswith(PREVIEW):
            return self._preview(number, uid[len(PREVIEW) :])
        output = self._site.row(OutputRow, f"data/output-files/{uid}")
        if output is None or mark_of(output.data) or output.person_id == self._site.me():
            return None
        kind = self._output_type(output.output_type_id or "")
        step = output.task_type_id or ""
        is_layout = kind in self._tracker.layout_types or bool(
            step and self._places.is_type(step, [self._tracker.layout_step])
        )
        is_touch_up = kind == self._tracker.touch_up_type
        untyped = not step and not kind
        if not (is_layout or is_touch_up or untyped):
            return None
        painted = self._painted(output.entity_id, output.person_id, output.created_at, "output")
        return self._layout(
            number,
            entity=output.entity_id or "",
            name=output.name,
            version=output.revision,
            path=output.path,
            created_at=output.created_at,
            typed=not untyped,
            painted=painted if is_touch_up else None,
            publisher=output.person_id,
        )

    def _preview(self, number: int, uid: str) -> PublishedLayout | None:
        row = self._site.row(PreviewRow, f"data/preview-files/{uid}")
        if row is None or mark_of(row.data) or row.position != 1:
            return None
        by = self._people.person(row.person_id)
        task = read_task(self._site, row.task_id)
        if task is None or by is None:
            return None
        is_layout = self._places.is_type(task.task_type_id, [self._tracker.layout_step])
        is_touch_up = self._places.is_type(task.task_type_id, [self._tracker.background_step])
        if not (is_layout or is_touch_up):
            return None
        painted = None
        if is_touch_up:
            versions = self._before(task.id, row.created_at)
            if not versions:
                return None
            painted = PaintOver(artists=(by,), source=f"{FILE}:{number} person", versions=versions)
        return self._layout(
            number,
            entity=task.entity_id,
            name="" if is_touch_up else "bg",
            version=row.revision,
            path=row.path or self._downloaded(row),
            created_at=row.created_at,
            typed=True,
            painted=painted,
            publisher=row.person_id,
        )

    def _layout(
        self,
        number: int,
        *,
        entity: str,
        name: str,
        version: int | None,
        path: str,
        created_at: datetime,
        typed: bool,
        painted: PaintOver | None,
        publisher: str,
    ) -> PublishedLayout | None:
        found = self._places.shot_of(entity) if entity else None
        if found is not None and not self._places.heeds(found.project.id):
            return None
        by = self._people.person(publisher)
        return PublishedLayout(
            id=number,
            project=found.project.path_name if found else "",
            episode=found.episode.name if found and found.episode else "",
            sequence=found.sequence.name if found and found.sequence else "",
            shot=found.shot.name if found else "",
            name=name,
            version=version,
            path=path,
            ready=bool(found and path and typed),
            created_at=created_at,
            typed=typed,
            painted=painted,
            published_by=by.id if by else "",
        )

    def _painted(
        self, entity: str | None, person: str, at: datetime, where: str
    ) -> PaintOver | None:
        if not entity:
            return None
        by = self._people.person(person)
        versions: tuple[int, ...] = ()
        for task in self._places.tasks(entity):
            if self._places.is_type(task.task_type_id, [self._tracker.background_step]):
                versions = self._before(task.id, at) or versions
        return PaintOver(
            artists=(by,) if by else (), source=f"{FILE} {where} person", versions=versions
        )

    def _before(self, task: str, at: datetime) -> tuple[int, ...]:
        ours = [one for one in self._versions.of_task(task) if one.created_at <= at]
        return (self._numbering.number(VERSION, ours[-1].id),) if ours else ()

    def _downloaded(self, row: PreviewRow) -> str:
        """Put a picture that is in Kitsu alone onto the storage, once; empty while it is made."""
        if row.status == "processing" or not row.extension:
            return ""
        path = Path(self._root) / ".haikei" / "kitsu" / f"{row.id}.{row.extension}"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f"{path.name}.part")
            kind = f"pictures/originals/preview-files/{row.id}.{row.extension}"
            self._site.download(kind, part)
            part.replace(path)
        return str(path)

    def _output_type(self, uid: str) -> str:
        if not uid:
            return ""
        row = self._site.row(TypeRow, f"data/output-types/{uid}")
        return row.name if row else ""


def _file_uid(event: EventRow) -> str:
    if "preview_file_id" in event.data:
        return f"{PREVIEW}{event.data['preview_file_id']}"
    return str(event.data.get("output_file_id", ""))
