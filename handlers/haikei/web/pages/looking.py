"""
The routes of all pages: shows, a show's cuts, one cut, and the forms with which
people decide.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from haikei.database import reading
from haikei.errors import HaikeiError, ReviewOvertaken, TrackerUnavailable
from haikei.events import Source
from haikei.jobs.page_inputs import published_files
from haikei.jobs.table import JobStore
from haikei.review.deciding import Deciding
from haikei.review.decisions import Decider, Decision, ReviewVerdict
from haikei.show import Place
from haikei.texts import DECISIONS, Text
from haikei.web.address import to_show, to_shows, to_version
from haikei.web.context import WebContext
from haikei.web.pages import page_texts
from haikei.web.pages.confirming import ConfirmationPage
from haikei.web.pages.cut import Wanted, cut, find_version
from haikei.web.pages.files import Files, Pictures
from haikei.web.pages.gallery import (
    CardLabels,
    CardPlace,
    GalleryFilter,
    card,
    gallery,
    shows,
    strays,
)
from haikei.web.pages.rendering import (
    NO_SEQUENCE,
    Assets,
    Preferences,
    Renderer,
    chosen_language,
    chosen_theme,
    keep,
    to_cut,
)
from haikei.web.pages.report_pages import ReportPages
from haikei.web.security.sessions import Visitor, require_supervisor


@dataclass(frozen=True, slots=True, kw_only=True)
class FormAnswer:
    """What a page says about the form that led to it."""

    good: Text = ""
    bad: Text = ""
    why: str = ""
    note: str = ""  #: what was written, when it was not taken
    seen: str | None = None  #: what stands in the tracker, where that is known better than here


_NOTHING = FormAnswer()


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
            return self.missing(request, page_texts.NO_SUCH_SHOW.filled(name=project))
        labels = CardLabels(project, self._renderer.voice(request))
        return self._renderer.long_page(
            request, "show.html", show=found, wanted=wanted, labels=labels
        )

    def one_card(self, request: Request) -> Response:
        """Show one card of a show, as it is now."""
        project: str = request.path_params["project"]
        query = request.query_params
        place = CardPlace(
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
        name = Place(
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
        self, request: Request, key: str, *, told: FormAnswer = _NOTHING, status: int = 200
    ) -> Response:
        """Return the page of a version, by its background's key or its name in the tracker."""
        with reading(self._web.database) as connection:
            found = find_version(connection, key)
        if found is None:
            return self.missing(request, page_texts.NO_SUCH_VERSION.filled(name=key))
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
        name: Place,
        wanted: Wanted,
        *,
        told: FormAnswer,
        status: int = 200,
    ) -> Response:
        with reading(self._web.database) as connection:
            found = cut(connection, name, wanted)
        if found is None:
            return self.missing(request, page_texts.NO_SUCH_CUT.filled(name=name.shot))
        return self._renderer.page(request, "cut.html", status=status, cut=found, told=told)


def _told(query: Mapping[str, str]) -> FormAnswer:
    said = DECISIONS.get(query.get("said", ""))
    if said is not None:
        return FormAnswer(good=page_texts.SAID.filled(decision=said), seen=query["said"])
    return FormAnswer(good=page_texts.TRYING) if query.get("said") == "retry" else _NOTHING


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0


def _local(address: str) -> str:
    """Return an address if it stays on this site, the first page otherwise."""
    inside = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if inside and address.isprintable() else to_shows()


log = structlog.get_logger()


