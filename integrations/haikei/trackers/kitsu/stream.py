"""
Kitsu's event stream as a doorbell: what happened is read from the log, which has all of it.

The stream is a server of its own (`zou.event_stream`, socket.io). It does not send again what was
missed, so nothing but a ring is taken from it.
"""

import logging
import math
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, cast

import requests
import socketio  # type: ignore[import-untyped]
import structlog
from socketio.exceptions import (  # type: ignore[import-untyped]
    ConnectionError as StreamError,
)

from haikei.checkup import Finding
from haikei.settings import Settings
from haikei.trackers.kitsu.client import KitsuSite

log = structlog.get_logger()

NAMESPACE = "/events"
#: Seconds between attempts to connect to the stream; each time twice as long.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
#: Seconds in which the threads of a connection end.
_GRACE = 5.0
#: socket.io writes to the terminal by itself unless it is given a logger in place of its flag;
#: what happened to the stream is in our own log.
_MUTE = logging.Logger("kitsu.stream", logging.CRITICAL + 1)  # noqa: LOG001 - in no hierarchy


class KitsuStream:
    """
    Implements `Doorbell`.

    Args:
        site: gives the token, and the address where the settings name none.
        settings: the studio's.
        events: the names of the events that ring.
    """

    def __init__(self, site: KitsuSite, settings: Settings, events: tuple[str, ...]) -> None:
        self._site = site
        self._live = settings.events.enabled and settings.events.live
        self._poll = settings.events.poll
        self._timeout = min(settings.tracker.timeout, 10.0)
        self._events = events
        given = settings.tracker.events_url
        self.url = str(given).rstrip("/") if given else site.url

    @contextmanager
    def listen(self, ring: Callable[[], None]) -> Generator[None]:
        """Ring for events of the stream while the block runs, and whenever it connects again."""
        stop = threading.Event()
        thread = threading.Thread(
            target=self._keep_listening, args=(ring, stop), name="event-stream", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(_GRACE)

    def check(self) -> Finding | None:
        """Return whether the stream can be reached now; None where the settings turn it off."""
        if not self._live:
            return None
        try:
            with self._heard(lambda: None):
                pass
        except StreamError as error:
            return Finding(
                ok=False,
                subject="kitsu event stream",
                message=f"{self.url} tells of no events: {error}. Nothing is lost: the log is "
                f"read every {self._poll:g} s.",
                advice="Is zou.event_stream running, and does the web server pass /socket.io on? "
                "Set tracker.events_url where it has another address, or events.live to false.",
            )
        return Finding(
            ok=True,
            subject="kitsu event stream",
            message=f"{self.url} tells of events as they happen.",
        )

    def _keep_listening(self, ring: Callable[[], None], stop: threading.Event) -> None:
        pause, away = _FIRST_PAUSE, False
        while not stop.is_set():
            try:
                with self._heard(ring) as ended:
                    log.info("event_stream_heard", address=self.url)
                    pause, away = _FIRST_PAUSE, False
                    # What happened before is waiting in the log.
                    ring()
                    while not stop.wait(0.5) and not ended.is_set():
                        pass
                error = "the connection ended"
            except StreamError as reason:
                error = str(reason)
            if stop.is_set():
                return
            if not away:
                away = True
                log.warning(
                    "event_stream_away",
                    address=self.url,
                    error=error,
                    advice=f"Nothing is lost: the log is read every {self._poll:g} s meanwhile.",
                )
            stop.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    @contextmanager
    def _heard(self, ring: Callable[[], None]) -> Generator[threading.Event]:
        """
        Stay connected while the block runs; the event is set when the connection ends.

        Raises:
            StreamError: it does not answer, or does not take the token.
        """
        ended = threading.Event()
        refused: list[str] = []

        def say(reason: Any = "") -> None:
            refused.append(str(reason.get("message", "")) if isinstance(reason, dict) else "")

        def end(*_: object) -> None:
            ended.set()

        def hear(*_: object) -> None:
            ring()

        with requests.Session() as session:
            client = socketio.Client(
                reconnection=False,
                handle_sigint=False,
                request_timeout=self._timeout,
                http_session=session,
                logger=cast("bool", _MUTE),
                engineio_logger=cast("bool", _MUTE),
            )
            client.on("disconnect", end, namespace=NAMESPACE)
            client.on("connect_error", say, namespace=NAMESPACE)
            for name in self._events:
                client.on(name, hear, namespace=NAMESPACE)
            try:
                client.connect(
                    self.url,
                    headers=self._site.authorization(),
                    namespaces=[NAMESPACE],
                    wait_timeout=math.ceil(self._timeout),
                )
            except (StreamError, ValueError, KeyError) as error:
                # What answers may be no stream at all.
                message = next(filter(None, refused), "") or str(error)
                raise StreamError(self._site.without_key(message)) from error
            try:
                yield ended
            finally:
                client.disconnect()
