"""`POST /webhooks/shotgrid`: the tracker tells us where to look, and is answered at once."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from haikei.database import utc_now
from haikei.settings import Settings
from haikei.trackers import TrackerFeed
from haikei.trackers.menu import WEBHOOK_PATH
from haikei.web.body import read_body
from haikei.web.caller import caller
from haikei.web.deliveries import Deliveries, Delivery, DeliveryMalformed, read_deliveries
from haikei.web.discussed import Discussed, Discussion
from haikei.web.once import Pruning, forget_before, take_once
from haikei.web.signed import is_same, webhook_signature
from haikei.web.waking import Told, Waking, told_by

log = structlog.get_logger()

#: A delivery is taken this long after it was sent, and remembered longer than that.
WINDOW, KEPT = timedelta(hours=1), timedelta(hours=3)
#: How far the site's clock may be ahead of ours.
SKEW = timedelta(minutes=5)
#: Seconds that a delivery may wait for the database: the site gives up after six.
PATIENCE = 4.0
#: Deliveries that may wait at once.
WAITING = 200
_SIGNATURE = "x-sg-signature"
_OWN_STATE = frozenset({"Test_Connection", "Webhook_Status_Change"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a request."""

    new: int
    told: Told


class Webhooks:
    """
    Checks deliveries and notes them, each in one short transaction and each once.

    Args:
        settings: the studio's.
        database: the studio's own.
        open_feed: makes a thread's connection to the tracker's event log.
    """

    def __init__(
        self,
        settings: Settings,
        database: Engine,
        open_feed: Callable[[Settings], TrackerFeed],
    ) -> None:
        self._settings = settings
        self._database = database
        self._token = settings.web.webhook_token
        self._waking = Waking(settings, str(settings.tracker.url).rstrip("/"))
        self._pruning = Pruning(KEPT)
        self._discussed = Discussed(settings, database, open_feed)
        # One thread: deliveries never compete with each other for the one writer's place.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="webhooks")
        self._waiting = 0

    def routes(self) -> list[Route]:
        """Return what the application serves."""
        return [Route(WEBHOOK_PATH, self.receive, methods=["POST"])]

    def start(self) -> None:
        """Begin to ask the tracker about Notes."""
        self._discussed.start()

    def stop(self) -> None:
        """End, when what was taken is noted."""
        self._writer.shutdown()
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
        items = [one for one in deliveries.items if one.event_type not in _OWN_STATE]
        for one in deliveries.items:
            if one.event_type in _OWN_STATE:
                log.info("webhook_spoke_of_itself", said=one.event_type)
        if not items:
            return _answer(200, taken=0)
        taken = await self._noted(items)
        if taken is None:
            return _answer(503, error="busy", headers={"Retry-After": "10"})
        if not taken.new:
            log.info("webhook_repeated", deliveries=len(items))
            return _answer(200, taken=0, said="already taken")
        self._discussed.ask(Discussion(notes=taken.told.notes, replies=taken.told.replies))
        return _answer(202, taken=taken.new)

    async def _checked(self, request: Request) -> Deliveries:
        token = self._token.get_secret_value() if self._token else ""
        if not token:
            raise HTTPException(503, "No webhook token is set here: HAIKEI_WEB__WEBHOOK_TOKEN.")
        given = request.headers.get(_SIGNATURE, "")
        if not given:
            raise HTTPException(401, "There is no signature.")
        body = await read_body(request, limit=self._settings.web.max_body_kib * 1024)
        if not is_same(given, webhook_signature(token, body)):
            raise HTTPException(401, "The signature is wrong.")
        try:
            deliveries = read_deliveries(body)
        except DeliveryMalformed as error:
            raise HTTPException(400, f"This is no delivery: {error}") from None
        now = utc_now()
        if not now - WINDOW <= deliveries.sent_at <= now + SKEW:
            raise HTTPException(403, "It was sent too long ago, or is from the future.")
        return deliveries

    async def _noted(self, items: list[Delivery]) -> Taken | None:
        if self._waiting >= WAITING:
            log.warning("webhook_put_off", waiting=self._waiting)
            return None
        self._waiting += 1
        abandoned = threading.Event()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(PATIENCE):
                return await loop.run_in_executor(self._writer, self._note, items, abandoned)
        except (TimeoutError, SQLAlchemyError) as error:
            abandoned.set()
            log.warning("webhook_put_off", error=str(error) or "the database was busy")
            return None
        finally:
            self._waiting -= 1

    def _note(self, items: list[Delivery], abandoned: threading.Event) -> Taken | None:
        if abandoned.is_set():
            return None
        now = utc_now()
        by_key = {one.key: one for one in items}
        with self._database.begin() as connection:
            new = take_once(connection, by_key.keys(), now)
            told = told_by(by_key[key] for key in sorted(new))
            self._waking.act(connection, told)
            if (moment := self._pruning.due(now)) is not None:
                forget_before(connection, moment)
        return Taken(new=len(new), told=told)


def _answer(
    status: int, *, headers: dict[str, str] | None = None, **content: str | int
) -> JSONResponse:
    return JSONResponse(content, status, headers)
