"""What a Kitsu server knows of a layout: its place, its task, who drew it, what was published."""

from dataclasses import dataclass

from haikei.settings import Settings, Tracker
from haikei.show import CutFacts, Row
from haikei.trackers.contract.tracker import (
    ContextRequest,
    DrawnBy,
    LayoutContext,
    cut_facts,
    drawn_by,
    is_no_ai,
)
from haikei.trackers.kitsu.client import KitsuSite
from haikei.trackers.kitsu.numbering import Numbering
from haikei.trackers.kitsu.people import KitsuArtist, KitsuPeople
from haikei.trackers.kitsu.places import KitsuPlaces, KitsuShot
from haikei.trackers.kitsu.rows import EntityRow, OutputRow, PreviewRow, TaskRow
from haikei.trackers.kitsu.versions import (
    FILE,
    TASK,
    KitsuVersions,
    Mark,
    mark_of,
    read_task,
    task_path,
)

#: How the numbering knows a file that is a preview, and no output file.
PREVIEW = "preview:"


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    row: Row
    shot: str  #: the entity that it belongs to; empty for none
    task: TaskRow | None  #: that it was published for
    publisher: str


class KitsuContext:
    """Reads what the collect step asks for."""

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
        self._places = places
        self._people = people
        self._numbering = numbering
        self._versions = KitsuVersions(site, numbering)

    def read(self, request: ContextRequest) -> LayoutContext:
        """
        Return what the server knows of a layout.

        Raises:
            PlaceUnknown: the production or shot is not there, or not the only one of its name.
            TrackerError: the server does not answer, or refuses.
        """
        file = self._file(request.published_file)
        found = self._places.shot_of(file.shot) if file is not None and file.shot else None
        if found is None:
            found = self._places.shot(request.place)
        found = self._places.with_parents_now(found)
        tasks = self._places.tasks(found.shot.id)
        task, marks = self._task(found, tasks, request.stream)
        numbers = [mark.number for mark in marks if mark.stream == request.stream]
        drawn = self._drawn(file, tasks)
        people = (*drawn.artists, *drawn.candidates)
        project, sequence, shot = found.project, found.sequence, found.shot
        return LayoutContext(
            project=self._row("Project", project.id, project.name),
            sequence=self._row("Sequence", sequence.id, sequence.name) if sequence else None,
            shot=self._row("Shot", shot.id, shot.name),
            task=self._task_row(task) if task is not None else None,
            layout_file=file.row if file is not None else None,
            artists=tuple(one.person for one in drawn.artists),
            artist_logins=tuple(dict.fromkeys(login for one in people for login in one.logins)),
            latest_version=max(numbers, default=0),
            artist_source=drawn.source,
            parent_file=self._parent(tasks, request.painted_over),
            project_names=tuple(dict.fromkeys(filter(None, (project.code, project.name)))),
            episode=found.episode.name if found.episode else "",
            candidates=tuple(one.person for one in drawn.candidates),
            cut=_cut(found, self._tracker),
            no_ai=self._kept_from_models(shot),
        )

    def _kept_from_models(self, shot: EntityRow) -> str:
        """Return the column of a shot that keeps it from trained models, where it says so."""
        name = self._tracker.no_ai_field
        value = shot.data.get(name) if name else None
        if isinstance(value, str):
            value = is_no_ai(value)
        return f"Shot.{name}" if value else ""

    def _task(
        self, found: KitsuShot, tasks: tuple[TaskRow, ...], stream: str
    ) -> tuple[TaskRow | None, list[Mark]]:
        """Return the task that receives a stream, with the marks of the versions on it."""
        task = self._places.background_task(tasks, stream)
        if task is None:
            return None, []
        marks = self._versions.marks(task.id)
        if task.name == stream or all(mark.stream == stream for mark in marks):
            return task, marks
        # A task has one status: two streams on it could not be decided about one by one.
        made = self._places.new_task(
            name=stream,
            project=found.project.id,
            shot=found.shot.id,
            kind=task.task_type_id,
            status=task.task_status_id,
        )
        return made, self._versions.marks(made.id)

    def _file(self, number: int | None) -> _File | None:
        uid = self._numbering.uid(FILE, number) if number is not None else None
        if uid is None or number is None:
            return None
        if uid.startswith(PREVIEW):
            preview = self._site.row(PreviewRow, f"data/preview-files/{uid[len(PREVIEW) :]}")
            if preview is None:
                return None
            task = read_task(self._site, preview.task_id)
            return _File(
                row=Row(type=FILE, id=number, name=preview.original_name or preview.name),
                shot=task.entity_id if task else "",
                task=task,
                publisher=preview.person_id,
            )
        output = self._site.row(OutputRow, f"data/output-files/{uid}")
        if output is None:
            return None
        return _File(
            row=Row(type=FILE, id=number, name=output.name),
            shot=output.entity_id or "",
            task=None,
            publisher=output.person_id,
        )

    def _drawn(self, file: _File | None, tasks: tuple[TaskRow, ...]) -> DrawnBy[KitsuArtist]:
        artists = {one.row.id: one for one in self._people.artists(_uids(file, tasks))}

        own = file.task if file is not None else None
        publisher = file.publisher if file is not None else ""
        found = drawn_by(
            [(uid, f"Task:{own.name} assignees") for uid in own.assignees if uid in artists]
            if own
            else [],
            [(publisher, f"{FILE} person")] if publisher in artists else [],
            [
                (uid, f"Task:{one.name} assignees")
                for one in self._places.layout_tasks(tasks)
                for uid in one.assignees
                if uid in artists
            ],
        )
        return DrawnBy(
            artists=tuple(artists[uid] for uid in found.artists),
            candidates=tuple(artists[uid] for uid in found.candidates),
            source=found.source,
        )

    def _parent(self, tasks: tuple[TaskRow, ...], key: str) -> Row | None:
        if not key:
            return None
        for task in tasks:
            for one in self._versions.of_task(task.id):
                mark = mark_of(one.data)
                if mark is not None and mark.key == key:
                    files = self._site.rows(
                        OutputRow, "data/output-files", entity_id=task.entity_id
                    )
                    for file in sorted(files, key=lambda row: row.path):
                        held = mark_of(file.data)
                        if held is not None and held.key == key and held.stream == "result":
                            return self._row(FILE, file.id, file.name)
        return None

    def _row(self, kind: str, uid: str, name: str) -> Row:
        return Row(type=kind, id=self._numbering.number(kind, uid), name=name)

    def _task_row(self, task: TaskRow) -> Row:
        number = self._numbering.number(TASK, task.id, task_path(task))
        return Row(type=TASK, id=number, name=task.name)


def _cut(found: KitsuShot, tracker: Tracker) -> CutFacts:
    """Return what the metadata columns that the settings name say, the first that is filled."""
    rows = {"sequence": found.sequence, "episode": found.episode, "project": found.project}

    def value_of(field: str) -> str:
        whose, _, name = field.rpartition(".")
        row = rows.get(whose) if whose else found.shot
        value = row.data.get(name) if row is not None else None
        texts = value if isinstance(value, list) else [value]
        return ", ".join(one.strip() for one in texts if isinstance(one, str) and one.strip())

    return cut_facts(tracker.cut_fields, value_of)


def _uids(file: _File | None, tasks: tuple[TaskRow, ...]) -> list[str]:
    found = [uid for one in tasks for uid in one.assignees]
    if file is not None:
        found += [*(file.task.assignees if file.task else ()), file.publisher]
    return found
