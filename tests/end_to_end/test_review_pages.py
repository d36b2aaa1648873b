"""Reviewing in a browser: gallery, layers, retake with a note, approval; as a supervisor does."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Route, expect, sync_playwright

from haikei.jobs import JobState
from haikei.scenes import Scene, SceneKind, draw, save_layout
from support.clocks import PATIENCE
from support.studio import SiteRow, Studio, studio
from support.web import CHROMIUM, CHROMIUM_ARGUMENTS, needs_chromium

SHOTS = [("PORT", "s01", "c001"), ("PORT", "s01", "c002")]
_WAIT = PATIENCE * 1000
_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => console.error(
  "policy violated: " + event.violatedDirective + " " + event.blockedURI));
"""

pytestmark = needs_chromium


@dataclass(slots=True)
class Reviewed:
    """A studio with two versions in review, and its pages."""

    studio: Studio
    url: str
    complaints: list[str] = field(default_factory=list[str])

    @contextmanager
    def browsing(self, browser: Browser, *, scripts: bool = True) -> Generator[Page]:
        """Yield a page; what the browser complains of is kept."""
        context = browser.new_context(
            viewport={"width": 1280, "height": 860}, locale="en-GB", java_script_enabled=scripts
        )
        page = context.new_page()
        page.set_default_timeout(_WAIT)
        page.add_init_script(_VIOLATIONS)

        def hear(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                self.complaints.append(message.text)

        def broken(error: Error) -> None:
            self.complaints.append(error.message)

        page.on("console", hear)
        page.on("pageerror", broken)
        yield page
        context.close()


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Generator[Reviewed]:
    settings = "[review]\nsettle = 0.5\n[web]\nenabled = false\n"
    with studio(tmp_path_factory.mktemp("review") / "studio", extra_settings=settings) as one:
        one.cast(SHOTS)
        for number, (project, sequence, shot) in enumerate(SHOTS):
            path = one.projects / project / sequence / shot / "layout" / f"{shot}_bg_v001.png"
            path.parent.mkdir(parents=True)
            scene = Scene(kind=SceneKind.VILLAGE, width=192, height=108, seed=number)
            save_layout(draw(scene), path)
        one.start()
        with _pages(one) as url:
            one.wait_for("two versions", lambda: len(one.jobs(JobState.DONE)) == len(SHOTS))
            yield Reviewed(studio=one, url=url)


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def _pages(one: Studio) -> Generator[str]:
    address = one.folder / "web.url"
    with (one.folder / "web.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "haikei.cli", "web", "--port=0"),
                *(f"--url-file={address}", "--settings", str(one.settings_file)),
            ],
            env=one.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        one.wait_for("the pages", lambda: address.exists() or process.poll() is not None)
        assert process.poll() is None, (one.folder / "web.log").read_text()
        yield address.read_text()
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _row(one: Studio, entity_type: str, condition: list[str], field_name: str) -> SiteRow:
    client = one.connect()
    found = cast("SiteRow | None", client.find_one(entity_type, [condition], [field_name]))
    client.close()
    assert found is not None
    return found


def _cut_off(route: Route) -> None:
    route.abort()


def _clip(page: Page, layer: int) -> str:
    return str(page.locator("layer-compare figure").nth(layer).evaluate("it => it.style.clipPath"))


def test_a_supervisor_finds_a_cut_and_compares_its_layers(
    reviewed: Reviewed, browser: Browser
) -> None:
    with reviewed.browsing(browser) as page:
        page.goto(reviewed.url)
        page.get_by_role("link", name="PORT").first.click()
        cards = page.locator(".card")
        expect(cards).to_have_count(2)
        page.get_by_label("Cut or version").fill("c002")
        expect(cards).to_have_count(1)
        expect(page).to_have_url(
            f"{reviewed.url}/shows/PORT?text=c002&sequence=&state=&season=&time="
        )
        cards.get_by_role("link").click()
        expect(page.get_by_role("heading", name="Cut c002")).to_be_visible()

        divider = page.get_by_role("slider").first
        before = _clip(page, 0)
        box = divider.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 120, y, steps=4)
        page.mouse.up()
        dragged = _clip(page, 0)
        page.keyboard.press("Shift+ArrowLeft")
        nudged = _clip(page, 0)
        assert len({before, dragged, nudged}) == 3
        assert float(nudged.split()[1].rstrip("%")) == pytest.approx(
            float(dragged.split()[1].rstrip("%")) + 10
        )

        figures = page.locator("layer-compare figure")
        page.keyboard.press("2")
        expect(figures.nth(0)).to_be_hidden()
        expect(figures.nth(1)).to_be_visible()
        page.keyboard.press("2")
        expect(figures.nth(0)).to_be_visible()
        page.keyboard.press("+")
        expect(page.locator("layer-compare output")).to_have_text("125 %")
        page.keyboard.press("0")
        expect(page.locator("layer-compare output")).to_have_text("100 %")
    assert reviewed.complaints == []


