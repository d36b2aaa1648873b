"""Pages that are open to this machine alone are shut to whatever a proxy passes on."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from haikei.cli.doctor import pages, state
from haikei.cli.startup import close_to_others
from haikei.settings import Settings
from haikei.web import make_app
from support.jobs import studio_database, studio_settings
from support.trackers import FailingTracker

PROXIED = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded", "via"]


def answers(settings: Settings, path: str, **headers: str) -> int:
    database = studio_database(settings)
    app = make_app(settings, database, open_tracker=lambda _: FailingTracker())
    at = "http://127.0.0.1:8771"
    with TestClient(app, base_url=at, follow_redirects=False) as client:
        found = client.get(path, headers=headers).status_code
    database.dispose()
    return found


@pytest.mark.parametrize("header", PROXIED)
def test_a_forwarded_request_is_refused_while_nobody_signs_in(tmp_path: Path, header: str) -> None:
    settings = studio_settings(tmp_path)

    assert answers(settings, "/") == 200
    assert answers(settings, "/", **{header: "10.0.0.9"}) == 403
    assert answers(settings, "/healthz", **{header: "10.0.0.9"}) == 200


def test_a_forwarded_request_is_asked_to_sign_in_where_others_may_come(tmp_path: Path) -> None:
    settings = studio_settings(tmp_path, web={"url": "https://haikei.studio"})
    headers = {"x-forwarded-for": "10.0.0.9", "host": "haikei.studio", "accept": "text/html"}

    assert answers(settings, "/", **headers) == 303


@pytest.mark.parametrize(
    ("web", "said"),
    [
        ({}, []),
        ({"enabled": False, "host": "0.0.0.0"}, []),
        ({"url": "https://haikei.studio"}, [True]),
        ({"host": "0.0.0.0"}, [False]),
        ({"host": "0.0.0.0", "url": "https://haikei.studio"}, [False]),
        ({"url": "http://haikei.studio"}, [False]),
    ],
)
def test_the_doctor_names_pages_that_others_reach_without_tls(
    tmp_path: Path, web: dict[str, object], said: list[bool]
) -> None:
    assert [one.ok for one in pages(studio_settings(tmp_path, web=web))] == said


def test_the_state_folder_is_its_owners_alone(tmp_path: Path) -> None:
    settings = studio_settings(tmp_path)
    folder = settings.studio.state
    folder.chmod(0o755)
    studio_database(settings).dispose()
    before = next(one for one in state(settings) if "permissions" in one.subject)

    close_to_others(folder)

    after = next(one for one in state(settings) if "permissions" in one.subject)
    assert (before.ok, after.ok) == (False, True)
    assert folder.stat().st_mode & 0o777 == 0o700
    close_to_others(tmp_path / "new" / "state")
    assert (tmp_path / "new" / "state").stat().st_mode & 0o777 == 0o700
