"""The Kitsu adapter: the studio's server through the official client, gazu."""

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
from haikei.trackers.kitsu.client import KitsuSite
from haikei.trackers.kitsu.context import KitsuContext
from haikei.trackers.kitsu.desks import KitsuCheckpointBoard, KitsuCreditDesk, KitsuPlaylistDesk
from haikei.trackers.kitsu.feed import KINDS, KitsuFeed
from haikei.trackers.kitsu.numbering import Numbering
from haikei.trackers.kitsu.people import KitsuDirectory, KitsuPeople
from haikei.trackers.kitsu.places import KitsuPlaces
from haikei.trackers.kitsu.publishing import KitsuPublisher
from haikei.trackers.kitsu.review import KitsuReviewDesk
from haikei.trackers.kitsu.setup import check, set_up
from haikei.trackers.kitsu.stream import KitsuStream
from haikei.trackers.kitsu.visitors import KitsuSelection, KitsuSignIn
from haikei.trackers.loading import tracker_key


def open_kitsu(settings: Settings) -> "KitsuTracker":
    """
    Return the adapter of the studio's server; the entry point `kitsu`.

    Raises:
        SettingsError: the bot's token is nowhere.
    """
    return KitsuTracker(settings, tracker_key(settings))


class KitsuTracker:
    """A Kitsu server (zou). It has every part but webhooks and menus, which Kitsu lacks."""

    def __init__(self, settings: Settings, key: SecretStr) -> None:
        self._settings = settings
        tracker = settings.tracker
        budget = shared_budget(settings.database_url, str(tracker.url), tracker.calls_per_minute)
        self._site = site = KitsuSite(tracker, key, before=budget)
        self._numbering = numbering = Numbering(settings.database_url, site.url)
        self._places = places = KitsuPlaces(site, settings.tracker)
        people = KitsuPeople(site, settings)
        self._context = KitsuContext(site, settings, places, people, numbering)
        self._publisher = KitsuPublisher(site, settings, places, numbering)
        self._stream = KitsuStream(site, settings, tuple(KINDS))
        self._parts = TrackerParts(
            feed=KitsuFeed(site, settings, places, people, numbering),
            review=KitsuReviewDesk(site, settings, places, people, numbering),
            credits=KitsuCreditDesk(site, places, people, numbering),
            playlists=KitsuPlaylistDesk(site, numbering),
            checkpoints=KitsuCheckpointBoard(site, places),
            selection=KitsuSelection(site, places, people, numbering),
            sign_in=KitsuSignIn(site, people),
            directory=KitsuDirectory(site=site, people=people, numbering=numbering),
            doorbell=self._stream,
        )

    @property
    def name(self) -> str:
        """The product's name."""
        return "Kitsu"

    @property
    def parts(self) -> TrackerParts:
        """All parts that there are, over the same connection."""
        return self._parts

    def address(self, row: Row) -> str:
        """Return the URL at which a person can look at a row."""
        found = self._numbering.numbered(row.type, [row.id])
        path = found[0].note if found else ""
        return f"{self._site.url}{path if path.startswith('/') else ''}"

    def context(self, request: ContextRequest) -> LayoutContext:
        """
        Return what the server knows of a layout.

        Raises:
            PlaceUnknown: the production or shot is not there, or not the only one of its name.
            TrackerError: the server does not answer, or refuses.
        """
        return self._context.read(request)

    def publish(self, request: PublishRequest) -> PublishResult:
        """
        Make the rows of a background complete; with the same key again, finish what is missing.

        Raises:
            TrackerRejected: the server refuses, or does not hold what was sent.
            TrackerUnavailable: the server gives no answer; call again with the same key.
        """
        return self._publisher.publish(request)

    def setup(self, *, dry_run: bool) -> tuple[Finding, ...]:
        """
        Create what is missing: task types, output types, the column of credits.

        Raises:
            TrackerError: the server does not answer, or refuses.
        """
        return set_up(self._site, self._settings, self._places, dry_run=dry_run)

    def check(self) -> tuple[Finding, ...]:
        """Return one finding for each thing that must be right; never raises for the server."""
        found = check(self._site, self._settings, self._places)
        stream = self._stream.check() if found[0].ok else None
        return (*found, stream) if stream is not None else found

    def close(self) -> None:
        """Close this thread's connection; the next call opens one again."""
        self._site.close()
