"""What stands before every page: who comes, how often, and whether a form is our own."""

import hmac
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from haikei.settings import Settings
from haikei.trackers import MENU_PATH
from haikei.web.address import CONFIRMATION, HEALTH, READINESS, is_open, to_sign_in
from haikei.web.context import WebContext
from haikei.web.message import message_page
from haikei.web.security.requests import caller, read_body, read_form
from haikei.web.security.sessions import Session, Sessions
from haikei.web.security.visitor import Visitor, role_of

log = structlog.get_logger()

#: The largest form, in KiB.
FORM_KIB = 256
_CSRF_HEADER = "x-csrf-token"
_READING = frozenset({"GET", "HEAD"})
_WEBHOOKS = "/webhooks/"
_PUBLIC = ("/sign-in", "/sign-out", "/static/", "/preferences", f"{MENU_PATH}/", _WEBHOOKS)
#: Monitors do not sign in, and are told no name.
_MONITORED = frozenset({HEALTH, READINESS})
#: Whoever has the link may open these; they look for it themselves.
_LINKED = frozenset({CONFIRMATION, f"{CONFIRMATION}/answer", f"{CONFIRMATION}/picture.jpg"})
#: Signed by the tracker, or with a token, instead; no form of ours.
_SIGNED = (f"{MENU_PATH}/", _WEBHOOKS, "/api/")
_FORM = "application/x-www-form-urlencoded"


class RequestSecurity:
    """
    Finds out who comes; refuses forms that are not ours; slows down who asks too often.

    Pages find the visitor in `request.state.visitor`.
    """

    def __init__(self, app: ASGIApp, *, context: WebContext) -> None:
        self._app = app
        self._context = context
        self._settings: Settings = context.settings
        self._sessions: Sessions = context.sessions
        self._open = is_open(context.settings.web)
        self._netloc = urlsplit(context.address).netloc

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        if scope["path"].startswith(_SIGNED):
            await self._app(scope, receive, send)
            return
        session, is_new = self._session(request)
        scope.setdefault("state", {})["visitor"] = self._visitor(session)
        scope["state"]["session"] = session
        try:
            refusal = self._closed(request, session)
            if refusal is None and request.method not in _READING:
                receive = await self._checked(request, session)
        except HTTPException as error:
            log.warning(
                "request_refused",
                path=scope["path"],
                status=error.status_code,
                reason=error.detail,
                address=caller(request, self._settings),
            )
            refusal = message_page(error.status_code, error.detail, headers=error.headers)
        if is_new and request.method == "GET":
            send = _with_cookie(send, self._sessions, session)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _session(self, request: Request) -> tuple[Session, bool]:
        found = self._sessions.read(request.cookies.get(self._sessions.cookie, ""))
        if found is None:
            return self._sessions.begin(), True
        if not found.login and self._sessions.is_aging(found):
            # Who has signed in does so again in the end; a browser alone may go on for ever.
            return self._sessions.renew(found), True
        return found, False

    def _visitor(self, session: Session) -> Visitor:
        return Visitor(
            login=session.login,
            name=session.name,
            person_id=session.person_id,
            role=role_of(session.login, self._settings.web),
            csrf=self._sessions.csrf(session),
        )

    def _closed(self, request: Request, session: Session) -> Response | None:
        path = request.url.path
        if self._open or session.login or path.startswith(_PUBLIC) or path in _LINKED | _MONITORED:
            return None
        if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(to_sign_in(wanted), 303)
        raise HTTPException(401, "Sign in first.")

    async def _checked(self, request: Request, session: Session) -> Receive:
        wait = self._context.requests.take(caller(request, self._settings))
        if wait:
            raise HTTPException(
                429, "Too many requests; wait a little.", {"Retry-After": str(int(wait) + 1)}
            )
        if not self._is_ours(request):
            raise HTTPException(403, "This form comes from another site.")
        limit = min(self._settings.web.max_body_kib, FORM_KIB) * 1024
        body = await read_body(request, limit=limit)
        token = request.headers.get(_CSRF_HEADER, "")
        if not token:
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != _FORM:
                raise HTTPException(415, "Only plain forms are taken.")
            token = read_form(body).get("csrf", "")
        if not hmac.compare_digest(token.encode(), self._sessions.csrf(session).encode()):
            raise HTTPException(403, "This page has become too old. Load it anew, and try again.")
        return _replay(body)

    def _is_ours(self, request: Request) -> bool:
        """Tell whether a browser says that the form was on one of our pages (Fetch, 3.2)."""
        if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return False
        origin = request.headers.get("origin")
        if origin is None:
            return True
        return urlsplit(origin).netloc in {request.headers.get("host", ""), self._netloc}


def _replay(body: bytes) -> Receive:
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _with_cookie(send: Send, sessions: Sessions, session: Session) -> Send:
    async def send_with_cookie(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if headers.get("content-type", "").startswith("text/html"):
                answer = Response()
                set_cookie(answer, sessions, session)
                headers.append("set-cookie", answer.headers["set-cookie"])
        await send(message)

    return send_with_cookie


def set_cookie(answer: Response, sessions: Sessions, session: Session) -> None:
    """Let a browser keep a session."""
    answer.set_cookie(
        sessions.cookie,
        sessions.write(session),
        max_age=sessions.seconds,
        path="/",
        secure=sessions.secure,
        httponly=True,
        # Menu items come from the tracker's pages: their own answer sets the cookie, and what
        # follows are plain visits, with which a Lax cookie is sent.
        samesite="lax",
    )
