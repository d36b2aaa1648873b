"""Serve the web application until somebody says stop."""

import contextlib
import socket
import threading
from collections.abc import Callable, Generator

import structlog
import uvicorn
from sqlalchemy import Engine
from typing_extensions import override

from haikei.errors import HaikeiError, SettingsError
from haikei.settings import Settings
from haikei.trackers import Part, load_tracker, needed
from haikei.web.address import address, is_open, own_address
from haikei.web.application import make_app
from haikei.web.live import Broadcaster

log = structlog.get_logger()

_BACKLOG = 512
_GRACE = 10  #: seconds that answers under way get to finish


def serve(
    settings: Settings,
    database: Engine,
    *,
    on_ready: Callable[[str], None],
    stop: threading.Event,
) -> None:
    """
    Serve a studio's pages; return when `stop` is set and the answers under way are sent.

    Args:
        settings: the studio's; a port of 0 picks a free one.
        database: the studio's own.
        on_ready: called once with its own address, proxies left out, when requests are answered.
        stop: ends the server.

    Raises:
        SettingsError: the port is taken, or others could come and nobody could sign in.
    """
    web = settings.web
    if not is_open(web):
        try:
            tracker = load_tracker(settings)
            needed(tracker.parts.sign_in, tracker, Part.SIGN_IN)
        except HaikeiError as error:
            raise SettingsError(
                f"{web.host} lets others in, and nobody could sign in: {error.message}",
                advice="Give the script's key, or set web.host to 127.0.0.1.",
            ) from error
    with _bound(web.host, web.port) as listener:
        port = int(listener.getsockname()[1])
        own = own_address(web.host, port)
        at = own if web.url is None else address(settings)
        if not is_open(web) and at.startswith("http:"):
            log.warning(
                "sessions_unencrypted",
                url=at,
                advice="Put a proxy with TLS before it, and set web.url to its https address.",
            )
        live = Broadcaster(database)
        config = uvicorn.Config(
            make_app(settings, database, at=at, live=live),
            http="h11",
            loop="asyncio",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=_GRACE,
        )
        server = _Server(config, stop=stop, live=live, on_ready=lambda: on_ready(own))
        server.run(sockets=[listener])
    log.info("web_stopped", url=own)


class _Server(uvicorn.Server):
    """Ends with an event, ends every stream first, and leaves signals to the caller."""

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        stop: threading.Event,
        live: Broadcaster,
        on_ready: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._stop = stop
        self._live = live
        self._on_ready = on_ready

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    @override
    async def on_tick(self, counter: int) -> bool:
        if self._stop.is_set():
            # An open stream is an answer under way that would never end by itself.
            self._live.stop()
            return True
        return await super().on_tick(counter)


@contextlib.contextmanager
def _bound(host: str, port: int) -> Generator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol left at 0, asyncio would not turn Nagle's algorithm off for connections,
    # and every answer, being sent in two pieces, would wait 40 ms for the client's delayed ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except (OSError, OverflowError) as error:
            raise SettingsError(
                f"Haikei's pages cannot be served on {host}:{port}: {error}.",
                advice="Choose another web.port, or 0 for any free one.",
            ) from error
        listener.listen(_BACKLOG)
        yield listener
    finally:
        listener.close()
