"""The web application of a studio, served until somebody says stop."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import structlog
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from haikei.asgi import listening, serve_until
from haikei.database import ChangeStamp
from haikei.errors import HaikeiError, SettingsError
from haikei.processes import Condition, Readying
from haikei.settings import Settings
from haikei.storage import Storage
from haikei.trackers import Part, Tracker, load_tracker, needed
from haikei.web.address import HEALTH, READINESS, address, hosts, is_open, own_address
from haikei.web.api.calls import Api, refusal_of
from haikei.web.context import Broadcaster, WebContext
from haikei.web.menu import Menu
from haikei.web.message import message_page
from haikei.web.metrics import Metrics
from haikei.web.security.request_security import RequestSecurity, SignIn
from haikei.web.security.requests import RateLimit, SecurityHeaders, security_headers
from haikei.web.security.sessions import Sessions, session_key
from haikei.web.webhooks.webhook_endpoint import Webhooks

log = structlog.get_logger()

_NEVER_KEPT = {"cache-control": "no-store"}


def make_app(
    settings: Settings,
    database: Engine,
    *,
    open_tracker: Callable[[Settings], Tracker] = load_tracker,
    at: str = "",
    live: Broadcaster | None = None,
    pages: Callable[[WebContext], Sequence[BaseRoute]] | None = None,
) -> Starlette:
    """
    Return an application that must stand at the root of a host.

    Args:
        settings: the studio's.
        database: the studio's own.
        open_tracker: makes a thread's adapter; by default that of the studio's tracker.
        at: its address, where that is known better than from the settings.
        live: tells pages what changes.
        pages: the pages to look at; by default Haikei's own.

    Raises:
        StateError: no key for sessions can be kept.
    """
    where = at or address(settings)
    secure = where.startswith("https:")
    context = WebContext(
        settings=settings,
        database=database,
        stamp=ChangeStamp(database),
        storage=Storage(settings),
        open_tracker=open_tracker,
        sessions=Sessions(
            session_key(settings.work_folder / "keys"),
            hours=settings.web.session_hours,
            secure=secure,
        ),
        requests=RateLimit(settings.web.rate),
        live=live or Broadcaster(database),
        address=where,
    )

    webhooks = Webhooks(settings, database, open_tracker)
    api = Api(context)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            stack.callback(context.stamp.close)
            looking = asyncio.create_task(context.live.run())
            stack.push_async_callback(_ended, looking)
            webhooks.start()
            stack.push_async_callback(asyncio.to_thread, webhooks.stop)
            await asyncio.to_thread(api.start)
            stack.push_async_callback(asyncio.to_thread, api.close)
            yield
            context.live.stop()

    return Starlette(
        routes=[
            Route("/events", _events(context)),
            Route(HEALTH, _health),
            Route(READINESS, _readiness(Readying(settings, database))),
            Metrics(settings, database).route(),
            *webhooks.routes(),
            *api.routes(),
            *Menu(context).routes(),
            *SignIn(context).routes(),
            *(pages or _pages)(context),
        ],
        middleware=[
            Middleware(SecurityHeaders, secure=secure),
            Middleware(TrustedHostMiddleware, allowed_hosts=hosts(settings), www_redirect=False),
            Middleware(RequestSecurity, context=context),
        ],
        exception_handlers={
            HTTPException: _http_error,
            HaikeiError: _haikei_error,
            Exception: _unforeseen(security_headers(secure=secure)),
        },
        lifespan=lifespan,
    )


def _pages(context: WebContext) -> Sequence[BaseRoute]:
    from haikei.web.pages import Pages

    return Pages(context).routes()


def _events(context: WebContext) -> Callable[[Request], Response]:
    def events(request: Request) -> Response:
        if context.live.is_full:
            raise HTTPException(503, "Too many pages are open.", {"Retry-After": "30"})
        return StreamingResponse(
            context.live.stream(request.headers.get("last-event-id", "")),
            media_type="text/event-stream",
            # A proxy that gathers an answer before it sends it on would hold events back.
            headers={"x-accel-buffering": "no"},
        )

    return events


async def _health(_request: Request) -> Response:
    # Nothing is asked: whoever gets an answer knows that this process lives.
    return JSONResponse({"status": "ok"}, headers=_NEVER_KEPT)


def _readiness(readying: Readying) -> Callable[[Request], Response]:
    def readiness(request: Request) -> Response:
        found = readying.ask()
        well = {Condition.OK}
        if request.query_params.get("strict", "") in {"", "0"}:
            well.add(Condition.DEGRADED)
        return JSONResponse(
            {"status": found.condition.value, "checks": dict(found.checks)},
            status_code=200 if found.condition in well else 503,
            headers=_NEVER_KEPT,
        )

    return readiness


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette calls it with no other
    if request.scope["path"].startswith("/api/"):
        return refusal_of(error).answer()
    return message_page(error.status_code, error.detail, headers=error.headers)


def _haikei_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HaikeiError)  # noqa: S101 - Starlette calls it with no other
    log.warning(
        "request_failed", path=request.url.path, error=str(error), kind=type(error).__name__
    )
    lines = (error.advice,) if error.advice else ()
    return message_page(503 if error.transient else 409, error.message, lines=lines)


def _unforeseen(headers: Mapping[str, str]) -> Callable[[Request, Exception], Response]:
    # Starlette answers these outside of all middleware, which would have set the headers.
    def unforeseen(request: Request, error: Exception) -> Response:
        log.error("request_broke", path=request.url.path, kind=type(error).__name__, exc_info=error)
        text = "Something went wrong here that nobody foresaw; see the log."
        return message_page(500, text, headers=headers)

    return unforeseen


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


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
        if web.local_person:
            raise SettingsError(
                f"web.local_person names {web.local_person!r} as who sits at this machine, and "
                "others reach these pages, who sign in.",
                advice="Leave web.local_person out, or set web.host to 127.0.0.1.",
            )
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
