"""
What a site knows of a layout, in two reads; a third when an artist is met for the first time.

A shot is found by the names that paths use, with its tasks, in one read where it has any.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from haikei.errors import PlaceUnknown
from haikei.names import nearest_names, same_name, spellings
from haikei.settings import Settings, Tracker
from haikei.show import NO_CUT_FACTS, CutFacts, Place, Row
from haikei.trackers.contract.tracker import (
    ContextRequest,
    DrawnBy,
    LayoutContext,
    cut_facts,
    drawn_by,
    is_no_ai,
)
from haikei.trackers.shotgrid.client import Filter, Link, Record, SiteClient
from haikei.trackers.shotgrid.people import Artist, People, assigned, publishers
from haikei.trackers.shotgrid.schema import KEY, layout_key, result_key

_TASK_FIELDS = (
    "content",
    "step.Step.code",
    "step.Step.short_name",
    "task_assignees",
    "entity",
    "entity.Shot.code",
    "entity.Shot.sg_sequence",
    "project",
    "project.Project.tank_name",
)
_SHOT_FIELDS = ("code", "sg_sequence", "project", "project.Project.tank_name")
_LISTED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundShot:
    """A shot, where it belongs, and those of its tasks that matter to a background."""

    project: Link
    folder_name: str  #: of the project, as paths have it; empty when the site has none
    sequence: Link | None
    shot: Link
    episode: str  #: its name; empty when the site has none
    layout_tasks: tuple[Record, ...]
    background_tasks: tuple[Record, ...]
    no_ai: str = ""  #: the field that keeps it from trained models, where it says so
    cut: CutFacts = NO_CUT_FACTS


def find_shot(client: SiteClient, tracker: Tracker, place: Place) -> FoundShot:
    """
    Return the shot that a place names; letter case and Unicode form do not count.

    Raises:
        PlaceUnknown: there is none, or more than one.
        TrackerError: the site does not answer, or refuses.
    """
    of_shot = [f"entity.Shot.{field}" for field in _settable(tracker)]
    tasks = client.find("Task", _task_filters(tracker, place), [*_TASK_FIELDS, *of_shot])
    by_shot: dict[int, list[Record]] = {}
    for task in tasks:
        shot = task.link("entity")
        if shot is not None:
            by_shot.setdefault(shot.id, []).append(task)
    candidates = [_from_tasks(tracker, group) for group in by_shot.values()]
    fitting = [found for found in candidates if _is_in(found, place)]
    if not fitting:
        # A shot without such tasks is a shot all the same.
        named: Filter = ["code", "in", list(spellings(place.shot))]
        candidates = _shots(client, tracker, place, [named, _in_project("project", place)])
        fitting = [found for found in candidates if _is_in(found, place)]
    if not fitting and not candidates:
        # A database that compares bytes misses what people take for the same name.
        projects = _projects_called(client, place.project)
        of_projects: Filter = ["project", "in", [row.wire() for row in projects]]
        candidates = _shots(client, tracker, place, [of_projects]) if projects else []
        fitting = [found for found in candidates if _is_in(found, place)]
        if len(fitting) == 1:
            fitting = [_with_tasks(client, tracker, fitting[0])]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise PlaceUnknown(
            f"{place.project} has {len(fitting)} shots named {place.shot!r}.",
            advice="Name the sequence or the episode in the path (episodes also need "
            "tracker.episode_field), or rename one of them in the tracker.",
        )
    if candidates:
        names = ", ".join(sorted(_sequence_name(found) for found in candidates))
        wanted = " ".join(filter(None, (place.episode, place.sequence)))
        raise PlaceUnknown(
            f"The shot {place.shot!r} of {place.project} is not in {wanted!r}.",
            advice=f"The tracker has it in {names}: move the file, correct the tracker, or say in "
            "[[shows]] what the folder is called there.",
        )
    raise _unknown(client, place)


def find_shot_of(client: SiteClient, tracker: Tracker, file: int) -> FoundShot | None:
    """
    Return the shot that a PublishedFile's row is linked to, whatever its path calls it.

    Raises:
        PlaceUnknown: another shot has its names, so that records could not tell them apart.
        TrackerError: the site does not answer, or refuses.
    """
    fields = ["entity", "entity.Shot.code", "entity.Shot.project"]
    rows = client.find("PublishedFile", [["id", "is", file]], fields)
    row = next((one for one in rows if one.link("entity")), None)
    shot = row.link("entity") if row is not None else None
    if row is None or shot is None or shot.type != "Shot":
        return None
    # With the shot those of its code: that takes no request more.
    code, project = row.text("entity.Shot.code"), row.link("entity.Shot.project")
    alike: list[Filter] = [["id", "is", shot.id]]
    if code and project is not None:
        alike = [["code", "is", code], ["project", "is", project.wire()]]
    named = [_from_shot(one, tracker) for one in client.find("Shot", alike, _shot_fields(tracker))]
    found = next((one for one in named if one.shot.id == shot.id), None)
    if found is None:
        return None
    where = _sequence_name(found)
    if any(one is not found and _sequence_name(one) == where for one in named):
        raise PlaceUnknown(
            f"{found.folder_name or found.project.name} has several shots named "
            f"{found.shot.name!r} in {where}.",
            advice="Where they are in several episodes, set tracker.episode_field; else rename one "
            "of them in the tracker.",
        )
    return _with_tasks(client, tracker, found)


def _task_filters(tracker: Tracker, place: Place) -> Sequence[Filter]:
    return [
        ["entity.Shot.code", "in", list(spellings(place.shot))],
        _in_project("project", place),
        _of_steps(tracker),
    ]


def _of_steps(tracker: Tracker) -> Filter:
    steps = [tracker.layout_step, tracker.background_step]
    return {
        "filter_operator": "any",
        "filters": [
            ["step.Step.code", "in", steps],
            ["step.Step.short_name", "in", steps],
            ["content", "in", steps],
        ],
    }


def _in_project(field: str, place: Place) -> Filter:
    names = list(spellings(place.project))
    return {
        "filter_operator": "any",
        "filters": [
            [f"{field}.Project.tank_name", "in", names],
            [f"{field}.Project.name", "in", names],
        ],
    }


def _from_tasks(tracker: Tracker, tasks: Sequence[Record]) -> FoundShot:
    first = tasks[0]
    shot, project = first.link("entity"), first.link("project")
    if shot is None or project is None:
        raise AssertionError("unreachable: the search asked for both")
    return FoundShot(
        project=project,
        folder_name=first.text("project.Project.tank_name"),
        sequence=first.link("entity.Shot.sg_sequence"),
        episode=name_in(first, f"entity.Shot.{tracker.episode_field}"),
        shot=Link(type=shot.type, id=shot.id, name=first.text("entity.Shot.code") or shot.name),
        layout_tasks=_of_step(tasks, tracker.layout_step),
        background_tasks=_of_step(tasks, tracker.background_step),
        no_ai=_kept_from_models(first, f"entity.Shot.{tracker.no_ai_field}", tracker),
        cut=_cut(first, "entity.Shot.", tracker),
    )


def _settable(tracker: Tracker) -> Sequence[str]:
    cut = [field for _, fields in tracker.cut_fields for field in fields]
    own = (tracker.episode_field, tracker.no_ai_field)
    return tuple(dict.fromkeys(filter(None, (*own, *cut))))


def _cut(row: Record, start: str, tracker: Tracker) -> CutFacts:
    return cut_facts(tracker.cut_fields, lambda field: _text_of(row, start + field))


def _text_of(row: Record, field: str) -> str:
    """Return what a field says, be it a text, a list, a link or several."""
    links = row.links(field)
    if links:
        return ", ".join(link.name for link in links)
    return name_in(row, field).strip()


def _kept_from_models(row: Record, field: str, tracker: Tracker) -> str:
    kept = row.flag(field) or is_no_ai(row.text(field))
    return f"Shot.{tracker.no_ai_field}" if tracker.no_ai_field and kept else ""


def _shots(
    client: SiteClient, tracker: Tracker, place: Place, filters: Sequence[Filter]
) -> list[FoundShot]:
    rows = client.find("Shot", filters, _shot_fields(tracker))
    return [_from_shot(row, tracker) for row in rows if same_name(row.text("code"), place.shot)]


def _shot_fields(tracker: Tracker) -> Sequence[str]:
    return (*_SHOT_FIELDS, *_settable(tracker))


def _with_tasks(client: SiteClient, tracker: Tracker, found: FoundShot) -> FoundShot:
    filters: list[Filter] = [["entity", "is", found.shot.wire()], _of_steps(tracker)]
    tasks = client.find("Task", filters, _TASK_FIELDS)
    return replace(
        found,
        layout_tasks=_of_step(tasks, tracker.layout_step),
        background_tasks=_of_step(tasks, tracker.background_step),
    )


def _projects_called(client: SiteClient, name: str) -> Sequence[Link]:
    rows = client.find("Project", [], ["name", "tank_name"])
    return [
        Link(type=row.type, id=row.id, name=row.text("name"))
        for row in rows
        if same_name(row.text("tank_name"), name) or same_name(row.text("name"), name)
    ]


def name_in(row: Record, field: str) -> str:
    """Return the name in a field that holds a link or a text."""
    link = row.link(field)
    return link.name if link is not None else row.text(field)


def _from_shot(row: Record, tracker: Tracker) -> FoundShot:
    project = row.link("project")
    if project is None:
        raise PlaceUnknown(f"The shot {row.text('code')!r} belongs to no project.")
    return FoundShot(
        project=project,
        folder_name=row.text("project.Project.tank_name"),
        sequence=row.link("sg_sequence"),
        episode=name_in(row, tracker.episode_field),
        shot=Link(type=row.type, id=row.id, name=row.text("code")),
        layout_tasks=(),
        background_tasks=(),
        no_ai=_kept_from_models(row, tracker.no_ai_field, tracker),
        cut=_cut(row, "", tracker),
    )


def _of_step(tasks: Iterable[Record], step: str) -> tuple[Record, ...]:
    """Return the tasks of a step; where none has it, those that are named like it."""
    of_step = tuple(
        task
        for task in tasks
        if same_name(task.text("step.Step.code"), step)
        or same_name(task.text("step.Step.short_name"), step)
    )
    return of_step or tuple(task for task in tasks if same_name(task.text("content"), step))


def _is_in(found: FoundShot, place: Place) -> bool:
    """Tell whether a shot is in a place's episode and sequence, as far as both are known."""
    sequence = found.sequence.name if found.sequence else ""
    pairs = ((place.sequence, sequence), (place.episode, found.episode))
    return all(not wanted or not known or same_name(known, wanted) for wanted, known in pairs)