def test_a_retake_is_asked_for_made_and_approved_on_the_page(
    reviewed: Reviewed, browser: Browser
) -> None:
    with reviewed.browsing(browser) as page:
        page.goto(f"{reviewed.url}/shows/PORT/s01/c001")
        page.evaluate("globalThis.stayed = true")
        page.get_by_label("Note").fill("less green, more clouds")
        page.get_by_role("button", name="Retake").click()
        expect(page.locator("#decide [role=status]")).to_contain_text("stands in the tracker")
        notes = page.locator(".notes")
        expect(notes).to_contain_text("less green, more clouds")
        expect(notes).to_contain_text("Understood:")
        # All of it comes by itself: the page is never loaded anew.
        expect(page.locator(".history li")).to_have_count(2, timeout=_WAIT)
        expect(page.locator(".notes .answer").first).to_be_visible(timeout=_WAIT)
        assert page.evaluate("globalThis.stayed")

        page.locator(".history a").first.click()
        expect(page.locator(".title code")).to_have_text("c001_bg_summer_day_v002")
        page.get_by_role("button", name="Approve").click()
        expect(page.locator("#standing .badge.approved").first).to_be_visible(timeout=_WAIT)
    assert reviewed.complaints == []

    made = ["code", "is", "c001_bg_summer_day_v002"]
    assert _row(reviewed.studio, "Version", made, "sg_status_list")["sg_status_list"] == "apr"
    said = ["content", "contains", "less green"]
    assert _row(reviewed.studio, "Note", said, "replies")["replies"]


def test_decisions_need_no_script(reviewed: Reviewed, browser: Browser) -> None:
    with reviewed.browsing(browser, scripts=False) as page:
        page.goto(f"{reviewed.url}/shows/PORT/s01/c002")
        pictures = page.locator("layer-compare figure img")
        boxes = [one.bounding_box() for one in pictures.all()]
        assert len({(box["x"], box["y"]) for box in boxes if box}) == len(boxes) > 1
        page.get_by_role("button", name="Hold").click()
        expect(page.locator("#decide [role=status]")).to_contain_text(
            "“Hold” stands in the tracker"
        )
    held = ["code", "contains", "c002_bg"]
    assert _row(reviewed.studio, "Version", held, "sg_status_list")["sg_status_list"] == "hld"


def test_a_lost_connection_is_said_and_the_note_is_kept(
    reviewed: Reviewed, browser: Browser
) -> None:
    with reviewed.browsing(browser) as page:
        page.goto(f"{reviewed.url}/shows/PORT/s01/c002")
        page.route("**/decision", _cut_off)
        page.get_by_label("Note").fill("a word that must not be lost")
        page.get_by_role("button", name="Retake").click()
        expect(page.get_by_text("The connection is gone")).to_be_visible()
        expect(page.get_by_role("button", name="Retake")).to_be_enabled()
        expect(page.get_by_label("Note")).to_have_value("a word that must not be lost")
    reviewed.complaints.clear()
