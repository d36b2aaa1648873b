"""Reviewing in a browser: gallery, layers, retake with a note, approval; as a supervisor does."""

import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import quote

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Route, expect

from haikei.images import read_picture
from haikei.jobs import JobState
from haikei.scenes import Scene, SceneKind, draw, save_layout
from support.browsers import WAIT, chromium, needs_chromium
from support.clocks import PATIENCE, eventually
from support.studio import SiteRow, Studio, studio

SHOTS = [("PORT", "s01", "c001"), ("PORT", "s01", "c002")]
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
    def browsing(
        self,
        browser: Browser,
        *,
        scripts: bool = True,
        locale: str = "en-GB",
        size: tuple[int, int] = (1280, 860),
    ) -> Generator[Page]:
        """Yield a page; what the browser complains of is kept."""
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale=locale,
            java_script_enabled=scripts,
        )
        page = context.new_page()
        page.set_default_timeout(WAIT)
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
    with chromium() as one:
        yield one


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


def _divider(page: Page) -> float:
    return float(page.get_by_role("slider", name="Divider").get_attribute("aria-valuenow") or -1)


def _draw_box(page: Page, *corners: float) -> None:
    """Draw from one corner to another, in fractions of the stage."""
    tool = page.get_by_role("button", name="Box")
    if tool.get_attribute("aria-pressed") != "true":
        tool.click()
    stage = page.locator(".stage").bounding_box()
    assert stage is not None
    left, top, right, bottom = corners
    at = (stage["x"] + left * stage["width"], stage["y"] + top * stage["height"])
    to = (stage["x"] + right * stage["width"], stage["y"] + bottom * stage["height"])
    page.mouse.move(*at)
    page.mouse.down()
    page.mouse.move(*to, steps=4)
    page.mouse.up()


def _turn(page: Page, key: str, shot: str) -> None:
    """Turn to another cut by a key; its script listens to keys when all of it has loaded."""
    page.keyboard.press(key)
    expect(page.get_by_role("heading", name=f"Cut {shot}")).to_be_visible()
    page.wait_for_load_state()


def _published(page: Page, url: str, folder: Path) -> NDArray[np.float32]:
    """Download the picture of the version that is looked at."""
    key = page.locator("body").get_attribute("data-key")
    assert key is not None
    answer = page.request.get(f"{url}/versions/{quote(key, safe='')}/file")
    assert answer.ok
    name = answer.headers["content-disposition"].partition('filename="')[2].strip('"')
    file = folder / name
    file.write_bytes(answer.body())
    return read_picture(file).pixels


def test_a_supervisor_finds_a_cut_and_compares_its_pictures(
    reviewed: Reviewed, browser: Browser
) -> None:
    with reviewed.browsing(browser) as page:
        page.goto(reviewed.url)
        page.get_by_role("link", name="PORT").first.click()
        cards = page.locator(".card")
        expect(cards).to_have_count(2)
        page.wait_for_load_state()  # its scripts hear what is typed from then on
        page.get_by_label("Cut or version").fill("c002")
        expect(cards).to_have_count(1)
        expect(page).to_have_url(
            f"{reviewed.url}/shows/PORT?text=c002&sequence=&state=&season=&time="
        )
        cards.get_by_role("link").click()
        expect(page.get_by_role("heading", name="Cut c002")).to_be_visible()
        page.wait_for_load_state()

        # It opens on the finished picture, and on nothing else.
        stage = page.locator(".stage")
        expect(page.locator(".front .picture")).to_have_attribute("alt", "v001 Finish")
        expect(page.locator(".behind")).to_be_hidden()
        page.keyboard.press("w")
        expect(stage).to_have_attribute("data-mode", "wipe")
        divider = page.get_by_role("slider", name="Divider between Base paint and v001 Finish")
        box = divider.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 120, y, steps=4)
        page.mouse.up()
        dragged = _divider(page)
        page.keyboard.press("Shift+ArrowLeft")
        assert dragged < 50
        assert _divider(page) == pytest.approx(dragged - 10, abs=1)

        for key, mode in (("s", "side"), ("b", "blink"), ("d", "difference")):
            page.keyboard.press(key)
            expect(stage).to_have_attribute("data-mode", mode)
            expect(page.locator(".behind")).to_be_visible()
        page.keyboard.press("d")
        expect(stage).to_have_attribute("data-mode", "")
        page.keyboard.press("2")
        expect(page.locator(".front .picture")).to_have_attribute("alt", "Layout")
        page.keyboard.press("2")
        expect(page.locator(".front .picture")).to_have_attribute("alt", "v001 Finish")
        zoom = page.locator(".zoom output")
        page.keyboard.press("+")
        expect(zoom).to_have_text("125 %")
        page.keyboard.press("0")
        expect(zoom).to_have_text("100 %")
        _turn(page, "p", "c001")
        _turn(page, "n", "c002")
        page.get_by_text("Keyboard", exact=True).click()
        page.get_by_label("Use single keys on this page").uncheck()
        page.keyboard.press("w")
        expect(stage).to_have_attribute("data-mode", "")
    assert reviewed.complaints == []


