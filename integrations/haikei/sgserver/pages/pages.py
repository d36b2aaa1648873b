"""
A plain viewer of rows for people: a list of versions, any row by its address, and who looks.

What a reviewer needs (comparison, decisions, credits, lineage) stands on Haikei's own pages. Of
action menu items, a row shows those it has, and the site sends a form when one is used.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
from haikei.sgserver.pages.page_views import PageViews
from haikei.sgserver.schema.stock import ADMIN_LOGIN
from haikei.sgserver.site import Site
from haikei.sgserver.values import Fault, Json, Row, moment_text, utc_now

#: What a browser posts to; the host stands in a header of the page that does.
_ADDRESS = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(:\d+)?(/\S*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedItem:
    """One item, as a page offers it for a row."""

    id: int
    title: str
    url: str

    @property
    def origin(self) -> str:
        """The scheme and host that the form goes to."""
        address = urlsplit(self.url)
        return f"{address.scheme}://{address.netloc}"


class MenuItems:
    """Reads a site's items, and fills in their forms."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def offered(self, caller: Caller, entity_type: str, number: int) -> Sequence[OfferedItem]:
        """Return the items that a row has, in their order; those that a browser can post to."""
        rows = self._site.find(
            caller,
            "ActionMenuItem",
            [["entity_type", "is", entity_type]],
            ["title", "url", "projects"],
            order=[("list_order", "asc"), ("id", "asc")],
        )
        if not rows:
            return ()
        project = self._project(caller, entity_type, number)
        own = project.get("id") if project else None
        return [
            OfferedItem(id=int(str(row["id"])), title=str(row["title"]), url=str(row["url"]))
            for row in rows
            if _ADDRESS.fullmatch(str(row["url"])) and _allows(row, own)
        ]

    def form(
        self, caller: Caller, item: OfferedItem, entity_type: str, number: int
    ) -> Mapping[str, str]:
        """
        Return the fields of the form that goes to an item's address; signed when it has a secret.

        Fields, timestamp and signature are those of the real site (Autodesk, "Custom Action Menu
        Items"): HMAC-SHA1 over `key=value` lines, sorted, each ended by CR and LF.
        """
        project = self._project(caller, entity_type, number)
        person = self._person(caller)
        fields = {
            "user_id": str(person["id"]) if person else "",
            "user_login": str(person["login"]) if person else "",
            "title": item.title,
            "entity_type": entity_type,
            "selected_ids": str(number),
            "ids": str(number),
            "server_hostname": urlsplit(self._site.base_url).netloc,
            "referrer_path": f"/detail/{entity_type}/{number}",
            "page_id": "",
            "session_uuid": caller.session_uuid or "",
            "cols": "",
            "column_display_names": "",
            "view": "",
            "sort_column": "",
            "sort_direction": "",
            "grouping_column": "",
            "grouping_method": "",
            "grouping_direction": "",
        }
        if project:
            fields |= {
                "project_id": str(project["id"]),
                "project_name": str(project.get("name") or ""),
            }
        secret = self._secret(item)
        if not secret:
            return fields
        fields["timestamp"] = moment_text(utc_now())
        return {**fields, "signature": signature(secret, fields)}

    def _project(self, caller: Caller, entity_type: str, number: int) -> Row | None:
        kind = self._site.schema.get(entity_type)
        if kind is None or "project" not in kind.fields:
            return None
        row = self._site.find_one(caller, entity_type, [["id", "is", number]], ["project"])
        project = row.get("project") if row else None
        return dict(project) if isinstance(project, Mapping) else None

    def _person(self, caller: Caller) -> Row | None:
        # Who needs no login sits at the machine that has the whole site on its disk.
        by_id: Json = ["id", "is", caller.id]
        by_login: Json = ["login", "is", ADMIN_LOGIN]
        wanted = by_id if caller.kind == "HumanUser" else by_login
        return self._site.find_one(caller, "HumanUser", [wanted], ["login"])

    def _secret(self, item: OfferedItem) -> str:
        with self._site.reading() as (session, _):
            row = session.row('SELECT secret_token FROM "ActionMenuItem" WHERE id = ?', (item.id,))
        return str(row[0]) if row is not None and row[0] is not None else ""


def signature(secret: str, fields: Mapping[str, str]) -> str:
    """Return the signature of a form's fields."""
    lines = sorted(f"{name}={value}\r\n" for name, value in fields.items())
    return hmac.new(secret.encode(), "".join(lines).encode(), hashlib.sha1).hexdigest()


def _allows(row: Row, project: object) -> bool:
    projects = row.get("projects")
    if not isinstance(projects, Sequence) or isinstance(projects, str) or not projects:
        return True
    return any(isinstance(one, Mapping) and one.get("id") == project for one in projects)


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
