"""One cut on its page: layers, lineage, credits, notes, and what supervisors decide."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from httpx2 import Response

from haikei.credits import people, records
from haikei.decisions import ReviewState
from haikei.errors import TrackerUnavailable
from haikei.jobs import JobState, JobStore
from support.records import (
    ITO,
    SATO,
    START,
    TANAKA,
    a_background,
    a_chain,
    a_touch_up,
    save_background,
)
from support.studio import ReviewStudio, end_badly, make_version, retake_jobs
from support.trackers import MORI
from support.web import Page, Web, csrf, get, pages_of, read

CUT = "/shows/akane/ep01/c001"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with pages_of(tmp_path, review={"settle": 0}) as one:
        yield one


@pytest.fixture
def studio(web: Web) -> ReviewStudio:
    """Return a studio in which one version is in review."""
    with web.database.begin() as connection:
        order = make_version(connection, web.desk, 1)
    return ReviewStudio(settings=web.settings, database=web.database, desk=web.desk, order=order)


def decide(web: Web, studio: ReviewStudio, decision: str, note: str = "") -> Response:
    """Send the page's form as a browser without scripts does."""
    form = {"csrf": csrf(get(web, CUT)), "decision": decision, "note": note}
    action = f"/versions/{studio.order.key}/decision"
    assert get(web, CUT).all("form", action=action)
    return web.client.post(action, data=form, follow_redirects=False)


def save_chain(web: Web, *, opt_out: bool = False) -> None:
    """Save a version, a retake's version in another season, and a touch-up by two artists."""
    first = a_background(images=a_chain(touch_up_by=()))
    over = a_touch_up(parent=first.final)
    twice = a_touch_up(parent=over, artists=(ITO,), stage="touch_up_2")
    later = START + timedelta(days=1)
    with web.database.begin() as connection:
        save_background(connection, first)
        save_background(
            connection,
            replace(a_background(version=2, images=(*first.images, over, twice)), created_at=later),
        )
        save_background(
            connection,
            a_background(season="winter", time="night", images=a_chain("w", touch_up_by=())),
        )
        if opt_out:
            people.opt_out(connection, SATO.id, "letter of 2026-11-20")


def layers(page: Page) -> list[str]:
    return [figure["data-name"] for figure in page.all("figure")]


def test_the_newest_version_is_shown_with_all_of_its_layers(web: Web) -> None:
    save_chain(web)
    page = get(web, CUT)

    assert layers(page) == [
        "v002 Touch-up 2",
        "Previous version (v001)",
        "Layout",
        "Base paint (AI)",
        "Touch-up 1",
    ]
    assert "c001_bg_summer_day_v002" in page.text


def test_layers_are_pictures_that_need_no_script(web: Web) -> None:
    save_chain(web)
    page = get(web, CUT)
    pictures = page.all("img", draggable="false")

    assert [one["alt"] for one in pictures] == layers(page)
    assert all(one["src"].startswith("/pictures/") for one in pictures)


def test_a_season_and_time_can_be_picked(web: Web) -> None:
    save_chain(web)
    page = get(web, CUT)
    (other,) = [one["href"] for one in page.all("a") if "season=winter" in one.get("href", "")]

    assert "c001_bg_winter_night_v001" in get(web, other).text


def test_an_older_version_is_shown_and_says_that_a_newer_one_stands(web: Web) -> None:
    save_chain(web)
    by_code = get(web, "/versions/c001_bg_summer_day_v001")
    by_number = get(web, f"{CUT}?season=summer&time=day&version=1")

    assert layers(by_code) == layers(by_number) == ["v001 Finish (AI)", "Layout", "Base paint (AI)"]
    assert "A newer version stands: c001_bg_summer_day_v002" in by_code.text


def test_a_wish_for_what_is_not_there_shows_the_newest(web: Web) -> None:
    save_chain(web)

    for query in ("?version=9", "?season=autumn", "?version=nonsense", "?version=99999999"):
        assert "c001_bg_summer_day_v002" in get(web, f"{CUT}{query}").text


