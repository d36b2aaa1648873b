"""The web application for tests: real but for the tracker, and what a ShotGrid site sends it."""

import hashlib
import hmac
import json
import queue
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from pydantic import SecretStr
from sqlalchemy import Engine, Table, select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.testclient import TestClient

from haikei.database import feed_cursors, feed_rows, review_wakes, utc_now, web_deliveries
from haikei.settings import Settings
from haikei.trackers.contract.visiting import Selected, SignedIn
from haikei.web import WebContext, make_app, require_supervisor, visitor
from haikei.web.serving import serve
from haikei.web.tracker_access import SiteAccess
from support.desk import MemoryDesk
from support.feed import ScriptedFeed
from support.jobs import studio_database, studio_settings

TOKEN, SECRET = "a webhook's token", "a menu's secret"
URL = "http://127.0.0.1:8771"
TRACKER = "http://tracker.test"
MORI = SignedIn(login="mori", name="K. Mori", person_id="HumanUser:14")
KATO = SignedIn(login="kato", name="N. Kato", person_id="HumanUser:15")
PASSWORD = "correct horse"
#: Seconds after which something that should happen has not.
PATIENCE = 60.0
Fields = dict[str, str]


@dataclass(slots=True, kw_only=True)
class MemorySelection:
    """The tracker's rows that people select, and its people; implements `SelectionDesk`."""

    rows: dict[tuple[str, int], Selected] = field(default_factory=dict[tuple[str, int], Selected])
    layouts: dict[int, tuple[int, ...]] = field(default_factory=dict[int, tuple[int, ...]])
    people: tuple[SignedIn, ...] = (MORI, KATO)
    closed: int = 0

    def read(self, entity_type: str, ids: Sequence[int]) -> tuple[Selected, ...]:
        return tuple(self.rows[entity_type, one] for one in ids if (entity_type, one) in self.rows)

    def layouts_of(self, shots: Sequence[int]) -> tuple[int, ...]:
        return tuple(layout for shot in shots for layout in self.layouts.get(shot, ()))

    def person(self, login: str) -> SignedIn | None:
        return next((one for one in self.people if one.login == login), None)

    def close(self) -> None:
        self.closed += 1


@dataclass(slots=True, kw_only=True)
class ClosedFeed(ScriptedFeed):
    """A feed that counts how often its connection was closed."""

    closed: int = 0

    def close(self) -> None:
        self.closed += 1


