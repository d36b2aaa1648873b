"""Scripts, people and sessions sign in; everybody else is told so."""

from collections.abc import Generator
from typing import Any

import pytest
import shotgun_api3

from support.sites import RunningSite, running_site

PASSWORD = "ひみつ password"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningSite]:
    with running_site(tmp_path_factory.mktemp("login"), seed="demo") as running:
        person = running.site.find_one(
            running.site.system, "HumanUser", [["login", "is", "ytanaka"]]
        )
        assert person is not None
        number = person["id"]
        assert isinstance(number, int)
        running.site.set_password(number, PASSWORD)
        yield running


def _create(sg: shotgun_api3.Shotgun) -> Any:
    project: Any = sg.find_one("Project", [["tank_name", "is", "PORT"]])
    return sg.create("Shot", {"project": project, "code": "who"}, return_fields=["created_by"])[
        "created_by"
    ]


def test_a_script_signs_in_with_its_key(site: RunningSite) -> None:
    author = _create(site.connect())

    assert (author["type"], author["name"]) == ("ApiUser", "haikei")


def test_a_person_signs_in_with_a_password(site: RunningSite) -> None:
    sg = site.closing(shotgun_api3.Shotgun(site.url, login="ytanaka", password=PASSWORD))

    author = _create(sg)

    assert (author["type"], author["name"]) == ("HumanUser", "Yuki Tanaka")


def test_a_session_stands_for_who_opened_it(site: RunningSite) -> None:
    person = site.closing(shotgun_api3.Shotgun(site.url, login="ytanaka", password=PASSWORD))
    token = person.get_session_token()
    sg = site.closing(shotgun_api3.Shotgun(site.url, session_token=token))

    author = _create(sg)

    assert (author["type"], author["name"]) == ("HumanUser", "Yuki Tanaka")


def test_a_script_writes_in_a_persons_name_when_it_says_so(site: RunningSite) -> None:
    author = _create(site.connect(sudo_as_login="hsato"))

    assert (author["type"], author["name"]) == ("HumanUser", "Haruto Sato")


@pytest.mark.parametrize(
    "parameters",
    [
        {"script_name": "haikei", "api_key": "wrong"},
        {"script_name": "nobody", "api_key": "wrong"},
        {"login": "ytanaka", "password": "wrong"},
        {"login": "nobody", "password": PASSWORD},
        {"session_token": "0" * 32},
    ],
    ids=["key", "script", "password", "login", "session"],
)
def test_whoever_is_unknown_is_refused_as_such(
    site: RunningSite, parameters: dict[str, str]
) -> None:
    sg: Any = site.closing(shotgun_api3.Shotgun(site.url, **parameters))  # type: ignore[arg-type]  # names vary

    with pytest.raises(shotgun_api3.AuthenticationFault):
        sg.find("Project", [])


def test_nobody_is_impersonated_who_is_not_there(site: RunningSite) -> None:
    sg = site.connect(sudo_as_login="nobody")

    with pytest.raises(shotgun_api3.Fault):
        sg.find("Project", [])


def test_the_client_can_ask_whether_a_password_is_right(site: RunningSite) -> None:
    sg = site.connect()

    right: Any = sg.authenticate_human_user("ytanaka", PASSWORD)

    assert right["login"] == "ytanaka"
    with pytest.raises(shotgun_api3.AuthenticationFault):
        sg.authenticate_human_user("ytanaka", "wrong")
