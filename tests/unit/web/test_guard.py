"""What stands before every page."""

from pathlib import Path

import pytest

from support.web import Web, web_of

FORM = "application/x-www-form-urlencoded"


def decide(web: Web, *, csrf: str, **headers: str) -> int:
    answer = web.client.post(
        "/decide",
        content=f"text=good&csrf={csrf}".encode(),
        headers={"content-type": FORM, **{k.replace("_", "-"): v for k, v in headers.items()}},
    )
    return answer.status_code


def test_a_form_of_this_session_is_taken_with_all_that_it_says(web: Web) -> None:
    answer = web.client.post("/decide", data={"text": "良い", "csrf": web.csrf()})

    assert (answer.status_code, answer.text) == (200, ": 良い")


def test_a_script_of_ours_may_send_the_token_in_a_header(web: Web) -> None:
    csrf = web.csrf()

    answer = web.client.post("/decide", data={"text": "x"}, headers={"x-csrf-token": csrf})

    assert answer.status_code == 200


@pytest.mark.parametrize("csrf", ["", "0" * 64, "guess", "%C3%BC"])
def test_a_form_without_its_token_is_refused(web: Web, csrf: str) -> None:
    web.csrf()

    assert decide(web, csrf=csrf) == 403


def test_the_token_of_another_session_is_refused(tmp_path: Path, web: Web) -> None:
    other = web.csrf()
    web.client.cookies.clear()
    web.csrf()

    assert decide(web, csrf=other) == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.test"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
def test_a_form_of_another_site_is_refused(web: Web, headers: dict[str, str]) -> None:
    assert decide(web, csrf=web.csrf(), **headers) == 403


def test_a_form_of_our_own_pages_may_say_so(web: Web) -> None:
    headers = {"origin": "http://127.0.0.1:8771", "sec_fetch_site": "same-origin"}

    assert decide(web, csrf=web.csrf(), **headers) == 200


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data", ""])
def test_other_bodies_than_plain_forms_are_refused(web: Web, kind: str) -> None:
    answer = web.client.post("/decide", content=b"{}", headers={"content-type": kind})

    assert answer.status_code == 415


def test_a_form_that_is_too_large_is_refused(web: Web) -> None:
    body = b"text=" + b"x" * 300 * 1024

    assert (
        web.client.post("/decide", content=body, headers={"content-type": FORM}).status_code == 413
    )


def test_who_may_only_look_does_not_decide(tmp_path: Path) -> None:
    with web_of(tmp_path, web={"supervisors": ["kato"]}) as web:
        assert decide(web, csrf=web.csrf()) == 403


def test_who_decides_too_often_has_to_wait(tmp_path: Path) -> None:
    with web_of(tmp_path, web={"rate": 2}) as web:
        csrf = web.csrf()
        statuses = [decide(web, csrf=csrf) for _ in range(2)]
        answer = web.client.post("/decide", data={"csrf": csrf})

        assert statuses == [200, 200]
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("settings", "answers"),
    [({"url": "http://127.0.0.1:8771"}, [200, 429, 200]), ({}, [403, 403, 403])],
    ids=["proxy", "no proxy"],
)
def test_only_behind_a_proxy_has_each_address_that_it_names_its_own_limit(
    tmp_path: Path, settings: dict[str, object], answers: list[int]
) -> None:
    with web_of(tmp_path, web={"rate": 1, **settings}) as web:
        csrf = web.csrf()
        hosts = ("127.0.0.1", "127.0.0.1", "127.0.0.2")

        found = [decide(web, csrf=csrf, x_forwarded_for=f"1.1.1.1, {one}") for one in hosts]

        assert found == answers


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1.evil.test", "192.0.2.7", ""])
def test_pages_are_not_given_under_a_strange_name(web: Web, host: str) -> None:
    assert web.client.get("/who", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1:8771", "localhost:8771", "[::1]:8771"])
def test_pages_are_given_under_the_names_of_this_machine(web: Web, host: str) -> None:
    assert web.client.get("/who", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/who", "/nothing-here", "/broken", "/sign-in", "/decide"])
def test_every_answer_says_what_a_browser_may_do_with_it(web: Web, path: str) -> None:
    headers = web.client.get(path).headers

    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


def test_what_nobody_foresaw_is_not_told_to_browsers(web: Web) -> None:
    answer = web.client.get("/broken")

    assert answer.status_code == 500
    assert "foresaw" in answer.text
    assert "RuntimeError" not in answer.text
    assert "Traceback" not in answer.text
