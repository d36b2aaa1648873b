"""What every page and endpoint works with."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

from haikei.settings import Settings
from haikei.storage import Storage
from haikei.trackers import ReviewDesk
from haikei.trackers.contract import SelectionDesk
from haikei.web.live import Broadcaster
from haikei.web.security.requests import RateLimit
from haikei.web.security.sessions import Sessions
from haikei.web.tracker_access import SiteFeed


@dataclass(frozen=True, slots=True, kw_only=True)
class WebContext:
    """One studio's web application."""

    settings: Settings
    database: Engine
    storage: Storage
    open_review_desk: Callable[[Settings], ReviewDesk]
    open_feed: Callable[[Settings], SiteFeed]
    open_selection: Callable[[Settings], SelectionDesk]
    sessions: Sessions
    requests: RateLimit  #: of one address: sign-in, menu items and decisions
    live: Broadcaster
    address: str  #: where people reach the pages, without a slash at its end

    @contextmanager
    def desk(self) -> Generator[ReviewDesk]:
        """Yield what people decide in the tracker; for one thread, closed at the end."""
        desk = self.open_review_desk(self.settings)
        try:
            yield desk
        finally:
            desk.close()
