"""
The routes of all pages: shows, a show's cuts, one cut, and the forms with which
people decide.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache, partial
from urllib.parse import quote

import structlog
from markupsafe import Markup, escape
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from haikei.database import reading
from haikei.decisions import Decision
from haikei.errors import HaikeiError, ReviewOvertaken, TrackerUnavailable
from haikei.events import Source
from haikei.jobs.job import JobState
from haikei.jobs.page_inputs import published_files
from haikei.jobs.table import JobStore
from haikei.presets import with_spots
from haikei.processes import studio_status
from haikei.review.deciding import Deciding
from haikei.review.decisions import Decider, ReviewVerdict
from haikei.show import Place, Row
from haikei.texts import DECISIONS, Text
from haikei.trackers import Part, needed
from haikei.web.address import to_show, to_shows, to_version
from haikei.web.context import WebContext
from haikei.web.pages import page_texts
from haikei.web.pages.confirming import ConfirmationPage
from haikei.web.pages.cut import Wanted, cut, find_version, version_at
from haikei.web.pages.files import Annotations, Files, Pictures
from haikei.web.pages.gallery import (
    CardPlace,
    GalleryFilter,
    Overviews,
    card,
    gallery,
    shows,
    strays,
)
from haikei.web.pages.marks import read_marks
from haikei.web.pages.rendering import (
    NO_SEQUENCE,
    Assets,
    Preferences,
    Renderer,
    Voice,
    chosen_language,
    chosen_theme,
    keep,
    to_cut,
)
from haikei.web.pages.report_pages import ReportPages
from haikei.web.pages.sheet_layers import SheetLayers
from haikei.web.security.sessions import Visitor, require_supervisor


@dataclass(frozen=True, slots=True, kw_only=True)
class FormAnswer:
    """What a page says about the form that led to it."""

    good: Text = ""
    bad: Text = ""
    why: str = ""
    note: str = ""  #: what was written, when it was not taken
    marks: str = ""  #: what was drawn, likewise
    written: str = ""  #: the decision that was just written
    seen: str | None = None  #: what stands in the tracker, where that is known better than here


_NOTHING = FormAnswer()


class CardLabels:
    """
    Says what is on cards, ready for HTML.

    Args:
        project: whose cards they are.
        say: says phrases in the language of the page.
    """

    def __init__(self, project: str, say: Voice) -> None:
        # A show has a handful of each of these, and thousands of cards.
        @cache
        def around(episode: str, sequence: str, season: str, time: str) -> tuple[str, str]:
            address = to_cut(project, sequence, "", season=season, time=time, episode=episode)
            path, mark, query = address.partition("?")
            return str(escape(path)), str(escape(mark + query))

        @cache
        def version(number: int) -> Markup:
            return Markup("<i>v{:03d}</i>").format(number) if number else Markup("")

        @cache
        def standing(season: str, time: str, state: str) -> Markup:
            text = page_texts.STATES.get(state, state)
            return Markup('<span>{}</span><span class="badge {}">{}</span>').format(
                say(page_texts.variant(season, time)), state, say(text)
            )

        self._say = say
        self.version = version
        self.standing = standing
        self._around = around

    def pick(self, shot: str) -> str:
        """Return what the box is called with which a cut is picked."""
        return self._say(page_texts.PICK, name=shot)

    def address(self, place: CardPlace) -> Markup:
        """Return the page of a cut, as `to_cut` does."""
        before, after = self._around(place.episode, place.sequence, place.season, place.time)
        return Markup(f"{before}{quote(place.shot, safe='')}{after}")  # noqa: S704 - quoted

    def place(self, place: CardPlace) -> Markup:
        """Return the name by which scripts find a card."""
        within = f"{place.episode}/" if place.episode else ""
        return escape(f"{within}{place.sequence}/{place.shot}/{place.season}/{place.time}")


class Looking:
    """Shows what there is."""

    def __init__(self, web: WebContext, renderer: Renderer) -> None:
        self._web = web
        self._renderer = renderer
        self._overviews = Overviews(web.stamp)
        self._product = ""  #: what people call the tracker, once that is known

    def shows(self, request: Request) -> Response:
        """Show every show."""
        with reading(self._web.database) as connection:
            found = shows(connection, self._overviews.groups(connection))
            lost = strays(connection)
        return self._renderer.page(request, "shows.html", found=found, strays=lost)

    def status(self, request: Request) -> Response:
        """Show how work stands: lanes, and the processes of every host."""
        found = studio_status(self._web.settings, None, self._web.database)
        counts = {state.value: found.queue.counts.get(state, 0) for state in JobState}
        return self._renderer.page(request, "status.html", stands=found, counts=counts)

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
            groups = self._overviews.groups(connection)
            found = gallery(connection, project, wanted, groups, after=query.get("after", ""))
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
            episode=query.get("episode", ""),
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
        query = request.query_params
        name = Place(
            project=params["project"],
            episode=query.get("episode", ""),
            sequence="" if sequence == NO_SEQUENCE else sequence,
            shot=params["shot"],
        )
        wanted = Wanted(
            season=query.get("season", ""),
            time=query.get("time", ""),
            version=_number(query.get("version", "")),
        )
        return self._cut(request, name, wanted, answer=_form_answer(query))

    def version(self, request: Request) -> Response:
        """Show the cut of one version."""
        return self.page_of(
            request, request.path_params["key"], answer=_form_answer(request.query_params)
        )

    def page_of(
        self, request: Request, key: str, *, answer: FormAnswer = _NOTHING, status: int = 200
    ) -> Response:
        """Return the page of a version, by its background's key or its name in the tracker."""
        with reading(self._web.database) as connection:
            found = find_version(connection, key)
        if found is None:
            return self.missing(request, page_texts.NO_SUCH_VERSION.filled(name=key))
        return self._cut(request, *found, answer=answer, status=status)

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
        answer: FormAnswer,
        status: int = 200,
    ) -> Response:
        with reading(self._web.database) as connection:
            found = cut(connection, name, wanted)
        if found is None:
            return self.missing(request, page_texts.NO_SUCH_CUT.filled(name=name.shot))
        self._product = self._product or self._web.tracker_name()
        return self._renderer.page(
            request, "cut.html", status=status, cut=found, answer=answer, tracker=self._product
        )


