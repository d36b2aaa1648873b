"""An artist confirms their credits over HTTP: on a telephone, without scripts, in two languages."""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine

from haikei.credits import Person, people, records
from haikei.credits.people import confirmation_key, link_token
from haikei.database import reading, utc_now
from haikei.settings import Settings
from support.browsers import WAIT, chromium, needs_chromium
from support.clocks import PATIENCE
from support.jobs import studio_database, studio_settings
from support.records import ITO, SATO, TANAKA, save_background
from support.web import a_version, read, serving, with_pictures


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A studio whose pages are served."""

    url: str
    settings: Settings
    database: Engine

    def link(self, person: Person) -> str:
        """Return a new link of this person's."""
        now = utc_now()
        with self.database.begin() as connection:
            asked = people.ask(
                connection,
                person=person.id,
                project="akane",
                way="print",
                at=now,
                until=now + timedelta(days=1),
            )
        key = confirmation_key(self.settings.studio.state)
        return f"{self.url}/confirm?link={link_token(key, asked)}"

    def is_done(self, person: Person) -> bool:
        with reading(self.database) as connection:
            found = {one.person.id: one for one in records.standings(connection, "akane")}
        return found[person.id].is_done


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    settings = studio_settings(tmp_path_factory.mktemp("confirming"), web={"port": 0})
    database = studio_database(settings)
    with database.begin() as connection:
        root = settings.storage.roots[0].path
        save_background(connection, with_pictures(root, a_version()))
    with serving(settings, database) as (url, _stop, _thread):
        yield Served(url=url, settings=settings, database=database)
    database.dispose()


def test_a_link_is_opened_answered_and_used_up(served: Served) -> None:
    link = served.link(ITO)
    with httpx.Client(timeout=PATIENCE) as browser:
        page = read(browser.get(link).text)
        hidden = {one["name"]: one["value"] for one in page.all("input", type="hidden")}
        form = {name: hidden[name] for name in ("csrf", "link", "shown")}
        elsewhere = httpx.post(f"{served.url}/confirm/answer", data=form, timeout=PATIENCE)
        assert elsewhere.status_code == 403
        assert not served.is_done(ITO)
        sent = browser.post(f"{served.url}/confirm/answer", data=form)
        assert sent.status_code == 303
        assert served.is_done(ITO)
        again = browser.post(f"{served.url}/confirm/answer", data=form | {"withhold": "1"})
        assert again.status_code == 410
        assert "is used up" in read(again.text).text


@needs_chromium
@pytest.mark.parametrize(
    ("language", "person", "words"),
    [
        ("en-GB", TANAKA, "is kept, and this link is used up"),
        ("ja-JP", SATO, "の回答を記録しました"),
    ],
)
def test_a_telephone_without_scripts_shows_all_and_sends_it(
    served: Served, language: str, person: Person, words: str
) -> None:
    with chromium() as browser:
        context = browser.new_context(
            viewport={"width": 390, "height": 844}, locale=language, java_script_enabled=False
        )
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.goto(served.link(person))
        expect(page.get_by_text(person.name_ja)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.wait_for_load_state()
        picture = page.locator(".mine img").first
        expect(picture).to_have_js_property("complete", True)
        assert picture.evaluate("image => image.naturalWidth") > 0
        page.locator("button.main").click()
        expect(page.get_by_text(words)).to_be_visible()
        context.close()
    assert served.is_done(person)
