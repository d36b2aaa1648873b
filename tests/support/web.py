"""The web application of a studio, what a tracker sends it, and its pages as browsers read them."""

import hashlib
import hmac
import json
import queue
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
from pydantic import SecretStr
from sqlalchemy import Engine, Table, select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.testclient import TestClient
from typing_extensions import override

from haikei.credits import BackgroundVersion, ImageRecord
from haikei.database import feed_cursors, feed_rows, review_wakes, utc_now, web_deliveries
from haikei.files import sha256_of
from haikei.images import Picture, write_picture
from haikei.settings import Settings
from haikei.show import Row
from haikei.trackers import SignedIn, TrackerParts
from haikei.trackers.memory import MemoryPlaylistDesk, MemorySelectionDesk
from haikei.trackers.shotgrid.requests import ShotGridMenu, ShotGridWebhooks
from haikei.web import WebContext, make_app, require_supervisor, visitor
from haikei.web.application import serve
from haikei.web.pages import Pages
from support.clocks import PATIENCE
from support.jobs import studio_database, studio_settings
from support.records import a_background, a_chain
from support.trackers import MemoryReview, PartsTracker, ScriptedFeed

TOKEN, SECRET = "a webhook's token", "a menu's secret"
URL = "http://127.0.0.1:8771"
TRACKER = "http://tracker.test"
MORI = SignedIn(login="mori", name="K. Mori", person_id="HumanUser:14")
KATO = SignedIn(login="kato", name="N. Kato", person_id="HumanUser:15")
PASSWORD = "correct horse"
Fields = dict[str, str]


@dataclass(slots=True, kw_only=True)
class Board(MemoryPlaylistDesk):
    """Keeps what is attached to rows, whole, by the row's type and id."""

    files: dict[tuple[str, int], bytes] = field(default_factory=dict[tuple[str, int], bytes])
    failures: list[Exception] = field(default_factory=list[Exception])

    @override
    def attach(self, row: Row, file: Path, name: str) -> None:
        if self.failures:
            raise self.failures.pop(0)
        MemoryPlaylistDesk.attach(self, row, file, name)
        self.files[row.type, row.id] = file.read_bytes()


@dataclass(slots=True, kw_only=True)
class Web:
    """One studio's web application, seen by a browser that keeps its cookies."""

    settings: Settings
    database: Engine
    app: Starlette
    client: TestClient
    feed: ScriptedFeed
    selection: MemorySelectionDesk
    desk: MemoryReview
    board: "Board"
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


def _stamp(at: datetime | None) -> str:
    return (at or utc_now()).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def check_password(login: str, password: SecretStr, /, *, code: str = "") -> SignedIn | None:
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
        feed, selection, desk, board = (
            ScriptedFeed(name=TRACKER, ours=ours),
            MemorySelectionDesk(people=(MORI, KATO)),
            MemoryReview(),
            Board(),
        )
        feed.before_each_call = before
        parts = TrackerParts(
            feed=feed,
            review=desk,
            playlists=board,
            selection=selection,
            sign_in=check_password,
            webhooks=ShotGridWebhooks(settings),
            menu=ShotGridMenu(settings),
        )
        app = make_app(
            settings,
            database,
            open_tracker=lambda _: PartsTracker(parts),
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
            board=board,
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


Attributes = dict[str, str]


@dataclass(slots=True)
class Page(HTMLParser):
    """The elements of a page, with their attributes, and all of its text."""

    elements: list[tuple[str, Attributes]] = field(default_factory=list[tuple[str, Attributes]])
    text: str = ""

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    @override
    def handle_data(self, data: str) -> None:
        self.text += f" {' '.join(data.split())}" if data.strip() else ""

    def all(self, tag: str, **wanted: str) -> list[Attributes]:
        """Return the attributes of all elements of this kind that have these values."""
        return [
            found
            for name, found in self.elements
            if name == tag and all(found.get(key) == value for key, value in wanted.items())
        ]

    def attribute(self, name: str) -> list[str]:
        """Return every value of an attribute."""
        return [found[name] for _, found in self.elements if name in found]


def read(html: str) -> Page:
    """Return a page's elements."""
    page = Page()
    page.feed(html)
    page.close()
    return page


@contextmanager
def pages_of(folder: Path, *, base_url: str = URL, **sections: Any) -> Generator[Web]:
    """Yield a studio's web application with Haikei's own pages."""
    with web_of(
        folder, pages=lambda context: Pages(context).routes(), base_url=base_url, **sections
    ) as web:
        yield web


def get(web: Web, address: str, headers: Mapping[str, str] | None = None) -> Page:
    """Return a page that is there."""
    answer = web.client.get(address, headers=dict(headers or {}))
    assert answer.status_code == 200, answer.text
    return read(answer.text)


def csrf(page: Page) -> str:
    """Return what the page's forms carry."""
    return page.all("input", name="csrf")[0]["value"]


def with_pictures(root: Path, told: BackgroundVersion) -> BackgroundVersion:
    """Return the version with a file for each of its images, each in a colour of its own."""
    hashes: dict[str, str] = {}
    images: list[ImageRecord] = []
    for number, image in enumerate(told.images):
        path = root / image.path
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.full((90, 160, 3), (number + 1) / 5, dtype=np.float32)
        pixels[:, : 30 * (number + 1)] = (0.2, 0.5, 0.3)
        write_picture(Picture(pixels=pixels), path, bits=8, attributes={"Software": image.key})
        hashes[image.sha256] = sha256_of(path)
        ingredients = tuple(
            replace(one, sha256=hashes.get(one.sha256, one.sha256)) for one in image.ingredients
        )
        images.append(replace(image, sha256=hashes[image.sha256], ingredients=ingredients))
    return replace(told, images=tuple(images))


def a_version(
    shot: str = "c001", *, images: Sequence[ImageRecord] | None = None, version: int = 1
) -> BackgroundVersion:
    """Return a version whose paths lie below a storage root."""
    chain = a_chain(shot) if images is None else images
    return a_background(shot, images=chain, version=version)
