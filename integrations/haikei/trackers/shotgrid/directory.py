"""All projects and people of a site, by each of their names."""

from haikei.settings import Settings
from haikei.trackers.contract.directory import Directory, ListedProject
from haikei.trackers.shotgrid.client import SiteClient
from haikei.trackers.shotgrid.people import People


class ShotGridDirectory:
    """
    Implements `DirectoryReader`.

    Args:
        client: of the site.
        settings: the studio's, which name people and the fields that hold their names.
    """

    def __init__(self, client: SiteClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings

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
        settings = self._settings
        people = People(self._client, settings.people, settings.tracker.person_fields)
        return Directory(projects=projects, people=people.everyone())
