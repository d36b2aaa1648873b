"""Pages that only read: shows, a show's cuts, one cut."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from haikei.database import reading
from haikei.reports import Text
from haikei.web.context import WebContext
from haikei.web.links import to_shows
from haikei.web.pages import words
from haikei.web.pages.cut import CutName, Wanted, cut, find_version
from haikei.web.pages.gallery import GalleryFilter, Place, card, gallery, shows, strays
from haikei.web.pages.labels import CardLabels
from haikei.web.pages.preferences import Preferences, chosen_language, chosen_theme, keep
from haikei.web.pages.rendering import NO_SEQUENCE, Renderer


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a page says about the form that led to it."""

    good: Text = ""
    bad: Text = ""
    why: str = ""
    note: str = ""  #: what was written, when it was not taken
    seen: str | None = None  #: what stands in the tracker, where that is known better than here


_NOTHING = Told()


class Looking:
    """Shows what there is."""

    def __init__(self, web: WebContext, renderer: Renderer) -> None:
        self._web = web
        self._renderer = renderer

    def shows(self, request: Request) -> Response:
        """Show every show."""
        with reading(self._web.database) as connection:
            found, lost = shows(connection), strays(connection)
        return self._renderer.page(request, "shows.html", found=found, strays=lost)

    def show(self, request: Request) -> Response:
        """Show the cuts of a show."""
        project: str = request.path_params["project"]
        query = request.query_params
        wanted = GalleryFilter(
            sequence=query.get("sequence", ""),
            state=query.get("state", ""),
            season=query.get("season", ""),
            time=query.get("time", ""),
            text=query.get("text", "").strip(),
        )
        with reading(self._web.database) as connection:
            found = gallery(connection, project, wanted)
        if found is None:
            return self.missing(request, words.NO_SUCH_SHOW.filled(name=project))
        labels = CardLabels(project, self._renderer.voice(request))
        return self._renderer.long_page(
            request, "show.html", show=found, wanted=wanted, labels=labels
        )

    def one_card(self, request: Request) -> Response:
        """Show one card of a show, as it is now."""
        project: str = request.path_params["project"]
        query = request.query_params
        place = Place(
            sequence=query.get("sequence", ""),
            shot=query.get("shot", ""),
            season=query.get("season", ""),
            time=query.get("time", ""),
        )
        with reading(self._web.database) as connection:
            found = card(connection, project, place)
        if found is None:
            raise HTTPException(404, "There is no such card.")
        labels = CardLabels(project, self._renderer.voice(request))
        return self._renderer.page(request, "card.html", card=found, labels=labels)

    def cut(self, request: Request) -> Response:
        """Show one cut."""
        params = request.path_params
        sequence: str = params["sequence"]
        name = CutName(
            project=params["project"],
            sequence="" if sequence == NO_SEQUENCE else sequence,
            shot=params["shot"],
        )
        query = request.query_params
        wanted = Wanted(
            season=query.get("season", ""),
            time=query.get("time", ""),
            version=_number(query.get("version", "")),
        )
        return self._cut(request, name, wanted, told=_told(query))

    def version(self, request: Request) -> Response:
        """Show the cut of one version."""
        return self.page_of(request, request.path_params["key"], told=_told(request.query_params))

    def page_of(
        self, request: Request, key: str, *, told: Told = _NOTHING, status: int = 200
    ) -> Response:
        """Return the page of a version, by its background's key or its name in the tracker."""
        with reading(self._web.database) as connection:
            found = find_version(connection, key)
        if found is None:
            return self.missing(request, words.NO_SUCH_VERSION.filled(name=key))
        return self._cut(request, *found, told=told, status=status)

    async def prefer(self, request: Request) -> Response:
        """Keep how somebody wants to see pages, and lead back."""
        form = await request.form()
        before = self._renderer.chosen(request)
        chosen = Preferences(
            language=chosen_language(str(form.get("language", "")), before.language),
            theme=chosen_theme(str(form.get("theme", "")), before.theme),
        )
        answer = RedirectResponse(_local(str(form.get("next", ""))), 303)
        keep(answer, chosen, secure=self._web.sessions.secure)
        return answer

    def missing(self, request: Request, text: Text) -> Response:
        """Say that what was asked for is not there."""
        return self._renderer.page(request, "message.html", status=404, text=text)

    def _cut(
        self,
        request: Request,
        name: CutName,
        wanted: Wanted,
        *,
        told: Told,
        status: int = 200,
    ) -> Response:
        with reading(self._web.database) as connection:
            found = cut(connection, name, wanted)
        if found is None:
            return self.missing(request, words.NO_SUCH_CUT.filled(name=name.shot))
        return self._renderer.page(request, "cut.html", status=status, cut=found, told=told)


def _told(query: Mapping[str, str]) -> Told:
    said = words.DECISIONS.get(query.get("said", ""))
    if said is not None:
        return Told(good=words.SAID.filled(decision=said), seen=query["said"])
    return Told(good=words.TRYING) if query.get("said") == "retry" else _NOTHING


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0


def _local(address: str) -> str:
    """Return an address if it stays on this site, the first page otherwise."""
    inside = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if inside and address.isprintable() else to_shows()