def _sequence_name(found: FoundShot) -> str:
    sequence = found.sequence.name if found.sequence else "no sequence"
    return f"{found.episode} {sequence}".strip()


def _unknown(client: SiteClient, place: Place) -> PlaceUnknown:
    """Return the error that names what comes nearest."""
    projects = client.find("Project", [_named(place.project)], ["name"])
    if not projects:
        rows = client.find("Project", [], ["name", "tank_name"], limit=_LISTED)
        names = [row.text("tank_name") or row.text("name") for row in rows]
        return PlaceUnknown(
            f"The tracker has no project {place.project!r}.",
            advice=_nearest(place.project, names, "project"),
        )
    rows = client.find("Shot", [_in_project("project", place)], ["code"], limit=_LISTED)
    return PlaceUnknown(
        f"The tracker has no shot {place.shot!r} in {place.project}.",
        advice=_nearest(place.shot, [row.text("code") for row in rows], "shot"),
    )


def _named(project: str) -> Filter:
    return {
        "filter_operator": "any",
        "filters": [
            ["tank_name", "in", list(spellings(project))],
            ["name", "in", list(spellings(project))],
        ],
    }


def _nearest(name: str, names: Sequence[str], kind: str) -> str:
    if near := nearest_names(name, names):
        return (
            f"The nearest: {', '.join(near)}. Rename the path, or make the {kind} in the tracker."
        )
    return f"Make the {kind} in the tracker, or let the path template name another."


