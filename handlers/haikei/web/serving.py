"""Serve the web application until somebody says stop."""

import threading
from collections.abc import Callable

import structlog
from sqlalchemy import Engine

from haikei.asgi import listening, serve_until
from haikei.errors import HaikeiError, SettingsError
from haikei.settings import Settings
from haikei.trackers import Part, load_tracker, needed
from haikei.web.address import address, is_open, own_address
from haikei.web.application import make_app
from haikei.web.live import Broadcaster

log = structlog.get_logger()


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
    with listening(web.host, web.port, what="Haikei's pages", setting="web.port") as listener:
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
        serve_until(
            stop,
            make_app(settings, database, at=at, live=live),
            listener,
            on_started=lambda: on_ready(own),
            # An open stream is an answer under way that would never end by itself.
            on_stopping=live.stop,
        )
    log.info("web_stopped", url=own)