def test_the_lineage_is_drawn_with_everything_before_and_after(web: Web) -> None:
    save_chain(web)
    page = get(web, "/versions/c001_bg_summer_day_v001")
    boxes = [one["class"].split() for one in page.all("g")]

    assert len(boxes) == 5
    assert [box for box in boxes if "here" in box] == [["box", "generation", "ai", "here"]] or [
        box for box in boxes if "here" in box
    ] == [["box", "background", "ai", "here"]]
    assert sum("touch_up" in box for box in boxes) == 2
    arrows = [one for one in page.all("path") if one.get("class", "").startswith("arrow")]
    assert len(arrows) == 5
    assert any(unquote(one.get("href", "")).startswith("/versions/job-") for one in page.all("a"))


def test_credits_stand_by_side_in_both_languages_with_evidence(web: Web) -> None:
    save_chain(web)
    page = get(web, CUT)

    for part in (
        "Background: Layout Yuki Tanaka",
        "背景：原図 田中ゆき",
        "Concept and layout",
        "構想・レイアウト",
        "佐藤葵",
        "A. Sato",
        "measured: 3.5 % of the area changed, in 2 regions",
        "45 minutes, self-reported",
        "SDXL 1.0",
    ):
        assert part in page.text
    entries = [one["href"] for one in page.all("a") if one.get("href", "").startswith("/ledger/")]
    assert entries
    assert all(web.client.get(entry).status_code == 200 for entry in entries)


def test_a_name_that_was_withheld_is_nowhere_on_the_page(web: Web) -> None:
    save_chain(web, opt_out=True)
    page = get(web, CUT)

    assert "name withheld at the artist's request" in page.text
    assert SATO.name not in page.text
    assert SATO.name_ja not in page.text
    assert TANAKA.name_ja in page.text


def test_a_decision_is_written_to_the_tracker_and_said(web: Web, studio: ReviewStudio) -> None:
    answer = decide(web, studio, "approve")

    assert answer.status_code == 303
    assert web.desk.versions[1].status == "apr"
    said = get(web, answer.headers["location"])
    assert "“Approve” stands in the tracker" in said.text
    studio.review()
    assert get(web, CUT).all("span", **{"class": "badge approved"})
    with web.database.connect() as connection:
        told = records.background(connection, studio.order.key)
    assert told is not None
    assert told.state is ReviewState.APPROVED


def test_a_retake_with_a_note_is_ordered_listed_and_answered(
    web: Web, studio: ReviewStudio
) -> None:
    decide(web, studio, "retake", "less green,\r\nmore clouds")
    studio.review()
    waiting = get(web, CUT)
    (order,) = retake_jobs(web.database)
    studio.make(order)
    studio.review()
    done = get(web, f"/versions/{studio.order.key}")

    assert web.desk.versions[1].notes[0].text == "less green,\nmore clouds"
    assert "less green, more clouds" in waiting.text
    assert "a retake is being made" in waiting.text
    assert "less green -50 %; more clouds +50 %" in waiting.text
    assert done.all("a", href=f"/versions/{order.key}")
    assert done.all("p", **{"class": "answer"})
    assert "c001_bg_summer_day_v002" in get(web, CUT).text


@pytest.mark.parametrize(
    ("decision", "status"), [("hold", "hld"), ("omit", "omt"), ("none", "rev")]
)
def test_everything_can_be_decided(
    web: Web, studio: ReviewStudio, decision: str, status: str
) -> None:
    decide(web, studio, "retake")

    assert decide(web, studio, decision).status_code == 303
    assert web.desk.versions[1].status == status


def test_what_is_no_decision_is_refused(web: Web, studio: ReviewStudio) -> None:
    assert decide(web, studio, "burn").status_code == 400
    assert web.desk.versions[1].status == "rev"


def test_a_tracker_that_is_away_leaves_the_note_on_the_page(web: Web, studio: ReviewStudio) -> None:
    web.desk.failures.append(TrackerUnavailable("No answer.", advice="Look at the network."))
    answer = decide(web, studio, "retake", "less <green>")
    page = read(answer.text)

    assert answer.status_code == 503
    assert page.all("div", role="alert")
    assert "The tracker does not answer" in page.text
    assert "Look at the network." in page.text
    assert "less <green>" in page.text
    assert web.desk.versions[1].status == "rev"