class DecisionForms:
    """Takes decisions; the tracker is told first, and a page says so when it does not answer."""

    def __init__(self, web: WebContext, renderer: Renderer, looking: Looking) -> None:
        self._web = web
        self._renderer = renderer
        self._looking = looking

    async def decide(self, request: Request) -> Response:
        """Approve, ask for a retake, hold, omit, or take back to review."""
        who = require_supervisor(request)
        form = await request.form()
        decision = _decision(str(form.get("decision", "")))
        note = str(form.get("note", ""))
        stood = str(form.get("seen", ""))
        seen = _decision(stood) if stood else None
        return await run_in_threadpool(self._decide, request, who, decision, note, seen)

    async def retry(self, request: Request) -> Response:
        """Let a job that ended without a version be tried again."""
        require_supervisor(request)
        return await run_in_threadpool(self._retry, request.path_params["key"])

    def _decide(
        self, request: Request, who: Visitor, decision: Decision, note: str, seen: Decision | None
    ) -> Response:
        key: str = request.path_params["key"]
        verdict = ReviewVerdict(
            decision=decision,
            text=note.replace("\r\n", "\n"),
            by=Decider(login=who.login, name=who.name, person_id=who.person_id),
            seen=seen,
        )
        web = self._web
        try:
            with web.desk() as desk:
                Deciding(web.settings, web.database, desk, source=Source.PAGE).decide(key, verdict)
        except HaikeiError as error:
            log.warning("decision_not_written", background=key, error=str(error))
            away = isinstance(error, TrackerUnavailable)
            overtaken = isinstance(error, ReviewOvertaken)
            bad = page_texts.TRACKER_AWAY if away else page_texts.NOT_SAID
            told = FormAnswer(
                bad=page_texts.OVERTAKEN if overtaken else bad,
                why=str(error),
                note=note,
                # Who was told what stands may overrule it.
                seen="" if overtaken else None,
            )
            status = 503 if error.transient else 409
            return self._looking.page_of(request, key, told=told, status=status)
        log.info("decided", background=key, decision=decision.value, by=who.login)
        return RedirectResponse(f"{to_version(key)}?said={decision.value}#review", 303)

    def _retry(self, key: str) -> Response:
        job = JobStore(self._web.database).retry(key)
        place = job.place
        if not place.shot:
            return RedirectResponse(to_show(place.project) if place.project else to_shows(), 303)
        address = to_cut(
            place.project, place.sequence, place.shot, season=job.season, time=job.time
        )
        return RedirectResponse(f"{address}{'&' if '?' in address else '?'}said=retry", 303)


def _decision(text: str) -> Decision:
    try:
        return Decision(text)
    except ValueError:
        raise HTTPException(400, "There is no such decision.") from None


class Pages:
    """What people look at, and what they decide there."""

    def __init__(self, web: WebContext) -> None:
        settings = web.settings
        find_file = published_files(settings)
        renderer = Renderer()
        pictures = Pictures(web.database, find_file, settings)
        self._looking = Looking(web, renderer)
        self._deciding = DecisionForms(web, renderer, self._looking)
        self._files = Files(web, pictures, find_file)
        self._reports = ReportPages(web, renderer, find_file)
        self._confirming = ConfirmationPage(web, renderer, self._files)

    def routes(self) -> list[BaseRoute]:
        """Return what to serve."""
        looking, deciding, files, reports = (
            self._looking,
            self._deciding,
            self._files,
            self._reports,
        )
        return [
            Route("/", looking.shows),
            Route("/preferences", looking.prefer, methods=["POST"]),
            Route("/shows/{project}", looking.show),
            Route("/shows/{project}/card", looking.one_card),
            Route("/shows/{project}/reports", reports.list),
            Route("/shows/{project}/{sequence}/{shot}", looking.cut),
            Route("/versions/{key}", looking.version),
            Route("/versions/{key}/decision", deciding.decide, methods=["POST"]),
            Route("/versions/{key}/record", files.record),
            Route("/jobs/{key}/retry", deciding.retry, methods=["POST"]),
            Route("/pictures/{sha256}/{size}.jpg", files.picture),
            Route("/ledger/{number}", files.ledger),
            Route("/reports/{project}/{name}.{form}", reports.one),
            *self._confirming.routes(),
            Mount("/static", Assets()),
        ]
