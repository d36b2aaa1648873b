"""A show of many cuts in a browser: with scripts and without, filtered, and changed meanwhile."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine, insert, select

from haikei.database import backgrounds, image_records, reviews, utc_now
from haikei.decisions import Decision
from haikei.images import Picture
from haikei.jobs.page_inputs import CARD, keep_card, preview_file
from haikei.web.pages.gallery import PAGE
from support.browsers import WAIT, chromium, needs_chromium
from support.jobs import studio_database, studio_settings
from support.records import save_show
from support.web import serving

VERSIONS = 500

pytestmark = needs_chromium


@dataclass(frozen=True, slots=True)
class Show:
    """A show with a picture for each card, and its page."""

    url: str
    database: Engine
    cuts: int


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Generator[Show]:
    settings = studio_settings(tmp_path_factory.mktemp("gallery"), web={"port": 0})
    database = studio_database(settings)
    with database.begin() as connection:
        save_show(connection, versions=VERSIONS, variants=1, shots_a_sequence=130)
    flat = Picture(pixels=np.full((18, 32, 3), 0.5, dtype=np.float32))
    state = settings.studio.state
    keep_card(flat, "0" * 64, state=state)
    with database.connect() as connection:
        for sha256 in set(connection.execute(select(image_records.c.sha256)).scalars()):
            kept = preview_file(state, sha256, CARD)
            kept.parent.mkdir(exist_ok=True)
            kept.hardlink_to(preview_file(state, "0" * 64, CARD))
        streams = select(backgrounds.c.sequence, backgrounds.c.shot).distinct()
        cuts = len(connection.execute(streams).all())
    with serving(settings, database) as (url, _stop, _thread):
        yield Show(f"{url}/shows/akane", database, cuts)
    database.dispose()


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with chromium() as one:
        yield one


@contextmanager
def browsing(browser: Browser, *, scripts: bool = True) -> Generator[Page]:
    """Yield a page of which the browser must not complain."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 860}, locale="en-GB", java_script_enabled=scripts
    )
    page = context.new_page()
    page.set_default_timeout(WAIT)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(error.message))
    page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
    yield page
    context.close()
    assert not complaints


def test_all_pictures_are_put_in_and_loaded_when_one_looks_at_them(
    show: Show, browser: Browser
) -> None:
    with browsing(browser) as page:
        page.goto(show.url)

        expect(page.locator("#gallery .card img")).to_have_count(PAGE)
        expect(page.locator("#gallery noscript")).to_have_count(0)
        # Sequences grow as they come into sight and push the last card down again.
        page.wait_for_function("""() => {
          const last = [...document.querySelectorAll(".card img")].at(-1);
          last.scrollIntoView();
          return last.naturalWidth > 0;
        }""")


def test_without_scripts_the_last_card_has_its_picture_too(show: Show, browser: Browser) -> None:
    with browsing(browser, scripts=False) as page:
        seen: list[str] = []
        page.on("response", lambda one: seen.append(one.url) if one.ok else None)
        # `load` comes after all pictures: without scripts, browsers leave none for later.
        page.goto(show.url, wait_until="load")

        expect(page.locator(".card img")).to_have_count(PAGE)
        last = page.locator(".card").last
        picture = last.locator("img").get_attribute("src") or "none"
        assert any(url.endswith(picture) for url in seen)


def test_the_pages_of_a_show_lead_to_each_of_its_cuts_once(show: Show, browser: Browser) -> None:
    with browsing(browser, scripts=False) as page:
        page.goto(show.url)
        seen = page.locator(".card").evaluate_all("cards => cards.map(one => one.dataset.place)")
        while (following := page.locator("a[rel=next]")).count():
            with page.expect_navigation():
                following.click()
            seen += page.locator(".card").evaluate_all("all => all.map(one => one.dataset.place)")

    assert len(seen) == len(set(seen)) == show.cuts > PAGE


def test_a_filter_leaves_what_fits_with_all_of_its_pictures(show: Show, browser: Browser) -> None:
    with browsing(browser) as page:
        page.goto(show.url)
        page.get_by_label("Season").select_option("summer")

        expect(page).to_have_url(f"{show.url}?text=&sequence=&state=&season=summer&time=")
        facts = page.locator("#gallery [role=status]")
        expect(facts).not_to_contain_text(f"{show.cuts} of")
        shown = page.locator(".card").count()
        assert 150 < shown < show.cuts
        expect(page.locator(".card img")).to_have_count(shown)
        expect(page.locator("#gallery noscript")).to_have_count(0)


def test_what_changes_meanwhile_is_seen_with_all_pictures(show: Show, browser: Browser) -> None:
    with browsing(browser) as page:
        with page.expect_response("**/events"):
            page.goto(show.url)
        expect(page.locator("#gallery noscript")).to_have_count(0)
        page.evaluate("document.querySelector('#gallery').dataset.old = 'yes'")
        with show.database.begin() as connection:
            key = connection.execute(select(backgrounds.c.key).limit(1)).scalar_one()
            now = utc_now()
            connection.execute(
                insert(reviews).values(
                    version_id=1,
                    background_key=key,
                    status="apr",
                    decision=Decision.APPROVE.value,
                    updated_at=now,
                )
            )

        expect(page.locator("#gallery:not([data-old])")).to_be_attached()
        expect(page.locator(".card img")).to_have_count(PAGE)
