"""Which of a site's scripts Haikei is, so that it knows what it wrote itself."""

from haikei.errors import TrackerRejected
from haikei.trackers.shotgrid_client import SiteClient
from haikei.trackers.shotgrid_record import Link


class Ourselves:
    """Haikei's own row on a site; read once."""

    def __init__(self, client: SiteClient) -> None:
        self._client = client
        self._id: int | None = None

    @property
    def id(self) -> int:
        """
        The id of our ApiUser.

        Raises:
            TrackerError: the site does not answer, or does not show it.
        """
        if self._id is None:
            rows = self._client.find("ApiUser", [["firstname", "is", self._client.script]], ["id"])
            if not rows:
                raise TrackerRejected(
                    f"The script {self._client.script!r} cannot see its own row.",
                    advice="Let its permission role see scripts: it must know its own events.",
                )
            self._id = rows[0].id
        return self._id

    def is_us(self, user: Link | None) -> bool:
        """
        Tell whether a link to a user points to us.

        Raises:
            TrackerError: the site does not answer, or does not show our row.
        """
        return user is not None and user.type == "ApiUser" and user.id == self.id