def test_layers_exposure_and_pixels_are_looked_at(reviewed: Reviewed, browser: Browser) -> None:
    with reviewed.browsing(browser) as page:
        page.goto(f"{reviewed.url}/shows/PORT/s01/c002")
        for name in ("Sheet", "Regions", "Trace lines", "Doubts"):
            page.get_by_label(name, exact=True).check()
            layer = page.locator(f".overlay[alt='{name}']")
            expect(layer).to_be_visible()
            page.wait_for_function("it => it.naturalWidth > 0", arg=layer.element_handle())
            page.get_by_label(name, exact=True).uncheck()
            expect(layer).to_be_hidden()
        front = page.locator(".front .picture")
        page.wait_for_function("it => it.naturalWidth > 0", arg=front.element_handle())
        page.locator(".stage").hover()
        expect(page.locator(".pixel")).to_contain_text("#")
        page.get_by_label("Exposure").fill("3")
        expect(page.locator(".front .picture")).to_have_attribute("src", re.compile("stops=3"))
        page.get_by_role("button", name="Reset").click()
        expect(page.locator(".front .picture")).not_to_have_attribute("src", re.compile("stops"))
        page.get_by_role("link", name="Layout sheet").click()
        expect(page.locator(".found")).to_contain_text("of the picture")
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
        expect(page.locator(".history li")).to_have_count(2)
        expect(page.locator(".notes .answer").first).to_be_visible()
        assert page.evaluate("globalThis.stayed")

        page.locator(".history a").first.click()
        expect(page.locator(".title code")).to_have_text("c001_bg_summer_day_v002")
        page.wait_for_load_state()
        page.get_by_role("button", name="Approve").click()
        expect(page.locator("#standing .badge.approved").first).to_be_visible()
    assert reviewed.complaints == []

    made = ["code", "is", "c001_bg_summer_day_v002"]
    status = "sg_status_list"
    eventually(lambda: _row(reviewed.studio, "Version", made, status)[status] == "apr")
    said = ["content", "contains", "less green"]
    assert _row(reviewed.studio, "Note", said, "replies")["replies"]


def test_decisions_need_no_script(reviewed: Reviewed, browser: Browser) -> None:
    with reviewed.browsing(browser, scripts=False) as page:
        page.goto(f"{reviewed.url}/shows/PORT/s01/c002")
        pictures = page.locator("picture-viewer figure img")
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


