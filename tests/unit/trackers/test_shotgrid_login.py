"""People who come from the site: their passwords, and the rows that they selected."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from haikei.errors import TrackerUnavailable
from haikei.settings import Settings
from haikei.show import Place
from haikei.trackers import SignedIn
from haikei.trackers.shotgrid.client import SiteClient
from haikei.trackers.shotgrid.visitors import ShotGridSelection, ShotGridSignIn
from support.jobs import studio_settings
from support.sites import KEY, RunningSite, running_site

PASSWORD = SecretStr("ひみつ password")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with running_site(tmp_path_factory.mktemp("tracker")) as running:
        yield running


@pytest.fixture(scope="module")
def person(site: RunningSite) -> int:
    made: Any = site.connect().create("HumanUser", {"login": "mori", "name": "K. Mori"})
    site.site.set_password(made["id"], PASSWORD.get_secret_value())
    gone: Any = site.connect().create(
        "HumanUser", {"login": "gone", "name": "G. One", "sg_status_list": "dis"}
    )
    site.site.set_password(gone["id"], PASSWORD.get_secret_value())
    return int(made["id"])


def settings_of(url: str, folder: Path) -> Settings:
    return studio_settings(folder, tracker={"url": url, "timeout": 5})


def test_who_knows_the_password_is_let_in(site: RunningSite, person: int, tmp_path: Path) -> None:
    found = ShotGridSignIn(settings_of(site.url, tmp_path).tracker)("mori", PASSWORD)

    assert found == SignedIn(login="mori", name="K. Mori", person_id=f"HumanUser:{person}")


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("mori", "wrong"),
        ("mori", ""),
        ("", PASSWORD.get_secret_value()),
        ("nobody", PASSWORD.get_secret_value()),
        ("gone", PASSWORD.get_secret_value()),
        ("haikei", KEY),
    ],
)
def test_nobody_else_is(
    site: RunningSite, person: int, tmp_path: Path, login: str, password: str
) -> None:
    assert person
    settings = settings_of(site.url, tmp_path)

    assert ShotGridSignIn(settings.tracker)(login, SecretStr(password)) is None


def test_a_site_that_is_away_is_said_to_be_and_the_password_is_not(tmp_path: Path) -> None:
    settings = settings_of("http://127.0.0.1:9", tmp_path)

    with pytest.raises(TrackerUnavailable) as caught:
        ShotGridSignIn(settings.tracker)("mori", PASSWORD)

    assert PASSWORD.get_secret_value() not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_selected_rows_are_read_as_the_site_has_them(
    site: RunningSite, person: int, tmp_path: Path
) -> None:
    client: Any = site.connect()
    project = client.create("Project", {"name": "Akane", "tank_name": "akane"})
    sequence = client.create("Sequence", {"code": "ep01", "project": project})
    shot = client.create("Shot", {"code": "c001", "project": project, "sg_sequence": sequence})
    version = client.create("Version", {"code": "v1", "project": project, "entity": shot})
    loose = client.create("Version", {"code": "v2", "project": project})
    kinds = {
        code: client.create("PublishedFileType", {"code": code}) for code in ("Layout", "Other")
    }
    files = [
        client.create(
            "PublishedFile",
            {
                "code": f"{name}_{number}",
                "name": name,
                "version_number": number,
                "project": project,
                "entity": shot,
                "published_file_type": kinds[kind],
                "version": version,
            },
        )
        for name, number, kind in (
            ("bg", 1, "Layout"),
            ("bg", 2, "Layout"),
            ("sky", 1, "Layout"),
            ("bg", 9, "Other"),
        )
    ]
    settings = settings_of(site.url, tmp_path)
    desk = ShotGridSelection(SiteClient(settings.tracker, SecretStr(KEY)), settings)
    place = Place(project="akane", sequence="ep01", shot="c001")

    rows = desk.read("Version", [loose["id"], version["id"], 999_999])
    shots = desk.read("Shot", [shot["id"]])
    published = desk.read("PublishedFile", [files[0]["id"]])

    assert [(row.id, row.version) for row in rows] == [
        (loose["id"], loose["id"]),
        (version["id"], version["id"]),
    ]
    assert rows[0].place == Place(project="akane", sequence="", shot="")
    assert (rows[1].place, shots[0].place, published[0].place) == (place, place, place)
    assert (shots[0].version, published[0].version) == (None, version["id"])
    assert desk.read("HumanUser", [person]) == ()
    assert set(desk.layouts_of([shot["id"]])) == {files[1]["id"], files[2]["id"]}
    assert desk.layouts_of([]) == ()
    assert desk.person("mori") == SignedIn(
        login="mori", name="K. Mori", person_id=f"HumanUser:{person}"
    )
    assert desk.person("gone") is None
    desk.close()
