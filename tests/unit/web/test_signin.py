"""Signing in, and what is closed until somebody has."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from haikei.web.security.request_security import local
from support.web import PASSWORD, Web, web_of

REMOTE = {"host": "0.0.0.0", "supervisors": ["Kato"], "admins": ["boss"]}
HTML = {"accept": "text/html"}


def sign_in(web: Web, login: str = "kato", password: str = PASSWORD, **more: str) -> int:
    page = web.client.get("/sign-in", headers=HTML).text
    csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
    answer = web.client.post(
        "/sign-in",
        data={"csrf": csrf, "login": login, "password": password, "next": "/who", **more},
        follow_redirects=False,
    )
    return answer.status_code


def test_on_this_machine_nobody_has_to_sign_in_and_everybody_decides(web: Web) -> None:
    assert web.client.get("/who").text.startswith("|admin|")


def test_named_supervisors_alone_decide_on_this_machine_too(tmp_path: Path) -> None:
    with web_of(tmp_path, web={"supervisors": ["kato"]}) as web:
        assert web.client.get("/who").text.startswith("|viewer|")
        assert sign_in(web) == 303
        assert web.client.get("/who").text.startswith("kato|supervisor|")


def test_elsewhere_a_page_leads_to_the_sign_in_and_from_there_back(tmp_path: Path) -> None:
    with web_of(tmp_path, web=REMOTE) as web:
        answer = web.client.get("/who?x=1", headers=HTML, follow_redirects=False)

        assert answer.status_code == 303
        assert answer.headers["location"] == "/sign-in?next=%2Fwho%3Fx%3D1"
        assert web.client.get("/who").status_code == 401


@pytest.mark.parametrize(
    ("login", "role"), [("kato", "supervisor"), ("mori", "viewer")], ids=["kato", "mori"]
)
def test_the_settings_say_what_somebody_may_do(tmp_path: Path, login: str, role: str) -> None:
    with web_of(tmp_path, web=REMOTE) as web:
        assert sign_in(web, login) == 303
        assert web.client.get("/who").text.startswith(f"{login}|{role}|")


def test_a_proxy_before_this_machine_closes_what_loopback_opens(tmp_path: Path) -> None:
    with web_of(tmp_path, web={"url": "https://haikei.studio.test"}) as web:
        assert web.client.get("/who").status_code == 401


@pytest.mark.parametrize("password", ["wrong", "", PASSWORD.upper()])
def test_a_wrong_password_lets_nobody_in_and_is_logged_without_it(
    tmp_path: Path, password: str
) -> None:
    with web_of(tmp_path, web=REMOTE) as web, capture_logs() as logs:
        assert sign_in(web, password=password) == 403
        assert web.client.get("/who").status_code == 401

    assert [line["login"] for line in logs if line["event"] == "sign_in_refused"] == ["kato"]
    assert not password or password not in str(logs)


def test_guessing_passwords_is_slowed_down(tmp_path: Path) -> None:
    with web_of(tmp_path, web=REMOTE) as web:
        answers = [sign_in(web, password="guess") for _ in range(21)]

        assert answers[:20] == [403] * 20
        assert answers[20] == 429
        assert sign_in(web) == 429


def test_who_signs_out_is_out(tmp_path: Path) -> None:
    with web_of(tmp_path, web=REMOTE) as web:
        sign_in(web)

        web.client.post("/sign-out", data={"csrf": web.csrf()}, follow_redirects=False)

        assert web.client.get("/who").status_code == 401


def test_signing_in_gives_a_new_session(tmp_path: Path) -> None:
    with web_of(tmp_path, web={"supervisors": ["kato"]}) as web:
        before = web.csrf()
        sign_in(web)

        assert web.csrf() != before


@pytest.mark.parametrize(
    "path",
    [
        "//evil.test",
        "https://evil.test",
        "/\\evil.test",
        "\\/evil.test",
        "/a\nb",
        "evil",
        "",
        "/\t/x",
    ],
)
def test_the_sign_in_leads_to_no_other_site(path: str) -> None:
    assert local(path) == "/"


def test_the_sign_in_leads_back_to_a_page() -> None:
    assert local("/shows/akane?sequence=ep01") == "/shows/akane?sequence=ep01"


def test_cookies_travel_over_tls_alone_where_there_is_tls(tmp_path: Path) -> None:
    settings = {"url": "https://haikei.studio.test"}
    with web_of(tmp_path, web=settings, base_url="https://haikei.studio.test") as web:
        answer = web.client.get("/sign-in", headers=HTML)

        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-haikei=")
        assert "Secure" in cookie
        assert "HttpOnly" in cookie
        assert "max-age" in answer.headers["strict-transport-security"]
        assert sign_in(web) == 303