def _form_answer(query: Mapping[str, str]) -> FormAnswer:
    decision = DECISIONS.get(query.get("said", ""))
    if decision is not None:
        name = query["said"]
        return FormAnswer(
            good=page_texts.DECISION_WRITTEN.filled(decision=decision), seen=name, written=name
        )
    return FormAnswer(good=page_texts.TRYING) if query.get("said") == "retry" else _NOTHING


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0


def _local(address: str) -> str:
    """Return an address if it stays on this site, the first page otherwise."""
    inside = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if inside and address.isprintable() else to_shows()


log = structlog.get_logger()

#: What fields of a gallery's form begin with, before the place of the version that is picked.
PICKED = "pick:"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """What somebody decided on a version's page."""

    decision: Decision
    note: str
    marks: str
    seen: Decision | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionOutcome:
    """What became of a decision about one of several versions."""

    code: str
    key: str = ""
    why: Text = ""  #: it was not written; empty: it was


class DecisionForms:
    """Takes decisions; the tracker is written first, and a page says so when it does not answer."""

    def __init__(
        self, web: WebContext, renderer: Renderer, looking: Looking, annotations: Annotations
    ) -> None:
        self._web = web
        self._annotations = annotations
        self._renderer = renderer
        self._looking = looking

    async def decide(self, request: Request) -> Response:
        """Approve, ask for a retake, hold, omit, or take back to review."""
        who = require_supervisor(request)
        form = await request.form()
        decision = _decision(str(form.get("decision", "")))
        stood = str(form.get("seen", ""))
        given = _Given(
            decision=decision,
            note=str(form.get("note", "")).replace("\r\n", "\n"),
            marks=str(form.get("marks", "")),
            seen=_decision(stood) if stood else None,
        )
        return await run_in_threadpool(self._decide, request, who, given)

    async def decide_many(self, request: Request) -> Response:
        """Decide the same about several versions that were picked in a show."""
        who = require_supervisor(request)
        form = await request.form()
        decision = _decision(str(form.get("decision", "")))
        note = str(form.get("note", "")).replace("\r\n", "\n")
        picked = [
            (name.removeprefix(PICKED), str(stood))
            for name, stood in form.items()
            if name.startswith(PICKED)
        ]
        if not picked:
            return await run_in_threadpool(self._decided, request, decision, ())
        verdict = ReviewVerdict(decision=decision, text=note, by=_by(who))
        return await run_in_threadpool(self._decide_many, request, verdict, picked)

    async def retry(self, request: Request) -> Response:
        """Let a job that ended without a version be tried again."""
        require_supervisor(request)
        return await run_in_threadpool(self._retry, request.path_params["key"])

    def _decide(self, request: Request, who: Visitor, given: "_Given") -> Response:
        key: str = request.path_params["key"]
        web = self._web
        language = self._renderer.chosen(request).language
        try:
            marks = read_marks(given.marks)
            text = with_spots(given.note, [mark.spot for mark in marks], language)
            verdict = ReviewVerdict(
                decision=given.decision, text=text, by=_by(who), seen=given.seen
            )
            with web.tracker() as tracker, ExitStack() as stack:
                annotate: Callable[[Row], None] | None = None
                if marks:
                    board = needed(tracker.parts.playlists, tracker, Part.PLAYLISTS)
                    drawn = stack.enter_context(self._annotations.drawn(key, marks))
                    annotate = partial(board.attach, file=drawn, name=drawn.name)
                desk = needed(tracker.parts.review, tracker, Part.REVIEW)
                deciding = Deciding(web.settings, web.database, desk, source=Source.PAGE)
                deciding.decide(key, verdict, annotate=annotate)
        except HaikeiError as error:
            log.warning("decision_not_written", background=key, error=str(error))
            away = isinstance(error, TrackerUnavailable)
            overtaken = isinstance(error, ReviewOvertaken)
            bad = page_texts.TRACKER_AWAY if away else page_texts.DECISION_NOT_WRITTEN
            answer = FormAnswer(
                bad=page_texts.OVERTAKEN if overtaken else bad,
                why=str(error),
                note=given.note,
                marks=given.marks,
                # Who has seen the present state may overrule it.
                seen="" if overtaken else None,
            )
            status = 503 if error.transient else 409
            return self._looking.page_of(request, key, answer=answer, status=status)
        log.info("decided", background=key, decision=given.decision.value, by=who.login)
        return RedirectResponse(f"{to_version(key)}?said={given.decision.value}#review", 303)

    def _decide_many(
        self, request: Request, verdict: ReviewVerdict, picked: Sequence[tuple[str, str]]
    ) -> Response:
        web, project = self._web, str(request.path_params["project"])
        outcomes: list[DecisionOutcome] = []
        with web.desk() as desk:
            deciding = Deciding(web.settings, web.database, desk, source=Source.PAGE)
            for place, stood in picked:
                with reading(web.database) as connection:
                    found = version_at(connection, project, place)
                if found is None:
                    outcomes.append(DecisionOutcome(code=place, why=page_texts.NOT_THERE))
                    continue
                key, code = found
                seen = next((one for one in Decision if one.state.value == stood), None)
                try:
                    deciding.decide(key, replace(verdict, seen=seen))
                except HaikeiError as error:
                    log.warning("decision_not_written", background=key, error=str(error))
                    outcomes.append(DecisionOutcome(code=code, key=key, why=str(error)))
                    continue
                log.info(
                    "decided", background=key, decision=verdict.decision.value, by=verdict.by.login
                )
                outcomes.append(DecisionOutcome(code=code, key=key))
        return self._decided(request, verdict.decision, outcomes)

    def _decided(
        self, request: Request, decision: Decision, outcomes: Sequence["DecisionOutcome"]
    ) -> Response:
        return self._renderer.page(
            request,
            "decided.html",
            status=200 if outcomes and not any(one.why for one in outcomes) else 409,
            project=str(request.path_params["project"]),
            decision=decision.value,
            outcomes=outcomes,
        )

    def _retry(self, key: str) -> Response:
        job = JobStore(self._web.database).retry(key)
        place = job.place
        if not place.shot:
            return RedirectResponse(to_show(place.project) if place.project else to_shows(), 303)
        address = to_cut(
            place.project,
            place.sequence,
            place.shot,
            season=job.season,
            time=job.time,
            episode=place.episode,
        )
        return RedirectResponse(f"{address}{'&' if '?' in address else '?'}said=retry", 303)


