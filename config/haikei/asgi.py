"""Serve an ASGI application on a socket until an event says stop: the pages and the tracker."""

import contextlib
import socket
import threading
from collections.abc import Callable, Generator

import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override

from haikei.errors import SettingsError

_BACKLOG = 512
_GRACE = 10  #: seconds that answers under way get to finish


@contextlib.contextmanager
def listening(host: str, port: int, *, what: str, setting: str) -> Generator[socket.socket]:
    """
    Yield a socket that listens; it is closed at the end.

    Args:
        host: the address to bind, IPv4 or IPv6.
        port: 0 picks a free one.
        what: is served, as the beginning of an error's sentence.
        setting: what a person changes to choose another port.

    Raises:
        SettingsError: the address cannot be bound, or the port is taken.
    """
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
                f"{what} cannot be served on {host}:{port}: {error}.",
                advice=f"Choose another {setting}, or 0 for any free one.",
            ) from error
        listener.listen(_BACKLOG)
        yield listener
    finally:
        listener.close()


def serve_until(
    stop: threading.Event,
    app: ASGIApp,
    listener: socket.socket,
    *,
    on_started: Callable[[], None],
    on_stopping: Callable[[], None] = lambda: None,
    dates: bool = True,
) -> None:
    """
    Serve the application; return when `stop` is set and the answers under way are sent.

    Args:
        stop: ends the server; signals are left to the caller.
        app: what is served, with its lifespan.
        listener: where, of `listening`.
        on_started: called once in the server's thread, when connections are accepted.
        dates: say the time in answers; an application that does so itself turns it off.
        on_stopping: called once `stop` is set, to end streams that never end by themselves.
    """
    config = uvicorn.Config(
        app,
        http="h11",
        loop="asyncio",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=dates,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_GRACE,
    )
    _Server(config, stop=stop, on_started=on_started, on_stopping=on_stopping).run([listener])


class _Server(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        *,
        stop: threading.Event,
        on_started: Callable[[], None],
        on_stopping: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._stop = stop
        self._on_started = on_started
        self._on_stopping = on_stopping

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_started()

    @override
    async def on_tick(self, counter: int) -> bool:
        if self._stop.is_set():
            self._on_stopping()
            return True
        return await super().on_tick(counter)
