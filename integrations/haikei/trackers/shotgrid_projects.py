"""Find projects by the names that paths use, and tell which of them are heeded."""

from collections.abc import Iterator, Mapping, Sequence

from haikei.settings import Tracker
from haikei.trackers.shotgrid_client import SiteClient
from haikei.trackers.shotgrid_places import same_name
from haikei.trackers.shotgrid_record import Record
from haikei.trackers.tracker import Finding

#: Of a row's project, the name that paths use.
FOLDER_NAME = "project.Project.tank_name"


def find_projects(
    client: SiteClient, names: Sequence[str], fields: Sequence[str] = ()
) -> Mapping[str, Sequence[Record]]:
    """
    Return the rows of projects by the names asked for; letter case does not count.

    Raises:
        TrackerError: the site does not answer, or refuses.
    """
    wanted = list(names)
    if not wanted:
        return {}
    rows = client.find(
        "Project",
        [
            {
                "filter_operator": "any",
                "filters": [["tank_name", "in", wanted], ["name", "in", wanted]],
            }
        ],
        ("name", "tank_name", *fields),
    )
    found = {name: tuple(row for row in rows if _is_called(row, name)) for name in names}
    return {name: meant for name, meant in found.items() if meant}


def heeded(row: Record, tracker: Tracker) -> bool:
    """
    Tell whether a row is in a project that is heeded.

    Args:
        row: with `project` and `project.Project.tank_name`; one without a project is heeded.
        tracker: the studio's.
    """
    project = row.link("project")
    return project is None or tracker.heeds(row.text(FOLDER_NAME), project.name)


def heeded_ids(client: SiteClient, tracker: Tracker) -> frozenset[int] | None:
    """
    Return the ids of the projects that are heeded; None for all there are.

    Raises:
        TrackerError: the site does not answer, or refuses.
    """
    if not tracker.projects:
        return None
    found = find_projects(client, tracker.projects)
    return frozenset(
        row.id
        for rows in found.values()
        for row in rows
        if tracker.heeds(row.text("tank_name"), row.text("name"))
    )


def check_projects(client: SiteClient, tracker: Tracker) -> Iterator[Finding]:
    """
    Yield whether the site has every project that is named.

    Raises:
        TrackerError: the site does not answer, or refuses.
    """
    if not tracker.projects:
        yield Finding(ok=True, subject="projects", message="All are heeded.")
        return
    found = find_projects(client, tracker.projects)
    missing = [name for name in tracker.projects if name not in found]
    yield Finding(
        ok=not missing,
        subject="projects",
        message=f"The site has no project {', '.join(missing)}."
        if missing
        else f"Heeded: {', '.join(tracker.projects)}.",
        advice="Correct tracker.projects." if missing else "",
    )


def _is_called(row: Record, name: str) -> bool:
    return any(same_name(row.text(field), name) for field in ("tank_name", "name"))
