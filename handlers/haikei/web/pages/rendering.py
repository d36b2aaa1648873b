"""Templates, and what every one of them may say."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import jinja2
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, StreamingResponse

from haikei.reports import Language, Text, said
from haikei.web import links
from haikei.web.pages import words
from haikei.web.pages.assets import to_asset
from haikei.web.pages.preferences import Preferences, preferences
from haikei.web.pages.sending import send
from haikei.web.visitor import visitor

HERE = Path(__file__).parent
#: Stands for a cut without a sequence in an address.
NO_SEQUENCE = "-"
_VARY = "cookie, accept-language"


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """Says phrases in the language of one page."""

    language: Language

    def __call__(self, text: Text, **values: object) -> str:
        """Return a phrase with its places filled in."""
        if values and not isinstance(text, str):
            text = text.filled(**values)
        return said(text, self.language)


class Renderer:
    """Makes pages of templates."""

    def __init__(self) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        # Jinja declares what it brings itself, and takes anything.
        known: dict[str, Any] = self._templates.globals
        known.update(
            w=words,
            to_asset=to_asset,
            to_shows=links.to_shows,
            to_show=links.to_show,
            to_version=links.to_version,
            to_sign_in=links.to_sign_in,
            to_cut=to_cut,
            to_reports=to_reports,
            to_report=to_report,
            to_picture=to_picture,
            when=when,
        )

    def page(
        self, request: Request, template: str, *, status: int = 200, **values: object
    ) -> HTMLResponse:
        """Return a page for who asks."""
        known = self._known(request)
        body = self._templates.get_template(template).render(known, **values)
        return HTMLResponse(body, status, {"vary": _VARY})

    def long_page(self, request: Request, template: str, **values: object) -> StreamingResponse:
        """Return a page for who asks that is sent while it is being written."""
        known = self._known(request)
        fragments = self._templates.get_template(template).generate(known, **values)
        return send(request, fragments, _VARY)

    def voice(self, request: Request) -> Voice:
        """Return what says phrases to who asks."""
        return Voice(language=preferences(request).language)

    def chosen(self, request: Request) -> Preferences:
        """Return how who asks wants to see pages."""
        return preferences(request)

    def _known(self, request: Request) -> dict[str, object]:
        chosen = preferences(request)
        address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return {
            "visitor": visitor(request),
            "chosen": chosen,
            "language": chosen.language.value,
            "say": Voice(language=chosen.language),
            # After a form was refused, the page is that of the form, and cannot be asked for.
            "here": address if request.method == "GET" else links.to_shows(),
        }


def to_cut(
    project: str, sequence: str, shot: str, *, season: str = "", time: str = "", version: int = 0
) -> str:
    """Return the page of a cut, or of one version of it."""
    wanted = {"season": season, "time": time, "version": str(version) if version else ""}
    query = urlencode({name: value for name, value in wanted.items() if value})
    parts = (project, sequence or NO_SEQUENCE, shot)
    path = "/".join(quote(part, safe="") for part in parts)
    return f"/shows/{path}" + (f"?{query}" if query else "")


def to_reports(project: str) -> str:
    """Return the list of a show's reports."""
    return f"/shows/{quote(project, safe='')}/reports"


def to_report(project: str, name: str, form: str, *, code: str = "") -> str:
    """Return one report on a show, or on one version."""
    query = f"?{urlencode({'of': code})}" if code else ""
    return f"/reports/{quote(project, safe='')}/{quote(name, safe='')}.{form}{query}"


def to_picture(sha256: str, size: int) -> str:
    """Return a picture, by the hash of its file, with its longer side in pixels."""
    return f"/pictures/{sha256}/{size}.jpg"


def when(moment: datetime) -> Markup:
    """Return a moment on the studio's clock."""
    local = moment.astimezone()
    exact = escape(moment.isoformat(timespec="seconds"))
    return Markup('<time datetime="{}">{}</time>').format(exact, f"{local:%Y-%m-%d %H:%M}")
