"""Where a layout belongs on a Kitsu server: production, episode, sequence, shot and tasks."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from haikei.errors import PlaceUnknown, TrackerDenied, TrackerRejected
from haikei.names import nearest_names, same_name
from haikei.settings import Tracker
from haikei.show import Place
from haikei.trackers.kitsu.client import KitsuSite
from haikei.trackers.kitsu.rows import EntityRow, ProjectRow, StatusRow, TaskRow, TypeRow

#: Seconds for which the list of a production's shots is taken for true.
FRESH = 60.0
_MAIN = "main"  #: what Kitsu calls the first task of a type


@dataclass(frozen=True, slots=True, kw_only=True)
class KitsuShot:
    """A shot and where it belongs."""

    project: ProjectRow
    episode: EntityRow | None
    sequence: EntityRow | None
    shot: EntityRow


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    shots: tuple[EntityRow, ...]
    sequences: dict[str, EntityRow]  #: and episodes
    at: float

    def holds_parent_of(self, shot: EntityRow) -> bool:
        """Tell whether a row belongs to a sequence that is known, as shots do."""
        parent = self.sequences.get(shot.parent_id or "")
        return parent is not None and parent.type == "Sequence"


class KitsuPlaces:
    """Finds rows by the names that paths use; lists are kept for a minute."""

    def __init__(self, site: KitsuSite, tracker: Tracker) -> None:
        self._site = site
        self._tracker = tracker
        self._projects: tuple[ProjectRow, ...] = ()
        self._listed: dict[str, _Listed] = {}
        self._types: tuple[TypeRow, ...] = ()
        self._statuses: tuple[StatusRow, ...] = ()
        #: Whose columns the settings name, such as `sequence`; empty for the shot's own.
        self._read_of = {
            field.rpartition(".")[0] for _, named in tracker.cut_fields for field in named
        }
        if tracker.no_ai_field:
            self._read_of.add("")

    def project(self, name: str) -> ProjectRow | None:
        """Return the production of this name or code, in any spelling."""
        for again in (False, True):
            if again or not self._projects:
                self._projects = self._site.rows(ProjectRow, "data/projects")
            for row in self._projects:
                if same_name(row.name, name) or (row.code and same_name(row.code, name)):
                    return row
        return None

    def project_of(self, uid: str) -> ProjectRow | None:
        """Return the production of this id."""
        for again in (False, True):
            if again or not self._projects:
                self._projects = self._site.rows(ProjectRow, "data/projects")
            for row in self._projects:
                if row.id == uid:
                    return row
        return None

    def heeded(self) -> tuple[ProjectRow, ...] | None:
        """Return the productions that `tracker.projects` names; None for all there are."""
        if not self._tracker.projects:
            return None
        self._projects = self._site.rows(ProjectRow, "data/projects")
        return tuple(row for row in self._projects if self._tracker.heeds(row.name, row.code))

    def heeds(self, project: str) -> bool:
        """Tell whether the production of this id is heeded."""
        if not self._tracker.projects:
            return True
        row = self.project_of(project)
        return row is not None and self._tracker.heeds(row.name, row.code)

    def shot(self, place: Place) -> KitsuShot:
        """
        Return the shot that a place names; letter case and Unicode form do not count.

        Its own columns are as they are now where the settings name any.

        Raises:
            PlaceUnknown: there is none, or more than one.
            TrackerError: the server does not answer, or refuses.
        """
        project = self.project(place.project)
        if project is None:
            raise _unknown("project", place.project, [one.name for one in self._projects])
        listed = self._list(project.id)
        named = [one for one in listed.shots if same_name(one.name, place.shot)]
        if not named:
            # One that was made since is asked for by its name: a long list is not read for it.
            named = self._since(project.id, listed, place.shot)
        if not named:
            listed = self._list(project.id, again=True)
            named = [one for one in listed.shots if same_name(one.name, place.shot)]
        if not named:
            raise _unknown("shot", place.shot, [one.name for one in listed.shots])
        found = [self._whole(project, one) for one in named]
        fitting = [one for one in found if _is_in(one, place)]
        if len(fitting) == 1:
            # The list is kept: what a column forbids must not be.
            now = self.shot_of(fitting[0].shot.id) if "" in self._read_of else None
            return now or fitting[0]
        if fitting:
            raise PlaceUnknown(
                f"{place.project} has {len(fitting)} shots named {place.shot!r}.",
                advice="Name the sequence in the path, or rename one of them in Kitsu.",
            )
        wanted = " ".join(filter(None, (place.episode, place.sequence)))
        names = ", ".join(sorted(one.sequence.name if one.sequence else "" for one in found))
        raise PlaceUnknown(
            f"The shot {place.shot!r} of {place.project} is not in {wanted!r}.",
            advice=f"Kitsu has it in {names}: move the file, correct Kitsu, or say in "
            "[[shows]] what the folder is called there.",
        )

    def shot_of(self, entity: str) -> KitsuShot | None:
        """Return the shot of this id; None where it is another kind of row, or gone."""
        row = self._site.row(EntityRow, f"data/entities/{entity}")
        if row is None or row.canceled:
            return None
        project = self.project_of(row.project_id)
        if project is None:
            return None
        listed = self._list(project.id)
        if row.id not in {one.id for one in listed.shots} and not listed.holds_parent_of(row):
            here = self._list(project.id, again=True)
            if row.id not in {one.id for one in here.shots}:
                return None
        return self._whole(project, row)

    def with_parents_now(self, found: KitsuShot) -> KitsuShot:
        """
        Return a shot whose sequence, episode and production are as they are now.

        The lists of them are kept, so those are read again whose columns the settings name.

        Raises:
            TrackerError: the server does not answer, or refuses.
        """
        project, episode, sequence = found.project, found.episode, found.sequence
        if "project" in self._read_of:
            project = self._site.row(ProjectRow, f"data/projects/{project.id}") or project
        if episode is not None and "episode" in self._read_of:
            episode = self._site.row(EntityRow, f"data/entities/{episode.id}") or episode
        if sequence is not None and "sequence" in self._read_of:
            sequence = self._site.row(EntityRow, f"data/entities/{sequence.id}") or sequence
        return KitsuShot(project=project, episode=episode, sequence=sequence, shot=found.shot)

    def tasks(self, shot: str) -> tuple[TaskRow, ...]:
        """Return all tasks of a shot, as they are now."""
        return self._site.rows(TaskRow, "data/tasks", entity_id=shot, relations="true")

    def task_type(self, name: str) -> TypeRow | None:
        """Return the task type of shots that has this name."""
        for again in (False, True):
            if again or not self._types:
                self._types = self._site.rows(TypeRow, "data/task-types", for_entity="Shot")
            for row in self._types:
                if same_name(row.name, name):
                    return row
        return None

    def is_type(self, task_type: str, names: Sequence[str]) -> bool:
        """Tell whether a task type's id is that of one of these names."""
        found = (self.task_type(name) for name in names)
        return any(row is not None and row.id == task_type for row in found)

    def statuses(self) -> tuple[StatusRow, ...]:
        """Return the task statuses that are in use."""
        if not self._statuses:
            self._statuses = self._site.rows(StatusRow, "data/task-status")
        return tuple(row for row in self._statuses if not row.archived)

    def status(self, code: str) -> StatusRow:
        """
        Return the status with this short name.

        Raises:
            TrackerDenied: there is none.
        """
        for again in (False, True):
            if again:
                self._statuses = ()
            for row in self.statuses():
                if row.short_name == code:
                    return row
        codes = ", ".join(row.short_name for row in self.statuses())
        raise TrackerDenied(
            f"{code!r} is not a valid status: Kitsu has {codes}.",
            advice="Correct review.statuses and tracker.review_status, or run `haikei setup`.",
        )

    def code_of(self, status: str) -> str:
        """Return the short name of a status by its id."""
        for again in (False, True):
            if again:
                self._statuses = ()
            for row in self._statuses or self.statuses():
                if row.id == status:
                    return row.short_name
        return ""

    def background_task(self, tasks: Iterable[TaskRow], stream: str) -> TaskRow | None:
        """Return the task that receives this stream: the one named like it, else the main one."""
        kind = self.task_type(self._tracker.background_step)
        ours = [one for one in tasks if kind is not None and one.task_type_id == kind.id]
        named = [one for one in ours if same_name(one.name, stream)]
        main = [one for one in ours if one.name == _MAIN] or ours
        return next(iter((*named, *main)), None)

    def new_task(self, *, name: str, project: str, shot: str, kind: str, status: str) -> TaskRow:
        """
        Return the task of a shot that has this name and type; it is made where it is missing.

        Raises:
            TrackerError: the server does not answer, or refuses.
        """
        fields = {
            "name": name,
            "project_id": project,
            "entity_id": shot,
            "task_type_id": kind,
            "task_status_id": status,
        }
        try:
            return self._site.add(TaskRow, "data/tasks", fields)
        except TrackerRejected:
            # Somebody else may have made it since we looked: another worker, or we before a cut.
            for one in self.tasks(shot):
                if one.task_type_id == kind and same_name(one.name, name):
                    return one
            raise

    def layout_tasks(self, tasks: Iterable[TaskRow]) -> tuple[TaskRow, ...]:
        """Return the tasks of the layout's type."""
        kind = self.task_type(self._tracker.layout_step)
        return tuple(one for one in tasks if kind is not None and one.task_type_id == kind.id)

    def _list(self, project: str, *, again: bool = False) -> _Listed:
        listed = self._listed.get(project)
        if listed is None or again or time.monotonic() - listed.at > FRESH:
            shots = self._site.rows(EntityRow, f"data/projects/{project}/shots")
            parents = self._site.rows(EntityRow, f"data/projects/{project}/sequences")
            episodes = self._site.rows(EntityRow, f"data/projects/{project}/episodes")
            listed = _Listed(
                shots=tuple(one for one in shots if not one.canceled),
                sequences={one.id: one for one in (*parents, *episodes)},
                at=time.monotonic(),
            )
            self._listed[project] = listed
        return listed

    def _since(self, project: str, listed: _Listed, name: str) -> list[EntityRow]:
        """Return new shots of exactly this name, whose sequences are known."""
        rows = self._site.rows(EntityRow, "data/shots/all", project_id=project, name=name)
        return [one for one in rows if not one.canceled and listed.holds_parent_of(one)]

    def _whole(self, project: ProjectRow, shot: EntityRow) -> KitsuShot:
        parents = self._list(project.id).sequences
        sequence = parents.get(shot.parent_id or "")
        episode = parents.get(sequence.parent_id or "") if sequence else None
        return KitsuShot(project=project, episode=episode, sequence=sequence, shot=shot)


def _is_in(found: KitsuShot, place: Place) -> bool:
    sequence = found.sequence.name if found.sequence else ""
    episode = found.episode.name if found.episode else ""
    if place.sequence and not same_name(sequence, place.sequence):
        return False
    return not (place.episode and episode and not same_name(episode, place.episode))


def _unknown(kind: str, name: str, known: Sequence[str]) -> PlaceUnknown:
    near = ", ".join(nearest_names(name, known)) or "none"
    return PlaceUnknown(
        f"Kitsu has no {kind} {name!r}.", advice=f"The nearest: {near}. Add the {kind}."
    )
