"""The page on which a person confirms or corrects what they are credited for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from haikei.credits import Person, people, printed_person, records
from haikei.credits.people import LinkState, Question, confirmation_key, open_link
from haikei.credits.records import CreditAnswer, CreditedWork
from haikei.database import reading, utc_now
from haikei.errors import CreditError
from haikei.texts import GRADES, ROLES, Bilingual, Text
from haikei.web.address import CONFIRMATION, to_confirmation
from haikei.web.context import WebContext
from haikei.web.pages import page_texts
from haikei.web.pages.credit_panel import evidence_of
from haikei.web.pages.files import Files, Size
from haikei.web.pages.rendering import Renderer
from haikei.web.security.requests import read_form

log = structlog.get_logger()

_STATUS = {LinkState.WRONG: 404}
_GONE, _CHANGED, _REFUSED = 410, 409, 400


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkView:
    """One image and role, as its maker is shown it."""

    name: str
    sha256: str
    role: Bilingual
    places: str
    grade: str
    grade_name: Bilingual
    evidence: tuple[Bilingual, ...]


class ConfirmationPage:
    """Opens links, and takes one answer by each. Whoever has the link needs no other login."""

    def __init__(self, web: WebContext, renderer: Renderer, files: Files) -> None:
        self._web = web
        self._renderer = renderer
        self._files = files
        self._key = confirmation_key(web.settings.work_folder)

    def routes(self) -> list[Route]:
        """Return what the application serves."""
        return [
            Route(CONFIRMATION, self.show, methods=["GET"]),
            Route(f"{CONFIRMATION}/answer", self.answer, methods=["POST"]),
            Route(f"{CONFIRMATION}/picture.jpg", self.picture, methods=["GET"]),
        ]

    def show(self, request: Request) -> Response:
        """Show a person what they are credited for; nothing is changed by that."""
        return self._page(request, request.query_params.get("link", ""))

    async def answer(self, request: Request) -> Response:
        """Seal what a person answers."""
        fields = read_form(await request.body())
        return await run_in_threadpool(self._answer, request, fields)

    async def picture(self, request: Request) -> Response:
        """Serve a picture to the person who worked on it."""
        sha256 = request.query_params.get("image", "")
        token = request.query_params.get("link", "")
        if not await run_in_threadpool(self._may_see, token, sha256):
            raise HTTPException(404, "There is no such picture.")
        return await self._files.send_picture(request, sha256, Size.CARD)

    def _may_see(self, token: str, sha256: str) -> bool:
        with reading(self._web.database) as connection:
            state, asked = open_link(connection, self._key, token, utc_now())
            if asked is None or state is not LinkState.OPEN:
                return False
            works = records.works_of(connection, asked.project, asked.person)
        return any(work.image.sha256 == sha256 for work in works)

    def _answer(self, request: Request, fields: Mapping[str, str]) -> Response:
        token = fields.get("link", "")
        now = utc_now()
        with reading(self._web.database) as connection:
            state, asked = open_link(connection, self._key, token, now)
        if asked is None or state is not LinkState.OPEN:
            return self._closed(request, state, asked)
        entries: tuple[int, ...] | None = ()
        try:
            with self._web.database.begin() as connection:
                works = records.works_of(connection, asked.project, asked.person)
                seen = fields.get("shown") == records.digest(works)
                if seen:
                    given = _given(fields, works)
                    entries = records.answer(connection, asked, works, given, now)
        except CreditError:
            refused = page_texts.NOT_TAKEN
            return self._page(request, token, fields, bad=refused, status=_REFUSED)
        if not seen:
            changed = page_texts.SHOWN_CHANGED
            return self._page(request, token, fields, bad=changed, status=_CHANGED)
        if entries is not None:
            log.info("credits_answered", project=asked.project, entries=len(entries))
        return RedirectResponse(to_confirmation(token), 303)

    def _page(
        self,
        request: Request,
        token: str,
        fields: Mapping[str, str] | None = None,
        *,
        bad: Text = "",
        status: int = 200,
    ) -> Response:
        with reading(self._web.database) as connection:
            state, asked = open_link(connection, self._key, token, utc_now())
            if asked is None or state is not LinkState.OPEN:
                return self._closed(request, state, asked)
            works = records.works_of(connection, asked.project, asked.person)
            person = people.look_up(connection, (asked.person,)).get(asked.person)
        return self._renderer.page(
            request,
            "confirm.html",
            status=status,
            closed="",
            bad=bad,
            link=token,
            studio=self._web.settings.studio.name,
            asked=asked,
            until=_day(asked.expires_at),
            name=printed_person(person or Person(id=asked.person, name="")),
            works=tuple(map(_view, works)),
            shown=records.digest(works),
            fields=fields or {},
            picked=frozenset((fields or {}).values()),
        )

    def _closed(self, request: Request, state: LinkState, asked: Question | None) -> Response:
        closed = page_texts.LINK_STATES[state.value]
        if asked is not None:
            answered = "" if asked.answered_at is None else _day(asked.answered_at)
            closed = closed.filled(until=_day(asked.expires_at), answered=answered)
        status = _STATUS.get(state, _GONE)
        return self._renderer.page(request, "confirm.html", status=status, closed=closed, works=())


def _view(work: CreditedWork) -> WorkView:
    first = work.contributions[0]
    return WorkView(
        name=work.name,
        sha256=work.image.sha256,
        role=ROLES[work.role].heading,
        places=", ".join(
            " / ".join(filter(None, (one.episode, one.sequence, one.shot))) for one in work.places
        ),
        grade=first.grade.value,
        grade_name=GRADES[first.grade],
        evidence=tuple(text for one in work.contributions for text in evidence_of(one)),
    )


def _given(fields: Mapping[str, str], works: Sequence[CreditedWork]) -> CreditAnswer:
    marked = {value for name, value in fields.items() if name.startswith("not-me-")}
    mine = {work.name for work in works}
    return CreditAnswer(
        not_me=frozenset(mine if fields.get("none") else marked & mine),
        name=_line(fields, "name"),
        name_ja=_line(fields, "name_ja"),
        also=fields.get("also", "").strip(),
        withhold=bool(fields.get("withhold")),
        words=fields.get("words", "").strip(),
    )


def _line(fields: Mapping[str, str], name: str) -> str:
    return " ".join(fields.get(name, "").split())


def _day(moment: object) -> str:
    return f"{moment:%Y-%m-%d}"
