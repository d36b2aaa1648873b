"""A show of many cuts: all are there, soon, whatever the browser does with it."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select
from starlette.types import Message

from haikei.credits import BackgroundVersion
from haikei.database import backgrounds
from haikei.images import Look, Picture, read_picture
from haikei.images.limits import Limits
from haikei.web.pages import files
from haikei.web.pages.rendering import FOLDER, to_asset, to_cut
from support.clocks import PATIENCE
from support.records import save_background, save_show
from support.web import URL, Web, a_version, get, pages_of, read, with_pictures

SHOW = "/shows/akane"
CUTS = 400
CARD = {"class": "card"}


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with pages_of(tmp_path) as one:
        yield one


@pytest.fixture
def show(web: Web) -> Web:
    with web.database.begin() as connection:
        save_show(connection, versions=CUTS, variants=1, shots_a_sequence=120)
    return web


@pytest.fixture
def unseen(web: Web) -> list[BackgroundVersion]:
    """Return versions with files, whose pictures nobody has looked at."""
    root = web.settings.storage.roots[0].path
    made = [with_pictures(root, a_version(f"c{number:03d}")) for number in range(3)]
    with web.database.begin() as connection:
        for one in made:
            save_background(connection, one)
    return made


def pictures_of(versions: list[BackgroundVersion]) -> list[str]:
    return [f"/pictures/{one.sha256}/360.jpg" for told in versions for one in told.images]


def test_every_cut_has_its_link_and_its_picture_without_a_script(show: Web) -> None:
    page = get(show, SHOW)

    with show.database.connect() as connection:
        rows = connection.execute(select(backgrounds)).all()
    places = {(row.sequence, row.shot, row.season, row.time) for row in rows}
    links = {found["href"] for found in page.all("a")}
    assert len(page.all("li", **CARD)) == len(places) > 250
    for sequence, shot, season, time in places:
        assert to_cut("akane", sequence, shot, season=season, time=time) in links
    pictures = [one["src"] for one in page.all("img", loading="lazy")]
    assert len(pictures) == len(set(pictures)) == len(places)


def test_each_sequence_has_its_heading_and_says_how_many(show: Web) -> None:
    page = get(show, SHOW)

    sequences = Counter(one["data-place"].split("/")[0] for one in page.all("li", **CARD))
    assert len(page.all("section", **{"class": "sequence"})) == len(sequences) > 2
    for name, number in sequences.items():
        assert f" {name} {number} " in page.text


def test_states_add_up_to_all(show: Web) -> None:
    page = get(show, SHOW)
    counted = [get(show, found["href"]) for found in page.all("a", **{"class": "count"})]

    shown = [len(one.all("li", **CARD)) for one in counted]
    assert all(shown)
    assert sum(shown) == len(page.all("li", **CARD))


def test_only_cards_that_are_far_down_wait_for_their_pictures(show: Web) -> None:
    html = show.client.get(SHOW).text

    cards = html.count('class="card"')
    near = html.partition("<noscript>")[0].count('class="card"') - 1
    assert near > 100
    assert html.count("<noscript>") == cards - near > 100
    one = read(html).all("li", **CARD)[-1]["data-place"].split("/")
    query = "&".join(
        f"{name}={value}"
        for name, value in zip(("sequence", "shot", "season", "time"), one, strict=True)
    )
    assert "noscript" not in show.client.get(f"{SHOW}/card?{query}").text


@pytest.mark.parametrize(
    ("address", "accepted", "packed"),
    [
        (SHOW, "gzip, deflate, br", True),
        (SHOW, "br, GZIP;q=0.5", True),
        (SHOW, "gzip;q=0, br", False),
        (SHOW, "identity", False),
        # Beside words of somebody else's choice, the length would tell what is secret.
        (f"{SHOW}?text=c00", "gzip", False),
    ],
)
def test_a_show_is_compressed_for_who_takes_it(
    show: Web, address: str, accepted: str, *, packed: bool
) -> None:
    answer = show.client.get(address, headers={"accept-encoding": accepted})

    assert ("content-encoding" in answer.headers) is packed
    assert "accept-encoding" in answer.headers["vary"]
    assert answer.headers["cache-control"] == "no-store"
    plain = show.client.get(address, headers={"accept-encoding": "identity"})
    assert answer.text == plain.text
    assert answer.text.rstrip().endswith("</html>")


def test_a_page_is_sent_while_it_is_being_written(show: Web) -> None:
    pieces = asyncio.run(raw(show, SHOW))

    assert len(pieces) > 3
    assert b"<h1>akane</h1>" in pieces[0]
    assert b"</html>" not in pieces[0]


def test_styles_and_scripts_are_kept_until_they_change(show: Web) -> None:
    page = get(show, SHOW)
    own = [one["href"] for one in page.all("link")] + [one["src"] for one in page.all("script")]

    assert len(own) == len(set(own)) > 4
    for address in own:
        answer = show.client.get(address)
        assert answer.status_code == HTTPStatus.OK
        assert "immutable" in answer.headers["cache-control"]
    for other in ("/static/haikei.css", "/static/haikei.css?0123456789ab"):
        answer = show.client.get(other)
        assert answer.headers["cache-control"] == "no-cache"
        again = show.client.get(other, headers={"if-none-match": answer.headers["etag"]})
        assert again.status_code == HTTPStatus.NOT_MODIFIED
    assert show.client.get("/static/../labels.py").status_code == HTTPStatus.NOT_FOUND
    assert to_asset("haikei.css") in own
    assert {file.name for file in FOLDER.glob("*.js")} >= {"live.js", "far-pictures.js"}


def test_making_pictures_holds_no_other_page_up(
    web: Web, unseen: list[BackgroundVersion], monkeypatch: pytest.MonkeyPatch
) -> None:
    go, at_once = threading.Event(), Making()

    def slow(path: Path, *, limits: Limits, look: Look) -> Picture:
        with at_once:
            assert go.wait(PATIENCE)
            return read_picture(path, limits=limits, look=look)

    monkeypatch.setattr(files, "read_picture", slow)
    wanted = pictures_of(unseen) * 20

    async def visit() -> list[int]:
        transport = httpx.ASGITransport(web.app)
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            waiting = [asyncio.create_task(client.get(one)) for one in wanted]
            await asyncio.to_thread(at_once.begun.wait, PATIENCE)
            # All threads of the server would be taken, if each of these had one.
            other = await asyncio.wait_for(client.get(SHOW), PATIENCE)
            large = asyncio.create_task(client.get(wanted[0].replace("360", "1600")))
            assert not any(one.done() for one in waiting)
            go.set()
            answers = await asyncio.gather(*waiting, large)
        return [other.status_code, *(one.status_code for one in answers)]

    assert len(wanted) > 200
    assert set(asyncio.run(visit())) == {200}
    # One for cards, and one for who opens a picture.
    assert at_once.most <= 2
    assert at_once.times == len(set(wanted)) + 1


def test_nobody_makes_a_picture_for_a_browser_that_has_gone(
    web: Web, unseen: list[BackgroundVersion]
) -> None:
    address = pictures_of(unseen)[0]
    gone = asyncio.run(raw(web, address, gone=True))

    assert gone == [b""]
    assert not list((web.settings.studio.state / "web-thumbnails").rglob("*.jpg"))
    assert web.client.get(address).status_code == HTTPStatus.OK


class Making:
    """Counts who is at it."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.now = self.most = self.times = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self.now += 1
            self.times += 1
            self.most = max(self.most, self.now)
        self.begun.set()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.now -= 1


async def raw(web: Web, path: str, *, gone: bool = False) -> list[bytes]:
    """Return the pieces in which an answer is sent; or what is sent to nobody."""
    pieces: list[bytes] = []
    ended = asyncio.Event()

    async def receive() -> Message:
        if not gone:
            await ended.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            pieces.append(message.get("body", b""))
            if not message.get("more_body", False):
                ended.set()

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", URL.partition("//")[2].encode())],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8771),
    }
    await web.app(scope, receive, send)
    return pieces
