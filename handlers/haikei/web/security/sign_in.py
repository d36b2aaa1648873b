"""Signing in with the tracker's login and password, and out again."""

from asyncio import to_thread
from dataclasses import dataclass
from html import escape

import structlog
from pydantic import SecretStr
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from haikei.trackers import Part, SignedIn, needed
from haikei.web.context import WebContext
from haikei.web.message import page
from haikei.web.security.request_security import set_cookie
from haikei.web.security.requests import RateLimit, caller, read_form
from haikei.web.security.visitor import visitor

log = structlog.get_logger()

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
                said="The tracker knows no such login and password.",
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
    request: Request, *, next_page: str, login: str = "", said: str = "", status: int = 200
) -> HTMLResponse:
    warning = f'<p role="alert">{escape(said)}</p>' if said else ""
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
