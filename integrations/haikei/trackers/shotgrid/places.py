"""Find a shot by the names that paths use, with its tasks, in one read where it has any."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from haikei.errors import PlaceUnknown
from haikei.names import plain_name, same_name, spellings
from haikei.settings import Tracker
from haikei.show import Place
from haikei.trackers.shotgrid.client import Filter, SiteClient
from haikei.trackers.shotgrid.record import Link, Record

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
    layout_tasks: tuple[Record, ...]
    background_tasks: tuple[Record, ...]


def find_shot(client: SiteClient, tracker: Tracker, place: Place) -> FoundShot:
    """
    Return the shot that a place names; letter case does not count.

    Raises:
        PlaceUnknown: there is none, or more than one.
        TrackerError: the site does not answer, or refuses.
    """
    tasks = client.find("Task", _task_filters(tracker, place), _TASK_FIELDS)
    by_shot: dict[int, list[Record]] = {}
    for task in tasks:
        shot = task.link("entity")
        if shot is not None:
            by_shot.setdefault(shot.id, []).append(task)
    candidates = [_from_tasks(tracker, group) for group in by_shot.values()]
    fitting = [found for found in candidates if _in_sequence(found, place.sequence)]
    if not fitting:
        # A shot without such tasks is a shot all the same.
        candidates = [
            _from_shot(row)
            for row in client.find(
                "Shot",
                [["code", "in", list(spellings(place.shot))], _in_project("project", place)],
                _SHOT_FIELDS,
            )
        ]
        fitting = [found for found in candidates if _in_sequence(found, place.sequence)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise PlaceUnknown(
            f"{place.project} has {len(fitting)} shots named {place.shot!r}.",
            advice="Name the sequence in the path, or rename one of them in the tracker.",
        )
    if candidates:
        names = ", ".join(sorted(_sequence_name(found) for found in candidates))
        raise PlaceUnknown(
            f"The shot {place.shot!r} of {place.project} is not in {place.sequence!r}.",
            advice=f"The tracker has it in {names}: move the file, or correct the tracker.",
        )
    raise _unknown(client, place)


def _task_filters(tracker: Tracker, place: Place) -> Sequence[Filter]:
    steps = [tracker.layout_step, tracker.background_step]
    return [
        ["entity.Shot.code", "in", list(spellings(place.shot))],
        _in_project("project", place),
        {
            "filter_operator": "any",
            "filters": [
                ["step.Step.code", "in", steps],
                ["step.Step.short_name", "in", steps],
                ["content", "in", steps],
            ],
        },
    ]


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
        shot=Link(type=shot.type, id=shot.id, name=first.text("entity.Shot.code") or shot.name),
        layout_tasks=_of_step(tasks, tracker.layout_step),
        background_tasks=_of_step(tasks, tracker.background_step),
    )


def _from_shot(row: Record) -> FoundShot:
    project = row.link("project")
    if project is None:
        raise PlaceUnknown(f"The shot {row.text('code')!r} belongs to no project.")
    return FoundShot(
        project=project,
        folder_name=row.text("project.Project.tank_name"),
        sequence=row.link("sg_sequence"),
        shot=Link(type=row.type, id=row.id, name=row.text("code")),
        layout_tasks=(),
        background_tasks=(),
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


def _in_sequence(found: FoundShot, wanted: str) -> bool:
    return not wanted or found.sequence is None or same_name(found.sequence.name, wanted)


def _sequence_name(found: FoundShot) -> str:
    return found.sequence.name if found.sequence else "no sequence"


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
    folded = {plain_name(known): known for known in names if known}
    near = [
        folded[match]
        for match in get_close_matches(plain_name(name), list(folded), n=3, cutoff=0.5)
    ]
    if near:
        return (
            f"The nearest: {', '.join(near)}. Rename the path, or make the {kind} in the tracker."
        )
    return f"Make the {kind} in the tracker, or let the path template name another."
