"""How the web application reaches the studio's tracker; tests reach another one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr

from haikei.settings import Settings
from haikei.trackers import TrackerFeed, tracker_key
from haikei.trackers.contract import SelectionDesk, SignedIn


class Authenticate(Protocol):
    """Checks a login and a password; a code is the second factor, where one is asked for."""

    def __call__(
        self, settings: Settings, login: str, password: SecretStr, /, *, code: str = ""
    ) -> SignedIn | None:
        """Return who that is, None when it is nobody."""
        ...


class SiteFeed(TrackerFeed, Protocol):
    """The tracker's event log, whose connection can be closed."""

    def close(self) -> None:
        """Close this thread's connection; the next call opens one again."""
        ...


def open_feed(settings: Settings) -> SiteFeed:
    """Return the tracker's event log, ready for use in this thread."""
    from haikei.trackers.shotgrid import ShotGridFeed

    return ShotGridFeed(settings, tracker_key(settings))


def open_selection(settings: Settings) -> SelectionDesk:
    """Return the tracker's rows that people select, ready for use in this thread."""
    from haikei.trackers.shotgrid import ShotGridSelection

    return ShotGridSelection(settings, tracker_key(settings))


def authenticate(
    settings: Settings, login: str, password: SecretStr, *, code: str = ""
) -> SignedIn | None:
    """
    Return who has this login and password in the tracker; None when nobody active has.

    Raises:
        TrackerError: the tracker does not answer.
    """
    from haikei.trackers.shotgrid import visiting

    return visiting.authenticate(settings, login, password, code=code)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteAccess:
    """How to reach it: each of these makes what one thread uses."""

    feed: Callable[[Settings], SiteFeed] = open_feed
    selection: Callable[[Settings], SelectionDesk] = open_selection
    authenticate: Authenticate = authenticate
