"""Templates, styles and scripts of the pages, and how one person wants to see them."""

import hashlib
import os
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import jinja2
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Scope
from typing_extensions import override

from haikei import texts
from haikei.printable import printable_value
from haikei.show import part_name
from haikei.texts import Language, Text, in_language
from haikei.web.address import to_show, to_shows, to_sign_in, to_version
from haikei.web.pages import page_texts
from haikei.web.pages.files import send
from haikei.web.security.sessions import visitor

FOLDER = Path(__file__).parent / "static"
_FOR_EVER = "public, max-age=31536000, immutable"
#: A browser asks whether it has changed, and is mostly answered in a line.
_ASK = "no-cache"


@cache
def to_asset(name: str) -> str:
    """Return the address of a file, which changes with what is in it."""
    return f"/static/{name}?{_version(name)}"


class Assets(StaticFiles):
    """Serves them."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    @override
    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return a file, or that it has not changed."""
        answer = super().file_response(full_path, stat_result, scope, status_code)
        name = Path(full_path).relative_to(FOLDER.resolve()).as_posix()
        asked = scope["query_string"].decode("latin-1")
        answer.headers["cache-control"] = _FOR_EVER if asked == _version(name) else _ASK
        return answer


@cache
def _version(name: str) -> str:
    return hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:12]


LANGUAGE_COOKIE = "haikei_language"
THEME_COOKIE = "haikei_theme"
_YEAR = 365 * 24 * 3600


class Theme(StrEnum):
    """Which colours."""

    AUTO = "auto"  #: as the system has it
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What a person chose, or what their browser says."""

    language: Language = Language.EN
    theme: Theme = Theme.AUTO


def preferences(request: Request) -> Preferences:
    """Return what this browser wants; a cookie that is no choice of ours does not count."""
    return Preferences(language=_language(request), theme=_theme(request))


def keep(response: Response, chosen: Preferences, *, secure: bool) -> None:
    """Let the browser remember a choice for a year."""
    for name, value in (
        (LANGUAGE_COOKIE, chosen.language.value),
        (THEME_COOKIE, chosen.theme.value),
    ):
        response.set_cookie(
            name, value, max_age=_YEAR, httponly=True, samesite="lax", secure=secure
        )


def chosen_language(text: str, default: Language) -> Language:
    """Return a language that pages speak; one at a time."""
    return {"en": Language.EN, "ja": Language.JA}.get(text, default)


def chosen_theme(text: str, default: Theme) -> Theme:
    """Return the theme of this name."""
    return Theme(text) if text in set(Theme) else default


def _language(request: Request) -> Language:
    accepted = _accepted(request.headers.get("accept-language", ""))
    return chosen_language(request.cookies.get(LANGUAGE_COOKIE, ""), accepted)


def _theme(request: Request) -> Theme:
    return chosen_theme(request.cookies.get(THEME_COOKIE, ""), Theme.AUTO)


def _accepted(header: str) -> Language:
    """Return the better liked of our languages. Source: RFC 9110, section 12.5.4."""
    best, language = 0.0, Language.EN
    for part in header.split(",")[:20]:
        tag, _, quality = part.partition(";")
        found = {"en": Language.EN, "ja": Language.JA}.get(tag.strip().lower().partition("-")[0])
        weight = _weight(quality)
        if found is not None and weight > best:
            best, language = weight, found
    return language


def _weight(quality: str) -> float:
    name, _, value = quality.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


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
        return in_language(text, self.language)


class Renderer:
    """Makes pages of templates."""

    def __init__(self) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            finalize=printable_value,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        # Jinja declares what it brings itself, and takes anything.
        known: dict[str, Any] = self._templates.globals
        known.update(
            w=page_texts,
            texts=texts,
            to_asset=to_asset,
            to_shows=to_shows,
            to_show=to_show,
            to_version=to_version,
            to_sign_in=to_sign_in,
            to_cut=to_cut,
            part_name=part_name,
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
            "here": address if request.method == "GET" else to_shows(),
        }


def to_cut(
    project: str,
    sequence: str,
    shot: str,
    *,
    season: str = "",
    time: str = "",
    version: int = 0,
    episode: str = "",
) -> str:
    """Return the page of a cut, or of one version of it."""
    wanted = {"episode": episode, "season": season, "time": time, "version": str(version or "")}
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
