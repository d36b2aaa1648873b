"""The ShotGrid adapter: the studio's site through the official client."""

from pydantic import SecretStr

from haikei.checkup import Finding
from haikei.database.budget import shared_budget
from haikei.settings import Settings
from haikei.show import Row
from haikei.trackers.contract.tracker import (
    ContextRequest,
    LayoutContext,
    PublishRequest,
    PublishResult,
    TrackerParts,
)
from haikei.trackers.loading import tracker_key
from haikei.trackers.shotgrid.client import SiteClient
from haikei.trackers.shotgrid.context import ContextReader
from haikei.trackers.shotgrid.crediting import ShotGridCheckpointBoard, ShotGridCreditDesk
from haikei.trackers.shotgrid.feed import ShotGridFeed
from haikei.trackers.shotgrid.people import ShotGridDirectory
from haikei.trackers.shotgrid.playlists import ShotGridPlaylistDesk
from haikei.trackers.shotgrid.projects import Catalogue
from haikei.trackers.shotgrid.publishing import Publisher
from haikei.trackers.shotgrid.requests import ShotGridMenu, ShotGridWebhooks
from haikei.trackers.shotgrid.review import ShotGridReviewDesk
from haikei.trackers.shotgrid.visitors import ShotGridSelection, ShotGridSignIn


def open_site(settings: Settings) -> "ShotGridTracker":
    """
    Return the adapter of the studio's site; the entry point `shotgrid`.

    Raises:
        SettingsError: the script's key is nowhere.
    """
    return ShotGridTracker(settings, tracker_key(settings))


class ShotGridTracker:
    """
    A ShotGrid (Flow Production Tracking) site, or anything that speaks its protocol.

    Keep one object for many backgrounds: it remembers what the site is, its file types, its
    storages and the people it has met, and then needs at most eight round trips for each.
    """

    def __init__(self, settings: Settings, key: SecretStr) -> None:
        self._settings = settings
        self._key = key
        self._client = SiteClient(
            settings.tracker,
            key,
            before=shared_budget(
                settings.database_url, str(settings.tracker.url), settings.tracker.calls_per_minute
            ),
        )
        self._catalogue = Catalogue(self._client)
        self._context = ContextReader(self._client, settings)
        self._publisher = Publisher(self._client, self._catalogue, settings)
        self._parts = TrackerParts(
            feed=ShotGridFeed(self._client, settings),
            review=ShotGridReviewDesk(self._client, settings),
            credits=ShotGridCreditDesk(self._client, settings),
            playlists=ShotGridPlaylistDesk(self._client),
            checkpoints=ShotGridCheckpointBoard(self._client),
            selection=ShotGridSelection(self._client, settings),
            sign_in=ShotGridSignIn(settings.tracker),
            webhooks=ShotGridWebhooks(settings),
            menu=ShotGridMenu(settings),
            directory=ShotGridDirectory(self._client, settings),
        )

    @property
    def name(self) -> str:
        """The product's name."""
        return "ShotGrid"

    @property
    def parts(self) -> TrackerParts:
        """All parts that there are, over the same connection."""
        return self._parts

    def address(self, row: Row) -> str:
        """Return the URL of a row's page on the site."""
        return f"{self._client.url}/detail/{row.type}/{row.id}"

    def context(self, request: ContextRequest) -> LayoutContext:
        """
        Return what the site knows of a layout.

        Raises:
            PlaceUnknown: the project or shot is not there, or not the only one of its name.
            TrackerError: the site does not answer, or refuses.
        """
        return self._context.read(request)

    def publish(self, request: PublishRequest) -> PublishResult:
        """
        Make the rows of a background complete; with the same key again, finish what is missing.

        Raises:
            TrackerRejected: the site refuses, or does not hold what was sent.
            TrackerUnavailable: the site gives no answer; call again with the same key.
        """
        return self._publisher.publish(request)

    def setup(self, *, dry_run: bool) -> tuple[Finding, ...]:
        """
        Create what is missing: fields, file types, storages, statuses, menu items, webhooks.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        from haikei.trackers.shotgrid.projects import heeded_ids
        from haikei.trackers.shotgrid.setup import set_up
        from haikei.trackers.shotgrid.webhooks import set_up_webhooks

        projects = heeded_ids(self._client, self._settings.tracker)
        return (
            *set_up(self._client, self._settings, dry_run=dry_run),
            *set_up_webhooks(self._settings, self._key, projects=projects, dry_run=dry_run),
        )

    def check(self) -> tuple[Finding, ...]:
        """Return one finding for each thing that must be right; never raises for the site."""
        from haikei.trackers.shotgrid.checkup import check_site

        return check_site(self._client, self._settings, self._key)

    def close(self) -> None:
        """Close the connection of this thread; the next call opens one again."""
        self._client.close()
