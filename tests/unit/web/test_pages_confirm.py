"""A person confirms or corrects their own credits on the page that their link opens."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from httpx2 import Response
from sqlalchemy import func, select
from structlog.testing import capture_logs

from haikei.credits import Grade, Person, Scope, people, records
from haikei.credits.people import confirmation_key, link_token
from haikei.database import confirmation_questions, ledger, reading, utc_now
from support.records import SATO, TANAKA, a_background, a_chain, save_background
from support.web import Page, Web, a_version, csrf, get, pages_of, read, with_pictures


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with pages_of(tmp_path) as one:
        with one.database.begin() as connection:
            root = one.settings.storage.roots[0].path
            save_background(connection, with_pictures(root, a_version()))
        yield one


def ask(web: Web, person: Person = SATO, *, days: int = 30) -> str:
    """Ask a person about the show; return the address of the page."""
    now = utc_now()
    with web.database.begin() as connection:
        asked = people.ask(
            connection,
            person=person.id,
            project="akane",
            way="print",
            at=now - timedelta(days=31),
            until=now - timedelta(days=31) + timedelta(days=days + 31 if days > 0 else 1),
        )
    return f"/confirm?link={link_token(confirmation_key(web.settings.studio.state), asked)}"


def send(web: Web, page: Page, **more: str) -> Response:
    hidden = {one["name"]: one["value"] for one in page.all("input", type="hidden")}
    fields = {name: hidden[name] for name in ("csrf", "link", "shown")}
    return web.client.post("/confirm/answer", data=fields | more, follow_redirects=False)


def grades(web: Web, person: Person) -> set[Grade]:
    with reading(web.database) as connection:
        found = records.backgrounds(connection, Scope(project="akane"))
        return {
            one.grade
            for version in found
            for image in version.images
            for one in image.contributions
            if one.actor == person
        }


def entries(web: Web) -> int:
    with reading(web.database) as connection:
        return connection.execute(select(func.count()).select_from(ledger)).scalar_one()


def test_the_page_shows_all_that_a_person_is_credited_for_and_nothing_of_others(web: Web) -> None:
    page = get(web, ask(web))
    for expected in (
        "Your credits on “akane”",
        "A. Sato",
        "佐藤葵",
        "Background Art (Paint-over)",
        "ep01 / c001",
        "logged",
        "3.5 % of the area changed",
    ):
        assert expected in page.text, page.text
    assert TANAKA.name not in page.text
    (image,) = [one["src"] for one in page.all("img") if "confirm" in one["src"]]
    answer = web.client.get(image)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"


def test_the_page_speaks_japanese_without_scripts_on_a_telephone(web: Web) -> None:
    answer = web.client.get(ask(web), headers={"accept-language": "ja"})
    page = read(answer.text)
    assert "「akane」でのあなたのクレジット" in page.text
    assert "自分の作業ではない" in page.text
    assert page.all("form", action="/confirm/answer", method="post")
    assert "onclick" not in answer.text
    assert "content-security-policy" in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    assert page.all("meta", name="viewport")


def test_a_page_that_is_looked_at_changes_nothing(web: Web) -> None:
    address, before = ask(web), entries(web)
    for _ in range(3):
        get(web, address)
        assert web.client.head(address).status_code == 200
    assert web.client.get("/confirm/answer").status_code == 405
    assert entries(web) == before
    assert Grade.CONFIRMED not in grades(web, SATO)


def test_sent_as_it_is_the_page_confirms_all_and_the_link_is_used_up(web: Web) -> None:
    address = ask(web)
    page = get(web, address)
    answer = send(web, page)
    assert answer.status_code == 303
    assert grades(web, SATO) == {Grade.CONFIRMED}
    assert Grade.CONFIRMED not in grades(web, TANAKA)

    stood = entries(web)
    for again in (web.client.get(address), send(web, page, withhold="1")):
        assert again.status_code == 410
        assert "is kept, and this link is used up" in read(again.text).text
    assert entries(web) == stood
    assert "confirmed (logged)" in get(web, "/shows/akane/ep01/c001").text


def test_what_is_wrong_becomes_a_question_and_changes_no_credit(web: Web) -> None:
    page = get(web, ask(web))
    (box,) = [one for one in page.all("input", type="checkbox") if one["name"] == "not-me-1"]
    wrong = {"not-me-1": box["value"], "words": "I was ill.", "also": "Sky of c002"}
    send(web, page, **wrong, name="Aoi")
    assert grades(web, SATO) == {Grade.LOGGED}
    with reading(web.database) as connection:
        found = records.open_corrections(connection, "akane")
        assert people.look_up(connection, [SATO.id])[SATO.id] == SATO
    assert [one.what.value for one in found] == ["not_me", "name", "also"]
    assert found[1].name == "Aoi"
    assert found[1].name_ja == SATO.name_ja


def test_none_of_it_and_a_wish_not_to_be_named(web: Web) -> None:
    send(web, get(web, ask(web)), none="1", withhold="1")
    with reading(web.database) as connection:
        found = records.open_corrections(connection, "akane")
    assert [one.what.value for one in found] == ["not_me", "withhold"]


def test_a_name_that_is_a_machines_is_refused_and_what_was_written_is_kept(web: Web) -> None:
    address, before = ask(web), entries(web)
    answer = send(web, get(web, address), name="Midjourney v7", also="Sky of c002")
    assert answer.status_code == 400
    page = read(answer.text)
    assert "Nothing was kept" in page.text
    assert "Sky of c002" in page.text
    assert entries(web) == before
    assert send(web, page, name="Aoi Sato").status_code == 303


def test_credits_that_changed_meanwhile_are_shown_again(web: Web) -> None:
    page = get(web, ask(web))
    with web.database.begin() as connection:
        save_background(connection, a_background("c002", images=a_chain("c002")))
    answer = send(web, page)
    assert answer.status_code == 409
    assert "have changed since" in read(answer.text).text
    assert send(web, read(answer.text)).status_code == 303
    assert grades(web, SATO) == {Grade.CONFIRMED}


def test_wrong_ended_and_replaced_links_say_so_in_one_sentence(web: Web) -> None:
    ended, first = ask(web, TANAKA, days=0), ask(web)
    ask(web)
    name, _, signature = first.partition(".")
    forged = f"{name}.{'0' * len(signature)}"
    cut = first[:-1]
    for address, status, words in (
        ("/confirm", 404, "not one of ours"),
        ("/confirm?link=nonsense", 404, "not one of ours"),
        (forged, 404, "not one of ours"),
        (cut, 404, "not one of ours"),
        (ended, 410, "This link ended on"),
        (first, 410, "taken back"),
    ):
        answer = web.client.get(address)
        assert answer.status_code == status, address
        page = read(answer.text)
        assert words in page.text
        assert SATO.name not in page.text
        assert not page.all("form", action="/confirm/answer")


def test_links_end_for_answers_and_pictures_too(web: Web) -> None:
    address = ask(web)
    page = get(web, address)
    picture = next(one["src"] for one in page.all("img") if "confirm" in one["src"])
    ask(web)
    assert send(web, page).status_code == 410
    assert web.client.get(picture).status_code == 404
    assert Grade.CONFIRMED not in grades(web, SATO)


def test_a_link_opens_no_picture_of_somebody_elses(web: Web) -> None:
    address = ask(web)
    with reading(web.database) as connection:
        (other, *_) = records.works_of(connection, "akane", TANAKA.id)
    sha256 = other.image.sha256
    assert web.client.get(f"/confirm/picture.jpg{address[8:]}&image={sha256}").status_code == 404
    assert web.client.get(f"/confirm/picture.jpg?image={sha256}").status_code == 404


def test_a_form_of_another_site_or_without_its_secret_is_refused(web: Web) -> None:
    page = get(web, ask(web))
    hidden = {one["name"]: one["value"] for one in page.all("input", type="hidden")}
    form = {name: hidden[name] for name in ("csrf", "link", "shown")}
    for headers, fields in (
        ({"origin": "https://elsewhere.test"}, form),
        ({"sec-fetch-site": "cross-site"}, form),
        ({}, form | {"csrf": ""}),
        ({}, form | {"csrf": "0" * 64}),
    ):
        answer = web.client.post("/confirm/answer", data=fields, headers=headers)
        assert answer.status_code == 403
    assert Grade.CONFIRMED not in grades(web, SATO)


def test_who_has_a_link_signs_in_nowhere_and_sees_nothing_else(tmp_path: Path) -> None:
    url = "https://haikei.test"
    with pages_of(tmp_path, base_url=url, web={"url": url}) as web:
        with web.database.begin() as connection:
            save_background(connection, a_background())
        page = get(web, ask(web))
        assert csrf(page)
        assert send(web, page).status_code == 303
        assert grades(web, SATO) == {Grade.CONFIRMED}
        assert web.client.get("/shows/akane", follow_redirects=False).status_code in {303, 401}
        assert web.client.get("/confirm/other", follow_redirects=False).status_code in {303, 401}


def test_no_log_holds_a_link(web: Web) -> None:
    address = ask(web)
    token = address.partition("=")[2]
    with capture_logs() as logs:
        page = get(web, address)
        send(web, page, csrf="wrong")
        send(web, page)
        web.client.get(address)
    assert logs
    assert token not in str(logs)
    assert SATO.name not in str(logs)


def test_no_link_is_kept_and_none_names_anybody(web: Web) -> None:
    token = ask(web).partition("=")[2]
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}\.[0-9a-f]{64}", token)
    with reading(web.database) as connection:
        rows = [str(row) for row in connection.execute(select(confirmation_questions))]
    assert token.partition(".")[2] not in "".join(rows)
