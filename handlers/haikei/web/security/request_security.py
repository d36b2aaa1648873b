"""
What stands before every page: who comes, how often, and whether a form is our own.

People sign in with the tracker's login and password, and out again.
"""

import hmac
from asyncio import Task, create_task, to_thread, wait
from dataclasses import dataclass
from html import escape
from time import monotonic
from urllib.parse import urlsplit

import structlog
from pydantic import SecretStr
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from haikei.errors import HaikeiError
from haikei.review.deciding import decider_of
from haikei.review.decisions import Decider
from haikei.settings import Settings, is_loopback
from haikei.trackers import MENU_PATH, Part, SignedIn, needed
from haikei.web.address import CONFIRMATION, HEALTH, METRICS, READINESS, is_open, to_sign_in
from haikei.web.context import WebContext
from haikei.web.message import message_page, page
from haikei.web.security.requests import RateLimit, caller, read_body, read_form
from haikei.web.security.sessions import Session, Sessions, Visitor, role_of, visitor

log = structlog.get_logger()

#: The largest form, in KiB.
FORM_KIB = 256
#: Seconds that a page waits to learn who sits here, and before the tracker is asked again.
_PATIENCE, _PAUSE = 2.0, 30.0
_CSRF_HEADER = "x-csrf-token"
_READING = frozenset({"GET", "HEAD"})
_WEBHOOKS = "/webhooks/"
_PUBLIC = ("/sign-in", "/sign-out", "/static/", "/preferences", f"{MENU_PATH}/", _WEBHOOKS)
#: Monitors do not sign in, and receive no name.
_MONITORED = frozenset({HEALTH, READINESS})
#: Whoever has the link may open these; they look for it themselves.
_LINKED = frozenset({CONFIRMATION, f"{CONFIRMATION}/answer", f"{CONFIRMATION}/picture.jpg"})
#: Signed by the tracker, or with a token, instead; no form of ours.
_SIGNED = (f"{MENU_PATH}/", _WEBHOOKS, "/api/")
#: It looks for itself who asks.
_OWN_CHECK = frozenset({METRICS})
#: Headers that only proxies write.
_PROXIED = frozenset({"forwarded", "via", "x-real-ip", "x-original-host"})
_THROUGH_A_PROXY = (
    "These pages are open to whoever sits at this machine, and a proxy passes this request on. "
    "Set web.url to the address that others use: they are then asked to sign in."
)
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
        self._local = LocalPerson(context)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        if scope["path"].startswith(_SIGNED) or scope["path"] in _OWN_CHECK:
            await self._app(scope, receive, send)
            return
        if self._open and self._is_foreign(request) and scope["path"] not in _MONITORED:
            log.warning("forwarded_request_refused", path=scope["path"])
            await message_page(403, _THROUGH_A_PROXY)(scope, receive, send)
            return
        session, is_new = self._session(request)
        scope.setdefault("state", {})["visitor"] = await self._visitor(session)
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

    def _is_foreign(self, request: Request) -> bool:
        """Tell whether a proxy passes on what did not come from this machine, as far as known."""
        if not any(one.startswith("x-forwarded-") or one in _PROXIED for one in request.headers):
            return False
        declared = self._settings.web.url is not None
        return not (declared and is_loopback(caller(request, self._settings)))

    def _session(self, request: Request) -> tuple[Session, bool]:
        found = self._sessions.read(request.cookies.get(self._sessions.cookie, ""))
        if found is None:
            return self._sessions.begin(), True
        if not found.login and self._sessions.is_aging(found):
            # Who has signed in does so again in the end; a browser alone may go on for ever.
            return self._sessions.renew(found), True
        return found, False

    async def _visitor(self, session: Session) -> Visitor:
        if self._open and not session.login:
            found = await self._local.found()
            if found is not None:
                return Visitor(
                    login=found.login,
                    name=found.name,
                    person_id=found.person_id,
                    role=role_of(found.login, self._settings.web),
                    csrf=self._sessions.csrf(session),
                    local=True,
                )
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


