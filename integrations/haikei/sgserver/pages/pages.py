"""
A plain viewer of rows for people: a list of versions, any row by its address, and who looks.

What a reviewer needs (comparison, decisions, credits, lineage) stands on Haikei's own pages.
"""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from haikei.printable import printable_value
from haikei.sgserver.credentials import Caller
from haikei.sgserver.http.form import read_form
from haikei.sgserver.http.hosting import SESSION_COOKIE, Hosting, Visitors
from haikei.sgserver.pages.menu_items import MenuItems
from haikei.sgserver.pages.page_views import PageViews
from haikei.sgserver.values import Fault

_HERE = Path(__file__).parent
_FORM_LIMIT = 4096
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class Pages:
    """`/`, `/detail/…` and `/user/login`; all but the login only read."""

    def __init__(self, hosting: Hosting, visitors: Visitors) -> None:
        self._hosting = hosting
        self._visitors = visitors
        self._views = PageViews(hosting)
        self._menu = MenuItems(hosting.site)
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            finalize=printable_value,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def routes(self) -> list[Route | Mount]:
        """Return what to serve."""
        return [
            Route("/", self.versions),
            Route("/detail/{entity_type}/{number:int}", self.detail),
            Route("/menu_item", self.menu_item, methods=["POST"]),
            Route("/user/login", self.login, methods=["GET", "POST"]),
            Route("/user/logout", self.logout, methods=["POST"]),
            Mount("/static", StaticFiles(directory=_HERE / "static")),
        ]

    async def versions(self, request: Request) -> Response:
        """List the versions, the newest first."""
        page = _number(request.query_params.get("page"), least=1)

        def work(caller: Caller) -> Response:
            return self._render("versions.html", caller, found=self._views.versions(caller, page))

        return await self._for_visitor(request, work)

    async def detail(self, request: Request) -> Response:
        """Show one row, at the address that the real site has for it."""
        entity_type: str = request.path_params["entity_type"]
        number: int = request.path_params["number"]

        def work(caller: Caller) -> Response:
            items = self._menu.offered(caller, entity_type, number)
            try:
                row = self._views.row(caller, entity_type, number)
            except Fault as fault:
                return self._message(caller, fault.message)
            if row is None:
                return self._message(caller, f"There is no {entity_type} {number}.")
            return self._render("row.html", caller, row=row, items=items)

        return await self._for_visitor(request, work)

    async def menu_item(self, request: Request) -> Response:
        """Send a row's menu item on to its address, signed at this moment."""
        # A page of another site must not use an item in our visitor's name.
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin" or not _is_own(
            request
        ):
            return Response("Use the item on this site's own pages.", 403, _HEADERS)
        form = dict(parse_qsl((await _small_body(request)).decode("utf-8", "replace")))
        entity_type = form.get("entity_type", "")
        number, wanted = (_number(form.get(name), least=0) for name in ("id", "item"))

        def work(caller: Caller) -> Response:
            for item in self._menu.offered(caller, entity_type, number):
                if item.id == wanted:
                    fields = self._menu.form(caller, item, entity_type, number)
                    response = self._render("menu_item.html", caller, item=item, fields=fields)
                    response.headers["Content-Security-Policy"] = (
                        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                        f"form-action 'self' {item.origin}; base-uri 'none'; frame-ancestors 'none'"
                    )
                    return response
            return self._message(caller, "There is no such menu item.")

        return await self._for_visitor(request, work)

    async def login(self, request: Request) -> Response:
        """Let a person sign in."""
        if request.method == "GET":
            return self._login_form(request.query_params.get("next", "/"))
        token = ""

        def sign_in(fields: object) -> None:
            nonlocal token
            match fields:
                case {"login": str(login), "password": str(password)} if login and password:
                    token = self._visitors.sign_in(login, password)
                case _:
                    raise Fault(102, "Fill in both fields.")

        try:
            form = await read_form(
                request, self._hosting.media, self._hosting.workers, sign_in=sign_in
            )
        except Fault:
            return self._login_form("/", failed=True)
        response = RedirectResponse(_local(form.fields.get("next", "/")), 303, _HEADERS)
        response.set_cookie(
            SESSION_COOKIE,
            token,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return response

    async def logout(self, _request: Request) -> Response:
        """Forget who this browser is."""
        response = RedirectResponse("/user/login", 303, _HEADERS)
        response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
        return response

    async def _for_visitor(self, request: Request, work: Callable[[Caller], Response]) -> Response:
        def answer() -> Response | None:
            caller = self._visitors.caller(request)
            return None if caller is None else work(caller)

        response = await self._hosting.workers.run(answer)
        if response is None:
            wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/user/login?next={quote(wanted, safe='')}", 303, _HEADERS)
        return response

    def _render(self, template: str, caller: Caller, **values: object) -> Response:
        body = self._templates.get_template(template).render(
            visitor=caller.name if caller.kind == "HumanUser" else "", **values
        )
        return HTMLResponse(body, headers=_HEADERS)

    def _message(self, caller: Caller, message: str) -> Response:
        response = self._render("message.html", caller, message=message)
        response.status_code = 404
        return response

    def _login_form(self, wanted: str, *, failed: bool = False) -> Response:
        body = self._templates.get_template("login.html").render(
            visitor="", wanted=_local(wanted), failed=failed
        )
        return HTMLResponse(body, 401 if failed else 200, _HEADERS)


def _is_own(request: Request) -> bool:
    """Tell whether a browser posts from a page of this very host."""
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")


async def _small_body(request: Request) -> bytes:
    """Return the beginning of a body that holds a few short fields."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _FORM_LIMIT:
            break
    return body[:_FORM_LIMIT]


def _local(address: str) -> str:
    """Return an address if it stays on this site, the first page otherwise."""
    inside = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if inside and address.isprintable() else "/"


def _number(text: str | None, *, least: int) -> int:
    if text and text.isascii() and text.isdigit() and len(text) < 10:
        return max(least, int(text))
    return least
