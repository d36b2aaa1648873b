"""
Haikei's items in the tracker's menus: what somebody chose, and the answer.

`POST /menu/{item}` says which, with the rows that were selected; painting layouts is among them.
"""

from asyncio import to_thread
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from haikei.credits import BackgroundVersion, Scope, records
from haikei.database import backgrounds, feed_rows, jobs, reading, utc_now
from haikei.errors import HaikeiError, RequestForged, RequestMalformed
from haikei.events import Event
from haikei.jobs.job import JobState
from haikei.jobs.table import ENDED_BADLY, JobStore
from haikei.settings import Settings
from haikei.show import part_name
from haikei.sources.eventlog.arrivals import BackfillEntry, BackfillOutcome
from haikei.sources.eventlog.feed_rows import RowState
from haikei.sources.eventlog.follower import Follower
from haikei.trackers import MENU, MENU_PATH, MenuAction, MenuForm, Part, Selected, SignedIn, needed
from haikei.web.address import to_credits, to_retake, to_show, to_version
from haikei.web.context import WebContext
from haikei.web.message import PageLink, message_page
from haikei.web.security.request_security import set_cookie
from haikei.web.security.requests import caller, read_body, read_form
from haikei.web.security.sessions import role_of
from haikei.web.webhooks.recording import Pruning, forget_before, take_once
from haikei.web.webhooks.webhook_endpoint import KEPT

#: Layouts that are hashed while somebody waits for the page.
AT_ONCE = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutOutcome:
    """What becomes of one layout."""

    text: str
    begun: bool
    show: str  #: the project's name, empty when it is not known