class LocalPerson:
    """
    Who sits at this machine, as the tracker knows them; asked for once.

    Pages do not wait for a tracker that is away: until it answers, nobody is named.
    """

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self._login = context.settings.web.local_person
        self._found: Decider | None = None
        self._looking: Task[Decider | None] | None = None
        self._again_at = 0.0

    async def found(self) -> Decider | None:
        """Return the person; None where none is set, and while the tracker has not answered."""
        if self._found is not None or not self._login:
            return self._found
        if self._looking is None:
            if monotonic() < self._again_at:
                return None
            self._looking = create_task(to_thread(self._look))
        done, _ = await wait({self._looking}, timeout=_PATIENCE)
        for task in done:
            # Several pages may wait for the same answer.
            self._found, self._looking = task.result(), None
            self._again_at = monotonic() + _PAUSE
        return self._found

    def _look(self) -> Decider | None:
        try:
            with self._context.tracker() as tracker:
                desk = needed(tracker.parts.selection, tracker, Part.SELECTION)
                return decider_of(desk, self._login)
        except HaikeiError as error:
            log.warning("local_person_unknown", login=self._login, error=str(error))
            return None


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


#: Sign-ins a minute from one address, and with one login.
TRIES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    login: str
    password: SecretStr
    code: str
    next_page: str


class SignIn:
    """The page on which people sign in."""

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self._addresses = RateLimit(min(TRIES, context.settings.web.rate))
        self._logins = RateLimit(TRIES)

    def routes(self) -> list[Route]:
        """Return what the application serves."""
        return [
            Route("/sign-in", self.show, methods=["GET"]),
            Route("/sign-in", self.sign_in, methods=["POST"]),
            Route("/sign-out", self.sign_out, methods=["POST"]),
        ]

    def show(self, request: Request) -> Response:
        """Show the form."""
        return _page(request, next_page=request.query_params.get("next", ""))

    async def sign_in(self, request: Request) -> Response:
        """Check what somebody wrote, and begin their session."""
        form = _read(await request.body())
        address = caller(request, self._context.settings)
        wait = max(
            self._addresses.take(address),
            self._logins.take(form.login.casefold()) if form.login else 0.0,
        )
        if wait:
            log.warning("sign_in_slowed_down", address=address)
            raise HTTPException(
                429, "Too many tries; wait a little.", {"Retry-After": str(int(wait) + 1)}
            )
        found = await to_thread(self._check, form)
        if found is None:
            log.warning("sign_in_refused", login=form.login, address=address)
            return _page(
                request,
                next_page=form.next_page,
                login=form.login,
                problem="The tracker knows no such login and password.",
                status=403,
            )
        log.info("signed_in", login=found.login, address=address)
        answer = RedirectResponse(local(form.next_page), 303)
        # A new session, not the browser's old one: its secret may have been planted (CWE-384).
        sessions = self._context.sessions
        session = sessions.begin(login=found.login, name=found.name, person_id=found.person_id)
        set_cookie(answer, sessions, session)
        return answer

    def _check(self, form: _Form) -> SignedIn | None:
        with self._context.tracker() as tracker:
            check = needed(tracker.parts.sign_in, tracker, Part.SIGN_IN)
            return check(form.login, form.password, code=form.code)

    async def sign_out(self, request: Request) -> Response:
        """Forget the session."""
        log.info("signed_out", login=visitor(request).login)
        answer = RedirectResponse("/", 303)
        sessions = self._context.sessions
        answer.delete_cookie(
            sessions.cookie, path="/", secure=sessions.secure, httponly=True, samesite="lax"
        )
        return answer


def local(path: str) -> str:
    """Return a path on this host; whatever leads elsewhere leads to the first page."""
    is_path = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if is_path and path.isprintable() and "\\" not in path else "/"


def _read(body: bytes) -> _Form:
    fields = read_form(body)
    return _Form(
        login=fields.get("login", "").strip()[:200],
        password=SecretStr(fields.get("password", "")[:1000]),
        code=fields.get("code", "").strip()[:20],
        next_page=fields.get("next", ""),
    )


def _page(
    request: Request, *, next_page: str, login: str = "", problem: str = "", status: int = 200
) -> HTMLResponse:
    warning = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    content = (
        f"<h1>Sign in</h1><p>With your login and password of the tracker.</p>{warning}"
        '<form method="post" action="/sign-in">'
        f'<input type="hidden" name="csrf" value="{escape(visitor(request).csrf)}">'
        f'<input type="hidden" name="next" value="{escape(local(next_page))}">'
        f'<p><label>Login <input name="login" value="{escape(login)}" required autofocus'
        ' autocomplete="username"></label></p>'
        '<p><label>Password <input name="password" type="password" required'
        ' autocomplete="current-password"></label></p>'
        '<p><label>One-time code, if your site asks for one <input name="code"'
        ' inputmode="numeric" autocomplete="one-time-code"></label></p>'
        '<p><button type="submit">Sign in</button></p></form>'
    )
    return HTMLResponse(page("Sign in", content), status)
