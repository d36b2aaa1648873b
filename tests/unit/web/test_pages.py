"""Shows and their cuts on pages, in two languages, for every browser."""

import ast
import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from haikei import texts
from haikei.database import backgrounds, jobs, processes, utc_now
from haikei.files import sha256_of
from haikei.jobs import JobState
from haikei.jobs.lanes import Lane, LaneOrder, order_lane
from haikei.reports.report import reports
from haikei.texts import Bilingual
from haikei.web.pages import gallery, page_texts
from haikei.web.pages.rendering import HERE, to_cut
from support.records import a_background, save_background, save_show
from support.web import Web, csrf, get, pages_of, read


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with pages_of(tmp_path) as one:
        yield one


@pytest.fixture
def show(web: Web) -> Web:
    with web.database.begin() as connection:
        save_show(connection, versions=60, shots_a_sequence=10)
    return web


def begin_job(web: Web, state: JobState, *, project: str = "akane", **values: object) -> None:
    """Put a job into the table, as a worker has left it."""
    now = utc_now()
    row = {
        "key": "job-1",
        "event_key": "event-1",
        "state": state.value,
        "step": "generate",
        "project": project,
        "sequence": "ep001",
        "shot": "c0000",
        "season": "summer",
        "time": "day",
        "layout": "/show/c0000.png",
        "created_at": now,
        "updated_at": now,
        **values,
    }
    with web.database.begin() as connection:
        connection.execute(insert(jobs), row)


def cards(web: Web, query: str = "") -> list[str]:
    """Return the places of all cards that are shown."""
    page = get(web, f"/shows/akane{query}")
    return [found["data-place"] for found in page.all("li", **{"class": "card"})]


def test_a_studio_without_a_background_is_told_how_to_get_one(web: Web) -> None:
    assert "Publish a layout" in get(web, "/").text


def test_the_first_page_lists_each_show_with_what_is_decided(show: Web) -> None:
    page = get(show, "/")

    assert page.all("a", href="/shows/akane")
    assert page.all("a", href="/shows/akane/reports")
    assert "approved" in page.text


def test_a_show_whose_first_layout_is_being_made_is_listed_too(web: Web) -> None:
    begin_job(web, JobState.RUNNING, project="midori")

    assert get(web, "/").all("a", href="/shows/midori")
    assert "being made" in get(web, "/shows/midori").text


def test_every_background_is_there_once_in_its_newest_version(show: Web) -> None:
    found = cards(show)

    with show.database.connect() as connection:
        rows = connection.execute(select(backgrounds)).all()
    streams = {(row.sequence, row.shot, row.season, row.time) for row in rows}
    assert sorted(found) == sorted("/".join(stream) for stream in streams)


def test_cards_stand_in_cut_order_below_their_sequence(show: Web) -> None:
    shots = [place.split("/")[:2] for place in cards(show)]

    assert shots == sorted(shots)


@pytest.mark.parametrize(
    ("query", "part"),
    [
        ("?sequence=ep002", "ep002/"),
        ("?season=winter", "/winter/"),
        ("?time=sunset", "/sunset"),
        ("?text=C0003", "c0003"),
    ],
)
def test_a_filter_leaves_what_fits(show: Web, query: str, part: str) -> None:
    found = cards(show, query)

    assert found == [place for place in cards(show) if part in place]
    assert found