@dataclass(slots=True, kw_only=True)
class Web:
    """One studio's web application, seen by a browser that keeps its cookies."""

    settings: Settings
    database: Engine
    app: Starlette
    client: TestClient
    feed: ClosedFeed
    selection: MemorySelection
    desk: MemoryDesk
    stop: Callable[[], None]  #: stop the server; what it has begun is done then

    def deliver(
        self, payload: object, *, token: str = TOKEN, headers: Mapping[str, str] | None = None
    ) -> int:
        """Send what a webhook sends, signed; return the status of the answer."""
        body = json.dumps(payload).encode()
        return self.post(body, {"x-sg-signature": sign(body, token), **(headers or {})})

    def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Send any body to the webhooks' address; return the status of the answer."""
        return self.client.post(
            "/webhooks/shotgrid",
            content=body,
            headers={"content-type": "application/json; charset=utf-8", **headers},
        ).status_code

    def choose(self, item: str, form: Fields, *, secret: str = SECRET) -> "Answered":
        """Use a menu item as a browser does on the tracker's page; nothing is followed."""
        signed = {**form, "signature": sign_form(form, secret)}
        return self.send_form(item, signed)

    def send_form(self, item: str, form: Fields) -> "Answered":
        """Send a form to a menu item's address as it is."""
        answer = self.client.post(
            f"/menu/{item}",
            content=urlencode(form).encode(),
            headers={
                "content-type": "application/x-www-form-urlencoded",
                "origin": TRACKER,
                "sec-fetch-site": "cross-site",
            },
            follow_redirects=False,
        )
        return Answered(
            status=answer.status_code,
            text=answer.text,
            goes_to=answer.headers.get("location", ""),
            cookie=answer.headers.get("set-cookie", ""),
        )

    def csrf(self) -> str:
        """Return what a form on a page of this browser carries."""
        return self.client.get("/who", headers={"accept": "text/html"}).text.split("|")[2]

    def follow(self) -> None:
        """Let the event log have been followed before."""
        with self.database.begin() as connection:
            connection.execute(
                feed_cursors.insert().values(
                    feed=TRACKER, frontier=1, clock=7.0, since=utc_now(), updated_at=utc_now()
                )
            )

    def woken(self) -> set[int]:
        """The versions that somebody was told to look at."""
        return {int(row) for row in self._column(review_wakes, "version_id")}

    def expected(self) -> set[int]:
        """The PublishedFiles that the follower was told to read."""
        return {int(row) for row in self._column(feed_rows, "row_id")}

    def taken(self) -> int:
        """How many deliveries are noted."""
        return len(self._column(web_deliveries, "key"))

    def _column(self, table: Table, name: str) -> list[str]:
        with self.database.connect() as connection:
            return [str(one) for one in connection.execute(select(table.c[name])).scalars()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a browser was answered."""

    status: int
    text: str
    goes_to: str
    cookie: str


def sign(body: bytes, token: str = TOKEN) -> str:
    """Sign as the site does, written anew from its documentation."""
    return "sha1=" + hmac.new(token.encode(), body, hashlib.sha1).hexdigest()


def sign_form(form: Fields, secret: str = SECRET) -> str:
    """Sign a form as the site does, written anew from its documentation."""
    text = "".join(sorted(f"{key}={value}\r\n" for key, value in form.items()))
    return hmac.new(secret.encode(), text.encode(), hashlib.sha1).hexdigest()


def an_item(
    number: int = 1,
    *,
    entity: tuple[str, int] = ("Version", 5),
    kind: str = "Change",
    attribute: str = "sg_status_list",
    **more: object,
) -> dict[str, object]:
    """Return one delivery as the documentation shows it."""
    operations = {"Change": "update", "New": "create", "Retirement": "delete"}
    return {
        "id": f"{number}.3065.0",
        "event_log_entry_id": 545000 + number,
        "event_type": f"Shotgun_{entity[0]}_{kind}",
        "operation": operations[kind],
        "user": {"type": "HumanUser", "id": 88},
        "entity": {"type": entity[0], "id": entity[1]},
        "project": {"type": "Project", "id": 122},
        "meta": {
            "type": "attribute_change",
            "entity_id": entity[1],
            "entity_type": entity[0],
            "attribute_name": attribute,
            "field_data_type": "status_list",
            "old_value": "rev",
            "new_value": "apr",
        },
        "created_at": "2022-02-01 20:53:08.523887",
        "attribute_name": attribute,
        "session_uuid": "dd6a1d6a-83a0-11ec-8826-0242ac110006",
        "delivery_id": "3a5de4ee-8c05-4eab-b3ea-9b2d4ad6b0b5",
        **more,
    }


def single(item: object, *, at: datetime | None = None) -> dict[str, object]:
    """Return a request with one delivery."""
    return {"data": item, "timestamp": _stamp(at)}


def batched(*items: object, at: datetime | None = None) -> dict[str, object]:
    """Return a request of a webhook that sends batches."""
    return {"timestamp": _stamp(at), "data": {"deliveries": list(items)}}


def a_form(
    entity_type: str, *ids: int, login: str = "mori", at: datetime | None = None, **more: str
) -> Fields:
    """Return the fields of a menu item's form, without its signature."""
    chosen = ",".join(str(one) for one in ids)
    return {
        "user_id": "14",
        "user_login": login,
        "entity_type": entity_type,
        "selected_ids": chosen,
        "ids": chosen or "1,2,3",
        "title": "",
        "page_id": "4606",
        "server_hostname": "tracker.test",
        "referrer_path": "/detail/Version/5",
        "session_uuid": "dd6a1d6a-83a0-11ec-8826-0242ac110006",
        "cols": "",
        "column_display_names": "",
        "view": "Default",
        "project_name": "港の朝",
        "project_id": "70",
        "timestamp": _stamp(at),
        **more,
    }


def wait_until(condition: Callable[[], bool]) -> None:
    """Look again and again until a thing that another thread does has happened."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def _stamp(at: datetime | None) -> str:
    return (at or utc_now()).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def check_password(
    _settings: Settings, login: str, password: SecretStr, *, code: str = ""
) -> SignedIn | None:
    """Know two people with the same password."""
    known = {one.login: one for one in (MORI, KATO)}
    right = password.get_secret_value() == PASSWORD and not code
    return known.get(login) if right else None


def plain_pages(_context: WebContext) -> Sequence[BaseRoute]:
    """Pages that say who looks at them, and one that takes a decision."""

    def who(request: Request) -> Response:
        one = visitor(request)
        return HTMLResponse(f"{one.login}|{one.role.value}|{one.csrf}")

    async def decide(request: Request) -> Response:
        by = require_supervisor(request)
        form = await request.form()
        return PlainTextResponse(f"{by.login}: {form.get('text', '')}")

    def broken(_request: Request) -> Response:
        message = "nobody foresaw this"
        raise RuntimeError(message)

    return [
        Route("/", who),
        Route("/who", who),
        Route("/decide", decide, methods=["POST"]),
        Route("/broken", broken),
    ]


@contextmanager
def web_of(
    folder: Path,
    *,
    pages: Callable[[WebContext], Sequence[BaseRoute]] = plain_pages,
    base_url: str = URL,
    ours: frozenset[int] | None = None,
    before: Callable[[str], None] = lambda _: None,
    **sections: object,
) -> Generator[Web]:
    """Yield a studio's web application, with its lifespan."""
    given: dict[str, object] = {"webhook_token": TOKEN, "menu_secret": SECRET}
    settings = studio_settings(
        folder,
        **{
            "tracker": {"url": TRACKER},
            **sections,
            "web": {**given, **_section(sections.get("web"))},
        },
    )
    with ExitStack() as stack:
        database = studio_database(settings)
        stack.callback(database.dispose)
        feed, selection, desk = ClosedFeed(name=TRACKER, ours=ours), MemorySelection(), MemoryDesk()
        feed.before_each_call = before
        app = make_app(
            settings,
            database,
            open_review_desk=lambda _: desk,
            site=SiteAccess(
                feed=lambda _: feed, selection=lambda _: selection, authenticate=check_password
            ),
            pages=pages,
        )
        running = stack.enter_context(ExitStack())
        client = running.enter_context(
            TestClient(
                app,
                base_url=base_url,
                raise_server_exceptions=False,
                client=("127.0.0.1", 50000),
            )
        )
        yield Web(
            settings=settings,
            database=database,
            app=app,
            client=client,
            feed=feed,
            selection=selection,
            desk=desk,
            stop=running.close,
        )


@contextmanager
def serving(
    settings: Settings, database: Engine
) -> Generator[tuple[str, threading.Event, threading.Thread]]:
    """Yield the address of the real server, what stops it, and its thread."""
    stop = threading.Event()
    told: queue.Queue[str | BaseException] = queue.Queue()

    def run() -> None:
        try:
            serve(settings, database, on_ready=told.put, stop=stop)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            told.put(error)

    thread = threading.Thread(target=run, name="web")
    thread.start()
    try:
        answer = told.get(timeout=PATIENCE)
        if isinstance(answer, BaseException):
            raise answer
        yield answer, stop, thread
    finally:
        stop.set()
        thread.join(PATIENCE)
    assert not thread.is_alive()


def _section(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, dict) else {}
