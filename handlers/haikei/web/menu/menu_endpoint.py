"""`POST /menu/{item}`: somebody chose one of Haikei's items in the tracker's pages."""

from asyncio import to_thread

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from haikei.database import utc_now
from haikei.errors import HaikeiError, RequestForged, RequestMalformed
from haikei.settings import Settings
from haikei.trackers import MENU_PATH, MenuAction, MenuForm, Part, SignedIn, needed
from haikei.web.context import WebContext
from haikei.web.menu.actions import MenuActions, MenuAnswer
from haikei.web.message import message_page
from haikei.web.security.request_security import set_cookie
from haikei.web.security.requests import caller, read_body, read_form
from haikei.web.webhooks.recording import Pruning, forget_before, take_once
from haikei.web.webhooks.webhook_endpoint import KEPT

log = structlog.get_logger()


class Menu:
    """
    Believes a form that the studio's site has signed a moment ago, once.

    It signs its person in: the site vouches for them, and the tracker is asked whether they are
    active. What they may do is the studio's settings' business.
    """

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self._settings: Settings = context.settings
        self._actions = MenuActions(context)
        # Webhooks prune the same table, and keep keys far longer than a form is believed.
        self._pruning = Pruning(KEPT)

    def routes(self) -> list[Route]:
        """Return what the application serves."""
        return [Route(f"{MENU_PATH}/{{item}}", self.receive, methods=["POST"])]

    async def receive(self, request: Request) -> Response:
        """Take one form."""
        address = caller(request, self._settings)
        try:
            form, action = await self._checked(request, address)
            person = await to_thread(self._person, form)
        except HTTPException as error:
            log.warning(
                "menu_item_refused",
                item=request.path_params["item"],
                status=error.status_code,
                reason=error.detail,
                address=address,
            )
            raise
        log.info("menu_item_used", item=action.value, login=person.login, rows=len(form.ids))
        answer = _page(await to_thread(self._acted, action, form, person))
        session = self._context.sessions.begin(
            login=person.login, name=person.name, person_id=person.person_id
        )
        set_cookie(answer, self._context.sessions, session)
        return answer

    async def _checked(self, request: Request, address: str) -> tuple[MenuForm, MenuAction]:
        wait = self._context.requests.take(address)
        if wait:
            raise HTTPException(
                429, "Too many requests; wait a little.", {"Retry-After": str(int(wait) + 1)}
            )
        try:
            action = MenuAction(request.path_params["item"])
        except ValueError:
            raise HTTPException(404, "There is no such menu item.") from None
        if self._settings.web.menu_secret is None:
            raise HTTPException(
                503, "No menu items are taken here: HAIKEI_WEB__MENU_SECRET is not set."
            )
        body = await read_body(request, limit=self._settings.web.max_body_kib * 1024)
        try:
            form = await to_thread(self._read, body)
        except (RequestForged, RequestMalformed) as error:
            raise HTTPException(403, error.message) from None
        if not await to_thread(self._is_new, form.key):
            raise HTTPException(403, "This was used already. Use the menu item again.")
        return form, action

    def _read(self, body: bytes) -> MenuForm:
        with self._context.tracker() as tracker:
            reader = needed(tracker.parts.menu, tracker, Part.MENU)
            return reader.read(read_form(body), utc_now())

    def _is_new(self, key: str) -> bool:
        now = utc_now()
        with self._context.database.begin() as connection:
            if (moment := self._pruning.due(now)) is not None:
                forget_before(connection, moment)
            return bool(take_once(connection, [key], now))

    def _person(self, form: MenuForm) -> SignedIn:
        with self._context.tracker() as tracker:
            desk = needed(tracker.parts.selection, tracker, Part.SELECTION)
            found = desk.person(form.login)
        if found is None:
            raise HTTPException(403, "The tracker has no active person with this login.")
        return found

    def _acted(self, action: MenuAction, form: MenuForm, person: SignedIn) -> MenuAnswer:
        try:
            return self._actions.act(action, form, person)
        except HaikeiError as error:
            log.warning("menu_item_failed", item=action.value, error=str(error))
            lines = (error.advice,) if error.advice else ()
            return MenuAnswer(
                status=503 if error.transient else 409, text=error.message, lines=lines
            )


def _page(answer: MenuAnswer) -> Response:
    if answer.goes_to:
        return RedirectResponse(answer.goes_to, 303)
    return message_page(answer.status, answer.text, lines=answer.lines, links=answer.links)
