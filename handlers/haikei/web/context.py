"""What every page and endpoint works with."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

from haikei.settings import Settings
from haikei.storage import Storage
from haikei.trackers import Part, ReviewDesk, Tracker, needed
from haikei.web.live import Broadcaster
from haikei.web.security.requests import RateLimit
from haikei.web.security.sessions import Sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class WebContext:
    """One studio's web application."""

    settings: Settings
    database: Engine
    storage: Storage
    open_tracker: Callable[[Settings], Tracker]  #: makes what one thread uses
    sessions: Sessions
    requests: RateLimit  #: of one address: sign-in, menu items and decisions
    live: Broadcaster
    address: str  #: where people reach the pages, without a slash at its end

    @contextmanager
    def tracker(self) -> Generator[Tracker]:
        """Yield the studio's tracker; for one thread, closed at the end."""
        tracker = self.open_tracker(self.settings)
        try:
            yield tracker
        finally:
            tracker.close()

    @contextmanager
    def desk(self) -> Generator[ReviewDesk]:
        """Yield what people decide in the tracker; for one thread, closed at the end."""
        with self.tracker() as tracker:
            yield needed(tracker.parts.review, tracker, Part.REVIEW)
