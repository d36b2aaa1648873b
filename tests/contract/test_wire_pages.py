"""People look at versions and rows in a browser, without scripts and without harm."""

from collections.abc import Generator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
import shotgun_api3

from haikei.sgserver.http.hosting import SiteOptions
from support.clocks import PATIENCE
from support.sites import RunningSite, await_thumbnail, running_site, write_image

# The official client opens each file that it uploads and never closes it.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
_VOID = {"meta", "link", "img", "br", "input"}


class _Page(HTMLParser):
    """The texts, pictures and links of a page; fails on tags that do not match."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[str] = []
        self.images: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []
        self._open: list[str] = []
        self.feed(source)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on") or name == "style"]
        values = dict(attrs)
        if tag == "img":
            self.images.append(values.get("src") or "")
        if tag == "a":
            self.links.append(values.get("href") or "")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningSite]:
    with running_site(tmp_path_factory.mktemp("pages"), seed="demo") as running:
        sg = running.connect()
        for label in ("Haikei Credit", "Haikei Credit JA", "Haikei System", "Haikei Roles"):
            sg.schema_field_create("Version", "text", label)
        sg.schema_field_create("Version", "number", "Haikei Ledger")
        sg.schema_field_create("Project", "text", "Haikei Checkpoint")
        yield running


@pytest.fixture(scope="module")
def sg(site: RunningSite) -> shotgun_api3.Shotgun:
    return site.connect()


@pytest.fixture(scope="module")
def version(sg: shotgun_api3.Shotgun, tmp_path_factory: pytest.TempPathFactory) -> Any:
    shot: Any = sg.find_one(
        "Shot",
        [["code", "is", "c001"], ["project.Project.tank_name", "is", "PORT"]],
        ["project"],
    )
    artist: Any = sg.find_one("HumanUser", [["login", "is", "ytanaka"]])
    storage = sg.create("LocalStorage", {"code": "show", "linux_path": "/mnt/show"})
    kind = sg.create("PublishedFileType", {"code": "Background"})
    made: Any = sg.create(
        "Version",
        {
            "project": shot["project"],
            "entity": shot,
            "code": "c001_bg_summer_day_v001",
            "user": artist,
            "description": "夏の昼。\nNoon in summer.",
            "sg_haikei_credit": "Background: Layout Yuki Tanaka · Painting algorithm painter 1",
            "sg_haikei_credit_ja": "背景：原図 田中 優希 · 描画アルゴリズム painter 1",
            "sg_haikei_system": "Haikei painter 1",
            "sg_haikei_roles": "genzu: Yuki Tanaka (HumanUser:12)\ntouch_up: Emi Kobayashi",
            "sg_haikei_ledger": 0,
        },
    )
    files: list[Any] = []
    for name in ("c001_layout_v001.png", "c001_bg_gen1.png", "c001_bg_v001.png"):
        files.append(
            sg.create(
                "PublishedFile",
                {
                    "project": shot["project"],
                    "code": name,
                    "version": made,
                    "published_file_type": kind,
                    "path": {
                        "local_path": f"/mnt/show/PORT/{name}",
                        "local_storage": storage,
                        "relative_path": f"PORT/{name}",
                    },
                    "upstream_published_files": files[-1:],
                },
            )
        )
    note = sg.create(
        "Note",
        {
            "project": shot["project"],
            "subject": "空の色",
            "content": "もっと青く。",
            "note_links": [made],
        },
    )
    sg.create("Reply", {"entity": note, "content": "v002 に直しました。"})
    picture = write_image(tmp_path_factory.mktemp("picture") / "v001.png", width=1280, height=720)
    sg.upload("Version", made["id"], str(picture), field_name="sg_uploaded_movie")
    await_thumbnail(sg, "Version", made["id"])
    return made


def _get(site: RunningSite, path: str, status: int = 200) -> _Page:
    answer = httpx.get(f"{site.url}{path}", timeout=PATIENCE)
    assert answer.status_code == status
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page = _Page(answer.text)
    assert "script" not in page.tags
    assert page.handlers == []
    return page


def test_the_first_page_lists_the_versions(site: RunningSite, version: Any) -> None:
    page = _get(site, "/")

    assert "c001_bg_summer_day_v001" in page.text
    assert "rev" in page.text
    assert f"/detail/Version/{version['id']}" in page.links
    picture = next(src for src in page.images if "/file_serve/" in src)
    assert httpx.get(site.url + picture, timeout=PATIENCE).headers["content-type"] == "image/jpeg"


def test_the_page_of_a_version_shows_everything_about_it(site: RunningSite, version: Any) -> None:
    page = _get(site, f"/detail/Version/{version['id']}")

    for text in (
        "c001_bg_summer_day_v001",
        "Yuki Tanaka",
        "背景：原図 田中 優希",
        "夏の昼。\nNoon in summer.",
        "もっと青く。",
        "v002 に直しました。",
        "Haikei painter 1",
        "Haikei Ledger\n  0",
    ):
        assert text in page.text
    large = httpx.get(site.url + page.images[1], timeout=PATIENCE)
    assert "/file_serve/review/" in page.images[1]
    assert large.headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize("entity_type", ["Project", "Shot", "Task", "HumanUser", "EventLogEntry"])
def test_every_row_has_a_page(
    site: RunningSite, sg: shotgun_api3.Shotgun, entity_type: str
) -> None:
    row: Any = sg.find_one(entity_type, [])

    page = _get(site, f"/detail/{entity_type}/{row['id']}")

    assert entity_type in page.text


def test_hostile_text_stays_text(site: RunningSite, sg: shotgun_api3.Shotgun, version: Any) -> None:
    made = sg.create(
        "Version",
        {
            "project": version["project"],
            "code": HOSTILE,
            "description": HOSTILE,
            "sg_haikei_credit": HOSTILE,
        },
    )
    note = sg.create(
        "Note", {"project": version["project"], "content": HOSTILE, "note_links": [made]}
    )

    for path in ("/", f"/detail/Version/{made['id']}", f"/detail/Note/{note['id']}"):
        page = _get(site, path)
        assert "alert(1)" in page.text
        assert not any(src == "x" for src in page.images)


@pytest.mark.parametrize(
    "path",
    [
        "/detail/Version/99999999",
        "/detail/Shot/99999999",
        "/detail/Nothing/1",
        "/detail/__class__/1",
        "/detail/%3Cscript%3E/1",
    ],
)
def test_what_is_not_there_is_said_politely(site: RunningSite, path: str) -> None:
    page = _get(site, path, 404)

    assert "Not found" in page.text


def test_many_versions_come_in_pages(
    site: RunningSite, sg: shotgun_api3.Shotgun, version: Any
) -> None:
    sg.batch(
        [
            {
                "request_type": "create",
                "entity_type": "Version",
                "data": {
                    "project": version["project"],
                    "code": f"many_{n:03d}",
                    "sg_status_list": "vwd",
                },
            }
            for n in range(50)
        ]
    )

    first, second = _get(site, "/"), _get(site, "/?page=2")

    assert "many_049" in first.text
    assert "many_001" not in first.text
    assert "many_001" in second.text
    assert "Older" in first.text
    assert "Newer" in second.text


def test_the_pages_bring_their_own_style(site: RunningSite) -> None:
    sheet = httpx.get(f"{site.url}/static/site.css", timeout=PATIENCE)

    assert sheet.headers["content-type"].startswith("text/css")
    assert "prefers-color-scheme: dark" in sheet.text


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningSite]:
    options = SiteOptions(remote=True, thumbnail_delay=0.1)
    with running_site(tmp_path_factory.mktemp("remote"), seed="demo", options=options) as running:
        person = running.site.find_one(
            running.site.system, "HumanUser", [["login", "is", "kwatanabe"]]
        )
        assert person is not None
        number = person["id"]
        assert isinstance(number, int)
        running.site.set_password(number, "art director")
        yield running


def test_a_site_that_others_can_reach_asks_for_a_login(remote: RunningSite) -> None:
    with httpx.Client(base_url=remote.url, timeout=PATIENCE) as browser:
        sent_away = browser.get("/detail/Project/1?x=1")
        assert sent_away.status_code == 303
        assert sent_away.headers["location"] == "/user/login?next=%2Fdetail%2FProject%2F1%3Fx%3D1"
        form = _Page(browser.get(sent_away.headers["location"]).text)
        assert "Sign in" in form.text

        wrong = browser.post("/user/login", data={"login": "kwatanabe", "password": "wrong"})
        empty = browser.post("/user/login", data={"login": "", "password": ""})
        right = browser.post(
            "/user/login", data={"login": "kwatanabe", "password": "art director", "next": "/"}
        )

        assert (wrong.status_code, empty.status_code, right.status_code) == (401, 401, 303)
        assert "HttpOnly" in right.headers["set-cookie"]
        assert "SameSite=strict" in right.headers["set-cookie"]
        assert "Kenji Watanabe" in browser.get("/").text

        browser.post("/user/logout")
        assert browser.get("/").status_code == 303


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_signing_in_leads_nowhere_else(remote: RunningSite, target: str) -> None:
    answer = httpx.post(
        f"{remote.url}/user/login",
        data={"login": "kwatanabe", "password": "art director", "next": target},
        timeout=PATIENCE,
    )

    assert answer.headers["location"] == "/"


def test_files_of_a_site_that_others_can_reach_need_an_address_or_a_session(
    remote: RunningSite, tmp_path: Path
) -> None:
    sg = remote.connect()
    project: Any = sg.find_one("Project", [])
    number = sg.upload("Project", project["id"], str(write_image(tmp_path / "a.png")))
    row: Any = sg.find_one("Attachment", [["id", "is", number]], ["this_file"])
    address = f"{remote.url}/file_serve/attachment/{number}"
    cookie = {"cookie": f"_session_id={sg.get_session_token()}"}

    assert httpx.get(address, timeout=PATIENCE).status_code == 401
    assert (
        httpx.get(address, headers={"cookie": "_session_id=x"}, timeout=PATIENCE).status_code == 401
    )
    assert httpx.get(address, headers=cookie, timeout=PATIENCE).status_code == 200
    assert sg.download_attachment(row["this_file"]) == (tmp_path / "a.png").read_bytes()
    thumbnail = httpx.get(
        f"{remote.url}/upload/get_thumbnail_url?entity_type=Project&entity_id={project['id']}",
        timeout=PATIENCE,
    )
    assert thumbnail.text.startswith("0\nSign in")
