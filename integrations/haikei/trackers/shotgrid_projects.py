"""Find projects by the names that paths use."""

from collections.abc import Mapping, Sequence

from haikei.trackers.shotgrid_client import SiteClient
from haikei.trackers.shotgrid_places import same_name
from haikei.trackers.shotgrid_record import Record


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


def _is_called(row: Record, name: str) -> bool:
    return any(same_name(row.text(field), name) for field in ("tank_name", "name"))
