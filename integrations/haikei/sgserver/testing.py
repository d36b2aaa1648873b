"""
The embedded tracker in other people's tests: the pytest fixture `sg_site`.

Installing Haikei makes the fixture known to pytest (entry point `pytest11`). Each test gets a
tracker of its own on a free loopback port, spoken to by whichever client the studio uses.
"""

import queue
import secrets
import threading
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

if TYPE_CHECKING:
    import shotgun_api3

    from haikei.sgserver.faults import FaultBoard
    from haikei.sgserver.http.hosting import SiteOptions
    from haikei.sgserver.site import Site

__all__ = ["SgSite", "serve_sg_site", "serving", "sg_site", "sg_site_seed"]

_PATIENCE = 60.0  #: seconds in which the site must answer, and stop


@dataclass(frozen=True, slots=True, kw_only=True)
class SgSite:
    """A tracker that runs; `site` is the same one seen from inside, for what no client can do."""

    url: str
    script_name: str
    api_key: str
    site: "Site"
    faults: "FaultBoard"  #: what goes wrong on purpose; nothing, until a test sets rules
    clients: ExitStack = field(default_factory=ExitStack)  #: closed when the site ends

    def connect(self, **options: Any) -> "shotgun_api3.Shotgun":
        """Return the official client, signed in as the script; it is closed with the site."""
        import shotgun_api3

        client = shotgun_api3.Shotgun(
            self.url, script_name=self.script_name, api_key=self.api_key, **options
        )
        self.clients.callback(client.close)
        return client


@contextmanager
def serve_sg_site(
    folder: Path, *, seed: Literal["demo", "empty"] = "empty", script_name: str = "tests"
) -> Generator[SgSite]:
    """
    Serve a tracker while the block runs.

    Args:
        folder: where it keeps its rows and files; made when it is not there.
        seed: `demo` holds a small studio with a show, people and statuses.
        script_name: the script user that may sign in; it generates events.

    Raises:
        RuntimeError: it does not answer, or does not stop.
    """

    from haikei.sgserver.faults import FaultBoard
    from haikei.sgserver.http.hosting import SiteOptions
    from haikei.sgserver.seeds.demo_studio import seed_demo, seed_empty
    from haikei.sgserver.site import Site

    site = Site.open(folder)
    with closing(site):
        seed_empty(site)
        if seed == "demo":
            seed_demo(site)
        key = secrets.token_urlsafe(24)
        site.add_script(script_name, key)
        board = FaultBoard(site)
        with serving(site, SiteOptions(thumbnail_delay=0.0, board=board)) as url:
            running = SgSite(url=url, script_name=script_name, api_key=key, site=site, faults=board)
            with running.clients:
                yield running


@contextmanager
def serving(site: "Site", options: "SiteOptions", *, port: int = 0) -> Generator[str]:
    """
    Serve an open site in a thread while the block runs; the address is handed to the block.

    Raises:
        BaseException: what ended the server before it answered.
        RuntimeError: it does not answer, or does not stop.
    """
    from haikei.sgserver.http.serving import serve_site

    stop = threading.Event()
    announced: queue.Queue[str | BaseException] = queue.Queue()

    def run() -> None:
        try:
            serve_site(site, options, port=port, on_ready=announced.put, stop=stop)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            announced.put(error)

    server = threading.Thread(target=run, name="sg_site", daemon=True)
    server.start()
    try:
        try:
            answer = announced.get(timeout=_PATIENCE)
        except queue.Empty:
            message = f"The embedded tracker in {site.data} did not answer in {_PATIENCE:.0f} s."
            raise RuntimeError(message) from None
        if isinstance(answer, BaseException):
            raise answer
        yield answer
    finally:
        stop.set()
        server.join(_PATIENCE)
    if server.is_alive():
        message = f"The embedded tracker in {site.data} did not stop."
        raise RuntimeError(message)


@pytest.fixture
def sg_site_seed() -> Literal["demo", "empty"]:
    """What `sg_site` holds; a test module overrides this fixture to have the demo studio."""
    return "empty"


@pytest.fixture
def sg_site(
    tmp_path_factory: pytest.TempPathFactory, sg_site_seed: Literal["demo", "empty"]
) -> Generator[SgSite]:
    """A tracker of the test's own that speaks ShotGrid's protocol."""
    with serve_sg_site(tmp_path_factory.mktemp("sg_site"), seed=sg_site_seed) as running:
        yield running