_FILE_FIELDS = (
    "code",
    "name",
    "version_number",
    "path",
    "path_cache",
    "entity",
    "created_by",
    "version.Version.user",
    "task",
    "task.Task.task_assignees",
    "published_file_type.PublishedFileType.code",
    KEY,
)


class ContextReader:
    """Reads contexts; one object keeps the people it has met."""

    def __init__(self, client: SiteClient, settings: Settings) -> None:
        self._client = client
        self._tracker = settings.tracker
        self._people = People(client, settings.people, settings.tracker.person_fields)

    def read(self, request: ContextRequest) -> LayoutContext:
        """
        Return what the site knows of a layout.

        Raises:
            PlaceUnknown: the project or shot is not there, or not the only one of its name.
            TrackerError: the site does not answer, or refuses.
        """
        found = self._shot(request)
        files = self._client.find("PublishedFile", self._file_filters(request, found), _FILE_FIELDS)
        layout = self._layout(request, files)
        drawn = _drawn_by(found, layout)
        known = self._people.artists((*drawn.artists, *drawn.candidates))
        named = {f"HumanUser:{link.id}" for link in drawn.artists}
        return LayoutContext(
            project=_row(found.project),
            sequence=_row(found.sequence) if found.sequence else None,
            shot=_row(found.shot),
            task=_task(found.background_tasks),
            layout_file=_file(layout),
            artists=tuple(one.person for one in known if one.person.id in named),
            artist_logins=_logins(known),
            latest_version=self._latest(request, files),
            artist_source=drawn.source,
            parent_file=_file(_painted_over(request, files)),
            project_names=tuple(filter(None, (found.folder_name,))),
            episode=found.episode,
            candidates=tuple(one.person for one in known if one.person.id not in named),
            no_ai=found.no_ai,
            cut=found.cut,
        )

    def _shot(self, request: ContextRequest) -> FoundShot:
        try:
            return find_shot(self._client, self._tracker, request.place)
        except PlaceUnknown:
            # A row that a person has linked says it by id, whatever its folders are called.
            file = request.published_file
            linked = None if file is None else find_shot_of(self._client, self._tracker, file)
            if linked is None:
                raise
            return linked

    def _file_filters(self, request: ContextRequest, found: FoundShot) -> Sequence[Filter]:
        layout = request.layout
        backgrounds: Filter = {
            "filter_operator": "all",
            "filters": [
                [
                    "published_file_type.PublishedFileType.code",
                    "in",
                    [self._tracker.background_type, self._tracker.touch_up_type],
                ],
                ["name", "ends_with", request.stream],
            ],
        }
        painted_over: list[Filter] = (
            [[KEY, "is", result_key(request.painted_over)]] if request.painted_over else []
        )
        of_shot: Filter = {
            "filter_operator": "any",
            "filters": [
                [KEY, "is", layout_key(layout.sha256)],
                ["path_cache", "is", layout.relative],
                ["code", "is", layout.path.name],
                backgrounds,
                *painted_over,
            ],
        }
        wanted: list[Filter] = [
            {"filter_operator": "all", "filters": [["entity", "is", found.shot.wire()], of_shot]}
        ]
        if request.published_file is not None:
            wanted.append(["id", "is", request.published_file])
        return [
            ["project", "is", found.project.wire()],
            {"filter_operator": "any", "filters": wanted},
        ]

    def _layout(self, request: ContextRequest, files: Sequence[Record]) -> Record | None:
        """Return the layout's row: the one announced, else by content, path, and name."""
        layout = request.layout
        tests: tuple[Callable[[Record], bool], ...] = (
            lambda row: row.id == request.published_file,
            lambda row: row.text(KEY) == layout_key(layout.sha256),
            lambda row: _stands_at(row, layout.root, layout.relative),
            lambda row: row.text("path_cache").lstrip("/") == layout.relative,
            lambda row: not row.filled("path") and row.text("code") == layout.path.name,
        )
        for test in tests:
            for row in files:
                if test(row) and not self._is_background(row):
                    return row
        return None

    def _latest(self, request: ContextRequest, files: Sequence[Record]) -> int:
        numbers = [
            row.number("version_number") or 0
            for row in files
            if self._is_background(row) and _is_stream(row.text("name"), request.stream)
        ]
        return max(numbers, default=0)

    def _is_background(self, row: Record) -> bool:
        code = row.text("published_file_type.PublishedFileType.code")
        return any(
            same_name(code, own)
            for own in (self._tracker.background_type, self._tracker.touch_up_type)
        )