def test_a_version_that_the_tracker_lost_cannot_be_decided(web: Web, studio: ReviewStudio) -> None:
    web.desk.versions.clear()
    answer = decide(web, studio, "approve")

    assert answer.status_code == 409
    assert "Your decision was not written." in read(answer.text).text


def test_who_may_only_look_finds_no_form_and_is_refused(tmp_path: Path) -> None:
    with pages_of(tmp_path, web={"supervisors": ["mori"]}) as web:
        with web.database.begin() as connection:
            order = make_version(connection, web.desk, 1)
        page = get(web, CUT)
        form = {"csrf": csrf(page), "decision": "approve"}
        answer = web.client.post(f"/versions/{order.key}/decision", data=form)

        assert not page.all("form", **{"class": "decide"})
        assert "Only supervisors decide" in page.text
        assert answer.status_code == 403
        assert web.desk.versions[1].status == "rev"


def seen_on(page: Page) -> str:
    (field,) = page.all("input", name="seen")
    assert field["form"] == "decision"
    return field["value"]


def test_who_decides_on_an_old_page_is_told_and_may_overrule(
    web: Web, studio: ReviewStudio
) -> None:
    before = get(web, CUT)
    web.desk.set_status(1, "apr")
    action = f"/versions/{studio.order.key}/decision"
    form = {"csrf": csrf(before), "decision": "retake", "note": "less green"}
    refused = web.client.post(action, data={**form, "seen": seen_on(before)})
    page = read(refused.text)

    assert refused.status_code == 409
    assert "Somebody decided otherwise meanwhile" in page.text
    assert f"(approve) by {MORI.name}" in page.text
    assert "less green" in page.text
    assert (web.desk.versions[1].status, web.desk.versions[1].notes) == ("apr", ())

    web.client.post(action, data={**form, "seen": seen_on(page)})
    assert web.desk.versions[1].status == "rtk"
    assert [note.text for note in web.desk.versions[1].notes] == ["less green"]


def test_who_changes_their_mind_at_once_is_not_in_their_own_way(
    web: Web, studio: ReviewStudio
) -> None:
    said = get(web, decide(web, studio, "approve").headers["location"])
    action = f"/versions/{studio.order.key}/decision"
    form = {"csrf": csrf(said), "decision": "retake", "seen": seen_on(said)}

    assert web.client.post(action, data=form, follow_redirects=False).status_code == 303
    assert web.desk.versions[1].status == "rtk"


def test_what_was_decided_is_where_the_keyboard_goes_on(web: Web, studio: ReviewStudio) -> None:
    said = get(web, decide(web, studio, "hold").headers["location"])
    (notice,) = said.all("p", role="status", tabindex="-1")

    assert "autofocus" in notice


def test_a_form_from_elsewhere_decides_nothing(web: Web, studio: ReviewStudio) -> None:
    action = f"/versions/{studio.order.key}/decision"
    bare = web.client.post(action, data={"decision": "approve"})
    token = {"decision": "approve", "csrf": csrf(get(web, CUT))}
    foreign = web.client.post(action, data=token, headers={"origin": "https://evil.test"})

    assert (bare.status_code, foreign.status_code) == (403, 403)
    assert web.desk.versions[1].status == "rev"


def test_a_version_that_is_not_in_the_tracker_yet_has_no_form(web: Web) -> None:
    save_chain(web)
    page = get(web, CUT)

    assert "not in the tracker yet" in page.text
    assert not page.all("form", **{"class": "decide"})


def test_a_dead_letter_says_why_and_can_be_tried_again(web: Web, studio: ReviewStudio) -> None:
    key = studio.order.key
    end_badly(web.database, key)
    page = get(web, CUT)
    answer = web.client.post(
        f"/jobs/{key}/retry", data={"csrf": csrf(page)}, follow_redirects=False
    )

    assert "The generator failed." in page.text
    assert f"haikei jobs retry {key}" in page.text
    assert answer.status_code == 303
    assert JobStore(web.database).get(key).state is JobState.WAITING
    assert "It is tried again." in get(web, answer.headers["location"]).text
