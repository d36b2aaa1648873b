"""Forms with which people decide: plain ones, that need no script."""

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from haikei.errors import HaikeiError, ReviewOvertaken, TrackerUnavailable
from haikei.events import Source
from haikei.jobs.store import JobStore
from haikei.review import Decider, Deciding, Decision, Verdict
from haikei.web.context import WebContext
from haikei.web.links import to_show, to_shows, to_version
from haikei.web.pages import words
from haikei.web.pages.looking import Looking, Told
from haikei.web.pages.rendering import Renderer, to_cut
from haikei.web.visitor import Visitor, require_supervisor

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
        verdict = Verdict(
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
            bad = words.TRACKER_AWAY if away else words.NOT_SAID
            told = Told(
                bad=words.OVERTAKEN if overtaken else bad,
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
