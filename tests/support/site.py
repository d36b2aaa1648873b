"""An embedded tracker for tests: the real server, in a thread of the test process."""

import queue
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import shotgun_api3

from haikei.sgserver.http.hosting import SiteOptions
from haikei.sgserver.http.serving import serve_site
from haikei.sgserver.seeds.demo_studio import seed_demo
from haikei.sgserver.seeds.empty_site import seed_empty
from haikei.sgserver.site import Site

SCRIPT = "haikei"
KEY = "a-key-for-tests-alone"
_DEADLINE = 60.0


@dataclass(kw_only=True)
class RunningSite:
    """A site that answers; `site` is the same tracker seen from inside."""

    url: str
    site: Site
    script: str = SCRIPT
    key: str = KEY
    _clients: ExitStack = field(default_factory=ExitStack)

    @property
    def data(self) -> Path:
        """The site's folder."""
        return self.site.data

    def connect(self, *, sudo_as_login: str | None = None) -> shotgun_api3.Shotgun:
        """Return a client of its own that is signed in as the script; it is closed for you."""
        return self.closing(
            shotgun_api3.Shotgun(
                self.url,
                script_name=self.script,
                api_key=self.key,
                sudo_as_login=sudo_as_login,
            )
        )

    def closing(self, client: shotgun_api3.Shotgun) -> shotgun_api3.Shotgun:
        """Close that client when the site ends."""
        client.config.timeout_secs = _DEADLINE
        self._clients.callback(client.close)
        return client

    def close_clients(self) -> None:
        """Close every client that was handed out."""
        self._clients.close()


@contextmanager
def running_site(
    tmp_path: Path,
    *,
    seed: Literal["demo", "empty"] = "empty",
    uploads: Literal["classic", "cloud"] = "classic",
    thumbnail_delay: float = 0.1,
    options: SiteOptions | None = None,
    port: int = 0,
) -> Generator[RunningSite]:
    """
    Serve a site below `tmp_path` on a free loopback port while the block runs.

    A second call with the same folder goes on with the same site. `options`, where given, stand
    in place of `uploads` and `thumbnail_delay`.
    """
    chosen = options or SiteOptions(uploads=uploads, thumbnail_delay=thumbnail_delay)
    site = Site.open(tmp_path / "site")
    stop = threading.Event()
    announced: queue.Queue[str | BaseException] = queue.Queue()

    def run() -> None:
        try:
            serve_site(site, chosen, port=port, on_ready=announced.put, stop=stop)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            announced.put(error)

    thread = threading.Thread(target=run, name="running-site")
    with ExitStack() as stack:
        stack.callback(site.close)
        seed_empty(site)
        if seed == "demo":
            seed_demo(site)
        site.add_script(SCRIPT, KEY)
        thread.start()
        stack.callback(_end, thread, stop)
        answer = announced.get(timeout=_DEADLINE)
        if isinstance(answer, BaseException):
            raise answer
        running = RunningSite(url=answer, site=site)
        stack.callback(running.close_clients)
        yield running


def _end(thread: threading.Thread, stop: threading.Event) -> None:
    stop.set()
    thread.join(timeout=_DEADLINE)
    if thread.is_alive():
        message = "the site did not stop"
        raise AssertionError(message)
