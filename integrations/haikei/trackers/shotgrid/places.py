"""Find a shot by the names that paths use, with its tasks, in one read where it has any."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
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
    episode: str  #: its name; empty when the site has none
    layout_tasks: tuple[Record, ...]
    background_tasks: tuple[Record, ...]


def find_shot(client: SiteClient, tracker: Tracker, place: Place) -> FoundShot:
    """
    Return the shot that a place names; letter case and Unicode form do not count.

    Raises:
        PlaceUnknown: there is none, or more than one.
        TrackerError: the site does not answer, or refuses.
    """
    of_shot = [f"entity.Shot.{tracker.episode_field}"] if tracker.episode_field else []
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
            advice="Name the sequence in the path, or rename one of them in the tracker.",
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
        TrackerError: the site does not answer, or refuses.
    """
    rows = client.find("PublishedFile", [["id", "is", file]], ["entity"])
    shot = next((link for row in rows if (link := row.link("entity"))), None)
    if shot is None or shot.type != "Shot":
        return None
    found = client.find("Shot", [["id", "is", shot.id]], _shot_fields(tracker))
    return _with_tasks(client, tracker, _from_shot(found[0], tracker)) if found else None


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
        episode=_name(first, f"entity.Shot.{tracker.episode_field}"),
        shot=Link(type=shot.type, id=shot.id, name=first.text("entity.Shot.code") or shot.name),
        layout_tasks=_of_step(tasks, tracker.layout_step),
        background_tasks=_of_step(tasks, tracker.background_step),
    )


def _shots(
    client: SiteClient, tracker: Tracker, place: Place, filters: Sequence[Filter]
) -> list[FoundShot]:
    rows = client.find("Shot", filters, _shot_fields(tracker))
    return [_from_shot(row, tracker) for row in rows if same_name(row.text("code"), place.shot)]


def _shot_fields(tracker: Tracker) -> Sequence[str]:
    return (*_SHOT_FIELDS, *filter(None, (tracker.episode_field,)))


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


def _name(row: Record, field: str) -> str:
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
        episode=_name(row, tracker.episode_field),
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
