"""All projects and people of a site, by each of their names."""

from collections.abc import Sequence

from haikei.settings import PersonEntry
from haikei.trackers.contract.directory import Directory, ListedProject
from haikei.trackers.shotgrid.client import SiteClient
from haikei.trackers.shotgrid.people import People


class ShotGridDirectory:
    """
    Implements `DirectoryReader`.

    Args:
        client: of the site.
        entries: how the studio's settings name people.
    """

    def __init__(self, client: SiteClient, entries: Sequence[PersonEntry]) -> None:
        self._client = client
        self._entries = entries

    def read(self) -> Directory:
        """
        Return all projects and people of the site.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        projects = tuple(
            ListedProject(
                id=f"Project:{row.id}",
                path_name=row.text("tank_name") or row.text("name"),
                title=row.text("name"),
            )
            for row in self._client.find("Project", [], ("name", "tank_name"))
        )
        people = People(self._client, self._entries)
        return Directory(projects=projects, people=people.everyone())
