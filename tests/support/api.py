"""A studio's API that answers on a port of this machine, for clients that are no test client."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from haikei.asgi import listening, serve_until
from haikei.client import Client
from haikei.jobs.engine import Dispatcher
from haikei.settings import Settings
from haikei.trackers import TrackerParts
from haikei.trackers.memory import MemorySelectionDesk
from haikei.web import ApiScope, Tokens, make_app
from support.clocks import PATIENCE
from support.jobs import MemoryEngine
from support.trackers import MemoryReview, PartsTracker
from support.web import web_of


@dataclass(slots=True, kw_only=True)
class ServedApi:
    """One studio, its API and a token that may do everything."""

    settings: Settings
    database: Engine
    desk: MemoryReview
    selection: MemorySelectionDesk
    url: str
    token: str

    def client(self, *, sleep: Callable[[float], None] = lambda _: None) -> Client:
        """Return a client that waits for nothing."""
        return Client(self.url, self.token, timeout=PATIENCE, sleep=sleep)

    def dispatch(self) -> None:
        """Let jobs be made of what was handed in."""
        Dispatcher(self.settings, self.database, MemoryEngine(), ahead=99).take_events()


@contextmanager
def served_api(folder: Path, **sections: Any) -> Generator[ServedApi]:
    """Yield a studio whose API answers until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with web_of(folder, **sections) as web:
        parts = TrackerParts(review=web.desk, selection=web.selection)
        app = make_app(web.settings, web.database, open_tracker=lambda _: PartsTracker(parts))
        _, token = Tokens(web.database).create("tests", ApiScope)
        stop, started = threading.Event(), threading.Event()
        with listening("127.0.0.1", 0, what="The API", setting="web.port") as listener:
            thread = threading.Thread(
                target=serve_until,
                args=(stop, app, listener),
                kwargs={"on_started": started.set},
            )
            thread.start()
            try:
                assert started.wait(PATIENCE)
                yield ServedApi(
                    settings=web.settings,
                    database=web.database,
                    desk=web.desk,
                    selection=web.selection,
                    url=f"http://127.0.0.1:{listener.getsockname()[1]}",
                    token=token.get_secret_value(),
                )
            finally:
                stop.set()
                thread.join(PATIENCE)