@pytest.mark.parametrize("query", ["", "state=in_review", "season=winter", "text=C000"])
def test_a_long_show_is_cut_into_pages_that_hold_each_card_once(
    show: Web, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    begin_job(show, JobState.RUNNING, key="job-1", shot="c9999", sequence="ep000")
    begin_job(show, JobState.DEAD, key="job-2", shot="c0005", sequence="ep999", error="It failed.")
    whole = cards(show, f"?{query}")
    monkeypatch.setattr(gallery, "PAGE", 4)

    found: list[str] = []
    address = f"/shows/akane?{query}"
    while address:
        page = get(show, address)
        found += [one["data-place"] for one in page.all("li", **{"class": "card"})]
        following = page.all("a", rel="next")
        address = following[0]["href"] if following else ""

    assert found == whole
    assert len(whole) > 4


def test_counts_are_true_right_after_a_decision(show: Web) -> None:
    before = get(show, "/shows/akane?state=approved").text
    with show.database.begin() as connection:
        connection.execute(update(backgrounds).values(state="approved"))

    after = get(show, "/shows/akane?state=approved").text

    assert before != after
    assert len(cards(show, "?state=approved")) == len(cards(show))


def test_filters_that_fit_nothing_say_so(show: Web) -> None:
    assert "No background fits" in get(show, "/shows/akane?text=nowhere").text


def test_a_state_can_be_picked_and_is_counted(show: Web) -> None:
    approved = cards(show, "?state=approved")
    page = get(show, "/shows/akane?state=approved")

    assert f"{len(approved)} of {len(cards(show))} backgrounds" in page.text
    assert f"approved ({len(approved)})" in page.text


def test_a_card_shows_the_job_that_makes_the_next_version(show: Web) -> None:
    begin_job(show, JobState.RUNNING, progress=0.4)
    page = get(show, "/shows/akane?text=c0000&sequence=ep001&season=summer&time=day")

    assert page.all("progress")[0]["value"] == "0.400"
    assert page.all("span", **{"data-job": "job-1"})


def test_a_dead_letter_is_shown_until_a_version_stands_after_it(web: Web) -> None:
    begin_job(web, JobState.DEAD, error="The layout is damaged.")
    refused = get(web, "/shows/akane").text
    begin = a_background("c0000", sequence="ep001", created_at=utc_now())
    with web.database.begin() as connection:
        save_background(connection, begin)

    assert "refused" in refused
    assert "refused" not in get(web, "/shows/akane").text


def test_a_refused_file_that_names_no_cut_is_listed(web: Web) -> None:
    begin_job(web, JobState.DEAD, shot="", sequence="", step="detect", error="No such shot.")

    assert "No such shot." in get(web, "/shows/akane").text


def test_a_refused_file_that_names_no_show_is_on_the_first_page(web: Web) -> None:
    begin_job(
        web, JobState.DEAD, project="", shot="", layout="/in/odd.png", error="The path is odd."
    )
    page = get(web, "/")
    answer = web.client.post("/jobs/job-1/retry", data={"csrf": csrf(page)}, follow_redirects=False)

    assert "/in/odd.png" in page.text
    assert "The path is odd." in page.text
    assert answer.headers["location"] == "/"


def test_one_card_is_served_as_the_page_shows_it(show: Web) -> None:
    sequence, shot, season, time = cards(show)[0].split("/")
    query = f"sequence={sequence}&shot={shot}&season={season}&time={time}"
    page = get(show, f"/shows/akane/card?{query}")

    assert [one["data-place"] for one in page.all("li")] == cards(show)[:1]
    assert show.client.get("/shows/akane/card?shot=none").status_code == 404


def test_lanes_and_the_processes_of_every_host_are_shown(web: Web) -> None:
    now = utc_now()
    rows = [
        {
            "holder": f"{host}-steps-0",
            "host": host,
            "pid": 7,
            "role": "steps",
            "lanes": "jobs",
            "version": "1.2.3",
            "state": "works",
            "started_at": now - timedelta(hours=1),
            "seen_at": seen,
        }
        for host, seen in (("kumo", now), ("ame", now - timedelta(minutes=5)))
    ]
    begin_job(web, JobState.RUNNING)
    with web.database.begin() as connection:
        connection.execute(insert(processes), rows)
        order_lane(connection, Lane.GENERATE, LaneOrder.PAUSED, by="mori")

    page = get(web, "/status")

    assert get(web, "/").all("a", href="/status")
    assert {one["data-lane"] for one in page.all("tr") if "data-lane" in one} == set(Lane)
    assert "Paused by mori." in page.text
    assert [one["data-holder"] for one in page.all("tr") if "data-holder" in one] == [
        "ame-steps-0",
        "kumo-steps-0",
    ]
    assert page.text.index("silent") < page.text.index("running", page.text.index("Processes"))
    assert "0 waiting, 1 running, 0 failed and waiting for a decision." in page.text


def test_names_are_shown_as_they_are_and_never_run(web: Web) -> None:
    hostile = '"><script>alert(1)'
    told = a_background(hostile, project="港 & 朝", sequence="")
    with web.database.begin() as connection:
        save_background(connection, told)
    page = get(web, "/shows/%E6%B8%AF%20%26%20%E6%9C%9D")

    assert hostile in page.text
    assert all("src" in script for script in page.all("script"))
    address = to_cut("港 & 朝", "", hostile, season=told.season, time=told.time)
    assert page.all("a", href=address)
    assert hostile in get(web, address).text


def test_what_is_not_there_is_said(show: Web) -> None:
    for address in ("/shows/none", "/shows/akane/ep001/none", "/versions/none"):
        answer = show.client.get(address)

        assert answer.status_code == 404
        assert "text/html" in answer.headers["content-type"]


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("ja-JP,ja;q=0.9,en;q=0.8", "ja"),
        ("en-GB,en;q=0.9,ja;q=0.8", "en"),
        ("fr,ja;q=0.3", "ja"),
        ("en;q=nonsense, ja;q=0", "en"),
        ("", "en"),
    ],
)
def test_pages_speak_the_language_that_a_browser_asks_for(
    show: Web, accepted: str, language: str
) -> None:
    page = get(show, "/shows/akane", {"accept-language": accepted})

    assert page.all("html")[0]["lang"] == language
    assert ("季節" in page.text) == (language == "ja")


