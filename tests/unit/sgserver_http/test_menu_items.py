"""Menu items on the embedded tracker's pages: the signed form that a click sends."""

import hashlib
import hmac
from collections.abc import Iterator
from html.parser import HTMLParser

import httpx
import pytest

from haikei.sgserver.values import Json
from support.clocks import PATIENCE
from support.sites import RunningSite, running_site

SECRET = "a secret of a menu item"
URL = "https://haikei.studio.test/menu/retake"


class _Forms(HTMLParser):
    """The fields of a page's forms by their address."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, str]] = {}
        self._open = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = values["action"]
            self.forms[self._open] = {}
        elif tag in {"input", "button"} and "name" in values:
            self.forms[self._open][values["name"]] = values["value"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with running_site(tmp_path_factory.mktemp("site")) as running:
        yield running


def make(site: RunningSite, entity_type: str, fields: dict[str, Json]) -> int:
    return int(str(site.site.create(site.site.system, entity_type, fields)["id"]))


@pytest.fixture(scope="module")
def project(site: RunningSite) -> int:
    return make(site, "Project", {"name": "海の町 & more"})


@pytest.fixture(scope="module")
def version(site: RunningSite, project: int) -> int:
    fields: dict[str, Json] = {"code": "c001", "project": {"type": "Project", "id": project}}
    return make(site, "Version", fields)


@pytest.fixture(scope="module")
def item(site: RunningSite) -> int:
    fields: dict[str, Json] = {
        "title": "Retake with …",
        "url": URL,
        "entity_type": "Version",
        "secret_token": SECRET,
    }
    return make(site, "ActionMenuItem", fields)


def use(site: RunningSite, version: int, item: int, **headers: str) -> httpx.Response:
    form = {"entity_type": "Version", "id": str(version), "item": str(item)}
    return httpx.post(f"{site.url}/menu_item", data=form, headers=headers, timeout=PATIENCE)


def test_a_rows_page_offers_the_items_of_its_type(
    site: RunningSite, version: int, project: int, item: int
) -> None:
    page = httpx.get(f"{site.url}/detail/Version/{version}", timeout=PATIENCE).text
    other = httpx.get(f"{site.url}/detail/Project/{project}", timeout=PATIENCE).text

    assert "Retake with …" in page
    assert _Forms(page).forms["/menu_item"]["item"] == str(item)
    assert "Retake with …" not in other


def test_a_click_sends_a_form_that_is_signed_now(
    site: RunningSite, version: int, project: int, item: int
) -> None:
    answer = use(site, version, item)

    fields = _Forms(answer.text).forms[URL]
    given = fields.pop("signature")
    lines = "".join(sorted(f"{name}={value}\r\n" for name, value in fields.items()))
    assert given == hmac.new(SECRET.encode(), lines.encode(), hashlib.sha1).hexdigest()
    assert fields["selected_ids"] == fields["ids"] == str(version)
    assert fields["entity_type"] == "Version"
    assert fields["user_login"] == "admin"
    assert (fields["project_id"], fields["project_name"]) == (str(project), "海の町 & more")
    assert fields["server_hostname"] == site.url.removeprefix("http://")
    assert fields["timestamp"].endswith("Z")
    assert fields["page_id"] == ""
    policy = answer.headers["content-security-policy"]
    assert "form-action 'self' https://haikei.studio.test;" in policy
    assert SECRET not in answer.text


def test_another_sites_page_cannot_use_an_item(site: RunningSite, version: int, item: int) -> None:
    assert use(site, version, item, origin="https://evil.test").status_code == 403
    assert use(site, version, item, **{"sec-fetch-site": "cross-site"}).status_code == 403
    assert use(site, version, item, origin=site.url).status_code == 200


def test_an_item_that_a_row_does_not_have_is_not_sent(
    site: RunningSite, version: int, item: int
) -> None:
    assert use(site, version, item + 1000).status_code == 404
    for url in ("javascript:alert(1)", "https://a.test; script-src *", "ftp://a.test"):
        fields: dict[str, Json] = {"title": "No", "url": url, "entity_type": "Version"}
        assert use(site, version, make(site, "ActionMenuItem", fields)).status_code == 404


def test_an_item_of_other_projects_is_not_offered(site: RunningSite, version: int) -> None:
    other: Json = {"type": "Project", "id": make(site, "Project", {"name": "Yama"})}
    fields: dict[str, Json] = {
        "title": "Elsewhere only",
        "url": URL,
        "entity_type": "Version",
        "projects": [other],
    }
    number = make(site, "ActionMenuItem", fields)

    assert (
        "Elsewhere only"
        not in httpx.get(f"{site.url}/detail/Version/{version}", timeout=PATIENCE).text
    )
    assert use(site, version, number).status_code == 404


def test_an_item_without_a_secret_is_not_signed(site: RunningSite, version: int) -> None:
    fields: dict[str, Json] = {"title": "Unsigned", "url": f"{URL}/x", "entity_type": "Version"}

    answer = use(site, version, make(site, "ActionMenuItem", fields))

    assert "signature" not in _Forms(answer.text).forms[f"{URL}/x"]