def _row(link: Link) -> Row:
    return Row(type=link.type, id=link.id, name=link.name)


def _file(row: Record | None) -> Row | None:
    return None if row is None else Row(type=row.type, id=row.id, name=row.text("code"))


def _painted_over(request: ContextRequest, files: Sequence[Record]) -> Record | None:
    if not request.painted_over:
        return None
    key = result_key(request.painted_over)
    return next((row for row in files if row.text(KEY) == key), None)


def _task(tasks: Sequence[Record]) -> Row | None:
    if not tasks:
        return None
    task = min(tasks, key=lambda row: row.id)
    return Row(type=task.type, id=task.id, name=task.text("content"))


def _drawn_by(found: FoundShot, layout: Record | None) -> DrawnBy[Link]:
    """Return who drew a layout, by its row's task and people, else by the tasks of the step."""
    own: list[tuple[Link, str]] = []
    published: list[tuple[Link, str]] = []
    if layout is not None:
        task = layout.link("task")
        if task is not None:
            own = assigned(layout.links("task.Task.task_assignees"), task.id)
        published = publishers(layout)
    step = [
        one
        for task in found.layout_tasks
        for one in assigned(task.links("task_assignees"), task.id)
    ]
    return drawn_by(own, published, step)


def _logins(artists: Sequence[Artist]) -> tuple[str, ...]:
    names = (name for artist in artists for name in (*artist.logins, artist.person.name))
    return tuple(dict.fromkeys(names))


def _is_stream(name: str, stream: str) -> bool:
    return name == stream or name.endswith(f"_{stream}")


def _stands_at(row: Record, root: str, relative: str) -> bool:
    path = row.mapping("path")
    storage = Link.of(path.get("local_storage"))
    return storage is not None and storage.name == root and path.get("relative_path") == relative