def test_a_choice_of_language_and_colours_is_kept(show: Web) -> None:
    form = {"csrf": csrf(get(show, "/")), "language": "ja", "theme": "dark", "next": "/shows/akane"}
    answer = show.client.post("/preferences", data=form, follow_redirects=False)
    page = get(show, "/")

    assert (answer.status_code, answer.headers["location"]) == (303, "/shows/akane")
    assert page.all("html")[0] == {"lang": "ja", "data-theme": "dark"}


@pytest.mark.parametrize("target", ["//elsewhere.test/", "https://elsewhere.test/", "/\\x", ""])
def test_a_form_never_leads_to_another_site(show: Web, target: str) -> None:
    form = {"csrf": csrf(get(show, "/")), "language": "xx", "theme": "pink", "next": target}
    answer = show.client.post("/preferences", data=form, follow_redirects=False)

    assert answer.headers["location"] == "/"
    assert get(show, "/").all("html")[0] == {"lang": "en", "data-theme": "auto"}


@pytest.mark.parametrize("language", ["en", "ja"])
def test_pages_can_be_used_by_everybody(show: Web, language: str) -> None:
    first = cards(show)[0].split("/")
    addresses = ("/", "/shows/akane", to_cut("akane", *first[:2]), "/shows/akane/reports")
    for address in addresses:
        page = get(show, address, {"accept-language": language})

        assert len(page.all("main")) == len(page.all("h1")) == 1
        assert len(page.attribute("id")) == len(set(page.attribute("id"))), address
        assert all("alt" in image for image in page.all("img"))
        assert page.all("a", href="#content")
        labelled = set(page.attribute("for"))
        for kind in ("input", "select", "textarea"):
            for one in page.all(kind):
                named = "aria-label" in one or one.get("id") in labelled
                assert one.get("type") == "hidden" or named, one
        for name in ("aria-labelledby", "aria-describedby"):
            for value in page.attribute(name):
                assert set(value.split()) <= set(page.attribute("id")), value


def test_no_page_carries_code_or_styles_inside(show: Web) -> None:
    first = cards(show)[0].split("/")
    for address in ("/", "/shows/akane", to_cut("akane", *first[:2]), "/shows/akane/reports"):
        answer = show.client.get(address)
        page = read(answer.text)

        assert "unsafe" not in answer.headers["content-security-policy"]
        assert not page.all("style")
        assert not page.attribute("style")
        assert all(one.get("src", "").startswith("/static/") for one in page.all("script"))
        assert not [name for _, found in page.elements for name in found if name.startswith("on")]


def test_every_phrase_stands_in_both_languages_with_the_same_places() -> None:
    phrases = [one for one in vars(page_texts).values() if isinstance(one, Bilingual)]
    for table in vars(page_texts).values():
        if isinstance(table, dict):
            phrases += [one for one in table.values() if isinstance(one, Bilingual)]

    assert len(phrases) > 100
    for phrase in phrases:
        assert phrase.en.strip()
        assert phrase.ja.strip()
        places = re.compile(r"\{(\w+)")
        assert set(places.findall(phrase.en)) == set(places.findall(phrase.ja)), phrase


def test_templates_say_phrases_that_exist_and_none_is_left_over() -> None:
    sources = [file.read_text(encoding="utf-8") for file in (HERE / "templates").glob("*.html")]
    sources += [file.read_text(encoding="utf-8") for file in HERE.glob("*.py")]
    source = "\n".join(sources)
    used = set(re.findall(r"\b(?:w|page_texts)\.([A-Z_]+)\b", source))
    tree = ast.parse((HERE / "page_texts.py").read_text(encoding="utf-8"))
    known = {name for name, one in vars(page_texts).items() if isinstance(one, Bilingual)}

    assert all(hasattr(page_texts, name) for name in used)
    for table, key in re.findall(r"\btexts\.([A-Z_]+)(?:\.(\w+))?", source):
        assert not key or key in {"items", *getattr(texts, table)}
    read_inside = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    assert known - used - read_inside == set()


def test_every_report_of_ours_says_in_both_languages_what_it_is_for() -> None:
    for report in reports():
        if report.name != "image-sheet":
            assert page_texts.PURPOSES[report.name].en == report.purpose


def test_vendored_files_are_what_their_makers_published() -> None:
    folder = HERE / "static" / "vendor"
    listed = tomllib.loads((folder / "VENDORED.toml").read_text(encoding="utf-8"))["file"]

    assert {one["path"] for one in listed} == {
        file.name for file in folder.iterdir() if file.name != "VENDORED.toml"
    }
    for one in listed:
        assert sha256_of(folder / one["path"]) == one["sha256"]
        assert one["name"]
        assert one["version"]
        assert one["licence"]


def test_static_files_load_nothing_from_elsewhere() -> None:
    own = [file for file in (HERE / "static").glob("*.*") if file.suffix != ".svg"]

    assert own
    for file in own:
        # The name of SVG's elements looks like an address, and nothing is loaded from it.
        text = file.read_text(encoding="utf-8").replace('"http://www.w3.org/2000/svg"', "")
        assert "://" not in text, file.name