def _by(who: Visitor) -> Decider:
    return Decider(login=who.login, name=who.name, person_id=who.person_id)


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
        annotations = Annotations(web.database, pictures, settings)
        self._deciding = DecisionForms(web, renderer, self._looking, annotations)
        self._layers = SheetLayers(web, renderer, find_file)
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
            Route("/status", looking.status),
            Route("/preferences", looking.prefer, methods=["POST"]),
            Route("/shows/{project}", looking.show),
            Route("/shows/{project}/card", looking.one_card),
            Route("/shows/{project}/reports", reports.list),
            Route("/shows/{project}/{sequence}/{shot}", looking.cut),
            Route("/versions/{key}", looking.version),
            Route("/versions/{key}/decision", deciding.decide, methods=["POST"]),
            Route("/versions/{key}/record", files.record),
            Route("/versions/{key}/file", files.published),
            Route("/versions/{key}/layers.zip", files.layered),
            *self._layers.routes(),
            Route("/shows/{project}/decisions", deciding.decide_many, methods=["POST"]),
            Route("/jobs/{key}/retry", deciding.retry, methods=["POST"]),
            Route("/pictures/{sha256}/{size}.jpg", files.picture),
            Route("/ledger/{number}", files.ledger),
            Route("/reports/{project}/{name}.{form}", reports.one),
            *self._confirming.routes(),
            Mount("/static", Assets()),
        ]