class Generating:
    """Uses the very path that a backfill uses: a layout that was announced is not announced."""

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self._store = JobStore(context.database)

    def generate(self, published_files: Sequence[int]) -> tuple[LayoutOutcome, ...]:
        """
        Hand layouts to the jobs; let jobs of theirs that ended badly run again.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        context = self._context
        chosen = list(published_files[:AT_ONCE])
        with context.tracker() as tracker:
            feed = needed(tracker.parts.feed, tracker, Part.FEED)
            with Follower(context.settings, context.database, feed, context.storage) as follower:
                outcomes = [self._outcome(entry) for entry in follower.backfill_rows(chosen)]
        left = len(published_files) - len(chosen)
        if left > 0:
            text = f"{left} more were left: select fewer, or use `haikei backfill`."
            outcomes.append(LayoutOutcome(text=text, begun=False, show=""))
        return tuple(outcomes)

    def _outcome(self, entry: BackfillEntry) -> LayoutOutcome:
        name = entry.path or f"PublishedFile {entry.published_file}"
        if entry.event is None:
            return LayoutOutcome(text=f"{name}: {entry.reason}", begun=False, show="")
        show = entry.event.place.project
        if entry.outcome is BackfillOutcome.NEW:
            return LayoutOutcome(text=f"{name}: begun.", begun=True, show=show)
        again = self._again(entry.event)
        if again:
            return LayoutOutcome(text=f"{name}: tried again.", begun=True, show=show)
        text = f"{name}: stands already or is being made; ask for a retake to have another one."
        return LayoutOutcome(text=text, begun=False, show=show)

    def _again(self, event: Event) -> int:
        columns = jobs.c
        query = select(columns.key).where(
            columns.event_key == event.key,
            columns.state.in_([state.value for state in ENDED_BADLY]),
        )
        with reading(self._context.database) as connection:
            keys = connection.execute(query).scalars().all()
        for key in keys:
            self._store.retry(key)
        return len(keys)


#: Links and reasons that one page shows.
SHOWN = 100
_DECIDING = frozenset({MenuAction.GENERATE, MenuAction.RETAKE})
_TITLES = {item.action: item.title for item in MENU}
_TYPES = {item.action: item.entity_types for item in MENU}


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuAnswer:
    """A page to go to, or something to say."""

    goes_to: str = ""
    status: int = 200
    text: str = ""
    lines: tuple[str, ...] = ()
    links: tuple[PageLink, ...] = ()


class MenuActions:
    """Acts on rows as the tracker has them now; what the form says of them is not believed."""

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self._generating = Generating(context)

    def act(self, action: MenuAction, form: MenuForm, person: SignedIn) -> MenuAnswer:
        """
        Do what an item says.

        Raises:
            HaikeiError: the tracker does not answer, or refuses.
        """
        title = _TITLES[action]
        if action in _DECIDING and not role_of(person.login, self._context.settings.web).decides:
            return MenuAnswer(
                status=403, text=f"{person.name}, you may look here, and others decide."
            )
        if not form.ids:
            return MenuAnswer(
                status=400, text=f"Nothing is selected. Select rows, then choose “{title}”."
            )
        if form.entity_type not in _TYPES[action]:
            kinds = ", ".join(_TYPES[action])
            return MenuAnswer(status=400, text=f"“{title}” is for rows of these types: {kinds}.")
        with self._context.tracker() as tracker:
            desk = needed(tracker.parts.selection, tracker, Part.SELECTION)
            rows = desk.read(form.entity_type, form.ids)
            layouts = self._layouts(action, form.entity_type, rows, desk.layouts_of)
        if not rows:
            return MenuAnswer(status=404, text="The tracker does not show us these rows.")
        match action:
            case MenuAction.GENERATE:
                return self._generate(layouts)
            case MenuAction.REFUSED:
                return self._refused(rows, layouts)
            case MenuAction.OPEN:
                return self._opened(rows, to_version, all_of_shot=True)
            case MenuAction.CREDITS:
                return self._opened(rows, to_credits)
            case MenuAction.RETAKE:
                return self._opened(rows, to_retake)

    def _layouts(
        self,
        action: MenuAction,
        entity_type: str,
        rows: Sequence[Selected],
        layouts_of: Callable[[Sequence[int]], Sequence[int]],
    ) -> Sequence[int]:
        if action not in {MenuAction.GENERATE, MenuAction.REFUSED} or not rows:
            return ()
        ids = [row.id for row in rows]
        return layouts_of(ids) if entity_type == "Shot" else ids

    def _generate(self, layouts: Sequence[int]) -> MenuAnswer:
        outcomes = self._generating.generate(layouts)
        if not outcomes:
            return MenuAnswer(status=404, text="There is no layout among these rows.")
        places = dict.fromkeys(one.show for one in outcomes if one.show)
        return MenuAnswer(
            text=f"{sum(one.begun for one in outcomes)} of {len(outcomes)} layouts "
            "will be painted.",
            lines=tuple(one.text for one in outcomes[:SHOWN]),
            links=tuple(PageLink(href=to_show(name), text=name) for name in places),
        )

    def _opened(
        self,
        rows: Sequence[Selected],
        link: Callable[[str], str],
        *,
        all_of_shot: bool = False,
    ) -> MenuAnswer:
        if all_of_shot and len(rows) == 1 and rows[0].version is None and rows[0].place.shot:
            place = rows[0].place
            with reading(self._context.database) as connection:
                if not any(_of_shot(connection, rows)):
                    return _NOTHING
            return MenuAnswer(
                goes_to=to_show(
                    place.project,
                    sequence=part_name(place.episode, place.sequence),
                    text=place.shot,
                )
            )
        with reading(self._context.database) as connection:
            found = list(_first(_versions(connection, rows)))
        if not found:
            return _NOTHING
        if len(found) == 1:
            return MenuAnswer(goes_to=link(found[0].key))
        return MenuAnswer(
            text=f"{len(found)} versions.",
            links=tuple(PageLink(href=link(one.key), text=one.code) for one in found),
        )

    def _refused(self, rows: Sequence[Selected], layouts: Sequence[int]) -> MenuAnswer:
        feed = str(self._context.settings.tracker.url).rstrip("/")
        with reading(self._context.database) as connection:
            lines = list(dict.fromkeys(_reasons(connection, feed, rows, layouts)))
        if not lines:
            return MenuAnswer(text="Nothing of this was refused.")
        return MenuAnswer(
            text="This is why:",
            lines=tuple(lines[:SHOWN]),
            links=tuple(
                PageLink(href=to_show(name), text=name)
                for name in dict.fromkeys(row.place.project for row in rows)
            ),
        )


_NOTHING = MenuAnswer(status=404, text="There is no background of this yet.")


def _versions(connection: Connection, rows: Sequence[Selected]) -> Iterator[BackgroundVersion]:
    ids = [row.version for row in rows if row.version is not None]
    columns = backgrounds.c
    query = select(columns.key).where(columns.tracker_id.in_(ids)).order_by(columns.code)
    for key in connection.execute(query).scalars().all():
        if (found := records.background(connection, key)) is not None:
            yield found
    yield from _of_shot(connection, [row for row in rows if row.version is None])


def _of_shot(connection: Connection, rows: Sequence[Selected]) -> Iterator[BackgroundVersion]:
    for place in dict.fromkeys(row.place for row in rows):
        if place.shot:
            scope = Scope.of(place, latest=True)
            yield from records.backgrounds(connection, scope)


def _first(versions: Iterable[BackgroundVersion]) -> Iterator[BackgroundVersion]:
    for number, version in enumerate(versions):
        if number >= SHOWN:
            return
        yield version


def _reasons(
    connection: Connection, feed: str, rows: Sequence[Selected], layouts: Sequence[int]
) -> Iterator[str]:
    refused = (
        select(jobs.c.layout, jobs.c.error)
        .join(feed_rows, feed_rows.c.key == jobs.c.key)
        .where(
            feed_rows.c.feed == feed,
            feed_rows.c.row_id.in_(layouts),
            feed_rows.c.state == RowState.REFUSED.value,
            jobs.c.state == JobState.DEAD.value,
        )
    )
    for row in connection.execute(refused):
        yield f"{row.layout}: {row.error}"
    for place in dict.fromkeys(row.place for row in rows):
        if not place.shot:
            continue
        dead = (
            select(jobs.c.season, jobs.c.time, jobs.c.step, jobs.c.error)
            .where(
                jobs.c.project == place.project,
                # A job may have ended before it found what its path does not give.
                jobs.c.episode.in_(("", place.episode)),
                jobs.c.sequence.in_(("", place.sequence)),
                jobs.c.shot == place.shot,
                jobs.c.state == JobState.DEAD.value,
            )
            .order_by(jobs.c.id.desc())
            .limit(SHOWN)
        )
        for one in connection.execute(dead):
            what = " ".join(filter(None, (place.shot, one.season, one.time)))
            yield f"{what} ({one.step}): {one.error}"


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
