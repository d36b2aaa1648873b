"""`POST /webhooks/{kind}`: the tracker reports where to look, and is answered at once."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog
from sqlalchemy import Engine
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from haikei.database import utc_now
from haikei.errors import HaikeiError, RequestForged, RequestMalformed
from haikei.settings import Settings
from haikei.trackers import (
    Deliveries,
    Delivery,
    Part,
    Tracker,
    WebhookReader,
    needed,
    webhook_path,
)
from haikei.web.security.requests import caller, read_body
from haikei.web.webhooks.recording import Pruning, Recorder
from haikei.web.webhooks.webhook_dispatch import Discussed, Scope, Waking

log = structlog.get_logger()

#: A delivery is taken this long after it was sent, and remembered longer than that.
WINDOW, KEPT = timedelta(hours=1), timedelta(hours=3)
#: How far the site's clock may be ahead of ours.
SKEW = timedelta(minutes=5)
#: Seconds for which an answer waits until its delivery is noted; then being in line is enough.
ENOUGH = 0.02


class Webhooks:
    """
    Checks deliveries and notes them, each in one short transaction and each once.

    Args:
        settings: the studio's.
        database: the studio's own.
        open_tracker: makes a thread's adapter of the tracker.
    """

    def __init__(
        self,
        settings: Settings,
        database: Engine,
        open_tracker: Callable[[Settings], Tracker],
    ) -> None:
        self._settings = settings
        self._token = settings.web.webhook_token
        feed = str(settings.tracker.url).rstrip("/")
        self._scope = Scope(settings)
        self._open_tracker = open_tracker
        self._reader: WebhookReader | None = None
        self._discussed = Discussed(settings, database, open_tracker, self._scope)
        self._recorder = Recorder(
            database, Waking(settings, feed), Pruning(KEPT), on_new=self._discussed.ask
        )

    def routes(self) -> list[Route]:
        """Return what the application serves."""
        return [Route(webhook_path(self._settings.tracker.kind), self.receive, methods=["POST"])]

    def start(self) -> None:
        """Begin to note deliveries, and to ask the tracker about Notes."""
        self._recorder.start()
        self._discussed.start()

    def stop(self) -> None:
        """End, when what was taken is noted."""
        self._recorder.stop()
        self._discussed.stop()

    async def receive(self, request: Request) -> Response:
        """Take one request of the site."""
        try:
            deliveries = await self._checked(request)
        except HTTPException as error:
            log.warning(
                "webhook_refused",
                status=error.status_code,
                reason=error.detail,
                address=caller(request, self._settings),
            )
            return _answer(error.status_code, error=error.detail)
        items = [
            one
            for one in deliveries.items
            if not one.own_state and not self._scope.elsewhere(one.project)
        ]
        if len(items) < len(deliveries.items):
            # A project may be new, or have got another name.
            self._discussed.learn()
        for one in deliveries.items:
            if one.own_state:
                log.info("webhook_spoke_of_itself", said=one.own_state)
        if not items:
            return _answer(200, taken=0)
        return await self._noted(items)

    async def _checked(self, request: Request) -> Deliveries:
        token = self._token.get_secret_value() if self._token else ""
        if not token:
            raise HTTPException(503, "No webhook token is set here: HAIKEI_WEB__WEBHOOK_TOKEN.")
        body = await read_body(request, limit=self._settings.web.max_body_kib * 1024)
        try:
            if self._reader is None:
                self._reader = await asyncio.to_thread(self._open_reader)
            deliveries = self._reader.read(request.headers, body)
        except RequestForged as error:
            raise HTTPException(401, error.message) from None
        except RequestMalformed as error:
            raise HTTPException(400, error.message) from None
        except HaikeiError as error:
            raise HTTPException(503, error.message) from None
        now = utc_now()
        if not now - WINDOW <= deliveries.sent_at <= now + SKEW:
            raise HTTPException(403, "It was sent too long ago, or is from the future.")
        return deliveries

    def _open_reader(self) -> WebhookReader:
        tracker = self._open_tracker(self._settings)
        return needed(tracker.parts.webhooks, tracker, Part.WEBHOOKS)

    async def _noted(self, items: list[Delivery]) -> Response:
        noting = self._recorder.note(items)
        if noting is None:
            log.warning("webhook_put_off", error="too many deliveries wait")
            return _answer(503, error="busy", headers={"Retry-After": "10"})
        await asyncio.wait({asyncio.wrap_future(noting)}, timeout=ENOUGH)
        if not noting.done():
            # It waits in line and will be noted. Should this machine fail first, the follower of
            # the event log reads of the same things.
            return _answer(202, said="queued")
        new = noting.result()
        if new is None:
            return _answer(503, error="busy", headers={"Retry-After": "10"})
        if not new:
            log.info("webhook_repeated", deliveries=len(items))
            return _answer(200, taken=0, said="already taken")
        return _answer(202, taken=new)


def _answer(
    status: int, *, headers: dict[str, str] | None = None, **content: str | int
) -> JSONResponse:
    return JSONResponse(content, status, headers)