def test_a_box_that_is_drawn_limits_what_its_note_changes(
    reviewed: Reviewed, browser: Browser, tmp_path: Path
) -> None:
    with reviewed.browsing(browser) as page:
        page.goto(f"{reviewed.url}/versions/c002_bg_summer_day_v001")
        # A page that is older than the last decision decides nothing.
        held = ["code", "is", "c002_bg_summer_day_v001"]
        if _row(reviewed.studio, "Version", held, "sg_status_list")["sg_status_list"] != "hld":
            page.get_by_role("button", name="Hold").click()
        expect(page.locator("#standing .badge.on_hold")).to_be_visible()
        before = _published(page, reviewed.url, tmp_path)
        _draw_box(page, 0.25, 0.5, 0.6, 0.9)
        expect(page.locator(".drawn")).to_contain_text("1 drawn")
        _draw_box(page, 0.7, 0.1, 0.9, 0.2)
        page.get_by_role("button", name="Undo").click()
        expect(page.locator(".drawn")).to_contain_text("1 drawn")
        page.keyboard.press("Escape")
        page.get_by_label("Note").fill("much darker")
        page.locator("h1").click()
        page.keyboard.press("r")
        expect(page.locator("#decide .notice").first).to_contain_text("stands in the tracker")
        expect(page.locator(".drawn")).to_be_empty()
        expect(page.locator(".notes .place")).to_contain_text("25,50–60,90 %")
        expect(page.locator(".history li")).to_have_count(2)
        page.locator(".history a").first.click()
        expect(page.locator(".title code")).to_have_text("c002_bg_summer_day_v002")
        page.wait_for_load_state()
        expect(page.locator(".notes")).to_contain_text("in the box: light")
        after = _published(page, reviewed.url, tmp_path)
        page.get_by_label("Drawings").check()
        expect(page.locator(".noted path")).to_have_count(2)
    assert reviewed.complaints == []

    moved = np.abs(after - before).max(axis=2)
    height, width = moved.shape
    box = np.s_[round(0.5 * height) : round(0.9 * height), round(0.25 * width) : round(0.6 * width)]
    inside = np.zeros(moved.shape, np.bool_)
    inside[box] = True
    assert moved[inside].max() > 0.1
    assert moved[~inside].max() == 0
    said = _row(reviewed.studio, "Note", ["content", "contains", "much darker"], "attachments")
    (drawing,) = cast("list[SiteRow]", said["attachments"])
    assert drawing["name"] == "c002_bg_summer_day_v001_annotation.png"


def test_several_cuts_are_picked_and_decided_once(reviewed: Reviewed, browser: Browser) -> None:
    with reviewed.browsing(browser) as page:
        page.goto(f"{reviewed.url}/shows/PORT")
        page.get_by_label("Pick c001").check()
        expect(page.locator(".picked output")).to_have_text("1 picked")
        page.get_by_label("Pick all that are shown").check()
        expect(page.locator(".picked output")).to_have_text("2 picked")
        page.get_by_role("button", name="Hold").click()
        expect(page.locator(".outcomes li").first).to_be_visible()
        expect(page.locator("main")).to_contain_text("2 of 2 written")
        codes = page.locator(".outcomes a").all_text_contents()
    assert reviewed.complaints == []
    assert [code[:4] for code in codes] == ["c001", "c002"]
    for code in codes:
        row = _row(reviewed.studio, "Version", ["code", "is", code], "sg_status_list")
        assert row["sg_status_list"] == "hld"


@pytest.mark.parametrize("where", ["/shows/PORT/s01/c002", "/shows/PORT"])
def test_a_narrow_screen_in_japanese_shows_all_of_it(
    reviewed: Reviewed, browser: Browser, where: str
) -> None:
    with reviewed.browsing(browser, locale="ja-JP", size=(390, 844)) as page:
        page.goto(f"{reviewed.url}{where}")
        expect(page.locator("html")).to_have_attribute("lang", "ja")
        if "c002" in where:
            for name in ("ワイプ", "左右に並べる", "差分", "枠", "矢印", "全画面", "承認"):
                expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()
            expect(page.get_by_label("不確かな所")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert reviewed.complaints == []
